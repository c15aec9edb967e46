"""Room for one more run: whose runs may go for it, and in which order.

No more than SEQMODELS_RUNS_KEPT are kept, and of one visitor no more than SEQMODELS_RUNS_EACH. Only runs without a process can go.

1. Those of whoever starts the new one: first those with nothing to lose, then the others; of either the oldest first.
2. Those of others, and damaged ones that are no one's, the oldest first: if they have nothing to lose and have rested for
   SEQMODELS_RUN_DAYS.

A run has something to lose that can go on from a saved state, is paused or interrupted, or has weights that no model was made of.
"""

from __future__ import annotations

import math
import shutil
import time
from contextlib import suppress
from pathlib import Path

from seqmodels.environment import environment
from seqmodels.installation import CHECKPOINT_SUFFIX
from seqmodels.runs import store
from seqmodels.runs.store import Run

_FORGOTTEN = 3600.0  # seconds after which an unfinished folder has lost its maker
_DAY = 86400.0


def make_room(owner_key: str, group: str | None = None) -> None:
    """Let runs go until one more fits; never one of the `group` that it is of. ValueError if it cannot fit: then none has gone."""
    _clear()
    limits, runs = environment(), store.list_all()
    own = {run.id for run in runs if store.may_control(run, owner_key)}
    resting = [run for run in reversed(runs) if not run.alive and (group is None or run.group != group)]
    mine = sorted((run for run in resting if run.id in own), key=_has_something_to_lose)  # those alike stay in their order
    theirs = [run for run in resting if run.id not in own and _has_rested(run) and not _has_something_to_lose(run)]
    surplus_of_own = 0 if limits.single_user else len(own) + 1 - limits.runs_each
    surplus = len(runs) + 1 - limits.runs_kept
    if surplus_of_own > len(mine):
        raise ValueError(f"you have {len(own)} runs here, and more are not kept: stop one of them, or delete one")
    if surplus > len(mine) + len(theirs):
        raise ValueError(
            f"{len(runs)} runs are kept here, and no more fit: the others are going on, or someone may still need them. "
            "Try again later, or ask whoever runs this server to delete some"
        )
    gone = 0
    for run in (*mine, *theirs):
        if gone < (max(surplus, surplus_of_own) if run.id in own else surplus):
            gone += store.remove(run)


def _has_something_to_lose(run: Run) -> bool:
    phase = store.read_progress(run.folder).phase
    if phase not in ("new", "finished", "stopped", "failed") or (run.folder / store.LAST).exists():
        return True
    return store.best_weights(run) is not None and not _is_published(run)


def _is_published(run: Run) -> bool:
    """Whether the model that was made of its weights is still here."""
    with suppress(OSError):  # a damaged record may hold a name that no file can have
        return run.published is not None and (environment().own_checkpoints / f"{run.published}{CHECKPOINT_SUFFIX}").exists()
    return False


def _has_rested(run: Run) -> bool:
    """Whether nothing has happened to it for so long that others may let it go."""
    return min(_age(run.folder / store.STATUS), _age(run.folder)) > environment().run_days * _DAY


def _clear() -> None:
    """Delete what killed processes left behind."""
    for folder in store.root().glob(".*-*"):
        if folder.name.startswith(store.GONE) or (folder.name.startswith(store.NEW) and _age(folder) > _FORGOTTEN):
            shutil.rmtree(folder, ignore_errors=True)


def _age(path: Path) -> float:
    """Seconds since it was changed; of one that is not there, more than any."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return math.inf
