"""Tokens to ids and back, and sentences to the tensors that a model reads."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Annotated, Any, ClassVar, Protocol, Self
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from seqmodels import text as text_module
from seqmodels.decoding import scheme
from seqmodels.fields import Range, validated
from seqmodels.text import EOS, UNK, Token, Unit, normal
from seqmodels.vectors import WordVectors, word_vectors

PAD = "<pad>"
WORD_START, WORD_END = "<w>", "</w>"

LEAST_KNOWN = 0.7  # share of the tokens of a training text that its vocabulary holds
_FINGERPRINT = 4  # bytes
MOST_TAGS = 1000  # what is known of which may follow which grows with their square
MOST_TYPES = 100  # of entities: the work at each token grows with the square of their tags
LONGEST_TAG, LONGEST_TOKEN = 100, 1000  # characters
LONGEST_SPELLING = 30  # characters; of a longer word the network reads both ends


class _Ids(dict[str, int]):
    """The id of each token, also of one that is listed in another form; of any other, that of `<unk>`."""

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__(zip(tokens, range(len(tokens)), strict=True))
        # lists that were made before normal forms may hold others
        self.normal = {form: index for index, token in enumerate(tokens) if (form := normal(token)) != token and form not in self}

    def __missing__(self, token: str) -> int:
        found = self.known(token)
        return self[UNK] if found is None else found

    def known(self, token: str) -> int | None:
        form = normal(token)
        return self.get(token, self.get(form, self.normal.get(form)))


class Vocab:
    """A fixed list of tokens; id = position. A token is looked up as it is, then in its normal form (`text.normal`).

    Tokens outside it map to `<unk>`, which must be in the list.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        self._ids = _Ids(self.tokens)
        if len(self._ids) != len(self.tokens):
            twice = next(token for token, count in Counter(self.tokens).items() if count > 1)
            raise ValueError(f"vocabulary lists {twice!r} twice: each token needs one id")
        if UNK not in self._ids:
            raise ValueError(f"vocabulary has no {UNK!r}: unknown tokens need an id")
        self.unk = self._ids[UNK]

    @classmethod
    def build(cls, tokens: Iterable[str], *, minimum: int = 1, special: Sequence[str] = (UNK,)) -> Vocab:
        """The special tokens, then the normal form of every token seen at least `minimum` times.

        The most frequent first, ties by spelling. Where less than 70 % of a small text would be known, it is the greatest smaller
        number that leaves as much known. ValueError if there is no token but special ones.
        """
        counts = Counter(form for token in tokens if (form := normal(token)) and len(form) <= LONGEST_TOKEN)
        for token in special:
            del counts[token]
        if not counts:
            raise ValueError("there is nothing to make a vocabulary of: give a text with words in it")
        seen = Counter(counts.values())  # how many tokens were seen so often
        while minimum > 1 and sum(seen[often] * often for often in seen if often >= minimum) < LEAST_KNOWN * counts.total():
            minimum -= 1
        kept = sorted(token for token, count in counts.items() if count >= minimum)
        kept.sort(key=lambda token: -counts[token])
        return cls([*special, *kept])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return self._ids.known(token) is not None

    def id(self, token: str) -> int:
        return self._ids[token]

    def ids(self, tokens: Iterable[str]) -> list[int]:
        ids = self._ids
        return [ids[token] for token in tokens]

    def unknown_share(self, tokens: Iterable[str]) -> float:
        """The share of the tokens that are `<unk>`, from 0 to 1."""
        ids = self.ids(tokens)
        return ids.count(self.unk) / max(len(ids), 1)


# models of one task have learned from the same text: they share its words, and what is encoded for one is encoded for all
_SAVED: WeakValueDictionary[tuple[str, ...], Vocab] = WeakValueDictionary()


def _saved_tokens(saved: Any, name: str) -> tuple[str, ...]:
    """A list of tokens in a file. ValueError says what is wrong with it."""
    tokens = saved.get(name) if isinstance(saved, Mapping) else None
    if not isinstance(tokens, list | tuple):
        raise ValueError(f"{name}: it is missing, or no list")
    wrong = next((index for index, token in enumerate(tokens) if not _is_token(token)), None)
    if wrong is not None:
        raise ValueError(f"{name}.{wrong}: {tokens[wrong]!r:.40} is no token of up to {LONGEST_TOKEN:,} characters")
    return tuple(tokens)


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TOKEN


def _saved_vocab(saved: Any, name: str, *special: str) -> Vocab:
    """A list of tokens in a file, the special ones among them."""
    tokens = _saved_tokens(saved, name)
    missing = [token for token in (UNK, *special) if token not in tokens]
    if missing:
        raise ValueError(f"{name}: it has no {missing[0]!r}")
    found = _SAVED.get(tokens)
    if found is None:
        try:
            found = _SAVED[tokens] = Vocab(tokens)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


