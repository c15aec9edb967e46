"""The gates of your own torch network: of one nn.RNN, nn.GRU or nn.LSTM, or of all that a model runs while it is watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from seqmodels.cells import CELLS, Cell, find_cell
from seqmodels.recurrence import LoopLayer, State, Weights
from seqmodels.traces.contributions import law_error
from seqmodels.traces.layers import Array, LayerTrace, Trace, trace_layer

Start = Tensor | tuple[Tensor, Tensor]
# of the largest output: far above the rounding of half precision, far below what a wrong input to an inner layer does
_TOLERANCE = 1e-2
_BASES = (nn.RNNBase, nn.RNNCellBase, LoopLayer)
_Layer = nn.RNNBase | LoopLayer


def trace_module(
    module: nn.Module,
    inputs: Tensor | PackedSequence,
    tokens: Sequence[str] | Sequence[Sequence[str]] | None = None,
    *,
    lengths: Tensor | Sequence[int] | None = None,
    start: Start | None = None,
    name: str = "",
) -> list[Trace]:
    """Run an nn.RNN, nn.GRU or nn.LSTM and read its gates: one `Trace` for each sequence of the batch.

    inputs: as the module takes them: (time, batch, input), or (batch, time, input) if it is batch_first; (time, input) for a single
    sequence; or packed. With `lengths` (batch,) a padded batch is packed first. `start` is the module's second argument: h_0, or
    (h_0, c_0). tokens: the words of the only sequence, or for each sequence its words; unless given, the numbers of the steps.
    `name` is the label of the traces.

    Each array of a trace is float32, tokens x units, in the order of the text, without padding, and obeys the law
    memory = mu * memory before + lam * candidate. ValueError if the module is none of the three or has projections, or if there are
    not as many tokens as steps.
    """
    cell = _cell_of(module, name)
    assert isinstance(module, _Layer)
    if lengths is not None:
        if isinstance(inputs, PackedSequence):
            raise ValueError("the sequence is packed and has its lengths: leave lengths out")
        inputs = pack_padded_sequence(inputs, _checked(module, inputs, lengths), module.batch_first, enforce_sorted=False)
    with torch.no_grad():
        random = torch.get_rng_state()
        outputs, _ = module(inputs, start)
        traces = _read(module, cell, name, inputs, start, outputs, random)
    if tokens is None:
        return traces
    words: Any = [tokens] if len(tokens) and isinstance(tokens[0], str) else tokens
    if len(words) != len(traces):
        raise ValueError(f"there are tokens for {len(words)} sequences, and the batch has {len(traces)}: give a list for each")
    return [_worded(traced, own) for traced, own in zip(traces, words, strict=True)]


@contextmanager
def watch(model: nn.Module) -> Iterator[Watched]:
    """Read the gates of every nn.RNN, nn.GRU and nn.LSTM inside a model, whatever runs in the `with` block.

        with seqmodels.watch(model) as seen:
            model(batch)
        seen.trace("encoder.rnn").layer(0, "forward").mu  # tokens x units

    The model computes as before, with or without gradients. Every call is kept, so watch some batches, not a whole training.
    ValueError if the model has no such layer.
    """
    watched = Watched(model)
    handles = watched._hook()
    try:
        yield watched
    finally:
        for handle in handles:
            handle.remove()


class Watched:
    """What the recurrent layers of a model have done: iterating gives every trace, call by call."""

    names: tuple[str, ...]  # the layers by their place in the model, such as "encoder.rnn"; "" if the model is one itself

    def __init__(self, model: nn.Module) -> None:
        self._modules = dict(model.named_modules(remove_duplicate=False))
        self._calls: list[tuple[nn.Module, list[Trace] | ValueError]] = []
        self._random: dict[nn.Module, Tensor] = {}
        recurrent = {name: _problem(module, name) for name, module in model.named_modules() if isinstance(module, _BASES)}
        self.names = tuple(name for name, problem in recurrent.items() if not problem)
        if not self.names:
            problems = "; ".join(recurrent.values())
            raise ValueError(problems or f"the model ({type(model).__name__}) has no {_choices()} inside")

    def __iter__(self) -> Iterator[Trace]:
        for _, traces in self._calls:
            yield from _or_raise(traces)

    def calls(self, name: str | None = None) -> list[list[Trace]]:
        """The calls of a layer: for each, one trace a sequence of its batch. The name may be left out if there is one layer only.

        ValueError if there is no such layer, if it cannot be read, or if it was not called.
        """
        if name is None and len(self.names) == 1:
            [name] = self.names
        if name is None or name not in self._modules:
            problem = "there are several layers" if name is None else f"no layer {name!r}"
            raise ValueError(f"{problem}: choose one of {', '.join(map(repr, self.names))}")
        module = self._modules[name]
        _cell_of(module, name)
        found = [_or_raise(traces) for called, traces in self._calls if called is module]
        if not found:
            raise ValueError(f"{name!r} was not called: run the model inside the `with` block")
        return found

    def trace(self, name: str | None = None, *, call: int = -1, sequence: int = 0, tokens: Sequence[str] | None = None) -> Trace:
        """One sequence of one call of a layer, by default the first sequence of the last call. Errors as `calls`."""
        traced = _sequence(self.calls(name), call, sequence)
        return traced if tokens is None else _worded(traced, tokens)

    def steps(self, name: str | None = None, *, sequence: int = 0, tokens: Sequence[str] | None = None) -> Trace:
        """All calls of a layer as one trace: for a decoder that reads a token a call and hands its state on.

        Errors as `trace`, and ValueError if a call does not start where the one before it ended.
        """
        calls = self.calls(name)
        parts = [_sequence(calls, call, sequence) for call in range(len(calls))]
        if any(layer.backward for layer in parts[0].layers):
            raise ValueError("a layer of two directions reads each call from both ends: its calls are no steps of one sequence")
        layers = tuple(_joined(list(sides)) for sides in zip(*(part.layers for part in parts), strict=True))
        joined = replace(parts[0], tokens=tuple(map(str, range(len(layers[0].mu)))), layers=layers)
        return joined if tokens is None else _worded(joined, tokens)

    def _hook(self) -> list[torch.utils.hooks.RemovableHandle]:
        modules = [self._modules[name] for name in self.names]
        before = [module.register_forward_pre_hook(self._before) for module in modules]
        # first, so that it sees the output before any other hook changes it
        return [*before, *(module.register_forward_hook(self._after, prepend=True, with_kwargs=True) for module in modules)]

    def _before(self, module: nn.Module, _: Any) -> None:
        if module.training and module.dropout:
            self._random[module] = torch.get_rng_state()

    def _after(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        given = dict(zip(("input", "hx"), args, strict=False)) | kwargs
        name = next(name for name in self.names if self._modules[name] is module)
        assert isinstance(module, _Layer)
        traces: list[Trace] | ValueError
        try:
            with torch.no_grad():
                cell, random = _cell_of(module, name), self._random.pop(module, None)
                traces = _read(module, cell, name, given["input"], given.get("hx"), output[0], random)
        except ValueError as problem:  # said to who asks for the trace: the model itself runs well
            traces = problem
        except Exception as error:  # a subclass may take and give anything
            traces = ValueError(f"a call of {name or 'the module'!r} cannot be read: {type(error).__name__}: {error}")
        self._calls.append((module, traces))


def _checked(module: _Layer, inputs: Tensor, lengths: Tensor | Sequence[int]) -> Tensor:
    """Lengths that fit a padded batch: torch itself would read some other batch for lengths of too few sequences."""
    known = torch.as_tensor(lengths).cpu()
    if inputs.dim() != 3:
        raise ValueError("lengths are of a padded batch, and this is a single sequence: leave lengths out")
    steps, sequences = (inputs.shape[1], inputs.shape[0]) if module.batch_first else (inputs.shape[0], inputs.shape[1])
    if known.shape != (sequences,):
        raise ValueError(f"there are {known.numel()} lengths, and the batch has {sequences} sequences: give one for each")
    if known.numel() and not 0 < int(known.min()) <= int(known.max()) <= steps:
        raise ValueError(f"the lengths are {known.tolist()}: give numbers from 1 to {steps}, the steps of the batch")
    return known


def _read(
    module: _Layer,
    cell: Cell,
    name: str,
    inputs: Tensor | PackedSequence,
    start: Start | None,
    outputs: Tensor | PackedSequence,
    random: Tensor | None,
) -> list[Trace]:
    """The gates of a call that has given these outputs; `random` is the state of torch's generator before it."""
    if next(module.parameters()).is_meta:
        raise ValueError(f"{name or 'the module'!r} is on the meta device and has no numbers: load its weights first")
    state: State | None = None
    if start is not None:
        parts = (start,) if isinstance(start, Tensor) else tuple(start)
        state = tuple(part.detach().reshape(part.shape[0], -1, part.shape[-1]) for part in parts)  # (layers * sides, batch, hidden)
    read = _layers(module, _time_first(module, inputs), state, _time_first(module, outputs), random)
    lengths = _padded(read[0][0])[1]
    layers: list[list[LayerTrace]] = [[] for _ in lengths]
    sides = 2 if module.bidirectional else 1
    with torch.autocast("cpu", enabled=False):
        for layer, (found, given) in enumerate((_padded(found)[0], _padded(given)[0]) for found, given in read):
            for side, output in enumerate(given.chunk(sides, dim=-1)):
                shared = Weights.of(module, layer, reverse=side == 1)
                weights = Weights(*map(_plain, vars(shared).values()))
                for sequence, length in enumerate(lengths):
                    place = (layer * sides + side, sequence)
                    # h and c of an LSTM, h alone of the others
                    begin = None if state is None else (_plain(state[-1][place]), _plain(state[0][place]))
                    own = output[:length, sequence]
                    traced = trace_layer(cell, weights, found[:length, sequence], own, layer=layer, reverse=side == 1, start=begin)
                    _check(traced, own.numpy(), name)
                    layers[sequence].append(traced)
    return [Trace("", cell.name, tuple(map(str, range(len(of[0].mu)))), tuple(of), name) for of in layers]


