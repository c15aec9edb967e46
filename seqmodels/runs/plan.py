"""A training to a file: corpora in, reports out, a state file after every epoch, a checkpoint at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seqmodels import checkpoints
from seqmodels.corpora import corpus_hash, file_hash
from seqmodels.runs.saving import load_state, save_state
from seqmodels.runs.setup import Material, Recipe, set_up, write_scored
from seqmodels.tasks import Task, find_task
from seqmodels.tasks.base import ModelConfig
from seqmodels.training import Epoch, Report, TrainConfig, TrainState, fit


@dataclass(frozen=True)
class Plan:
    """What to train, on what, and where the checkpoint goes. Without files of one's own, the task's own corpora."""

    task: str
    output: Path
    model: ModelConfig
    training: TrainConfig
    train_file: Path | None = None
    dev_file: Path | None = None

    def __post_init__(self) -> None:
        if (self.train_file is None) != (self.dev_file is None):
            raise ValueError("a corpus of one's own needs two files, one to train on and one to watch: give both or neither")
        if self.output.suffix != checkpoints.SUFFIX:
            raise ValueError(f"output is {self.output}: its name must end in {checkpoints.SUFFIX}")

    @property
    def state_file(self) -> Path:
        """Where the run stands, next to its output, until the checkpoint is written."""
        return self.output.with_suffix(".state.safetensors")


def default_plan(task: str, cell: str, output: Path) -> Plan:
    """The recipe of the shipped checkpoints."""
    found = find_task(task)
    return Plan(task, output, replace(found.model, cell=cell), found.training)


def run(plan: Plan) -> Iterator[Report]:
    """Train to a checkpoint, yielding each report. A killed run goes on after its last whole epoch, to the same weights."""
    task = find_task(plan.task)
    material = _material(task, plan)
    setup = set_up(Recipe(task, plan.model, plan.training), material)
    identity = {
        "task": plan.task,
        "model": asdict(plan.model),
        "training": asdict(plan.training),
        "corpus_hash": material.hash,
    }
    state = TrainState()
    if plan.state_file.exists():
        saved = load_state(plan.state_file)
        if saved.header != identity:
            raise ValueError(
                f"{plan.state_file} belongs to a training with other settings: finish that one, delete the file, or change --output"
            )
        setup.model.load_state_dict(saved.weights)
        state = saved.state
    for report in fit(setup.model, setup.objective, plan.training, state):
        if isinstance(report, Epoch):
            save_state(plan.state_file, setup.model, state, identity)
        yield report
    write_scored(plan.output, setup, state)
    plan.state_file.unlink(missing_ok=True)


def _material(task: Task, plan: Plan) -> Material:
    if plan.train_file is not None and plan.dev_file is not None:
        files = (plan.train_file, plan.dev_file)
        digest = _hash(file_hash(path) for path in files)
        return Material(task.read(plan.train_file), {"dev": task.read(plan.dev_file)}, tuple(path.name for path in files), digest)
    held_out: dict[str, list[Any]] = {split: task.load(split) for split in ("dev", "test")}
    return Material(task.load("train"), held_out, task.corpora, _hash(map(corpus_hash, task.corpora)))


def _hash(hashes: Iterator[str]) -> str:
    return hashlib.sha256("".join(hashes).encode()).hexdigest()
