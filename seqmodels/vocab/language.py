"""What a language model reads of a text: its words, its characters, or those of a name."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from seqmodels import text as text_module
from seqmodels.text import EOS, UNK, Token, Unit, normal
from seqmodels.vocab.tokens import Vocab, lengths_of, pad, saved_tokens, saved_vocab

_FINGERPRINT = 4  # bytes


@dataclass(frozen=True)
class LanguageBatch:
    """Texts as a language model reads them."""

    ids: Tensor  # (batch, time)
    lengths: Tensor | None = None  # (batch,); None where nothing is padded


@dataclass(frozen=True)
class LanguageVocab:
    """A language model's words, as they are. `<eos>` ends a paragraph, and so starts the next.

    `conditions` name what its initial memory can stand for, such as languages; with none, it starts from zero.
    """

    words: Vocab
    conditions: tuple[str, ...] = ()
    unit: ClassVar[Unit] = "word"
    start: ClassVar[tuple[Token, ...]] = (Token(EOS, 0, 0),)

    @classmethod
    def build(cls, paragraphs: Iterable[Sequence[str]], *, minimum: int = 4, conditions: tuple[str, ...] = ()) -> Self:
        return cls(Vocab.build(chain.from_iterable(paragraphs), minimum=minimum, special=(UNK, EOS)), conditions)

    @property
    def eos(self) -> int:
        return self.words.id(EOS)

    @property
    def targets(self) -> tuple[str, ...]:
        return self.words.tokens

    def encode(self, sentences: Sequence[Sequence[str]]) -> LanguageBatch:
        return LanguageBatch(pad([self.words.ids(words) for words in sentences]), lengths_of(sentences))

    def to_json(self) -> dict[str, Any]:
        return {"words": self.words.tokens, **({"conditions": self.conditions} if self.conditions else {})}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        words = saved_vocab(saved, "words", EOS)
        conditions = saved_tokens(saved, "conditions") if "conditions" in saved else ()
        if len(set(conditions)) < len(conditions):
            raise ValueError("conditions: one of them stands there twice")
        return cls(words, conditions)

    def stream(self, paragraphs: Iterable[Sequence[str]]) -> Tensor:
        """All paragraphs as one run of ids, `<eos>` after each: (tokens,)."""
        return torch.tensor([index for words in paragraphs for index in (*self.words.ids(words), self.eos)])

    @staticmethod
    def read(text: str) -> list[Token]:
        """The tokens of a text, without the first `<eos>`: a blank line is one too, as it was in training."""
        found: list[Token] = []
        for token in text_module.tokenize(text):
            if found and text_module.is_blank_line(text[found[-1].end : token.start]):
                found.append(Token(EOS, found[-1].end, token.start))
            found.append(token)
        if found and text_module.is_blank_line(text[found[-1].end :]):
            found.append(Token(EOS, found[-1].end, len(text)))
        return found

    @staticmethod
    def join(tokens: Sequence[str]) -> str:
        """Readable text of tokens."""
        return text_module.join(tokens)

    @staticmethod
    def extend(text: str, tokens: Sequence[str]) -> str:
        """The text, as it was typed, with tokens added so that just these are read next."""
        return text_module.extend(text, tokens)

    @classmethod
    def take_back(cls, text: str) -> str:
        """The text, as it was typed, without its last token."""
        tokens = cls.read(text)
        return text[: tokens[-1].start].rstrip(" ") if tokens else ""


@dataclass(frozen=True)
class CharacterVocab(LanguageVocab):
    """A language model's characters in the place of words; white space is one space, a blank line `<eos>`.

    A letter and its accent are one character where Unicode has one for both (NFC).
    """

    unit: ClassVar[Unit] = "character"

    @classmethod
    def build(cls, paragraphs: Iterable[Sequence[str]], *, minimum: int = 10, conditions: tuple[str, ...] = ()) -> Self:
        return super().build(paragraphs, minimum=minimum, conditions=conditions)

    @staticmethod
    def read(text: str) -> list[Token]:
        """As for words. White space before the first character says nothing."""
        found: list[Token] = []
        clean, starts, ends = text_module.cleaned(text)
        for match in re.finditer(r"\s+|\S", clean):
            start, end = starts[match.start()], ends[match.end() - 1]
            piece = text[start:end]
            if match.group().isspace():
                if found:
                    found.append(Token(EOS if text_module.is_blank_line(piece) else " ", start, end))
            elif piece:
                found.append(Token(piece, start, end))
        return found

    @staticmethod
    def join(tokens: Sequence[str]) -> str:
        return "".join("\n\n" if token == EOS else token for token in tokens)

    @staticmethod
    def extend(text: str, tokens: Sequence[str]) -> str:
        return text + CharacterVocab.join(tokens)

    @classmethod
    def take_back(cls, text: str) -> str:
        tokens = cls.read(text)
        return text[: tokens[-1].start] if tokens else ""


@dataclass(frozen=True)
class NamesVocab(CharacterVocab):
    """The characters of names, and of each name that was learned from what tells an invented one from it.

    That are four bytes of a hash, with which one name in 300,000 of others is taken for one of fifteen thousand.
    """

    seen: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str], conditions: tuple[str, ...]) -> Self:
        """Characters seen at least twice; see CharacterVocab."""
        names = list(map(normal, names))
        return replace(cls.build(map(list, names), minimum=2, conditions=conditions), seen=frozenset(map(_fingerprint, names)))

    def has_seen(self, name: str) -> bool:
        """Whether it is one of those that were learned from, in whatever language; capitals make no difference."""
        return _fingerprint(normal(name)) in self.seen

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "seen": base64.b64encode(b"".join(sorted(self.seen))).decode()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        read = super().from_json(saved)
        try:
            joined = base64.b64decode(saved["seen"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise ValueError("seen: it is missing, or not in base64") from None
        if not read.conditions:
            raise ValueError("conditions: there are none to begin a name with")
        parts = (joined[start : start + _FINGERPRINT] for start in range(0, len(joined), _FINGERPRINT))
        return replace(read, seen=frozenset(parts))


def _fingerprint(name: str) -> bytes:
    return hashlib.blake2b(name.casefold().encode(errors="replace"), digest_size=_FINGERPRINT).digest()


LANGUAGE_VOCABS: dict[Unit, type[LanguageVocab]] = {kind.unit: kind for kind in (LanguageVocab, CharacterVocab)}
