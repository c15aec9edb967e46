"""How much of a loss at the end reaches the memory at every step before, in random networks: what vanishes and what explodes.

    g_t = d loss / d memory_t  =  (product of mu over the steps after t) * g_T  +  all that goes through the gates and the candidate

The first term is what the law carries; the second is the rest. The loss is the last output along a random direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.cells import Cell, update
from seqmodels.labs.networks import RandomNetwork
from seqmodels.recurrence import Step, Weights, walk

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
    """Of a cell, by the chain rule back from step to step. Of LSTM's it is the memory c, of the others' h."""
    cell, weights, inputs = network.cell(name), network.weights(name), network.inputs()
    with torch.no_grad():
        steps = walk(cell, weights, inputs)
    gradients = _backwards(_derivatives(cell, weights, inputs, steps), weights.hidden.numpy(), network.direction().numpy())
    mu = torch.stack([step.gates.mu for step in steps]).numpy()
    kept = np.ones(mu.shape)
    np.cumprod(mu[:0:-1], axis=0, out=kept[:-1][::-1])
    law = kept * gradients[-1]
    slope = None
    if len(cell.activations) > 1:
        candidates = torch.stack([step.gates.candidate for step in steps]).numpy()
        slope = float(SLOPES[cell.activation](candidates).mean())
    with np.errstate(over="ignore", invalid="ignore"):
        whole, carried, rest = norms(gradients), norms(law), norms(gradients - law)
    rest[rest < _ROUNDING * carried] = 0.0
    return GradientFlow(name, whole, carried, rest, slope)


@dataclass(frozen=True)
class _Derivatives:
    """Of a unit at each step, by what it alone depends on: (length, hidden), by its projections of h (length, blocks * hidden)."""

    memory_by_before: Array
    memory_by_projection: Array
    output_by_memory: Array
    output_by_projection: Array  # past the memory, as by LSTM's output gate


def _derivatives(cell: Cell, weights: Weights, inputs: Tensor, steps: Sequence[Step]) -> _Derivatives:
    """Of all steps at once, for what each begins with is known: a loop with a graph takes twice as long."""
    with torch.inference_mode(False), torch.enable_grad():
        zero = inputs.new_zeros(weights.hidden.shape[1])
        before = torch.stack([zero, *(step.memory for step in steps[:-1])]).requires_grad_()
        outputs = torch.stack([zero, *(step.output for step in steps[:-1])])
        projection = F.linear(outputs, weights.hidden, weights.hidden_bias).requires_grad_()
        gates = cell.gates(F.linear(inputs, weights.input, weights.input_bias), projection)
        memory = torch.stack([step.memory for step in steps]).requires_grad_()
        # a sum, because nothing of one unit depends on another's numbers but through the product with U
        new, read = update(before, gates).sum(), cell.read_out(memory, gates).sum()
        by_before, by_projection = torch.autograd.grad(new, (before, projection), retain_graph=True, materialize_grads=True)
        out_by_memory, out_by_projection = torch.autograd.grad(read, (memory, projection), materialize_grads=True)
    return _Derivatives(*(part.numpy() for part in (by_before, by_projection, out_by_memory, out_by_projection)))


def _backwards(at: _Derivatives, hidden: Array, direction: Array) -> Array:
    """The derivative of the loss, the last output along a direction, by the memory at each step: (length, hidden)."""
    gradients = np.empty(at.memory_by_before.shape)
    blocks = len(hidden) // len(direction)
    by_memory, by_output = np.zeros(direction.shape), direction
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for step in reversed(range(len(gradients))):
            gradients[step] = by_memory = by_memory + by_output * at.output_by_memory[step]
            past = np.tile(by_memory, blocks) * at.memory_by_projection[step]
            past += np.tile(by_output, blocks) * at.output_by_projection[step]
            by_memory, by_output = by_memory * at.memory_by_before[step], past @ hidden
    return gradients


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
