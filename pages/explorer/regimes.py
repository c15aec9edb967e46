"""View: what each unit does at each word, and how often its gates are saturated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, loading, shown
from pages.common.caching import cached_by_model
from pages.explorer import larger_text
from pages.explorer import scene as shared
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels import viz

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Saturation

OWN = "your text"
ENOUGH = 5000  # words of the larger text: then a unit's share is known to about one in a hundred
GATES = ("keep", "write", "reveal")
EXAMPLES = (
    Example(
        "Little words add",
        "at *the* before *table*, 43 % of LSTM's units accumulate and 10 % erase. At *doors*, 25 % accumulate and 27 % erase: a "
        "noun makes room. GRU can do neither.",
        state(KEYS, "lm", "gru lstm", token="15", unit=None, over=OWN),
    ),
    Example(
        "First name, surname",
        "GRU overwrites 93 % of its units at *John* and keeps 38 % at *Smith*: after a first name, a surname brings little that is "
        "new.",
        state("John Smith lives in Berlin and works for Siemens.", "lm", "gru", token="3", unit=None, over=OWN),
    ),
    Example(
        "A unit that hardly moves",
        "over 5,000 words, LSTM's unit 195 keeps more than 0.9 at 94 % of them and writes less than 0.1 at 65 %: no unit keeps at "
        "more of them.",
        state(KEYS, "lm", "lstm", token="15", unit=195, over=larger_text.ADDRESSES),
    ),
)


def draw(scene: Scene) -> None:
    """For each model the strip of regimes; below, how saturated its gates are."""
    from seqmodels.viz import units

    shown.html(units.regime_legend())

    def one(reading: Reading) -> None:
        figure = viz.regime_strip(reading.trace, reading.focus)
        shared.chart(figure, f"regimes-{reading.name}", f"{reading.title}: share of the units in each regime at every word")

    shared.panels(scene, one)
    shared.numbers_of(scene, lambda reading: units.regime_rows(reading.trace, reading.focus), "regimes")
    saturated(scene)


def saturated(scene: Scene) -> None:
    """How often each gate of each unit is wide open and how often shut, over this text or a larger one."""
    from seqmodels.traces import OPEN, SHUT
    from seqmodels.viz import units

    st.header("Saturation", anchor=False)
    over = inputs.choice("Over", (OWN, larger_text.ADDRESSES), key="over")
    shown.markdown(
        f"A point is a unit: how often its gate is wide open (above {OPEN:g}) and how often shut (below {SHUT:g}). On the diagonal "
        "it is always one or the other, a switch; at the lower left it is always in between. A click on a point selects the unit."
    )
    try:
        with st.spinner("Reading"):
            found = {reading.name: shares(reading, over) for reading in scene.readings}
    except ValueError as problem:
        st.info(f"The {larger_text.ADDRESSES} can't be read: {inputs.plain(str(problem))}. Choose {OWN} instead.")
        return

    def one(reading: Reading) -> None:
        moving = {title: saturation for title, saturation in found[reading.name].items() if moves(reading.layer, title)}
        if not moving:
            shown.caption("Its gates never move: keep μ and write λ have the same value in every unit at every word.")
            return
        figure = viz.saturation_scatter(moving, reading.focus)
        alt = f"{reading.title}: for each gate, how often it is open and shut in each unit"
        shared.chart(figure, f"saturation-{reading.name}", alt)

    shared.panels(replace(scene, view="saturation"), one, columns=shared.WORDLESS)  # a row of pictures of its own
    words = f"the {len(scene.tokens):,} words above" if over == OWN else f"the first {ENOUGH:,} words, to the end of a paragraph"
    shown.caption(
        f"Over {words}. After Karpathy, Johnson and Li (2015), who drew it for LSTMs of characters. A point does not say *when* a "
        "gate opens: the heatmaps do."
    )
    rows = units.saturation_rows
    shared.numbers_of(scene, lambda reading: rows(reading.trace.label, found[reading.name]), "saturation")


def shares(reading: Reading, over: str) -> Mapping[str, Saturation]:
    """Of each gate that the cell has. CorpusError if the larger text is not here."""
    if over == OWN:
        return by_gate([reading.layer])
    return _over_addresses(reading.name, reading.layer.layer, reading.layer.direction)


@cached_by_model
def _over_addresses(name: str, layer: int, direction: str) -> Mapping[str, Saturation]:
    """Over the first paragraphs that hold enough words, each read on its own from a zero memory."""
    from seqmodels.inference import accept
    from seqmodels.traces import trace

    read: list[LayerTrace] = []
    for words in larger_text.addresses():
        read.append(trace(loading.checkpoint(name), accept("", words)).layer(layer, direction))
        if sum(len(paragraph.mu) for paragraph in read) >= ENOUGH:
            break
    return by_gate(read)


def by_gate(read: list[LayerTrace]) -> Mapping[str, Saturation]:
    """Over everything that was read; the gates a cell lacks are left out."""
    import numpy as np

    from seqmodels.traces import saturation
    from seqmodels.viz import gates

    parts = {title: [gates.MEASURES[title].of(layer) for layer in read] for title in GATES}
    return {
        title: saturation(np.concatenate(values))
        for title, found in parts.items()
        if len(values := [part for part in found if part is not None])
    }


def moves(layer: LayerTrace, title: str) -> bool:
    """Whether the cell has this gate, and it differs from unit to unit or word to word."""
    from seqmodels import traces
    from seqmodels.viz import gates

    values = gates.MEASURES[title].of(layer)
    return values is not None and traces.moves(values)


VIEW = View(
    title="Regimes",
    group="find",
    place=1,
    asks="keep, accumulate, overwrite or erase",
    aid=Aid(
        "a column holds all units at a word, grouped by what they do there: which of keep μ and write λ is 0.5 or more.",
        "a word at which the blue part shrinks: there the model lets go. GRU can only keep or overwrite, since its two gates "
        "add up to 1; LSTM also accumulates and erases.",
    ),
    examples=EXAMPLES,
    draw=draw,
)
