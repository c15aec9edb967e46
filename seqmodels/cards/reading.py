"""What a model says of every word of a split, and the figures that follow from it: of taggers, and of language models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from seqmodels.cards.record import FREQUENCY, Band, Error, Example, Result
from seqmodels.cards.scoring import Answer, answers, calibration, confusion, kinds, span_calibration, tallies
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import Sentence
from seqmodels.inference.encoding import as_language_model, as_tagger
from seqmodels.tasks import LanguageTask
from seqmodels.tasks.tagging_probabilities import tag_probabilities
from seqmodels.text import join, words

ERRORS = 8  # kinds of errors on a card
LONGEST_QUOTED = 25  # words of a sentence that is quoted
LEAST_QUOTED = 4

_DECADES = (10, 100, 1_000, 10_000)  # ranks by frequency


class Reading(ABC):
    """A checkpoint's words on a split: `said` and `gold` hold one entry a word, and can be compared."""

    checkpoint: Checkpoint
    said: NDArray[Any]
    gold: NDArray[Any]

    @classmethod
    @abstractmethod
    def of(cls, checkpoint: Checkpoint, items: list[Any]) -> Self:
        """Let the model read a split."""

    @property
    @abstractmethod
    def result(self) -> Result:
        """The figures."""

    @property
    def errors(self) -> tuple[Error, ...]:
        """The most frequent ones, if there are kinds of them."""
        return ()


@dataclass(frozen=True)
class TagReading(Reading):
    """Tags of sentences; `sure` has the probability of each tag, as `inference.tag` gives it."""

    checkpoint: Checkpoint
    sentences: list[Sentence]
    guesses: list[list[str]]
    sure: list[NDArray[np.float64]]

    @classmethod
    def of(cls, checkpoint: Checkpoint, items: list[Sentence]) -> Self:
        guesses, sure = tags_of(checkpoint, [sentence.words for sentence in items])
        return cls(checkpoint, items, guesses, sure)

    @cached_property
    def said(self) -> NDArray[Any]:  # type: ignore[override]
        return np.array([tag for guess in self.guesses for tag in guess])

    @cached_property
    def gold(self) -> NDArray[Any]:  # type: ignore[override]
        return np.array([tag for sentence in self.sentences for tag in sentence.tags])

    @property
    def of_spans(self) -> bool:
        return any(tag.startswith("B-") for tag in self.checkpoint.targets)

    @cached_property
    def answers(self) -> list[list[Answer]]:
        """Those of each sentence."""
        rows = zip(self.sentences, self.guesses, self.sure, strict=True)
        return [answers(sentence.tags, guess, sure, of_spans=self.of_spans) for sentence, guess, sure in rows]

    @property
    def result(self) -> Result:
        gold, of_spans = [sentence.tags for sentence in self.sentences], self.of_spans
        labels = kinds(self.checkpoint.targets, of_spans=of_spans)
        task: Any = self.checkpoint.task
        calibrations = [calibration("words", np.concatenate(self.sure), self.said == self.gold)]
        if of_spans:
            found = list(zip(gold, self.guesses, self.sure, strict=True))
            calibrations.insert(0, span_calibration(found, self.checkpoint.info.span_odds))
        return Result(
            sentences=len(gold),
            tokens=len(self.gold),
            scores={**task.metrics(gold, self.guesses), **task.facts(self.checkpoint.vocabulary, self.sentences)},
            tallies=tallies(labels, gold, self.guesses, of_spans=of_spans),
            confusion=confusion(labels, [answer for found in self.answers for answer in found], of_spans=of_spans),
            calibrations=tuple(calibrations),
        )

    @property
    def errors(self) -> tuple[Error, ...]:
        """The most frequent ones; the example is a short sentence in which the model is as sure of it as anywhere."""
        wrong: dict[tuple[str, str], list[tuple[Sentence, Answer]]] = {}
        for sentence, found in zip(self.sentences, self.answers, strict=True):
            for answer in found:
                if not answer.right:
                    wrong.setdefault((answer.gold, answer.predicted), []).append((sentence, answer))
        often = sorted(wrong.items(), key=lambda item: -len(item[1]))[:ERRORS]
        return tuple(Error(gold, predicted, len(cases), _example(cases)) for (gold, predicted), cases in often)


