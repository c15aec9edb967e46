"""One life of a run's process: its lock, its turn in the queue, and what becomes of it. torch is not imported while it waits."""

from __future__ import annotations

import os
import resource
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from seqmodels.environment import environment
from seqmodels.failures import is_out_of_memory
from seqmodels.runs import context, keeper, store
from seqmodels.runs.context import DiscardedRunError, InterruptedRunError, Notice, RunContext
from seqmodels.runs.files import clear_partials, friendly_errors, take_lock
from seqmodels.runs.launcher import handed_over
from seqmodels.runs.store import Run

if TYPE_CHECKING:
    from seqmodels.training import Report

SPARE = 512.0  # megabytes that libraries ask for and never use


def work(folder: Path) -> Iterator[Report | Notice]:
    """Train the run in a folder, or go on with it, until it ends or is asked to. ValueError if another does, or it has ended."""
    run = store.open_folder(folder.resolve())
    given = handed_over()
    if given is not None:  # then the process is the run's alone
        _limit()
    lock, slot = given or (_lock(run), None)
    current = RunContext(run, store.read_progress(run.folder).waiting(os.getpid()))
    try:
        store.check_unended(run)
        with current.signals.installed():
            with friendly_errors("the run"):
                clear_partials(run.folder)
            yield from _live(current, _in_turn(current, slot))
    finally:
        os.close(lock)
        # one whose deletion was asked for after the last poll; who asks from now on finds no process, and deletes it without one
        if any(command.kind == "discard" for _, command in context.pending(run.folder)):
            store.remove(run)
        keeper.ensure()


def work_for(folder: Path) -> Iterator[Report | Notice]:
    """The same where another process holds the run's lock and its slot, and starts it anew elsewhere if this one ends on the way.

    So signals end it as they do any process.
    """
    run = store.open_folder(folder.resolve())
    current = RunContext(run, store.read_progress(run.folder).waiting())
    with friendly_errors("the run"):
        clear_partials(run.folder)
    yield from _live(current, _train(current))


def _limit() -> None:
    """A second wall, where the estimate was wrong: of the memory that this process takes, and of each file that it writes."""
    limits = environment()
    for kind, most in ((resource.RLIMIT_DATA, limits.run_memory_mb + SPARE), (resource.RLIMIT_FSIZE, limits.run_disk_mb)):
        _, hard = resource.getrlimit(kind)
        soft = round(most * 2**20)
        resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _lock(run: Run) -> int:
    with friendly_errors("the run"):
        lock = take_lock(run.folder / store.LOCK)
    if lock is None:
        raise ValueError(f"{run.folder} is being trained by another process: wait for it, or stop it")
    context.clear(run.folder)
    return lock


def _in_turn(current: RunContext, slot: int | None) -> Iterator[Report | Notice]:
    if slot is None:
        slot = yield from _wait(current)
    try:
        yield from _train(current)
    finally:
        os.close(slot)


def _train(current: RunContext) -> Iterator[Report | Notice]:
    with current.signals.interruptible():
        import torch

        from seqmodels.runs.session import Session

    torch.set_num_threads(1)  # a second one gains little for small matrices, and under load it loses much
    yield from Session(current).reports()


def _live(current: RunContext, reports: Iterator[Report | Notice]) -> Iterator[Report | Notice]:
    try:
        current.update()
        yield from reports
    except InterruptedRunError:
        if not current.progress.message and current.progress.phase != "paused":
            current.update(message="its process was asked to end: it can go on from there")
        yield Notice("interrupted: give the same command again to go on", "interrupted")
    except DiscardedRunError:
        store.erase(current.run.folder)
        yield Notice("discarded")
    except Exception as error:
        current.update(phase="failed", message=_in_plain_words(error, current.run.folder))
        yield Notice(current.progress.message, "failed")


def _in_plain_words(error: Exception, folder: Path) -> str:
    if isinstance(error, ValueError):
        return str(error)
    if is_out_of_memory(error):
        return (
            f"there is not enough memory, of which a run may take {environment().run_memory_mb:,g} MB: "
            "choose a smaller network, smaller batches, or fewer or shorter sequences"
        )
    with suppress(OSError), store.open_log(folder) as log:  # whoever started it from a terminal sees the sentence alone
        traceback.print_exc(file=log)
    if isinstance(error, OSError):
        return f"a file of the run cannot be used: {error.strerror}. Its {store.LOG} says more."
    return f"an unexpected error ended the run: {type(error).__name__}: {error}. Its {store.LOG} says more."


def _wait(current: RunContext) -> Generator[Notice, None, int]:
    """Wait for a slot; returns it. A run that is stopped while it waits has a process no longer, and stands where it stood."""
    queue = store.queue()
    ticket = queue.join(current.run.id)
    announced = False
    try:
        while (slot := queue.enter(ticket, current.run.group)) is None:
            if not ticket.path.exists():
                raise ValueError("its place in the queue is gone, for the runs folder has been deleted: start it again")
            if not announced:
                yield Notice("waiting for other runs to end")
                announced = True
            _poll_commands(current)
            keeper.ensure()
            time.sleep(keeper.EVERY)
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
            current.update(phase=store.phase_taken_out(current.run, command.kind), message=store.TAKEN_OUT)
            raise InterruptedRunError
