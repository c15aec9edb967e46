"""A run's best weights as a checkpoint among your models, beside the shipped ones; and checkpoints brought from elsewhere."""

from __future__ import annotations

import hmac
import secrets
import shutil
from pathlib import Path

from seqmodels import checkpoints
from seqmodels.checkpoints import SUFFIX, CheckpointError
from seqmodels.checkpoints import own_folder as own_folder
from seqmodels.environment import environment
from seqmodels.runs import store
from seqmodels.runs.files import PARTIAL, friendly_errors, write_whole
from seqmodels.runs.store import Run

LARGEST_CHECKPOINT = 100 * 2**20  # bytes
MOST_KEPT = 100  # of your checkpoints

_OWNER = ".owner"  # how the name of the file beside a checkpoint ends that says whose it is


def own_path(name: str) -> Path:
    """The file of your checkpoint of that name. ValueError if it cannot be a name, or is that of a shipped one."""
    path = checkpoints.find(name)
    if checkpoints.is_shipped(name) and not (path.parent == own_folder() and path.exists()):  # yours may be older than the cell
        raise ValueError(f"{name!r} is the name of a shipped checkpoint: give another name")
    return path


def may_remove(name: str, owner_key: str) -> bool:
    """Whether who holds this key may delete the checkpoint: who made it, or anyone where SEQMODELS_SINGLE_USER is set."""
    try:
        owner = own_path(name).with_suffix(_OWNER).read_text()
    except OSError:
        owner = ""
    return environment().single_user or hmac.compare_digest(owner.encode(), store.owner_of(owner_key).encode())


def remove_own(name: str, owner_key: str) -> None:
    """Delete your checkpoint; one that is gone already is no mistake."""
    if not may_remove(name, owner_key):
        raise ValueError(f"the checkpoint {name!r} is someone else's: only they can delete it")
    path = own_path(name)
    with friendly_errors("the deletion"):
        path.unlink(missing_ok=True)
        path.with_suffix(_OWNER).unlink(missing_ok=True)


def publish(run: Run, owner_key: str, name: str) -> Path:
    """Make the run's best weights a checkpoint of that name. It stays when the run is deleted."""
    if not store.may_control(run, owner_key):
        raise ValueError(f"run {run.name!r} was started by someone else: only they can make a checkpoint of it")
    best = store.best_weights(run)
    if run.alive:
        raise ValueError(f"run {run.name!r} still goes on: stop it, or wait for its end")
    if best is None:
        raise ValueError(f"run {run.name!r} has no weights yet: train for at least one epoch")
    target = _free(name)
    try:
        checkpoints.load(best)  # better now than on another page
    except CheckpointError as error:
        raise CheckpointError(str(error).replace(str(best), "the file of the run's best weights")) from None
    kept = _keep(best, target, run.owner)
    store.rewrite(run, "the name of the model", published=name)
    return kept


def import_checkpoint(content: bytes, name: str, owner_key: str = "") -> Path:
    """Keep a .safetensors file under that name, once the model in it has been loaded whole. ValueError says why not."""
    target = _free(name)
    if len(content) > LARGEST_CHECKPOINT:
        raise CheckpointError(f"the file has {len(content) / 2**20:.0f} MB: give at most {LARGEST_CHECKPOINT / 2**20:.0f} MB")
    received = own_folder() / f".{secrets.token_hex(8)}{PARTIAL}"
    try:
        with friendly_errors("the checkpoint"):
            received.parent.mkdir(parents=True, exist_ok=True)
            received.write_bytes(content)
        checkpoints.load(received)
        return _keep(received, target, store.owner_of(owner_key) if owner_key else "")
    except CheckpointError as error:
        raise CheckpointError(str(error).replace(str(received), "the file")) from None
    finally:
        received.unlink(missing_ok=True)


def _free(name: str) -> Path:
    """The file of a name that is not taken."""
    target = own_path(name)
    kept = list(own_folder().glob(f"*{SUFFIX}"))
    if target in kept:
        raise ValueError(f"there is a checkpoint {name!r} already: give another name, or delete that one first")
    if len(kept) >= MOST_KEPT:
        raise ValueError(f"{len(kept)} checkpoints are kept here, and no more fit: delete one first")
    return target


def _keep(file: Path, target: Path, owner: str) -> Path:
    partial = target.with_name(f".{secrets.token_hex(8)}{PARTIAL}")
    with friendly_errors("the checkpoint"):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(file, partial)
            if owner:
                write_whole(target.with_suffix(_OWNER), owner.encode())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return target
