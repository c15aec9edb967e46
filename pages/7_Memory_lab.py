"""Memory lab: how far back each cell remembers, measured, trained live, and looked for in the language models."""

from __future__ import annotations

from pages.common import inputs, page
from pages.memory import agreement, distance

PARTS: dict[str, type[distance.Picked] | type[agreement.Picked]] = {
    "Made-up tasks": distance.Picked,
    "Language models": agreement.Picked,
}


def main() -> None:
    page.start("Memory lab")
    with page.header(), page.pickers():
        picked = PARTS[inputs.choice("Part", list(PARTS), key="part", compact=True)].here()
    picked.draw()


page.run(main)
