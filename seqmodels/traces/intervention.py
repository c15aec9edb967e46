"""Operate on a trained network: hold gates at a value for some words or units, let it read on, and see what changes."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqmodels.cells import Gates
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import Encoded, GeneratedToken, NextWords, Sampling, Tagging, tag_encoded
from seqmodels.inference.drawing import draw
from seqmodels.inference.encoding import as_language_model, embed, finite, read_traced
from seqmodels.inference.language import expected, prompt_ids
from seqmodels.recurrence import Step, memory_and_output, walk
from seqmodels.traces.layers import BACKWARD, FORWARD, LayerTrace, Trace, sides

CLAMPED_GATES = ("mu", "lam")


@dataclass(frozen=True)
class Clamp:
    """A gate held at a value, over tokens first..last of the text, both included. None means all there are.

    Without a last token, the words that a language model writes are clamped too. The other gate stays as the cell computes it: a
    GRU with mu held at 1 still writes lam = 1 - z.
    """

    gate: str  # one of CLAMPED_GATES
    value: float
    first: int | None = None
    last: int | None = None
    units: tuple[int, ...] | None = None
    layer: int | None = None
    direction: str | None = None  # FORWARD or BACKWARD

    def __post_init__(self) -> None:
        if self.gate not in CLAMPED_GATES:
            raise ValueError(f"unknown gate {self.gate!r}: clamp one of {', '.join(CLAMPED_GATES)}")
        if not (math.isfinite(self.value) and 0 <= self.value <= 1):
            raise ValueError(f"{self.gate} clamped to {self.value}: give a number from 0 to 1")
        for name, number in (("first", self.first), ("last", self.last), ("layer", self.layer)):
            if number is not None and number < 0:
                raise ValueError(f"{name} is {number}: count from 0, or leave it out")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"tokens {self.first} to {self.last} are none: put the earlier one first")
        if self.units is not None and min(self.units, default=0) < 0:
            raise ValueError(f"unit {min(self.units)} is clamped: count units from 0")
        if self.direction not in (None, FORWARD, BACKWARD):
            raise ValueError(f"unknown direction {self.direction!r}: choose {FORWARD}, {BACKWARD}, or None for both")

    def reaches(self, layer: int, direction: str) -> bool:
        return self.layer in (None, layer) and self.direction in (None, direction)

    def covers(self, token: int) -> bool:
        return (self.first is None or self.first <= token) and (self.last is None or token <= self.last)

    def hold(self, gates: Gates) -> Gates:
        """The gates (hidden,) of a step, with this one held."""
        held = getattr(gates, self.gate).clone()
        held[slice(None) if self.units is None else list(self.units)] = self.value
        return replace(gates, **{self.gate: held})


@dataclass(frozen=True)
class Intervention:
    """A text as read with gates clamped: the gates, and what a tagger or a language model makes of it."""

    trace: Trace
    tagging: Tagging | None
    next_words: NextWords | None


@torch.inference_mode()
def intervene(checkpoint: Checkpoint, text: str, clamps: Sequence[Clamp] = ()) -> Intervention:
    """Read a text as one sequence, by the law, with gates clamped; of two clamps on the same number, the later one holds.

    Without clamps it is the untouched run in the same arithmetic: a clamp that changes no gate changes nothing, to the last bit.
    """
    tokens = read_traced(checkpoint, text)
    words = tuple(token.text for token in tokens)
    _check(checkpoint, clamps, len(tokens) if checkpoint.task.predicts == "tags" else None)
    inputs = embed(checkpoint, [words])[0][0]
    walks, outputs = _Run(checkpoint, clamps).read(inputs)
    layers = tuple(_trace(*side, *walked) for side, walked in walks.items())
    traced = Trace(checkpoint.info.task, checkpoint.info.cell, words, layers, checkpoint.own_name, checkpoint.condition)
    if checkpoint.task.predicts == "next token":
        model, vocabulary = as_language_model(checkpoint)
        return Intervention(
            traced, tagging=None, next_words=expected(vocabulary, finite(checkpoint, model.logits(outputs[-1][-1])))
        )
    return Intervention(traced, tagging=tag_encoded(checkpoint, Encoded(text, tokens, inputs, outputs)), next_words=None)


def continue_intervened(
    checkpoint: Checkpoint,
    prompt: str,
    clamps: Sequence[Clamp] = (),
    *,
    max_tokens: int = 40,
    sampling: Sampling | None = None,
    after: Intervention | None = None,
) -> Iterator[GeneratedToken]:
    """As `continue_text`, but under clamps. Tokens are counted from the first `<eos>`, through the words written.

    `after` is what `intervene` gave of the same prompt and clamps, if it is at hand: the prompt need not be read again. ValueError
    if it is of another prompt.
    """
    model, vocabulary = as_language_model(checkpoint)
    _check(checkpoint, clamps)
    if after is not None and after.trace.tokens != tuple(token.text for token in read_traced(checkpoint, prompt)):
        raise ValueError("`after` is of another prompt: give what `intervene` made of this one")
    begun = _Run(checkpoint, clamps, None if after is None else after.trace)
    first = None if after is None else after.next_words

    def read(rows: list[list[int]], places: list[_Run | None]) -> tuple[Tensor, list[_Run]]:
        if places == [None] and first is not None:
            return torch.from_numpy(first.log_probabilities).unsqueeze(0), [begun]
        runs = [(begun if place is None else place).branch() for place in places]
        last = [run.read(model.embedding(torch.tensor(ids)))[1][-1][-1] for run, ids in zip(runs, rows, strict=True)]
        return finite(checkpoint, model.logits(torch.stack(last))), runs

    return draw(vocabulary, read, prompt_ids(vocabulary, prompt), max_tokens=max_tokens, sampling=sampling)


_Side = tuple[int, str]  # a layer, and a direction
_Start = tuple[Tensor, Tensor]  # a memory and an output


class _Run:
    """The law, step by step, under some clamps. A network that reads forward only can read on from where it stopped."""

    def __init__(self, checkpoint: Checkpoint, clamps: Sequence[Clamp], after: Trace | None = None) -> None:
        self.recurrent = checkpoint.model.recurrent
        self.clamps = clamps
        self._read = 0 if after is None else len(after.tokens)
        start = checkpoint.initial_state()
        # what each layer and direction goes on from
        self._ends: dict[_Side, _Start | None] = {
            (layer, FORWARD): memory_and_output(start, layer, 0, 0) for layer in range(self.recurrent.layers)
        }
        for traced in () if after is None else after.layers:
            self._ends[traced.layer, traced.direction] = torch.from_numpy(traced.memory[-1]), torch.from_numpy(traced.output[-1])

    def branch(self) -> _Run:
        """A run that reads on from here for itself."""
        branch = copy.copy(self)
        branch._ends = dict(self._ends)
        return branch

    def read(self, inputs: Tensor) -> tuple[dict[_Side, tuple[list[Step], _Start | None]], list[Tensor]]:
        """inputs (time, input) -> what `_walk` gives of each layer and direction, and each layer's outputs (time, output_size)."""
        walks: dict[_Side, tuple[list[Step], _Start | None]] = {}
        outputs: list[Tensor] = []
        for layer in range(self.recurrent.layers):
            here = {side: self._walk(*side, inputs) for side in sides(self.recurrent) if side[0] == layer}
            inputs = torch.cat([torch.stack([step.output for step in steps]) for steps, _ in here.values()], dim=-1)
            walks |= here
            outputs.append(inputs)
        self._read += len(inputs)
        return walks, outputs

    def _walk(self, layer: int, direction: str, inputs: Tensor) -> tuple[list[Step], _Start | None]:
        """The steps of one layer and direction, in the order of the text, and the memory and output they began with."""
        backward = direction == BACKWARD
        clamps = [clamp for clamp in self.clamps if clamp.reaches(layer, direction)]

        def alter(step: int, gates: Gates) -> Gates:
            token = self._read + (len(inputs) - 1 - step if backward else step)
            for clamp in clamps:
                gates = clamp.hold(gates) if clamp.covers(token) else gates
            return gates

        begin = self._ends.get((layer, direction))
        steps = walk(
            self.recurrent.cell,
            self.recurrent.weights(layer, reverse=backward),
            inputs.flip(0) if backward else inputs,
            start=begin,
            alter=alter,
        )
        self._ends[layer, direction] = steps[-1].memory, steps[-1].output
        return steps[::-1] if backward else steps, begin


