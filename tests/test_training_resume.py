"""A training stopped at any report and resumed elsewhere ends with the weights of the undisturbed one, bit for bit."""

import json
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch
from torch import nn

from seqmodels import checkpoints, tensorfiles
from seqmodels.corpora import Sentence
from seqmodels.data import files_dataset
from seqmodels.runs.settings import Settings, default_settings
from seqmodels.runs.trainer import state_file, train
from seqmodels.tasks import TASKS, MemoryTask
from seqmodels.tasks.base import ModelConfig
from seqmodels.training import OPTIMIZERS, Clipping, Epoch, Objective, Report, TrainConfig, TrainState, fit, loop
from seqmodels.training import state as state_module
from tests.running import CONLLU

WORDS = "the old man saw a dog and the dog saw him ; a boat sank , so they swam".split()
CONFIG = TrainConfig(epochs=2, learning_rate=0.01, patience=None, batch_size=2)
CASES = [(task, optimizer) for task in ("pos", "lm", "char", "adding", "recall") for optimizer in OPTIMIZERS]


@dataclass
class Training:
    """A small training from its start: the same each time it is made."""

    model: nn.Module
    objective: Objective


def items(task: str) -> list[Any]:
    if task == "pos":  # one sentence has second tags, which is not the first to be read: their weights have no gradient before
        spans = [(start, start + 2 + start % 3) for start in range(9)]
        return [
            Sentence(
                tuple(WORDS[a:b]), ("NOUN", "VERB", "DET", "X")[: b - a], ("NN", "VB", "DT", "FW")[: b - a] if a == 5 else None
            )
            for a, b in spans
        ]
    if task == "lm":
        return [WORDS * 4] * 2
    if task == "char":
        return [list(" ".join(WORDS))] * 5
    found = TASKS[task]
    assert isinstance(found, MemoryTask)
    return list(found.split("train", 6, 8))


def make(task: str, **model: Any) -> Training:
    found, data = TASKS[task], items(task)
    torch.manual_seed(3)
    config = ModelConfig(**{"cell": "gru", "hidden_size": 4, "dropout": 0.3, **model})
    vocabulary = found.vocabulary(data)
    network = found.build(config, vocabulary)
    return Training(network, found.objective(network, vocabulary, data, data[:4], CONFIG))


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def through_a_file(state: TrainState) -> TrainState:
    """Another object with the same content, and nothing shared."""
    return deepcopy(state)


def run(training: Training, config: TrainConfig, state: TrainState) -> list[Report]:
    return list(fit(training.model, training.objective, config, state))


@pytest.mark.parametrize(("task", "optimizer"), CASES)
def test_a_training_resumed_after_any_report_ends_with_the_same_weights(task: str, optimizer: str) -> None:
    config = replace(CONFIG, optimizer=optimizer)
    undisturbed = make(task)
    reports = run(undisturbed, config, TrainState())
    assert len(reports) > 6
    for stop_after in range(len(reports)):
        first, state = make(task), TrainState()
        going = fit(first.model, first.objective, config, state)
        seen = [next(going) for _ in range(stop_after)]
        second = make(task, initialization="normal")  # other weights: all must come from what was saved
        second.model.load_state_dict(weights(first.model))
        rest = run(second, config, through_a_file(state))
        assert [*seen, *rest] == reports
        for name, value in undisturbed.model.state_dict().items():
            assert torch.equal(value, second.model.state_dict()[name]), f"{name} after {stop_after} reports"


@pytest.mark.parametrize("cell", ["elman", "lstm"])
@pytest.mark.parametrize("kind", ["norm", "value"])
def test_so_does_one_with_two_layers_clipped_and_stopped_many_times(cell: str, kind: str) -> None:
    config = replace(CONFIG, clip=Clipping(kind, 0.01), watch="loss", patience=3)
    undisturbed = make("lm", cell=cell, layers=2)
    reports = run(undisturbed, config, TrainState())
    state, kept, seen = TrainState(), weights(make("lm", cell=cell, layers=2).model), []
    while True:  # a new process after every second report
        training = make("lm", cell=cell, layers=2)
        training.model.load_state_dict(kept)
        new = [report for _, report in zip(range(2), fit(training.model, training.objective, config, state), strict=False)]
        seen += new
        if len(new) < 2:
            break
        state, kept = through_a_file(state), weights(training.model)
    assert seen == reports
    for name, value in undisturbed.model.state_dict().items():
        assert torch.equal(value, training.model.state_dict()[name])


