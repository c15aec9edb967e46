"""Locks that end with their holder: the kernel takes a flock back the moment its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

PAUSE = 0.01  # seconds between two tries


def take(path: Path, *, patience: float = 1.0) -> int | None:
    """Take a file's lock. Returns the descriptor that holds it until it is closed; None if another holds it all that time.

    Some patience is needed: who asks `is_taken` holds the lock for an instant.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(PAUSE)


def is_taken(path: Path) -> bool:
    """Whether a living process holds the file's lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
