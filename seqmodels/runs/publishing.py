"""A run's best weights as a checkpoint among your models, beside the shipped ones; and checkpoints brought from elsewhere."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seqmodels import checkpoints
from seqmodels.checkpoints import SUFFIX, CheckpointError
from seqmodels.checkpoints import own_folder as own_folder
from seqmodels.environment import environment
from seqmodels.files import PARTIAL, read_regular, write_whole
from seqmodels.runs import store
from seqmodels.runs.files import friendly_errors, take_lock
from seqmodels.runs.store import Run

_OWNER = ".owner"  # how the name of the file beside a checkpoint ends that says whose it is; its time is that of the last use
_LOCK = ".lock"  # in the folder of the models: whoever adds one holds it
_PATIENCE = 30.0  # seconds for which others may add theirs
_DAY = 24 * 3600  # seconds
_NOTED = 3600  # seconds: a use so soon after another is not written down


@dataclass(frozen=True)
class Kept:
    """A checkpoint of the app's visitors: whose it is, empty for nobody's, and when it was last used, in seconds since 1970."""

    path: Path
    owner: str
    bytes: int
    used: float

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def idle_days(self) -> float:
        """How long nobody has used it."""
        return max(0.0, time.time() - self.used) / _DAY


def kept() -> list[Kept]:
    """All of them, by name."""
    found = []
    for path in sorted(own_folder().glob(f"*{SUFFIX}")):
        with suppress(FileNotFoundError):  # it may go meanwhile
            written = path.stat()
            owner, used = _owner(path), written.st_mtime
            if owner:
                used = max(used, path.with_suffix(_OWNER).stat().st_mtime)
            found.append(Kept(path, owner, written.st_size, used))
    return found


def unused(days: float | None = None) -> list[Kept]:
    """Those of visitors that nobody has used for so many days, SEQMODELS_MODELS_DAYS unless given."""
    longest = environment().models_days if days is None else days
    return [one for one in kept() if one.owner and one.idle_days > longest]


def prune(found: Iterable[Kept]) -> None:
    """Delete these."""
    for one in found:
        _erase(one.path)


def note_use(path: Path) -> None:
    """A checkpoint of yours is in use: it stays for as long again."""
    owner = path.with_suffix(_OWNER)
    with suppress(OSError):  # it is nobody's, or the disk is read-only
        if time.time() - owner.stat().st_mtime > _NOTED:
            os.utime(owner)


def own_path(name: str) -> Path:
    """The file of your checkpoint of that name. ValueError if it cannot be a name, or is that of a shipped one."""
    path = checkpoints.find(name)
    if checkpoints.is_shipped(name) and not (path.parent == own_folder() and path.exists()):  # yours may be older than the cell
        raise ValueError(f"{name!r} is the name of a shipped checkpoint: give another name")
    return path


def may_remove(name: str, owner_key: str) -> bool:
    """Whether who holds this key may delete the checkpoint: who made it, or anyone where SEQMODELS_SINGLE_USER is set."""
    return store.belongs_to(_owner(own_path(name)), owner_key)


def remove_own(name: str, owner_key: str) -> None:
    """Delete your checkpoint; one that is gone already is no mistake."""
    if not may_remove(name, owner_key):
        raise ValueError(f"the checkpoint {name!r} is someone else's: only they can delete it")
    _erase(own_path(name))


def publish(run: Run, owner_key: str, name: str) -> Path:
    """Make the run's best weights a checkpoint of that name. It stays when the run is deleted."""
    if not store.may_control(run, owner_key):
        raise ValueError(f"run {run.name!r} was started by someone else: only they can make a checkpoint of it")
    best = store.best_weights(run)
    if run.alive:
        raise ValueError(f"run {run.name!r} still goes on: stop it, or wait for its end")
    if best is None:
        raise ValueError(f"run {run.name!r} has no weights yet: train for at least one epoch")
    with _place(name, run.owner) as target:
        try:
            checkpoints.load(best)  # better now than on another page
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(str(best), "the file of the run's best weights")) from None
        model = _keep(best, target, run.owner)
        try:
            store.rewrite(run, "the name of the model", published=name)
        except ValueError:  # it is to be done as a whole, so that the next attempt finds the name free
            _erase(model)
            raise
    return model


def import_checkpoint(content: bytes, name: str, owner_key: str = "") -> Path:
    """Keep a .safetensors file under that name, once the model in it has been loaded whole. ValueError says why not."""
    owner = store.owner_of(owner_key) if owner_key else ""
    most = environment().checkpoint_mb
    if len(content) > most * 2**20:
        raise CheckpointError(f"the file has {len(content) / 2**20:,.1f} MB: give at most {most:g} MB")
    received = own_folder() / f".{secrets.token_hex(8)}{PARTIAL}"
    with _place(name, owner) as target:
        try:
            with friendly_errors("the checkpoint"):
                received.write_bytes(content)
            checkpoints.load(received)
            return _keep(received, target, owner)
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(str(received), "the file")) from None
        finally:
            received.unlink(missing_ok=True)


@contextmanager
def _place(name: str, owner: str) -> Iterator[Path]:
    """The file of a name that is free. No other process adds a model meanwhile: of two with one name the second is refused."""
    own_path(name)  # for one that cannot be, nothing is made
    with friendly_errors("the checkpoint"):
        own_folder().mkdir(parents=True, exist_ok=True)
        lock = take_lock(own_folder() / _LOCK, patience=_PATIENCE)
    if lock is None:
        raise ValueError("other models are being added: wait a moment, then try again")
    try:
        yield _free(name, owner)
    finally:
        os.close(lock)


def _free(name: str, owner: str) -> Path:
    """The file of a name that is not taken. Makes room of what nobody uses, where there are several visitors."""
    target, limits = own_path(name), environment()
    if not limits.single_user:
        prune(one for one in unused() if one.path != target)
    there = kept()
    if any(one.path == target for one in there):
        raise ValueError(f"there is a checkpoint {name!r} already: give another name, or delete that one first")
    yours = sum(one.owner == owner for one in there)
    if owner and not limits.single_user and yours >= limits.models_each:
        raise ValueError(f"{yours} checkpoints of yours are kept here, as many as one visitor may have: delete one first")
    if len(there) >= limits.models_kept:
        raise ValueError(f"{len(there)} checkpoints are kept here, and no more fit: delete one first")
    return target


def _owner(path: Path) -> str:
    """Whose a checkpoint is; empty where nobody is noted."""
    try:
        return read_regular(path.with_suffix(_OWNER)).decode()
    except (OSError, ValueError):
        return ""


def _erase(path: Path) -> None:
    with friendly_errors("the deletion"):
        path.unlink(missing_ok=True)
        path.with_suffix(_OWNER).unlink(missing_ok=True)


def _keep(file: Path, target: Path, owner: str) -> Path:
    partial = target.with_name(f".{secrets.token_hex(8)}{PARTIAL}")
    with friendly_errors("the checkpoint"):
        try:
            shutil.copyfile(file, partial)
            if owner:
                write_whole(target.with_suffix(_OWNER), owner.encode())
            partial.replace(target)
        except OSError:
            target.with_suffix(_OWNER).unlink(missing_ok=True)
            raise
        finally:
            partial.unlink(missing_ok=True)
    return target
