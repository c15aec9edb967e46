"""One pass of a network over a text as one sequence: what traces and tags are both read from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor

from seqmodels.checkpoints import Checkpoint
from seqmodels.models import LanguageModel, Tagger
from seqmodels.recurrence import State
from seqmodels.tasks import TASKS, Predicts
from seqmodels.text import Token, Unit
from seqmodels.vocab import LANGUAGE_VOCABS, LanguageVocab, TaggerVocab, Vocabulary

KEPT = 32  # batches; the longest takes 200 kB
LARGEST_TRACE = 50_000_000  # numbers, 200 MB
NO_WORDS = "there are no words in this text: type a sentence"


@dataclass(frozen=True)
class Encoded:
    """One pass of a network over a text as one sequence: what its recurrent layers read and gave."""

    text: str
    tokens: tuple[Token, ...]
    inputs: Tensor  # (time, input)
    outputs: list[Tensor]  # each layer's (time, output_size)
    start: State | None = None  # before the first token, a batch of one; None: zero


@torch.inference_mode()
def encode(checkpoint: Checkpoint, text: str) -> Encoded:
    """One pass over the text as one sequence."""
    tokens = read_traced(checkpoint, text)
    inputs, _ = embed(checkpoint, [[token.text for token in tokens]])
    start = checkpoint.initial_state()
    outputs, _ = checkpoint.model.recurrent.layer_outputs(inputs, state=start)
    return Encoded(text, tokens, inputs[0], [output[0] for output in outputs], start)


def read_tokens(checkpoint: Checkpoint, text: str) -> tuple[Token, ...]:
    """What a model reads of a text. For a language model the first token is `<eos>`, which starts a paragraph."""
    tokens = checkpoint.vocabulary.read(text)
    if not tokens:
        raise ValueError(NO_WORDS)
    return (*checkpoint.vocabulary.start, *tokens)


def read_traced(checkpoint: Checkpoint, text: str) -> tuple[Token, ...]:
    """The same of a text whose gates are to be kept: ValueError if they would hold more than LARGEST_TRACE numbers."""
    tokens = read_tokens(checkpoint, text)
    recurrent = checkpoint.model.recurrent
    most = LARGEST_TRACE // (6 * recurrent.layers * recurrent.output_size)  # six arrays at most: see traces.LayerTrace
    if len(tokens) > most:
        raise ValueError(
            f"the text has {len(tokens):,} tokens, and a trace of {checkpoint.name} holds every unit at each of at most {most:,}: "
            "give a part of the text"
        )
    return tokens


def excerpt(text: str, most: int, unit: Unit = "word", *, last: bool = False) -> tuple[str, int]:
    """The first tokens of a text, or the last, but at most so many; and about how many it has: no more than needed is read."""
    read = LANGUAGE_VOCABS[unit].read
    for size in (8 * most, 100 * most, len(text)):
        part = text[-size:] if last else text[:size]
        tokens = read(part)
        if len(tokens) > most:  # where the part is cut, so may be a token, but none of these
            kept = part[tokens[-most].start :] if last else part[: tokens[most - 1].end]
            return kept, max(most + 1, round(most * len(text) / len(kept)))
        if size >= len(text):
            break
    return text, len(tokens)


def embed(checkpoint: Checkpoint, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor | None]:
    """What the first recurrent layer reads of each sentence, (batch, time, input), and their lengths if any is padded, (batch,)."""
    return checkpoint.model.embed(encode_once(checkpoint.vocabulary, sentences))


def encode_once(vocabulary: Vocabulary, sentences: Sequence[Sequence[str]]) -> Any:
    """`vocabulary.encode`, once for all models that share the vocabulary: what it gives must not be changed."""
    return _encode(vocabulary, tuple(map(tuple, sentences)))  # type: ignore[arg-type]


@lru_cache(maxsize=KEPT)
@torch.inference_mode(False)  # what is made in that mode is of no use to a gradient
def _encode(vocabulary: Vocabulary, sentences: tuple[tuple[str, ...], ...]) -> Any:
    return vocabulary.encode(sentences)


def finite(checkpoint: Checkpoint, values: Tensor) -> Tensor:
    """The same values; ValueError where they are no numbers: relu lets a memory grow until float32 cannot hold it."""
    # a sum takes a quarter of the time, and one that is a number has nothing else in it
    if not math.isfinite(values.sum()) and not values.isfinite().all():
        raise ValueError(
            f"{checkpoint.name} gives numbers that are not finite, its memory overflows on this text: shorten the text, pick "
            "another model, or train it again with a lower learning rate or with clipping"
        )
    return values


def as_tagger(checkpoint: Checkpoint) -> tuple[Tagger, TaggerVocab]:
    """The tagger of a checkpoint; ValueError if it holds another model."""
    require(checkpoint, "tags")
    return cast(Tagger, checkpoint.model), cast(TaggerVocab, checkpoint.vocabulary)


def as_language_model(checkpoint: Checkpoint) -> tuple[LanguageModel, LanguageVocab]:
    """The language model of a checkpoint; ValueError if it holds another model."""
    require(checkpoint, "next token")
    return cast(LanguageModel, checkpoint.model), cast(LanguageVocab, checkpoint.vocabulary)


def require(checkpoint: Checkpoint, predicts: Predicts) -> None:
    """ValueError if the checkpoint's model predicts something else."""
    if checkpoint.task.predicts != predicts:
        wanted = next(task for task in TASKS.values() if task.predicts == predicts)
        raise ValueError(f"{checkpoint.name} is {checkpoint.task.noun}: pick {wanted.noun}, such as {wanted.example}")
