"""Text in, words out: what a language model expects, draws, and is surprised by. Plain dataclasses, no tensors.

A word is a character where the model reads character by character.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.careful import CarefulWriter, Mask
from seqmodels.inference.encoding import as_language_model, finite
from seqmodels.metrics import perplexity
from seqmodels.recurrence import State
from seqmodels.tasks.language import EVALUATION_CHUNK
from seqmodels.text import EOS, Unit
from seqmodels.vocab import LANGUAGE_VOCABS, LanguageBatch, LanguageVocab

_FIRST_LOOK = 64  # words among which the likeliest that hold a share are looked for first
MOST_LOGITS = 25_000_000  # at a time, 100 MB: with a larger vocabulary, of fewer words
Reader = Callable[[list[int]], Tensor]  # reads on from where it stopped: word ids -> logits (vocab,) of the word after them


@dataclass(frozen=True)
class NextWords:
    """The full next-word distribution after a text: log-probabilities at temperature 1, in the order of `words`."""

    words: tuple[str, ...]
    log_probabilities: NDArray[np.float32]
    unit: Unit = "word"
    spoiling: Mask | None = None  # the words that would spoil the text, where that is known


@dataclass(frozen=True)
class Sampling:
    """How a next word is drawn: temperature 0 takes the most probable; top_k 0 and top_p 1 keep every word.

    `careful` leaves out words that would spoil the text (see CarefulWriter); of a model of characters it leaves out nothing.
    """

    temperature: float = 0.6
    top_k: int = 0
    top_p: float = 0.9
    seed: int = 7
    careful: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"temperature is {self.temperature}: give a number from 0 (always the most probable word) to 10")
        if self.top_k < 0:
            raise ValueError(f"top_k is {self.top_k}: give the number of words to choose from, or 0 for all")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}: give a share of the probability above 0 and up to 1")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: give a whole number from 0")


@dataclass(frozen=True)
class GeneratedToken:
    """A drawn word, and its probability under the model at temperature 1. `<eos>` ends a paragraph."""

    text: str
    probability: float


@dataclass(frozen=True)
class ScoredToken:
    """A word of the prompt; `surprisal` in bits is -log2 of its probability; `known` says whether it is in the vocabulary."""

    text: str
    start: int
    end: int
    surprisal: float
    known: bool


@dataclass(frozen=True)
class PromptScore:
    """How the model finds a text: each word's surprisal, and the perplexity over them."""

    tokens: tuple[ScoredToken, ...]
    perplexity: float
    unit: Unit = "word"

    @property
    def unknown_share(self) -> float:
        """The share of the text's words that are not in the vocabulary, from 0 to 1; the end of a paragraph is no word."""
        words = [token for token in self.tokens if token.text != EOS]
        return sum(not token.known for token in words) / max(len(words), 1)

    @property
    def bits(self) -> float:
        """The mean surprisal: for a model of characters, bits per character."""
        return math.log2(self.perplexity)


def unit_of(checkpoint: Checkpoint) -> Unit:
    """What the language model reads and writes one by one."""
    return as_language_model(checkpoint)[1].unit


@torch.inference_mode()
def next_words(checkpoint: Checkpoint, prompt: str) -> NextWords:
    """The distribution of the word after the prompt: log_probabilities (vocab,) in nats, of the words in the same order.

    A word is a character for a model of characters. An empty prompt starts a paragraph. ValueError if the model is no language
    model.
    """
    _, vocabulary = as_language_model(checkpoint)
    ids = _prompt_ids(vocabulary, prompt)
    spoiling = CarefulWriter(vocabulary, ids).spoiling() if vocabulary.unit == "word" else None
    return replace(expected(vocabulary, reader(checkpoint)(ids)), spoiling=spoiling)


def expected(vocabulary: LanguageVocab, logits: Tensor) -> NextWords:
    """logits (vocab,) -> the distribution they stand for."""
    return NextWords(vocabulary.words.tokens, torch.log_softmax(logits, dim=-1).numpy(), vocabulary.unit)


