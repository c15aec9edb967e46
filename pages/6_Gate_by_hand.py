"""Gate by hand: set keep and write yourself, see the law at work, then let a network find the gates."""

from __future__ import annotations

from pages.common import inputs, page, takeaway
from pages.hand import cell, inside, state, switch

SWITCH, CELL, INSIDE = "Switch", "Memory cell", "Inside a cell"


def main() -> None:
    page.start("Gate by hand")
    with page.header():
        with page.pickers():
            part = inputs.choice("Part", [SWITCH, CELL, INSIDE], key="part", compact=True)
            puzzle = None if part == SWITCH else state.puzzle(menu=part == INSIDE)
        found = puzzle and state.read(puzzle)
    if not found:
        switch.draw(then={"part": CELL})
    elif part == CELL:
        cell.draw(found)
    else:
        inside.draw(found)
    takeaway.menu("gate-by-hand", f"Gate by hand: {part}", key="hand-take-away")


page.run(main)
