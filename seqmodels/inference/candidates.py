"""The words that could come next, re-weighed by the settings that one is drawn with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmodels.inference.drawing import Sampling, adjusted
from seqmodels.inference.language import NextWords
from seqmodels.text import UNK, Unit


@dataclass(frozen=True)
class Candidate:
    """A possible next word: its probability under the model (temperature 1), and the one it is drawn with (0 if it never is)."""

    word: str
    model: float
    drawn: float


@dataclass(frozen=True)
class Candidates:
    """The likeliest next words, best first.

    `unknown` is the model's share for `<unk>`, which is never drawn; `choices` is how many of all words can be.
    """

    words: tuple[Candidate, ...]
    unknown: float
    choices: int
    unit: Unit = "word"

    @property
    def names(self) -> list[str]:
        return [candidate.word for candidate in self.words]

    @property
    def largest(self) -> float:
        """The largest probability among them."""
        return max((max(candidate.model, candidate.drawn) for candidate in self.words), default=1.0)


def candidates(distribution: NextWords, sampling: Sampling, *, count: int = 12) -> Candidates:
    """Those that can be drawn first, then what the settings cut off, by the model's probability."""
    unknown = distribution.words.index(UNK)
    model = np.exp(distribution.log_probabilities)
    spoiling = distribution.spoiling if sampling.careful else None
    drawn = adjusted(distribution.log_probabilities, sampling, never=unknown if spoiling is None else spoiling)
    order = [int(index) for index in np.lexsort((-model, -drawn))[: count + 1] if index != unknown]
    best = tuple(Candidate(distribution.words[index], float(model[index]), float(drawn[index])) for index in order[:count])
    return Candidates(best, float(model[unknown]), int(np.count_nonzero(drawn)), distribution.unit)


def changed(before: NextWords, after: NextWords, *, count: int = 6) -> Candidates:
    """The words that either of two runs of one model expects most, the likeliest first.

    `model` is the probability in the first run, `drawn` in the second. Never `<unk>`, whose share in the first run is `unknown`.
    """
    unknown = before.words.index(UNK)
    first, second = np.exp(before.log_probabilities), np.exp(after.log_probabilities)
    order = [int(index) for index in np.argsort(-np.maximum(first, second), kind="stable")[: count + 1] if index != unknown]
    best = tuple(Candidate(before.words[index], float(first[index]), float(second[index])) for index in order[:count])
    return Candidates(best, float(first[unknown]), len(before.words), before.unit)
