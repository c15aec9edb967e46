"""What a training that goes wrong leaves: the last good weights, or a plain reason; never a file that cannot be used."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint, CheckpointError
from seqmodels.cli import main, training
from seqmodels.data import files_dataset, load_dataset
from seqmodels.inference import next_words, tag
from seqmodels.runs import Run, Upload, create, status, store, trainer, work
from seqmodels.runs.publishing import publish
from seqmodels.runs.settings import from_flat
from seqmodels.tasks.generated import RecallTask
from seqmodels.training import DivergedError, Epoch, Report, Step
from tests.running import CONLLU, KEY, finish, make

FILE = Path(__file__).with_name("fixtures") / "files" / "explode_pos.txt"
RATE = {"optimizer": "sgd", "learning_rate": "100000", "clip": "none", "restore_best": "false"}
SMALL = {"task": "pos", "cell": "gru", "hidden_size": "8", "epochs": "5"}


@pytest.fixture(autouse=True)
def _apart(own_folders: Path) -> None:
    pass


def largest(checkpoint: Checkpoint) -> float:
    return max(value.abs().max().item() for value in checkpoint.model.state_dict().values())


def test_weights_too_large_for_float16_are_saved_in_float32_and_the_others_as_ever(
    tiny: dict[str, Checkpoint], tmp_path: Path
) -> None:
    made, path = tiny["pos-gru"], tmp_path / "large.safetensors"
    bias = made.model.head.bias.data
    before = bias.clone()
    try:
        bias[0] = 123_456.0
        checkpoints.save(path, made.model, made.vocabulary, made.info)
    finally:
        bias.copy_(before)
    kinds = {name: value.dtype for name, value in safetensors.torch.load_file(path).items()}
    assert kinds.pop("head.bias") == torch.float32
    assert set(kinds.values()) == {torch.float16}
    assert checkpoints.load(path).model.head.bias[0] == 123_456


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 3e38])
def test_weights_that_cannot_be_used_are_not_written_and_the_file_that_is_there_stays(
    tiny: dict[str, Checkpoint], tmp_path: Path, value: float
) -> None:
    made, path = tiny["pos-gru"], tmp_path / "kept.safetensors"
    checkpoints.save(path, made.model, made.vocabulary, made.info)
    good, bias = path.read_bytes(), made.model.head.bias.data
    before = bias.clone()
    try:
        bias[0] = value
        with pytest.raises(CheckpointError, match=r"kept\.safetensors is not written: the model has weights"):
            checkpoints.save(path, made.model, made.vocabulary, made.info)
    finally:
        bias.copy_(before)
    assert path.read_bytes() == good
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_score_that_is_infinite_is_left_out(tiny: dict[str, Checkpoint], tmp_path: Path) -> None:
    made, path = tiny["lm-gru"], tmp_path / "lm.safetensors"
    scores = {"dev": {"perplexity": float("inf")}, "test": {"perplexity": 9.5}}
    checkpoints.save(path, made.model, made.vocabulary, replace(made.info, scores=scores))
    assert checkpoints.load(path).info.scores == {"dev": {}, "test": {"perplexity": 9.5}}


def test_large_weights_are_trained_saved_and_tag(tmp_path: Path) -> None:
    output = tmp_path / "large.safetensors"
    reports = list(trainer.train(from_flat({**SMALL, **RATE}), files_dataset("pos", FILE, FILE), output))
    assert isinstance(reports[-1], Epoch)
    assert reports[-1].stopped == "all epochs done"
    loaded = checkpoints.load(output)
    assert largest(loaded) > torch.finfo(torch.float16).max
    assert [token.text for token in tag(loaded, "Dogs bark").tokens] == ["Dogs", "bark"]
    items = loaded.task.read(FILE).items
    assert loaded.task.evaluate(loaded.model, loaded.vocabulary, items).figures == loaded.info.scores["dev"]


def test_so_does_a_run_of_an_upload_and_it_becomes_a_model() -> None:
    run = create(from_flat({**SMALL, **RATE, "source": "file"}), KEY, upload=Upload("own.txt", FILE.read_bytes() * 20))
    finish(run)
    assert (status(run).name, status(run).progress.message) == ("finished", "all epochs done")
    assert largest(checkpoints.load(publish(run, KEY, "large"))) > torch.finfo(torch.float16).max


def test_and_a_run_that_the_command_line_makes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = "optimizer=sgd&learning_rate=1e12&clip=none&restore_best=false"
    settings = f"task=recall&cell=gru&hidden_size=8&length=5&sentences=64&dev_sentences=16&epochs=3&{wild}"
    monkeypatch.setattr(training, "_give_way", lambda: None)  # or this process, and all tests after this one, would be slow
    assert main(["run", str(tmp_path / "run"), "--settings", settings]) == 2
    assert "lower the learning rate" in capsys.readouterr().err
    assert not (tmp_path / "run" / "best.safetensors").exists()


@pytest.fixture
def spoilt(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the third epoch a weight becomes this large, after its first step or after its last."""
    value, at = request.param
    whole = trainer.fit

    def fit(model: torch.nn.Module, *rest: Any) -> Iterator[Report]:
        for report in whole(model, *rest):
            yield report
            if isinstance(report, Step) and report.epoch == 3 and report.step == (report.steps if at == "last" else 1):
                next(model.parameters()).data.view(-1)[0] = value

    monkeypatch.setattr(trainer, "fit", fit)


