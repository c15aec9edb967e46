"""Sequences that are only read, on a processor: the steps of a cell in NumPy, whose calls take a third of torch's time.

A step of one sequence is some ten calls on a few hundred numbers, and most of what torch takes for it is the way to them. Many
sequences are read side by side, each step of all that reach it at once. As in torch's own fused kernels the law does not stand here
to be read: tests hold these to that of `seqmodels.cells`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.cells import GRU, LSTM, Cell, Elman, Gated, GatedForget, MinGRU, Residual

Floats = NDArray[np.float32]
Product = Callable[[Floats, Floats], object]  # outputs before (sequences, hidden); their product with U goes into (sequences, rows)
Counts = Sequence[int] | None  # how many sequences reach each step; None: one, all of them
Places = NDArray[np.intp] | slice  # of all steps, (tokens,)
State = tuple[Floats, ...]  # of each sequence the output, and the memory where that is another, (sequences, hidden), or (hidden,)
Kernel = Callable[[Floats, Counts, Product, Floats, State], State]
"""x (tokens, rows), the projections of the inputs: those of the first step of all sequences, the longest first, then of the second
step of those that have one; their counts; the product with U, and its bias (rows,); the state before -> all outputs (tokens,
hidden), and the last memory where that is another. The rows are those of the cell's blocks."""

# numbers in the matrix of a step: a larger one OpenBLAS multiplies on several threads, which take longer to meet than to compute
_LARGEST = 300_000
_ONE = np.float32(1)


def kernel_for(cell: Cell, hidden_size: int) -> Kernel | None:
    """That of a cell of so many units, if there is one that is as fast as torch."""
    usual = cell.activation == "tanh" and len(cell.blocks) * hidden_size**2 <= _LARGEST
    return _KERNELS.get(type(cell)) if usual else None


def product_with(matrix: Tensor, counts: Counts) -> Product:
    """That with U (rows, hidden). NumPy is quicker at hand for one vector; of many, torch uses as many threads as it is given."""
    u = matrix.detach().t()
    return partial(_of_one, u.numpy()) if counts is None else partial(_of_many, u)


def _of_one(u: Floats, before: Floats, out: Floats) -> None:
    np.dot(before, u, out)


def _of_many(u: Tensor, before: Floats, out: Floats) -> None:
    torch.mm(torch.from_numpy(before), u, out=torch.from_numpy(out))


def side_by_side(lengths: Sequence[int]) -> tuple[Places, Places, Counts]:
    """Of sequences that lie one after the other: which of all steps a kernel takes first, second and so on to read them forward,
    and which to read them backward; and how many sequences reach each step."""
    if len(lengths) == 1:
        return slice(None), slice(None, None, -1), None
    order = np.argsort(-np.array(lengths), kind="stable")
    ends, sizes = np.cumsum(lengths)[order], np.array(lengths)[order]
    step = np.arange(sizes[0])[:, None]
    there = step < sizes  # (step, sequence)
    return (ends - sizes + step)[there], (ends - 1 - step)[there], there.sum(axis=1).tolist()


def _elman(x: Floats, counts: Counts, product: Product, bias: Floats, state: State) -> State:
    (output,) = state
    outputs = np.empty((len(x), output.shape[-1]), np.float32)
    for row, after in zip(_steps(x + bias, counts), _steps(outputs, counts), strict=True):
        if after.shape != output.shape:
            output = output[: len(after)]
        product(output, after)
        np.add(after, row, after)
        output = np.tanh(after, after)
    return (outputs,)


def _sum(x: Floats, counts: Counts, product: Product, bias: Floats, state: State) -> State:
    """The sum without a gate; through one, which writes; and through two, of which the first keeps."""
    (memory,) = state
    size = memory.shape[-1]
    memories = np.empty((len(x), size), np.float32)
    values = np.empty((*memory.shape[:-1], x.shape[-1]), np.float32)
    gates, (*opened, new) = values[..., :-size], _blocks(values, size)
    x = x + bias
    for gates_row, row, after in zip(
        _steps(-x[..., :-size], counts), _steps(x[..., -size:], counts), _steps(memories, counts), strict=True
    ):
        if after.shape != memory.shape:
            memory, values = memory[: len(after)], values[: len(after)]
            gates, (*opened, new) = values[..., :-size], _blocks(values, size)
        product(memory, values)
        np.add(new, row, new)
        np.tanh(new, new)
        if opened:
            _sigmoid_of_negative(np.subtract(gates_row, gates, gates))
            np.multiply(new, opened[-1], new)
        if len(opened) > 1:
            memory = np.multiply(memory, opened[0], after)
        memory = np.add(memory, new, after)
    return (memories,)


