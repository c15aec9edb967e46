"""The training loop: clipping, early stopping, resuming, divergence."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from seqmodels.training import DivergedError, Epoch, Step, TrainConfig, TrainState, fit


@dataclass
class Line:
    """Fit y = x w; scores are scripted where given."""

    scores: list[float] = field(default_factory=list)
    higher_is_better: bool = False
    steps: int = 4
    scale: float = 1.0

    def losses(self, model: nn.Module, epoch: int) -> Iterator[tuple[Tensor, int]]:
        for _ in range(self.steps):
            x = torch.randn(8, 3)
            yield ((model(x).squeeze(1) - x.sum(1)) ** 2).mean() * self.scale, len(x)

    def score(self, model: nn.Module) -> float:
        return self.scores.pop(0) if self.scores else float(next(model.parameters()).detach().sub(1).abs().sum())

    def settings(self) -> dict[str, float]:
        return {}


def fresh() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def epochs_of(reports: Iterator[Step | Epoch]) -> list[Epoch]:
    return [report for report in reports if isinstance(report, Epoch)]


def test_training_descends_to_the_answer() -> None:
    model = fresh()
    epochs = epochs_of(fit(model, Line(), TrainConfig(epochs=60, learning_rate=0.05, patience=None)))
    assert epochs[-1].loss < 0.01 * epochs[0].loss
    torch.testing.assert_close(model.weight, torch.ones(1, 3), atol=0.05, rtol=0)


def test_the_norm_is_clipped_to_the_threshold_and_reported_as_it_was() -> None:
    model = fresh()
    seen = []
    for report in fit(model, Line(scale=100), TrainConfig(epochs=1, clip_norm=0.5, learning_rate=1e-6)):
        if isinstance(report, Step):
            after = torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]).norm()
            seen.append((report.norm, float(after), report.clipped))
    assert all(before > 0.5 and abs(after - 0.5) < 1e-4 and clipped for before, after, clipped in seen)


def test_without_clipping_gradients_stay_as_they_are() -> None:
    model = fresh()
    for report in fit(model, Line(scale=100), TrainConfig(epochs=1, clip_norm=None, learning_rate=1e-6)):
        if isinstance(report, Step):
            after = torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]).norm()
            assert report.norm == pytest.approx(float(after), rel=1e-5)
            assert not report.clipped


def test_patience_counts_from_the_best_score_so_far_not_from_the_last_better_than_its_neighbour() -> None:
    scores = [5.0, 3.0, 4.0, 3.5, 3.2, 1.0]  # each of the last three of the run betters its neighbour, none the best
    epochs = epochs_of(fit(fresh(), Line(scores=scores), TrainConfig(epochs=6, patience=3)))
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5]
    assert (epochs[-1].best_score, epochs[-1].best_epoch) == (3.0, 2)
    assert epochs[-1].stopped is not None
    assert "3 epochs" in epochs[-1].stopped


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


def test_a_run_resumed_after_any_epoch_ends_with_the_same_weights() -> None:
    config = TrainConfig(epochs=5, learning_rate=0.05, patience=None)
    undisturbed = fresh()
    list(fit(undisturbed, Line(), config))
    for stop_after in range(1, 5):
        model, state = fresh(), TrainState()
        for report in fit(model, Line(), config, state):
            if isinstance(report, Epoch) and report.epoch == stop_after:
                break
        resumed = nn.Linear(3, 1)
        resumed.load_state_dict(model.state_dict())
        list(fit(resumed, Line(), config, deepcopy(state)))
        for name, value in undisturbed.state_dict().items():
            assert torch.equal(value, resumed.state_dict()[name])


def test_a_finished_run_resumed_only_restores_its_best_weights() -> None:
    model, state = fresh(), TrainState()
    config = TrainConfig(epochs=2, learning_rate=0.05, patience=None)
    list(fit(model, Line(), config, state))
    again = nn.Linear(3, 1)
    assert list(fit(again, Line(), config, state)) == []
    assert torch.equal(again.weight, model.weight)


def test_a_loss_that_is_not_finite_stops_with_a_plain_explanation() -> None:
    with pytest.raises(DivergedError, match=r"epoch 1, step 1.*learning rate"):
        list(fit(fresh(), Line(scale=float("inf")), TrainConfig(epochs=1)))


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"learning_rate": -1.0}, {"seed": -1}, {"clip_norm": 0.0}, {"patience": 0}])
def test_a_setting_out_of_range_is_named(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        TrainConfig(**bad)  # type: ignore[arg-type]
