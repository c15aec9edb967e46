"""The wall: the loss of a network of one unit over its two weights, and three ways down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.common import address, inputs, page, picking, shown, takeaway
from pages.gradients import presets
from seqmodels.viz.format import number

if TYPE_CHECKING:
    from seqmodels.labs.wall import Descent, Surface

LOW_W, HIGH_W, LOW_B, HIGH_B = 0.0, 8.0, -8.0, 1.0
GRID, KNOB = 0.1, 0.05


def draw() -> list[takeaway.File]:
    """Words, the knobs and the picture; gives its numbers as a file."""
    from seqmodels.viz import walls

    words = st.container(key="gradients-words", gap="xxsmall")
    with st.container(key="gradients-bench"):
        knobs, picture = st.columns([1, 2.6], gap="medium")
    with knobs:
        usual = presets.WALL
        w = inputs.number("Start at w", LOW_W, HIGH_W, key="w", default=usual["w"], step=KNOB)
        b = inputs.number("Start at b", LOW_B, HIGH_B, key="b", default=usual["b"], step=KNOB)
        rate = inputs.number("Learning rate", 0.1, 4.0, key="rate", default=usual["rate"], step=0.1)
        threshold = inputs.number("Clip at", 0.05, 2.0, key="threshold", default=usual["threshold"], step=0.05)
        updates = int(inputs.number("Updates", 1, 60, key="updates", default=usual["updates"], step=1))
    found = descents(w, b, rate, threshold, updates)
    with words:
        presets.told(presets.ON_THE_WALL, usual)
        shown.markdown(_verdict(found))
    picking.hand_over(_picked, of="gradients")
    with picture:
        alt = "The loss over w and b from above, with the paths of gradient descent without clipping, clipped by norm and by value"
        shown.chart(walls.wall(surface(), found, theme=page.theme()), "wall", alt, page="gradients", zoom=False)
        head = "| gradient | ends at w, b | its loss | largest norm |\n| --- | --- | --- | --- |\n"
        shown.markdown(head + "\n".join(_line(one) for one in found))
    shown.explain(HOW)
    return [takeaway.numbers(lambda: walls.rows(found), "wall")]


@st.cache_data(show_spinner=False, max_entries=1)
def surface() -> Surface:
    """The ground that is drawn."""
    from seqmodels.labs import wall

    return wall.surface(*(np.round(np.arange(low, high + GRID / 2, GRID), 2) for low, high in ((LOW_W, HIGH_W), (LOW_B, HIGH_B))))


@st.cache_data(show_spinner=False, max_entries=500)
def descents(w: float, b: float, rate: float, threshold: float, updates: int) -> list[Descent]:
    """A path for each way to clip."""
    from seqmodels.labs import wall

    return [wall.descend(w, b, rate=rate, clipping=way, threshold=threshold, updates=updates) for way in wall.CLIPPINGS]


def _picked(found: Mapping[str, int]) -> None:
    address.put({name: hundredths / 100 for name, hundredths in found.items() if name in ("w", "b")})


def _verdict(found: list[Descent]) -> str:
    free = found[0]
    jump = int(np.hypot(np.diff(free.w), np.diff(free.b)).argmax())
    far = float(np.hypot(free.w[jump + 1] - free.w[jump], free.b[jump + 1] - free.b[jump]))
    if not any(one.clipped.any() for one in found[1:]):
        return "On this way no gradient is above the threshold: nothing is clipped, and the three paths are one."
    ends = ", ".join(
        f"{name} {number(one.loss[-1])}" for name, one in zip(("without clipping", "by norm", "by value"), found, strict=True)
    )
    return (
        f"Without clipping, update {jump + 1} meets a gradient of {number(free.norm[jump])} and jumps {far:.3g} far. "
        f"The loss after {len(free.w) - 1}: {ends}."
    )


def _line(one: Descent) -> str:
    from seqmodels.viz.walls import STYLES

    place = f"{one.w[-1]:.2f}, {one.b[-1]:.2f}".replace("-", "−")
    return f"| {STYLES[one.clipping][0]} | {place} | {number(one.loss[-1])} | {number(one.norm.max())} |"


HOW = (
    "**The network:** xₜ = w σ(xₜ₋₁) + b from x₀ = 0.5, 50 steps, and the loss is (σ(x₅₀) − 0.7)² (Pascanu, Mikolov, Bengio "
    "2013, figure 6). "
    "Click on the picture to start there. **What to look for:** the edge between pale and dark is the wall: beside it the loss "
    "is flat, on it the "
    "gradient is huge. **What it does not show:** a network with more than two weights, where the wall is met from directions "
    "that no picture has."
)
