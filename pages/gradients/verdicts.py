"""What the numbers of U say for certain, what is only possible, and which of it happens here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqmodels.viz import law
from seqmodels.viz.format import percent, scientific

if TYPE_CHECKING:
    from seqmodels.labs.gradients import GradientFlow
    from seqmodels.labs.spectrum import Spectrum

_STEADY = 0.005  # a change of the gradient by a smaller share a step is called none
_PEAK = 1.5  # a gradient that grows to so many times its size on the way is said to have a peak


def size(value: float) -> str:
    """A number of any size: '0', '0.68', '3·10⁻⁴²'."""
    if value == 0:
        return "0"
    if not np.isfinite(value):
        return "more than any number"
    if 100 <= value < 1000:
        return f"{value:.0f}"
    return f"{value:.2g}" if 0.01 <= value < 100 else scientific(value)


def beforehand(found: Spectrum, steps: int) -> str:
    """What U alone decides for a plain network, over so many steps back."""
    at = f"1/γ = {found.limit:g}"
    largest = f"The largest singular value of U, {found.largest:.2f},"
    if found.side < 0:
        most = found.largest / found.limit
        return (
            f"**Certain to vanish.** {largest} is below {at}: whatever it reads, a plain network keeps at most {most:.2f} of its "
            "gradient "
            f"at each step back, and {size(most**steps)} of it over {steps}."
        )
    if found.side == 0:
        return (
            f"**It cannot explode.** {largest} is just {at}: in a plain network no step back makes the gradient longer, and it "
            "gets shorter "
            "wherever the activation is not at its steepest."
        )
    inside = (
        f"Its spectral radius, {found.radius:.2f}, is below: a linear network would lose the gradient in the end, and may see it "
        "grow before."
        if found.radius < found.limit * (1 - _STEADY)
        else ""
    )
    return f"**Exploding is possible, not certain.** {largest} is above {at}.{inside}"


def happens(flow: GradientFlow, found: Spectrum, activation: str) -> str:
    """What a plain network's gradient does, and by which cause."""
    factor, first, peak = flow.factor, float(flow.gradient[0]), float(flow.gradient.max())
    name = law.title(flow.cell)
    why = _cause(flow, activation)
    if np.isnan(factor):
        return f"Here {name}'s gradient reaches {size(first)} at the first step{why}."
    rose = ""
    if peak > _PEAK * max(first, float(flow.gradient[-1])):
        back = len(flow.gradient) - 1 - int(flow.gradient.argmax())
        rose = f" On the way it grows to {size(peak)}, {back} steps back."
    if abs(factor - 1) < _STEADY:
        return f"Here {name}'s hardly changes from step to step.{rose}"
    if factor > 1:
        return f"Here it happens: {name}'s gradient grows by {percent(factor - 1)} a step, to {size(first)}.{rose}"
    start = "Here" if found.side < 1 else "Here it does not explode:"
    return f"{start} {name}'s gradient loses {percent(1 - factor)} a step and ends at {size(first)}{why}.{rose}"


def _cause(flow: GradientFlow, activation: str) -> str:
    if flow.slope is None or flow.slope > 1 - _STEADY:
        return ""
    return f", as the mean slope of {activation} is {flow.slope:.2f} where its units stand"
