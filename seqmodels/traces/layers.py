"""What the gates did to a sentence: mu, lam, F, memory and output of every token, layer and direction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.cells import Cell, Gates
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import Encoded, Tagging, encode, tag_encoded
from seqmodels.inference.encoding import finite
from seqmodels.recurrence import Recurrent, State, Weights, gates_of, memory_and_output, scan

Array = NDArray[np.float32]

FORWARD, BACKWARD = "forward", "backward"


@dataclass(frozen=True)
class LayerTrace:
    """One layer and direction; every array is tokens x units, in the order of the text.

    A backward layer reads from right to left: its memory at a token comes after that of the token to the right.
    """

    layer: int
    direction: str  # FORWARD or BACKWARD
    mu: Array
    lam: Array
    candidate: Array
    memory: Array
    output: Array
    output_gate: Array | None = None  # LSTM's
    start: Array | None = None  # (units,): the memory before the first token that is read; zero if not given

    @property
    def backward(self) -> bool:
        return self.direction == BACKWARD

    @property
    def written(self) -> Array:
        """lam * F: what each token adds to the memory."""
        return self.lam * self.candidate

    def as_read(self, values: Array) -> Array:
        """tokens x anything in the order of the text <-> in the order of reading: its own inverse."""
        return values[::-1] if self.backward else values

    def previous(self) -> Array:
        """The memory that each token finds, before its own update."""
        memory = self.as_read(self.memory)
        start = np.zeros_like(memory[:1]) if self.start is None else self.start[None]
        return self.as_read(np.concatenate([start, memory[:-1]]))

    def gates(self, token: int) -> Gates:
        """Those at a token, (units,) each."""
        parts = (self.mu, self.lam, self.candidate, self.output_gate)
        return Gates(*(None if values is None else torch.from_numpy(values[token]) for values in parts))  # type: ignore[arg-type]

    def arrays(self) -> dict[str, Array]:
        """The arrays with a row for each token, by name."""
        return {name: values for name, values in vars(self).items() if isinstance(values, np.ndarray) and name != "start"}

    def check(self, token: int) -> None:
        """ValueError if there is no such token."""
        if not 0 <= token < len(self.mu):
            raise ValueError(f"no token {token}: give a number from 0 to {len(self.mu) - 1}")

    def window(self, tokens: slice) -> LayerTrace:
        """The same of some of the tokens; it starts with the memory that they find."""
        parts: dict[str, Any] = {name: values[tokens] for name, values in self.arrays().items()}
        found = self.as_read(self.previous()[tokens])
        return replace(self, start=found[0] if len(found) else None, **parts)


@dataclass(frozen=True)
class Trace:
    """A model's gates over a text."""

    task: str
    cell: str
    tokens: tuple[str, ...]
    layers: tuple[LayerTrace, ...]
    model: str = ""  # the name of your model, or of the layer of it
    condition: str = ""  # what the memory before the first token stands for, where that is known

    @property
    def label(self) -> str:
        """The cell, or the name of your model: what tells this from others of the same text."""
        return self.model or self.cell

    def layer(self, layer: int, direction: str) -> LayerTrace:
        for found in self.layers:
            if (found.layer, found.direction) == (layer, direction):
                return found
        raise no_such_side(layer, direction, [(found.layer, found.direction) for found in self.layers])

    def window(self, tokens: slice) -> Trace:
        """The same of some of the tokens."""
        return replace(self, tokens=self.tokens[tokens], layers=tuple(layer.window(tokens) for layer in self.layers))


def no_such_side(layer: int, direction: str, choices: Iterable[tuple[int, str]]) -> ValueError:
    """What to raise for a layer and direction that a network does not have."""
    return ValueError(f"no layer {layer} {direction}: choose one of {', '.join(f'{number} {way}' for number, way in choices)}")


