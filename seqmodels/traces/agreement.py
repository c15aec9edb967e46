"""Does a language model still know whether its subject was one or many, when other words have come between?

Linzen, Dupoux & Goldberg 2016: P(are) against P(is) after a subject in either number and a growing phrase, the same after both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import next_words
from seqmodels.traces.layers import trace

ONE, MANY = "is", "are"
SUBJECTS = ("The vessel", "The vessels")
FILLERS = (
    "of the commission",
    "on the public lands",
    "in the western territory",
    "during the last year",
    "under the act of Congress",
    "for the relief of the people",
)  # none ends in a noun that would draw the verb to one number in both


@dataclass(frozen=True)
class Agreement:
    """By how many words stand between: P(are) / (P(are) + P(is)) after one and after many, and what the gates keep of the subject.

    `kept` is the product of mu over those words, in the mean over the units: what the law alone would leave.
    """

    words: tuple[int, ...]
    after_one: tuple[float, ...]
    after_many: tuple[float, ...]
    kept: tuple[float, ...]

    @cached_property
    def gap(self) -> tuple[float, ...]:
        """How far apart the two are, from 0 (the number is forgotten) to 1; below 0 it is the wrong way round."""
        return tuple(many - one for one, many in zip(self.after_one, self.after_many, strict=True))


def prompts(subject: str, fillers: Sequence[str] = FILLERS) -> list[str]:
    """The subject alone, then with one more phrase each."""
    return [" ".join((subject, *fillers[:count])) for count in range(len(fillers) + 1)]


def agreement(checkpoint: Checkpoint, subjects: tuple[str, str] = SUBJECTS, fillers: Sequence[str] = FILLERS) -> Agreement:
    """ValueError if the model is no language model of words, or does not know the two verbs."""
    one, many = ([_share_of_many(checkpoint, prompt) for prompt in prompts(subject, fillers)] for subject in subjects)
    traced = trace(checkpoint, prompts(subjects[1], fillers)[-1])
    log_mu = np.log(np.maximum(traced.layers[-1].mu.astype(np.float64), 1e-12))  # (tokens, units)
    last = len(subjects[1].split()) - 1  # the token of the subject's noun
    between = [len(prompt.split()) - last - 1 for prompt in prompts(subjects[1], fillers)]
    kept = [float(np.exp(log_mu[last + 1 : last + 1 + count].sum(0)).mean()) for count in between]
    return Agreement(tuple(between), tuple(one), tuple(many), tuple(kept))


def _share_of_many(checkpoint: Checkpoint, prompt: str) -> float:
    found = next_words(checkpoint, prompt)
    for verb in (ONE, MANY):
        if verb not in found.words:
            raise ValueError(f"the model does not know the word {verb!r}: pick a language model of words")
    one, many = (float(found.log_probabilities[found.words.index(verb)]) for verb in (ONE, MANY))
    return float(1 / (1 + np.exp(one - many)))
