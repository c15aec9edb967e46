"""What a run may take: estimated before it is made, and held to by its process."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from seqmodels.data import load_dataset
from seqmodels.runs import Upload, create, list_runs, session, start, status, store, work
from seqmodels.runs.estimate import estimate
from seqmodels.runs.presets import PRESETS, settings_of
from seqmodels.runs.settings import default_settings, from_flat
from seqmodels.runs.trainer import TrainingSetup
from seqmodels.tasks import TASKS
from tests.running import KEY, finish, fork, is_now, kill_all, make, settings, tagging, wait_until

LARGE = {
    "task=recall&cell=gru&sentences=10000000&length=100": "MB of memory",
    "task=recall&cell=gru&length=1000&batch_size=100000": "MB of memory",
    "task=char&cell=lstm&hidden_size=2048&layers=8": "MB on disk",
    "task=pos&cell=lstm&hidden_size=2048&layers=8": "minutes for one epoch",
}


@pytest.fixture(autouse=True)
def _apart(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "4")


@pytest.mark.parametrize("link", LARGE)
def test_settings_that_would_take_too_much_make_no_run_and_the_figures_are_told(link: str) -> None:
    with pytest.raises(
        ValueError, match=rf"with [\d,]+ weights, would take .*about [\d,]+ {LARGE[link]} \(at most [\d,]+ may be\)"
    ):
        create(from_flat(dict(parse_qsl(link))), KEY)
    assert list_runs() == []


def test_a_file_of_many_words_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUN_MEMORY_MB", "600")
    wide = from_flat({"task": "lm", "cell": "gru", "hidden_size": "512", "source": "file", "sentences": "100"})
    few, many = (Upload("own.txt", " ".join(f"w{number % kinds}" for number in range(60_000)).encode()) for kinds in (50, 60_000))
    assert create(wide, KEY, upload=few)
    with pytest.raises(ValueError, match="MB of memory"):
        create(wide, KEY, upload=many)


def test_every_recipe_and_preset_is_within_the_limits() -> None:
    everything = [default_settings(task) for task in TASKS] + [one for preset in PRESETS for one in settings_of(preset).values()]
    for one in everything:
        found = estimate(one)
        assert found.memory < 1000 * 2**20
        assert found.disk < 350 * 2**20
        assert found.seconds < 20 * 60


@pytest.mark.parametrize("cell", ["elman", "lstm", "mingru"])
def test_the_weights_of_an_estimate_are_those_of_the_network(cell: str) -> None:
    wanted = settings(cell=cell, layers=2)
    built = TrainingSetup.build(wanted, load_dataset(wanted.task, wanted.data)).model
    assert estimate(wanted).weights == sum(weight.numel() for weight in built.parameters())


def test_the_room_on_disk_is_not_estimated_too_small() -> None:
    run = tagging(hidden_size="256", epochs="1")
    found = estimate(from_flat(run.settings), ["sails"])
    largest = 0
    for _ in work(run.folder):
        largest = max(largest, sum(path.stat().st_size for path in run.folder.glob("*.safetensors")))
    assert 0 < largest < found.disk < 10 * largest


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SEQMODELS_RUN_MEMORY_MB", "1", "there is not enough memory, of which a run may take 1 MB"),
        ("SEQMODELS_RUN_DISK_MB", "0.005", "cannot be saved: the file would be larger than is allowed"),
    ],
)
def test_a_process_that_takes_more_than_it_may_says_so(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(sentences=200_000, length=20)
    monkeypatch.setenv(variable, value)
    start(run, KEY)
    wait_until(is_now(run, "failed"))
    assert message in status(run).progress.message


def test_a_process_that_is_asked_to_end_while_it_sets_up_does_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        sum(range(10**12))  # hours in which Python sees no signal

    run = make()
    with monkeypatch.context() as patch:
        patch.setattr(session, "load_dataset", load)
        pid = fork(run)
        wait_until(lambda: store.read_progress(run.folder).phase == "loading")
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not run.alive)
        kill_all()
    assert status(run).name == "interrupted"
    finish(run)
    assert status(run).name == "finished"
