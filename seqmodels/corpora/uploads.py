"""What is asked of a file to train on, beyond its form."""

from __future__ import annotations

from seqmodels.corpora.opening import CorpusError, TextFile, shorten
from seqmodels.corpora.readers import OUTSIDE, Sentence, parse_entities

LONGEST_SENTENCE = 1_000  # words; the gradient goes back through all of them
MOST_TYPES = 30  # of entities

_USUAL_TYPES = {
    kind: usual
    for usual, kinds in {"PER": "per person", "LOC": "loc location", "ORG": "org organization organisation"}.items()
    for kind in kinds.split()
}


def check_sentences(file: TextFile) -> None:
    """Refuse a column file whose sentences run together for want of blank lines."""
    first = 1
    for number, line in enumerate([*file.text.split("\n"), ""], start=1):
        if line.strip():
            continue
        if number - first > LONGEST_SENTENCE:
            words = f"{number - first:,} words in one sentence, and at most {LONGEST_SENTENCE:,} are read"
            raise CorpusError(f"{file}, line {first}: {words}: put a blank line after each sentence")
        first = number + 1


def read_own_entities(file: TextFile) -> list[Sentence]:
    """Word and IOB tag in columns, with whatever types the file has; persons, places and organizations are PER, LOC and ORG."""
    sentences = parse_entities(file, lambda kind: _USUAL_TYPES.get(kind.lower(), kind))
    kinds = sorted({tag[2:] for sentence in sentences for tag in sentence.tags if tag != OUTSIDE})
    if not kinds:
        raise CorpusError(f"{file}: every tag is O: there is no entity to learn")
    if len(kinds) > MOST_TYPES:
        raise CorpusError(f"{file}: {len(kinds)} types of entities, such as {shorten(kinds[0])}: give at most {MOST_TYPES}")
    return sentences