@pytest.mark.parametrize("restore_best", [True, False])
def test_so_does_one_whose_weights_are_averaged(restore_best: bool) -> None:
    config = replace(CONFIG, average=0.9, restore_best=restore_best)
    undisturbed = make("pos")
    reports = run(undisturbed, config, TrainState())
    for stop_after in range(len(reports)):
        first, state = make("pos"), TrainState()
        going = fit(first.model, first.objective, config, state)
        seen = [next(going) for _ in range(stop_after)]
        second = make("pos", initialization="normal")
        second.model.load_state_dict(weights(first.model))
        assert [*seen, *run(second, config, through_a_file(state))] == reports
        for name, value in undisturbed.model.state_dict().items():
            assert torch.equal(value, second.model.state_dict()[name]), f"{name} after {stop_after} reports"


def test_a_change_made_on_the_way_is_kept_by_the_state() -> None:
    training, state = make("lm"), TrainState()
    going = fit(training.model, training.objective, CONFIG, state)
    next(going)
    assert state.live is not None
    state.live.learning_rate = 0.5
    resumed = make("lm")
    resumed.model.load_state_dict(weights(training.model))
    again = next(fit(resumed.model, resumed.objective, CONFIG, through_a_file(state)))
    assert again == next(going)


def test_a_finished_training_resumed_only_restores_its_best_weights() -> None:
    training, state = make("adding"), TrainState()
    run(training, CONFIG, state)
    again = make("adding", initialization="normal")
    assert run(again, CONFIG, state) == []
    for name, value in training.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])


def test_a_training_does_not_go_on_with_a_network_of_another_size(tmp_path: Path) -> None:
    corpus = tmp_path / "own.conllu"
    corpus.write_text(CONLLU)
    dataset = files_dataset("pos", corpus, corpus)
    usual = default_settings("pos")
    small, smaller = (Settings("pos", replace(usual.model, hidden_size=size), CONFIG) for size in (8, 4))
    going = train(small, dataset, tmp_path / "own.safetensors")
    while not isinstance(next(going), Epoch):
        pass
    with pytest.raises(ValueError, match="belongs to a training with other settings"):
        next(train(smaller, dataset, tmp_path / "own.safetensors"))


def test_at_an_epochs_end_the_state_holds_no_sums_of_an_unfinished_one() -> None:
    training, state = make("lm"), TrainState()
    for report in fit(training.model, training.objective, CONFIG, state):
        if isinstance(report, Epoch):
            assert (state.step, state.tokens, state.loss_sum, state.hidden_state, state.rng) == (0, 0, 0.0, {}, None)
        else:
            assert state.step == report.step
            assert state.hidden_state


class Clock:
    """A monotonic clock on which a second passes between any two looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


def trained_in_two_parts(folder: Path, monkeypatch: pytest.MonkeyPatch, *, as_earlier: bool = False) -> tuple[float | None, int]:
    """The seconds that the checkpoint tells, and how many reports there were: a second each. Between the parts an hour passes."""
    clock = Clock()
    for module in (loop, state_module):
        monkeypatch.setattr(module, "time", clock)
    corpus, output = folder / "own.conllu", folder / "own.safetensors"
    corpus.write_text(CONLLU)
    dataset = files_dataset("pos", corpus, corpus)
    settings = Settings("pos", replace(default_settings("pos").model, hidden_size=4), CONFIG)
    reports = 0
    for report in train(settings, dataset, output):
        reports += 1
        if isinstance(report, Epoch):
            break
    clock.now += 3600
    if as_earlier:
        forget_the_time(state_file(output))
    reports += len(list(train(settings, dataset, output)))
    return checkpoints.read_info(output).seconds, reports


def forget_the_time(path: Path) -> None:
    """The file as a version wrote it that told no time."""
    with safetensors.safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["run"])
    del header["state"]["seconds"]
    tensorfiles.write_tensors(path, safetensors.torch.load_file(path), {"run": json.dumps(header)})


def test_a_checkpoint_tells_the_time_spent_training_over_all_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, reports = trained_in_two_parts(tmp_path, monkeypatch)
    assert seconds == reports


def test_a_time_that_is_not_known_in_full_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, reports = trained_in_two_parts(tmp_path, monkeypatch, as_earlier=True)
    assert reports > 2
    assert seconds is None