def _layers(module: _Layer, inputs: Any, state: State | None, outputs: Any, random: Tensor | None) -> list[tuple[Any, Any]]:
    """What each layer has read and given; the lower layers run again, with the module's weights and the same dropout."""
    kernels = [_kernel(module, layer) for layer in range(module.num_layers - 1)]
    dropout = module.dropout if module.training else 0.0
    sides = 2 if module.bidirectional else 1
    read = []
    with torch.random.fork_rng(devices=[]):
        if random is not None:
            torch.set_rng_state(random)
        for layer, kernel in enumerate(kernels):
            begin = None if state is None else tuple(part[layer * sides : (layer + 1) * sides].contiguous() for part in state)
            given, _ = kernel(inputs, begin[0] if begin is not None and len(begin) == 1 else begin)
            read.append((inputs, given))
            if isinstance(given, PackedSequence):
                inputs = given._replace(data=F.dropout(given.data, dropout))
            else:
                inputs = F.dropout(given, dropout)
    return [*read, (inputs, outputs)]


def _kernel(module: _Layer, layer: int) -> nn.RNNBase:
    """One layer of a module as a module of its own, with the same weights."""
    sides = 2 if module.bidirectional else 1
    width = module.hidden_size * sides if layer else module.input_size
    options = {"nonlinearity": module.nonlinearity} if isinstance(module, nn.RNN) else {}
    kind: Any = next(kind for kind in _kinds() if isinstance(module, kind))
    kernel: nn.RNNBase = kind(
        width, module.hidden_size, bias=module.bias, bidirectional=module.bidirectional, device="meta", **options
    )
    for name in [name for name, _ in kernel.named_parameters()]:
        own = getattr(module, name.replace("_l0", f"_l{layer}"))
        setattr(kernel, name, nn.Parameter(own.detach(), requires_grad=False))
    return kernel


