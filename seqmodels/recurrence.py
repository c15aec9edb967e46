"""A cell unrolled over time: stacked layers, both directions, padding.

A layer is torch's fused kernel where the cell names one, else `LoopLayer`, which takes and gives what torch's layers do and keeps
its weights under their names. A single sequence that is only read goes through a kernel of `seqmodels.fused`, and so do many whose
inputs have been projected already. `walk` is the same thing written as the law, step by step: where a gate is changed on the way,
or the derivative of a step is asked for, and the reference that tests hold the layers against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules import module as torch_module
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from seqmodels.cells import Cell, Gates, find_cell, update
from seqmodels.fused import Counts, Floats, Kernel, kernel_for, product_with, side_by_side
from seqmodels.fused import State as FusedState

State = tuple[Tensor, ...]  # (h,) or, where the memory is not the output, (h, c); each (layers, directions, batch, hidden)
Alter = Callable[[int, Gates], Gates]  # (step, the gates of the cell) -> the gates to go on with

_TOGETHER = 4  # rows of a product: of other than a multiple the sums may be made in another order, and have other last digits
SCANNED = 64  # steps whose gates are worked out together: more would not fit in the processor's cache


def memory_and_output(state: State | None, *place: int) -> tuple[Tensor, Tensor] | None:
    """Those of a layer and direction, (batch, hidden), or of one sequence there, (hidden,); None without a state."""
    return None if state is None else (state[-1][place], state[0][place])


@dataclass(frozen=True)
class Weights:
    """One layer and direction in torch's layout; the blocks of rows are the cell's."""

    input: Tensor  # (blocks * hidden, input)
    hidden: Tensor  # (blocks * hidden, hidden); no rows where the cell does not read its output
    input_bias: Tensor  # (blocks * hidden,)
    hidden_bias: Tensor  # as many as rows in hidden

    @classmethod
    def of(cls, layer: nn.Module, number: int = 0, *, reverse: bool = False) -> Weights:
        """The weights of one of a torch layer's own layers and directions, shared with it; a missing bias is zero."""
        suffix = f"l{number}_reverse" if reverse else f"l{number}"
        weights = [getattr(layer, f"weight_{part}_{suffix}") for part in ("ih", "hh")]
        if not layer.bias:
            return cls(*weights, *(weight.new_zeros(len(weight)) for weight in weights))
        return cls(*weights, *(getattr(layer, f"bias_{part}_{suffix}") for part in ("ih", "hh")))


def by_columns(matrix: Tensor) -> None:
    """Let it lie in memory as a product with one vector takes it: column by column."""
    matrix.data = matrix.data.t().contiguous().t()


@dataclass(frozen=True)
class Step:
    """One step of the law; each (hidden,)."""

    gates: Gates
    memory: Tensor
    output: Tensor


