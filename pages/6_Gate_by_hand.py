"""Gate by hand: set keep and write yourself, see the law at work, then let a network find the gates."""

from __future__ import annotations

from pages.common import inputs, page
from pages.hand import cell, inside, switch

PARTS = {"Switch": None, "Memory cell": cell.draw, "Inside a cell": inside.draw}


def main() -> None:
    page.start("Gate by hand")
    with page.header():
        with page.pickers():
            draw = PARTS[inputs.choice("Part", list(PARTS), key="part", compact=True)]
            puzzle = draw and cell.puzzle()
        state = puzzle and cell.State(puzzle)
    if draw and state:
        draw(state)
    else:
        switch.draw()


page.run(main)
