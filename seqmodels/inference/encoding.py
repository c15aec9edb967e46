"""One pass of a network over a text as one sequence: what traces and tags are both read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqmodels import text as text_module
from seqmodels.checkpoints import Checkpoint
from seqmodels.models import LanguageModel, SequenceReader, Tagger
from seqmodels.text import EOS, Token
from seqmodels.vocab import LanguageVocab, TaggerVocab, pad

NO_WORDS = "there are no words in this text: type a sentence"


@dataclass(frozen=True)
class Encoded:
    """One pass of a network over a text as one sequence: what its recurrent layers read and gave."""

    text: str
    tokens: tuple[Token, ...]
    inputs: Tensor  # (time, input)
    outputs: list[Tensor]  # each layer's (time, output_size)


@torch.inference_mode()
def encode(checkpoint: Checkpoint, text: str) -> Encoded:
    """One pass over the text as one sequence."""
    tokens = read_tokens(checkpoint, text)
    inputs, _ = embed(checkpoint, [[token.text for token in tokens]])
    outputs, _ = checkpoint.model.recurrent.layer_outputs(inputs)
    return Encoded(text, tokens, inputs[0], [output[0] for output in outputs])


def read_tokens(checkpoint: Checkpoint, text: str) -> tuple[Token, ...]:
    """What a model reads of a text. For a language model the first token is `<eos>`, which starts a paragraph."""
    tokens = split(checkpoint, text)
    if not tokens:
        raise ValueError(NO_WORDS)
    return (Token(EOS, 0, 0), *tokens) if isinstance(checkpoint.model, LanguageModel) else tuple(tokens)


def split(checkpoint: Checkpoint, text: str) -> list[Token]:
    """The tokens of a text itself: words, or the characters that a model of characters reads."""
    if isinstance(checkpoint.model, LanguageModel):
        return as_language_model(checkpoint)[1].read(text)
    as_tagger(checkpoint)
    return text_module.tokenize(text)


def embed(checkpoint: Checkpoint, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor | None]:
    """What the first recurrent layer reads of each sentence, (batch, time, input), and their lengths if any is padded, (batch,)."""
    if isinstance(checkpoint.model, LanguageModel):
        model, language = as_language_model(checkpoint)
        lengths = [len(words) for words in sentences]
        inputs = model.embedding(pad([language.words.ids(words) for words in sentences]))
        return inputs, torch.tensor(lengths) if len(set(lengths)) > 1 else None
    tagger, vocabulary = as_tagger(checkpoint)
    batch = vocabulary.batch(sentences)
    return tagger.features(batch), batch.lengths


def as_tagger(checkpoint: Checkpoint) -> tuple[Tagger, TaggerVocab]:
    """The tagger of a checkpoint; ValueError if it holds another model."""
    if not isinstance(checkpoint.model, Tagger) or not isinstance(checkpoint.vocabulary, TaggerVocab):
        raise ValueError(f"{checkpoint.name} is {_kind(checkpoint)}: pick a tagger, such as pos-gru")
    return checkpoint.model, checkpoint.vocabulary


def as_language_model(checkpoint: Checkpoint) -> tuple[LanguageModel, LanguageVocab]:
    """The language model of a checkpoint; ValueError if it holds another model."""
    if not isinstance(checkpoint.model, LanguageModel) or not isinstance(checkpoint.vocabulary, LanguageVocab):
        raise ValueError(f"{checkpoint.name} is {_kind(checkpoint)}: pick a language model, such as lm-gru")
    return checkpoint.model, checkpoint.vocabulary


def _kind(checkpoint: Checkpoint) -> str:
    kinds = {Tagger: "a tagger", LanguageModel: "a language model", SequenceReader: "a model of a memory task, which reads no text"}
    return kinds[type(checkpoint.model)]
