"""What version 0.1.0 saved goes on working: run folders, the state of a training, a checkpoint, a link (tests/fixtures)."""

import shutil
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from seqmodels import checkpoints
from seqmodels.cli import main
from seqmodels.inference import tag
from seqmodels.runs import find_run, list_runs, may_control, read_history, status
from seqmodels.runs.publishing import publish
from seqmodels.runs.settings import from_flat, to_flat, to_link
from tests.running import KEY, SENTENCE, finish

SAVED = Path(__file__).with_name("fixtures")
FINISHED, INTERRUPTED = "00000000000000aa", "00000000000000bb"
# of the interrupted run; version 0.1.0, which scored the dev split in 32 short parts, finished it with 4.13144 and 4.1216
SCORES = [4.19539, 4.10836, 4.09738]
LINK = (
    "task=pos&cell=elman&probe=Fish+%26+chips&source=silver&sentences=150&hidden_size=256&dropout=0.0&activation=relu"
    "&initialization=identity&epochs=40&optimizer=sgd&learning_rate=8.0&clip=value&patience=none&watch=loss&clip_threshold=0.5"
)


@pytest.fixture(autouse=True)
def _copy(own_folders: Path) -> None:
    shutil.copytree(SAVED / "runs", own_folders / "runs")


def test_its_runs_are_listed_and_shown() -> None:
    assert {run.id for run in list_runs()} == {FINISHED, INTERRUPTED}
    finished, interrupted = find_run(FINISHED), find_run(INTERRUPTED)
    assert (status(finished).name, status(interrupted).name) == ("finished", "interrupted")
    assert status(interrupted).progress.step == 4
    assert all(may_control(run, KEY) for run in (finished, interrupted))
    for run in (finished, interrupted):
        assert to_flat(from_flat(run.settings)) == dict(run.settings)
    history = read_history(finished)
    assert [len(rows) for rows in (history.steps, history.epochs, history.samples, history.marks)] == [3, 3, 3, 1]


def test_its_finished_run_becomes_a_model() -> None:
    path = publish(find_run(FINISHED), KEY, "kept")
    assert [token.text for token in tag(checkpoints.load(path), SENTENCE).tokens] == SENTENCE.split()


def test_its_interrupted_run_goes_on_in_the_midst_of_an_epoch_and_is_finished() -> None:
    run = find_run(INTERRUPTED)
    finish(run)
    assert status(run).name == "finished", status(run).progress.message
    history = read_history(run)
    assert [(step["epoch"], step["step"]) for step in history.steps] == [
        (epoch, step) for epoch in (1, 2, 3) for step in range(1, 9)
    ]
    assert [epoch["score"] for epoch in history.epochs] == pytest.approx(SCORES, rel=1e-4)
    assert [mark["kind"] for mark in history.marks] == ["resumed", "finished"]


@pytest.mark.thorough
def test_its_half_done_training_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copyfile(SAVED / "recall-state.safetensors", tmp_path / "mine.state.safetensors")
    output = tmp_path / "mine.safetensors"
    small = ["--task", "recall", "--cell", "gru", "--epochs", "3", "--hidden-size", "4"]
    assert main(["train", *small, "--output", str(output)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("going on with")
    assert [line.split("  ")[0] for line in lines if line.startswith("epoch")] == ["epoch 2/3", "epoch 3/3"]
    assert checkpoints.read_info(output).scores["dev"]["accuracy"] == pytest.approx(13.2, abs=0.5)


def test_its_checkpoint_tags() -> None:
    tagging = tag(checkpoints.load(SAVED / "pos.safetensors"), SENTENCE)
    assert [token.text for token in tagging.tokens] == SENTENCE.split()


def test_its_links_hold_the_same_settings() -> None:
    parameters = dict(parse_qsl(LINK))
    assert to_link(from_flat(parameters)) == parameters
