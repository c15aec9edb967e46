"""Whose turn it is, without anyone in charge.

A free slot goes to the one that waits longest; runs of one group share a slot, so that they go side by side. A run that was
started and must wait is a ticket, a small file, and has no process until its turn (seqmodels.runs.keeper). A process that waits by
itself, as on a command line, holds its ticket's lock, and one that trains that of its slot: neither outlives its process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seqmodels.files import next_number
from seqmodels.runs.files import is_locked, join_lock, take_lock

FOLDER = ".queue"  # of the runs folder: the tickets
_SLOTS = ".slots"
_SHUT = "shut"  # of the tickets' folder: who holds its lock has closed the queue
_TO_START = ".start"  # how the ticket of a run without a process ends
_PATIENCE = 10.0  # seconds for which another may count the places


@dataclass(frozen=True)
class Ticket:
    """The place of a process that waits."""

    path: Path
    descriptor: int  # holds its lock


def to_be_started(folder: Path) -> bool:
    """Whether the run in this folder waits for its turn, to be started then."""
    return bool(_tickets_of(folder.with_name(FOLDER), folder.name))


class Queue:
    """The queue of a runs folder, with so many slots."""

    def __init__(self, root: Path, slots: int) -> None:
        self._tickets, self._slots = root / FOLDER, root / _SLOTS
        self._count = slots

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else is in here meanwhile: for one who first looks how many wait, and then becomes one of them."""
        self._make()
        lock = take_lock(self._tickets / "lock", patience=_PATIENCE)
        if lock is None:
            raise ValueError("too many runs are being started: wait a moment, then try again")
        try:
            yield
        finally:
            os.close(lock)

    def join(self, run_id: str) -> Ticket:
        """A place for this process behind all who wait now."""
        path = self._new_ticket(run_id)
        # locked before others can see it: a ticket without a lock has lost its process
        hidden = path.with_name(f".{path.name}")
        descriptor = take_lock(hidden)
        assert descriptor is not None
        hidden.rename(path)
        return Ticket(path, descriptor)

    def enter(self, ticket: Ticket | None = None, group: str | None = None) -> int | None:
        """The slot, as a descriptor that holds it until closed: that of the group, else if it is this ticket's turn a free one.

        One without a ticket has its turn where nobody waits.
        """
        first = next(self._living(), None)
        slot = self._take_slot(group, free=first == (None if ticket is None else ticket.path))
        if slot is not None and ticket is not None:
            self.leave(ticket)
        return slot

    def leave(self, ticket: Ticket) -> None:
        ticket.path.unlink(missing_ok=True)
        os.close(ticket.descriptor)

    def put(self, run_id: str, group: str | None = None) -> None:
        """A place, behind all who wait now, for a run that is to be started when its turn comes."""
        path = self._new_ticket(f"{run_id}{_TO_START}")
        hidden = path.with_name(f".{path.name}")
        try:
            hidden.write_text(group or "")
            hidden.rename(path)
        except OSError:
            hidden.unlink(missing_ok=True)
            raise

    def remove(self, run_id: str) -> bool:
        """Take such a run out; whether it was there."""
        paths = _tickets_of(self._tickets, run_id)
        for path in paths:
            path.unlink(missing_ok=True)
        return bool(paths)

    def due(self) -> Iterator[tuple[str, int]]:
        """The runs to be started whose turn it is now, each with its slot. Whoever starts one removes it."""
        ahead = False  # whether an earlier one still waits
        for path in self._living():
            slot = None
            with suppress(FileNotFoundError):  # taken out meanwhile
                if path.suffix == _TO_START:
                    slot = self._take_slot(path.read_text(errors="replace") or None, free=not ahead)
            ahead = ahead or slot is None
            if slot is not None:
                yield _run_of(path), slot

    def waiting(self) -> list[str]:
        """The runs that wait, first come first."""
        return [_run_of(path) for path in self._living()]

    def free(self) -> bool:
        """Whether the next run need not wait."""
        if any(self._living()):
            return False
        return any(not is_locked(slot, alone=False) for slot in self._every_slot())

    def shut(self) -> None:
        """Let no run be started when its turn comes, as long as this process lives."""
        self._make()
        take_lock(self._tickets / _SHUT, patience=0)  # where another has it, that one keeps them waiting

    def to_start(self) -> bool:
        """Whether any of them is to be started when its turn comes."""
        return not is_locked(self._tickets / _SHUT) and any(path.suffix == _TO_START for path in _files(self._tickets, "[0-9]*"))

    def _make(self) -> None:
        for folder in (self._tickets, self._slots):
            folder.mkdir(parents=True, exist_ok=True)

    def _new_ticket(self, name: str) -> Path:
        self._make()
        return self._tickets / f"{next_number(self._tickets)}-{name}"

    def _take_slot(self, group: str | None, *, free: bool) -> int | None:
        if group is not None:
            for slot in self._every_slot():
                descriptor = join_lock(slot, group)
                if descriptor is not None:
                    return descriptor
        if free:
            self._make()
            for slot in self._every_slot():
                descriptor = take_lock(slot, patience=0, group=group)
                if descriptor is not None:
                    return descriptor
        return None

    def _every_slot(self) -> Iterator[Path]:
        return (self._slots / str(number) for number in range(self._count))

    def _living(self) -> Iterator[Path]:
        for path in sorted(_files(self._tickets, "[0-9]*")):
            if path.suffix == _TO_START or is_locked(path):
                yield path
            else:
                path.unlink(missing_ok=True)


def _tickets_of(folder: Path, run_id: str) -> list[Path]:
    """Those of a run that is to be started."""
    return [path for path in _files(folder, f"*{_TO_START}") if _run_of(path) == run_id]


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    """Those that may be tickets: a folder or a pipe among them is not ours, and nobody waits for it."""
    return (path for path in folder.glob(pattern) if path.is_file())


def _run_of(ticket: Path) -> str:
    return ticket.name.partition("-")[2].removesuffix(_TO_START)
