"""Sentences put together from patterns and lists of names: no corpus has enough of famous names, headlines and commands."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqmodels import text
from seqmodels.corpora.entities import ENTITY_TYPES
from seqmodels.corpora.opening import CorpusError, TextFile, open_file
from seqmodels.corpora.reports import OUTSIDE, Sentence

TIMES = 12  # that each pattern with a slot is filled
_HEADER = re.compile(r"^## *(.*)$", re.MULTILINE)
_NAMES = re.compile(rf"(?P<kind>\w+) (?P<type>{'|'.join((*ENTITY_TYPES, OUTSIDE))})")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class _Names:
    """The names of a kind, without end; none comes again before all others have come."""

    type: str
    dealt: Iterator[str]


def read_patterns(path: Path | TextFile) -> list[Sentence]:
    """A file of lists of names and of patterns with slots for them, to sentences in IOB2: the same sentences each time.

    A list begins with its kind and the type of entity of its names, or O, as in `## person PER`; the patterns begin with
    `## patterns`. Each name and each pattern has a line. In `{person} left {city}.` the names of a person and of a city are put.
    """
    file = open_file(path)
    before, *blocks = _HEADER.split(file.text)
    if before.strip():
        raise CorpusError(f"{file}: line 1 belongs to no list: begin with one such as '## person PER'")
    draw = random.Random(0)
    names: dict[str, _Names] = {}
    patterns: list[str] = []
    for header, block in zip(blocks[::2], blocks[1::2], strict=True):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        of_names = _NAMES.fullmatch(header.strip())
        if of_names and of_names["kind"] in names:
            raise CorpusError(f"{file}: there are two lists of {of_names['kind']!r}: put all its names below one '## {header}'")
        if of_names and lines:
            names[of_names["kind"]] = _Names(of_names["type"], _dealt(lines, draw))
        elif header.strip() == "patterns":
            patterns += lines
        else:
            raise CorpusError(f"{file}: '## {header}' begins no list: write one such as '## person PER', with a name a line below")
    if not patterns:
        raise CorpusError(f"{file}: there are no patterns in it: put them below '## patterns', one a line")
    for pattern in patterns:
        missing = set(_SLOT.findall(pattern)) - set(names)
        if missing:
            raise CorpusError(f"{file}: {pattern!r} has a slot for {min(missing)!r}, which no list is of")
    return [_filled(pattern, names) for pattern in patterns for _ in range(TIMES if _SLOT.search(pattern) else 1)]


def _dealt(names: Sequence[str], draw: random.Random) -> Iterator[str]:
    while True:
        yield from draw.sample(names, len(names))


def _filled(pattern: str, names: Mapping[str, _Names]) -> Sentence:
    whole = ""
    marked: list[tuple[int, int, str]] = []  # from and to which character, and the type
    for place, part in enumerate(_SLOT.split(pattern)):
        if place % 2:  # a slot's kind
            name = next(names[part].dealt)
            marked.append((len(whole), len(whole) + len(name), names[part].type))
            whole += name
        else:
            whole += part
    tokens = text.tokenize(whole)
    tags = [OUTSIDE] * len(tokens)
    for start, end, label in marked:
        inside = [index for index, token in enumerate(tokens) if token.start < end and token.end > start]
        for prefix, index in zip("B" + "I" * len(inside), inside, strict=False):
            tags[index] = OUTSIDE if label == OUTSIDE else f"{prefix}-{label}"
    return Sentence(tuple(token.text for token in tokens), tuple(tags))
