"""Runs on a Ray cluster, where SEQMODELS_RUNS_ON is ray.

The process that starts the runs that wait (seqmodels.runs.keeper) hands each over when its turn comes, and holds its lock and its
slot as long as the cluster has it: so to whoever looks, the run has a process. The run's folder is on storage that all machines
share; reports and commands go through it as ever. If its machine is lost, another goes on from the last save.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqmodels import cluster
from seqmodels.environment import environment
from seqmodels.runs import context, store
from seqmodels.runs.store import Run

RAY = "ray"


def is_chosen() -> bool:
    """Whether runs go to a cluster."""
    return environment().runs_on == RAY


@dataclass(frozen=True)
class _Handed:
    """A run that the cluster has, and what holds its lock and its slot until it has it no longer."""

    run: Run
    held: ExitStack


class Cluster:
    """Where runs go, as seqmodels.runs.keeper asks for it."""

    def __init__(self) -> None:
        self._handed: dict[Any, _Handed] = {}

    def launch(self, run: Run, lock: int, slot: int) -> None:
        """Hand a run over. The descriptors hold its lock and its slot, and may be closed then. ValueError if no cluster answers."""
        submitted = cluster.submit(train, run.folder)
        held = ExitStack()
        for descriptor in (lock, slot):
            held.callback(os.close, os.dup(descriptor))
        self._handed[submitted] = _Handed(run, held)

    def busy(self) -> bool:
        """Let go of the runs that have ended; whether the cluster still has any."""
        if self._handed:
            ended, _ = cluster.join().wait(list(self._handed), num_returns=len(self._handed), timeout=0)
            for submitted, handed in list(self._handed.items()):
                if submitted in ended or self._called_back(submitted, handed.run):
                    del self._handed[submitted]
                    if submitted in ended:
                        _report_loss(submitted, handed.run)
                    handed.held.close()
                    if any(command.kind == "discard" for _, command in context.pending(handed.run.folder)):
                        store.remove(handed.run)
        return bool(self._handed)

    def _called_back(self, submitted: Any, run: Run) -> bool:
        """Whether a run that no machine has begun with has been told to end, and so is not begun with."""
        progress = store.read_progress(run.folder)
        if progress.phase != "waiting":  # else its own process follows the commands
            return False
        orders = [command.kind for _, command in context.pending(run.folder) if command.kind in ("pause", "stop", "discard")]
        if not orders:
            return False
        cluster.join().cancel(submitted)
        with suppress(OSError):
            phase = store.phase_taken_out(run, orders[-1])
            store.write_progress(run.folder, replace(progress, phase=phase, message=store.TAKEN_OUT))
        return True


def train(folder: Path) -> None:
    """On the cluster: train the run in this folder, or go on with it."""
    from seqmodels.runs.process import work_for

    if not folder.exists() or store.read_progress(folder).phase in store.ENDED:  # its last machine was lost after that
        return
    with store.open_log(folder) as log, redirect_stdout(log), redirect_stderr(log):
        for _ in work_for(folder):
            pass


def _report_loss(submitted: Any, run: Run) -> None:
    """Leave the reason in the run's folder, where it has ended for another than it could report itself."""
    try:
        cluster.result(submitted)
    except (ValueError, OSError) as error:
        with suppress(OSError):
            progress = store.read_progress(run.folder)
            store.write_progress(run.folder, replace(progress, phase="failed", message=str(error)))