def tags_of(checkpoint: Checkpoint, sentences: Sequence[Sequence[str]]) -> tuple[list[list[str]], list[NDArray[np.float64]]]:
    """The tags of each sentence and their probabilities, decoded and calibrated as those that a user gets."""
    model, vocabulary = as_tagger(checkpoint)
    rules, found = model.rules(vocabulary.tags), tag_probabilities(model, vocabulary, sentences)
    chosen = rules.best(found)
    guesses = [[vocabulary.tags[tag] for tag in best] for best in chosen]
    both = zip(rules.marginals(found), chosen, strict=True)
    return guesses, [np.asarray(shares[np.arange(len(best)), best], dtype=np.float64) for shares, best in both]


def _example(cases: Sequence[tuple[Sentence, Answer]]) -> Example | None:
    for sentence, answer in sorted(cases, key=lambda case: -case[1].probability):
        text = quotable(sentence.words)
        if text is not None:
            return Example(text, join(sentence.words[answer.first : answer.last + 1]))
    return None


def quotable(tokens: Sequence[str]) -> str | None:
    """The sentence as text, if it is of a length to be quoted, and is read as the same words."""
    if not LEAST_QUOTED <= len(tokens) <= LONGEST_QUOTED:
        return None
    text = join(tokens)
    return text if words(text) == list(tokens) else None


@dataclass(frozen=True)
class LanguageReading(Reading):
    """The word that is expected most at each place, and the probabilities of it and of the word that came."""

    checkpoint: Checkpoint
    paragraphs: list[Any]
    said: NDArray[np.int64]
    gold: NDArray[np.int64]
    sure: NDArray[np.float64]
    surprise: NDArray[np.float64]  # nats

    @classmethod
    @torch.inference_mode()
    def of(cls, checkpoint: Checkpoint, items: list[Any]) -> Self:
        model, vocabulary = as_language_model(checkpoint)
        task = checkpoint.task
        assert isinstance(task, LanguageTask)
        parts: list[tuple[torch.Tensor, ...]] = []
        for logits, came in task.predictions(model, vocabulary, items):
            whole = logits.logsumexp(dim=-1)  # as log_softmax, without another array of that size
            best, said = logits.max(dim=-1)
            chosen = logits.gather(-1, came.unsqueeze(-1)).squeeze(-1)
            parts.append((said, came, (best - whole).double().exp(), (whole - chosen).double()))
        said, gold, sure, surprise = (torch.cat(part) for part in zip(*parts, strict=True))
        return cls(checkpoint, items, said.numpy(), gold.numpy(), sure.numpy(), surprise.numpy())

    @property
    def result(self) -> Result:
        task: Any = self.checkpoint.task
        return Result(
            sentences=len(self.paragraphs),
            tokens=len(self.gold),
            scores={
                **task.metrics(float(self.surprise.sum()), len(self.gold)),
                **task.facts(self.checkpoint.vocabulary, self.paragraphs),
            },
            bands=self._bands(),
            banded_by=task.condition or FREQUENCY,
            calibrations=(calibration(f"next {task.unit}s", self.sure, self.said == self.gold),),
        )

    def _bands(self) -> tuple[Band, ...]:
        """By the condition, where there are any, such as the language of a name; else by the rank of the word that came.

        What is no word of a text, such as `<eos>`, has a band for itself.
        """
        task: Any = self.checkpoint.task
        found = self._by_condition(task.conditions_of(self.paragraphs)) if self.checkpoint.conditions else self._by_rank()
        return tuple(
            Band(label, int(here.sum()), float(self.surprise[here].sum()), int((self.said == self.gold)[here].sum()))
            for label, here in found
            if here.any()
        )

    def _by_condition(self, conditions: Sequence[tuple[str, int]]) -> list[tuple[str, NDArray[np.bool_]]]:
        """conditions: that of each text, and how many of its words were asked for."""
        names = np.repeat(*map(np.array, zip(*conditions, strict=True)))  # (words,)
        return [(condition, names == condition) for condition in self.checkpoint.conditions]

    def _by_rank(self) -> list[tuple[str, NDArray[np.bool_]]]:
        targets = self.checkpoint.targets
        special = [index for index, token in enumerate(targets) if len(token) > 2 and token.startswith("<") and token.endswith(">")]
        ranks = np.ones(len(targets), dtype=np.int64)
        ranks[special] = 0
        ranks = np.cumsum(ranks) * ranks  # the list is sorted by frequency
        found = [(targets[index], self.gold == index) for index in special]
        low = 1
        for high in (*_DECADES, len(targets)):
            if low <= ranks.max():
                of_word = ranks[self.gold]
                found.append((f"rank {low:,} to {min(high, ranks.max()):,}", (low <= of_word) & (of_word <= high)))
            low = high + 1
        return found


READINGS: dict[str, type[Reading]] = {"tags": TagReading, "next token": LanguageReading}  # by what a task predicts
