"""Whose turn it is, without anyone in charge.

A process takes a free slot when no earlier one waits; runs of one group share a slot, so that they go side by side. A slot and a
place in the queue are locks of the processes that have them, so none outlives its process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seqmodels.runs.files import is_locked, join_lock, take_lock


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
