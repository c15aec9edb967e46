"""Runs of seconds, and their processes, for tests."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from seqmodels import checkpoints
from seqmodels.runs import Command, Run, Upload, command, create, status, work
from seqmodels.runs.settings import Settings, from_flat
from seqmodels.training import Epoch

KEY = "the owner's key"
CONLLU = "".join(
    f"1\t{subject}\t_\tPRON\t_\t_\t_\t_\t_\t_\n2\t{verb}\t_\tVERB\t_\t_\t_\t_\t_\t_\n3\t.\t_\tPUNCT\t_\t_\t_\t_\t_\t_\n\n"
    for subject in ("He", "She", "It", "They")
    for verb in ("sails", "runs", "sings", "sleeps", "reads")
)
SENTENCE = "She sings ."


def settings(**changes: object) -> Settings:
    """A training of about a second: the first symbol of short sequences."""
    short = {"task": "recall", "cell": "gru", "hidden_size": "8", "length": "5", "sentences": "400", "dev_sentences": "50"}
    return from_flat({**short, "epochs": "4", "batch_size": "8", **{name: str(value) for name, value in changes.items()}})


def make(**changes: object) -> Run:
    return create(settings(**changes), KEY)


def tagging(**changes: str) -> Run:
    small = {"task": "pos", "cell": "gru", "hidden_size": "8", "source": "file", "epochs": "3", "probe": SENTENCE, **changes}
    return create(from_flat(small), KEY, upload=Upload("own.conllu", CONLLU.encode()))


def finish(run: Run) -> None:
    """Train to the end, in this process."""
    for _ in work(run.folder):
        pass


def interrupted(run: Run) -> Run:
    """The run, ended after its first epoch: it can go on from there."""
    reports = work(run.folder)
    while not isinstance(next(reports), Epoch):
        pass
    reports.close()  # type: ignore[attr-defined]
    return run


def assert_same_model(one: Path, other: Path) -> None:
    """Two checkpoints are alike in all but the time that they took."""
    first, second = checkpoints.load(one), checkpoints.load(other)
    assert replace(first.info, seconds=None) == replace(second.info, seconds=None)
    assert first.vocabulary.to_json() == second.vocabulary.to_json()
    for name, value in second.model.state_dict().items():
        assert torch.equal(value, first.model.state_dict()[name])


_processes: list[int] = []


def fork(run: Run, prepare: Callable[[], None] = lambda: None) -> int:
    """A process of the run's own, with everything imported already: its id. `kill_all` ends it if nothing else does."""
    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may have been told to ignore it
            prepare()
            finish(run)
        finally:
            os._exit(0)
    _processes.append(pid)
    return pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    _processes.remove(pid)


def kill_all() -> None:
    for pid in tuple(_processes):
        kill(pid)


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def order(run: Run, kind: str, **changes: object) -> None:
    command(run, KEY, Command(kind, changes))  # type: ignore[arg-type]


def discard(run: Run) -> None:
    """Delete a run, and wait until its process is gone too."""
    order(run, "discard")
    wait_until(lambda: not run.folder.exists())


def is_now(run: Run, *names: str) -> Callable[[], bool]:
    return lambda: status(run).name in names


def files(folder: Path) -> set[str]:
    """The names of those in a folder, but for the lock of whoever adds a model there."""
    return {path.name for path in folder.iterdir() if path.name != ".lock"}
