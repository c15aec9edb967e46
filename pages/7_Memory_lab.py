"""Memory lab: how far back each cell remembers, measured, trained live, and looked for in the language models."""

from __future__ import annotations

from pages.common import inputs, page, results, takeaway
from pages.memory import agreement, distance

PARTS: dict[str, type[distance.Picked] | type[agreement.Picked]] = {
    "Made-up tasks": distance.Picked,
    "Language models": agreement.Picked,
}


def main() -> None:
    page.start("Memory lab")
    with page.header(), page.pickers():
        part = inputs.choice("Part", list(PARTS), key="part", compact=True)
        picked = PARTS[part].here()
    picked.draw()
    found = results.read(distance.EXPERIMENT) if isinstance(picked, distance.Picked) else None
    takeaway.menu("memory-lab", f"Memory lab: {part}", files=results.files(found) if found else [], key="memory-take-away")


page.run(main)
