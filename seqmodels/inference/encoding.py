"""One pass of a network over a text as one sequence: what traces and tags are both read from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqmodels import text as text_module
from seqmodels.checkpoints import Checkpoint
from seqmodels.models import LanguageModel, Tagger
from seqmodels.text import EOS, Token
from seqmodels.vocab import LanguageVocab, TaggerVocab

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
    """One pass over the text as one sequence. For a language model the first token is `<eos>`, which starts a paragraph."""
    speaks = isinstance(checkpoint.model, LanguageModel)
    tokens = paragraphs(text) if speaks else text_module.tokenize(text)
    if not tokens:
        raise ValueError(NO_WORDS)
    if speaks:
        model, language = as_language_model(checkpoint)
        tokens.insert(0, Token(EOS, 0, 0))
        inputs = model.embedding(torch.tensor([language.words.ids(token.text for token in tokens)]))
    else:
        tagger, vocabulary = as_tagger(checkpoint)
        inputs = tagger.features(vocabulary.batch([[token.text for token in tokens]]))
    outputs, _ = checkpoint.model.recurrent.layer_outputs(inputs)
    return Encoded(text, tuple(tokens), inputs[0], [output[0] for output in outputs])


def as_tagger(checkpoint: Checkpoint) -> tuple[Tagger, TaggerVocab]:
    """The tagger of a checkpoint; ValueError if it holds another model."""
    if not isinstance(checkpoint.model, Tagger) or not isinstance(checkpoint.vocabulary, TaggerVocab):
        raise ValueError(f"{checkpoint.name} is a language model: pick a tagger, such as pos-gru")
    return checkpoint.model, checkpoint.vocabulary


def as_language_model(checkpoint: Checkpoint) -> tuple[LanguageModel, LanguageVocab]:
    """The language model of a checkpoint; ValueError if it holds another model."""
    if not isinstance(checkpoint.model, LanguageModel) or not isinstance(checkpoint.vocabulary, LanguageVocab):
        raise ValueError(f"{checkpoint.name} is a tagger: pick a language model, such as lm-gru")
    return checkpoint.model, checkpoint.vocabulary


def paragraphs(text: str) -> list[Token]:
    """The tokens that a language model reads, without the first `<eos>`: a blank line is one too, as it was in training."""
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
