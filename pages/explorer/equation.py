"""View: the law with numbers in it, for one unit at one word."""

from __future__ import annotations

import streamlit as st

from pages.common import address, shown
from pages.explorer import scene as shared
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.viz.format import number

OFFERED = 5  # units to pick from
EXAMPLES = (
    Example(
        "A unit that counts",
        "LSTM's unit 57 keeps almost everything and adds almost 1 at nearly every word: 0.992 after the first, 15.781 at "
        "*table*. GRU can't count so: its memory never leaves −1 to 1.",
        state(KEYS, "pos", "lstm", direction="forward", token="18", unit=57),
    ),
    Example(
        "Replaced by one word",
        "at *office*, GRU's unit 47 keeps less than 0.01 % of 1.000 and becomes −1.000. What it held is gone.",
        state(KEYS, "pos", "elman gru lstm", direction="forward", token="9", unit=None),
    ),
)


def draw(scene: Scene) -> None:
    """For each model the equation at the selected word, the units that change most there, and the memory of these."""
    from seqmodels.viz import equations

    def one(reading: Reading) -> None:
        written_out(reading)
        figure = viz.equation_map(reading.trace, reading.focus)
        alt = f"{reading.title}: memory of the units that change most at {scene.word}, at every word"
        shared.chart(figure, f"equation-{reading.name}", alt)

    shared.panels(scene, one)
    shared.numbers_of(scene, lambda reading: equations.rows(reading.trace, reading.focus), "equation")


def written_out(reading: Reading) -> None:
    """The equation of the selected unit, else of the one that changes most; buttons for the next ones."""
    from seqmodels.traces import law_error, most_changed
    from seqmodels.viz import equations

    layer, token = reading.layer, reading.token
    busiest = [int(unit) for unit in most_changed(layer, token, OFFERED)]
    unit = busiest[0] if reading.focus.unit is None else reading.focus.unit
    why = ", which changes most here" if reading.focus.unit is None else ""
    shown.markdown(f"Unit **{unit}** at {reading.word(token)}{why}")
    shown.html(equations.equation(layer, token, unit))
    error = number(law_error(layer)[token, unit])
    shown.caption(f"The model's own memory and this sum differ by {error}. The units that change most here:")
    before, memory = layer.previous()[token], layer.memory[token]
    with st.container(horizontal=True, gap="xsmall", key=f"gates-units-{reading.name}"):
        for other in busiest:
            change = number(memory[other] - before[other])
            st.button(
                f"{other}: {change if change.startswith('−') else f'+{change}'}",
                key=f"gates-unit-{reading.name}-{other}",
                help=f"Unit {other} goes from {number(before[other])} to {number(memory[other])}.",
                type="primary" if other == reading.focus.unit else "tertiary",
                on_click=address.put,
                args=({"unit": other},),
            )


VIEW = View(
    title="Equation",
    group="read",
    place=2,
    asks="the law with its numbers, for one unit",
    aid=Aid(
        "each number stands over its name: what is kept of the memory, plus what is written of the new content. Point at a square "
        "below to read the same for any unit and word; a click selects both.",
        "a unit whose keep μ is near 0 and whose write λ is near 1: its past is gone at this one word. Or one near 1 and 0, which "
        "carries its number past the word unchanged.",
    ),
    examples=EXAMPLES,
    draw=draw,
)