def _time_first(module: _Layer, values: Tensor | PackedSequence) -> Tensor | PackedSequence:
    """Packed, or (time, batch, n)."""
    if isinstance(values, PackedSequence):
        return values
    values = values.detach()
    if values.dim() == 2:
        return values.unsqueeze(1)
    return values.transpose(0, 1).contiguous() if module.batch_first else values


def _padded(values: Tensor | PackedSequence) -> tuple[Tensor, list[int]]:
    """(time, batch, n), and the length of each sequence."""
    if isinstance(values, PackedSequence):
        padded, lengths = pad_packed_sequence(values)
        return _plain(padded), lengths.tolist()
    return _plain(values), [values.shape[0]] * values.shape[1]


def _plain(values: Tensor) -> Tensor:
    return values.detach().float().cpu()


def _check(traced: LayerTrace, own: Array, name: str) -> None:
    """The gates must give the outputs that torch has given."""
    error = max(law_error(traced).max(), np.abs(traced.output - own).max())
    if error > _TOLERANCE * max(1, np.abs(own).max()):
        raise ValueError(
            f"the gates of {name or 'the module'!r} do not give its outputs (layer {traced.layer} {traced.direction}: {error:.2g} "
            "apart): read it in eval mode if it draws dropout between its layers on a GPU, and only if its forward is torch's own"
        )


