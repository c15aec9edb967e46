"""The gradient, drawn: the lines are the numbers of the path, each at its word, and a zero stands below the scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import viz
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import GradientPath, gradient_path, trace
from seqmodels.viz import gradients
from seqmodels.viz.frame import Focus
from seqmodels.viz.legends import legend
from seqmodels.viz.palette import MU
from tests.test_viz_gates import random_layer, trace_of

TEXT = "The old man the boats."


def path_of(gates: list[float], gradient: list[float], *, sources: tuple[int, ...] = (0, 1, 2, 3)) -> GradientPath:
    return GradientPath(sources, np.array(gates), np.array(gradient))


HALVED = path_of([1 / 8, 1 / 4, 1 / 2, 1], [0.4, 0.5, 0.8, 1])
CLOSED = path_of([0, 0, 0, 1], [0.001, 0.01, 0.1, 1])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_line_of_the_gates_is_the_product_of_mu_word_by_word(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    checkpoint = tiny[f"pos-{cell}"]
    traced = trace(checkpoint, TEXT)
    mu = traced.layer(0, direction).mu.astype(np.float64)
    for token in range(len(traced.tokens)):
        path = gradient_path(checkpoint, trace(checkpoint, TEXT), token, layer=0, direction=direction)
        drawn = viz.gradient_path(traced, path, Focus(direction=direction)).data
        before = range(len(mu) - 1, token, -1) if direction == "backward" else range(token)
        for source in before:
            kept = np.ones(mu.shape[1])
            for read in range(source - 1, token - 1, -1) if direction == "backward" else range(source + 1, token + 1):
                kept *= mu[read]
            shown = {int(x): y for x, y in zip(drawn[0].x, drawn[0].y, strict=True)}[source]
            expected = np.sqrt(np.mean(kept**2))
            assert np.isnan(shown) if expected == 0 else shown == pytest.approx(expected, rel=1e-5)


def test_both_lines_are_the_shares_of_the_path() -> None:
    gates, truth = viz.gradient_path(trace_of(random_layer()), HALVED).data
    np.testing.assert_allclose(gates.y, HALVED.gates)
    np.testing.assert_allclose(truth.y, HALVED.gradient)
    assert gates.line.color == MU.light
    assert gates.line.dash != truth.line.dash, "told apart without colour too"


def test_an_exact_zero_is_a_mark_below_the_scale_and_joined_to_no_point() -> None:
    figure = viz.gradient_path(trace_of(random_layer()), CLOSED)
    gates, marks, truth = figure.data
    assert np.isnan(gates.y[:3]).all()
    assert not gates.connectgaps
    assert list(marks.text) == ["0", "0", "0"]
    assert list(marks.x) == [0, 1, 2]
    axis = figure.layout.yaxis
    lowest_power = min(value for value, name in zip(axis.tickvals, axis.ticktext, strict=True) if name != "0")
    assert (np.array(marks.y) < lowest_power).all()
    assert axis.range[0] < np.log10(marks.y[0])
    assert axis.ticktext[list(axis.tickvals).index(marks.y[0])] == "0"
    assert min(truth.y) >= lowest_power


def test_without_a_zero_there_is_no_place_for_one() -> None:
    figure = viz.gradient_path(trace_of(random_layer()), HALVED)
    assert "0" not in figure.layout.yaxis.ticktext


@settings(deadline=None, max_examples=60)
@given(exponents=st.lists(st.floats(-300, 6), min_size=1, max_size=6), zero=st.booleans())
def test_every_point_is_on_the_axis_that_the_cells_share(exponents: list[float], zero: bool) -> None:
    values = [0.0 if zero else 0.5, *(10.0**exponent for exponent in exponents), 1.0]
    paths = [path_of([1.0] * len(values), values, sources=tuple(range(len(values)))), HALVED]
    axis = gradients.decades(paths)
    low, high = axis.axis()["range"]
    assert len(axis.axis()["tickvals"]) <= 9
    traced = trace_of(random_layer(tokens=len(values)))
    for drawn in viz.gradient_path(traced, paths[0], axis=axis).data:
        for value in drawn.y:
            assert np.isnan(value) or low <= np.log10(value) <= high


def test_a_value_below_the_scale_stands_at_its_edge_as_a_triangle_and_says_its_number() -> None:
    path = path_of([1e-40, 1e-3, 1e-2, 1], [0.1, 0.2, 0.5, 1])
    gates = viz.gradient_path(trace_of(random_layer()), path).data[0]
    assert gates.y[0] == pytest.approx(1e-16)
    assert gates.marker.symbol == ("triangle-down-open", "circle", "circle", "circle")
    assert "10⁻⁴⁰" in gates.text[0]
    assert "from 3 words back" in gates.text[0]


def test_the_lines_stand_under_their_words_in_any_window() -> None:
    layer = random_layer(tokens=8)
    path = path_of([0.1, 0.2, 0.5, 1], [0.2, 0.4, 0.6, 1], sources=(6, 5, 4, 3))
    traced = trace_of(layer, random_layer(tokens=8, direction="backward"))
    figure = viz.gradient_path(traced, path, Focus(direction="backward", window=slice(2, 8)))
    assert list(figure.data[0].x) == [4, 3, 2, 1]
    frame = figure.layout.shapes[0]
    assert (frame.x0, frame.x1) == (0.5, 1.5), "the chosen word is framed"
    assert any("right to left" in note.text for note in figure.layout.annotations)


def test_a_path_that_leaves_the_window_brings_its_own() -> None:
    traced = trace_of(random_layer(tokens=12))
    path = path_of([0.1, 0.2, 0.5, 1], [0.2, 0.4, 0.6, 1], sources=(4, 5, 6, 7))
    focus = Focus(window=slice(6, 12))
    assert gradients.around(path, focus, traced).window == slice(4, 8)
    assert gradients.around(path, Focus(window=slice(2, 12)), traced).window == slice(2, 12)
    figure = viz.gradient_path(traced, path, focus)
    assert list(figure.data[0].x) == [0, 1, 2, 3]
    assert figure.layout.xaxis.ticktext == traced.tokens[4:8]


def test_the_rows_are_the_numbers_of_the_lines() -> None:
    rows = gradients.rows(trace_of(random_layer()), HALVED)
    assert [(row["token"], row["words_back"]) for row in rows] == [("The", 3), ("old", 2), ("man", 1), ("the", 0)]
    np.testing.assert_allclose([row["gates"] for row in rows], [1 / 8, 1 / 4, 1 / 2, 1])
    np.testing.assert_allclose([row["gradient"] for row in rows], [0.4, 0.5, 0.8, 1])


def test_sixty_words_are_small_enough_to_send() -> None:
    shares = np.linspace(0.001, 1, 60)
    path = path_of(list(shares), list(shares), sources=tuple(range(60)))
    assert len(viz.gradient_path(trace_of(random_layer(tokens=60, units=256)), path).to_json()) < 100_000


def test_a_legend_draws_each_stroke_as_the_picture_does_and_escapes() -> None:
    html = legend([gradients.GATES.entry, gradients.GRADIENT.entry], "a <b> note")
    assert f"solid {MU.css}" in html
    assert "dashed" in html
    assert "<b>" not in html
