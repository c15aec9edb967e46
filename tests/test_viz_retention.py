"""Retention and half-lives as pictures: each number is what a loop over the gates makes it, in either direction of time."""

import numpy as np
import pytest

from seqmodels import viz
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import LayerTrace, Trace, retention_map, trace
from seqmodels.viz import memories, units
from seqmodels.viz.frame import Focus
from tests.test_contributions import by_hand

TEXT = "The old man the boats in Berlin, and nobody minds!"
UNITS = 6


def traced_with(mu: list[list[float]]) -> Trace:
    """A forward layer that writes 1 everywhere, with these gates."""
    keep = np.array(mu, np.float32)
    one = np.ones_like(keep)
    return Trace(
        "pos", "gru", tuple(f"w{number}" for number in range(len(mu))), (LayerTrace(0, "forward", keep, one, one, one, one),)
    )


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_curve_and_the_map_are_what_the_gates_leave(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    traced = trace(tiny[f"pos-{cell}"], TEXT)
    layer, count = traced.layer(0, direction), len(traced.tokens)
    curve, unit, table = viz.retention(traced, Focus(direction=direction, token=4, unit=2)).data
    after = range(5) if direction == "backward" else range(4, count)
    wrote = np.linalg.norm(by_hand(layer, 4)[4])
    expected = [100 * np.linalg.norm(by_hand(layer, token)[4]) / wrote for token in after]
    assert list(curve.x) == list(unit.x) == list(after)
    np.testing.assert_allclose(curve.y, expected, atol=0.01)
    np.testing.assert_allclose(unit.y, [100 * by_hand(layer, token)[4][2] / by_hand(layer, 4)[4][2] for token in after], atol=0.01)
    z = np.array(table.z)
    np.testing.assert_allclose(100 * z[list(after), 4], expected, atol=0.02)
    unread = np.tril_indices(count, -1) if direction == "backward" else np.triu_indices(count, 1)
    assert np.isnan(z[unread]).all()
    np.testing.assert_allclose(np.diagonal(z), 1, atol=1e-4)


def test_a_part_of_a_long_text_is_cut_from_the_whole(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-gru"], TEXT)
    whole = np.array(viz.retention(traced).data[-1].z)
    part = np.array(viz.retention(traced, Focus(window=slice(2, 7))).data[-1].z)
    np.testing.assert_allclose(part, whole[2:7, 2:7], atol=1e-4)


def test_a_word_that_wrote_nothing_leaves_nothing() -> None:
    kept = np.full((3, 2), 0.9, np.float32)
    silent = LayerTrace(0, "forward", kept, np.zeros_like(kept), kept, kept, kept)
    assert not retention_map(silent).any()


def test_bars_stand_from_the_longest_half_life_to_the_shortest_and_say_their_unit() -> None:
    traced = traced_with([[0.5, 0.99, 0.9], [0.5, 0.99, 0.9]])
    (bars,) = viz.half_lives(traced).data
    assert list(bars.customdata) == bars.meta["point"]["unit"] == [1, 2, 0]
    np.testing.assert_allclose(bars.y, [68.97, 6.58, 1], atol=0.005)
    (unsorted,) = viz.half_lives(traced, order="unit").data
    assert list(unsorted.customdata) == [0, 1, 2]
    np.testing.assert_allclose(unsorted.y, [1, 68.97, 6.58], atol=0.005)


def test_units_that_forget_at_once_or_never_stand_at_the_edges_and_say_so() -> None:
    (bars,) = viz.half_lives(traced_with([[0, 1, 0.5], [0.5, 1, 0.5]])).data
    assert list(bars.y) == [units.LONGEST, 1, units.SHORTEST]
    assert list(bars.text) == ["without end", "1.00 tokens", "0"]
    assert np.isfinite(viz.half_lives(traced_with([[0, 1, 0.5], [0.5, 1, 0.5]])).layout.annotations[0].y)


def test_elman_says_once_that_every_unit_forgets_at_once(tiny: dict[str, Checkpoint]) -> None:
    figure = viz.half_lives(trace(tiny["pos-elman"], TEXT), Focus(unit=3))
    assert [note.text for note in figure.layout.annotations] == ["every unit: 0"]


def test_the_selected_unit_is_marked_and_named() -> None:
    figure = viz.half_lives(traced_with([[0.5, 0.99, 0.9]] * 2), Focus(unit=2))
    colours = figure.data[0].marker.color
    assert colours[1] not in (colours[0], colours[2])
    assert "unit 2: 6.58 tokens" in [note.text for note in figure.layout.annotations]


def test_a_half_life_is_over_the_whole_text_even_if_a_part_is_drawn() -> None:
    traced = traced_with([[0.5], [0.5], [0.9], [0.9]])
    assert viz.half_lives(traced, Focus(window=slice(2, 4))).data[0].y == viz.half_lives(traced).data[0].y


def test_an_unknown_order_names_the_choices() -> None:
    with pytest.raises(ValueError, match="unknown order 'size': choose one of half-life, unit"):
        viz.half_lives(traced_with([[0.5]]), order="size")


def test_the_rows_hold_the_numbers_of_the_pictures(tiny: dict[str, Checkpoint]) -> None:
    traced, focus = trace(tiny["pos-lstm"], TEXT), Focus(direction="backward", token=4)
    layer = traced.layer(0, "backward")
    found = {(row["position"], row["later_position"]): row["retained"] for row in memories.retention_rows(traced, focus)}
    assert set(found) == {(by, at) for by in range(len(traced.tokens)) for at in range(by + 1)}
    share = np.linalg.norm(by_hand(layer, 1)[4]) / np.linalg.norm(by_hand(layer, 4)[4])
    assert found[4, 1] == pytest.approx(share, abs=1e-5)
    half_life = [row["half_life"] for row in units.half_life_rows(traced, focus)]
    means = np.exp(np.log(layer.mu.astype(float)).mean(axis=0))
    np.testing.assert_allclose(means ** np.array(half_life), 0.5, atol=1e-6)
