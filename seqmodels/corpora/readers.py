"""Files to sentences. Every error names the file, the line, and what was expected there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from seqmodels import text
from seqmodels.corpora.opening import CorpusError, TextFile, open_file, shorten

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
ENTITY_TYPES = ("LOC", "ORG", "PER")
OUTSIDE = "O"
ENTITY_TAGS = (OUTSIDE, *(f"{prefix}-{kind}" for kind in ENTITY_TYPES for prefix in "BI"))

_Item = TypeVar("_Item")
_USER_NAME = re.compile(r"(?!https?:|[\d.]+$)\w")
_ENTITY_TAG = re.compile(r"O|[BI]-\S+")
_COMMENT = re.compile(r"# ")
_ENTITY_COMMENT = re.compile(r"# (.* = |(?!(.* )?(O|[BI]-\S+)\s*$))")  # "# O" is the word "#" where a space parts the columns


@dataclass(frozen=True)
class Sentence:
    """Gold tokens and one tag each; `auxiliary` is a second layer of tags to learn from, never scored."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    auxiliary: tuple[str, ...] | None = None


def read_conllu(path: Path | TextFile) -> list[Sentence]:
    """CoNLL-U: UPOS as tags, XPOS as auxiliary tags where every token has one. Multi-word tokens and empty nodes are no tokens."""
    sentences = []
    for block in _blocks(path):
        rows = [fields for numbered in block if (fields := _conllu_row(path, *numbered))]
        if rows:
            _, words, _, tags, finer, *_ = zip(*rows, strict=True)
            sentences.append(Sentence(words, tags, None if "_" in finer else finer))
    return _not_empty(path, sentences)


def read_entities(path: Path | TextFile, *, rename: Mapping[str, str] | None = None) -> list[Sentence]:
    """Column text with entity tags, IOB1 or IOB2, to IOB2 over PER, ORG and LOC.

    The words are the first column, or the second where the first only counts 1, 2, 3. The tags are the last column that reads
    O, B-type or I-type. `rename` maps the file's types to PER, ORG, LOC; a type it maps nowhere becomes O.
    """
    return parse_entities(path, ({kind: kind for kind in ENTITY_TYPES} if rename is None else rename).get)


def parse_entities(path: Path | TextFile, rename: Callable[[str], str | None]) -> list[Sentence]:
    """As `read_entities`, over whatever types `rename` gives."""
    blocks = [rows for block in _blocks(path, _ENTITY_COMMENT) if (rows := [row for row in map(_entity_row, block) if row[1]])]
    if not blocks:
        raise CorpusError(f"{path}: no sentences: expected one word a line with its entity tag")
    word_column = 1 if all(fields[0] == str(i) for block in blocks for i, (_, fields) in enumerate(block, 1)) else 0
    tag_column = _tag_column(path, blocks, first=word_column + 1)
    sentences = []
    for block in blocks:
        for number, fields in block:
            if len(fields) <= tag_column or not _ENTITY_TAG.fullmatch(fields[tag_column]):
                found = (
                    f"{shorten(fields[tag_column])} in column {tag_column + 1}"
                    if len(fields) > tag_column
                    else _columns(len(fields))
                )
                raise CorpusError(f"{path}, line {number}: {found}: expected a word and a tag such as O, B-PER or I-LOC")
            if not fields[word_column]:
                raise CorpusError(f"{path}, line {number}: the word before {fields[tag_column]!r} is empty")
        # the file's own types first: two neighbours of different types stay two entities when both become ORG
        tags = to_iob2([fields[tag_column] for _, fields in block])
        sentences.append(Sentence(tuple(fields[word_column] for _, fields in block), tuple(_renamed(tag, rename) for tag in tags)))
    return sentences


def to_iob2(tags: Sequence[str]) -> list[str]:
    """IOB1, or IOB2 with loose I-tags, to IOB2: an I-X that follows no X opens an entity."""
    fixed: list[str] = []
    for tag in tags:
        follows = bool(fixed) and fixed[-1] != OUTSIDE and fixed[-1][2:] == tag[2:]
        fixed.append(f"B-{tag[2:]}" if tag.startswith("I-") and not follows else tag)
    return fixed


def read_tweets(path: Path) -> list[Sentence]:
    """Broad Twitter Corpus: `@` and the user name after it become one token, tagged O as in the other corpora.

    What the file marks as the rest of that entity becomes O too. An `@` before a place that it is no part of reads "at", and stays.
    """
    return [_join_user_names(sentence) for sentence in read_entities(path)]


def read_paragraphs(path: Path | TextFile) -> list[list[str]]:
    """Plain text to tokens by paragraph: spaCy's tokens of `read_texts`."""
    return [text.words(paragraph) for paragraph in read_texts(path)]


def read_texts(path: Path | TextFile) -> list[str]:
    """Plain text by paragraph: the parts between blank lines, white space folded."""
    parts = re.split(r"\n\s*\n", open_file(path).text)
    return _not_empty(path, [folded for part in parts if (folded := " ".join(part.split()))])


