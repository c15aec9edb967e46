"""The training loop: clipping, schedules, early stopping, changes on the way, divergence. Resuming: test_training_resume.py."""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
import torch
from torch import nn

from seqmodels.training import (
    OPTIMIZERS,
    SCHEDULES,
    BatchLoss,
    Clipping,
    DevScore,
    DivergedError,
    Epoch,
    LiveSettings,
    Step,
    Tensors,
    TrainConfig,
    TrainState,
    fit,
)


@dataclass
class Line:
    """Fit y = x w; dev metrics and losses are scripted where given."""

    scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    higher_is_better: bool = False
    steps: int = 4
    scale: float = 1.0

    def batches(self) -> range:
        return range(self.steps)

    def loss(self, model: nn.Module, batch: int, carry: Tensors) -> BatchLoss:
        x = torch.randn(8, 3)
        return BatchLoss(((model(x).squeeze(1) - x.sum(1)) ** 2).mean() * self.scale, len(x))

    def score(self, model: nn.Module) -> DevScore:
        metric = self.scores.pop(0) if self.scores else float(next(model.parameters()).detach().sub(1).abs().sum())
        return DevScore(metric, self.losses.pop(0) if self.losses else None)

    def settings(self) -> dict[str, float]:
        return {}


def fresh() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def epochs_of(reports: Iterator[Step | Epoch]) -> list[Epoch]:
    return [report for report in reports if isinstance(report, Epoch)]


def steps_of(reports: Iterator[Step | Epoch]) -> list[Step]:
    return [report for report in reports if isinstance(report, Step)]


def test_training_leaves_torchs_generator_where_it_was() -> None:
    model = fresh()
    before = torch.get_rng_state()
    for _ in fit(model, Line(), TrainConfig(epochs=2)):
        assert torch.equal(torch.get_rng_state(), before)


def gradient(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_optimizer_descends_to_the_answer_on_every_schedule(optimizer: str, schedule: str) -> None:
    model = fresh()
    config = TrainConfig(epochs=60, optimizer=optimizer, schedule=schedule, learning_rate=0.05, patience=None)
    epochs = epochs_of(fit(model, Line(), config))
    assert epochs[-1].loss < 0.01 * epochs[0].loss
    torch.testing.assert_close(model.weight, torch.ones(1, 3), atol=0.05, rtol=0)


def test_clipping_by_norm_scales_the_gradient_to_the_threshold_and_reports_both_norms() -> None:
    model = fresh()
    config = TrainConfig(epochs=1, clip=Clipping("norm", 0.5), learning_rate=1e-6)
    for report in fit(model, Line(scale=100), config):
        if isinstance(report, Step):
            after = float(gradient(model).norm())
            assert report.norm > 0.5
            assert after == pytest.approx(0.5, rel=1e-4)
            assert report.norm_after == pytest.approx(after, rel=1e-4)
            assert report.clipped


def test_clipping_by_value_cuts_off_each_number_and_reports_both_norms() -> None:
    model = fresh()
    config = TrainConfig(epochs=1, clip=Clipping("value", 0.5), learning_rate=1e-6)
    for report in fit(model, Line(scale=100), config):
        if isinstance(report, Step):
            after = gradient(model)
            assert after.abs().max() <= 0.5
            assert report.norm > report.norm_after == pytest.approx(float(after.norm()), rel=1e-5)
            assert report.clipped


@pytest.mark.parametrize("clip", [None, Clipping("norm", 1e6), Clipping("value", 1e6)])
def test_without_clipping_or_below_its_threshold_gradients_stay_as_they_are(clip: Clipping | None) -> None:
    model = fresh()
    for report in fit(model, Line(scale=100), TrainConfig(epochs=1, clip=clip, learning_rate=1e-6)):
        if isinstance(report, Step):
            assert report.norm == report.norm_after == pytest.approx(float(gradient(model).norm()), rel=1e-5)
            assert not report.clipped
        else:
            assert report.clipped_share == 0


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        ("linear", [0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0]),
        ("step", [0.5, 1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01]),
        ("cosine", [0.5, 1, *(0.5 * (1 + math.cos(math.pi * done / 8)) for done in range(1, 9))]),
    ],
)
def test_the_rate_rises_over_the_warm_up_and_then_follows_the_schedule(schedule: str, expected: list[float]) -> None:
    config = TrainConfig(epochs=2, schedule=schedule, warmup=0.2, learning_rate=0.1, patience=None)
    rates = [step.learning_rate for step in steps_of(fit(fresh(), Line(steps=5), config))]
    assert rates == pytest.approx([0.1 * factor for factor in expected])


