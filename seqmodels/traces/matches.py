"""Matches of a span: where in a larger text the same units are on.

A unit is on over a span if its gate reaches a threshold at every token there. The units on over a span of a trace are held against
those on over every window of the same length in a larger text, which is traced once. LSTMVis does this with hidden states (Strobelt
et al. 2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from seqmodels import text as text_module
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.encoding import NO_WORDS, embed
from seqmodels.recurrence import memory_and_output, reverse_steps
from seqmodels.tasks.batching import windows
from seqmodels.traces.layers import BACKWARD, FORWARD, Array, LayerTrace, Trace, no_such_side, sides, trace_layer

SearchedGate = Literal["mu", "lam", "memory"]
SEARCHED_GATES: tuple[SearchedGate, ...] = get_args(SearchedGate)

LONGEST_PASSAGE = 512  # tokens; a longer one is cut into pieces of like length
CONTEXT = 8  # tokens shown on each side of a match
BEST = 20

_STEPS = 200  # mu and lam are kept as bytes, rounded down to steps of 0.005: whether one is at least 0.35 stays exactly true
_LARGEST = float(np.finfo(np.float16).max)
_BATCH = 16  # passages read side by side; with more of them, the gates outgrow the processor's cache


@dataclass(frozen=True)
class TracedText:
    """A larger text through one layer and direction, each passage read on its own from a zero memory.

    mu, lam and memory are tokens x units, in the order of the text, in four bytes together; `values` gives them as numbers.
    """

    task: str
    cell: str
    layer: int
    direction: str
    tokens: tuple[str, ...]
    starts: NDArray[np.intp]  # (passages + 1,): the first token of each passage, and the end of the last
    mu: NDArray[np.uint8]
    lam: NDArray[np.uint8]
    memory: NDArray[np.float16]
    log_mu: NDArray[np.float64]  # (units,): the mean of ln mu over all tokens, of mu as it was
    _on: dict[tuple[SearchedGate, float], NDArray[np.uint64]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        """What the numbers take in memory."""
        return self.mu.nbytes + self.lam.nbytes + self.memory.nbytes

    def values(self, gate: SearchedGate, tokens: slice, unit: int | None = None) -> Array:
        """A gate, in steps of 0.005, or the memory of some of the tokens: (tokens, units), or of one unit (tokens,)."""
        return _restored(gate, getattr(self, gate)[tokens, slice(None) if unit is None else unit])

    def on(self, gate: SearchedGate, threshold: float) -> NDArray[np.uint64]:
        """Which units are at least at the threshold, packed as bits. Kept for the next search, which mostly asks for the same."""
        found = self._on.get((gate, threshold))
        if found is None:
            found = _packed(getattr(self, gate) >= _level(gate, threshold))
            self._on.clear()
            self._on[gate, threshold] = found
        return found


@dataclass(frozen=True)
class Pattern:
    """What is searched for: the units on over a span, and their values there, which decide between matches of equal score."""

    layer: int
    direction: str
    gate: SearchedGate
    threshold: float
    units: NDArray[np.intp]
    values: Array  # (tokens of the span, units of the pattern)


@dataclass(frozen=True)
class Match:
    """A window of the larger text in its context; mu, lam and memory are context tokens x units of the pattern.

    score = |shared| / |on in the pattern or here|, Jaccard's index: 1 where the very same units are on.
    """

    passage: int
    position: int  # of the window's first token in the larger text
    before: tuple[str, ...]
    span: tuple[str, ...]
    after: tuple[str, ...]
    score: float
    shared: int  # units on in the pattern and here
    on: int  # units on here
    mu: Array
    lam: Array
    memory: Array


def passages_of(text: str) -> list[list[str]]:
    """The words of a text by passage: the parts between blank lines."""
    return [words for part in text_module.BLANK_LINE.split(text) if (words := text_module.words(part))]


@torch.inference_mode()
def trace_passages(
    checkpoint: Checkpoint, passages: Iterable[Sequence[str]], layer: int = 0, direction: str = FORWARD
) -> TracedText:
    """The gates of one layer and direction over many passages. One that comes twice is read once.

    For a language model each begins with `<eos>`, as in a trace.
    """
    recurrent = checkpoint.model.recurrent
    if (layer, direction) not in sides(recurrent):
        raise no_such_side(layer, direction, sides(recurrent))
    first = [token.text for token in checkpoint.vocabulary.start]
    pieces = dict.fromkeys(tuple(words[part]) for words in passages if words for part in windows(len(words), LONGEST_PASSAGE))
    read = [(*first, *words) for words in pieces]
    if not read:
        raise ValueError(NO_WORDS)
    starts = np.cumsum([0, *map(len, read)])
    mu, lam = (np.empty((starts[-1], recurrent.hidden_size), np.uint8) for _ in range(2))
    memory, log_mu = np.empty(mu.shape, np.float16), np.zeros(recurrent.hidden_size)
    for indices in _alike([len(words) for words in read]):
        traced = _trace_batch(checkpoint, [read[index] for index in indices], layer, direction)
        batches = (_stored("mu", traced.mu), _stored("lam", traced.lam), _stored("memory", traced.memory))
        log_mu += _logarithms(traced.mu, [len(read[index]) for index in indices]) / starts[-1]
        for kept, batch in zip((mu, lam, memory), batches, strict=True):  # batch: (time, batch, units), in the order of reading
            for row, index in enumerate(indices):
                as_read = batch[: len(read[index]), row]
                kept[starts[index] : starts[index + 1]] = as_read[::-1] if direction == BACKWARD else as_read
    words = tuple(chain.from_iterable(read))
    return TracedText(checkpoint.info.task, checkpoint.info.cell, layer, direction, words, starts, mu, lam, memory, log_mu)


def units_on(trace: LayerTrace, span: slice, gate: SearchedGate, threshold: float) -> NDArray[np.intp]:
    """The units whose value is at least the threshold at every token of the span: few, many, or none.

    Thresholds of mu and lam go in steps of 0.005, from there to 1. In a cell whose mu or lam never moves, search by the memory.
    """
    values = _stored(gate, _searched(trace, gate)[span])
    if not len(values):
        raise ValueError(f"the span {span.start} to {span.stop} holds no tokens: choose one or more of {len(trace.mu)}")
    return np.flatnonzero((values >= _level(gate, threshold)).all(axis=0))


def pattern(trace: LayerTrace, span: slice, gate: SearchedGate, threshold: float) -> Pattern:
    """The units on over a span, to search for. ValueError where it is none or all of them: that is true of too many windows."""
    units = units_on(trace, span, gate, threshold)
    values = _searched(trace, gate)
    if 0 < len(units) < values.shape[1]:
        # as the larger text keeps them, so that the span itself is at distance 0
        kept = _restored(gate, _stored(gate, values[span][:, units]))
        return Pattern(trace.layer, trace.direction, gate, threshold, units, kept)
    which, way = ("every", "raise") if len(units) else ("no", "lower")
    if values.min() == values.max():
        raise ValueError(f"{gate} is {values.flat[0]:g} in every unit at every token and marks no moment: search by the memory")
    raise ValueError(
        f"{which} unit's {gate} is at least {threshold:g} over the whole span: {way} the threshold, or change the span"
    )


def match_of(traced: Trace, layer: LayerTrace, span: slice, units: NDArray[np.intp]) -> Match:
    """A span of a trace as a match in its own text: in its context, with the gates of these units. It is wholly like itself."""
    context = slice(max(span.start - CONTEXT, 0), min(span.stop + CONTEXT, len(traced.tokens)))
    gates = [getattr(layer, gate)[context][:, units] for gate in SEARCHED_GATES]
    return _in_context(traced.tokens, span, context, gates, passage=0, score=1.0, shared=len(units), on=len(units))


def find_matches(text: TracedText, wanted: Pattern, count: int = BEST) -> list[Match]:
    """The windows whose units on are most like the pattern's, best first; none crosses a passage's end or overlaps another.

    Of equal scores, the one whose values are nearest to the pattern's comes first.
    """
    if (wanted.layer, wanted.direction) != (text.layer, text.direction):
        raise ValueError(
            f"the pattern is of layer {wanted.layer} {wanted.direction}, the larger text was traced for layer {text.layer} "
            f"{text.direction}: trace it for the same"
        )
    windows = _compare(text, wanted)
    return [_match(text, wanted, windows, position) for position in _best(text, wanted, windows.score, count)]


@dataclass(frozen=True)
class _Windows:
    """Every window of the pattern's length, by its first token; the score is 0 where it crosses the end of a passage."""

    score: NDArray[np.float64]
    shared: NDArray[np.intp]
    on: NDArray[np.intp]


