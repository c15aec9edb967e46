"""Gradient lab: what vanishes and what explodes on the way back, the wall that it meets, and what clipping does."""

from __future__ import annotations

from pages.common import inputs, page, takeaway
from pages.gradients import one_update, presets, through_time, wall

PARTS = ("Through time", "The wall", "One update")


def main() -> None:
    page.start("Gradient lab")
    with page.header(), page.pickers():
        part = inputs.choice("Part", PARTS, key="part", compact=True)
        if part == "Through time":
            names = through_time.pick()
            presets.menu(presets.THROUGH_TIME, presets.USUAL, part)
            settings = page.settings()
        elif part == "The wall":
            presets.menu(presets.ON_THE_WALL, presets.WALL, part)
        else:
            presets.menu(presets.ONE_UPDATE, presets.UPDATE, part)
    if part == "Through time":
        files = through_time.draw(names, settings)
    elif part == "The wall":
        files = wall.draw()
    else:
        files = one_update.draw()
    takeaway.menu("gradient-lab", f"Gradient lab: {part}", files=files, key="gradients-take-away")


page.run(main)
