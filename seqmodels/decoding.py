"""Tag scores to tags that fit the scheme.

A tag scheme says which tag may follow which. Under IOB2, I-X may only follow B-X or I-X, so the best sequence is found by Viterbi
over the legal ones, and a token's probabilities are summed over them (forward-backward): no output can break the scheme. A network
may have learned more: which legal tag follows which how often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from seqmodels.fields import Range

Array = NDArray[np.float32] | NDArray[np.float64]

_OPENING, _ENDING = frozenset("BSU"), frozenset("ESLU")  # IOBES calls E and S what BILOU calls L and U
_PREFIXES = frozenset("BI") | _OPENING | _ENDING
_SUREST = 1 - 1e-6  # odds are finite
_LEAST = 1e-30  # no probability is quite zero, or a confident network could leave no legal sequence
_STRONGEST = 30.0  # nats that a tag may say for or against the next
_FEW = 4  # steps until products are scaled anew: of so many such factors and probabilities they don't underflow


@dataclass(frozen=True)
class Span:
    """An entity over tokens first..last, both included."""

    first: int
    last: int
    label: str


class Scheme:
    """Which tag may start a sentence and which may follow which; `tags` in the order of the scores.

    Only I-X asks for more than the tag before it being there: `opener` maps its id to that of B-X. So a step costs a handful of
    additions, which plain Python does faster than numpy's calls on seven numbers.
    """

    def __init__(self, tags: Sequence[str]) -> None:
        self.tags = tuple(tags)
        self.opener = {inside: self._begin(tag) for inside, tag in enumerate(self.tags) if tag.startswith("I-")}
        self.unbound = [tag for tag in range(len(tags)) if tag not in self.opener]
        self.starts = np.isin(np.arange(len(tags)), self.unbound)
        self.follows = np.ones((len(tags), len(tags)), dtype=bool)  # [before, after]
        for inside, begin in self.opener.items():
            self.follows[:, inside] = [before in (begin, inside) for before in range(len(tags))]

    def _begin(self, inside: str) -> int:
        """The id of the tag that opens the entity which I-X goes on with."""
        begin = f"B-{inside[2:]}"
        if begin not in self.tags:
            raise ValueError(f"the tags have {inside!r} and no {begin!r}: under IOB2 every type needs both")
        return self.tags.index(begin)

    def best(self, probabilities: Array) -> list[int]:
        """(time, tags) independent probabilities -> the most probable legal sequence of tag ids."""
        alone = probabilities.argmax(axis=1)
        if not self.opener or (self.starts[alone[0]] and self.follows[alone[:-1], alone[1:]].all()):
            return [int(tag) for tag in alone]  # each token's own best, where that is legal already
        rows = np.maximum(probabilities, _LEAST).tolist()
        score = [share if legal else 0.0 for share, legal in zip(rows[0], self.starts, strict=True)]
        pointers = []
        for row in rows[1:]:
            winner = max(range(len(score)), key=score.__getitem__)
            before = [winner] * len(score)
            for inside, begin in self.opener.items():
                before[inside] = begin if score[begin] >= score[inside] else inside
            # over the winner: only ratios matter, and products of many probabilities would underflow
            score = [share * score[tag] / score[winner] for share, tag in zip(row, before, strict=True)]
            pointers.append(before)
        path = [max(range(len(score)), key=score.__getitem__)]
        for before in reversed(pointers):
            path.append(before[path[-1]])
        return path[::-1]

    def marginals(self, probabilities: Array) -> Array:
        """(time, tags) independent probabilities -> each token's probabilities over the legal sequences."""
        if not self.opener:
            return probabilities
        rows = np.maximum(probabilities, _LEAST).tolist()
        both = np.array(self._forward(rows)) * np.array(self._backward(rows))
        return both / both.sum(axis=1, keepdims=True)

    def _forward(self, rows: list[list[float]]) -> list[list[float]]:
        """How probable the legal sequences up to each token are, by their last tag; each row on a scale of its own."""
        state = [share if legal else 0.0 for share, legal in zip(rows[0], self.starts, strict=True)]
        states = [state]
        for row in rows[1:]:
            total = sum(state)
            following = row.copy()
            for inside, begin in self.opener.items():
                following[inside] *= (state[begin] + state[inside]) / total
            state = following
            states.append(state)
        return states

    def _backward(self, rows: list[list[float]]) -> list[list[float]]:
        """How probable the legal sequences after each token are, by its tag; each row on a scale of its own."""
        state = [1.0] * len(self.tags)
        states = [state]
        for row in rows[:0:-1]:
            ahead = [share * rest for share, rest in zip(row, state, strict=True)]
            free = sum(ahead[tag] for tag in self.unbound)
            state = [1.0] * len(ahead)
            for inside, begin in self.opener.items():
                state[inside] = state[begin] = 1.0 + ahead[inside] / free
            states.append(state)
        return states[::-1]


