"""Sentences written, or put together from patterns and lists of words: no corpus has enough of what visitors type."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqmodels import text
from seqmodels.corpora.conllu import UPOS
from seqmodels.corpora.entities import ENTITY_TYPES
from seqmodels.corpora.opening import CorpusError, TextFile, open_file
from seqmodels.corpora.reports import OUTSIDE, Sentence

TIMES = 12  # that each pattern with a slot is filled
TAGGED_TIMES = 4  # that one of words with their tags is: of each there is more in other corpora
_HEADER = re.compile(r"^## *(.*)$", re.MULTILINE)
_JOINING = ("ADP", "CCONJ", "DET", "PART")  # parts of speech that some headlines write small
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
    lists, blocks = _read(open_file(path), (*ENTITY_TYPES, OUTSIDE), ("patterns",))
    return [_with_entities(pattern, lists) for pattern in _repeated(blocks["patterns"], TIMES)]


def read_tagged_patterns(path: Path | TextFile) -> list[Sentence]:
    """A file of lists of words and of patterns with slots for them, to sentences with parts of speech: the same each time.

    A list begins with its kind and the tag of its words, as in `## verb VERB`; patterns begin with `## sentences` or `## headlines`
    and are written word by word, each a slot or with its tag, as in `{verb} the/DET {noun} ./PUNCT`. A sentence begins with a
    capital, and all words of a headline do; of every other one those do not that only join others (Fire in Berlin). What stands
    below `## as written` keeps the capitals it has.
    """
    file = open_file(path)
    kinds = ("sentences", "headlines", "as written")
    lists, blocks = _read(file, UPOS, kinds)
    sentences, headlines, as_written = (
        [_with_tags(pattern, lists, file) for pattern in _repeated(blocks[kind], TAGGED_TIMES)] for kind in kinds
    )
    return [
        *as_written,
        *(_with_capitals(sentence, UPOS) for sentence in sentences),
        *(_with_capitals(headline, _JOINING if number % 2 else ()) for number, headline in enumerate(headlines)),
    ]


def _read(file: TextFile, types: Sequence[str], kinds: Sequence[str]) -> tuple[dict[str, _Names], dict[str, list[str]]]:
    """The lists of a file by their kind, and its patterns by what they are. CorpusError says which line cannot be read."""
    listed = re.compile(rf"(?P<kind>\w+) (?P<type>{'|'.join(types)})")
    before, *blocks = _HEADER.split(file.text)
    if before.strip():
        raise CorpusError(f"{file}: line 1 belongs to no list: begin with one such as '## person {types[0]}'")
    draw = random.Random(0)
    names: dict[str, _Names] = {}
    patterns: dict[str, list[str]] = {kind: [] for kind in kinds}
    for header, block in zip(blocks[::2], blocks[1::2], strict=True):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        of_names = listed.fullmatch(header.strip())
        if of_names and of_names["kind"] in names:
            raise CorpusError(f"{file}: there are two lists of {of_names['kind']!r}: put all its names below one '## {header}'")
        if of_names and lines:
            names[of_names["kind"]] = _Names(of_names["type"], _dealt(lines, draw))
        elif header.strip() in patterns:
            patterns[header.strip()] += lines
        else:
            raise CorpusError(
                f"{file}: '## {header}' begins no list: write one such as '## person {types[0]}', with a name a line below"
            )
    if not any(patterns.values()):
        raise CorpusError(f"{file}: there are no patterns in it: put them below '## {kinds[0]}', one a line")
    for pattern in (pattern for block in patterns.values() for pattern in block):
        missing = set(_SLOT.findall(pattern)) - set(names)
        if missing:
            raise CorpusError(f"{file}: {pattern!r} has a slot for {min(missing)!r}, which no list is of")
    return names, patterns


def _repeated(patterns: Iterable[str], times: int) -> Iterator[str]:
    for pattern in patterns:
        yield from [pattern] * (times if _SLOT.search(pattern) else 1)


def _dealt(names: Sequence[str], draw: random.Random) -> Iterator[str]:
    while True:
        yield from draw.sample(names, len(names))


def _with_entities(pattern: str, names: Mapping[str, _Names]) -> Sentence:
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


def _with_tags(pattern: str, names: Mapping[str, _Names], file: TextFile) -> Sentence:
    tagged: list[tuple[str, str]] = []
    for part in pattern.split():
        slot = _SLOT.fullmatch(part)
        if slot:
            name = names[slot[1]]
            tagged += [(word, name.type) for word in text.words(next(name.dealt))]
        elif (tag := part.rpartition("/")[2]) in UPOS and not _SLOT.search(part):
            tagged.append((part.removesuffix(f"/{tag}"), tag))
        else:
            raise CorpusError(f"{file}: {part!r} in the pattern {pattern!r} is no slot and has no tag: write it as in the/DET")
    words, tags = zip(*tagged, strict=True)
    return Sentence(words, tags)


def _with_capitals(sentence: Sentence, small: Sequence[str]) -> Sentence:
    """The first word begins with a capital, and so do all others but those of these parts of speech."""
    words = (
        word if place and tag in small else text.first_upper(word)
        for place, (word, tag) in enumerate(zip(sentence.words, sentence.tags, strict=True))
    )
    return Sentence(tuple(words), sentence.tags)
