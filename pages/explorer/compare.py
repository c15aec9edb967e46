"""View: models against each other on one text, and two texts against each other in one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, loading, long_texts, shown
from pages.common.caching import cached_by_model
from pages.explorer import reading as readings
from pages.explorer import scene as shared
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.viz.format import duration, percent

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seqmodels.viz import Focus
    from seqmodels.viz.comparisons import TwoTexts

ALL, TWO, TEXTS = "models", "two models", "two texts"
OTHER = "The key to the cabinet in the old office near the two big doors is on the table."
MOST_NAMED = 6  # words whose tags differ, in a sentence
AGAINST = {"compare": TEXTS, "in": "GRU", "difference": "memory"}
EXAMPLES = (
    Example(
        "Jordan, and Jordan Smith",
        "to GRU the same word is a place and a person. Read from left to right nothing has come yet: 0 % apart. Read from right to "
        "left, its memories at *Jordan* are 48 % apart.",
        AGAINST
        | state("Jordan is near Egypt.", "ner", "gru lstm", other="Jordan Smith is near Egypt.", direction="backward", token="1"),
    ),
    Example(
        "Not good, and good",
        "without *not*, GRU's memory is 24 % apart at *good* and 18 % at the full stop: the word is not forgotten yet.",
        AGAINST | state("The film was not good.", "lm", "gru lstm", other="The film was good.", token="6"),
    ),
    Example(
        "Who changes most",
        "at *two*, 60 % of Elman's memory changes, 58 % of GRU's and 18 % of LSTM's, which adds to what it has.",
        state(KEYS, "pos", "elman gru lstm", direction="forward", token="12", compare=ALL, by="turnover"),
    ),
)
# what the curves of seqmodels.traces are, in words
MEANS = {
    "mean keep": "the mean of keep μ over the units",
    "mean write": "the mean of write λ over the units",
    "retained": "how much of what the selected word wrote the memory still holds, by L2 norm",
    "turnover": "how far the memory is from the one before, |m − before| / (|m| + |before|), L2 norms: 1 at the first word read",
}


def draw(scene: Scene) -> None:
    """One of three comparisons."""
    row = st.container(horizontal=True, gap="small", key="gates-compare")
    with row:
        kind = inputs.choice("Compare", (ALL, TWO, TEXTS), key="compare", also=_also, compact=True)
    {ALL: cells, TWO: two_cells, TEXTS: two_texts}[kind](scene, row)


def _also(kind: str) -> Sequence[str]:
    """What links called it before."""
    return (kind, kind.replace("models", "cells"))


def cells(scene: Scene, row: DeltaGenerator) -> None:
    """A line for each model, and a table of what they are like over the whole text."""
    from seqmodels.viz import comparisons

    with scene.settings:
        name = inputs.choice("By", list(MEANS), key="by", default="turnover")
    traces, focus = [reading.trace for reading in scene.readings], in_common(scene.readings)
    with shared.pictures(scene):
        shared.chart(viz.curves(traces, focus, name=name), "compare-cells", f"{name} at every word, a line for each model")
    shown.caption(
        f"{name.capitalize()}: {MEANS[name]}. Where the models differ on what stands under a word, all are given in their order."
    )
    shown.markdown(table(scene))
    shown.caption(
        "Half-life: tokens until half of a unit's memory is gone; below one token, more than half is gone at the next word."
    )
    shared.numbers(lambda: comparisons.curve_rows(traces, focus), "compare-cells")


def two_cells(scene: Scene, row: DeltaGenerator) -> None:
    """One model minus another, word by word."""
    from seqmodels.viz import comparisons

    if len(scene.readings) < 2:
        st.info("Pick a second model above.")
        return
    by_title = {reading.title: reading for reading in scene.readings}
    titles = list(by_title)
    with scene.settings:
        first = by_title[inputs.choice("Of", titles, key="of", default=titles[-2])]
        second = by_title[inputs.choice("Minus", titles, key="minus", default=titles[-1])]
        name = inputs.choice("By", list(MEANS), key="by", default="turnover")
    if first is second:
        st.info("A model minus itself is zero: pick another.")
        return
    traces, focus = [first.trace, second.trace], in_common([first, second])
    with shared.pictures(scene):
        alt = f"{name} at every word: {first.title} minus {second.title}"
        shared.chart(viz.curve_difference(first.trace, second.trace, focus, name=name), "compare-two", alt)
    shown.caption(f"{name.capitalize()}: {MEANS[name]}. A bar has the colour of the model that has more of it.")
    shared.numbers(lambda: comparisons.curve_rows(traces, focus), "compare-two")


def two_texts(scene: Scene, row: DeltaGenerator) -> None:
    """The same model on another text: how far apart its memories are, and in which units."""
    from seqmodels.viz import comparisons, gates

    by_title = {reading.title: reading for reading in scene.readings}
    with scene.settings:
        first = by_title[inputs.choice("In", list(by_title), key="in", default=list(by_title)[-1])]
        measures = {measure.title: measure for measure, _ in gates.present(first.layer, list(gates.MEASURES.values()))}
        measure = measures[inputs.choice("Difference of", list(measures), key="difference", default="memory")]
    unit = loading.unit_of(scene.first.name)
    with row:
        typed = inputs.question(OTHER, {}, action="Compare", label="The other text", key="other")
    other = long_texts.at_most(typed, loading.at_once([first.name], shared.MOST[unit]), unit)
    if not other.strip():
        st.info("Type another text to compare with.")
        return
    texts = aligned(first.name, scene.text, other)
    columns = min(len(texts.columns), comparisons.COLUMNS)
    with shared.pictures(scene, columns), shared.panel(scene, first):
        figure = viz.text_difference(texts, first.focus, measure=measure)
        alt = f"{first.title}: your text minus the other one, {measure.title} of every unit at every word that both have"
        shared.chart(figure, "compare-texts", alt)
    shown.markdown(tagged_differently(texts))
    shown.caption(
        "Apart: |a − b| / (|a| + |b|) of the two memories, L2 norms: 0 % the same, 100 % opposite. Where the texts differ, it "
        "says *yours / the other* over and under a column, which is empty for a word that one of them lacks. Units are in the "
        "order of the difference at the selected word."
    )
    shared.numbers(lambda: comparisons.text_rows(texts, first.focus), "compare-texts")


def in_common(compared: Sequence[Reading]) -> Focus:
    """The focus, with what all of these models say under each word."""
    from seqmodels.viz import comparisons

    return replace(compared[0].focus, below=comparisons.joined([reading.focus.below for reading in compared]))


@cached_by_model
def aligned(name: str, text: str, other: str) -> TwoTexts:
    """The text and another as one model reads them."""
    from seqmodels.viz.comparisons import TwoTexts

    one, two = readings.read(name, text), readings.read(name, other)
    return TwoTexts.of(one.trace, two.trace, (one.below, two.below))


def tagged_differently(texts: TwoTexts) -> str:
    """Where the two predictions differ, in a sentence."""
    if loading.predicts(texts.first.task) != "tags":
        return ""
    words = texts.words
    found = [column for column, pair in enumerate(texts.columns) if None not in pair and " / " in texts.below[column].text]
    if not found:
        return "Both texts get the same tags, word for aligned word."
    listed = "; ".join(
        f"*{inputs.plain(words[column])}*: {inputs.plain(texts.below[column].text)}" for column in found[:MOST_NAMED]
    )
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"Tagged differently: {listed}{more}."


def table(scene: Scene) -> str:
    """What each model is like over the whole text: a column for each, of which a phone has room for three."""
    from seqmodels.traces import REGIMES, summary

    names = ["mean keep", "mean write", "median half-life", "mean turnover", *(f"units that {regime.name}" for regime in REGIMES)]
    columns = []
    for reading in scene.readings:
        found = summary(reading.layer)
        numbers = [f"{found.keep:.2f}", f"{found.write:.2f}", duration(found.half_life), f"{found.turnover:.2f}"]
        columns.append([*numbers, *(percent(share) for share in found.regimes)])
    titles = [reading.title for reading in scene.readings]
    return shared.table(["Over the whole text", *titles], zip(names, *columns, strict=True))


VIEW = View(
    title="Compare",
    group="find",
    place=3,
    asks="models, or two texts, beside each other",
    aid=Aid(
        "a line for each model, in shares that mean the same in all of them: unit 17 of one has nothing to do with unit 17 "
        "of another.",
        "the words at which the models go different ways.",
    ),
    others={
        ("compare", TWO): Aid(
            "a bar is one model minus the other, in percentage points; it has the colour of the model that has more.",
            "the words at which the models go different ways.",
        ),
        ("compare", TEXTS): Aid(
            "the bars say how far the memories of the two texts are apart at each word, the map in which units of the model.",
            "how fast a changed word is forgotten, and which later word brings it back.",
        ),
    },
    examples=EXAMPLES,
    draw=draw,
)
