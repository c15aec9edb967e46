"""What was read of a user's file, and how: told wherever one is read, so that no guess is silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

OUTSIDE = "O"
SHOWN_TOKENS = 16  # of the first sentence
LONGEST_SHOWN = 300  # characters of it
SHOWN_TYPES = 12

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Sentence:
    """Gold tokens and one tag each; `auxiliary` is a second layer of tags to learn from, never scored.

    `corpus` names that of a sentence to learn from whose tags may mean something else than those which are scored.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    auxiliary: tuple[str, ...] | None = None
    corpus: str = ""


@dataclass(frozen=True)
class FileReport:
    """How a file was read. Columns count from 1; those and the scheme are None where the format has none.

    `types` counts the file's entities by type, as the file calls them, or its tokens by part of speech. `read_as` holds the types
    that are read under another name, `ignored` the entities that are read as none.
    """

    name: str
    format: str
    sentences: int  # or paragraphs
    tokens: int | None = None
    word_column: int | None = None
    tag_column: int | None = None
    scheme: str | None = None
    types: Mapping[str, int] = field(default_factory=dict)
    read_as: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    first_sentence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def how(self) -> str:
        """Format, columns and scheme in a phrase."""
        columns = [] if self.word_column is None else [f"words in column {self.word_column}", f"tags in column {self.tag_column}"]
        return ", ".join([self.format, *columns, *([] if self.scheme is None else [self.scheme])])

    @property
    def mapping(self) -> str:
        """Which types are read as which, and which as no entity, with their counts; empty where all keep their names."""
        renamed = [f"{kind} as {name} ({self.types[kind]:,})" for kind, name in self.read_as.items()]
        ignored = f"as no entity: {_counts(self.ignored)}" if self.ignored else ""
        return "; ".join(filter(None, [", ".join(renamed), ignored]))

    def lines(self) -> list[tuple[str, str]]:
        """What to tell: a heading and a text each."""
        size = _count(self.sentences, "paragraph" if self.word_column is None else "sentence")
        told = [
            ("file", self.name),
            ("format", self.how),
            ("holds", size if self.tokens is None else f"{size}, {_count(self.tokens, 'token')}"),
            ("tags" if self.scheme is None else "entities", _counts(self.types)),
            ("read as", self.mapping),
            ("begins", self.first_sentence),
            *(("note", note) for note in self.notes),
        ]
        return [(heading, text) for heading, text in told if text]


@dataclass(frozen=True)
class Contents(Generic[_Item]):
    """The sentences or paragraphs of a user's file, and the report of how they were read."""

    items: list[_Item]
    report: FileReport


def begins(words: Sequence[str], tags: Sequence[str] = ()) -> str:
    """The first tokens of a sentence, each with its tag unless it is outside."""
    shown = [word if tag == OUTSIDE else f"{word}/{tag}" for word, tag in zip(words, tags or [OUTSIDE] * len(words), strict=True)]
    text = " ".join(shown[:SHOWN_TOKENS]) + (" ..." if len(shown) > SHOWN_TOKENS else "")
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def entity_counts(sentences: Iterable[Sentence]) -> dict[str, int]:
    """Entities by type, the most frequent first, of tags in IOB2."""
    return dict(Counter(tag[2:] for sentence in sentences for tag in sentence.tags if tag[0] == "B").most_common())


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{kind} {count:,}" for kind, count in list(counts.items())[:SHOWN_TYPES]]
    return ", ".join(shown) + (f" and {len(counts) - SHOWN_TYPES} more" if len(counts) > SHOWN_TYPES else "")