def sides(recurrent: Recurrent) -> list[tuple[int, str]]:
    """Each layer and direction of a network, in the order of its traces."""
    directions = (FORWARD, BACKWARD) if recurrent.bidirectional else (FORWARD,)
    return [(layer, direction) for layer in range(recurrent.layers) for direction in directions]


@torch.inference_mode()
def trace(checkpoint: Checkpoint, text: str) -> Trace:
    """The gates of a model over a text, read as one sequence: for each layer and direction, arrays (tokens, units) of float32.

    memory = mu * memory before + lam * candidate holds for each unit at each token, from a memory of zero or from that of the
    model's condition. A language model's first token is its start symbol. ValueError if the text holds no words.
    """
    return trace_encoded(checkpoint, encode(checkpoint, text))


@torch.inference_mode()
def tag_and_trace(checkpoint: Checkpoint, text: str) -> tuple[Tagging, Trace]:
    """Tags and gates of a text read as one sequence, from one pass of the network. Errors as `tag`.

    `tag` reads sentence by sentence, so the tags of a text of several sentences may differ from its tags.
    """
    encoded = encode(checkpoint, text)
    return tag_encoded(checkpoint, encoded), trace_encoded(checkpoint, encoded)


def trace_encoded(checkpoint: Checkpoint, encoded: Encoded) -> Trace:
    """The gates behind one pass of the network."""
    layers = trace_layers(checkpoint.model.recurrent, encoded.inputs, encoded.outputs, encoded.start)
    for layer in layers:
        for array in layer.arrays().values():
            finite(checkpoint, torch.from_numpy(array))
    words = tuple(token.text for token in encoded.tokens)
    return Trace(checkpoint.info.task, checkpoint.info.cell, words, tuple(layers), checkpoint.own_name, checkpoint.condition)


def trace_layers(recurrent: Recurrent, inputs: Tensor, outputs: list[Tensor], start: State | None = None) -> list[LayerTrace]:
    """inputs (time, input) and each layer's outputs (time, output_size) -> gates by layer and direction.

    `start` is the state before the first step, a batch of one; else zero.
    """
    traced = []
    for layer, both in enumerate(outputs):
        for number, output in enumerate(both.split(recurrent.hidden_size, dim=-1)):
            reverse = number == 1
            weights = recurrent.weights(layer, reverse=reverse)
            begin = memory_and_output(start, layer, number, 0)
            traced.append(trace_layer(recurrent.cell, weights, inputs, output, layer=layer, reverse=reverse, start=begin))
        inputs = both
    return traced


def trace_layer(
    cell: Cell,
    weights: Weights,
    inputs: Tensor,
    output: Tensor,
    *,
    layer: int,
    reverse: bool,
    start: tuple[Tensor, Tensor] | None = None,
) -> LayerTrace:
    """The gates depend on x_t and h_{t-1} alone and every h is known, so one product gives them for all tokens at once.

    inputs (time, input), output (time, hidden); `start` is the memory and output (hidden,) before the first step, else zero.
    """
    first = torch.zeros_like(output[:1]) if start is None else start[1][None]
    previous = torch.cat([output[1:], first]) if reverse else torch.cat([first, output[:-1]])
    gates = gates_of(cell, weights, inputs, previous)
    memory = output
    if not cell.memory_is_output:
        mu, written = (values.flip(0) if reverse else values for values in (gates.mu, gates.lam * gates.candidate))
        memory = scan(mu, written, torch.zeros_like(output[0]) if start is None else start[0])
        memory = memory.flip(0) if reverse else memory
    return LayerTrace(
        layer=layer,
        direction=BACKWARD if reverse else FORWARD,
        mu=gates.mu.numpy(),
        lam=gates.lam.numpy(),
        candidate=gates.candidate.numpy(),
        memory=memory.numpy(),
        output=cell.read_out(memory, gates).numpy(),
        output_gate=None if gates.output_gate is None else gates.output_gate.numpy(),
        start=None if start is None else start[0].numpy(),
    )