def _worded(traced: Trace, tokens: Sequence[str]) -> Trace:
    if len(tokens) != len(traced.tokens):
        raise ValueError(
            f"there are {len(tokens)} tokens for a sequence of {len(traced.tokens)} steps: "
            "give one for each step, and lengths for a padded batch"
        )
    return replace(traced, tokens=tuple(tokens))


def _joined(parts: Sequence[LayerTrace]) -> LayerTrace:
    """The calls of one layer, each from where the one before it ended."""
    first = parts[0]
    for call, (before, after) in enumerate(pairwise(parts), 1):
        if not np.allclose(before.memory[-1], after.previous()[0], atol=1e-5):
            raise ValueError(f"call {call} does not start where call {call - 1} ended: read them one by one with trace()")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in first.arrays()}
    return replace(first, **arrays)


def _sequence(calls: list[list[Trace]], call: int, sequence: int) -> Trace:
    try:
        return calls[call][sequence]
    except IndexError:
        sizes = ", ".join(str(len(traces)) for traces in calls)
        raise ValueError(f"no call {call} with a sequence {sequence}: the calls have {sizes} sequences") from None


def _or_raise(traces: list[Trace] | ValueError) -> list[Trace]:
    if isinstance(traces, ValueError):
        raise traces
    return traces


def _kinds() -> dict[Any, Cell]:
    """torch's classes that can be read, and the cell of each."""
    return {getattr(nn, cell.kernel): cell for cell in CELLS.values() if cell.kernel}


def _cell_of(module: nn.Module, name: str) -> Cell:
    if problem := _problem(module, name):
        raise ValueError(problem)
    if isinstance(module, LoopLayer):
        return module.cell
    cell = next(cell for kind, cell in _kinds().items() if isinstance(module, kind))
    return find_cell(cell.name, module.nonlinearity if isinstance(module, nn.RNN) else "tanh")


def _problem(module: nn.Module, name: str) -> str:
    """Why a module cannot be read, if so."""
    called = f"{name!r} is" if name else "the module is"
    if not isinstance(module, (*_kinds(), LoopLayer)):
        return f"{called} {type(module).__name__}: choose a layer of {_choices()}"
    assert isinstance(module, _Layer)
    if module.proj_size:
        return f"{called} nn.LSTM with projections (proj_size={module.proj_size}), which are no gates: choose one without"
    return ""


def _choices() -> str:
    *others, last = (f"nn.{kind.__name__}" for kind in _kinds())
    return f"{', '.join(others)} or {last}"