def _compare(text: TracedText, wanted: Pattern) -> _Windows:
    """Sets of units as bits: |S & R| / |S or R| for all windows at once."""
    looked_for = np.zeros((1, text.mu.shape[1]), bool)
    looked_for[:, wanted.units] = True
    throughout = _throughout(text.on(wanted.gate, wanted.threshold), len(wanted.values))
    on = np.bitwise_count(throughout).sum(axis=0, dtype=np.intp)
    shared = np.bitwise_count(throughout & _packed(looked_for)).sum(axis=0, dtype=np.intp)
    passage = np.repeat(np.arange(len(text.starts) - 1), np.diff(text.starts))
    inside = passage[: len(on)] == passage[len(passage) - len(on) :]
    return _Windows(np.where(inside, shared / (on + len(wanted.units) - shared), 0), shared, on)


def _packed(values: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(rows, columns) -> (words, rows): of each row 64 columns to a word, the last filled up with False."""
    packed = np.packbits(values, axis=1)
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _throughout(bits: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """The bits set at each of `length` rows from here on: (words, rows) -> (words, rows - length + 1)."""
    reach = 1  # doubled at every turn
    while reach < length:
        step = min(reach, length - reach)
        bits = bits[:, :-step] & bits[:, step:]
        reach += step
    return bits


def _best(text: TracedText, wanted: Pattern, score: NDArray[np.float64], count: int) -> list[int]:
    """The first tokens of the best windows, none over another and none without a shared unit."""
    length = len(wanted.values)
    enough = min(len(score), count * (2 * length - 1))  # a window that is taken rules out so many, itself among them
    least = np.partition(score, -enough)[-enough] if enough else 0.0
    likely = np.flatnonzero((score >= least) & (score > 0))
    order = np.lexsort((_distance(text, wanted, likely), -score[likely]))
    taken: list[int] = []
    for position in likely[order].tolist():
        if len(taken) == count:
            break
        if all(abs(position - other) >= length for other in taken):
            taken.append(position)
    return taken


def _distance(text: TracedText, wanted: Pattern, positions: NDArray[np.intp]) -> Array:
    """How far the values of the pattern's units are from the pattern's, summed over each window: (positions,)."""
    kept = getattr(text, wanted.gate)
    distance = np.zeros(len(positions), np.float32)
    for step, values in enumerate(wanted.values):
        there = _restored(wanted.gate, kept[np.ix_(positions + step, wanted.units)])
        distance += np.abs(there - values).sum(axis=1)
    return distance


def _match(text: TracedText, wanted: Pattern, windows: _Windows, position: int) -> Match:
    span = slice(position, position + len(wanted.values))
    passage = int(np.searchsorted(text.starts, position, side="right")) - 1
    first, last = max(text.starts[passage], position - CONTEXT), min(text.starts[passage + 1], span.stop + CONTEXT)
    context = slice(int(first), int(last))
    gates = [text.values(gate, context)[:, wanted.units] for gate in SEARCHED_GATES]
    score, shared, on = float(windows.score[position]), int(windows.shared[position]), int(windows.on[position])
    return _in_context(text.tokens, span, context, gates, passage=passage, score=score, shared=shared, on=on)


def _in_context(
    tokens: tuple[str, ...],
    span: slice,
    context: slice,
    gates: Sequence[Array],
    *,
    passage: int,
    score: float,
    shared: int,
    on: int,
) -> Match:
    """`gates` are SEARCHED_GATES over the context, each (tokens, units of the pattern)."""
    before, after = tokens[context.start : span.start], tokens[span.stop : context.stop]
    return Match(passage, span.start, before, tokens[span], after, score, shared, on, *gates)


def _alike(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Batches of passages of like length, so that there is little padding."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return (order[start : start + _BATCH] for start in range(0, len(order), _BATCH))


def _trace_batch(checkpoint: Checkpoint, passages: Sequence[Sequence[str]], layer: int, direction: str) -> LayerTrace:
    """The gates of a batch, (time, batch, units) in the order of reading, where padding comes last and so reaches no token."""
    inputs, lengths = embed(checkpoint, passages)
    recurrent, reverse = checkpoint.model.recurrent, direction == BACKWARD
    start = checkpoint.initial_state(len(inputs))
    outputs, _ = recurrent.layer_outputs(inputs, lengths, start)
    read = outputs[layer - 1] if layer else inputs
    output = outputs[layer].split(recurrent.hidden_size, dim=-1)[int(reverse)]
    if reverse:
        read, output = reverse_steps(read, lengths), reverse_steps(output, lengths)
    weights = recurrent.weights(layer, reverse=reverse)
    begin = memory_and_output(start, layer, int(reverse))
    return trace_layer(
        recurrent.cell, weights, read.transpose(0, 1), output.transpose(0, 1), layer=layer, reverse=False, start=begin
    )


def _logarithms(mu: Array, lengths: Sequence[int]) -> NDArray[np.float64]:
    """mu (time, batch, units) in the order of reading -> (units,): the sum of ln mu over all tokens but the padding."""
    inside = np.arange(len(mu))[:, None] < np.array(lengths)
    with np.errstate(divide="ignore"):
        return np.log(mu[inside].astype(np.float64)).sum(axis=0)


def _searched(trace: LayerTrace, gate: SearchedGate) -> Array:
    if gate not in SEARCHED_GATES:
        raise ValueError(f"unknown gate {gate!r}: choose one of {', '.join(SEARCHED_GATES)}")
    values: Array = getattr(trace, gate)
    return values


def _level(gate: SearchedGate, threshold: float) -> int | np.float16:
    """A threshold as the values are kept."""
    if gate == "memory":
        if not np.isfinite(threshold):
            raise ValueError(f"the threshold is {threshold}: give the memory a finite number")
        return np.float16(min(max(threshold, -_LARGEST), _LARGEST))
    if not 1 / _STEPS <= threshold <= 1:
        raise ValueError(f"the threshold is {threshold}: {gate} goes from 0 to 1, so give a number from {1 / _STEPS} to 1")
    return round(threshold * _STEPS)


def _stored(gate: SearchedGate, values: Array) -> NDArray[Any]:
    """Values as they are kept: mu and lam rounded down to bytes, the memory to half precision."""
    return values.clip(-_LARGEST, _LARGEST).astype(np.float16) if gate == "memory" else (values * _STEPS).astype(np.uint8)


def _restored(gate: SearchedGate, kept: NDArray[Any]) -> Array:
    values = kept.astype(np.float32)
    return values if gate == "memory" else values / np.float32(_STEPS)
