"""What is said where a run's files cannot be written, and locks that end with their holder."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqmodels.files import PARTIAL, cause, open_regular

_RETRY = 0.01  # seconds between two attempts to take a lock


class StorageError(ValueError):
    """A run's folder cannot be written."""


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
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise StorageError(f"{what} cannot be {done}: the folder is gone. Start a new run.") from error
        reason, advice = cause(error)
        advice = f"What was saved before is safe: {advice}" if done == "saved" else advice.capitalize()
        raise StorageError(f"{what} cannot be {done}: {reason}. {advice}, then try again.") from error


def take_lock(path: Path, *, patience: float = 1.0, group: str | None = None) -> int | None:
    """Take a file's lock. Returns the descriptor that holds it until it is closed; None if another holds it all that time.

    With a group, others of it may hold it too, by `join_lock`.

    The kernel takes a flock back the moment its process ends, however it ends. Some patience is needed: `is_locked` holds the lock
    for an instant.
    """
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
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
        except OSError:  # the disk does not take even the group's name: the lock is not to be held for nothing
            os.close(descriptor)
            raise


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
        descriptor = open_regular(path)
    except OSError:  # it is not there, or no file that a process could hold
        return False
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if alone else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