def test_adamw_takes_weight_decay_off_the_weights_and_adam_adds_it_to_the_gradient() -> None:
    ends = {}
    for optimizer in ("adam", "adamw"):
        model = fresh()
        list(fit(model, Line(), TrainConfig(epochs=2, optimizer=optimizer, weight_decay=0.5, learning_rate=0.05)))
        ends[optimizer] = model.weight.detach().clone()
    plain = fresh()
    list(fit(plain, Line(), TrainConfig(epochs=2, learning_rate=0.05)))
    assert not torch.equal(ends["adam"], ends["adamw"])
    assert not torch.equal(ends["adam"], plain.weight)


def test_patience_counts_from_the_best_score_so_far_not_from_the_last_better_than_its_neighbour() -> None:
    scores = [5.0, 3.0, 4.0, 3.5, 3.2, 1.0]  # each of the last three of the run betters its neighbour, none the best
    epochs = epochs_of(fit(fresh(), Line(scores=scores), TrainConfig(epochs=6, patience=3)))
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5]
    assert [epoch.waited for epoch in epochs] == [0, 0, 1, 2, 3]
    assert (epochs[-1].best_score, epochs[-1].best_epoch) == (3.0, 2)
    assert epochs[-1].stopped is not None
    assert "3 epochs" in epochs[-1].stopped


def test_an_improvement_smaller_than_the_least_is_none() -> None:
    scores = [5.0, 4.5, 3.9, 3.8]
    epochs = epochs_of(fit(fresh(), Line(scores=scores), TrainConfig(epochs=4, patience=None, least_improvement=1.0)))
    assert [epoch.best_epoch for epoch in epochs] == [1, 1, 3, 3]


def test_the_dev_loss_can_be_watched_in_place_of_the_metric() -> None:
    line = Line(scores=[1.0, 2.0, 3.0], losses=[0.5, 0.2, 0.9], higher_is_better=True)
    epochs = epochs_of(fit(fresh(), line, TrainConfig(epochs=3, patience=None, watch="loss")))
    assert [epoch.dev_loss for epoch in epochs] == [0.5, 0.2, 0.9]
    assert [epoch.best_epoch for epoch in epochs] == [1, 2, 2]
    assert epochs[-1].best_score == 2.0  # the metric of the best epoch


def test_watching_a_loss_that_is_not_there_says_what_to_watch() -> None:
    with pytest.raises(ValueError, match="watch the metric"):
        list(fit(fresh(), Line(), TrainConfig(epochs=1, watch="loss")))


