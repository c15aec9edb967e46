"""What a tagger reads of a sentence: its words, how they are spelled, and their vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Self

from torch import Tensor

from seqmodels.decoding import scheme
from seqmodels.text import UNK, Token, normal, tokenize
from seqmodels.vectors import WordVectors, word_vectors
from seqmodels.vocab.tokens import PAD, Vocab, lengths_of, pad, saved_tokens, saved_vocab

WORD_START, WORD_END = "<w>", "</w>"

MOST_TAGS = 1000  # what is known of which may follow which grows with their square
MOST_TYPES = 100  # of entities: the work at each token grows with the square of their tags
LONGEST_TAG = 100  # characters
LONGEST_SPELLING = 30  # characters; of a longer word the network reads both ends


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
        listed: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for word, count in Counter(chain.from_iterable(sentences)).items():
            listed[cls.listed(word)] += count
            for character in normal(word):
                characters[character] += count
        words = Vocab.build(listed, minimum=minimum, special=(PAD, UNK))
        alphabet = Vocab.build(characters, minimum=3, special=(PAD, UNK, WORD_START, WORD_END))
        return cls(words, alphabet, tuple(tags), vectors)

    @property
    def targets(self) -> tuple[str, ...]:
        return self.tags

    @staticmethod
    def read(text: str) -> list[Token]:
        return tokenize(text)

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
        words, alphabet = saved_vocab(saved, "words", PAD), saved_vocab(saved, "alphabet", PAD, WORD_START, WORD_END)
        named = saved.get("vectors")
        if not isinstance(named, str | None):
            raise ValueError(f"vectors: {named!r:.40} is no name")
        return cls(words, alphabet, saved_tokens(saved, "tags"), None if named is None else word_vectors(named))

    def _spell(self, word: str) -> list[int]:
        ends = LONGEST_SPELLING // 2
        read = word if len(word) <= LONGEST_SPELLING else word[:ends] + word[-ends:]
        return self.alphabet.ids([WORD_START, *read, WORD_END])
