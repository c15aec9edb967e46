"""A cell unrolled over time: stacked layers, both directions, padding.

Training and inference run on torch's fused kernels. `walk` is the same thing written as the law, step by step: where a gate is
changed on the way, or the derivative of a step is asked for, and the reference that tests hold the kernels against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqmodels.cells import Cell, Gates, Weights, find_cell, update

State = tuple[Tensor, ...]  # (h,) or, for LSTM, (h, c); each (layers, directions, batch, hidden)
Alter = Callable[[int, Gates], Gates]  # (step, the gates of the cell) -> the gates to go on with


@dataclass(frozen=True)
class Step:
    """One step of the law; each (hidden,)."""

    gates: Gates
    memory: Tensor
    output: Tensor


class Recurrent(nn.Module):
    """Layers of one cell. `cell` is a name from CELLS; `hidden_size` is the size of the memory per direction."""

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        activation: str = "tanh",
    ) -> None:
        super().__init__()
        self.cell: Cell = find_cell(cell, activation)
        self.layers = layers
        self.bidirectional = bidirectional
        self.hidden_size = hidden_size
        directions = 2 if bidirectional else 1
        # one kernel a layer, so that the output of each layer can be read
        self.kernels = nn.ModuleList(
            self.cell.kernel(
                input_size if layer == 0 else hidden_size * directions,
                hidden_size,
                batch_first=True,
                bidirectional=bidirectional,
                **self.cell.kernel_options,
            )
            for layer in range(layers)
        )
        self.dropout = nn.Dropout(dropout)  # between layers
        self.output_size = hidden_size * directions

    def forward(self, inputs: Tensor, lengths: Tensor | None = None, state: State | None = None) -> tuple[Tensor, State]:
        """inputs (batch, time, input), lengths (batch,) -> the last layer's outputs (batch, time, output_size), end state."""
        outputs, state = self.layer_outputs(inputs, lengths, state)
        return outputs[-1], state

    def layer_outputs(
        self, inputs: Tensor, lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[list[Tensor], State]:
        """As `forward`, with the outputs of every layer; directions side by side, forward first."""
        outputs, ends = [], []
        for layer, kernel in enumerate(self.kernels):
            start = None if state is None else tuple(part[layer] for part in state)
            hidden, end = _run(kernel, self.dropout(inputs) if layer else inputs, lengths, start)
            outputs.append(hidden)
            ends.append(end)
            inputs = hidden
        return outputs, tuple(torch.stack(parts) for parts in zip(*ends, strict=True))

    def weights(self, layer: int, *, reverse: bool = False) -> Weights:
        """The weights of one layer and direction, shared with the kernel."""
        kernel = self.kernels[layer]
        suffix = "l0_reverse" if reverse else "l0"
        return Weights(
            input=getattr(kernel, f"weight_ih_{suffix}"),
            hidden=getattr(kernel, f"weight_hh_{suffix}"),
            input_bias=getattr(kernel, f"bias_ih_{suffix}"),
            hidden_bias=getattr(kernel, f"bias_hh_{suffix}"),
        )


def unroll(cell: Cell, weights: Weights, inputs: Tensor, *, reverse: bool = False) -> tuple[Tensor, Tensor]:
    """inputs (time, input) -> memory, output (time, hidden), from a zero memory, one step after the other."""
    steps = walk(cell, weights, inputs.flip(0) if reverse else inputs)
    if reverse:
        steps.reverse()
    return torch.stack([step.memory for step in steps]), torch.stack([step.output for step in steps])  # (time, hidden)


def walk(
    cell: Cell, weights: Weights, inputs: Tensor, *, start: tuple[Tensor, Tensor] | None = None, alter: Alter | None = None
) -> list[Step]:
    """inputs (time, input) in the order of reading -> each step. `start` is the memory and output before the first, else zero."""
    zero = inputs.new_zeros(weights.hidden.shape[1])
    memory, output = start or (zero, zero)
    steps = []
    for number, x in enumerate(inputs):
        gates = cell.gates(weights, x, output)
        if alter is not None:
            gates = alter(number, gates)
        memory = update(memory, gates)
        output = cell.read_out(memory, gates)
        steps.append(Step(gates, memory, output))
    return steps


def _run(kernel: nn.Module, inputs: Tensor, lengths: Tensor | None, start: State | None) -> tuple[Tensor, State]:
    # nn.LSTM takes and gives a pair, nn.GRU and nn.RNN a bare tensor
    begin = start[0] if start is not None and len(start) == 1 else start
    if lengths is None:
        outputs, end = kernel(inputs, begin)
    else:
        # packing makes the backward direction start at each sentence's true last word
        packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed_outputs, end = kernel(packed, begin)
        outputs, _ = pad_packed_sequence(packed_outputs, batch_first=True, total_length=inputs.shape[1])
    return outputs, (end,) if isinstance(end, Tensor) else tuple(end)
