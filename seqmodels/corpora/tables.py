"""Column files: a token a line, a blank line between sentences. Which is the word and which the tag follows from the values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from seqmodels.corpora.checks import FEW, HALF, MOST, check_words
from seqmodels.corpora.columns import Columns
from seqmodels.corpora.opening import CorpusError, TextFile, shorten

_IDENTIFIER = re.compile(r"|_|[(\[]?\d+[)\].:]?|[^\W\d_]*\d+([-_.:/][^\W\d_]*\d+)+")  # 7, 7., [7], 3-4, 8.1, s2.w5; empty
_NO_TOKEN = re.compile(r"\d+[-.]\d+")  # the ids of a multi-word token and of an empty node
_KEY_VALUE = re.compile(r"# ?[\w.:-]+ = ")
_SPACES = re.compile(r"[ \t]+")  # only these: a no-break space is part of a word
_DOCUMENT = "-DOCSTART-"
SHOWN_COLUMNS = 3  # of those that hold tags too
MOST_COLUMNS = 10_000  # far more than any corpus has: each is looked at for itself

Fields = tuple[str, ...]
Block = list[tuple[int, Fields]]  # the rows of a sentence, each with the number of its line


@dataclass(frozen=True)
class Table:
    """The sentences of a column file: each row's word and tag. Columns count from 0."""

    separator: str
    word: int
    tag: int
    lines: list[int]  # where each sentence begins
    words: list[tuple[str, ...]]
    tags: list[tuple[str, ...]]
    notes: list[str]


@dataclass(frozen=True)
class TagKind:
    """What is looked for: a column of such tags. `choose` picks among several, given the values of each."""

    valid: Callable[[str], bool]
    missing: str  # what an error calls a file without such a column
    row: str  # what is expected of a row,
    tag: str  # and of its tag
    choose: Callable[[dict[int, Counter[str]]], list[int]]  # the best first
    spell: Callable[[str], str]  # a tag as it is usually spelled


