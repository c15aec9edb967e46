"""How much runs may take, set by the environment for a whole server; and whose turn it is, without anyone in charge.

A process takes a free slot when no earlier one waits; runs of one group share a slot, so that they go side by side. A slot and a
place in the queue are locks of the processes that have them, so none outlives its process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from seqmodels.runs.files import is_locked, join_lock, take_lock

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Limits:
    """`at_once` processes (a group's count as one), `minutes` of training a run, `kept` runs, `upload_megabytes` a file."""

    at_once: int
    minutes: float
    kept: int
    upload_megabytes: float

    @classmethod
    def of_environment(cls) -> Limits:
        """SEQMODELS_RUNS_AT_ONCE (one for each two cores), SEQMODELS_RUN_MINUTES, SEQMODELS_RUNS_KEPT, SEQMODELS_UPLOAD_MB."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(
            at_once=_setting("SEQMODELS_RUNS_AT_ONCE", max(1, cores // 2)),
            minutes=_setting("SEQMODELS_RUN_MINUTES", 60.0),
            kept=_setting("SEQMODELS_RUNS_KEPT", 50),
            upload_megabytes=_setting("SEQMODELS_UPLOAD_MB", 5.0),
        )


def single_user() -> bool:
    """Whether everyone who sees the app owns every run."""
    return os.environ.get("SEQMODELS_SINGLE_USER", "") not in ("", "0")


def _setting(name: str, default: _Number) -> _Number:
    given = os.environ.get(name)
    if not given:
        return default
    try:
        value = type(default)(given)
    except ValueError:
        value = type(default)(0)
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} is {given!r}: give a number above 0, or unset it for {default}")
    return value


@dataclass(frozen=True)
class Ticket:
    """A place in the queue."""

    path: Path
    descriptor: int  # holds its lock


class Queue:
    """The queue of a runs folder, with so many slots."""

    def __init__(self, root: Path, slots: int) -> None:
        self._tickets, self._slots = root / ".queue", root / ".slots"
        self._count = slots

    def join(self, run_id: str) -> Ticket:
        """A place behind all who wait now."""
        for folder in (self._tickets, self._slots):
            folder.mkdir(parents=True, exist_ok=True)
        path = self._tickets / f"{time.time_ns():020d}-{run_id}"
        # locked before others can see it: a ticket without a lock has lost its process
        hidden = path.with_name(f".{path.name}")
        descriptor = take_lock(hidden)
        assert descriptor is not None
        hidden.rename(path)
        return Ticket(path, descriptor)

    def enter(self, ticket: Ticket, group: str | None = None) -> int | None:
        """The slot, as a descriptor that holds it until closed: that of the group, else if it is this ticket's turn a free one."""
        ways: list[Callable[[Path], int | None]] = []
        if group is not None:
            ways.append(lambda slot: join_lock(slot, group))
        if self._living()[:1] == [ticket.path]:
            ways.append(lambda slot: take_lock(slot, patience=0, group=group))
        for way in ways:
            for number in range(self._count):
                descriptor = way(self._slots / str(number))
                if descriptor is not None:
                    self.leave(ticket)
                    return descriptor
        return None

    def leave(self, ticket: Ticket) -> None:
        ticket.path.unlink(missing_ok=True)
        os.close(ticket.descriptor)

    def waiting(self) -> list[str]:
        """The runs that wait, first come first."""
        return [path.name.partition("-")[2] for path in self._living()]

    def _living(self) -> list[Path]:
        living = []
        for path in sorted(self._tickets.glob("[0-9]*")):
            if is_locked(path):
                living.append(path)
            else:
                path.unlink(missing_ok=True)
        return living
