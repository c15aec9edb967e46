"""View: the mu-lambda square."""

from __future__ import annotations

from pages.common import shown
from pages.explorer import scene as shared
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.cells import CELLS

EXAMPLES = (
    Example(
        "Where the cells live",
        "Elman is a single point: it never keeps and always writes. GRU can't leave its line, λ = 1 − μ. LSTM fills the square.",
        state(KEYS, "pos"),
    ),
)


def draw(scene: Scene) -> None:
    """A square for each model, and what is particular about it."""
    from seqmodels.viz import gates

    def one(reading: Reading) -> None:
        figure = viz.square(reading.trace, reading.focus)
        alt = f"{reading.title}: keep and write of every unit at every word"
        shared.chart(figure, f"square-{reading.name}", alt)
        shown.caption(CELLS[reading.cell].where)

    shared.panels(scene, one, columns=shared.WORDLESS)
    shared.numbers_of(scene, lambda reading: gates.rows(reading.trace, reading.focus), "square")


VIEW = View(
    title="Square",
    group="read",
    place=1,
    asks="where each unit stands between keep and write",
    aid=Aid(
        "the cloud is every unit at every word: to the right it keeps more, upwards it writes more. Dots are the units at the "
        "selected word; a click on one selects its unit.",
        "the corners. *Keep* holds on, *overwrite* starts anew, *accumulate* adds up, *erase* forgets without writing.",
    ),
    examples=EXAMPLES,
    draw=draw,
    labelled=False,
)