def gates_of(cell: Cell, weights: Weights, inputs: Tensor, previous: Tensor) -> Gates:
    """inputs (..., input) and the outputs before them (..., hidden) -> the gates (..., hidden), all steps at once."""
    x = F.linear(inputs, weights.input, weights.input_bias)
    return cell.gates(x, F.linear(previous, weights.hidden, weights.hidden_bias))


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
            make_layer(self.cell, input_size if layer == 0 else hidden_size * directions, hidden_size, bidirectional=bidirectional)
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
            hidden, end = _run(self.cell, kernel, self.dropout(inputs) if layer else inputs, lengths, start)
            outputs.append(hidden)
            ends.append(end)
            inputs = hidden
        return outputs, tuple(torch.stack(parts) for parts in zip(*ends, strict=True))

    def state(self, memory: Tensor) -> State:
        """The state with this memory (layers, directions, batch, hidden), which no step has made."""
        return (memory,) if self.cell.memory_is_output else (self.cell.show(memory), memory)

    def one_way(self, *, reverse: bool) -> Recurrent:
        """One direction of a network of one layer, which shares its weights and reads its inputs in their order."""
        with torch.device("meta"):
            alone = Recurrent(self.cell.name, self.weights(0).input.shape[1], self.hidden_size, activation=self.cell.activation)
        shared = dict(self.kernels[0].named_parameters())
        for name, _ in list(alone.kernels[0].named_parameters()):
            setattr(alone.kernels[0], name, shared[f"{name}_reverse" if reverse else name])
        return alone.train(self.training)

    def lay_out_for_reading(self) -> None:
        """No weight changes any more: let those of the steps lie as a product with one vector takes them."""
        if kernel_for(self.cell, self.hidden_size) is None:
            return
        for layer in range(self.layers):
            for reverse in self._reversed:
                by_columns(self.weights(layer, reverse=reverse).hidden)

    def project(self, inputs: Tensor) -> Floats:
        """What the first layer reads (n, input) -> its part in all gates (n, directions * rows), whatever stands beside it."""
        enough = F.pad(inputs, (0, 0, 0, -len(inputs) % _TOGETHER))
        sides = (self.weights(0, reverse=reverse) for reverse in self._reversed)
        found = torch.cat([F.linear(enough, side.input, side.input_bias) for side in sides], dim=1)
        return found[: len(inputs)].numpy(force=True)

    @property
    def takes_projected(self) -> bool:
        """Whether `read_projected` is there to stand in for a pass that is only read, on a processor in float32."""
        return self.layers == 1 and _fused_for(self.cell, self.kernels[0]) is not None and not torch.is_autocast_enabled("cpu")

    def read_projected(self, rows: Floats, sequences: Sequence[Sequence[int]]) -> Tensor:
        """The projections of inputs and, of each sequence, which of them its steps are -> outputs (steps, output_size).

        Those of one sequence stand after those of another. As `forward` from zero states, of a network of one layer.
        """
        fused = _fused_for(self.cell, self.kernels[0])
        assert fused is not None
        steps = np.concatenate([np.asarray(sequence, np.intp) for sequence in sequences])
        forward, backward, counts = side_by_side([len(sequence) for sequence in sequences])
        outputs = np.empty((len(steps), self.output_size), np.float32)
        width = rows.shape[1] // len(self._reversed)
        for number, reverse in enumerate(self._reversed):
            places = backward if reverse else forward
            x = rows[:, number * width : (number + 1) * width].take(steps[places], axis=0)
            output, *_ = _fuse(self.cell, fused, self.weights(0, reverse=reverse), x, counts)
            outputs[places, number * self.hidden_size : (number + 1) * self.hidden_size] = output
        return torch.from_numpy(outputs)

    @property
    def _reversed(self) -> tuple[bool, ...]:
        return (False, True) if self.bidirectional else (False,)

    def weights(self, layer: int, *, reverse: bool = False) -> Weights:
        """The weights of one layer and direction, shared with the kernel."""
        return Weights.of(self.kernels[layer], reverse=reverse)


def make_layer(cell: Cell, input_size: int, hidden_size: int, *, bidirectional: bool = False) -> nn.Module:
    """One layer of a cell, batch first: torch's fused kernel, or the loop."""
    if cell.kernel is None:
        return LoopLayer(cell, input_size, hidden_size, bidirectional=bidirectional)
    kernel = getattr(nn, cell.kernel)
    return cast(nn.Module, kernel(input_size, hidden_size, batch_first=True, bidirectional=bidirectional, **cell.kernel_options))


