"""A training from settings to checkpoint: set up, resumed, saved and scored. `train` and `run` share it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import safetensors
import torch
from pydantic_core import from_json
from torch import nn

from seqmodels import checkpoints
from seqmodels.checkpoints import CheckpointInfo
from seqmodels.data import Dataset
from seqmodels.decoding import LEAST_TOKEN, SpanOdds
from seqmodels.fields import validated
from seqmodels.models import SequenceModel
from seqmodels.runs import store
from seqmodels.runs.files import friendly_errors
from seqmodels.runs.records import Live
from seqmodels.runs.settings import Settings, flat_training
from seqmodels.tasks import Task, find_task
from seqmodels.tensorfiles import read_tensors, write_tensors
from seqmodels.training import (
    ALONE,
    DivergedError,
    Epoch,
    LiveSettings,
    Machine,
    Place,
    Report,
    ShareableObjective,
    Tensors,
    TrainState,
    fit,
    flaw,
)
from seqmodels.vocab import Vocabulary

Scores = dict[str, dict[str, float]]  # by split, then by metric

_KEY = "run"  # of our JSON in a state file's header
_MODEL, _RNG = "model", "rng"
_LONGEST = 200  # characters of why a file is damaged
_GROUPS = {  # in the file -> fields of TrainState
    "optimizer": "optimizer",
    "average": "average",
    "best_weights": "best_weights",
    "carry": "hidden_state",
}


@dataclass(frozen=True)
class TrainingSetup:
    """All that `fit` is given, and what a checkpoint says."""

    settings: Settings
    dataset: Dataset
    vocabulary: Vocabulary
    model: SequenceModel
    objective: ShareableObjective
    machine: Machine = ALONE

    @classmethod
    def build(cls, settings: Settings, dataset: Dataset, vocabulary: Vocabulary | None = None, machine: Machine = ALONE) -> Self:
        """A fresh model on the machine's device, and its objective. Without a vocabulary, that of the train split."""
        task, training = find_task(settings.task), settings.training
        torch.manual_seed(training.seed if settings.weights_seed is None else settings.weights_seed)
        vocabulary = vocabulary or task.vocabulary(dataset.train)
        model = task.build(settings.model, vocabulary)
        objective = task.objective(model, vocabulary, dataset.train, dataset.dev, training)
        return cls(settings, dataset, vocabulary, model.to(machine.device), objective, machine)

    @property
    def task(self) -> Task:
        return find_task(self.settings.task)

    def describe(
        self, epochs: int, scores: Scores, span_odds: SpanOdds = LEAST_TOKEN, seconds: float | None = None
    ) -> CheckpointInfo:
        """What the checkpoint of the model as it is now says of itself; `epochs` made its weights, in so many `seconds`."""
        kept = (value for name, value in self.model.named_parameters() if not name.startswith(checkpoints.TRAINING_ONLY))
        return CheckpointInfo(
            task=self.settings.task,
            cell=self.settings.model.cell,
            config=asdict(self.settings.model),
            parameters=sum(value.numel() for value in kept),
            corpus=self.dataset.names,
            corpus_hash=self.dataset.hash,
            recipe={**flat_training(self.settings.training), **self.objective.settings()},
            seed=self.settings.training.seed,
            epochs=epochs,
            scores=scores,
            temperature=self.model.temperature,
            span_odds=span_odds,
            versions=checkpoints.versions(),
            seconds=None if seconds is None else round(seconds, 1),
        )

    def write_scored(self, path: Path, epochs: int, seconds: float | None = None) -> Scores:
        """The checkpoint of the model as it is, its probabilities calibrated, scored on every held-out split.

        It is written last: what fails before leaves the file that is there.
        """
        # what is calibrated and scored are the rounded weights, as the file has them
        self.model.load_state_dict(checkpoints.stored(self.model), strict=False)
        span_odds = self.task.calibrate(self.model, self.vocabulary, self.dataset.dev)
        scores = {
            split: self.task.evaluate(self.model, self.vocabulary, items).figures for split, items in self.dataset.held_out.items()
        }
        checkpoints.save(path, self.model, self.vocabulary, self.describe(epochs, scores, span_odds, seconds))
        return scores


