"""Text in, words out: what a language model expects, draws, and is surprised by. Plain dataclasses, no tensors.

A word is a character where the model reads character by character.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.careful import CarefulWriter, Mask
from seqmodels.inference.drawing import GeneratedToken, Reader, Sampling, draw
from seqmodels.inference.encoding import as_language_model, finite
from seqmodels.metrics import perplexity
from seqmodels.recurrence import State
from seqmodels.tasks.language import EVALUATION_CHUNK
from seqmodels.text import EOS, Unit
from seqmodels.vocab import LANGUAGE_VOCABS, LanguageBatch, LanguageVocab

MOST_LOGITS = 25_000_000  # at a time, 100 MB: with a larger vocabulary, of fewer words


@dataclass(frozen=True)
class NextWords:
    """The full next-word distribution after a text: log-probabilities at temperature 1, in the order of `words`."""

    words: tuple[str, ...]
    log_probabilities: NDArray[np.float32]
    unit: Unit = "word"
    spoiling: Mask | None = None  # the words that would spoil the text, where that is known


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
    ids = prompt_ids(vocabulary, prompt)
    spoiling = CarefulWriter(vocabulary, ids).spoiling() if vocabulary.unit == "word" else None
    (logits,), _ = reader(checkpoint)([ids], [None])
    return replace(expected(vocabulary, logits), spoiling=spoiling)


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
    """Words drawn one after the other, each as soon as it stands; the same seed gives the same words. `<unk>` is never drawn.

    There are `max_tokens` at most: where sentences are drafted, a text ends with the last that has room.

    A probability is the model's own, from 0 to 1, whatever the sampling (temperature, top_k, and top_p of Holtzman et al. 2020). An
    empty prompt starts a paragraph; of a model with conditions the first `<eos>` is the end. ValueError if the model is no language
    model, or a setting is out of its range.
    """
    _, vocabulary = as_language_model(checkpoint)
    return draw(vocabulary, reader(checkpoint), prompt_ids(vocabulary, prompt), max_tokens=max_tokens, sampling=sampling)


def accept(prompt: str, words: Sequence[str], unit: Unit = "word") -> str:
    """The prompt with words taken from a distribution or a continuation, spaced so that the model reads just these words next."""
    return LANGUAGE_VOCABS[unit].extend(prompt, words)


def take_back(prompt: str, unit: Unit = "word") -> str:
    """The prompt without its last word."""
    return LANGUAGE_VOCABS[unit].take_back(prompt)


def reader(checkpoint: Checkpoint) -> Reader[State]:
    """A language model on the fused kernels; a place is a state, (layers, 1, 1, hidden) a part."""
    model, _ = as_language_model(checkpoint)
    start = checkpoint.initial_state()

    def read(rows: list[list[int]], after: list[State | None]) -> tuple[Tensor, list[State]]:
        begun = [start if place is None else place for place in after]
        known = [place for place in begun if place is not None]
        state = tuple(torch.cat(parts, dim=2) for parts in zip(*known, strict=True)) if known else None
        for piece in torch.tensor(rows).split(EVALUATION_CHUNK, dim=1):
            outputs, state = model.states(LanguageBatch(piece), state)
        assert state is not None
        logits = finite(checkpoint, model.logits(outputs[:, -1]))
        return logits, list(zip(*(part.split(1, dim=2) for part in state), strict=True))

    return read


def prompt_ids(vocabulary: LanguageVocab, prompt: str) -> list[int]:
    """A prompt as read from the start of a paragraph."""
    return [vocabulary.eos, *vocabulary.words.ids(token.text for token in vocabulary.read(prompt))]
