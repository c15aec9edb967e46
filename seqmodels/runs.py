"""A training run on disk: corpora in, reports out, a state file after every epoch, a checkpoint at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from seqmodels import checkpoints
from seqmodels.checkpoints import CheckpointInfo
from seqmodels.corpora import corpus_hash
from seqmodels.models import Tagger
from seqmodels.tasks import Task, find_task
from seqmodels.tasks.base import ModelConfig
from seqmodels.tasks.tagging import calibrate
from seqmodels.training import Epoch, Report, TrainConfig, TrainState, fit
from seqmodels.vocab import TaggerVocab

_KEY = "run"  # of our JSON in the state file's header
_FIGURES = ("epoch", "best_score", "best_epoch", "finished")
_TENSORS = ("optimizer", "best_weights")


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
    train, dev = _splits(task, plan)
    torch.manual_seed(plan.training.seed)
    vocabulary = task.vocabulary(train)
    model = task.build(plan.model, vocabulary)
    objective = task.objective(model, vocabulary, train, dev)
    source, digest = _source(task, plan)
    identity = {"task": plan.task, "model": asdict(plan.model), "training": asdict(plan.training), "corpus_hash": digest}
    state = TrainState()
    if plan.state_file.exists():
        state = _resume(plan.state_file, model, identity)
    for report in fit(model, objective, plan.training, state):
        if isinstance(report, Epoch):
            _save_state(plan.state_file, model, state, identity)
        yield report
    temperature = 1.0
    if isinstance(model, Tagger) and isinstance(vocabulary, TaggerVocab):
        temperature = calibrate(model, vocabulary, dev)
    info = CheckpointInfo(
        task=plan.task,
        cell=plan.model.cell,
        config=asdict(plan.model),
        parameters=sum(value.numel() for name, value in model.named_parameters() if not name.startswith(checkpoints.TRAINING_ONLY)),
        corpus=source,
        corpus_hash=digest,
        recipe={**asdict(plan.training), **objective.settings()},
        seed=plan.training.seed,
        epochs=state.best_epoch,
        scores={},
        temperature=temperature,
        versions=checkpoints.versions(),
    )
    checkpoints.save(plan.output, model, vocabulary, info)
    # scored as loaded, so that the figures are those of the rounded weights in the file
    loaded = checkpoints.load(plan.output)
    held_out: dict[str, list[Any]] = {"dev": dev}
    if plan.train_file is None:
        held_out["test"] = task.load("test")
    scores = {split: task.evaluate(loaded.model, vocabulary, items).figures for split, items in held_out.items()}
    checkpoints.save(plan.output, loaded.model, vocabulary, replace(info, scores=scores))
    plan.state_file.unlink(missing_ok=True)


def _splits(task: Task, plan: Plan) -> tuple[list[Any], list[Any]]:
    if plan.train_file is not None and plan.dev_file is not None:
        return task.read(plan.train_file), task.read(plan.dev_file)
    return task.load("train"), task.load("dev")


def _source(task: Task, plan: Plan) -> tuple[tuple[str, ...], str]:
    """Names and one hash of what is trained on."""
    if plan.train_file is not None and plan.dev_file is not None:
        files = (plan.train_file, plan.dev_file)
        hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        return tuple(path.name for path in files), hashlib.sha256("".join(hashes).encode()).hexdigest()
    return task.corpora, hashlib.sha256("".join(corpus_hash(name) for name in task.corpora).encode()).hexdigest()


def _save_state(path: Path, model: torch.nn.Module, state: TrainState, identity: dict[str, Any]) -> None:
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    for group in _TENSORS:
        tensors |= {f"{group}/{name}": value for name, value in getattr(state, group).items()}
    described = {**identity, "state": {name: getattr(state, name) for name in _FIGURES}}
    checkpoints.write_tensors(path, tensors, {_KEY: json.dumps(described)})


def _resume(path: Path, model: torch.nn.Module, identity: dict[str, Any]) -> TrainState:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            described = json.loads((file.metadata() or {})[_KEY])
        tensors = safetensors.torch.load_file(path)
    except (KeyError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it to start this training over") from None
    state = TrainState(**described.pop("state"))
    if described != identity:
        raise ValueError(f"{path} belongs to a training with other settings: finish that one, delete the file, or change --output")
    for group in _TENSORS:
        prefix = f"{group}/"
        setattr(state, group, {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)})
    model.load_state_dict({name.removeprefix("model/"): value for name, value in tensors.items() if name.startswith("model/")})
    return state