class Chain:
    """A scheme, and how well each tag goes with the one before, begins and ends a sentence: scores, as logarithms of factors.

    first (tags,), between (tags before, tags after), last (tags,): those of a conditional random field (see transitions).
    """

    def __init__(self, legal: Scheme, first: Array, between: Array, last: Array) -> None:
        bounded = (np.clip(scores, -_STRONGEST, _STRONGEST, dtype=np.float64) for scores in (first, between, last))
        first, between, last = map(np.exp, bounded)
        self.tags = legal.tags
        self._first, self._between, self._last = first * legal.starts, between * legal.follows, last

    def best(self, probabilities: Array) -> list[int]:
        """(time, tags) probabilities of each token alone -> the most probable legal sequence of tag ids."""
        with np.errstate(divide="ignore"):  # what is not legal is minus infinity
            rows, between = np.log(self._rows(probabilities)), np.log(self._between.T)  # (after, before)
        ways, pointers, score = np.empty_like(between), np.empty(rows.shape, dtype=np.intp), rows[0]
        for step, row in enumerate(rows[1:], 1):
            np.add(between, score, out=ways)
            ways.argmax(axis=1, out=pointers[step])
            score = np.maximum.reduce(ways, axis=1) + row
        path = [int(score.argmax())]
        for before in pointers[:0:-1].tolist():
            path.append(before[path[-1]])
        return path[::-1]

    def marginals(self, probabilities: Array) -> Array:
        """(time, tags) probabilities of each token alone -> those over the legal sequences, as likely as they are."""
        rows = self._rows(probabilities)
        ahead = np.ones_like(rows)
        for step in range(len(rows) - 1, 0, -1):
            rest = np.dot(self._between, rows[step] * ahead[step], out=ahead[step - 1])
            if step % _FEW == 0:
                rest /= np.maximum.reduce(rest)
        for step in range(1, len(rows)):  # in place: each row also says what stands before, from here on
            row = rows[step]
            row *= np.dot(rows[step - 1], self._between)
            if step % _FEW == 0:
                row /= np.maximum.reduce(row)
        both = rows / rows.max(axis=1, keepdims=True) * (ahead / ahead.max(axis=1, keepdims=True))
        return both / both.sum(axis=1, keepdims=True)

    def _rows(self, probabilities: Array) -> NDArray[np.float64]:
        """With the factors of the first and the last token."""
        rows = np.maximum(probabilities, _LEAST, dtype=np.float64)
        rows[0] *= self._first
        rows[-1] *= self._last
        return rows


Rules = Scheme | Chain


@lru_cache(maxsize=16)
def scheme(tags: tuple[str, ...]) -> Scheme:
    """The scheme of these tags, built once."""
    return Scheme(tags)


@dataclass(frozen=True)
class SpanOdds:
    """How probable an entity is, told by its least certain token: that token's log odds, times `scale`, plus `shift` (Platt 1999).

    A token may be surely inside an entity whose bounds or type are wrong, so the token's probability alone promises too much.
    """

    scale: Annotated[float, Range(0, 10)] = 1.0
    shift: Annotated[float, Range(-10, 10)] = 0.0

    def probability(self, of_tokens: Sequence[float] | Array) -> float:
        """From the probabilities of the entity's tokens, each from 0 to 1."""
        return 1 / (1 + math.exp(-(self.scale * log_odds(float(min(of_tokens))) + self.shift)))


LEAST_TOKEN = SpanOdds()  # as probable as its least certain token


def log_odds(probability: float) -> float:
    """ln p / (1 - p), of a probability that is not quite 0 or 1."""
    sure = min(max(probability, 1 - _SUREST), _SUREST)
    return math.log(sure / (1 - sure))


def spans(tags: Sequence[str]) -> list[Span]:
    """The entities in any sequence of tags: IOB1, IOB2, IOBES, BILOU, and what breaks their rules.

    As seqeval's default mode and conlleval find them: B, S and U open an entity; E, S, L and U end one. Any other goes on with
    the entity before it if the type is the same, and else opens one of its own. A tag without one of the prefixes is of no entity.
    """
    found: list[Span] = []
    inside: str | None = None  # the type of the entity that the next token may go on with
    for position, tag in enumerate(tags):
        prefix, _, label = tag.partition("-")
        if prefix not in _PREFIXES:
            inside = None
            continue
        if prefix in _OPENING or label != inside:
            found.append(Span(position, position, label))
        else:
            found[-1] = Span(found[-1].first, position, label)
        inside = None if prefix in _ENDING else label
    return found
