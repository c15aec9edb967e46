"""The wall and the one update: against autograd, and what clipping must and must not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqmodels.labs import wall
from seqmodels.labs.training_step import MOST_UPDATES, Training, explode

EXPLODES = Training()


@pytest.mark.parametrize(("w", "b"), [(5.0, -2.2), (4.9, -2.55), (0.5, 0.3), (8.0, -4.0)])
def test_loss_and_gradient_are_those_of_autograd(w: float, b: float) -> None:
    weights = torch.tensor([w, b], dtype=torch.double, requires_grad=True)
    x = torch.tensor(0.5, dtype=torch.double)
    for _ in range(50):
        x = weights[0] * torch.sigmoid(x) + weights[1]
    loss = (torch.sigmoid(x) - 0.7) ** 2
    loss.backward()
    assert weights.grad is not None
    assert wall.loss_and_gradient(w, b) == pytest.approx((loss.item(), *weights.grad.tolist()), rel=1e-9)


def test_the_surface_is_the_loss_at_each_of_its_points() -> None:
    found = wall.surface(np.array([1.0, 5.0]), np.array([-3.0, -2.0, 0.0]))
    assert found.loss.shape == (3, 2)
    assert found.loss[1, 1] == wall.loss_and_gradient(5.0, -2.0)[0]


def test_each_way_to_clip_leaves_what_it_must() -> None:
    gradient = np.array([3.0, -0.2])
    assert wall.clip(gradient, "none", 0.1) is gradient
    by_norm = wall.clip(gradient, "norm", 0.5)
    assert np.linalg.norm(by_norm) == pytest.approx(0.5)
    assert by_norm[1] / by_norm[0] == pytest.approx(-0.2 / 3)
    assert wall.clip(gradient, "value", 0.5).tolist() == [0.5, -0.2]
    assert wall.clip(gradient, "norm", 4.0).tolist() == gradient.tolist()


@pytest.mark.parametrize("clipping", wall.CLIPPINGS)
def test_a_descent_is_one_update_after_the_other(clipping: str) -> None:
    found = wall.descend(5.0, -2.2, rate=2.0, clipping=clipping, threshold=0.5, updates=8)
    for step in range(8):
        gradient = np.array(wall.loss_and_gradient(found.w[step], found.b[step])[1:])
        used = wall.clip(gradient, clipping, 0.5)
        assert [found.w[step + 1], found.b[step + 1]] == pytest.approx([found.w[step] - 2 * used[0], found.b[step] - 2 * used[1]])
        assert found.norm[step] == pytest.approx(np.linalg.norm(gradient))
    assert found.clipped.any() == (clipping != "none")


def test_from_beside_the_wall_the_unclipped_path_is_lost_and_the_clipped_ones_come_down() -> None:
    free, norm, value = (wall.descend(5.0, -2.2, rate=2.0, clipping=way, threshold=0.2, updates=30) for way in wall.CLIPPINGS)
    assert free.loss[-1] > 0.4
    assert max(norm.loss[-1], value.loss[-1]) < 0.1


def test_an_unknown_clipping_and_too_many_updates_are_refused() -> None:
    with pytest.raises(ValueError, match="choose one of none"):
        wall.descend(0, 0, rate=1, clipping="hard")
    with pytest.raises(ValueError, match="at most 60"):
        wall.descend(0, 0, rate=1, updates=61)


def test_the_update_explodes_unless_it_is_clipped() -> None:
    found = explode(EXPLODES)
    free, norm, value = found.landings
    assert found.explodes
    assert free.loss > 10 * found.loss
    assert norm.loss < found.loss
    assert value.loss < found.loss
    assert free.distance == pytest.approx(EXPLODES.rate * found.norm)
    assert norm.distance == pytest.approx(EXPLODES.rate * EXPLODES.threshold, rel=1e-5)
    assert norm.distance < value.distance < free.distance


def test_the_lines_pass_through_where_the_updates_land() -> None:
    found = explode(EXPLODES)
    along = found.lines[0]
    for landing in found.landings[:2]:  # clipping by norm keeps the direction
        nearest = np.argsort(np.abs(np.log(along.distance / landing.distance)))[:2]
        low, high = sorted(along.loss[nearest])
        assert 0.5 * low <= landing.loss <= 2 * high


def test_the_loss_before_is_where_the_lines_begin() -> None:
    found = explode(EXPLODES)
    for line in found.lines:
        assert line.loss[0] == pytest.approx(found.loss, rel=0.05)


def test_a_training_that_does_not_explode_ends_after_its_updates() -> None:
    found = explode(replace(EXPLODES, seed=2))
    assert not found.explodes
    assert len(found.losses) == MOST_UPDATES + 1


def test_an_update_hangs_on_its_settings_alone() -> None:
    torch.manual_seed(5)
    first = explode(EXPLODES)
    torch.manual_seed(6)
    assert explode(EXPLODES).landings == first.landings
