"""View: moments like this one, found in a larger text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import streamlit as st

from pages.common import inputs, shown
from pages.explorer import larger_text
from pages.explorer import scene as shared
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels.viz.palette import shorten

if TYPE_CHECKING:
    from seqmodels.traces import SearchedGate
    from seqmodels.viz.gates import Measure

LONGEST_SPAN = 12
STEP = 0.005  # of a threshold: what is kept of a gate over a larger text is as fine
VERBS = {"mu": "keep {} or more", "lam": "write {} or more", "memory": "hold a memory of {} or more"}
ASKED = {"span-gate": "write", "span-in": larger_text.ADDRESSES}
FOUGHT = "We sent men to fight in France, Italy, Japan and China, and they came home."
EXAMPLES = (
    Example(
        "A plural before its verb",
        "Read from right to left, *doors are* is like *sales are*, *nations are*, *numbers are*: most of the twenty end in a "
        "verb in the plural.",
        ASKED | state(KEYS, "pos", "gru", direction="backward", token="14", span=2, span_least=0.8),
    ),
    Example(
        "A list of places",
        "*France, Italy, Japan* is like *Toronto, Berlin, Moscow*: most "
        "of the twenty are parts of lists of places, whatever the names.",
        ASKED | state(FOUGHT, "ner", "lstm", direction="forward", token="7", span=5, span_least=0.5),
    ),
    Example(
        "A negated verb",
        "All twenty moments like *do not think* are negated verbs, and *don't* is among them: the units follow what is said, not "
        "how it is spelt.",
        ASKED
        | state(
            "I do not think that we should ever give up hope.", "pos", "gru", direction="forward", token="2", span=3, span_least=0.7
        ),
    ),
)


def draw(scene: Scene) -> None:
    """The span in its own text, and under it the moments of a larger text that are most like it."""
    from seqmodels.traces import find_matches, match_of, pattern, units_on
    from seqmodels.viz import gates, matches
    from seqmodels.viz.legends import legend

    with scene.settings:
        reading = searched(scene)
        moving = moving_gates(reading)
        choices = {measure.title: measure for measure in (*moving, gates.MEMORY)}
        usual = moving[-1].title if moving else "memory"
        chosen = choices[inputs.choice("Units by their", list(choices), key="span-gate", default=usual)]
        words = int(inputs.number("Span, in words", 1, LONGEST_SPAN, key="span", default=2, step=1))
        most = (
            1.0 if chosen is not gates.MEMORY else max(1.0, math.ceil(reading.layer.memory.max()))
        )  # some memories have no bounds
        # a link may ask for what lies between two steps
        least = round(inputs.number("At least", STEP, float(most), key="span-least", default=0.5, step=STEP) / STEP) * STEP
        source = larger_text.choose()
    if still := constants(reading):
        shown.caption(
            f"{reading.title}: {still} in every unit at every word, which marks no moment. Search by {' or '.join(choices)}."
        )
    gate = cast("SearchedGate", chosen.field)
    span = slice(reading.token, min(reading.token + words, len(scene.tokens)))
    units = units_on(reading.layer, span, gate, least)
    total = reading.layer.mu.shape[1]
    words_there = inputs.plain(" ".join(shorten(token) for token in scene.tokens[span]))
    shown.markdown(f"Over *{words_there}*, **{len(units)} of {total} units** {VERBS[gate].format(f'{least:g}')}.")
    if not 0 < len(units) < total:
        st.info(f"That marks no moment: {'raise' if len(units) else 'lower'} the threshold, or change the span.")
        return
    asked = match_of(reading.trace, reading.layer, span, units)
    show = list(dict.fromkeys((*moving, chosen)))
    with shared.panel(scene, reading):
        shown.html(legend(gates.bars(show), f"mean over the {len(units)} units that are searched for"))
        lines = st.empty()
        lines.html(matches.concordance(asked, [], show))  # the span at once, and what is found when it is found
    text = None if source is None else larger_text.traced(reading, source, at_once=shared.opened(EXAMPLES) is not None)
    if text is None:
        return
    found = find_matches(text, pattern(reading.layer, span, gate, least))
    shown.html(matches.concordance(asked, found, show), lines)
    if not found:
        st.info("None of these units is on anywhere in the text: lower the threshold, or take fewer words.")
    shown.caption(
        f"{len(text.tokens):,} words in {len(text.starts) - 1:,} passages, each read on its own. A score is the share of units on "
        "both here and there among those on in either. It does not say why a unit is on: units that nearly always are make any "
        "two moments alike, and a higher threshold leaves them out."
    )
    shared.numbers(lambda: matches.rows(asked, found), "moments")


def searched(scene: Scene) -> Reading:
    """The one model whose units are searched for: the first whose gates move, unless another is picked."""
    readings = {reading.title: reading for reading in scene.readings}
    if len(readings) == 1:
        return scene.first
    usual = next((title for title, reading in readings.items() if moving_gates(reading)), scene.first.title)
    return readings[inputs.choice("Model", list(readings), key="span-cell", default=usual)]


def moving_gates(reading: Reading) -> list[Measure]:
    """Keep and write, if they differ from unit to unit or word to word."""
    from seqmodels.traces import moves
    from seqmodels.viz import gates

    return [measure for measure, values in gates.present(reading.layer, (gates.KEEP, gates.WRITE)) if moves(values)]


def constants(reading: Reading) -> str:
    """The gates that don't, and the value of each."""
    from seqmodels.viz import gates

    moving = moving_gates(reading)
    held = [
        (measure, values) for measure, values in gates.present(reading.layer, (gates.KEEP, gates.WRITE)) if measure not in moving
    ]
    return " and ".join(f"{measure.title} is {values.flat[0]:g}" for measure, values in held)


VIEW = View(
    title="Moments",
    group="find",
    place=2,
    asks="moments like this one in a larger text",
    aid=Aid(
        "the first line is your span, from the selected word on. Below it are the moments of a larger text at which most of "
        "the same units are on, the best first; under each word, what these units keep and write on average.",
        "what the moments share: a grammatical pattern, a kind of name, or only a word. Then raise the threshold.",
    ),
    examples=EXAMPLES,
    draw=draw,
    labelled=False,
)