@dataclass(frozen=True)
class Outcome:
    """What a training has left: the epoch whose weights they are, their scores, and why they are not those asked for, if so."""

    epoch: int
    scores: Scores
    note: str = ""


class Trainer:
    """A training that can be stopped, and the file that says where it stands.

    `identity` and `header` are kept in that file. A file with another identity is refused with the reason given.
    """

    def __init__(
        self, setup: TrainingSetup, file: Path, identity: Mapping[str, Any], header: Mapping[str, Any], *, refusal: str
    ) -> None:
        self.setup, self.file = setup, file
        self.state = TrainState()
        self.header = {**identity, **header}
        self.resumed = file.exists()
        if self.resumed:
            self.header, self.state, weights = load_state(file)
            if {name: self.header.get(name) for name in identity} != identity:
                raise ValueError(refusal)
            check_fits(file, setup.model, self.state, weights)
            setup.model.load_state_dict(weights)
        self.state.live = self.state.live or setup.settings.training.live()

    def reports(self) -> Iterator[Report]:
        """Train, or go on."""
        setup = self.setup
        yield from fit(setup.model, setup.objective, setup.settings.training, self.state, setup.machine)

    def save(self, **header: Any) -> None:
        """Keep where it stands; `header` replaces what the file's says."""
        self.header |= header
        with friendly_errors("where the training stands"):
            save_state(self.file, self.setup.model, self.state, self.header)

    def finish(self, path: Path, *, best: bool = False) -> Outcome:
        """Write a checkpoint, calibrated and scored: of the best weights if the settings or `best` say so, else of the last.

        Without a whole epoch there are only the last. Where those can't be computed with, it is of the best. CheckpointError if
        there are none; what was at the path stays.
        """
        model, state = self.setup.model.cpu(), self.state  # where it is loaded and used
        best = best or self.setup.settings.training.restore_best
        model.load_state_dict(state.average, strict=False)
        problem = None if best else flaw(model.state_dict())
        if not state.best_weights or not (best or problem):
            return Outcome(state.epoch, self._write(path, state.epoch))
        model.load_state_dict(state.best_weights)
        note = f"it ended with {problem}: the weights of epoch {state.best_epoch}, the best, are kept" if problem else ""
        return Outcome(state.best_epoch, self._write(path, state.best_epoch), note)

    def _write(self, path: Path, epoch: int) -> Scores:
        self.setup.model.eval()
        return self.setup.write_scored(path, epoch, self.state.seconds)


def state_file(output: Path) -> Path:
    """Where a training to a checkpoint stands, next to it, until it is written."""
    return output.with_suffix(".state.safetensors")


def train(settings: Settings, dataset: Dataset, output: Path, machine: Machine = ALONE) -> Iterator[Report]:
    """Train to a checkpoint, yielding each report. A killed training goes on after its last whole epoch, to the same weights.

    One that diverges raises DivergedError; if an epoch was whole before, the best weights are then at the output. Of several
    processes each yields the reports, and the first writes.
    """
    file, parts = state_file(output), asdict(settings)
    known = {name: store.without_later(parts[name]) for name in ("model", "training")}
    identity = {"task": parts["task"], **known, "corpus_hash": dataset.hash}
    refusal = f"{file} belongs to a training with other settings: finish that one, delete the file, or change --output"
    trainer = Trainer(TrainingSetup.build(settings, dataset, machine=machine), file, identity, {}, refusal=refusal)
    if machine.size > 1:
        _check_alike(machine, {**identity, "epoch": trainer.state.epoch}, file)
    try:
        for report in trainer.reports():
            if isinstance(report, Epoch) and machine.leads:
                trainer.save()
            yield report
    except DivergedError as error:
        if not machine.leads:  # they all have: the first says so
            return
        if not trainer.state.best_weights:
            raise
        kept = trainer.finish(output, best=True)
        file.unlink(missing_ok=True)  # going on would end in the same way
        raise DivergedError(f"{error}. {output} has the weights of epoch {kept.epoch}, the best so far") from None
    if machine.leads:
        trainer.finish(output)
        file.unlink(missing_ok=True)