def read_parts_of_speech(path: Path | TextFile) -> list[Sentence]:
    """CoNLL-U, or two columns: as the first line of the first sentence has it."""
    file = open_file(path)
    first = next((line for block in _blocks(file) for _, line in block), "")
    return read_conllu(file) if first.count("\t") > 1 else read_tag_columns(file)


def read_tag_columns(path: Path | TextFile) -> list[Sentence]:
    """Two columns, a word and its universal part of speech, separated by a tab or spaces; a blank line between sentences."""
    sentences = []
    for block in _blocks(path):
        rows = [_tag_row(path, *numbered) for numbered in block]
        words, tags = zip(*rows, strict=True)
        sentences.append(Sentence(words, tags))
    return _not_empty(path, sentences)


Reader = Callable[[Path], list[Sentence]]


def _tag_row(path: Path | TextFile, number: int, line: str) -> tuple[str, str]:
    fields = line.split("\t") if "\t" in line else line.split()
    if len(fields) != 2:
        expected = "expected a word and its tag, or the 10 columns of CoNLL-U, separated by tabs"
        raise CorpusError(f"{path}, line {number}: {_columns(len(fields))}: {expected}")
    word, tag = (field.strip() for field in fields)
    if not word:
        raise CorpusError(f"{path}, line {number}: the word before {tag!r} is empty")
    if tag not in UPOS:
        raise CorpusError(f"{path}, line {number}: {shorten(tag)} in column 2: expected a universal tag: {', '.join(UPOS)}")
    return word, tag


def _conllu_row(path: Path | TextFile, number: int, line: str) -> list[str]:
    """The ten columns of a token; none for a comment, a multi-word token or an empty node."""
    fields = line.split("\t")
    if line.startswith("#") or re.fullmatch(r"\d+[-.]\d+", fields[0]):
        return []
    if len(fields) != 10:
        raise CorpusError(f"{path}, line {number}: {_columns(len(fields))}: CoNLL-U has 10, separated by tabs")
    if not fields[0].isdecimal():
        raise CorpusError(f"{path}, line {number}: token number {shorten(fields[0])}: expected 1, 2, 3, ...")
    if not fields[1].strip():
        raise CorpusError(f"{path}, line {number}: the word in column 2 is empty")
    if fields[3] not in UPOS:
        raise CorpusError(f"{path}, line {number}: {shorten(fields[3])} in column 4: expected a universal tag: {', '.join(UPOS)}")
    return fields


def _entity_row(numbered: tuple[int, str]) -> tuple[int, list[str]]:
    """Columns by tab where there is one, else by space; none for a document mark or an invisible word outside of any entity."""
    number, line = numbered
    fields = [field.strip() for field in line.rstrip().split("\t")] if "\t" in line else line.split()
    ignored = fields[0] == "-DOCSTART-" or (not fields[0] and fields[1:] == [OUTSIDE])
    return number, [] if ignored else fields


def _tag_column(path: Path | TextFile, blocks: list[list[tuple[int, list[str]]]], *, first: int) -> int:
    """The last column that holds entity tags in nine of ten lines, so that one damaged line is named, not the whole file."""
    rows = [fields for block in blocks for _, fields in block]
    for column in range(max(len(fields) for fields in rows) - 1, first - 1, -1):
        matching = sum(len(fields) > column and _ENTITY_TAG.fullmatch(fields[column]) is not None for fields in rows)
        if matching >= 0.9 * len(rows):
            return column
    number = blocks[0][0][0]
    raise CorpusError(f"{path}, line {number}: no column of entity tags: expected a word and a tag such as O, B-PER or I-LOC")


def _renamed(tag: str, rename: Callable[[str], str | None]) -> str:
    kind = rename(tag[2:])
    return f"{tag[0]}-{kind}" if kind else OUTSIDE


def _blocks(path: Path | TextFile, comment: re.Pattern[str] = _COMMENT) -> Iterator[list[tuple[int, str]]]:
    """Runs of lines between blank lines, numbered from 1, without comments that open a sentence."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(open_file(path).text.split("\n"), start=1):
        if not line.strip():
            if block:
                yield block
            block = []
        elif block or not comment.match(line):
            block.append((number, line))
    if block:
        yield block


def _columns(count: int) -> str:
    return f"{count} column" if count == 1 else f"{count} columns"


def _not_empty(path: Path | TextFile, items: list[_Item]) -> list[_Item]:
    if not items:
        raise CorpusError(f"{path}: holds no sentences")
    return items


def _join_user_names(sentence: Sentence) -> Sentence:
    words: list[str] = []
    tags: list[str] = []
    in_user_name = False
    for word, tag in zip(sentence.words, sentence.tags, strict=True):
        if words and words[-1] == "@" and _USER_NAME.match(word) and (tags[-1], tag) != (OUTSIDE, "B-LOC"):
            words[-1] += word
            tags[-1] = OUTSIDE
            in_user_name = True
        else:
            in_user_name = in_user_name and tag.startswith("I-")
            words.append(word)
            tags.append(OUTSIDE if in_user_name else tag)
    return Sentence(tuple(words), tuple(tags))
