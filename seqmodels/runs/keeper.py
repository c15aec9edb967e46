"""The process that starts the runs that wait: one for a runs folder, and only as long as any waits. So waiting costs nothing.

It outlives the server, as runs do. Where it was killed, the next look at the page, start or end of a run brings it back.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from seqmodels.files import cause
from seqmodels.runs import launcher, store
from seqmodels.runs.files import take_lock
from seqmodels.runs.queue import FOLDER, Queue
from seqmodels.runs.store import Run

EVERY = 0.2  # seconds between two looks at the slots


class Place(Protocol):
    """Where runs are started."""

    def launch(self, run: Run, lock: int, slot: int) -> None:
        """Start a run, and hold its lock and its slot as long as it goes on."""

    def busy(self) -> bool:
        """Whether this process is needed for runs that go on."""


class Here:
    """On this machine each run is a process, which holds both itself and needs nobody."""

    def launch(self, run: Run, lock: int, slot: int) -> None:
        launcher.launch(run, lock, slot)

    def busy(self) -> bool:
        return False


def ensure() -> None:
    """Start it where runs wait and there is none. Where there is no process to spare, they wait until the next time."""
    if store.queue().to_start():
        with suppress(OSError):
            lock = take_lock(_lock(), patience=0)
            if lock is not None:
                try:
                    launcher.detach(("keep", str(lock)), inherited=(lock,), log=subprocess.DEVNULL)
                finally:
                    os.close(lock)


def keep(lock: int | None, place: Place) -> None:
    """Start each run when its turn comes, until none waits. `lock` is a descriptor that holds the keeper's lock."""
    queue = store.queue()
    while lock is not None:
        try:
            while place.busy() or queue.to_start():
                for run_id, slot in queue.due():
                    try:
                        _start(queue, place, run_id, slot)
                    finally:
                        os.close(slot)
                time.sleep(EVERY)
        finally:
            os.close(lock)
        # one that came in the meantime found the lock held
        lock = take_lock(_lock(), patience=0) if queue.to_start() else None


def _start(queue: Queue, place: Place, run_id: str, slot: int) -> None:
    """Start a run, unless it has been deleted, taken out, or started in another way meanwhile."""
    folder = store.root() / run_id
    try:
        lock = take_lock(folder / store.LOCK, patience=0.2)
    except OSError:
        lock = None
    if lock is None:
        queue.remove(run_id)
        return
    try:
        if queue.remove(run_id):
            place.launch(store.open_folder(folder), lock, slot)
    except (OSError, ValueError) as error:
        with suppress(OSError):
            reason = cause(error)[0] if isinstance(error, OSError) else error
            message = f"its process could not be started ({reason}): resume it later"
            store.write_progress(folder, replace(store.read_progress(folder), phase="failed", message=message))
    finally:
        os.close(lock)


def _lock() -> Path:
    return store.root() / FOLDER / "keeper"
