"""How far a word reaches: the share of it that mu says is kept over a growing gap, beside what it still does to the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.encoding import embed, read_tokens
from seqmodels.recurrence import Recurrent, State, gates_of
from seqmodels.traces.layers import BACKWARD, FORWARD, Array

LONGEST = 40
FAINT = 0.1  # of a logit; an effect below it is none to follow
APART = 0.15  # of the plain run's effect; theory and experiment differ from there on

# one private-use character: no corpus holds it, so both the word and its spelling are unknown to every model
UNKNOWN_WORD = "\ue000"


@dataclass(frozen=True)
class GapProbe:
    """From a source word to the prediction at a target word, over a growing number of filler words between them; each (gaps,).

    retention     by mu: the share of what the source wrote that is left in the memory at the target, by L2 norm over the units
    logit         of the tag or next word that has the highest one at the target without filler, whatever its neighbours allow
    probability   its softmax
    effect        by experiment: that logit less the same with an unknown word in place of the source
    """

    prediction: str
    direction: str  # of the layer that carries the source to the target
    gaps: NDArray[np.int64]  # filler words: 0, 1, 2, ...
    retention: Array
    logit: Array
    probability: Array
    effect: Array

    @property
    def expected(self) -> Array:
        """(gaps,): the effect if it faded as the source does in the memory: that of the plain run, in proportion to retention."""
        plain = self.retention[0]
        return np.zeros_like(self.effect) if plain == 0 else self.effect[0] * self.retention / plain


@dataclass(frozen=True)
class Diagnosis:
    """Where theory and experiment come to differ.

    faint   as typed, the source barely moves the prediction: there is no effect to follow
    agree   the effect fades as the source does in the memory
    closed  the gates keep nothing, so the effect takes another way
    lasts   from `gap` fillers on, it lasts longer than the memory; fades: less long. `turns`: with all fillers the other way round
    """

    kind: Literal["faint", "agree", "closed", "lasts", "fades"]
    gap: int = 0
    turns: bool = False


def diagnose(probe: GapProbe) -> Diagnosis:
    """What a probe shows."""
    plain = float(probe.effect[0])
    if abs(plain) < FAINT:
        return Diagnosis("faint")
    excess = (probe.effect - probe.expected) / plain  # above 0: more is left than expected
    (apart,) = np.nonzero(np.abs(excess) > APART)
    if not len(apart):
        return Diagnosis("agree")
    if not probe.retention.any():
        return Diagnosis("closed")
    lasts = excess[apart[0]] > 0
    turns = (excess[-1] > 0) != lasts and abs(excess[-1]) > APART
    return Diagnosis("lasts" if lasts else "fades", int(apart[0]), bool(turns))


@dataclass(frozen=True)
class _Reading:
    """A sentence, and where the two words stand in it."""

    words: tuple[str, ...]
    source: int
    target: int

    def gapped(self, fillers: tuple[str, ...]) -> _Reading:
        """With fillers right before the later of the two."""
        later = max(self.source, self.target)
        source, target = (at + len(fillers) if at == later else at for at in (self.source, self.target))
        return _Reading((*self.words[:later], *fillers, *self.words[later:]), source, target)

    def reversed(self) -> _Reading:
        """From the last word to the first."""
        source, target = (len(self.words) - 1 - at for at in (self.source, self.target))
        return _Reading(self.words[::-1], source, target)

    def from_source_to_target(self) -> _Reading:
        """Without the words before the one and after the other."""
        return _Reading(self.words[self.source : self.target + 1], 0, self.target - self.source)

    def without_source(self) -> _Reading:
        return replace(self, words=(*self.words[: self.source], UNKNOWN_WORD, *self.words[self.source + 1 :]))


@torch.inference_mode()
def gap_probe(
    checkpoint: Checkpoint,
    text: str,
    source: int,
    target: int,
    *,
    filler: str = "the",
    longest: int = LONGEST,
    layer: int | None = None,
) -> GapProbe:
    """Put 0 to `longest` words between two tokens, directly before the later one: those of `filler`, over and over.

    `layer` is where retention is measured, the last one by default. All variants are read as one batch, from the source
    on where nothing else differs.
    """
    plain = _plain_reading(checkpoint, text, source, target)
    layer = _find_layer(checkpoint, layer)
    fillers = _fillers(checkpoint, filler, longest)
    gapped = [plain.gapped(fillers[:gap]) for gap in range(longest + 1)]
    readings = gapped + [reading.without_source() for reading in gapped]

    recurrent, readings, start, known = _once(checkpoint, readings)
    inputs, lengths = embed(checkpoint, [reading.words for reading in readings])
    if start is not None:
        start = tuple(part.repeat(1, 1, len(readings), 1) for part in start)
    outputs, _ = recurrent.layer_outputs(inputs, lengths, start)
    here = outputs[-1][torch.arange(len(readings)), torch.tensor([reading.target for reading in readings])]
    at_target = torch.cat([here if side is None else side.expand(len(readings), -1) for side in known], dim=-1)
    logits, unknown = checkpoint.model.logits(at_target).split(len(gapped))  # (gaps, choices) each
    predicted = int(logits[0].argmax())
    read = inputs if layer == 0 else outputs[layer - 1]
    first = None if start is None else start[0][layer, 0]
    retention = _retention(recurrent, layer, readings[: len(gapped)], read, outputs[layer], first)
    return GapProbe(
        prediction=checkpoint.targets[predicted],
        direction=_direction(plain),
        gaps=np.arange(longest + 1),
        retention=np.array(retention, np.float32),
        logit=logits[:, predicted].numpy(),
        probability=torch.softmax(logits, dim=-1)[:, predicted].numpy(),
        effect=(logits - unknown)[:, predicted].numpy(),
    )


def _once(
    checkpoint: Checkpoint, readings: list[_Reading]
) -> tuple[Recurrent, list[_Reading], State | None, Sequence[Tensor | None]]:
    """Read what is the same in all readings once: before the source, and in the other direction.

    -> the network that carries the sources to their targets, what is left for it to read, its state before that, and the output at
    the target in each direction, None for the one that depends on the reading. In several layers of both directions each word has
    seen all others, and nothing is the same.
    """
    recurrent, start = checkpoint.model.recurrent, checkpoint.initial_state()
    known: list[Tensor | None] = [None]
    first = readings[0]
    if recurrent.bidirectional:
        if recurrent.layers > 1:
            return recurrent, readings, start, known
        backward = _direction(first) == BACKWARD
        known = [*recurrent(embed(checkpoint, [first.words])[0])[0][0, first.target].split(recurrent.hidden_size)]
        known[backward] = None
        recurrent = recurrent.one_way(reverse=backward)
        readings = [reading.reversed() if backward else reading for reading in readings]
    before = readings[0].words[: readings[0].source]
    if before:
        _, start = recurrent(embed(checkpoint, [before])[0], state=start)
    return recurrent, [reading.from_source_to_target() for reading in readings], start, known


def _retention(
    recurrent: Recurrent, layer: int, readings: Sequence[_Reading], inputs: Tensor, outputs: Tensor, start: Tensor | None
) -> list[float]:
    """What is left of each reading's source at its target, from a layer's inputs and outputs (batch, time, ...).

    As `traces.retention` has it. `start` is the output before the first token, (batch, hidden); else zero. Only the gates on the
    way are worked out, of all readings at once: a trace of each would be most of the time.
    """
    backward = _direction(readings[0]) == BACKWARD
    onward = -1 if backward else 1
    ways = [torch.arange(reading.source, reading.target + onward, onward) for reading in readings]  # in the order of reading
    rows = torch.cat([torch.full_like(way, row) for row, way in enumerate(ways)])
    steps = torch.cat(ways)
    output = outputs.split(recurrent.hidden_size, dim=-1)[backward]
    around = F.pad(output, (0, 0, 1, 1))  # with what stands before the first token read, on either side
    if start is not None:
        around[:, 0] = start
    weights = recurrent.weights(layer, reverse=backward)
    gates = gates_of(recurrent.cell, weights, inputs[rows, steps], around[rows, steps - onward + 1])  # (steps of all ways, hidden)
    found = []
    by_way = (gate.split([len(way) for way in ways]) for gate in (gates.mu, gates.lam, gates.candidate))
    for mu, lam, candidate in zip(*by_way, strict=True):
        written = lam[0] * candidate[0]
        size = written.norm()
        found.append(float((mu[1:].prod(dim=0) * written).norm() / size) if size > 0 else 0.0)
    return found


def _direction(reading: _Reading) -> str:
    return FORWARD if reading.source < reading.target else BACKWARD


def _plain_reading(checkpoint: Checkpoint, text: str, source: int, target: int) -> _Reading:
    words = tuple(token.text for token in read_tokens(checkpoint, text))
    for name, token in (("source", source), ("target", target)):
        if not 0 <= token < len(words):
            raise ValueError(f"no token {token} for the {name}: give a number from 0 to {len(words) - 1}")
    if source == target:
        raise ValueError(f"source and target are both token {source}: choose two words, to put others between them")
    if source > target and not checkpoint.model.recurrent.bidirectional:
        raise ValueError(f"{checkpoint.name} reads left to right, so token {source} cannot reach {target}: put the source first")
    return _Reading(words, source, target)


def _find_layer(checkpoint: Checkpoint, layer: int | None) -> int:
    layers = checkpoint.model.recurrent.layers
    if layer is None:
        return layers - 1
    if not 0 <= layer < layers:
        raise ValueError(f"{checkpoint.name} has no layer {layer}: give a number from 0 to {layers - 1}")
    return layer


def _fillers(checkpoint: Checkpoint, filler: str, longest: int) -> tuple[str, ...]:
    if longest < 0:
        raise ValueError(f"longest is {longest}: give the number of filler words, from 0")
    words = [token.text for token in checkpoint.vocabulary.read(filler)]
    if not words:
        raise ValueError(f"the filler {filler!r} holds no words: give one or more")
    return tuple(islice(cycle(words), longest))
