"""Experiments at toy size, their files, and what the committed results say."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from seqmodels.cells import CELLS
from seqmodels.cli import main
from seqmodels.experiments import read_results, results_path
from seqmodels.experiments.catalogue import EXPERIMENTS
from seqmodels.experiments.trials import UNFINISHED, Trial, run
from seqmodels.runs.settings import from_flat, to_link
from seqmodels.runs.trainer import TrainingSetup


def test_a_toy_run_of_memory_is_written_and_read(tmp_path: Path) -> None:
    experiment, path = EXPERIMENTS["memory"], tmp_path / "memory.json"
    seen = [number for _, number, count in run(experiment, path, toy=True)]
    results = read_results(path)
    assert seen == list(range(1, len(experiment.trials(True)) + 1))
    assert set(results.values("cell")) == set(CELLS)
    assert [one.name for one in results.outcomes] == [trial.name for trial in experiment.trials(True)]
    assert all(to_link(from_flat(one.settings)) == one.settings for one in results.outcomes)
    assert not list(tmp_path.glob(f"*{UNFINISHED}"))


def test_an_experiment_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    experiment, path = EXPERIMENTS["memory"], tmp_path / "memory.json"
    (first, *_), (second, *_) = islice(run(experiment, path, toy=True), 2)
    unfinished = path.with_name(path.name + UNFINISHED)
    with unfinished.open("a") as file:
        file.write('{"name": "cut sho')
    rest = list(run(experiment, path, toy=True))
    assert rest[0][1] == 3
    assert [one.score for one in read_results(path).outcomes[:2]] == pytest.approx([first.score, second.score])


def test_the_command_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "mimory"]) == 2
    assert "choose one of memory" in capsys.readouterr().err
    assert main(["experiment", "memory", "--toy"]) == 2
    assert "--output" in capsys.readouterr().err
    assert main(["experiment", "memory", "--toy", "--output", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


@dataclass(frozen=True)
class Overflowing(Trial):
    """A trial with a score that is too large for a number."""

    too_large: str = ""

    def score(self, setup: TrainingSetup, items: list[Any]) -> dict[str, float]:
        return {**super().score(setup, items), self.too_large: math.inf}


def test_scores_too_large_for_a_number_leave_results_that_can_be_read(tmp_path: Path) -> None:
    trial = EXPERIMENTS["memory"].trials(True)[0]
    metric = trial.task.metric
    trials = [Overflowing({"too_large": name}, trial.settings, too_large=name) for name in ("perplexity", metric)]
    experiment = replace(EXPERIMENTS["memory"], trials=lambda toy: trials)
    list(run(experiment, tmp_path / "memory.json", toy=True))
    beside, itself = read_results(tmp_path / "memory.json").outcomes
    assert (set(beside.scores), beside.problem) == ({metric}, "")
    assert "on test is inf" in itself.problem
    assert math.isfinite(itself.score)


@pytest.mark.parametrize("damage", ["", "[]", '{"experiment": 1}'])
def test_damaged_results_are_named(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    path.write_text(damage)
    with pytest.raises(ValueError, match=r"memory\.json cannot be read"):
        read_results(path)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_committed_results_are_of_the_recipe(name: str) -> None:
    """Each training is repeated by its link, and nothing is left out."""
    results = read_results(results_path(name))
    trials = {trial.name: to_link(trial.settings) for trial in EXPERIMENTS[name].trials(False)}
    assert {one.name: one.settings for one in results.outcomes} == trials
    assert results.recipe == EXPERIMENTS[name].recipe


def test_gates_remember_one_bit_over_a_hundred_steps_and_the_plain_network_does_not() -> None:
    results = read_results(results_path("memory"))
    found = {
        cell: [one.score for one in results.where(task="latch", length=100, cell=cell, chrono=bool(CELLS[cell].time_biases))]
        for cell in ("elman", "gru", "lstm")
    }
    assert all(len(scores) == 3 for scores in found.values())
    assert min(found["gru"]) >= 99
    assert min(found["lstm"]) >= 99
    assert max(found["elman"]) <= 60
