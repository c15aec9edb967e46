"""Have the runs of this machine save and end, where that is about to end itself; and tell the journal of each end."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from seqmodels import journal
from seqmodels.runs import remote, store
from seqmodels.runs.files import is_locked
from seqmodels.runs.store import Run

_PROCESSES = Path("/proc")
_EVERY = 1.0  # seconds between two looks at a run that is followed


def interrupt_all(seconds: float = 20.0) -> int:
    """Ask each run that has a process here to save and to end, so that it can be resumed, and wait for them; how many were asked.

    Those that wait for their turn stay in the queue: none is started before this process has ended. A run whose process is on
    another machine, or in another container, goes on.
    """
    with suppress(OSError):  # a folder that cannot be written has no queue to close
        store.queue().shut()
    if remote.is_chosen():
        return 0
    deadline = time.monotonic() + seconds
    asked: dict[int, Run] = {}  # by the process
    while True:
        known = True
        for run in store.list_runs():
            if is_locked(run.folder / store.LOCK):
                pid = store.read_progress(run.folder).pid
                known = known and pid is not None  # else its process is about to begin
                if pid is not None and pid not in asked and _is_of(pid, run):
                    with suppress(OSError):
                        os.kill(pid, signal.SIGTERM)
                        asked[pid] = run
        ended = not any(is_locked(run.folder / store.LOCK) for run in asked.values())
        if (known and ended) or time.monotonic() >= deadline:
            return len(asked)
        time.sleep(0.05)


def follow(run: Run) -> None:
    """Tell the journal when a run that was started from here has ended."""
    if journal.is_open():
        threading.Thread(target=_follow, args=(run,), name=f"follow {run.id}", daemon=True).start()


def _follow(run: Run) -> None:
    while run.alive:
        time.sleep(_EVERY)
    standing = store.status(run).name if run.folder.exists() else "deleted"
    journal.note("run_ended", run=run.id, status=standing)


def _is_of(pid: int, run: Run) -> bool:
    """Whether that process is the run's: its number may be of another container, or of an earlier life of this machine."""
    if not _PROCESSES.is_dir():
        return True  # its lock is held, and no container is around us
    try:
        return run.id.encode() in (_PROCESSES / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
