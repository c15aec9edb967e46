"""How much of a loss at the end reaches the memory at every step before, in random networks: what vanishes and what explodes.

    g_t = d loss / d memory_t  =  (product of mu over the steps after t) * g_T  +  all that goes through the gates and the candidate

The first term is what the law carries; the second is the rest. The loss is the last output along a random direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqmodels.labs.networks import RandomNetwork
from seqmodels.recurrence import Weights, walk

Array = NDArray[np.float64]

_ROUNDING = 1e-12  # a smaller share of the law's part is no rest


@dataclass(frozen=True)
class GradientFlow:
    """Norms over the units, (length,) each, in the order of reading; in float64, whose smallest number is about 5e-324."""

    cell: str
    gradient: Array  # |g_t|
    law: Array  # of the product of mu times g_T
    rest: Array  # of the difference of the two
    slope: float | None  # the mean derivative of the candidate's activation, of a cell whose activation can be chosen

    @property
    def factor(self) -> float:
        """By how much the gradient is multiplied at each step back, the geometric mean; NaN where it leaves float64's range."""
        first, last = self.gradient[0], self.gradient[-1]
        usable = len(self.gradient) > 1 and 0 < first < np.inf and 0 < last < np.inf
        return float(np.exp((np.log(first) - np.log(last)) / (len(self.gradient) - 1))) if usable else float("nan")


def gradient_flow(name: str, network: RandomNetwork) -> GradientFlow:
    """Of a cell, by automatic differentiation through the law step by step. Of LSTM's it is the memory c, of the others' h."""
    cell = network.cell(name)
    drawn = network.weights(name)
    with torch.inference_mode(False), torch.enable_grad():
        # with a bias that has a gradient, every memory is a node
        weights = Weights(drawn.input, drawn.hidden, drawn.input_bias.requires_grad_(), drawn.hidden_bias)
        steps = walk(cell, weights, network.inputs())
        loss = steps[-1].output @ network.direction()
        gradients = torch.stack(torch.autograd.grad(loss, [step.memory for step in steps])).numpy()  # (length, hidden)
    mu = torch.stack([step.gates.mu for step in steps]).detach().numpy()
    kept = np.ones(mu.shape)
    np.cumprod(mu[:0:-1], axis=0, out=kept[:-1][::-1])
    law = kept * gradients[-1]
    slope = None
    if len(cell.activations) > 1:
        candidates = torch.stack([step.gates.candidate for step in steps]).detach().numpy()
        slope = float(SLOPES[cell.activation](candidates).mean())
    with np.errstate(over="ignore", invalid="ignore"):
        whole, carried, rest = norms(gradients), norms(law), norms(gradients - law)
    rest[rest < _ROUNDING * carried] = 0.0
    return GradientFlow(name, whole, carried, rest, slope)


SLOPES: dict[str, Any] = {  # the derivative of an activation, from its value
    "tanh": lambda value: 1 - value**2,
    "relu": lambda value: (value > 0).astype(float),
    "sigmoid": lambda value: value * (1 - value),
}


def norms(rows: Array) -> Array:
    """(rows,): the length of each row, also where the squares of its numbers leave float64's range."""
    largest = np.abs(rows).max(axis=1)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    return largest * np.where(largest > 0, np.linalg.norm(rows / scale[:, None], axis=1), 0.0) if len(rows) else largest
