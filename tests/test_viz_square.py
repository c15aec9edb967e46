"""The mu-lambda square: its cloud is a count of the points, its dots and path are the trace's numbers, each cell in its place."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmodels import viz
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import LayerTrace, Trace, trace
from seqmodels.viz.frame import Focus
from seqmodels.viz.unit_square import BINS, density
from tests.test_viz_gates import TOKENS, UNITS, WORDS, random_layer, trace_of

TEXT = "The old man the boats."


def field_of(value: float, bins: int) -> int:
    """The field that a share from 0 to 1 falls in; 1 itself belongs to the last."""
    return min(int(float(value) * bins), bins - 1)  # in double precision, as numpy counts


@given(data=st.data(), bins=st.integers(1, 12), points=st.integers(1, 40))
def test_the_density_is_a_count_of_the_points_in_each_field(data: st.DataObject, bins: int, points: int) -> None:
    # in the middle of one of `7 * bins` strips, so that rounding cannot move a point over the edge of a field; and both ends
    inside = st.integers(0, 7 * bins - 1).map(lambda strip: (strip + 0.5) / (7 * bins))
    shares = st.lists(inside | st.sampled_from([0.0, 1.0]), min_size=points, max_size=points)
    mu, lam = data.draw(shares), data.draw(shares)
    counted = np.zeros((bins, bins))
    for keep, write in zip(mu, lam, strict=True):
        counted[field_of(write, bins), field_of(keep, bins)] += 1
    np.testing.assert_allclose(density(np.array(mu, np.float32), np.array(lam, np.float32), bins), counted / points)


@pytest.mark.parametrize("cell", CELLS)
def test_the_cloud_holds_every_unit_at_every_word_in_its_field(tiny: dict[str, Checkpoint], cell: str) -> None:
    traced = trace(tiny[f"pos-{cell}"], TEXT)
    layer = traced.layer(0, "backward")
    cloud = viz.square(traced, Focus(direction="backward")).data[0]
    counted = np.zeros((BINS, BINS), int)
    for token, unit in product(range(len(traced.tokens)), range(8)):
        counted[field_of(layer.lam[token, unit], BINS), field_of(layer.mu[token, unit], BINS)] += 1
    np.testing.assert_array_equal(cloud.customdata, counted)
    assert np.isnan(cloud.z[counted == 0]).all(), "an empty field is the bare page"
    filled = np.argsort(counted[counted > 0], kind="stable")
    assert (np.diff(cloud.z[counted > 0][filled]) >= 0).all(), "the more points, the darker"
    np.testing.assert_allclose(cloud.x, (np.arange(BINS) + 0.5) / BINS)


def fields(traced: Trace) -> list[tuple[float, float]]:
    """The middles (mu, lam) of the fields that hold a point."""
    cloud = viz.square(traced).data[0]
    return [(cloud.x[column], cloud.y[row]) for row, column in np.argwhere(cloud.customdata > 0)]


def test_elman_is_one_point_that_never_keeps_and_always_writes(tiny: dict[str, Checkpoint]) -> None:
    for task in ("pos", "ner", "lm"):
        traced = trace(tiny[f"{task}-elman"], TEXT)
        assert fields(traced) == [(0.5 / BINS, 1 - 0.5 / BINS)]
        dots, path = viz.square(traced, Focus(token=2, unit=3)).data[1:]
        assert {*zip(dots.x, dots.y, strict=True), *zip(path.x, path.y, strict=True)} == {(0, 1)}


def test_gru_lies_on_the_line_where_writing_is_one_minus_keeping(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["ner-gru"], TEXT)
    found = fields(traced)
    assert len(found) > 3
    assert all(abs(keep + write - 1) <= 1 / BINS + 1e-9 for keep, write in found)
    dots = viz.square(traced, Focus(token=2)).data[1]
    np.testing.assert_allclose(dots.x + dots.y, 1, atol=2e-4)


def test_lstm_leaves_both(tiny: dict[str, Checkpoint]) -> None:
    assert any(abs(keep + write - 1) > 2 / BINS and keep > 1 / BINS for keep, write in fields(trace(tiny["ner-lstm"], TEXT)))


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_dots_are_the_units_at_the_selected_token(direction: str) -> None:
    layer = random_layer(direction=direction)
    dots = viz.square(trace_of(layer), Focus(direction=direction, token=3)).data[1]
    np.testing.assert_allclose(dots.x, layer.mu[3], atol=5e-5)
    np.testing.assert_allclose(dots.y, layer.lam[3], atol=5e-5)
    assert dots.customdata.tolist() == list(range(UNITS))
    assert dots.meta == {"point": {"unit": list(range(UNITS))}}, "a click selects the unit"
    assert set(dots.text) == {WORDS[3]}


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_path_is_the_selected_unit_from_word_to_word(direction: str) -> None:
    layer = random_layer(direction=direction)
    path = viz.square(trace_of(layer), Focus(direction=direction, unit=5, window=slice(1, 4))).data[1]
    np.testing.assert_allclose(path.x, layer.mu[1:4, 5], atol=5e-5)
    np.testing.assert_allclose(path.y, layer.lam[1:4, 5], atol=5e-5)
    assert tuple(path.text) == WORDS[1:4]
    assert "unit 5" in path.hovertemplate


def test_the_cloud_is_of_the_whole_text_whatever_part_is_on_screen() -> None:
    traced = trace_of(random_layer())
    part = viz.square(traced, Focus(window=slice(1, 2))).data[0]
    assert part.customdata.sum() == TOKENS * UNITS


def test_with_nothing_selected_there_is_only_the_cloud() -> None:
    assert [drawn.type for drawn in viz.square(trace_of(random_layer())).data] == ["heatmap"]


def test_the_square_is_square_and_names_its_corners_and_families() -> None:
    layout = viz.square(trace_of(random_layer())).layout
    assert layout.yaxis.scaleanchor == "x"
    assert tuple(layout.xaxis.range) == tuple(layout.yaxis.range)
    placed = {note.text: (note.x, note.y) for note in layout.annotations}
    assert placed["Elman"] == (0, 1)
    assert placed["Ungated sum"] == (1, 1)
    assert sum(placed["GRU"]) == 1
    corners = {name: (place[0] > 0.5, place[1] > 0.5) for name, place in placed.items()}
    expected = {"keep": (True, False), "accumulate": (True, True), "overwrite": (False, True), "erase": (False, False)}
    assert corners.items() >= expected.items()
    assert min(note.font.size for note in layout.annotations) >= 12


def test_gates_that_all_lie_outside_of_the_square_leave_it_empty() -> None:
    outside = np.full((2, 3), -0.5, np.float32)
    assert (density(outside, outside) == 0).all()
    layer = LayerTrace(0, "forward", outside, outside, outside, outside, outside)
    cloud = viz.square(Trace("pos", "of a stranger", ("a", "b"), (layer,))).data[0]
    assert np.isnan(cloud.z).all()
    assert cloud.zmax == 1
