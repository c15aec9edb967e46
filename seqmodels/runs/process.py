"""One life of a run's process: its lock, its turn in the queue, and what becomes of it. torch is not imported while it waits."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from seqmodels.runs import context, store
from seqmodels.runs.context import PAUSE, DiscardedRunError, InterruptedRunError, Notice, RunContext
from seqmodels.runs.files import clear_partials, friendly_errors, take_lock
from seqmodels.runs.queue import Ticket
from seqmodels.runs.store import Run

if TYPE_CHECKING:
    from seqmodels.training import Report

# what a process has from whoever started it: descriptors that hold the run's lock and its ticket, and the ticket's file
DESCRIPTORS, TICKET = "SEQMODELS_RUN_DESCRIPTORS", "SEQMODELS_RUN_TICKET"


def work(folder: Path) -> Iterator[Report | Notice]:
    """Train the run in a folder, or go on with it, until it ends or is asked to. ValueError if another does, or it has ended."""
    run = store.open_folder(folder.resolve())
    lock, ticket = _handed_over() or (_lock(run), None)
    current = RunContext(run, store.read_progress(run.folder).waiting(os.getpid()))
    try:
        store.check_unended(run)
        with current.signals.installed():
            with friendly_errors("the run"):
                clear_partials(run.folder)
            yield from _live(current, ticket)
    finally:
        os.close(lock)
        # one whose deletion was asked for after the last poll; who asks from now on finds no process, and deletes it without one
        if any(command.kind == "discard" for _, command in context.pending(run.folder)):
            store.remove(run)


def _handed_over() -> tuple[int, Ticket] | None:
    """The lock and the ticket from whoever started this process. No process inherits them from this one."""
    given = os.environ.pop(DESCRIPTORS, None)
    if given is None:
        return None
    lock, ticket = map(int, given.split())
    for descriptor in (lock, ticket):
        os.set_inheritable(descriptor, False)
    return lock, Ticket(Path(os.environ.pop(TICKET)), ticket)


def _lock(run: Run) -> int:
    with friendly_errors("the run"):
        lock = take_lock(run.folder / store.LOCK)
    if lock is None:
        raise ValueError(f"{run.folder} is being trained by another process: wait for it, or stop it")
    context.clear(run.folder)
    return lock


def _live(current: RunContext, ticket: Ticket | None) -> Iterator[Report | Notice]:
    try:
        current.update()
        slot = yield from _wait(current, ticket)
        try:
            import torch

            from seqmodels.runs.session import Session

            torch.set_num_threads(1)  # a second one gains little for small matrices, and under load it loses much
            yield from Session(current).reports()
        finally:
            os.close(slot)
    except InterruptedRunError:
        if not current.progress.message and current.progress.phase != "paused":
            current.update(message="its process was asked to end: it can go on from there")
        yield Notice("interrupted: give the same command again to go on", "interrupted")
    except DiscardedRunError:
        store.erase(current.run.folder)
        yield Notice("discarded")
    except Exception as error:
        current.update(phase="failed", message=_in_plain_words(error))
        yield Notice(current.progress.message, "failed")


def _in_plain_words(error: Exception) -> str:
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # the latter is torch's
        return "there is not enough memory: choose a smaller network, or a smaller batch"
    traceback.print_exc()
    if isinstance(error, OSError):
        return f"a file of the run cannot be used: {error.strerror}. Its {store.LOG} says more."
    return f"an unexpected error ended the run: {type(error).__name__}: {error}. Its {store.LOG} says more."


def _wait(current: RunContext, ticket: Ticket | None) -> Generator[Notice, None, int]:
    """Wait for a slot; returns it. A run that is stopped while it waits has a process no longer, and stands where it stood."""
    queue = store.queue()
    ticket = ticket or queue.join(current.run.id)
    announced = False
    try:
        while (slot := queue.enter(ticket, current.run.group)) is None:
            if not announced:
                yield Notice("waiting for other runs to end")
                announced = True
            _poll_commands(current)
            time.sleep(PAUSE)
    except BaseException:
        queue.leave(ticket)
        raise
    return slot


def _poll_commands(current: RunContext) -> None:
    """Carry out what can be asked of a run that waits."""
    current.signals.check()
    for path, command in current.poll_commands():
        if command.kind in ("stop", "pause"):
            path.unlink(missing_ok=True)
            phase = "stopped" if command.kind == "stop" and not (current.run.folder / store.LAST).exists() else "paused"
            current.update(phase=phase, message="taken out of the queue")
            raise InterruptedRunError
