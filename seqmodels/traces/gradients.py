"""What the gates carry against what truly flows: the product of mu beside the derivative of a later memory by an earlier one.

    d memory_T / d memory_t  =  diag(product of mu over the words read after t, up to T)  +  all that goes through the gates and F

The first term is the path that the gates hold open; the rest is how an earlier memory steers what later words write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.cells import Cell, update
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.encoding import embed
from seqmodels.recurrence import Weights
from seqmodels.traces.layers import LayerTrace, Trace

FURTHEST = 60  # words back; the work grows with each

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class GradientPath:
    """How much of a small change to the memory at each source word arrives in the memory at a chosen one: shares, (sources,) each.

    The root of the mean square over all directions of the change: a Frobenius norm over the square root of the units. In float64,
    as they fall far below float32's reach. `sources` are tokens in the order of reading, the last of them the chosen one, where
    both shares are 1.
    """

    sources: tuple[int, ...]
    gates: Shares  # of diag(product of mu)
    gradient: Shares  # of d memory_T / d memory_t, with the layer's inputs held fixed


def gradient_path(
    checkpoint: Checkpoint, traced: Trace, token: int, *, layer: int, direction: str, furthest: int = FURTHEST
) -> GradientPath:
    """The path to `token` from the words read before it, the last `furthest` of them with itself, in one layer.

    `traced` is this model's reading of the text; only the words in question are run again.
    """
    side = traced.layer(layer, direction)
    tokens = len(traced.tokens)
    side.check(token)
    if furthest < 1:
        raise ValueError(f"furthest is {furthest}: give the number of words to look back over, from 1")
    read = range(tokens - 1, token - 1, -1) if side.backward else range(token + 1)
    sources = read[-furthest:]
    with torch.inference_mode(False):
        recurrent = checkpoint.model.recurrent
        memory, output = _states_before(side, read, len(sources), recurrent.cell)
        weights = recurrent.weights(layer, reverse=side.backward)
        gradient = _jacobian_norms(recurrent.cell, weights, _inputs(checkpoint, traced, layer, list(sources)), memory, output)
    kept = np.linalg.norm(_products(side.mu[list(sources)]), axis=1)
    return GradientPath(tuple(sources), kept / kept[-1], gradient / gradient[-1])


def rate(shares: Shares) -> float:
    """By how much a share is multiplied at each word, the geometric mean over the path; of a path without a step, 1."""
    return float(shares[0] ** (1 / (len(shares) - 1))) if len(shares) > 1 else 1.0


def _inputs(checkpoint: Checkpoint, traced: Trace, layer: int, tokens: list[int]) -> Tensor:
    """What a layer read at some tokens, (tokens, input): each word by itself, or the outputs of the layer below."""
    if layer == 0:
        return embed(checkpoint, [[traced.tokens[token] for token in tokens]])[0][0]
    below = [found.output[tokens] for found in traced.layers if found.layer == layer - 1]
    return torch.from_numpy(np.concatenate(below, axis=1))


def _states_before(side: LayerTrace, read: Sequence[int], last: int, cell: Cell) -> tuple[Tensor, Tensor]:
    """The memory and output before each of the `last` words read, (last, hidden) each."""
    start = torch.zeros(side.mu.shape[1]) if side.start is None else torch.from_numpy(side.start.copy())
    states = []
    for values, begin in ((side.memory, start), (side.output, cell.show(start))):
        after = torch.from_numpy(values[list(read[:-1])])
        states.append(torch.cat([begin.unsqueeze(0), after])[-last:])
    return states[0], states[1]


def _jacobian_norms(cell: Cell, weights: Weights, inputs: Tensor, memory: Tensor, output: Tensor) -> Shares:
    """(steps,): the Frobenius norm of the derivative of the last memory by each.

    inputs (steps, input); memory and output (steps, hidden) before each step. What a unit does at a step depends on the rows of W
    and U that are its own, so the derivatives of one step are rows of U, each by a factor. Autograd gives the factors, of all steps
    at once, and a step back is a product of two (hidden, hidden) matrices, however many gates there are.
    """
    x = F.linear(inputs, weights.input, weights.input_bias)
    product = F.linear(output, weights.hidden, weights.hidden_bias).detach().requires_grad_()  # (steps, rows)
    memory.requires_grad_()
    gates = cell.gates(x, product)
    made = update(memory, gates)
    kept = made.detach().requires_grad_()
    by_gates, mu = _slopes(made, product, memory)  # of the new memory
    shown_by_gates, shown = _slopes(cell.read_out(kept, gates), product, kept)  # of the output, by the gates and by that memory

    units = memory.shape[1]

    def rows(factors: Tensor) -> Tensor:
        """factors (rows,) -> the derivative by the output before, (hidden, hidden)."""
        return (factors.unsqueeze(1) * weights.hidden).view(-1, units, units).sum(0)

    jacobian = torch.eye(units)  # d last memory / d memory after a step, by every way
    by_output = torch.zeros_like(jacobian)  # d last memory / d output after that step
    norms = [jacobian.norm().item()]
    for step in range(len(memory) - 1, 0, -1):
        before = jacobian @ rows(by_gates[step])
        if not cell.memory_is_output:
            before += by_output @ rows(shown_by_gates[step])
        jacobian = jacobian * mu[step] + before * shown[step - 1]
        by_output = before
        norms.append(jacobian.double().norm().item())
    return np.array(norms[::-1])


def _slopes(values: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    """The derivative of each unit's value by what is its own."""
    return torch.autograd.grad(values.sum(), of, retain_graph=True, materialize_grads=True)


def _products(mu: NDArray[np.float32]) -> Shares:
    """(steps, units): the product of mu over the steps after each."""
    products = np.ones(mu.shape)
    np.cumprod(mu[:0:-1], axis=0, out=products[:-1][::-1])
    return products
