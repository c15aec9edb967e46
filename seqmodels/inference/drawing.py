"""How words are drawn from what a language model expects: one by one, or some drafts of a sentence, of which the best is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.inference.careful import TERMINAL, CarefulWriter, Mask
from seqmodels.text import EOS
from seqmodels.vocab import LanguageVocab

LONGEST_DRAFT = 60  # words of a sentence that has not ended by then
MOST_DRAFTS = 20
_FIRST_LOOK = 64  # words among which the likeliest that hold a share are looked for first

Place = TypeVar("Place")  # where a text is read on from, such as the state of a network
# rows of word ids, all as many, and where each is read on from (None: at the beginning of a paragraph)
# -> logits (rows, vocab) of the word after each row, and where each row is read on from
Reader = Callable[[list[list[int]], list[Place | None]], tuple[Tensor, list[Place]]]


@dataclass(frozen=True)
class Sampling:
    """How words are drawn: temperature 0 takes the most probable; top_k 0 and top_p 1 keep every word.

    Of each sentence some `drafts` are drawn, and of those that have room the one that the model finds likeliest for its length is
    kept; once none has room, the text ends. With one draft, a word stands once it is drawn. `careful` leaves out words that would
    spoil the text (see CarefulWriter). A model of characters heeds neither.
    """

    temperature: float = 0.6
    top_k: int = 0
    top_p: float = 0.9
    seed: int = 7
    careful: bool = True
    drafts: int = 8

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"temperature is {self.temperature}: give a number from 0 (always the most probable word) to 10")
        if self.top_k < 0:
            raise ValueError(f"top_k is {self.top_k}: give the number of words to choose from, or 0 for all")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}: give a share of the probability above 0 and up to 1")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: give a whole number from 0")
        if not 1 <= self.drafts <= MOST_DRAFTS:
            raise ValueError(f"drafts is {self.drafts}: give the number of drafts of a sentence, from 1 to {MOST_DRAFTS}")


@dataclass(frozen=True)
class GeneratedToken:
    """A drawn word, and its probability under the model at temperature 1. `<eos>` ends a paragraph."""

    text: str
    probability: float


def draw(
    vocabulary: LanguageVocab, read: Reader[Place], ids: list[int], *, max_tokens: int, sampling: Sampling | None
) -> Iterator[GeneratedToken]:
    """As `language.continue_text`, by whatever reads the ids of the prompt and each drawn word after them."""
    if max_tokens < 0:
        raise ValueError(f"max_tokens is {max_tokens}: give a number from 0")
    return _draw(vocabulary, read, ids, max_tokens, sampling or Sampling())


def adjusted(log_probabilities: NDArray[np.float32], sampling: Sampling, *, never: int | Mask | None = None) -> NDArray[np.float64]:
    """The distribution that is drawn from: temperature, then the top_k words, then the fewest words that hold top_p of the rest.

    Holtzman et al. 2020. `never` is an id that is left out, or a mask of ids.
    """
    scores = log_probabilities.astype(np.float64)
    if never is not None:
        scores[never] = -np.inf
    if sampling.temperature == 0:
        one_hot = np.zeros_like(scores)
        one_hot[scores.argmax()] = 1
        return one_hot
    with np.errstate(over="ignore"):  # by the least temperatures all but the best are infinitely far off
        scores = (scores - scores.max()) / sampling.temperature
    if 0 < sampling.top_k < len(scores):
        scores = _only(scores, _largest(scores, sampling.top_k)[: sampling.top_k], -np.inf)
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum()
    if sampling.top_p < 1:
        probabilities = _only(probabilities, _nucleus(probabilities, sampling.top_p), 0)
        probabilities /= probabilities.sum()
    return probabilities


@dataclass(eq=False)
class _Draft(Generic[Place]):
    """Words drawn after a text, up to the end of a sentence."""

    expected: NDArray[np.float32]  # log-probabilities (vocab,) of the next word
    place: Place  # where that is read on from
    writer: CarefulWriter | None
    words: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)

    def add(self, vocabulary: LanguageVocab, sampling: Sampling, random: np.random.Generator) -> None:
        never = vocabulary.words.unk if self.writer is None else self.writer.spoiling()
        probabilities = adjusted(self.expected, sampling, never=never)
        possible = np.flatnonzero(probabilities)
        drawn = int(random.choice(possible, p=probabilities[possible]))
        if self.writer is not None:
            self.writer.read(drawn)
        self.words.append(drawn)
        self.log_probabilities.append(float(self.expected[drawn]))

    def ended(self, vocabulary: LanguageVocab) -> bool:
        """Whether a sentence has ended: the end of the paragraph before it is none, unless that is the end of all."""
        last = vocabulary.words.tokens[self.words[-1]]
        return last in TERMINAL or (last == EOS and (len(self.words) > 1 or bool(vocabulary.conditions)))

    def fits(self, vocabulary: LanguageVocab, left: int) -> bool:
        """Whether a sentence has ended within so many words, with room to close what is open."""
        if not self.ended(vocabulary):
            return False
        unclosed = [] if self.writer is None else self.writer.unclosed()
        return len(self.words) + len(unclosed) <= left

    def score(self, words: int | None = None) -> float:
        """How likely it is for its length, or could be with so many words at most: log p / sqrt(words).

        By log p the shortest is the best, and by its mean a slip in a long sentence hardly counts. Wu et al. 2016 divide by a power
        of the length too.
        """
        return sum(self.log_probabilities) / math.sqrt(words or len(self.words))


def _draw(
    vocabulary: LanguageVocab, read: Reader[Place], unread: list[int], left: int, sampling: Sampling
) -> Iterator[GeneratedToken]:
    random, tokens = np.random.default_rng(sampling.seed), vocabulary.words.tokens
    by_words = vocabulary.unit == "word"
    writer = CarefulWriter(vocabulary, unread) if sampling.careful and by_words else None
    by_sentences = by_words and sampling.drafts > 1
    # all drafts of the most probable words would be the same
    drafts = sampling.drafts if by_sentences and sampling.temperature and sampling.top_k != 1 else 1
    place: Place | None = None
    whole = False  # whether the text so far is whole sentences
    while left:
        (expected,), (begun,) = _read(read, [unread], [place])
        versions = [_Draft(expected, begun, writer and writer.branch()) for _ in range(drafts)]
        best = _best(vocabulary, read, versions, left if by_sentences else 1, sampling, random)
        ends = best.ended(vocabulary)
        if whole and (ends or len(best.words) == left) and not best.fits(vocabulary, left):  # there is no room for one more
            if writer is None or not (unclosed := writer.unclosed()):
                return
            closing = unclosed[0]
            writer.read(closing)
            yield GeneratedToken(tokens[closing], float(np.exp(expected[closing])))
            unread, place, left = [closing], begun, left - 1
            continue
        whole = by_sentences and ends
        for word, log_probability in zip(best.words, best.log_probabilities, strict=True):
            if writer is not None:
                writer.read(word)
            yield GeneratedToken(tokens[word], float(np.exp(log_probability)))
        if best.words[-1] == vocabulary.eos and vocabulary.conditions:  # what comes next has a memory of its own to begin with
            return
        unread, place, left = best.words[-1:], best.place, left - len(best.words)


def _best(
    vocabulary: LanguageVocab,
    read: Reader[Place],
    drafts: list[_Draft[Place]],
    left: int,
    sampling: Sampling,
    random: np.random.Generator,
) -> _Draft[Place]:
    """The drafts are written, with so many words at most: the best of those that have room for their sentence, else of all."""
    going, done, cut = drafts, list[_Draft[Place]](), list[_Draft[Place]]()
    most = min(left, LONGEST_DRAFT)
    while going:
        for draft in going:
            draft.add(vocabulary, sampling, random)
        done += [draft for draft in going if draft.fits(vocabulary, left)]
        cut += [draft for draft in going if draft not in done and (len(draft.words) == most or draft.ended(vocabulary))]
        bar = max((draft.score() for draft in done), default=-math.inf)
        # one that could not reach the bar, however it went on, is left as it is
        going = [draft for draft in going if draft not in (*done, *cut) and draft.score(most) > bar]
        if going:
            following, places = _read(read, [draft.words[-1:] for draft in going], [draft.place for draft in going])
            for draft, expected, place in zip(going, following, places, strict=True):
                draft.expected, draft.place = expected, place
    return max(done or cut, key=lambda draft: draft.score())


def _read(read: Reader[Place], rows: list[list[int]], after: list[Place | None]) -> tuple[list[NDArray[np.float32]], list[Place]]:
    """Log-probabilities (vocab,) of the word after each row, and where each row is read on from."""
    with torch.inference_mode():  # here and not around a yield, which would leave it on for the caller
        logits, places = read(rows, after)
        return list(torch.log_softmax(logits, dim=-1).numpy()), places


def _nucleus(probabilities: NDArray[np.float64], share: float) -> NDArray[np.intp]:
    """The fewest words that hold so much of the probability, the likeliest first."""
    count = _FIRST_LOOK
    while True:
        order = _largest(probabilities, count)
        held = np.cumsum(probabilities[order])
        if held[-1] >= share or len(order) == len(probabilities):
            return order[: int(np.searchsorted(held, share)) + 1]
        count *= 8


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Where the `count` largest are, the largest first, equals in their order; all that equal the last of them are there too.

    As a stable sort of all has it, which takes most of the time of a word.
    """
    among = np.arange(len(values)) if count >= len(values) else np.flatnonzero(values >= np.partition(values, -count)[-count])
    return among[np.argsort(-values[among], kind="stable")]


def _only(values: NDArray[np.float64], kept: NDArray[np.intp], other: float) -> NDArray[np.float64]:
    """Those that are kept, in their places."""
    found = np.full_like(values, other)
    found[kept] = values[kept]
    return found