class Vocabulary(Protocol):
    """What a model reads of a text, and what its logits are of. It comes back from JSON as it was."""

    @property
    def start(self) -> tuple[Token, ...]:
        """What a model reads before the first token of every text."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the logits: tags, or words that may come next."""
        ...

    def read(self, text: str) -> list[Token]:
        """The tokens of a text, without `start`. ValueError where the model reads no text."""
        ...

    def encode(self, sentences: Sequence[Sequence[str]]) -> Any:
        """Sentences of one or more tokens, padded to the longest, as the model's `embed` takes them."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Plain values for a file's header."""
        ...

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. ValueError says what is missing or wrong."""
        ...


@dataclass(frozen=True)
class TaggerBatch:
    """Sentences as a tagger reads them; `spelling` points each word at its row of `characters`."""

    words: Tensor  # (batch, time)
    characters: Tensor  # (distinct words, length)
    spelling: Tensor  # (batch, time)
    lengths: Tensor | None  # (batch,); None where nothing is padded
    vectors: Tensor | None = None  # (batch, time): rows of word vectors, where the model reads such


@dataclass(frozen=True)
class TaggerVocab:
    """A tagger's words (lower case), characters (as they are) and tags, and the word vectors that it reads, if any."""

    words: Vocab
    alphabet: Vocab
    tags: tuple[str, ...]
    vectors: WordVectors | None = None
    start: ClassVar[tuple[Token, ...]] = ()

    def __post_init__(self) -> None:
        if not self.tags or len(set(self.tags)) < len(self.tags):
            raise ValueError(f"tags: {self.tags!r:.100} must be one tag or more, and none twice")
        if len(self.tags) > MOST_TAGS:
            raise ValueError(f"tags: there are {len(self.tags):,}, and {MOST_TAGS:,} at most are told apart")
        long = next((tag for tag in self.tags if len(tag) > LONGEST_TAG), None)
        if long is not None:
            raise ValueError(f"tags: {long[:40]!r} ... has {len(long):,} characters, and {LONGEST_TAG} at most are a tag")
        types = scheme(self.tags).types  # which checks the rest
        if types > MOST_TYPES:
            raise ValueError(f"tags: there are {types:,} types of entities, and {MOST_TYPES} at most are found")

    @classmethod
    def build(
        cls, sentences: Iterable[Sequence[str]], tags: Sequence[str], *, minimum: int = 2, vectors: WordVectors | None = None
    ) -> TaggerVocab:
        """Words seen at least `minimum` times, characters seen at least three times; of a small text, fewer times: see Vocab."""
        sentences = list(sentences)
        words = Vocab.build((cls.listed(word) for words in sentences for word in words), minimum=minimum, special=(PAD, UNK))
        characters = (character for words in sentences for word in words for character in normal(word))
        return cls(words, Vocab.build(characters, minimum=3, special=(PAD, UNK, WORD_START, WORD_END)), tuple(tags), vectors)

    @property
    def targets(self) -> tuple[str, ...]:
        return self.tags

    @staticmethod
    def read(text: str) -> list[Token]:
        return text_module.tokenize(text)

    @staticmethod
    def listed(word: str) -> str:
        """How a word stands in the list of words."""
        return normal(normal(word).lower())

    def encode(self, sentences: Sequence[Sequence[str]]) -> TaggerBatch:
        """Sentences of one or more words, padded to the longest."""
        rows: dict[str, int] = {}
        spelling = [[rows.setdefault(normal(word), len(rows)) for word in words] for words in sentences]
        return TaggerBatch(
            words=pad([self.words.ids(map(self.listed, words)) for words in sentences]),
            characters=pad([self._spell(word) for word in rows]),
            spelling=pad(spelling),
            lengths=lengths_of(sentences),
            vectors=None if self.vectors is None else pad([self.vectors.ids(words) for words in sentences], self.vectors.none),
        )

    def to_json(self) -> dict[str, Any]:
        named = {} if self.vectors is None else {"vectors": self.vectors.name}
        return {"words": self.words.tokens, "alphabet": self.alphabet.tokens, "tags": self.tags, **named}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        words, alphabet = _saved_vocab(saved, "words", PAD), _saved_vocab(saved, "alphabet", PAD, WORD_START, WORD_END)
        named = saved.get("vectors")
        if not isinstance(named, str | None):
            raise ValueError(f"vectors: {named!r:.40} is no name")
        return cls(words, alphabet, _saved_tokens(saved, "tags"), None if named is None else word_vectors(named))

    def _spell(self, word: str) -> list[int]:
        ends = LONGEST_SPELLING // 2
        read = word if len(word) <= LONGEST_SPELLING else word[:ends] + word[-ends:]
        return self.alphabet.ids([WORD_START, *read, WORD_END])


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
        words = (word for words in paragraphs for word in words)
        return cls(Vocab.build(words, minimum=minimum, special=(UNK, EOS)), conditions)

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
        words = _saved_vocab(saved, "words", EOS)
        conditions = _saved_tokens(saved, "conditions") if "conditions" in saved else ()
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


@dataclass(frozen=True)
class SequenceVocab:
    """What a memory task's model reads and gives: vectors, not tokens."""

    inputs: Annotated[int, Range(1, 1024)]
    outputs: Annotated[int, Range(1, 1024)]
    every_step: bool = False  # answered at each step, and not at the last alone
    start: ClassVar[tuple[Token, ...]] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.outputs)))

    def read(self, text: str) -> list[Token]:
        raise ValueError("this is a model of a memory task, which reads no text: pick a tagger, or a language model")

    def encode(self, sentences: Sequence[Sequence[str]]) -> Tensor:
        raise ValueError("a model of a memory task reads sequences of its own, and no tokens")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        return validated(cls, saved)


def lengths_of(sentences: Sequence[Sequence[str]]) -> Tensor | None:
    """The number of tokens of each, (sentences,); None where all are alike and none is padded."""
    lengths = [len(words) for words in sentences]
    return torch.tensor(lengths) if len(set(lengths)) > 1 else None


def pad(rows: Sequence[Sequence[int]], filler: int = 0) -> Tensor:
    """Rows of ids to a tensor (rows, longest)."""
    lengths = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
    padded = np.full((len(rows), lengths.max()), filler, dtype=np.int64)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.fromiter(
        chain.from_iterable(rows), dtype=np.int64, count=lengths.sum()
    )
    return torch.tensor(padded)  # on the device that is the default