@pytest.mark.parametrize(("higher", "best_epoch"), [(False, 2), (True, 1)])
def test_the_best_weights_come_back_at_the_end(higher: bool, best_epoch: int) -> None:
    model, kept = fresh(), {}
    config = TrainConfig(epochs=4, learning_rate=0.1, patience=None)
    for report in fit(model, Line(scores=[5.0, 3.0, 4.0, 4.5], higher_is_better=higher), config):
        if isinstance(report, Epoch):
            kept[report.epoch] = deepcopy(model.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(value, kept[best_epoch][name])
    assert not torch.equal(kept[4]["weight"], kept[best_epoch]["weight"])


def test_without_restoring_the_last_weights_stay_and_the_best_are_still_in_the_state() -> None:
    model, state, kept = fresh(), TrainState(), {}
    config = TrainConfig(epochs=3, learning_rate=0.1, patience=None, restore_best=False)
    for report in fit(model, Line(scores=[1.0, 2.0, 3.0]), config, state):
        if isinstance(report, Epoch):
            kept[report.epoch] = deepcopy(model.state_dict())
    assert torch.equal(model.weight, kept[3]["weight"])
    assert torch.equal(state.best_weights["weight"], kept[1]["weight"])


def test_averaged_weights_are_what_is_scored_and_kept_and_the_training_goes_on_with_its_own() -> None:
    model, state, scored, line = fresh(), TrainState(), [], Line(scores=[1.0, 2.0])
    score = line.score

    def noted(network: nn.Linear) -> DevScore:
        scored.append(network.weight.clone())
        return score(network)

    line.score = noted  # type: ignore[assignment,method-assign]
    config = TrainConfig(epochs=2, learning_rate=0.1, patience=None, average=0.8, restore_best=False)
    average: Any = None
    count, at_epochs = 0, list[torch.Tensor]()
    for report in fit(model, line, config, state):
        if isinstance(report, Epoch):
            at_epochs.append(average)
            assert not torch.equal(model.weight, average)
            continue
        count += 1
        kept = min(0.8, count / (count + 10))
        own = model.weight.detach().clone()
        average = own if average is None else kept * average + (1 - kept) * own
    for expected, found in zip(at_epochs, scored, strict=True):
        torch.testing.assert_close(found, expected)
    torch.testing.assert_close(state.best_weights["weight"], at_epochs[0])
    torch.testing.assert_close(model.weight.detach(), at_epochs[1])


def test_rate_clipping_and_patience_can_be_changed_between_two_steps() -> None:
    state = TrainState()
    config = TrainConfig(epochs=9, schedule="constant", warmup=0.0, learning_rate=0.01, clip=None, patience=None)
    before: list[Step] = []
    after: list[Step] = []
    epochs: list[Epoch] = []
    for report in fit(fresh(), Line(scores=[1.0, *[2.0] * 8]), config, state):
        if isinstance(report, Epoch):
            epochs.append(report)
            continue
        (after if len(before) == 6 else before).append(report)
        if len(before) == 6 and not after:
            assert state.live is not None
            state.live.learning_rate = 0.002
            state.live.clip = Clipping("norm", 1e-3)
            state.live.patience = 3
    assert {step.learning_rate for step in before} == {0.01}
    assert {step.learning_rate for step in after} == {0.002}
    assert not any(step.clipped for step in before)
    assert all(step.clipped for step in after)
    assert epochs[-1].epoch == 4


@pytest.mark.parametrize("bad", [{"learning_rate": -1.0}, {"learning_rate": math.nan}, {"patience": 0}])
def test_a_wrong_change_is_refused_where_it_is_made(bad: dict[str, float]) -> None:
    live = TrainConfig().live()
    ((name, value),) = bad.items()
    with pytest.raises(ValueError, match=name):
        setattr(live, name, value)
    assert live == TrainConfig().live()


def test_what_a_caller_does_between_reports_changes_nothing() -> None:
    undisturbed, disturbed = dropping(), dropping()
    config = TrainConfig(epochs=2, learning_rate=0.05, patience=None)
    list(fit(undisturbed, Line(), config))
    for _ in fit(disturbed, Line(), config):
        disturbed.eval()
        disturbed(torch.randn(2, 3))
    assert same(undisturbed, disturbed)


def dropping() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize(
    ("clip", "advice"),
    [
        (None, r"clip the gradient \(it is not clipped now\).*learning rate"),
        (Clipping("value", 2.0), r"learning rate.*by value at 2"),
    ],
)
def test_a_loss_that_is_not_finite_stops_with_what_happened_and_what_would_prevent_it(clip: Clipping | None, advice: str) -> None:
    with pytest.raises(DivergedError, match=rf"epoch 1, step 1: the loss is inf.*{advice}"):
        list(fit(fresh(), Line(scale=float("inf")), TrainConfig(epochs=1, clip=clip)))


def test_an_exploded_gradient_leaves_weights_and_state_as_at_the_last_report() -> None:
    line, model, state = Line(), fresh(), TrainState()
    training = fit(model, line, TrainConfig(epochs=1), state)
    next(training)
    next(training)
    kept = deepcopy(model.state_dict())
    line.scale = 1e38  # the loss still fits a float32, its gradient's square does not
    with pytest.raises(DivergedError, match="epoch 1, step 3: the gradient exploded"):
        next(training)
    assert same(model, _with(kept))
    assert (state.epoch, state.step) == (0, 2)


def _with(weights: dict[str, Any]) -> nn.Linear:
    model = nn.Linear(3, 1)
    model.load_state_dict(weights)
    return model


def test_a_dev_score_that_is_not_a_number_stops_too() -> None:
    for line, name in ((Line(scores=[math.nan]), "metric"), (Line(scores=[1.0], losses=[math.nan]), "loss")):
        with pytest.raises(DivergedError, match=f"the dev {name} is not a number"):
            list(fit(fresh(), line, TrainConfig(epochs=1)))


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 0},
        {"learning_rate": -1.0},
        {"learning_rate": math.inf},
        {"seed": -1},
        {"seed": 2**32},
        {"epochs": 2**32},
        {"patience": 0},
        {"optimizer": "adagrad"},
        {"schedule": "sine"},
        {"watch": "clock"},
        {"momentum": 1.0},
        {"warmup": -0.1},
        {"batch_size": 0},
        {"weight_decay": math.nan},
        {"least_improvement": -1.0},
    ],
)
def test_a_setting_out_of_range_is_named(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        TrainConfig(**bad)


@pytest.mark.parametrize("bad", [("length", 1.0), ("norm", 0.0), ("value", math.nan)])
def test_a_clipping_that_is_none_is_refused(bad: tuple[str, float]) -> None:
    with pytest.raises(ValueError, match="clip"):
        Clipping(*bad)


@pytest.mark.parametrize("clip", [None, Clipping("value", 0.25)])
def test_settings_survive_the_way_through_json_types(clip: Clipping | None) -> None:
    live = LiveSettings(0.1, clip, patience=None)
    assert LiveSettings.from_dict(asdict(live)) == live