def _check_alike(machine: Machine, begun: Mapping[str, Any], file: Path) -> None:
    """ValueError in a process that would train on something else than the first, or from another epoch on."""
    own = float(zlib.crc32(json.dumps(begun, sort_keys=True, default=str).encode()))
    if machine.first(own) != [own]:
        raise ValueError(
            f"its settings, data or epoch are not those of the first process: put {file.name} and the data where all machines see "
            "the same files, and give all the same command"
        )


def save_state(path: Path, model: nn.Module, state: TrainState, header: Mapping[str, Any]) -> None:
    """Write the model's weights and the trainer's state atomically. `header` comes back from `load_state`."""
    groups = {_MODEL: model.state_dict(), **{group: getattr(state, name) for group, name in _GROUPS.items()}}
    tensors = {f"{group}/{name}": value.contiguous() for group, values in groups.items() for name, value in values.items()}
    if state.rng is not None:
        tensors[_RNG] = state.rng
    rest = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in (*_GROUPS.values(), _RNG)}
    live = None if state.live is None else asdict(state.live)
    write_tensors(path, tensors, {_KEY: json.dumps({**header, "state": {**rest, "live": live}})})


class DamagedStateError(ValueError):
    """A state file does not hold what was saved, for that reason."""

    def __init__(self, path: Path, reason: object) -> None:
        self.reason = " ".join(str(reason).split())[:_LONGEST]
        super().__init__(f"{path} is damaged ({self.reason}): delete it to start this training over")


def load_state(path: Path) -> tuple[dict[str, Any], TrainState, Tensors]:
    """The inverse of `save_state`: header, state, and the model's weights. DamagedStateError if the file is damaged."""
    try:
        tensors, metadata = read_tensors(path)
        header = from_json(metadata[_KEY])
        rest = dict(header.pop("state"))
        live = rest.pop("live")
        place = validated(Place, {"seconds": None, **rest})
        groups = {name: _group(tensors, group) for group, name in _GROUPS.items()}
        settings = None if live is None else LiveSettings.from_dict(asdict(validated(Live, live)))
        read = {**vars(place), **groups, "live": settings, "rng": tensors.get(_RNG)}
        return header, TrainState(**read), _group(tensors, _MODEL)
    except (KeyError, TypeError, ValueError, AttributeError, safetensors.SafetensorError) as error:
        raise DamagedStateError(path, error) from None
    except OSError as error:
        raise DamagedStateError(path, error.strerror) from None


def check_fits(path: Path, model: nn.Module, state: TrainState, weights: Tensors) -> None:
    """DamagedStateError if what was read of a state file is not of this model."""
    own = {name: value.shape for name, value in model.state_dict().items()}
    if any({name: value.shape for name, value in read.items()} != own for read in (weights, state.best_weights or weights)):
        raise DamagedStateError(path, "its weights are not those of the network")
    if any(value.shape != own.get(name) for name, value in state.average.items()):
        raise DamagedStateError(path, "the average of its weights is not of those of the network")
    if state.rng is not None and (state.rng.dtype, state.rng.shape) != ((now := torch.get_rng_state()).dtype, now.shape):
        raise DamagedStateError(path, "its random numbers are of no generator")
    for name, value in state.optimizer.items():
        if value.dim() and value.shape != own.get(name.rpartition("/")[0]):
            raise DamagedStateError(path, f"its {name} is of no weight of the network")


def _group(tensors: Tensors, group: str) -> Tensors:
    prefix = f"{group}/"
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
