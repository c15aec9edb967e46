"""Files that are there whole or not at all, what is said where they cannot be written, and locks that end with their holder."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

PARTIAL = ".partial"  # how the names of unfinished files end

_CAUSES = {
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("your share of the disk is full", "free some space"),
    errno.EFBIG: ("the file would be larger than is allowed here", "choose a smaller network, or raise the limit"),
    errno.EROFS: ("the disk is read-only", "make it writable"),
    errno.EACCES: ("writing there is not allowed", "make the folder writable"),
}
_RETRY = 0.01  # seconds between two attempts to take a lock


class StorageError(ValueError):
    """A run's folder cannot be written."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: a kill at any moment leaves the old one or the new one. An error if its folder is missing."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def clear_partials(folder: Path) -> None:
    """Remove what a killed process left unfinished."""
    for pattern in (f"*{PARTIAL}", ".tmp*"):  # ours, and safetensors' own
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


@contextmanager
def friendly_errors(what: str, done: str = "saved") -> Iterator[None]:
    """Turn a failure to write into a StorageError that says why, and what to do, and names no path of the server's."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        number = _number(error)
        if number == errno.ENOENT:
            raise StorageError(f"{what} cannot be {done}: the folder is gone. Start a new run.") from error
        reason, advice = _CAUSES.get(number, (os.strerror(number) if number else "the disk fails", "make the folder writable"))
        advice = f"What was saved before is safe: {advice}" if done == "saved" else advice.capitalize()
        raise StorageError(f"{what} cannot be {done}: {reason}. {advice}, then try again.") from error


def _number(error: OSError | SafetensorError) -> int:
    """The system's number of an error, which safetensors gives in words only."""
    if isinstance(error, OSError):
        return error.errno or 0
    found = re.search(r"os error (\d+)", str(error))
    return int(found[1]) if found else 0


def take_lock(path: Path, *, patience: float = 1.0, group: str | None = None) -> int | None:
    """Take a file's lock. Returns the descriptor that holds it until it is closed; None if another holds it all that time.

    With a group, others of it may hold it too, by `join_lock`.

    The kernel takes a flock back the moment its process ends, however it ends. Some patience is needed: `is_locked` holds the lock
    for an instant.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if group is not None:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, group.encode(), 0)
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # gives the lock back first, which another may take
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(_RETRY)


def join_lock(path: Path, group: str) -> int | None:
    """Hold a lock together with a group that has it: a descriptor as of `take_lock`, or None if the group does not have it."""
    try:
        if not is_locked(path, alone=False) or path.read_text(errors="replace") != group:
            return None
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:  # it is held by one alone, after the group
        os.close(descriptor)
        return None
    return descriptor


def is_locked(path: Path, *, alone: bool = True) -> bool:
    """Whether a living process holds the file's lock; without `alone`, also together with others."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # it is not there, or no file that a process could hold
        return False
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if alone else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
