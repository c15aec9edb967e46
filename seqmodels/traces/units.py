"""What single units of a model do over many passages: how long they remember, what in the text they follow, who is like them.

A unit's memory is held against properties of the text, token by token: whether a quotation is open, how far the sentence has come,
and so on. The measure is Pearson's correlation over all tokens, r. It says that a unit follows a property, not that the model needs
it. Karpathy, Johnson, Li 2015 found such units by eye.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmodels.checkpoints import Checkpoint
from seqmodels.traces.behaviour import Saturation, half_life_of, saturation
from seqmodels.traces.layers import FORWARD, sides
from seqmodels.traces.matches import SearchedGate, TracedText

Values = NDArray[np.float64]

QUOTES, OPENING, CLOSING, ENDS = {'"', "“", "”", "``", "''"}, "([{", ")]}", ".!?"
FAR = 60  # tokens: a place in a sentence or passage further on counts as this
CONTEXT = 14  # tokens shown on each side of a moment
BEFORE = 5  # tokens that a moment is held against
_STILL = 1e-9  # a product of two standard deviations below it: one of the two never moves


@dataclass(frozen=True)
class Property:
    """Something that a unit may follow, a number at each token of a passage."""

    title: str
    of: Callable[[Sequence[str]], Iterable[float]]


@dataclass(frozen=True)
class Profile:
    """What each unit is like over a text, each (units,): half-life in tokens, and how often its gates are wide open and shut."""

    half_life: Values
    keep: Saturation
    write: Saturation


@dataclass(frozen=True)
class Moment:
    """A token at which a gate is wide open or shut, in its context."""

    token: int  # in the text
    context: slice
    value: float


def _open(tokens: Sequence[str], change: Callable[[int, str], int]) -> Iterator[float]:
    """Whether something is open after each token."""
    depth = 0
    for token in tokens:
        depth = max(0, change(depth, token))
        yield float(depth > 0)


def _place(tokens: Sequence[str], ends: Collection[str]) -> Iterator[float]:
    """How many tokens there have been since the last end, at most FAR."""
    place = 0
    for token in tokens:
        yield float(min(place, FAR))
        place = 0 if token in ends else place + 1


PROPERTIES = {
    one.title: one
    for one in (
        Property("quotations", lambda tokens: _open(tokens, lambda depth, token: 1 - depth if token in QUOTES else depth)),
        Property(
            "brackets",
            lambda tokens: _open(tokens, lambda depth, token: depth + (token in tuple(OPENING)) - (token in tuple(CLOSING))),
        ),
        Property("capital letters", lambda tokens: (float(token[:1].isupper()) for token in tokens)),
        Property("digits", lambda tokens: (float(any(map(str.isdigit, token))) for token in tokens)),
        Property("punctuation", lambda tokens: (float(not any(map(str.isalnum, token))) for token in tokens)),
        Property("place in the sentence", lambda tokens: _place(tokens, tuple(ENDS))),
        Property("place in the passage", lambda tokens: _place(tokens, ())),
    )
}


def any_of(words: Collection[str]) -> Property:
    """Whether the token is one of these words, in capitals or not."""
    wanted = {word.casefold() for word in words}
    return Property(", ".join(sorted(words)), lambda tokens: (float(token.casefold() in wanted) for token in tokens))


def values_of(text: TracedText, wanted: Property) -> Values:
    """A property of every token, passage by passage: (tokens,)."""
    parts = (text.tokens[start:end] for start, end in zip(text.starts, text.starts[1:], strict=False))
    return np.fromiter((value for part in parts for value in wanted.of(part)), float, len(text.tokens))


def follows(text: TracedText, wanted: Sequence[Property]) -> Values:
    """(units, properties): r of each unit's memory, after a token, with each property there; 0 where one of them never moves."""
    return correlations(text.memory, np.stack([values_of(text, one) for one in wanted], axis=1))


