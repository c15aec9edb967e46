"""Where a run stands, as its process last told, in one small file that can be written even where the disk is full."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal

FILE = "status.json"
SIZE = 4096  # bytes of the record: written in place and in one piece, so that it needs no further space
LONGEST_MESSAGE = 600  # characters: at four bytes each they leave room for the figures

Phase = Literal["new", "waiting", "loading", "training", "paused", "scoring", "finished", "stopped", "failed"]


@dataclass(frozen=True)
class Progress:
    """What a run's process last told. `message` says in plain words why it stands where it stands.

    `score` is that of the last whole epoch; `seconds` counts the time spent training, without pauses.
    """

    phase: Phase = "new"
    message: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0  # of the epoch after `epoch`
    steps: int = 0
    score: float | None = None
    best_score: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0
    pid: int | None = None  # for signals only: the lock says whether the process lives


def write(folder: Path, progress: Progress) -> None:
    """Overwrite the record in place."""
    told = {**asdict(progress), "message": progress.message[:LONGEST_MESSAGE]}
    record = json.dumps(told, ensure_ascii=False).encode()
    descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, record.ljust(SIZE - 1) + b"\n", 0)
    finally:
        os.close(descriptor)


def read(folder: Path) -> Progress:
    """What was last told; a run that never told anything is new."""
    try:
        found = json.loads((folder / FILE).read_bytes())
        return Progress(**{field.name: found[field.name] for field in fields(Progress)})
    except (OSError, ValueError, KeyError, TypeError):
        return Progress()


def waiting(before: Progress, pid: int | None = None) -> Progress:
    """The same run with a new process, before its turn."""
    return replace(before, phase="waiting", message="", pid=pid)
