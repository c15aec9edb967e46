"""CoNLL-U: ten columns separated by tabs, a token a line."""

from __future__ import annotations

import re
from pathlib import Path

from seqmodels.corpora.checks import HALF, check_words
from seqmodels.corpora.columns import Columns
from seqmodels.corpora.opening import CorpusError, TextFile, open_file, shorten
from seqmodels.corpora.reports import Sentence
from seqmodels.corpora.tables import count_columns, lines_of

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
UNIVERSAL = frozenset(UPOS)
COLUMNS = 10
FORM, TAG, FINER = 1, 3, 4  # columns from 0

_NO_TOKEN = re.compile(r"\d+[-.]\d+")  # the ids of a multi-word token and of an empty node
_UNTAGGED = "_"


def read_conllu(path: Path | TextFile) -> list[Sentence]:
    """UPOS as tags, XPOS as auxiliary tags where every token has one. Multi-word tokens and empty nodes are no tokens."""
    return parse_conllu(open_file(path), Columns())[1]


def parse_conllu(file: TextFile, columns: Columns) -> tuple[list[int], list[Sentence], list[str]]:
    """The line where each sentence begins, the sentences, and what is to be told of them."""
    word = FORM if columns.word_column is None else columns.word_column - 1
    tag = TAG if columns.tag_column is None else columns.tag_column - 1
    for name, column in (("word", word), ("tag", tag)):
        if column >= COLUMNS:
            raise CorpusError(f"{file}: the {name} column is {column + 1}: CoNLL-U has {COLUMNS}")
    starts, sentences, untagged, left_out, joined = [], [], 0, 0, 0
    for block in lines_of(file):
        rows = [fields for number, line in block if line[0] != "#" and (fields := _row(file, number, line, word, tag))]
        joined += [fields[0] for fields in rows].count("1") > 1
        missing = sum(fields[tag] == _UNTAGGED for fields in rows)
        if missing:
            untagged, left_out = untagged + missing, left_out + len(rows)
        elif rows:
            finer = tuple([fields[FINER] for fields in rows])
            words, tags = tuple([fields[word] for fields in rows]), tuple([fields[tag] for fields in rows])
            starts.append(block[0][0])
            sentences.append(Sentence(words, tags, None if "_" in finer else finer))
    if untagged and not sentences:
        raise CorpusError(f"{file}: no sentence has a part of speech for each word in column {tag + 1}: give a tagged file")
    if not sentences:
        raise CorpusError(f"{file}: holds no sentences")
    notes = check_words(file, [sentence.words for sentence in sentences])
    if untagged:
        notes.append(f"words without a part of speech: {untagged:,}; their sentences, {left_out:,} tokens, are left out")
    if joined:
        notes.append(f"token numbers begin again within a sentence, {joined:,} times: a blank line may be missing")
    return starts, sentences, notes


def is_conllu(file: TextFile) -> bool:
    """Whether most lines but comments are rows of CoNLL-U."""
    rows = [line for line in file.text.split("\n") if line and line[0] != "#" and not line.isspace()]
    return sum(line[0].isdecimal() and line.count("\t") == COLUMNS - 1 for line in rows) > HALF * len(rows)


def _row(file: TextFile, number: int, line: str, word: int, tag: int) -> list[str] | None:
    """The ten columns of a token; none for a multi-word token or an empty node."""
    fields = line.split("\t")
    if not fields[0].isdecimal() and _NO_TOKEN.fullmatch(fields[0]):
        return None
    if len(fields) != COLUMNS:
        raise CorpusError(f"{file}, line {number}: {count_columns(len(fields))}: CoNLL-U has {COLUMNS}, separated by tabs")
    if not fields[0].isdecimal():
        raise CorpusError(f"{file}, line {number}: token number {shorten(fields[0])}: expected 1, 2, 3, ...")
    if not fields[word].strip(" "):
        raise CorpusError(f"{file}, line {number}: the word in column {word + 1} is empty")
    if fields[tag] not in UNIVERSAL and fields[tag] != _UNTAGGED:
        expected = f"expected a universal tag: {', '.join(UPOS)}"
        raise CorpusError(f"{file}, line {number}: {shorten(fields[tag])} in column {tag + 1}: {expected}")
    return fields
