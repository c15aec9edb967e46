"""Tag scores to tags that fit the scheme.

A tag scheme says which tag may follow which. Under IOB2, I-X may only follow B-X or I-X, so the best sequence is found by Viterbi
over the legal ones, and a token's probabilities are summed over them (forward-backward): no output can break the scheme. A network
may have learned more: which legal tag follows which how often.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, TypeVar

import numpy as np
from numpy.typing import NDArray

from seqmodels.fields import Range

Array = NDArray[np.float32] | NDArray[np.float64]
Found = TypeVar("Found")

_OPENING, _ENDING = frozenset("BSU"), frozenset("ESLU")  # IOBES calls E and S what BILOU calls L and U
_PREFIXES = frozenset("BI") | _OPENING | _ENDING
_SUREST = 1 - 1e-6  # odds are finite
_LEAST = 1e-30  # no probability is quite zero, or a confident network could leave no legal sequence
_STRONGEST = 30.0  # nats that a tag may say for or against the next
_FEW = 4  # steps until products are scaled anew: of so many such factors and probabilities they don't underflow
_ROOM = 250_000  # numbers that are worked on at once


@dataclass(frozen=True)
class Span:
    """An entity over tokens first..last, both included."""

    first: int
    last: int
    label: str


class Rules:
    """What tags a sentence may have, and how well each goes with the one before; `tags` in the order of a network's numbers.

    A scheme says which tag may start a sentence and which may follow which: I-X only B-X or I-X, anything else whatever it likes.
    """

    def __init__(self, tags: Sequence[str]) -> None:
        self.tags = tuple(tags)
        opener = {inside: self._begin(tag) for inside, tag in enumerate(tags) if tag.startswith("I-")}
        self.types = len(opener)
        self._each_alone = not opener
        self._first, self._between, self._last = (np.ones(()) for _ in range(3))
        if opener:
            self._first = np.array([float(tag not in opener) for tag in range(len(tags))])
            self._between = np.ones((len(tags), len(tags)))  # [before, after]
            for inside, begin in opener.items():
                self._between[:, inside] = [float(before in (begin, inside)) for before in range(len(tags))]

    def learned(self, first: Array, between: Array, last: Array) -> Rules:
        """With what a network has learned: first (tags,), between (tags before, tags after) and last (tags,), as logarithms of
        factors, those of a conditional random field (see transitions)."""
        found = copy(self)
        found._first, found._between, found._last = (
            legal * np.exp(np.clip(scores, -_STRONGEST, _STRONGEST, dtype=np.float64))
            for legal, scores in ((self._first, first), (self._between, between), (self._last, last))
        )
        found._each_alone = False
        return found

    def _begin(self, inside: str) -> int:
        """The id of the tag that opens the entity which I-X goes on with."""
        begin = f"B-{inside[2:]}"
        if begin not in self.tags:
            raise ValueError(f"the tags have {inside!r} and no {begin!r}: under IOB2 every type needs both")
        return self.tags.index(begin)

    def best(self, sentences: Sequence[Array]) -> list[list[int]]:
        """Of each sentence the probabilities of each token alone (time, tags) -> its most probable legal sequence of tag ids."""
        if self._each_alone:
            return [alone.argmax(axis=1).tolist() for alone in sentences]
        return self._judged(sentences, self._paths)

    def marginals(self, sentences: Sequence[Array]) -> list[Array]:
        """Of each sentence the probabilities of each token alone (time, tags) -> those over its legal sequences, as likely as
        they are."""
        if self._each_alone:
            return list(sentences)
        return self._judged(sentences, self._shares)

    def _judged(self, sentences: Sequence[Array], judge: Callable[[_Rows], list[Found]]) -> list[Found]:
        """Many sentences at once, those of about one length together: a step of many costs little more than one of one."""
        found: dict[int, Found] = {}
        left = sorted(range(len(sentences)), key=lambda number: -len(sentences[number]))
        while left:
            many = max(1, _ROOM // (len(self.tags) * max(len(self.tags), len(sentences[left[0]]))))
            group, left = left[:many], left[many:]
            found.update(zip(group, judge(self._rows([sentences[number] for number in group])), strict=True))
        return [found[number] for number in range(len(sentences))]

    def _rows(self, sentences: Sequence[Array]) -> _Rows:
        lengths = np.array([len(alone) for alone in sentences])
        values = np.zeros((lengths[0], len(sentences), len(self.tags)))
        for column, alone in enumerate(sentences):
            values[: len(alone), column] = alone
        np.maximum(values, _LEAST, out=values)
        values[0] *= self._first
        values[lengths - 1, np.arange(len(lengths))] *= self._last
        return _Rows(values, lengths)

    def _paths(self, rows: _Rows) -> list[list[int]]:
        """Viterbi."""
        with np.errstate(divide="ignore"):  # what is not legal is minus infinity
            logs, between = np.log(rows.values), np.log(self._between.T)  # (after, before)
        score, pointers = logs[0], np.empty(logs.shape, dtype=np.intp)
        ways = np.empty((len(score), *between.shape))
        for step, count in rows.steps():
            found = np.add(score[:count, None], between, out=ways[:count])
            found.argmax(axis=2, out=pointers[step, :count])
            np.add(np.maximum.reduce(found, axis=2), logs[step, :count], out=score[:count])
        paths = [[tag] for tag in score.argmax(axis=1).tolist()]
        for column, (path, length) in enumerate(zip(paths, rows.lengths.tolist(), strict=True)):
            for before in pointers[length - 1 : 0 : -1, column].tolist():
                path.append(before[path[-1]])
            path.reverse()
        return paths

    def _shares(self, rows: _Rows) -> list[Array]:
        """Forward-backward."""
        values, steps, between, back = rows.values, rows.steps(), self._between, np.ascontiguousarray(self._between.T)
        ahead = np.ones_like(values)
        for step, count in reversed(steps):
            rest = np.dot(values[step, :count] * ahead[step, :count], back, out=ahead[step - 1, :count])
            if step % _FEW == 0:
                rest /= np.maximum.reduce(rest, axis=1, keepdims=True)
        for step, count in steps:  # in place: each row also says what stands before, from here on
            row = values[step, :count]
            row *= np.dot(values[step - 1, :count], between)
            if step % _FEW == 0:
                row /= np.maximum.reduce(row, axis=1, keepdims=True)
        both = values / values.max(axis=2, keepdims=True) * (ahead / ahead.max(axis=2, keepdims=True))
        both /= both.sum(axis=2, keepdims=True)
        return [both[:length, column] for column, length in enumerate(rows.lengths)]


@dataclass(frozen=True)
class _Rows:
    """Sentences side by side, the longest first: (time, sentences, tags) with the factors of the first and the last token."""

    values: NDArray[np.float64]
    lengths: NDArray[np.intp]

    def steps(self) -> list[tuple[int, int]]:
        """Each step but the first, and how many sentences reach it."""
        times = np.arange(1, len(self.values))
        return list(zip(times.tolist(), (self.lengths > times[:, None]).sum(axis=1).tolist(), strict=True))


@lru_cache(maxsize=16)
def scheme(tags: tuple[str, ...]) -> Rules:
    """Those of these tags' scheme alone, built once."""
    return Rules(tags)


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
