"""Half-lives, saturation and regimes, on gates whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import REGIMES, LayerTrace, half_life, quantile, regimes, saturation, trace

NAMES = [regime.name for regime in REGIMES]


def layer_of(mu: list[list[float]], lam: list[list[float]]) -> LayerTrace:
    keep, write = np.array(mu, np.float32), np.array(lam, np.float32)
    return LayerTrace(0, "forward", keep, write, write, write, write)


@pytest.mark.parametrize(("mu", "tokens"), [(0.5, 1), (0.9, 6.58), (0.99, 68.97)])
def test_a_constant_gate_has_the_half_life_of_the_textbook(mu: float, tokens: float) -> None:
    assert half_life(np.full((7, 2), mu, np.float32)) == pytest.approx(tokens, abs=0.005)


@given(st.lists(st.floats(0.05, 0.999), min_size=1, max_size=20))
def test_after_its_half_life_a_memory_is_half(mu: list[float]) -> None:
    tokens = float(half_life(np.array(mu)[:, None])[0])
    a_token = math.prod(mu) ** (1 / len(mu))
    assert a_token**tokens == pytest.approx(0.5)


def test_a_gate_that_shuts_forgets_at_once_and_one_that_never_does_never_forgets() -> None:
    with np.errstate(all="raise"):
        found = half_life(np.array([[1, 0, 0.5], [1, 1, 0.5]], np.float32))
    assert found.tolist() == [math.inf, 0, 1]


def test_saturation_counts_the_steps_at_either_end() -> None:
    found = saturation(np.array([[0.95, 0.5, 0.05], [0.99, 0.91, 0.5], [0.5, 0.5, 0.09], [0.89, 0.11, 0.01]], np.float32))
    assert found.open == pytest.approx([0.5, 0.25, 0])
    assert found.shut == pytest.approx([0, 0, 0.75])


def test_each_unit_is_in_the_regime_of_its_two_gates() -> None:
    found = regimes(layer_of([[0.9, 0.9, 0.1, 0.1, 0.9]], [[0.1, 0.9, 0.9, 0.1, 0.1]]))
    assert dict(zip(NAMES, found[0].tolist(), strict=True)) == pytest.approx(
        {"keep": 0.4, "accumulate": 0.2, "overwrite": 0.2, "erase": 0.2}
    )


def test_every_unit_is_in_one_regime_and_a_cell_without_choice_in_its_only_one(tiny: dict[str, Checkpoint]) -> None:
    found = {cell: regimes(trace(tiny[f"pos-{cell}"], "The old man the boats.").layers[0]) for cell in CELLS}
    for shares in found.values():
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert (found["elman"][:, NAMES.index("overwrite")] == 1).all()
    assert not found["gru"][:, [NAMES.index("erase"), NAMES.index("accumulate")]].any()


def test_a_quantile_is_the_half_life_of_a_unit_whatever_zero_and_infinity_do() -> None:
    tokens = np.array([0, 0, 1.5, np.inf, np.inf])
    assert [quantile(tokens, share) for share in (0.1, 0.5, 0.9)] == [0, 1.5, math.inf]
