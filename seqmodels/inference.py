"""Text in, tags or words out: plain dataclasses, no tensors (but for `Encoded`, which traces read)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqmodels import text as text_module
from seqmodels.checkpoints import Checkpoint
from seqmodels.decoding import Scheme, spans
from seqmodels.metrics import perplexity
from seqmodels.models import LanguageModel, Tagger
from seqmodels.recurrence import State
from seqmodels.tasks.language import EVALUATION_CHUNK
from seqmodels.tasks.tagging import tag_probabilities
from seqmodels.text import Token
from seqmodels.vocab import EOS, LanguageVocab, TaggerVocab

ALTERNATIVES = 3


@dataclass(frozen=True)
class TaggedToken:
    """A token of the text, text[start:end]; its tag, with that tag's probability, and the three most probable tags."""

    text: str
    start: int
    end: int
    tag: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Entity:
    """A span of the text, text[start:end]; the probability is that of its least certain token."""

    text: str
    start: int
    end: int
    label: str
    probability: float


@dataclass(frozen=True)
class Tagging:
    """A tagged text. `sentences` holds (first token, one past the last token) of each."""

    text: str
    task: str
    cell: str
    tokens: tuple[TaggedToken, ...]
    entities: tuple[Entity, ...]
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class NextWords:
    """The full next-word distribution after a text: log-probabilities at temperature 1, in the order of `words`."""

    words: tuple[str, ...]
    log_probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Sampling:
    """How a next word is drawn: temperature 0 takes the most probable; top_k 0 and top_p 1 keep every word."""

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 7

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


@dataclass(frozen=True)
class Encoded:
    """One pass of a network over a text as one sequence: what its recurrent layers read and gave."""

    text: str
    tokens: tuple[Token, ...]
    inputs: Tensor  # (time, input)
    outputs: list[Tensor]  # each layer's (time, output_size)


def tag(checkpoint: Checkpoint, text: str) -> Tagging:
    """Tag a text of any length, sentence by sentence. ValueError if it holds no words."""
    model, vocabulary = _tagger(checkpoint)
    sentences = text_module.sentences(text)
    if not sentences:
        raise ValueError("there are no words in this text: type a sentence")
    words = [[token.text for token in sentence] for sentence in sentences]
    return _tagging(checkpoint, text, sentences, tag_probabilities(model, vocabulary, words, checkpoint.info.temperature))


@torch.inference_mode()
def tag_encoded(checkpoint: Checkpoint, encoded: Encoded) -> Tagging:
    """The tags of a text read as one sequence, from a pass already made."""
    model, _ = _tagger(checkpoint)
    probabilities = torch.softmax(model.head(encoded.outputs[-1]) / checkpoint.info.temperature, dim=-1).numpy()
    return _tagging(checkpoint, encoded.text, [list(encoded.tokens)], [probabilities])


@torch.inference_mode()
def encode(checkpoint: Checkpoint, text: str) -> Encoded:
    """One pass over the text as one sequence. For a language model the first token is `<eos>`, which starts a paragraph."""
    tokens = text_module.tokenize(text)
    if not tokens:
        raise ValueError("there are no words in this text: type a sentence")
    words = [token.text for token in tokens]
    if isinstance(checkpoint.vocabulary, LanguageVocab):
        assert isinstance(checkpoint.model, LanguageModel)
        tokens = [Token(EOS, 0, 0), *_paragraphs(text)]
        ids = torch.tensor([checkpoint.vocabulary.words.ids(token.text for token in tokens)])
        inputs = checkpoint.model.embedding(ids)
    else:
        assert isinstance(checkpoint.model, Tagger)
        inputs = checkpoint.model.features(checkpoint.vocabulary.batch([words]))
    outputs, _ = checkpoint.model.recurrent.layer_outputs(inputs)
    return Encoded(text, tuple(tokens), inputs[0], [output[0] for output in outputs])


@torch.inference_mode()
def next_words(checkpoint: Checkpoint, prompt: str) -> NextWords:
    """The distribution of the word after the prompt."""
    model, vocabulary = _language_model(checkpoint)
    logits, _ = _read(model, vocabulary, prompt)
    return NextWords(vocabulary.words.tokens, torch.log_softmax(logits, dim=-1).numpy())


@torch.inference_mode()
def score_prompt(checkpoint: Checkpoint, prompt: str) -> PromptScore:
    """Each word's surprisal given the words before it, read from the start of a paragraph. Of an empty prompt: no words.

    A blank line ends a paragraph, and its `<eos>` is scored too.
    """
    model, vocabulary = _language_model(checkpoint)
    tokens = _paragraphs(prompt)
    if not tokens:
        return PromptScore((), float("nan"))
    ids = torch.tensor(vocabulary.words.ids(token.text for token in tokens))
    outputs, _ = model.states(torch.cat([torch.tensor([vocabulary.eos]), ids[:-1]]).unsqueeze(0))
    # in pieces: the logits of ten thousand words at once would fill half a gigabyte
    pieces = zip(outputs[0].split(EVALUATION_CHUNK), ids.split(EVALUATION_CHUNK), strict=True)
    nats = torch.cat([F.cross_entropy(model.logits(output), wanted, reduction="none") for output, wanted in pieces])
    scored = tuple(
        ScoredToken(token.text, token.start, token.end, value / np.log(2), token.text in vocabulary.words)
        for token, value in zip(tokens, nats.tolist(), strict=True)
    )
    return PromptScore(scored, perplexity(float(nats.sum()), len(tokens)))


