"""One life of a run's process: its lock, its turn in the queue, and what becomes of it. torch is not imported while it waits."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seqmodels.runs import commands, locks, progress, store
from seqmodels.runs.files import clear_partials
from seqmodels.runs.progress import Progress
from seqmodels.runs.queue import Ticket
from seqmodels.runs.signals import InterruptedRunError, Signals
from seqmodels.runs.store import Run

if TYPE_CHECKING:
    from seqmodels.training import Report

# what a process has from whoever started it: descriptors that hold the run's lock and its ticket, and the ticket's file
LOCK, TICKET, TICKET_FILE = "SEQMODELS_RUN_LOCK", "SEQMODELS_RUN_TICKET", "SEQMODELS_RUN_TICKET_FILE"
PAUSE = 0.05  # seconds between two looks at the commands, where nothing else is to do


@dataclass(frozen=True)
class Notice:
    """Something to tell whoever watches: how it goes, or why it does not go on."""

    text: str
    ending: Literal["interrupted", "failed"] | None = None


class DiscardedRunError(Exception):
    """The run is to be deleted."""


@dataclass
class Desk:
    """What the parts of a run's process share: the run, what is told of it, and what is asked of it."""

    run: Run
    signals: Signals
    told: Progress

    def tell(self, **changes: Any) -> None:
        """Bring the run's progress up to date. A disk that cannot take even that must not hide the reason it is told for."""
        self.told = replace(self.told, **changes)
        try:
            progress.write(self.run.folder, self.told)
        except OSError:
            traceback.print_exc()


def work(folder: Path) -> Iterator[Report | Notice]:
    """Train the run in a folder, or go on with it, until it ends or is asked to. ValueError if another does, or it has ended."""
    run = store.open_folder(folder.resolve())
    lock = _lock(run)
    signals = Signals()
    desk = Desk(run, signals, progress.waiting(progress.read(run.folder), os.getpid()))
    try:
        store.check_unended(run)
        with signals.installed():
            clear_partials(run.folder)
            yield from _live(desk)
    finally:
        os.close(lock)
        _heed_late(run)


def _live(desk: Desk) -> Iterator[Report | Notice]:
    try:
        desk.tell()
        slot = yield from _wait(desk)
        try:
            yield from _train(desk)
        finally:
            os.close(slot)
    except InterruptedRunError:
        if not desk.told.message and desk.told.phase != "paused":
            desk.tell(message="its process was asked to end: it can go on from there")
        yield Notice("interrupted: give the same command again to go on", "interrupted")
    except DiscardedRunError:
        store.erase(desk.run.folder)
        yield Notice("discarded")
    except Exception as error:
        desk.tell(phase="failed", message=_in_plain_words(error))
        yield Notice(desk.told.message, "failed")


def _in_plain_words(error: Exception) -> str:
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # the latter is torch's
        return "there is not enough memory: choose a smaller network, or a smaller batch"
    traceback.print_exc()
    return f"an unexpected error ended the run: {type(error).__name__}: {error}. Its {store.LOG} says more."


def _inherited(name: str) -> int | None:
    """The descriptor that the environment names: it is heard of once, and no process inherits it from this one."""
    given = os.environ.pop(name, None)
    if given is None:
        return None
    os.set_inheritable(int(given), False)
    return int(given)


def _lock(run: Run) -> int:
    """The run's lock: handed down by whoever started this process, or taken."""
    inherited = _inherited(LOCK)
    if inherited is not None:
        return inherited
    lock = locks.take(run.folder / store.LOCK)
    if lock is None:
        raise ValueError(f"{run.folder} is being trained by another process: wait for it, or stop it")
    commands.clear(run.folder)
    return lock


def _wait(desk: Desk) -> Generator[Notice, None, int]:
    """Wait for a slot; returns it. A run that is stopped while it waits has a process no longer, and stands where it stood."""
    queue = store.queue()
    inherited = _inherited(TICKET)
    ticket = queue.join(desk.run.id) if inherited is None else Ticket(Path(os.environ.pop(TICKET_FILE)), inherited)
    told = False
    try:
        while (slot := queue.enter(ticket)) is None:
            if not told:
                yield Notice("waiting for other runs to end")
                told = True
            _heed(desk)
            time.sleep(PAUSE)
    except BaseException:
        queue.leave(ticket)
        raise
    return slot


def _heed(desk: Desk) -> None:
    """What can be asked of a run that waits."""
    desk.signals.check()
    for path, command in commands.pending(desk.run.folder):
        if command.kind == "discard":
            raise DiscardedRunError
        if command.kind in ("stop", "pause"):
            path.unlink(missing_ok=True)
            phase = "stopped" if command.kind == "stop" and not (desk.run.folder / store.LAST).exists() else "paused"
            desk.tell(phase=phase, message="taken out of the queue")
            raise InterruptedRunError


def _heed_late(run: Run) -> None:
    """Delete a run whose deletion was asked for when nobody looked any more.

    Its lock is free: whoever asks after this look finds no process, and deletes the run without being told.
    """
    if any(command.kind == "discard" for _, command in commands.pending(run.folder)):
        store.remove(run)


def _train(desk: Desk) -> Iterator[Report | Notice]:
    import torch

    from seqmodels.runs.session import Session

    torch.set_num_threads(1)  # a second one gains little for small matrices, and under load it loses much
    yield from Session(desk).reports()
