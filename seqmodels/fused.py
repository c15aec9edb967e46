"""One sequence, read on a processor without gradients: the steps of a cell in NumPy, whose calls take a third of torch's time.

A step is some ten calls on a few hundred numbers, and most of what torch takes for one sentence is the way to them. As in torch's
own fused kernels the law does not stand here to be read: tests hold these to that of `seqmodels.cells`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seqmodels.cells import GRU, Cell, Gated, GatedForget, Residual

Floats = NDArray[np.float32]
Kernel = Callable[[Floats, Floats, Floats, Floats], Floats]
"""x (time, rows), the projections of the inputs; matrix (rows, hidden) and bias (rows,), which make those of the memory before; the
first memory (hidden,) -> all memories (time, hidden), which the cells here also show. The rows are those of the cell's blocks."""

# numbers in the matrix of a step: a larger one OpenBLAS multiplies on several threads, which take longer to meet than to compute
_LARGEST = 300_000
_ONE = np.float32(1)


def kernel_for(cell: Cell, hidden_size: int) -> Kernel | None:
    """That of a cell of so many units, if there is one that is faster than torch."""
    return _KERNELS.get(type(cell)) if len(cell.blocks) * hidden_size**2 <= _LARGEST else None


def _sum(x: Floats, matrix: Floats, bias: Floats, memory: Floats) -> Floats:
    """The sum without a gate; through one, which writes; and through two, of which the first keeps."""
    size = len(memory)
    memories = np.empty((len(x), size), np.float32)
    values = np.empty_like(x[0])
    gates, new = values[:-size], values[-size:]
    keep, write = gates[:-size], gates[-size:]
    x = x + bias
    for gates_row, row, after in zip(-x[:, :-size], x[:, -size:], memories, strict=True):
        np.dot(matrix, memory, values)
        np.add(new, row, new)
        np.tanh(new, new)
        if len(write):
            _sigmoid_of_negative(np.subtract(gates_row, gates, gates))
            np.multiply(new, write, new)
        memory = np.add(np.multiply(memory, keep, after) if len(keep) else memory, new, after)
    return memories


def _gru(x: Floats, matrix: Floats, bias: Floats, memory: Floats) -> Floats:
    size = len(memory)
    memories = np.empty((len(x), size), np.float32)
    values = np.empty_like(x[0])
    gates, new, reset, keep = values[: 2 * size], values[2 * size :], values[:size], values[size : 2 * size]
    of_gates, of_candidate = -(x[:, : 2 * size] + bias[: 2 * size]), bias[2 * size :]
    for gates_row, row, after in zip(of_gates, x[:, 2 * size :], memories, strict=True):
        np.dot(matrix, memory, values)
        _sigmoid_of_negative(np.subtract(gates_row, gates, gates))
        np.add(new, of_candidate, new)
        np.multiply(new, reset, new)
        np.add(new, row, new)
        np.tanh(new, new)
        np.subtract(memory, new, after)
        np.multiply(after, keep, after)
        memory = np.add(after, new, after)
    return memories


def _sigmoid_of_negative(values: Floats) -> None:
    """-v to sigmoid(v), in place. By the exponential, since a gate that is nearly closed is then as exact as one that is open."""
    np.exp(values, values)
    np.add(values, _ONE, values)
    np.reciprocal(values, values)


# those of torch for LSTM and Elman are faster, and minGRU has no product in its steps
_KERNELS: dict[type[Cell], Kernel] = {Residual: _sum, Gated: _sum, GatedForget: _sum, GRU: _gru}
