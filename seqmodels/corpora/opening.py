"""A file becomes text: checked before it is read, and never unpacked or run. Every error says what to do instead."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from seqmodels.environment import environment

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


class CorpusError(ValueError):
    """A corpus file is not of the form it should be."""


@dataclass(frozen=True)
class TextFile:
    """A text, and the name that errors call it by."""

    name: str
    text: str

    def __str__(self) -> str:
        return self.name


def open_file(path: Path | TextFile) -> TextFile:
    """The text of a UTF-8 file, as `decode` gives it; what is open already stays as it is."""
    if isinstance(path, TextFile):
        return path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}): give the path of a readable text file") from None
    return decode(content, str(path))


def open_upload(content: bytes, name: str, *, largest: int | None = None) -> TextFile:
    """The text of an uploaded file of at most `largest` bytes, else of SEQMODELS_UPLOAD_MB.

    `name` is only shown, and of a path only its last part.
    """
    name = _shown(name)
    if largest is None:
        largest = round(environment().upload_mb * 2**20)
    if len(content) > largest:
        raise CorpusError(f"{name} has {len(content) / 2**20:.1f} MB: give at most {largest / 2**20:.0f} MB")
    return decode(content, name)


def decode(content: bytes, name: str) -> TextFile:
    """UTF-8 bytes to text with plain line ends and no byte order mark. CorpusError says what they are where they are no text."""
    text = decode_as_it_is(content, name).removeprefix("\ufeff")
    lines = text.count("\n")
    if text.count("\r\r\n") == lines and text.count("\r") == 2 * lines:  # CR LF, with a CR put before each LF once more
        text = text.replace("\r", "")
    return TextFile(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def decode_as_it_is(content: bytes, name: str) -> str:
    """UTF-8 bytes to text, with its line ends and byte order mark. CorpusError as `decode`."""
    if not content.removeprefix(b"\xef\xbb\xbf").strip():
        raise CorpusError(f"{name} is empty: give a text file")
    check_kind(content, name)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(error, name) from None
    check_characters(text, name)
    return text


def check_kind(content: bytes, name: str) -> None:
    """CorpusError if a file that begins so is no text, or one of another encoding."""
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            raise CorpusError(f"{name} is {kind}, not plain text, and was not opened: save the text itself as UTF-8")
    if _is_wide(content):
        raise CorpusError(f"{name} is saved as UTF-16 or UTF-32: save the file as UTF-8")


def check_characters(text: str, name: str, *, lines: int = 0) -> None:
    """CorpusError if a text holds what no text does; `lines` are before it."""
    strange = _NO_TEXT.search(text)
    if strange:
        line = lines + text.count("\n", 0, strange.start()) + 1
        byte = f"{ord(strange.group()):#04x}"
        raise CorpusError(f"{name}, line {line}: holds the byte {byte}, which is no text: give a plain text file")


def not_utf8(error: UnicodeDecodeError, name: str, *, lines: int = 0) -> CorpusError:
    """The error of a file in another encoding; `lines` are before what was decoded."""
    line = lines + len(re.findall(rb"\r\n?|\n", error.object[: error.start])) + 1
    found = f"the byte {error.object[error.start]:#04x}"
    return CorpusError(
        f"{name}, line {line}: not UTF-8 text ({found}): save the file as UTF-8; it may be in Latin-1 or another old encoding"
    )


def shorten(found: str, longest: int = 40) -> str:
    """What was found, quoted, for an error of one line."""
    return repr(found if len(found) <= longest else f"{found[:longest]}...")


def _is_wide(content: bytes) -> bool:
    """A byte order mark, or, without one, every other byte zero as in Latin letters."""
    start = content[:1000]
    return start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or start.count(0) > 0.4 * len(start)


def _shown(name: str) -> str:
    """The last part of a name, printable, on one line."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip()
    return (printable if len(printable) <= 60 else f"{printable[:57]}...") or "the file"