def _gru(x: Floats, counts: Counts, product: Product, bias: Floats, state: State) -> State:
    (memory,) = state
    size = memory.shape[-1]
    memories = np.empty((len(x), size), np.float32)
    values = np.empty((*memory.shape[:-1], x.shape[-1]), np.float32)
    gates, (reset, keep, new) = values[..., :-size], _blocks(values, size)
    of_gates, of_candidate = -(x[..., :-size] + bias[:-size]), bias[-size:]
    for gates_row, row, after in zip(
        _steps(of_gates, counts), _steps(x[..., -size:], counts), _steps(memories, counts), strict=True
    ):
        if after.shape != memory.shape:
            memory, values = memory[: len(after)], values[: len(after)]
            gates, (reset, keep, new) = values[..., :-size], _blocks(values, size)
        product(memory, values)
        _sigmoid_of_negative(np.subtract(gates_row, gates, gates))
        np.add(new, of_candidate, new)
        np.multiply(new, reset, new)
        np.add(new, row, new)
        np.tanh(new, new)
        np.subtract(memory, new, after)
        np.multiply(after, keep, after)
        memory = np.add(after, new, after)
    return (memories,)


def _lstm(x: Floats, counts: Counts, product: Product, bias: Floats, state: State) -> State:
    output, memory = state[0], state[1].copy()
    size = memory.shape[-1]
    outputs = np.empty((len(x), size), np.float32)
    values = np.empty((*memory.shape[:-1], x.shape[-1]), np.float32)
    write, keep, candidate, show = _blocks(values, size)
    new = np.empty_like(memory)
    for row, after in zip(_steps(x + bias, counts), _steps(outputs, counts), strict=True):
        if after.shape != memory.shape:
            output, memory, values, new = (part[: len(after)] for part in (output, memory, values, new))
            write, keep, candidate, show = _blocks(values, size)
        product(output, values)
        np.add(values, row, values)
        np.tanh(candidate, new)
        _sigmoid_of_negative(np.negative(values, values))
        np.multiply(new, write, new)
        np.multiply(memory, keep, memory)
        np.add(memory, new, memory)
        np.tanh(memory, after)
        output = np.multiply(after, show, after)
    return outputs, memory


def _min_gru(x: Floats, counts: Counts, product: Product, bias: Floats, state: State) -> State:
    """Its gates are known before the first step."""
    (memory,) = state
    size = memory.shape[-1]
    write = -x[..., :size]
    _sigmoid_of_negative(write)
    memories = np.empty((len(x), size), np.float32)
    for keep, new, after in zip(
        _steps(_ONE - write, counts), _steps(write * x[..., size:], counts), _steps(memories, counts), strict=True
    ):
        if after.shape != memory.shape:
            memory = memory[: len(after)]
        np.multiply(memory, keep, after)
        memory = np.add(after, new, after)
    return (memories,)


def _steps(values: Floats, counts: Counts) -> Iterable[Floats]:
    """values (tokens, any) -> those of each step, (sequences that reach it, any)."""
    return values if counts is None else np.split(values, np.cumsum(counts[:-1]))


def _blocks(values: Floats, size: int) -> list[Floats]:
    return [values[..., start : start + size] for start in range(0, values.shape[-1], size)]


def _sigmoid_of_negative(values: Floats) -> None:
    """-v to sigmoid(v), in place. By the exponential, since a gate that is nearly closed is then as exact as one that is open."""
    np.exp(values, values)
    np.add(values, _ONE, values)
    np.reciprocal(values, values)


_KERNELS: dict[type[Cell], Kernel] = {
    Elman: _elman, Residual: _sum, Gated: _sum, GatedForget: _sum, GRU: _gru, LSTM: _lstm, MinGRU: _min_gru,
}  # fmt: skip