class LoopLayer(nn.Module):
    """One layer of any cell, with the call, the weights and the weights' names of a batch-first torch layer such as nn.GRU.

    It has first derivatives only, as torch's fused kernels do on a GPU: the gradient of a gradient (`create_graph`) would lack what
    comes through U, and raises a RuntimeError. Take it through `walk`.
    """

    def __init__(self, cell: Cell, input_size: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        super().__init__()
        self.cell = cell
        self.hidden_size = hidden_size
        self.directions = (False, True) if bidirectional else (False,)
        # what torch's layers say of themselves
        self.input_size, self.num_layers, self.bidirectional, self.dropout = input_size, 1, bidirectional, 0.0
        self.batch_first, self.bias, self.proj_size = True, True, 0
        rows = len(cell.blocks) * hidden_size
        hidden_rows = rows if cell.reads_output else 0
        for reverse in self.directions:
            suffix = "l0_reverse" if reverse else "l0"
            shapes = {"weight_ih": (rows, input_size), "weight_hh": (hidden_rows, hidden_size)}
            for name, shape in {**shapes, "bias_ih": (rows,), "bias_hh": (hidden_rows,)}.items():
                value = torch.empty(shape).uniform_(-(hidden_size**-0.5), hidden_size**-0.5)  # as torch draws its own
                self.register_parameter(f"{name}_{suffix}", nn.Parameter(value))

    def forward(self, inputs: Tensor | PackedSequence, start: Tensor | State | None = None) -> tuple[Any, Any]:
        """inputs (batch, time, input), or packed -> outputs (batch, time, directions * hidden), end state, as nn.GRU or nn.LSTM."""
        lengths = None
        if isinstance(inputs, PackedSequence):
            inputs, lengths = pad_packed_sequence(inputs, batch_first=True)
        elif inputs.dim() == 3 and not inputs.shape[1]:
            raise RuntimeError("Expected sequence length to be larger than 0")  # as torch's layers
        begin = (start,) if isinstance(start, Tensor) else start
        sides, ends = [], []
        for number, reverse in enumerate(self.directions):
            read = reverse_steps(inputs, lengths) if reverse else inputs
            zero = inputs.new_zeros(len(inputs), self.hidden_size)
            output, memory = (zero, zero) if begin is None else (begin[0][number], begin[-1][number])
            weights = Weights.of(self, reverse=reverse)
            # the whole sequence in one product, with the steps apart in memory, as the loop takes them
            x = F.linear(read.transpose(0, 1).contiguous(), weights.input, weights.input_bias)
            outputs, memories = self._unroll(x, output, memory, weights)
            ends.append([_last(values, lengths) for values in (outputs, memories)])
            outputs = outputs.transpose(0, 1)
            sides.append(reverse_steps(outputs, lengths) if reverse else outputs)
        together = torch.cat(sides, dim=-1) if len(sides) > 1 else sides[0]
        end = tuple(torch.stack(parts) for parts in zip(*ends, strict=True))
        if lengths is not None:
            packed = pack_padded_sequence(together, lengths, batch_first=True, enforce_sorted=False)
        return together if lengths is None else packed, end[0] if self.cell.memory_is_output else end

    def _unroll(self, x: Tensor, output: Tensor, memory: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        """x (time, batch, rows), from an output and memory (batch, hidden) -> outputs, memories (time, batch, hidden)."""
        outputs: list[Tensor] = []
        kept: list[Tensor] = []
        previous: list[Tensor] = []  # outputs before each step
        if not self.cell.reads_output:
            for steps in x.split(SCANNED) if len(x) > SCANNED else (x,):
                gates = self.cell.gates(steps, steps.new_empty(0))
                memories, memory = _Scan.apply(gates.mu, gates.lam * gates.candidate, memory)  # type: ignore[no-untyped-call]
                kept.append(memories)
                outputs.append(self.cell.read_out(memories, gates))
            stacked = torch.cat(outputs) if len(outputs) > 1 else outputs[0]
            return stacked, stacked if self.cell.memory_is_output else torch.cat(kept)
        hidden = weights.hidden.detach().t()
        # the biases stand for the products in the backward pass: all gradients of the loop's steps arrive there at once
        start = (x, output, memory, weights.hidden_bias, weights.hidden)
        x, output, memory, biases = _Entry.apply(*start, previous)  # type: ignore[no-untyped-call]
        # unbind, since a step taken by index would send back a gradient as large as the sequence
        for step, bias in zip(x.unbind(), biases.unbind(), strict=True):
            previous.append(output.detach())
            gates = self.cell.gates(step, torch.addmm(bias, output, hidden))
            memory = update(memory, gates)
            output = self.cell.read_out(memory, gates)
            outputs.append(output)
            kept.append(memory)
        stacked = torch.stack(outputs)
        return stacked, stacked if self.cell.memory_is_output else torch.stack(kept)


def scan(mu: Tensor, written: Tensor, start: Tensor) -> Tensor:
    """memory_t = mu_t * memory_{t-1} + written_t over mu and written (time, ...), from `start` (...): all memories (time, ...).

    For gates that are known beforehand. Elementwise, with a backward pass of its own: autograd's would cost several times as much.
    """
    memories, _ = _Scan.apply(mu, written, start)  # type: ignore[no-untyped-call]
    return cast(Tensor, memories)


class _Scan(torch.autograd.Function):
    """All memories, and the last once more: as a part of them, it would send back a gradient as large as all."""

    @staticmethod
    def forward(ctx: Any, mu: Tensor, written: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        memories = torch.empty_like(written)
        memory = start
        for kept, new, out in zip(mu.unbind(), written.unbind(), memories.unbind(), strict=True):
            memory = torch.mul(kept, memory, out=out).add_(new)
        ctx.save_for_backward(mu, memories, start)
        return memories, memory.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mu, memories, start = ctx.saved_tensors
        flowing = gradients[0].clone()  # d loss / d memory_t: directly, and through all later memories
        steps = flowing.unbind()
        steps[-1].add_(gradients[1])
        for step in range(len(steps) - 2, -1, -1):
            steps[step].addcmul_(mu[step + 1], steps[step + 1])
        by_mu = torch.empty_like(flowing)
        torch.mul(flowing[0], start, out=by_mu[0])
        torch.mul(flowing[1:], memories[:-1], out=by_mu[1:])
        return by_mu, flowing, steps[0] * mu[0]


class _Entry(torch.autograd.Function):
    """What a loop starts from: x, output and memory as they are, the recurrent bias (rows,) for each step, (steps, batch, rows).

    To the biases the loop adds h U^T with U detached: the backward pass makes the gradient of U in one product over all steps, and
    autograd would add up one for each. The loop fills `previous` with the output before each step, detached. A second derivative
    would miss what is detached, so all that has a gradient comes through here, where it can be taken once.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, output: Tensor, memory: Tensor, bias: Tensor, matrix: Tensor, previous: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        ctx.previous = previous
        return x.view_as(x), output.view_as(output), memory.view_as(memory), bias.expand(*x.shape[:2], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        by_step = gradients[3].flatten(0, 1)  # (steps * batch, rows)
        return *gradients[:3], by_step.sum(0), by_step.t() @ torch.cat(ctx.previous), None


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
        gates = gates_of(cell, weights, x, output)
        if alter is not None:
            gates = alter(number, gates)
        memory = update(memory, gates)
        output = cell.read_out(memory, gates)
        steps.append(Step(gates, memory, output))
    return steps


def _run(cell: Cell, kernel: nn.Module, inputs: Tensor, lengths: Tensor | None, start: State | None) -> tuple[Tensor, State]:
    device = inputs.device.type
    short = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    if short and (isinstance(kernel, LoopLayer) or device != "cuda"):
        # a sum over many steps loses the small ones in fewer bits, and not every processor has the kernels for them
        with torch.autocast(device, enabled=False):
            return _run(cell, kernel, inputs.float(), lengths, start and tuple(part.float() for part in start))
    if lengths is None and not short and not torch.is_grad_enabled():
        if inputs.shape[1] == 1:
            return _step(cell, kernel, inputs[:, 0], start)
        fused = _fused_for(cell, kernel)
        if fused is not None and _is_alone(kernel, inputs, start):
            return _alone(cell, kernel, fused, inputs[0], start)
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


def _step(cell: Cell, kernel: nn.Module, inputs: Tensor, start: State | None) -> tuple[Tensor, State]:
    """A sequence of one step, (batch, input). The kernels get ready for many: nn.LSTM takes four times as long on a processor."""
    outputs, memories = [], []
    for number in range(_directions(kernel)):
        weights = Weights.of(kernel, reverse=bool(number))
        memory, output = memory_and_output(start, number) or (inputs.new_zeros(len(inputs), weights.hidden.shape[1]),) * 2
        gates = gates_of(cell, weights, inputs, output)
        memories.append(update(memory, gates))
        outputs.append(cell.read_out(memories[-1], gates))
    together = torch.cat(outputs, dim=-1).unsqueeze(1)
    return together, tuple(map(torch.stack, (outputs,) if cell.memory_is_output else (outputs, memories)))


def _directions(kernel: nn.Module) -> int:
    return 2 if kernel.bidirectional else 1


def _fused_for(cell: Cell, layer: nn.Module) -> Kernel | None:
    """That of a layer, unless something else was put in its place."""
    return kernel_for(cell, layer.hidden_size) if isinstance(layer, (nn.RNNBase, LoopLayer)) else None


def is_only_read(module: nn.Module) -> bool:
    """Whether nobody looks on: who traces, differentiates or has a hook anywhere in it, or for all modules, is to see it."""
    return (
        torch.is_inference_mode_enabled()
        and not (torch_module._global_forward_hooks or torch_module._global_forward_pre_hooks)
        and not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    )


def _is_alone(kernel: nn.Module, inputs: Tensor, start: State | None) -> bool:
    return (
        len(inputs) == 1 < inputs.shape[1]
        and inputs.device.type == "cpu"
        and inputs.dtype == torch.float32
        and (start is None or start[0].shape == (_directions(kernel), 1, kernel.hidden_size))
        and is_only_read(kernel)
    )


def _alone(cell: Cell, kernel: nn.Module, fused: Kernel, inputs: Tensor, start: State | None) -> tuple[Tensor, State]:
    """One sequence, (time, input)."""
    sides, ends = [], []
    for number in range(_directions(kernel)):
        weights = Weights.of(kernel, reverse=bool(number))
        x = F.linear(inputs, weights.input, weights.input_bias).numpy(force=True)
        begin = None if start is None else tuple(part[number, 0].numpy(force=True) for part in start)
        output, *memory = _fuse(cell, fused, weights, x[::-1] if number else x, None, begin)
        ends.append((output[-1], *memory))
        sides.append(output[::-1] if number else output)
    together = torch.from_numpy(np.concatenate(sides, axis=1)).unsqueeze(0)
    return together, tuple(torch.from_numpy(np.stack(parts)[:, None]) for parts in zip(*ends, strict=True))


def _fuse(cell: Cell, fused: Kernel, weights: Weights, x: Floats, counts: Counts, start: FusedState | None = None) -> FusedState:
    """One direction of sequences side by side, as kernels of `seqmodels.fused` take and give them, from that state or zero."""
    if start is None:
        zero = np.zeros((*(() if counts is None else counts[:1]), weights.hidden.shape[1]), np.float32)
        start = (zero,) if cell.memory_is_output else (zero, zero)
    with np.errstate(over="ignore", invalid="ignore"):  # as torch: whoever reads the outputs looks whether they are numbers
        return fused(x, counts, product_with(weights.hidden, counts), weights.hidden_bias.numpy(force=True), start)


def reverse_steps(values: Tensor, lengths: Tensor | None) -> Tensor:
    """values (batch, time, any) with the steps of each row from last to first; its padding stays behind them."""
    if lengths is None:
        return values.flip(1)
    steps, ends = torch.arange(values.shape[1], device=values.device), lengths.to(values.device).unsqueeze(1)
    order = torch.where(steps < ends, ends - 1 - steps, steps)  # (batch, time)
    return values.gather(1, order.unsqueeze(2).expand_as(values))


def _last(values: Tensor, lengths: Tensor | None) -> Tensor:
    """values (time, batch, hidden) -> those of each row's last true step (batch, hidden)."""
    if lengths is None:
        return values[-1]
    return values[lengths.to(values.device) - 1, torch.arange(values.shape[1], device=values.device)]
