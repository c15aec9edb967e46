"""Who may train now, without anyone in charge: a process takes a free slot when no earlier one waits.

A slot and a place in the queue are locks of the process that has them, so none outlives its process.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from seqmodels.runs import locks


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
        descriptor = locks.take(hidden)
        assert descriptor is not None
        hidden.rename(path)
        return Ticket(path, descriptor)

    def enter(self, ticket: Ticket) -> int | None:
        """The slot, as a descriptor that holds it until closed, if it is this ticket's turn and one is free."""
        if self._living()[:1] != [ticket.path]:
            return None
        for number in range(self._count):
            descriptor = locks.take(self._slots / str(number), patience=0)
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
            if locks.is_taken(path):
                living.append(path)
            else:
                path.unlink(missing_ok=True)
        return living