def lines_of(file: TextFile) -> Iterator[list[tuple[int, str]]]:
    """Runs of lines between blank lines, numbered from 1."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(file.text.split("\n"), start=1):
        if line and not line.isspace():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def read_table(file: TextFile, kind: TagKind, columns: Columns) -> Table:
    """Words and tags of a column file. CorpusError names the line of what does not fit."""
    blocks, separator = _rows(file)
    firm = [fields for block in blocks for _, fields in block if fields[0][:1] != "#"]
    firm = firm or [fields for block in blocks for _, fields in block]
    if not firm:
        raise CorpusError(f"{file}: holds no sentences: expected a word and its tag a line")
    notes: list[str] = []
    if respelled := _respelled(firm, kind, columns):
        blocks = [[(number, _spell(fields, respelled)) for number, fields in block] for block in blocks]
        firm = [_spell(fields, respelled) for fields in firm]
        found, read = next(pair for tags in respelled.values() for pair in tags.items())
        notes.append(f"tags are spelled in a way of their own: {found} is read as {read}, and the others alike")
    tag = _tag_column(file, blocks, firm, kind, columns, notes)
    widths = {width for width, count in Counter(map(len, firm)).items() if count > FEW * len(firm)}
    blocks = _without_comments(blocks, tag, kind, widths)
    if not blocks:
        raise CorpusError(f"{file}: holds no sentences: expected a word and its tag a line")
    word = _word_column(file, blocks, tag, columns)
    lines, words, tags, dropped = [], [], [], 0
    needed = max(word, tag)
    first = blocks[0][0][0]
    for block in blocks:
        for number, fields in block:
            if len(fields) <= needed or not kind.valid(fields[tag]) or not fields[word].strip():
                dropped += _check_row(file, number, fields, word, tag, kind, first=number == first)
        kept = [fields for _, fields in block if fields[word].strip()]
        if kept:
            lines.append(block[0][0])
            words.append(tuple([fields[word] for fields in kept]))
            tags.append(tuple([fields[tag] for fields in kept]))
    if dropped:
        notes.append(f"{dropped:,} rows without a visible word, all outside of entities, are left out")
    if not words:
        raise CorpusError(f"{file}: holds no sentences: expected a word and its tag a line")
    notes += check_words(file, words)
    return Table(separator, word, tag, lines, words, tags, notes)


def _rows(file: TextFile) -> tuple[list[Block], str]:
    """All rows by sentence, and what most are separated by. Marks of documents are no rows, nor are ranges of tokens."""
    blocks: list[Block] = []
    tabs = total = 0
    for lines in lines_of(file):
        block = []
        for number, line in lines:
            line = line.rstrip(" \t")
            if "\t" in line:
                parts = line.split("\t")
                if " " in line:
                    parts = [part.strip(" ") for part in parts]
                tabs += 1
            else:
                parts = _SPACES.split(line.lstrip(" "))
            if len(parts) > MOST_COLUMNS:
                raise CorpusError(f"{file}, line {number}: {count_columns(len(parts))}: expected a word and its tag a line")
            if "-" not in line or not any(part.upper() == _DOCUMENT for part in parts):
                block.append((number, tuple(parts)))
        total += len(block)
        if block:
            blocks.append(block)
    ids = Counter(map(_id_kind, (fields[0] for block in blocks for _, fields in block if fields[0][:1] != "#")))
    if ids["range"] and ids["id"] > HALF * ids.total() and not ids["word"] > FEW * ids.total():
        blocks = [[row for row in block if not _NO_TOKEN.fullmatch(row[1][0])] for block in blocks]
        blocks = [block for block in blocks if block]
    return blocks, "tabs" if tabs > HALF * total else "spaces"


def _id_kind(field: str) -> str:
    return "id" if field.isdecimal() else "range" if _NO_TOKEN.fullmatch(field) else "word"


def _values(rows: Sequence[Fields], column: int) -> Counter[str]:
    return Counter([fields[column] if len(fields) > column else "" for fields in rows])


def _width(rows: Sequence[Fields]) -> int:
    """The columns of most rows: a longer row may be damaged, or text."""
    return sorted(map(len, rows))[len(rows) // 2]


def _respelled(rows: Sequence[Fields], kind: TagKind, columns: Columns) -> dict[int, dict[str, str]]:
    """The columns of tags in another spelling, such as b-per or B_PER: how each such tag is read, the most frequent first."""
    asked = [columns.tag_column - 1] if columns.tag_column is not None else range(_width(rows))
    found: dict[int, dict[str, str]] = {}
    for column in asked:
        values = _values(rows, column)
        other = {value: kind.spell(value) for value, _ in values.most_common() if not kind.valid(value)}
        other = {value: tag for value, tag in other.items() if kind.valid(tag)}
        tags = Counter({value: count for value, count in values.items() if value in other or kind.valid(value)})
        if other and len(tags) > 1 and tags.total() >= MOST * len(rows):  # one value alone, such as x, may be anything
            found[column] = other
    return found


def _spell(fields: Fields, respelled: dict[int, dict[str, str]]) -> Fields:
    return tuple([respelled[column].get(field, field) if column in respelled else field for column, field in enumerate(fields)])


def _tag_column(
    file: TextFile, blocks: Sequence[Block], rows: Sequence[Fields], kind: TagKind, columns: Columns, notes: list[str]
) -> int:
    """The column asked for, else that with most tags. Others with as many are told."""
    asked = None if columns.tag_column is None else columns.tag_column - 1
    values = {column: _values(rows, column) for column in (range(_width(rows)) if asked is None else [asked])}
    if columns.word_column is not None:
        values.pop(columns.word_column - 1, None)
    shares = {
        column: sum(count for value, count in found.items() if kind.valid(value)) / len(rows) for column, found in values.items()
    }
    if asked is not None:
        if asked >= max(map(len, rows)):
            raise CorpusError(f"{file}: its rows have {count_columns(max(map(len, rows)))}: there is no tag column {asked + 1}")
        if shares[asked] < HALF:
            found = next((value for value, _ in values[asked].most_common() if not kind.valid(value)), "")
            raise CorpusError(f"{file}: the tag column {asked + 1} holds {shorten(found)}: expected {kind.tag}")
        return asked
    least = MOST if max(shares.values(), default=0) >= MOST else HALF
    tagged = {column: values[column] for column, share in shares.items() if share >= least}
    if not tagged:
        every = [row for block in blocks for row in block]
        number, fields = next((row for row in every if not kind.valid(row[1][-1])), every[0])
        found = f"{shorten(fields[-1])} in column {len(fields)}" if len(fields) > 1 else count_columns(1)
        raise CorpusError(f"{file}, line {number}: {kind.missing or found}: expected {kind.row}")
    best, *others = kind.choose(tagged)
    if others:
        listed = " and ".join(str(column + 1) for column in others[:SHOWN_COLUMNS])
        if len(others) > SHOWN_COLUMNS:
            listed += f" and {len(others) - SHOWN_COLUMNS} more"
        notes.append(f"tags stand in column {listed} too: set the tag column (--tag-column {others[0] + 1}) to read them")
    return best


def _without_comments(blocks: Sequence[Block], tag: int, kind: TagKind, widths: set[int]) -> list[Block]:
    """Without the lines before a sentence that start with #, except those of the form of a row with a tag."""

    def is_comment(fields: Fields) -> bool:
        if fields[0][:1] != "#":
            return False
        row = len(fields) in widths and len(fields) > tag and kind.valid(fields[tag])
        return not row or _KEY_VALUE.match(" ".join(fields)) is not None

    kept = []
    for block in blocks:
        first = next((index for index, (_, fields) in enumerate(block) if not is_comment(fields)), len(block))
        if first < len(block):
            kept.append(block[first:])
    return kept


