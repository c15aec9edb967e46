"""Documents that say of each entity where it is mentioned, as sentences with a tag for each word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from seqmodels.corpora.entities import ENTITY_TYPES
from seqmodels.corpora.opening import CorpusError, TextFile, open_file
from seqmodels.corpora.reports import OUTSIDE, Sentence
from seqmodels.fields import Range, parsed


@dataclass(frozen=True)
class _Mention:
    type: str
    sent_id: Annotated[int, Range(0)]
    pos: tuple[Annotated[int, Range(0)], int]  # its first word, and the one after its last


@dataclass(frozen=True)
class _Document:
    """As Re-DocRED's files hold it, under their names."""

    sents: list[list[str]]
    vertexSet: list[list[_Mention]]  # noqa: N815 -- of each entity

    def __post_init__(self) -> None:
        for mention in self.mentions:
            first, end = mention.pos
            if mention.sent_id >= len(self.sents) or not first < end <= len(self.sents[mention.sent_id]):
                raise ValueError(f"words {first} to {end} of sentence {mention.sent_id} are not there")

    @property
    def mentions(self) -> list[_Mention]:
        return [mention for entity in self.vertexSet for mention in entity]


def read_documents(path: Path | TextFile) -> list[Sentence]:
    """Re-DocRED's documents to IOB2 over PER, ORG and LOC; what they mention of other types becomes O.

    Of mentions that overlap the longest is taken. A word of white space alone is none.
    """
    file = open_file(path)
    try:
        found = [sentence for document in parsed(list[_Document], file.text, extra="ignore") for sentence in _sentences(document)]
    except ValueError as error:
        raise CorpusError(f"{file}: these are no documents as those of Re-DocRED ({error}): put the file there anew") from None
    if not found:
        raise CorpusError(f"{file}: there is no sentence in it: put the file there anew")
    return found


def _sentences(document: _Document) -> Iterator[Sentence]:
    tags = [[OUTSIDE] * len(words) for words in document.sents]
    mentions = (mention for mention in document.mentions if mention.type in ENTITY_TYPES)
    for mention in sorted(mentions, key=lambda mention: mention.pos[0] - mention.pos[1]):
        row = tags[mention.sent_id]
        words = [place for place in range(*mention.pos) if document.sents[mention.sent_id][place].strip()]
        if all(row[place] == OUTSIDE for place in words):
            for place in words:
                row[place] = f"{'B' if place == words[0] else 'I'}-{mention.type}"
    for sentence, row in zip(document.sents, tags, strict=True):
        kept = [(word, tag) for word, tag in zip(sentence, row, strict=True) if word.strip()]
        if kept:
            yield Sentence(tuple(word for word, _ in kept), tuple(tag for _, tag in kept))
