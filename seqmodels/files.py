"""Files that are there whole or not at all, and what is said where the disk cannot take them."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial"  # how the names of unfinished files end
_DIGITS = 20  # of a number in a name
_NUMBER = re.compile(rf"0[0-9]{{{_DIGITS - 1}}}")

_CAUSES = {
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("your share of the disk is full", "free some space"),
    errno.EFBIG: ("the file would be larger than is allowed here", "make it smaller, or raise the limit"),
    errno.EROFS: ("the disk is read-only", "make it writable"),
    errno.EACCES: ("writing there is not allowed", "make the folder writable"),
}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: a kill at any moment leaves the old one or the new one. An error if its folder is missing."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    with naming(path):
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """A file's descriptor. OSError at once where it is something else: a pipe can be waited for in vain, a device have no end."""
    with suppress(FileNotFoundError):  # the flags may make it
        _check_regular(path, path.stat())
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)  # as far as the user's umask lets others read
    try:
        _check_regular(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path) -> bytes:
    """All that is in a file. OSError as of `open_regular`."""
    with os.fdopen(open_regular(path), "rb") as file:
        return file.read()


def next_number(folder: Path) -> str:
    """With which a name begins that comes, by the alphabet, after all in the folder: the time, unless the clock was set back."""
    last = max((int(number) for path in folder.glob("[0-9]*") if _NUMBER.fullmatch(number := path.name[:_DIGITS])), default=0)
    return f"{max(time.time_ns(), last + 1):0{_DIGITS}d}"


@contextmanager
def held(path: Path) -> Iterator[Path]:
    """A file as it is now, under a path that stays its own when another file takes its place. OSError as of `open_regular`."""
    descriptor = open_regular(path)
    try:
        own = Path(f"/dev/fd/{descriptor}")
        yield own if own.exists() else path  # Windows has none
    finally:
        os.close(descriptor)


def _check_regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError inside is of this file: the system names none where a write fails, nor does anyone know one by a partial name."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def cause(error: OSError) -> tuple[str, str]:
    """Why a file cannot be written, and what to do about it."""
    return _CAUSES.get(error.errno or 0, (error.strerror or "the disk fails", "make the folder writable"))


def in_plain_words(error: OSError) -> str:
    """The same in a line, with the file's name: for whoever has given it."""
    if error.errno not in _CAUSES:
        reason = error.strerror or str(error)
        return f"{error.filename} cannot be used ({reason}): check its name and who may use it" if error.filename else reason
    reason, advice = cause(error)
    return f"{f'{error.filename} cannot be written: ' if error.filename else ''}{reason}. {advice.capitalize()}, then try again"
