"""Text in, tags out: plain dataclasses, no tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray

from seqmodels import text as text_module
from seqmodels.checkpoints import Checkpoint
from seqmodels.decoding import spans
from seqmodels.inference.encoding import NO_WORDS, Encoded, as_tagger, encode_once, finite, require
from seqmodels.tasks.tagging_probabilities import tag_probabilities
from seqmodels.text import Token

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
    """A span of the text, text[start:end]; its probability is told by that of its least certain token."""

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
    model: str = ""  # the name of your model

    @property
    def label(self) -> str:
        """The cell, or the name of your model: what tells this from others of the same text."""
        return self.model or self.cell

    @property
    def nbytes(self) -> int:
        """About what it takes in memory, without looking at each of its tokens: a kilobyte a token."""
        return 1000 * len(self.tokens)

    @property
    def of_spans(self) -> bool:
        """Whether its tags mark spans, as B-PER and I-PER do."""
        return any(tag[:2] in ("B-", "I-") for token in self.tokens for tag, _ in token.alternatives)

    def windows(self, longest: int) -> list[tuple[int, int]]:
        """The tokens in parts of at most `longest`, which end where sentences end; only a longer sentence is itself divided."""
        parts: list[tuple[int, int]] = []
        start = end = 0
        for first, last in self.sentences:
            if last - start > longest and end > start:
                parts.append((start, end))
                start = first
            while last - start > longest:
                parts.append((start, start + longest))
                start += longest
            end = last
        if end > start:
            parts.append((start, end))
        return parts


def differences(taggings: Sequence[Tagging]) -> list[int]:
    """The positions of the tokens that several taggings of one text tag differently."""
    rows = zip(*(tagging.tokens for tagging in taggings), strict=True)
    return [position for position, tokens in enumerate(rows) if len({token.tag for token in tokens}) > 1]


def tag(checkpoint: Checkpoint, text: str) -> Tagging:
    """Tag a text of any length, sentence by sentence: tokens and entities by their place in the text, in characters.

    A sentence ends after closing punctuation or at a blank line; a single line break is a space. Letters with their accents apart,
    and characters that no reader sees, change no tag.

    Probabilities are from 0 to 1, calibrated by one temperature (Guo et al. 2017). Entities are decoded so that no tags break their
    scheme. ValueError if the text holds no words, the model is no tagger, or it gives no finite numbers.
    """
    model, vocabulary = as_tagger(checkpoint)
    sentences = _sentences(text)
    if not sentences:
        raise ValueError(NO_WORDS)
    words = [[token.text for token in sentence] for sentence in sentences]
    encode = partial(encode_once, vocabulary)
    return _tagging(checkpoint, text, sentences, tag_probabilities(model, vocabulary, words, encode=encode))


@torch.inference_mode()
def tag_encoded(checkpoint: Checkpoint, encoded: Encoded) -> Tagging:
    """The tags of a text read as one sequence, from a pass already made."""
    require(checkpoint, "tags")
    probabilities = torch.softmax(checkpoint.model.logits(encoded.outputs[-1]), dim=-1).numpy()
    return _tagging(checkpoint, encoded.text, [list(encoded.tokens)], [probabilities])


@lru_cache(maxsize=1)
def _sentences(text: str) -> list[list[Token]]:
    """Of a text that several models read, one after the other; not to be changed."""
    return text_module.sentences(text)


def _tagging(
    checkpoint: Checkpoint, text: str, sentences: Sequence[Sequence[Token]], probabilities: Sequence[NDArray[np.float32]]
) -> Tagging:
    model, vocabulary = as_tagger(checkpoint)
    tags, rules, odds = vocabulary.tags, model.rules(vocabulary.tags), checkpoint.info.span_odds
    marginals = rules.marginals(probabilities)
    for shares in marginals:
        finite(checkpoint, torch.from_numpy(shares))
    tokens: list[TaggedToken] = []
    entities: list[Entity] = []
    bounds: list[tuple[int, int]] = []
    for sentence, best, shares in zip(sentences, rules.best(probabilities), marginals, strict=True):
        top = np.argsort(-shares, axis=1, kind="stable")[:, :ALTERNATIVES]
        # of these alone, as all shares of a long sentence would be many objects
        rows = np.arange(len(best))
        of_top, of_best = shares[rows[:, None], top].tolist(), shares[rows, best].tolist()
        first = len(tokens)
        for token, chosen, share, ranked, theirs in zip(sentence, best, of_best, top.tolist(), of_top, strict=True):
            alternatives = tuple((tags[tag_id], other) for tag_id, other in zip(ranked, theirs, strict=True))
            tokens.append(TaggedToken(token.text, token.start, token.end, tags[chosen], share, alternatives))
        bounds.append((first, len(tokens)))
        for span in spans([tags[chosen] for chosen in best]):
            inside = tokens[first + span.first : first + span.last + 1]
            start, end = inside[0].start, inside[-1].end
            probability = odds.probability([token.probability for token in inside])
            entities.append(Entity(text[start:end], start, end, span.label, probability))
    info = checkpoint.info
    return Tagging(text, info.task, info.cell, tuple(tokens), tuple(entities), tuple(bounds), checkpoint.own_name)
