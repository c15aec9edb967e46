"""Who may train now, without anyone in charge: a process takes a free slot when no earlier one waits.

A slot and a place in the queue are locks of the process that has them, so none outlives its process.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from seqmodels.runs import locks
from seqmodels.runs.files import PARTIAL


@dataclass(frozen=True)
class Ticket:
    """A place in the queue."""

    path: Path
    descriptor: int


class Queue:
    """The queue of a runs folder, with so many slots."""

    def __init__(self, root: Path, slots: int) -> None:
        self._tickets = root / ".queue"
        self._slots = [root / ".slots" / str(number) for number in range(slots)]

    def join(self, run_id: str) -> Ticket:
        """A place behind all who wait now."""
        path = self._tickets / f"{time.time_ns():020d}-{run_id}"
        # locked before others can see it: a ticket without a lock has lost its process
        hidden = path.with_name(path.name + PARTIAL)
        descriptor = locks.take(hidden)
        assert descriptor is not None
        hidden.rename(path)
        return Ticket(path, descriptor)

    def enter(self, ticket: Ticket) -> int | None:
        """The slot, as a descriptor that holds it until closed, if it is this ticket's turn and one is free."""
        if self._living()[:1] != [ticket.path]:
            return None
        for slot in self._slots:
            descriptor = locks.take(slot, patience=0)
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
        for path in sorted(path for path in self._tickets.glob("*-*") if path.suffix != PARTIAL):
            if locks.is_taken(path):
                living.append(path)
            else:
                path.unlink(missing_ok=True)
        return living