def correlations(one: NDArray[np.floating], other: NDArray[np.floating]) -> Values:
    """one (tokens, m), other (tokens, n) -> Pearson's r of each column with each, (m, n); 0 for a column that never moves."""
    many = one.astype(np.float32 if one.dtype == np.float16 else np.float64)  # the memory of all units: half of it is enough
    centred = other.astype(np.float64) - other.mean(axis=0, dtype=np.float64)  # then the mean of the other side matters no more
    shared = many.T @ centred.astype(many.dtype) / len(many)
    spreads = np.outer(many.std(axis=0, dtype=np.float64), centred.std(axis=0))
    return np.divide(shared, spreads, out=np.zeros_like(spreads), where=spreads > _STILL)


def sides_of(checkpoint: Checkpoint) -> list[tuple[int, str]]:
    """The layers and directions of a model, the one that its predictions read first: the last layer, forward."""
    return sorted(sides(checkpoint.model.recurrent), key=lambda side: (-side[0], side[1] != FORWARD))


def alike(text: TracedText, unit: int, other: TracedText) -> tuple[int, float]:
    """The unit of another reading of the same tokens whose memory is most like this one's, up to its sign, and their r."""
    if text.tokens != other.tokens:
        raise ValueError("the two readings are of different texts: let both models read the same passages")
    found = correlations(other.memory, text.memory[:, [unit]])[:, 0]
    best = int(np.abs(found).argmax())
    return best, float(found[best])


def profile(text: TracedText) -> Profile:
    """What each unit is like. A gate counts as open above 0.9 and as shut below 0.1."""
    everywhere = slice(None)
    return Profile(half_life_of(text.log_mu), *(saturation(text.values(gate, everywhere)) for gate in ("mu", "lam")))


def moments(text: TracedText, unit: int, gate: SearchedGate, count: int, *, lowest: bool = False) -> list[Moment]:
    """The tokens at which a gate of a unit is highest, or lowest; no two in one passage, and none of the same two words.

    Of equal values, as a saturated gate has many, the one that differs most from the tokens before it comes first.
    """
    values = text.values(gate, slice(None), unit)
    sign = 1 if lowest else -1
    sums = np.concatenate([np.zeros(1), np.cumsum(values, dtype=np.float64)])
    begins = np.maximum(np.arange(len(values)) - BEFORE, 0)
    before = (sums[np.arange(len(values))] - sums[begins]) / np.maximum(np.arange(len(values)) - begins, 1)
    found: list[Moment] = []
    passages: set[int] = set()
    said: set[tuple[str, ...]] = set()
    for token in np.lexsort((sign * (values - before), sign * values)).tolist():
        passage = int(np.searchsorted(text.starts, token, side="right")) - 1
        begin, end = int(text.starts[passage]), int(text.starts[passage + 1])
        words = text.tokens[max(begin, token - 1) : token + 1]
        if passage in passages or words in said:
            continue
        passages.add(passage)
        said.add(words)
        found.append(Moment(token, slice(max(begin, token - CONTEXT), min(end, token + CONTEXT + 1)), float(values[token])))
        if len(found) == count:
            break
    return found


def liveliest_passages(text: TracedText, unit: int, count: int, *, longest: int = 80) -> list[slice]:
    """The passages in which the memory of a unit moves most, by its standard deviation there: each as far as `longest` tokens."""
    bounds = [slice(int(start), int(min(end, start + longest))) for start, end in zip(text.starts, text.starts[1:], strict=False)]
    moved = [float(text.memory[one, unit].astype(np.float32).std()) if one.stop - one.start > 1 else 0.0 for one in bounds]
    return [bounds[at] for at in np.argsort(-np.array(moved), kind="stable")[:count]]


def scale_of(text: TracedText, unit: int) -> float:
    """The size of a unit's memory that few tokens go beyond: what a picture's deepest colour stands for."""
    return float(np.quantile(np.abs(text.memory[:, unit].astype(np.float32)), 0.98)) or 1.0
