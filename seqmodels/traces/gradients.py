"""What the gates carry against what truly flows: the product of mu beside the derivative of a later memory by an earlier one.

    d memory_T / d memory_t  =  diag(product of mu over the words read after t, up to T)  +  all that goes through the gates and F

The first term is the path that the gates hold open; the rest is how an earlier memory steers what later words write.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.cells import Cell
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.encoding import embed
from seqmodels.recurrence import walk
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
    before = read[: len(read) - len(sources)]
    with torch.inference_mode(False):
        recurrent = checkpoint.model.recurrent
        start = _state_after(side, before, recurrent.cell)
        weights = recurrent.weights(layer, reverse=side.backward)
        steps = walk(recurrent.cell, weights, _inputs(checkpoint, traced, layer, list(sources)), start=start)
        gradient = _jacobian_norms([step.memory for step in steps])
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


def _state_after(side: LayerTrace, read: range, cell: Cell) -> tuple[Tensor, Tensor]:
    """The memory and output after the words read so far. Tracked by autograd, so that every memory made of them is a node."""
    if read:
        memory, output = (torch.from_numpy(values[read[-1]].copy()) for values in (side.memory, side.output))
    else:
        memory = torch.zeros(side.mu.shape[1]) if side.start is None else torch.from_numpy(side.start.copy())
        output = cell.show(memory)
    return memory.requires_grad_(), output.detach().requires_grad_()


def _jacobian_norms(memories: list[Tensor]) -> Shares:
    """(steps,): the Frobenius norm of the derivative of the last memory by each."""
    every_unit = torch.eye(len(memories[-1]))
    jacobians = torch.autograd.grad(memories[-1], memories, every_unit, is_grads_batched=True)  # each (hidden, hidden)
    return np.array([jacobian.double().norm().item() for jacobian in jacobians])


def _products(mu: NDArray[np.float32]) -> Shares:
    """(steps, units): the product of mu over the steps after each."""
    products = np.ones(mu.shape)
    np.cumprod(mu[:0:-1], axis=0, out=products[:-1][::-1])
    return products