SPOILT = [(torch.nan, "first"), (torch.inf, "last"), (1e30, "last"), (torch.nan, "last")]


def good(run: Run) -> Checkpoint:
    return checkpoints.load(publish(run, KEY, "good"))


@pytest.mark.parametrize("spoilt", SPOILT, indirect=True)
@pytest.mark.parametrize("restore_best", ["true", "false"])
@pytest.mark.usefixtures("spoilt")
def test_a_run_that_diverges_keeps_the_best_weights_of_the_epochs_before(restore_best: str) -> None:
    run = make(epochs=5, restore_best=restore_best)
    finish(run)
    assert status(run).name == "failed"
    message = status(run).progress.message
    assert message.startswith("epoch 3")
    best = good(run).info.epochs
    assert best in (1, 2)
    assert f"The weights of epoch {best}, the best so far, are kept" in message


@pytest.mark.parametrize("spoilt", SPOILT, indirect=True)
@pytest.mark.parametrize("restore_best", ["true", "false"])
@pytest.mark.parametrize(("average", "epoch"), [("0", 3), ("0.9", 4)])  # an average takes in later what the last step spoils
@pytest.mark.usefixtures("spoilt")
def test_so_does_a_training_to_a_checkpoint(tmp_path: Path, restore_best: str, average: str, epoch: int) -> None:
    file = tmp_path / "own.conllu"
    file.write_text(CONLLU * 8)
    output = tmp_path / "out.safetensors"
    settings = from_flat({**SMALL, "restore_best": restore_best, "average": average})
    best = rf"out\.safetensors has the weights of epoch [1-{epoch - 1}], the best so far"
    with pytest.raises(DivergedError, match=rf"epoch [3-{epoch}].*{best}"):
        list(trainer.train(settings, files_dataset("pos", file, file), output))
    loaded = checkpoints.load(output)
    assert loaded.info.epochs < epoch
    assert loaded.info.scores["dev"]["accuracy"] > 0
    assert not trainer.state_file(output).exists()


def test_a_run_stopped_with_weights_that_cannot_be_used_keeps_the_best_and_says_so() -> None:
    run = make(epochs=5, restore_best="false")
    leave(run, 3)
    file = run.folder / store.LAST
    header, state, weights = trainer.load_state(file)
    dataset = load_dataset("recall", from_flat(run.settings).data)
    model = trainer.TrainingSetup.build(from_flat(run.settings), dataset).model
    next(iter(weights.values())).view(-1)[0] = torch.inf
    model.load_state_dict(weights)
    trainer.save_state(file, model, state, {**header, "stopping": "stopped by hand", "ending": "stopped"})
    finish(run)
    assert status(run).name == "stopped"
    assert "stopped by hand; it ended with weights that are not finite numbers" in status(run).progress.message
    assert good(run).info.epochs == state.best_epoch


@pytest.mark.parametrize("name", ["calibrate", "evaluate"])
def test_where_the_scoring_fails_the_weights_of_the_best_epoch_stay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no score today")

    monkeypatch.setattr(RecallTask, name, fails)
    run = make(epochs=2)
    finish(run)
    assert (status(run).name, status(run).progress.message) == ("failed", "no score today")
    assert good(run).info.scores["dev"]


def leave(run: Run, epoch: int) -> None:
    """The run's process ends at the first step of an epoch."""
    reports = work(run.folder)
    for report in reports:
        if isinstance(report, Step) and report.epoch == epoch:
            break
    reports.close()  # type: ignore[attr-defined]


def change_state(path: Path, header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    with safetensors.safe_open(path, framework="pt") as file:
        before = json.loads(file.metadata()["run"])
    tensors = {**safetensors.torch.load_file(path), **tensors}
    safetensors.torch.save_file(tensors, path, {"run": json.dumps({**before, **header})})


@pytest.mark.parametrize(
    ("header", "tensors"),
    [
        ({"seconds": "long"}, {}),
        ({"events": -1}, {}),
        ({"ending": "won"}, {}),
        ({"state": {"epoch": "x"}}, {}),
        ({"state": None}, {}),
        ({"state": []}, {}),
        ({}, {"model/head.bias": torch.zeros(99)}),
        ({}, {"best_weights/head.bias": torch.zeros(99)}),
        ({}, {"optimizer/head.bias/exp_avg": torch.zeros(99)}),
    ],
)
def test_a_state_that_is_damaged_is_named(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    run = make()
    leave(run, 2)
    change_state(run.folder / store.LAST, header, tensors)
    finish(run)
    assert status(run).name == "failed"
    assert "last.safetensors is damaged" in status(run).progress.message


def test_a_model_whose_memory_overflows_says_so(tiny: dict[str, Checkpoint], tmp_path: Path) -> None:
    for name in ("lm-elman", "pos-elman"):
        made = tiny[name]
        grown = replace(made.info, config={**made.info.config, "activation": "relu"})
        checkpoints.save(tmp_path / f"{name}.safetensors", made.model, made.vocabulary, grown)
        loaded = checkpoints.load(tmp_path / f"{name}.safetensors")
        for value in loaded.model.state_dict().values():
            value.fill_(9e5)
        with pytest.raises(ValueError, match="memory overflows on this text: shorten the text, pick another model"):
            (next_words if name == "lm-elman" else tag)(loaded, "The old man the boats " * 3)
