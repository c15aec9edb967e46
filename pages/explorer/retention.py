"""View: retention. How much of a word is left later on, and how long each unit remembers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st
from numpy.typing import NDArray

from pages.common import inputs, shown
from pages.explorer import scene as shared
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.viz.format import duration, part

if TYPE_CHECKING:
    from seqmodels.traces import Trace
    from seqmodels.viz import Focus

QUANTILES = (0.1, 0.5, 0.9)  # of the units
EXAMPLES = (
    Example(
        "Forgetting comes in steps",
        "No smooth decay: *country* takes what GRU holds of *people* from 47 to 34 %, *and the* after it only to 30; "
        "*men* takes it to 19, and *of the* only to 18.",
        state("The people of the country and the men of the Army have asked the Congress to act.", "lm", "gru lstm", token="3"),
    ),
    Example(
        "How long *Russian* lasts",
        "The dashed line is the memory that the name was begun with. GRU and LSTM have lost half of it by the second letter, and "
        "Elman of all of it at once: what they know of the language later on, the letters have written.",
        state("Ivanova", "names", "elman gru lstm", language="Russian", token="2"),
    ),
    Example(
        "The one that remembers",
        "Half of the LSTM's units forget half within 0.35 tokens. Unit 173 would take 4,695.",
        state(KEYS, "ner", "gru lstm", direction="forward", token="2", unit=173),
    ),
)


def draw(scene: Scene) -> None:
    """For each model what is left of the selected word, of every word, and the half-lives of its units."""
    from seqmodels.viz import memories, units

    with scene.settings:
        order = inputs.choice("Order of units", list(units.ORDERS), key="sort")

    def one(reading: Reading) -> None:
        alt = f"{reading.title}: how much of {scene.word}, and of every word, is left at each later word"
        shared.chart(viz.retention(reading.trace, reading.focus), f"survival-{reading.name}", alt)
        shown.markdown(sentence(reading))
        figure = viz.half_lives(reading.trace, reading.focus, order=order)
        alt = f"{reading.title}: the half-life of each unit, on a logarithmic scale"
        shared.chart(figure, f"half-lives-{reading.name}", alt)

    shared.panels(scene, one)
    shown.markdown(table(scene))
    shown.caption(
        f"Half-life = ln 2 / −ln(geometric mean of μ over the {len(scene.tokens):,} tokens of this text), in tokens; below one "
        "token, more than half is gone at the next word. A click on a bar selects its unit. Only what the memory carries counts "
        "here: a word may also live on in what later words write, because their new content reads the memory; the view "
        "*Gradient* shows both."
    )
    for title, name, rows in (
        ("What is left", "survival", memories.retention_rows),
        ("Half-lives", "half-lives", units.half_life_rows),
    ):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(title, width="content")
            shared.numbers_of(scene, partial(rows_of, rows), name)


def rows_of(rows: Callable[[Trace, Focus], list[dict[str, Any]]], reading: Reading) -> list[dict[str, Any]]:
    return rows(reading.trace, reading.focus)


def sentence(reading: Reading) -> str:
    """How much of the selected word is left at the last word on screen, and where half of it was gone; the same of the start."""
    from seqmodels import traces

    layer = reading.layer
    found = _left(reading, reading.word(reading.token), traces.retention(layer, reading.token))
    if layer.start is None:
        return found
    return f"{found}  \n{of_start(reading)}"


def of_start(reading: Reading) -> str:
    """How long the memory before the first word lasts."""
    from seqmodels import traces
    from seqmodels.viz import memories

    left, name = traces.start_retention(reading.layer), inputs.plain(memories.start_name(reading.trace))
    read = range(len(left))[:: -1 if reading.layer.backward else 1]
    half = next((token for token in read if left[token] < 0.5), None)
    gone = "half of it is still there at the end" if half is None else f"half is gone by {reading.word(half)}"
    return f"Of **{name}**, the memory before the first word, **{part(left[read[-1]])}** is left at the end; {gone}."


def _left(reading: Reading, word: str, left: NDArray[Any]) -> str:
    words, layer = reading.trace.tokens, reading.layer
    drawn = reading.focus.positions(reading.trace)
    after = range(reading.token - 1, drawn.start - 1, -1) if layer.backward else range(reading.token + 1, drawn.stop)
    if not after:
        return f"{word} is the last word read here: nothing comes after it."
    at = next((position for position in reversed(after) if any(map(str.isalnum, words[position]))), after[-1])
    half = next((position for position in after if left[position] < 0.5), None)
    gone = "; half of it is still there at every word." if half is None else f"; half is gone by {reading.word(half)}."
    return f"**{part(left[at]).capitalize()}** of {word} is left at {reading.word(at)}{gone}"


def table(scene: Scene) -> str:
    """The half-lives of each model's units by quantile, and the unit that remembers longest."""
    from seqmodels import traces

    rows = []
    for reading in scene.readings:
        tokens = traces.half_life(reading.layer.mu)
        longest = int(tokens.argmax())
        most = duration(float(tokens[longest])) + (f" (unit {longest})" if traces.moves(tokens) else "")
        rows.append([reading.title, *(duration(traces.quantile(tokens, share)) for share in QUANTILES), most])
    return shared.table(["Half-life of the units", "one in ten is below", "median", "one in ten is above", "longest"], rows)


VIEW = View(
    title="Survival",
    group="remember",
    place=2,
    asks="how long a word lasts",
    aid=Aid(
        "the curve is what is retained of the selected word at each word read after it; the map shows the same for every "
        "word, as its column.",
        "a row in the map where all columns turn faint at once: there the model forgets, whatever it held. And in the "
        "half-lives, the few units on the left that remember far longer than the rest.",
    ),
    examples=EXAMPLES,
    draw=draw,
    ahead=True,
)