@torch.inference_mode()
def score_prompt(checkpoint: Checkpoint, prompt: str) -> PromptScore:
    """Each word's surprisal in bits given the words before it, read from the start of a paragraph, and the perplexity over them.

    A blank line ends a paragraph, and its `<eos>` is scored too. Of an empty prompt: no words, and a perplexity of nan. ValueError
    if the model is no language model.
    """
    model, vocabulary = as_language_model(checkpoint)
    tokens = vocabulary.read(prompt)
    if not tokens:
        return PromptScore((), float("nan"), vocabulary.unit)
    ids = torch.tensor(vocabulary.words.ids(token.text for token in tokens))
    given = torch.cat([torch.tensor([vocabulary.eos]), ids[:-1]])
    losses, state = [], checkpoint.initial_state()
    # in pieces: the logits of ten thousand words at once would fill half a gigabyte
    piece = min(EVALUATION_CHUNK, max(1, MOST_LOGITS // len(vocabulary.targets)))
    for read, wanted in zip(given.split(piece), ids.split(piece), strict=True):
        outputs, state = model.states(LanguageBatch(read.unsqueeze(0)), state)
        losses.append(F.cross_entropy(model.logits(outputs[0]), wanted, reduction="none"))
    nats = finite(checkpoint, torch.cat(losses))
    scored = tuple(
        ScoredToken(token.text, token.start, token.end, value / math.log(2), token.text in vocabulary.words)
        for token, value in zip(tokens, nats.tolist(), strict=True)
    )
    return PromptScore(scored, perplexity(float(nats.sum()), len(tokens)), vocabulary.unit)


def continue_text(
    checkpoint: Checkpoint, prompt: str, *, max_tokens: int = 40, sampling: Sampling | None = None
) -> Iterator[GeneratedToken]:
    """Words drawn one after the other, each as it is drawn; the same seed gives the same words. `<unk>` is never drawn.

    A probability is the model's own, from 0 to 1, whatever the sampling (temperature, top_k, and top_p of Holtzman et al. 2020). An
    empty prompt starts a paragraph; of a model with conditions the first `<eos>` is the end. ValueError if the model is no language
    model, or a setting is out of its range.
    """
    _, vocabulary = as_language_model(checkpoint)
    return draw(vocabulary, reader(checkpoint), prompt, max_tokens=max_tokens, sampling=sampling)


def draw(
    vocabulary: LanguageVocab, read: Reader, prompt: str, *, max_tokens: int, sampling: Sampling | None
) -> Iterator[GeneratedToken]:
    """As `continue_text`, by whatever reads the prompt and each drawn word after it."""
    if max_tokens < 0:
        raise ValueError(f"max_tokens is {max_tokens}: give a number from 0")
    return _draw(vocabulary, read, _prompt_ids(vocabulary, prompt), max_tokens, sampling or Sampling())


def accept(prompt: str, words: Sequence[str], unit: Unit = "word") -> str:
    """The prompt with words taken from a distribution or a continuation, spaced so that the model reads just these words next."""
    return LANGUAGE_VOCABS[unit].extend(prompt, words)


def take_back(prompt: str, unit: Unit = "word") -> str:
    """The prompt without its last word."""
    return LANGUAGE_VOCABS[unit].take_back(prompt)


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
    scores = (scores - scores.max()) / sampling.temperature
    if 0 < sampling.top_k < len(scores):
        scores = _only(scores, _largest(scores, sampling.top_k)[: sampling.top_k], -np.inf)
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum()
    if sampling.top_p < 1:
        probabilities = _only(probabilities, _nucleus(probabilities, sampling.top_p), 0)
        probabilities /= probabilities.sum()
    return probabilities


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


def reader(checkpoint: Checkpoint, state: State | None = None) -> Reader:
    """A language model on the fused kernels: at the start of a paragraph, unless it is given another state to go on from."""
    model, _ = as_language_model(checkpoint)
    state = checkpoint.initial_state() if state is None else state

    def read(ids: list[int]) -> Tensor:
        nonlocal state
        for piece in torch.tensor([ids]).split(EVALUATION_CHUNK, dim=1):
            outputs, state = model.states(LanguageBatch(piece), state)
        return finite(checkpoint, model.logits(outputs[0, -1]))

    return read


def _draw(
    vocabulary: LanguageVocab, read: Reader, unread: list[int], max_tokens: int, sampling: Sampling
) -> Iterator[GeneratedToken]:
    random = np.random.default_rng(sampling.seed)
    writer = CarefulWriter(vocabulary, unread) if sampling.careful and vocabulary.unit == "word" else None
    for _ in range(max_tokens):
        with torch.inference_mode():  # not around the yield, which would leave it on for the caller
            log_probabilities = torch.log_softmax(read(unread), dim=-1).numpy()
        never = vocabulary.words.unk if writer is None else writer.spoiling()
        probabilities = adjusted(log_probabilities, sampling, never=never)
        possible = np.flatnonzero(probabilities)
        drawn = int(random.choice(possible, p=probabilities[possible]))
        if writer is not None:
            writer.read(drawn)
        unread = [drawn]
        yield GeneratedToken(vocabulary.words.tokens[drawn], float(np.exp(log_probabilities[drawn])))
        if drawn == vocabulary.eos and vocabulary.conditions:  # what comes next has a memory of its own to begin with
            return


def _prompt_ids(vocabulary: LanguageVocab, prompt: str) -> list[int]:
    """A prompt as read from the start of a paragraph."""
    return [vocabulary.eos, *vocabulary.words.ids(token.text for token in vocabulary.read(prompt))]
