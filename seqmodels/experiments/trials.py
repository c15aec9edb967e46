"""Experiments as lists of trainings, and how they are run: one after the other, each kept as it ends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from seqmodels import checkpoints, cluster
from seqmodels.corpora import Subset, keep_some
from seqmodels.data import Dataset, load_dataset
from seqmodels.experiments.record import Factor, Outcome, Point, Results, append, read_lines, write_results
from seqmodels.files import naming
from seqmodels.runs.settings import Settings, to_link
from seqmodels.runs.trainer import TrainingSetup
from seqmodels.tasks import DataConfig, Task, find_task
from seqmodels.training import DivergedError, Epoch, fit

UNFINISHED = ".unfinished"  # added to the name of the results


@dataclass(frozen=True)
class Trial:
    """One training: what is varied in it, and all its settings. It ends early once the dev score is as good as `until`.

    Of a large test split `tested` items are scored, drawn once for all. With `test_each_epoch` they are scored after each epoch
    too, to see what another moment to stop would have given.
    """

    factors: Mapping[str, Factor]
    settings: Settings
    until: float | None = None
    tested: int | None = None
    test_each_epoch: bool = False

    @property
    def name(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.factors.items())

    @property
    def task(self) -> Task:
        return find_task(self.settings.task)

    def dataset(self) -> Dataset:
        return _dataset(self.settings.task, self.settings.data)

    def test(self) -> list[Any]:
        """What the model is scored on in the end."""
        return keep_some(self.task.test(self.settings.data), None if self.tested is None else Subset(self.tested))

    def score(self, setup: TrainingSetup, items: list[Any]) -> dict[str, float]:
        """By name; the task's metric is among them."""
        with torch.inference_mode():
            return setup.task.evaluate(setup.model, setup.vocabulary, items).metrics

    def carry_out(self) -> Outcome:
        """Train and score the model."""
        started = time.process_time()
        task, dataset, test = self.task, self.dataset(), self.test()
        setup = TrainingSetup.build(self.settings, dataset)
        curve: list[Point] = []
        problem = ""
        try:
            for report in fit(setup.model, setup.objective, self.settings.training):
                if isinstance(report, Epoch):
                    each = Trial.score(self, setup, test)[task.metric] if self.test_each_epoch else None
                    curve.append(Point(report.loss, report.dev_loss, report.score, each))
                    if _reached(report.score, self.until, higher=task.higher_is_better):
                        break
        except DivergedError as error:
            problem = str(error)
        setup.model.eval()
        found = {} if problem else self.score(setup, test)
        scores = {name: figure for name, figure in found.items() if math.isfinite(figure)}  # a perplexity may be too large a number
        if task.metric not in scores:
            problem = problem or f"its {task.metric} on test is {found[task.metric]}"
            scores = {task.metric: _baseline(setup, dataset)}  # as much as the answer that reads nothing
        return Outcome(
            name=self.name,
            factors=dict(self.factors),
            settings=to_link(self.settings),
            metric=task.metric,
            score=scores[task.metric],
            scores=scores,
            curve=tuple(curve),
            parameters=sum(weights.numel() for weights in setup.model.parameters()),
            seconds=time.process_time() - started,
            problem=problem,
        )


@dataclass(frozen=True)
class Experiment:
    """A question put to trainings that differ in one thing at a time."""

    name: str
    title: str
    recipe: str  # what all trainings have in common
    trials: Callable[[bool], Sequence[Trial]]  # of toy size, or as committed


Runner = Callable[[Sequence[Trial]], Iterator[tuple[int, Outcome]]]  # trials -> the number of each and its outcome, as they end


def one_by_one(trials: Sequence[Trial]) -> Iterator[tuple[int, Outcome]]:
    """Carry out trials here, in their order."""
    return ((number, trial.carry_out()) for number, trial in enumerate(trials))


def on_cluster(trials: Sequence[Trial]) -> Iterator[tuple[int, Outcome]]:
    """Carry them out on a Ray cluster, as many at a time as it has cores. ValueError if none answers."""
    return cluster.each(_carry_out, trials)


def run(
    experiment: Experiment, path: Path, *, toy: bool = False, runner: Runner = one_by_one
) -> Iterator[tuple[Outcome, int, int]]:
    """Train what is not trained yet, yielding each outcome, its number and how many there are; then write the results.

    Killed, it goes on after the last outcome when it is called again with the same path.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    with naming(unfinished):  # better now than after the first training
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
    trials = experiment.trials(toy)
    links = {trial.name: to_link(trial.settings) for trial in trials}  # of earlier settings, an outcome is none of these
    done = {outcome.name: outcome for outcome in read_lines(unfinished) if links.get(outcome.name) == outcome.settings}
    missing = [(number, trial) for number, trial in enumerate(trials, start=1) if trial.name not in done]
    for place, outcome in runner([trial for _, trial in missing]):
        done[outcome.name] = outcome
        append(unfinished, outcome)
        yield outcome, missing[place][0], len(trials)
    outcomes = tuple(done[trial.name] for trial in trials)
    today = datetime.now(UTC).date().isoformat()
    write_results(path, Results(experiment.name, experiment.recipe, today, checkpoints.versions(), outcomes))
    unfinished.unlink(missing_ok=True)


def _carry_out(trial: Trial) -> Outcome:
    torch.set_num_threads(1)  # a task has one core
    return trial.carry_out()


def _baseline(setup: TrainingSetup, dataset: Dataset) -> float:
    found = setup.task.baseline(setup.vocabulary, dataset.train, dataset.dev)
    assert found is not None
    return found


def _reached(score: float, until: float | None, *, higher: bool) -> bool:
    return until is not None and (score >= until if higher else score <= until)


@lru_cache(maxsize=2)
def _dataset(task: str, config: DataConfig) -> Dataset:
    return load_dataset(task, config)
