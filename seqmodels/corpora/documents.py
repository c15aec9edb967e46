"""Documents that say of each entity where it is mentioned, as sentences with a tag for each word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqmodels.corpora.entities import ENTITY_TYPES
from seqmodels.corpora.opening import CorpusError, TextFile, open_file
from seqmodels.corpora.reports import OUTSIDE, Sentence


def read_documents(path: Path | TextFile) -> list[Sentence]:
    """Re-DocRED's documents to IOB2 over PER, ORG and LOC; what they mention of other types becomes O.

    Of mentions that overlap the longest is taken. A word of white space alone is none.
    """
    file = open_file(path)
    try:
        return [sentence for document in json.loads(file.text) for sentence in _sentences(document)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CorpusError(f"{file}: these are no documents as those of Re-DocRED ({error}): fetch it anew") from None


def _sentences(document: dict[str, Any]) -> Iterator[Sentence]:
    tags = [[OUTSIDE] * len(words) for words in document["sents"]]
    mentions = [mention for entity in document["vertexSet"] for mention in entity if mention["type"] in ENTITY_TYPES]
    for mention in sorted(mentions, key=lambda mention: mention["pos"][0] - mention["pos"][1]):
        first, end = mention["pos"]
        row = tags[mention["sent_id"]]
        if set(row[first:end]) == {OUTSIDE}:
            row[first:end] = [f"B-{mention['type']}", *[f"I-{mention['type']}"] * (end - first - 1)]
    for words, row in zip(document["sents"], tags, strict=True):
        kept = [(word, tag) for word, tag in zip(words, row, strict=True) if word.strip()]
        if kept:
            yield Sentence(tuple(word for word, _ in kept), tuple(tag for _, tag in kept))
