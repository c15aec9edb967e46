"""A file from someone else: checked before it is read, and never unpacked or run. Every error says what to do instead."""

from __future__ import annotations

import re
import unicodedata

from seqmodels.corpora.readers import OUTSIDE, CorpusError, Sentence, TextFile, decode, parse_entities, shorten

LARGEST_UPLOAD = 5 * 2**20  # bytes
LONGEST_LINE = 100_000  # characters
LONGEST_SENTENCE = 1_000  # words; the gradient goes back through all of them
MOST_TYPES = 30  # of entities

_MAGIC = {
    b"PK\x03\x04": "a zip archive or an office document",
    b"PK\x05\x06": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"%PDF": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x7fELF": "a program",
    b"MZ\x90\x00": "a program",
}
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_USUAL_TYPES = {
    kind: usual
    for usual, kinds in {"PER": "per person", "LOC": "loc location", "ORG": "org organization organisation"}.items()
    for kind in kinds.split()
}


def open_upload(content: bytes, name: str, *, largest: int = LARGEST_UPLOAD) -> TextFile:
    """The text of an uploaded file, with plain line ends. `name` is only shown, and of a path only its last part."""
    name = _shown(name)
    if len(content) > largest:
        raise CorpusError(f"{name} has {len(content) / 2**20:.1f} MB: give at most {largest / 2**20:.0f} MB")
    if not content.strip():
        raise CorpusError(f"{name} is empty: give a text file")
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            raise CorpusError(f"{name} is {kind}, not plain text, and was not opened: save the text itself as UTF-8")
    if _is_wide(content):
        raise CorpusError(f"{name} is saved as UTF-16 or UTF-32: save the file as UTF-8")
    text = decode(content, name).text.replace("\r\n", "\n").replace("\r", "\n")
    strange = _NO_TEXT.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        byte = f"{ord(strange.group()):#04x}"
        raise CorpusError(f"{name}, line {line}: holds the byte {byte}, which is no text: give a plain text file")
    for number, line_text in enumerate(text.split("\n"), start=1):
        if len(line_text) > LONGEST_LINE:
            found = f"{len(line_text):,} characters in one line"
            raise CorpusError(f"{name}, line {number}: {found}: break it into lines of at most {LONGEST_LINE:,}")
    return TextFile(name, text)


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


def _is_wide(content: bytes) -> bool:
    """A byte order mark, or, without one, every other byte zero as in Latin letters."""
    start = content[:1000]
    return start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or start.count(0) > 0.4 * len(start)


def _shown(name: str) -> str:
    """The last part of a name, printable, on one line."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip()
    return (printable if len(printable) <= 60 else f"{printable[:57]}...") or "the file"
