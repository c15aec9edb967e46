"""What a page does with runs: make one, start it, command it, rename and delete it. Each says no in plain words.

What needs torch is imported where it is used: a process that waits for its turn does without.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seqmodels import cluster, journal
from seqmodels.corpora import TextFile, open_upload
from seqmodels.environment import environment
from seqmodels.runs import context, keeper, remote, store
from seqmodels.runs.context import Command
from seqmodels.runs.files import friendly_errors, take_lock
from seqmodels.runs.launcher import launch
from seqmodels.runs.room import make_room
from seqmodels.runs.stopping import follow
from seqmodels.runs.store import Run

if TYPE_CHECKING:
    from seqmodels.data import Dataset
    from seqmodels.runs.settings import Settings
    from seqmodels.tasks import DataConfig

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

    CorpusError says what is wrong with the upload, line by line; ValueError that there is no room (seqmodels.runs.room), or by how
    much the run would take more memory, disk or time than it may (seqmodels.runs.estimate).
    """
    from seqmodels.runs.estimate import check
    from seqmodels.runs.settings import to_flat

    own = None
    if upload is None:
        check(settings)
    else:
        own, data = read_upload(settings.task, settings.data, upload)
        check(settings, own.text.split() if data is None else [word for sentence in data.train for word in sentence.words])
    name = name or f"{settings.task} {settings.model.cell}"
    with friendly_errors("the run"), store.queue().alone():  # of several at once, each finds the room that those before have left
        make_room(owner_key, group)
        return store.make(to_flat(settings), owner_key, name=name, own=own, preset=preset, group=group)


def start(run: Run, owner_key: str) -> None:
    """Start the run's process, or start it again: detached, so that it outlives this one. Where no slot is free it waits.

    ValueError if as many wait as may.
    """
    _check_owner(run, owner_key)
    if remote.is_chosen():
        cluster.check_installed()
    with friendly_errors("the run"):
        lock = take_lock(run.folder / store.LOCK, patience=0.2)
    if lock is None:
        raise ValueError(f"run {run.name!r} is {store.status(run).name} already")
    queue = store.queue()
    with ExitStack() as copies, friendly_errors("the run"):  # the process has its own of both descriptors
        copies.callback(os.close, lock)
        store.check_unended(run)
        if run.waiting:
            raise ValueError(f"run {run.name!r} is queued already")
        with queue.alone():
            slot = None if remote.is_chosen() else queue.enter(group=run.group)
            if slot is None:
                check_places(owner_key)
            else:
                copies.callback(os.close, slot)
            context.clear(run.folder)
            store.write_progress(run.folder, store.read_progress(run.folder).waiting())
            if slot is None:
                queue.put(run.id, run.group)
        if slot is not None:
            launch(run, lock, slot)
    task, cell = str(run.settings.get("task")), str(run.settings.get("cell"))
    journal.note("run_started", run=run.id, task=task, cell=cell, queued=slot is None)
    follow(run)
    keeper.ensure()


def check_places(owner_key: str, count: int = 1) -> None:
    """ValueError if so many more runs of this owner would have to wait, and may not."""
    if not store.queue().free():
        _check_waiting(owner_key, count)


def _check_waiting(owner_key: str, count: int) -> None:
    limits, waiting = environment(), store.queue().waiting()
    theirs = {run.id for run in store.list_runs() if run.owner == store.owner_of(owner_key)}
    own = len(theirs.intersection(waiting))
    if own + count > limits.runs_waiting_each:
        raise ValueError(
            f"{own} of your runs wait for their turn, and at most {limits.runs_waiting_each} may: "
            "start more when one has ended, or take one out of the queue"
        )
    if len(waiting) + count > limits.runs_waiting:
        raise ValueError(
            f"{len(waiting)} runs wait for their turn, and at most {limits.runs_waiting} may: start yours when some have ended"
        )


def command(run: Run, owner_key: str, order: Command) -> None:
    """Ask the run's process to do something. One that is not there is started for it; to discard is to delete."""
    _check_owner(run, owner_key)
    if order.kind == "change":
        from seqmodels.runs.settings import change, from_flat

        change(from_flat(run.settings).training.live(), order.changes)  # raises where a value is wrong
    if order.kind == "discard":
        return delete(run, owner_key)
    if not run.alive:
        standing = store.status(run).name
        if standing not in RESUMABLE:
            raise ValueError(f"run {run.name!r} is {standing}: it can no longer {order.kind}")
        if order.kind == "pause":
            return None
        if order.kind != "change":
            start(run, owner_key)
        if order.kind == "resume":
            return None
    if order.kind in ("pause", "stop") and run.waiting and _take_out(run, order):
        return None
    return context.send(run.folder, order)


def _take_out(run: Run, order: Command) -> bool:
    """Take a run that waits out of the queue; False if its turn has come."""
    with friendly_errors("the command"):
        lock = take_lock(run.folder / store.LOCK, patience=0.2)
        if lock is None:
            return False
        try:
            if not store.queue().remove(run.id):
                return False
            progress = store.read_progress(run.folder)
            store.write_progress(
                run.folder, replace(progress, phase=store.phase_taken_out(run, order.kind), message=store.TAKEN_OUT)
            )
            return True
        finally:
            os.close(lock)


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


def read_upload(task: str, data: DataConfig, upload: Upload) -> tuple[TextFile, Dataset | None]:
    """The file as text, and for taggers as data to train on. CorpusError says what is wrong with it."""
    from seqmodels.data import load_dataset
    from seqmodels.tasks import find_task

    file = open_upload(upload.content, upload.name)
    if find_task(task).predicts != "tags":  # plain text has no form that it could lack, and its tokens take a while
        return file, None
    return file, load_dataset(task, data, file)


def _check_owner(run: Run, owner_key: str) -> None:
    if not store.may_control(run, owner_key):
        raise ValueError(f"run {run.name!r} was started by someone else: you can watch it, and start one with the same settings")
