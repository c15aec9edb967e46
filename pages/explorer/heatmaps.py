"""View: heatmaps of everything a cell holds, units x tokens."""

from __future__ import annotations

import streamlit as st

from pages.common import inputs, shown
from pages.explorer import reading
from pages.explorer import scene as shared
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels import viz

EXAMPLES = (
    Example(
        "Nothing new",
        "a word that repeats changes the memory less and less, until *stop*. Read from the other side, *stop* is felt early.",
        state(
            "ha ha ha ha ha ha ha ha ha ha ha stop ha ha ha", "pos", "gru lstm", gates=["keep", "memory"], style="map", token="12"
        ),
    ),
    Example(
        "Hold at *the*",
        "both models of fairy tales keep most at *the*, when the noun is to come, and least at *keys*. A tagger's units do not.",
        state(KEYS, "tales", "gru lstm", gates=["keep", "write"], style="lines", token="3"),
    ),
)


def draw(scene: Scene) -> None:
    """A stack of maps for each model, or the mean over its units as lines."""
    from seqmodels.traces import ORDERS
    from seqmodels.viz import gates

    with scene.settings:
        titles = inputs.choices("Show", list(gates.MEASURES), key="gates", default=["keep", "write"])
        style = inputs.choice("As", ["map", "lines"], key="style")
        order = inputs.choice("Order of units", list(ORDERS), key="order") if style == "map" else ""
    measures = [gates.MEASURES[title] for title in titles]
    if not measures:
        st.info("Pick at least one of what a cell holds.")
        return

    def one(read: Reading) -> None:
        present = [measure for measure, _ in gates.present(read.layer, measures)]
        if not present:
            shown.caption(f"{read.title} has no gate of this kind.")
            return
        if style == "map":
            # the token matters to one order only: the others stay cached while it moves
            token = read.token if order == "activity" else 0
            units = reading.unit_order(read.name, scene.text, read.layer.layer, read.layer.direction, order, token)
            figure = viz.heatmaps(read.trace, read.focus, order=units, show=present)
        else:
            figure = viz.lines(read.trace, read.focus, show=present)
        shared.chart(figure, f"heatmaps-{read.name}", f"{read.title}: {', '.join(titles)} of the units at every word")

    shared.panels(scene, one)
    shared.numbers_of(scene, lambda read: gates.rows(read.trace, read.focus, measures), "gates")


VIEW = View(
    title="Heatmaps",
    group="read",
    place=3,
    asks="every unit at every word",
    aid=Aid(
        "a column is a word, a row one unit; the stronger the colour, the larger the value. A click selects word and unit; "
        "buttons on a picture zoom.",
        "a faint column of *keep*: there most units let go of what came before. A long blue row is a unit that holds on.",
    ),
    others={
        ("style", "lines"): Aid(
            "a line is the mean over all units at each word, the band around it the middle 80 % of them.",
            "a word at which *keep* falls: there most units let go of what came before. A wide band: units that differ in "
            "what they do.",
        )
    },
    examples=EXAMPLES,
    draw=draw,
)