def _trace(layer: int, direction: str, steps: Sequence[Step], begin: _Start | None) -> LayerTrace:
    mu, lam, candidate = (torch.stack([getattr(step.gates, part) for step in steps]).numpy() for part in ("mu", "lam", "candidate"))
    output_gates = [step.gates.output_gate for step in steps if step.gates.output_gate is not None]
    return LayerTrace(
        layer=layer,
        direction=direction,
        mu=mu,
        lam=lam,
        candidate=candidate,
        memory=torch.stack([step.memory for step in steps]).numpy(),
        output=torch.stack([step.output for step in steps]).numpy(),
        output_gate=torch.stack(output_gates).numpy() if output_gates else None,
        start=None if begin is None else begin[0].numpy(),
    )


def _check(checkpoint: Checkpoint, clamps: Sequence[Clamp], tokens: int | None = None) -> None:
    """That each clamp names a layer and units that the model has, and begins inside the text of a model that reads no further."""
    recurrent = checkpoint.model.recurrent
    for clamp in clamps:
        if not any(clamp.reaches(*side) for side in sides(recurrent)):
            number, direction = "" if clamp.layer is None else f" {clamp.layer}", f"{clamp.direction} " if clamp.direction else ""
            choices = ", ".join(f"{layer} {way}" for layer, way in sides(recurrent))
            raise ValueError(f"{checkpoint.name} has no {direction}layer{number}: choose one of {choices}")
        if clamp.units and max(clamp.units) >= recurrent.hidden_size:
            last = recurrent.hidden_size - 1
            raise ValueError(f"{checkpoint.name} has no unit {max(clamp.units)}: give numbers from 0 to {last}")
        if tokens is not None and clamp.first is not None and clamp.first >= tokens:
            raise ValueError(f"no token {clamp.first}: give a number from 0 to {tokens - 1}")