def _word_column(file: TextFile, blocks: Sequence[Block], tag: int, columns: Columns) -> int:
    """The column asked for, else the first that holds neither ids nor one value a sentence; left of the tag where it can be."""
    if columns.word_column is not None:
        return columns.word_column - 1
    rows = [fields for block in blocks for _, fields in block]
    others = [column for column in (*range(tag), *range(tag + 1, _width(rows))) if column != tag]
    if not others:
        number, fields = next((row for block in blocks for row in block if len(row[1]) < 2), blocks[0][0])
        raise CorpusError(f"{file}, line {number}: {count_columns(len(fields))}: expected a word and its tag")
    values = {column: _values(rows, column) for column in others}
    plain = [column for column in others if not _are_ids(values[column], len(rows))]
    varied = [column for column in plain if not _is_constant(blocks, column)]
    return next(iter(varied or plain or others))


def _are_ids(values: Counter[str], total: int) -> bool:
    """Whether a column numbers its rows. One of mostly _ does not: that is a word column without its words."""
    ids = sum(count for value, count in values.items() if _IDENTIFIER.fullmatch(value))
    return values["_"] <= HALF * total and ids > (1 - FEW) * total


def _is_constant(blocks: Sequence[Block], column: int) -> bool:
    """Whether a column says something of whole sentences, such as their number: it never changes inside one."""
    several = False
    for block in blocks:
        if len(block) > 1:
            several = True
            if len({fields[column] if len(fields) > column else "" for _, fields in block}) > 1:
                return False
    return several


def _check_row(file: TextFile, number: int, fields: Fields, word: int, tag: int, kind: TagKind, *, first: bool) -> bool:
    """True for a row without a visible word outside of entities, which is left out; CorpusError for another that does not fit."""
    if len(fields) <= max(word, tag):
        raise CorpusError(f"{file}, line {number}: {count_columns(len(fields))}: expected {kind.row}")
    if not kind.valid(fields[tag]):
        heading = "; a heading of the columns is none: delete it" if first else ""
        raise CorpusError(f"{file}, line {number}: {shorten(fields[tag])} in column {tag + 1}: expected {kind.tag}{heading}")
    if fields[tag] != "O":
        raise CorpusError(f"{file}, line {number}: the word before {fields[tag]!r} is empty")
    return True


def count_columns(count: int) -> str:
    """How many columns, for an error."""
    return f"{count} column" if count == 1 else f"{count:,} columns"