def continue_text(
    checkpoint: Checkpoint, prompt: str, *, max_tokens: int = 40, sampling: Sampling | None = None
) -> Iterator[GeneratedToken]:
    """Words drawn one after the other; the same seed gives the same words. `<unk>` is never drawn.

    An empty prompt starts a paragraph.
    """
    if max_tokens < 0:
        raise ValueError(f"max_tokens is {max_tokens}: give a number from 0")
    model, vocabulary = _language_model(checkpoint)
    return _draw(model, vocabulary, prompt, max_tokens, sampling or Sampling())


def accept(prompt: str, words: Sequence[str]) -> str:
    """The prompt with words taken from a distribution or a continuation, spaced so that the model reads just these words next."""
    return text_module.extend(prompt, words)


def adjusted(log_probabilities: NDArray[np.float32], sampling: Sampling, *, never: int | None = None) -> NDArray[np.float64]:
    """The distribution that is drawn from: temperature, then the top_k words, then the fewest words that hold top_p of the rest.

    Holtzman et al. 2020. `never` is an id that is left out.
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
        scores[np.argsort(-scores, kind="stable")[sampling.top_k :]] = -np.inf
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum()
    if sampling.top_p < 1:
        order = np.argsort(-probabilities, kind="stable")
        kept = int(np.searchsorted(np.cumsum(probabilities[order]), sampling.top_p)) + 1
        probabilities[order[kept:]] = 0
        probabilities /= probabilities.sum()
    return probabilities


def _draw(
    model: LanguageModel, vocabulary: LanguageVocab, prompt: str, max_tokens: int, sampling: Sampling
) -> Iterator[GeneratedToken]:
    random = np.random.default_rng(sampling.seed)
    logits, state = _read(model, vocabulary, prompt)
    for _ in range(max_tokens):
        with torch.inference_mode():  # not around the yield, which would leave it on for the caller
            log_probabilities = torch.log_softmax(logits, dim=-1).numpy()
            probabilities = adjusted(log_probabilities, sampling, never=vocabulary.words.unk)
            drawn = int(random.choice(len(probabilities), p=probabilities))
            stepped, state = model(torch.tensor([[drawn]]), state)
            logits = stepped[0, -1]
        yield GeneratedToken(vocabulary.words.tokens[drawn], float(np.exp(log_probabilities[drawn])))


@torch.inference_mode()
def _read(model: LanguageModel, vocabulary: LanguageVocab, prompt: str) -> tuple[Tensor, State]:
    """The logits (vocab,) after a prompt, read from the start of a paragraph, and the state there."""
    ids = [vocabulary.eos, *vocabulary.words.ids(token.text for token in _paragraphs(prompt))]
    outputs, state = model.states(torch.tensor([ids]))
    return model.logits(outputs[0, -1]), state


def _paragraphs(text: str) -> list[Token]:
    """The tokens that a language model reads: a blank line is an `<eos>`, as it was in training."""
    found: list[Token] = []
    for token in text_module.tokenize(text):
        if found and _is_blank_line(text[found[-1].end : token.start]):
            found.append(Token(EOS, found[-1].end, token.start))
        found.append(token)
    if found and _is_blank_line(text[found[-1].end :]):
        found.append(Token(EOS, found[-1].end, len(text)))
    return found


def _is_blank_line(gap: str) -> bool:
    return gap.count("\n") > 1


def _tagging(
    checkpoint: Checkpoint, text: str, sentences: Sequence[Sequence[Token]], probabilities: Sequence[NDArray[np.float32]]
) -> Tagging:
    assert isinstance(checkpoint.vocabulary, TaggerVocab)
    tags = checkpoint.vocabulary.tags
    scheme = Scheme(tags)
    tokens: list[TaggedToken] = []
    entities: list[Entity] = []
    bounds: list[tuple[int, int]] = []
    for sentence, alone in zip(sentences, probabilities, strict=True):
        best = scheme.best(alone)
        shares = scheme.marginals(alone)
        top = np.argsort(-shares, axis=1, kind="stable")[:, :ALTERNATIVES].tolist()
        first = len(tokens)
        for token, chosen, ranked, share in zip(sentence, best, top, shares.tolist(), strict=True):
            alternatives = tuple((tags[tag_id], share[tag_id]) for tag_id in ranked)
            tokens.append(TaggedToken(token.text, token.start, token.end, tags[chosen], share[chosen], alternatives))
        bounds.append((first, len(tokens)))
        for span in spans([tags[chosen] for chosen in best]):
            inside = tokens[first + span.first : first + span.last + 1]
            start, end = inside[0].start, inside[-1].end
            entities.append(Entity(text[start:end], start, end, span.label, min(token.probability for token in inside)))
    return Tagging(text, checkpoint.info.task, checkpoint.info.cell, tuple(tokens), tuple(entities), tuple(bounds))


def _tagger(checkpoint: Checkpoint) -> tuple[Tagger, TaggerVocab]:
    if not isinstance(checkpoint.model, Tagger) or not isinstance(checkpoint.vocabulary, TaggerVocab):
        raise ValueError(f"{checkpoint.name} is a language model: pick a tagger, such as pos-gru")
    return checkpoint.model, checkpoint.vocabulary


def _language_model(checkpoint: Checkpoint) -> tuple[LanguageModel, LanguageVocab]:
    if not isinstance(checkpoint.model, LanguageModel) or not isinstance(checkpoint.vocabulary, LanguageVocab):
        raise ValueError(f"{checkpoint.name} is a tagger: pick a language model, such as lm-gru")
    return checkpoint.model, checkpoint.vocabulary
