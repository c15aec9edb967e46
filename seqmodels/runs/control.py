"""What a page does with runs: make one, start it, command it, rename and delete it. Each says no in plain words.

What needs torch is imported where it is used: a process that waits for its turn does without.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqmodels.corpora import TextFile, open_upload
from seqmodels.environment import environment
from seqmodels.runs import context, store
from seqmodels.runs.context import Command
from seqmodels.runs.files import friendly_errors, take_lock
from seqmodels.runs.launcher import launch
from seqmodels.runs.room import make_room
from seqmodels.runs.store import Run

if TYPE_CHECKING:
    from seqmodels.data import Dataset
    from seqmodels.runs.settings import Settings

RESUMABLE: tuple[store.StatusName, ...] = ("interrupted", "paused", "failed")


@dataclass(frozen=True)
class Upload:
    """A file of the user's: what it is called there, and its bytes."""

    name: str
    content: bytes


def create(
    settings: Settings,
    owner_key: str,
    *,
    name: str = "",
    upload: Upload | None = None,
    preset: str | None = None,
    group: str | None = None,
) -> Run:
    """A new run, not started; `preset` is the key of one that it is of, and runs of one `group` are to be compared.

    CorpusError says what is wrong with the upload, line by line; ValueError that there is no room (seqmodels.runs.room).
    """
    from seqmodels.runs.settings import to_flat

    own = None if upload is None else read_upload(settings, upload)[0]
    make_room(owner_key, group)
    name = name or f"{settings.task} {settings.model.cell}"
    return store.make(to_flat(settings), owner_key, name=name, own=own, preset=preset, group=group)


def start(run: Run, owner_key: str) -> None:
    """Start the run's process, or start it again: detached, so that it outlives this one."""
    _check_owner(run, owner_key)
    with friendly_errors("the run"):
        lock = take_lock(run.folder / store.LOCK, patience=0.2)
    if lock is None:
        raise ValueError(f"run {run.name!r} is {store.status(run).name} already")
    with ExitStack() as copies, friendly_errors("the run"):  # the process has its own of both descriptors
        copies.callback(os.close, lock)
        store.check_unended(run)
        context.clear(run.folder)
        store.write_progress(run.folder, store.read_progress(run.folder).waiting())
        ticket = store.queue().join(run.id)  # here, so that runs have their turn as they were started
        copies.callback(os.close, ticket.descriptor)
        launch(run, lock, ticket)


def command(run: Run, owner_key: str, order: Command) -> None:
    """Ask the run's process to do something. One that is not there is started for it; to discard is to delete."""
    _check_owner(run, owner_key)
    if order.kind == "change":
        from seqmodels.runs.settings import change, from_flat

        change(from_flat(run.settings).training.live(), order.changes)  # raises where a value is wrong
    if order.kind == "discard":
        return delete(run, owner_key)
    standing = store.status(run).name
    if run.alive:
        return context.send(run.folder, order)
    if standing not in RESUMABLE:
        raise ValueError(f"run {run.name!r} is {standing}: it can no longer {order.kind}")
    if order.kind == "pause":
        return None
    if order.kind != "change":
        start(run, owner_key)
    if order.kind != "resume":
        context.send(run.folder, order)
    return None


def rename(run: Run, owner_key: str, name: str) -> Run:
    """The run under another name."""
    _check_owner(run, owner_key)
    return store.rewrite(run, "the name", name=store.clean_name(name, run.id))


def share(run: Run, owner_key: str, shared: bool) -> Run:
    """Let others see a run that learns from a file of its owner's, or no longer."""
    _check_owner(run, owner_key)
    return store.rewrite(run, "who may see it", shared=shared)


def delete(run: Run, owner_key: str) -> None:
    """Delete a run; one with a process ends first, at its next step."""
    _check_owner(run, owner_key)
    if store.remove(run):
        return
    context.send(run.folder, Command("discard"))
    if not run.alive:  # it has ended since, and may not have seen it
        store.remove(run)


def read_upload(settings: Settings, upload: Upload) -> tuple[TextFile, Dataset | None]:
    """The file as text, and for taggers as data to train on. CorpusError says what is wrong with it."""
    from seqmodels.data import load_dataset
    from seqmodels.tasks import find_task

    file = open_upload(upload.content, upload.name, largest=round(environment().upload_mb * 2**20))
    if find_task(settings.task).predicts != "tags":  # plain text has no form that it could lack, and its tokens take a while
        return file, None
    return file, load_dataset(settings.task, settings.data, file)


def _check_owner(run: Run, owner_key: str) -> None:
    if not store.may_control(run, owner_key):
        raise ValueError(f"run {run.name!r} was started by someone else: you can watch it, and start one with the same settings")
