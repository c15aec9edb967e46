"""Pictures under a row of words: what is drawn is what was traced, aligned with the words, and safe."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import viz
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import ORDERS, LayerTrace, Trace, band, trace, unit_order, windows
from seqmodels.viz import frame, gates, keys
from seqmodels.viz.frame import Columns, Focus, Label
from seqmodels.viz.gates import KEEP, MEASURES, REVEAL, WRITE
from seqmodels.viz.legends import legend
from seqmodels.viz.palette import POSITIVE, Theme

TOKENS, UNITS = 5, 7
WORDS = ("The", "old", "man", "the", "boats")
MEMORY = MEASURES["memory"]
DRAWN = ("heatmaps", "lines")


def random_layer(
    tokens: int = TOKENS, units: int = UNITS, *, number: int = 0, direction: str = "forward", output_gate: bool = False
) -> LayerTrace:
    random = np.random.default_rng([3, number, len(direction)])
    mu, lam, shown = (random.random((tokens, units), dtype=np.float32) for _ in range(3))
    candidate, memory, output = (2 * random.random((tokens, units), dtype=np.float32) - 1 for _ in range(3))
    return LayerTrace(number, direction, mu, lam, candidate, memory, output, shown if output_gate else None)


def trace_of(*layers: LayerTrace, words: tuple[str, ...] = ()) -> Trace:
    tokens = len(layers[0].mu)
    named = words or tuple(WORDS[token % len(WORDS)] for token in range(tokens))
    return Trace("pos", "gru" if layers[0].output_gate is None else "lstm", named, layers)


def elman_layer() -> LayerTrace:
    zero = np.zeros((TOKENS, UNITS), np.float32)
    return LayerTrace(0, "forward", zero, zero + 1, zero, zero, zero)


def draw(name: str, traced: Trace | None = None, focus: Focus = frame.WHOLE, **options: Any) -> Any:
    return getattr(viz, name)(trace_of(random_layer()) if traced is None else traced, focus, **options)


# what of a trace is drawn


def test_a_focus_alone_is_on_the_last_layer_forward_and_the_whole_text() -> None:
    layers = [random_layer(number=number, direction=side) for number in range(3) for side in ("forward", "backward")]
    traced = trace_of(*layers)
    assert Focus().whole(traced) is layers[4]
    assert Focus(layer=0, direction="backward").whole(traced) is layers[1]
    assert Focus().columns(traced) == Columns(WORDS)
    np.testing.assert_array_equal(Focus().drawn(traced).mu, layers[4].mu)


def test_a_focus_on_a_layer_that_is_not_there_names_the_choices() -> None:
    with pytest.raises(ValueError, match="no layer 1 forward: choose one of 0 forward"):
        draw("heatmaps", focus=Focus(layer=1))


def test_a_window_draws_some_of_the_tokens_and_the_whole_keeps_them_all() -> None:
    layer = random_layer(output_gate=True)
    traced, focus = trace_of(layer), Focus(token=3, window=slice(2, 4), below=tuple(map(Label, WORDS)))
    assert focus.columns(traced) == Columns(("man", "the"), (Label("man"), Label("the")))
    assert list(focus.positions(traced)) == [2, 3]
    assert focus.column(traced) == 1
    assert focus.whole(traced).mu is layer.mu
    for measure in MEASURES.values():
        drawn, whole = measure.of(focus.drawn(traced)), measure.of(layer)
        assert drawn is not None
        assert whole is not None
        np.testing.assert_array_equal(drawn, whole[2:4])


@pytest.mark.parametrize("token", [None, 1, 4])
def test_a_selected_token_outside_the_window_has_no_column(token: int | None) -> None:
    assert Focus(token=token, window=slice(2, 4)).column(trace_of(random_layer())) is None


@given(tokens=st.integers(1, 5000), size=st.integers(1, 200))
def test_windows_hold_every_token_once_and_none_is_too_long_or_a_stub(tokens: int, size: int) -> None:
    found = windows(tokens, size)
    assert [token for part in found for token in range(tokens)[part]] == list(range(tokens))
    lengths = [part.stop - part.start for part in found]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


# the order of the units


@pytest.mark.parametrize("by", ORDERS)
@given(units=st.integers(1, 40), tokens=st.integers(1, 12))
@settings(deadline=None)  # the first clustering imports scipy
def test_every_order_holds_each_unit_once(by: str, units: int, tokens: int) -> None:
    order = unit_order(random_layer(tokens, units), by)
    assert sorted(order) == list(range(units))


def test_by_mean_the_units_that_keep_most_come_first() -> None:
    layer = random_layer()
    means = [float(np.mean([step[unit] for step in layer.mu])) for unit in unit_order(layer, "mean")]
    assert means == sorted(means, reverse=True)


def test_by_half_life_the_units_that_remember_longest_come_first() -> None:
    """The longer of two half-lives is that of the larger product of mu."""
    layer = random_layer()
    products = [float(np.prod(layer.mu[:, unit].astype(float))) for unit in unit_order(layer, "half-life")]
    assert products == sorted(products, reverse=True)


def test_a_unit_that_forgets_everything_once_keeps_a_high_mean_and_has_no_half_life() -> None:
    mu = np.array([[1, 0.6], [1, 0.6], [0, 0.6]], np.float32)
    layer = replace(random_layer(3, 2), mu=mu)
    assert [unit_order(layer, by).tolist() for by in ("mean", "half-life")] == [[0, 1], [1, 0]]


@pytest.mark.parametrize("token", range(TOKENS))
def test_by_activity_the_largest_memory_at_the_chosen_token_comes_first_whatever_its_sign(token: int) -> None:
    layer = random_layer()
    sizes = [abs(float(layer.memory[token, unit])) for unit in unit_order(layer, "activity", token)]
    assert sizes == sorted(sizes, reverse=True)
    assert (layer.memory < 0).any()


def test_by_cluster_units_that_behave_alike_are_neighbours() -> None:
    kind = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    pattern = np.random.default_rng(1).random((TOKENS, 3), dtype=np.float32)
    noise = np.random.default_rng(2).random((TOKENS, len(kind)), dtype=np.float32) * np.float32(1e-3)
    mu, silent = pattern[:, kind] + noise, np.zeros((TOKENS, len(kind)), np.float32)
    layer = LayerTrace(0, "forward", mu, 1 - pattern[:, kind], silent, silent, silent)
    assert np.count_nonzero(np.diff(kind[unit_order(layer, "cluster")])) == 2


@pytest.mark.parametrize("by", ORDERS)
def test_units_that_nothing_tells_apart_stay_as_they_are(by: str) -> None:
    assert unit_order(elman_layer(), by).tolist() == list(range(UNITS))


def test_a_clustering_of_a_book_looks_at_a_part_of_it_only() -> None:
    whole = random_layer(3 * 300, 4)
    assert unit_order(whole, "cluster").tolist() == unit_order(whole.window(slice(None, None, 3)), "cluster").tolist()


def test_an_unknown_order_names_the_choices() -> None:
    with pytest.raises(ValueError, match="unknown order 'size': choose one of mean, half-life, cluster, activity, unit"):
        unit_order(random_layer(), "size")


# maps


@pytest.mark.parametrize("cell", CELLS)
def test_a_map_shows_what_the_cell_holds_at_each_unit_and_token(tiny: dict[str, Checkpoint], cell: str) -> None:
    traced = trace(tiny[f"ner-{cell}"], "The old man the boats.")
    layer = traced.layer(0, "backward")
    order = np.array([3, 0, 6, 1, 2, 5, 4, 7])
    shown = [measure for measure in MEASURES.values() if getattr(layer, measure.field) is not None]
    maps = viz.heatmaps(traced, Focus(direction="backward"), order=order, show=list(MEASURES.values())).data
    for measure, drawn in zip(shown, maps, strict=True):
        values = getattr(layer, measure.field)
        expected = [[values[token][unit] for token in range(len(traced.tokens))] for unit in order]
        np.testing.assert_allclose(drawn.z, expected, atol=5e-5)


def test_without_an_order_the_units_stand_by_their_mean_over_the_whole_text() -> None:
    layer = random_layer()
    figure = draw("heatmaps", trace_of(layer), Focus(window=slice(0, 2)))
    order = unit_order(layer, "mean")
    assert order.tolist() != unit_order(layer.window(slice(0, 2)), "mean").tolist()
    assert list(figure.layout.yaxis.ticktext) == order.astype(str).tolist()
    np.testing.assert_allclose(figure.data[0].z, layer.mu[:2].T[order], atol=5e-5)


def test_gates_share_one_scale_from_0_to_1_and_signed_values_one_around_0() -> None:
    figure = draw("heatmaps", trace_of(random_layer(output_gate=True)), show=(KEEP, WRITE, REVEAL, MEMORY))
    assert [(drawn.zmin, drawn.zmax) for drawn in figure.data] == [(0, 1), (0, 1), (0, 1), (-1, 1)]
    assert all("%{z:.3f}" in drawn.hovertemplate for drawn in figure.data)


def test_a_memory_that_grows_beyond_1_widens_its_scale_to_both_sides() -> None:
    layer = random_layer()
    figure = draw("heatmaps", trace_of(replace(layer, memory=np.where(layer.memory < 0, layer.memory * 40, 0))), show=(MEMORY,))
    (drawn,) = figure.data
    assert drawn.zmin == -drawn.zmax == pytest.approx(np.min(drawn.z), abs=1e-3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_zero_is_the_bare_page_and_one_is_the_measures_own_colour(theme: Theme) -> None:
    figure = draw("heatmaps", focus=Focus(theme=theme), show=(KEEP, WRITE, MEMORY))
    for drawn, gate in zip(figure.data[:2], (KEEP, WRITE), strict=True):
        (zero, bare), (one, full) = drawn.colorscale
        assert (zero, one) == (0, 1)
        assert bare.endswith(",0)")
        assert full == "rgba({},{},{},1)".format(*bytes.fromhex(gate.colour.on(theme)[1:]))
    scale = figure.data[2].colorscale
    assert [place for place, _ in scale] == [0, 0.5, 0.5, 1]
    assert all(colour.endswith(",0)") for place, colour in scale if place == 0.5)
    assert scale[-1][1] == POSITIVE.on(theme)


def test_a_row_is_the_same_unit_in_every_map_and_says_which() -> None:
    order = np.array([3, 0, 6, 1, 2, 5, 4])
    layout = draw("heatmaps", order=order).layout
    assert list(layout.yaxis.ticktext) == list(layout.yaxis2.ticktext) == ["3", "0", "6", "1", "2", "5", "4"]
    assert tuple(layout.yaxis.range) == (UNITS - 0.5, -0.5)  # the first on top


def test_the_selected_unit_is_framed_in_every_map_where_the_order_has_put_it() -> None:
    order = np.array([3, 0, 6, 1, 2, 5, 4])
    shapes = draw("heatmaps", focus=Focus(unit=6), order=order).layout.shapes
    assert [(shape.yref, shape.y0, shape.y1) for shape in shapes] == [("y", 1.5, 2.5), ("y2", 1.5, 2.5)]


# words over the maps


@pytest.mark.parametrize("name", DRAWN)
def test_words_stand_over_the_middle_of_their_columns(name: str) -> None:
    axis = draw(name).layout.xaxis
    assert list(axis.tickvals) == list(range(TOKENS))
    assert list(axis.ticktext) == list(WORDS)
    assert tuple(axis.range) == (-0.5, TOKENS - 0.5)
    assert axis.automargin is False


@pytest.mark.parametrize("name", DRAWN)
def test_the_selected_token_is_framed_over_the_height_of_all_panels(name: str) -> None:
    (shape,) = draw(name, focus=Focus(token=3, window=slice(2, 5))).layout.shapes
    assert (shape.x0, shape.x1, shape.y0, shape.y1, shape.yref) == (0.5, 1.5, 0, 1, "paper")
    assert not draw(name, focus=Focus(token=3, window=slice(0, 3))).layout.shapes


@pytest.mark.parametrize("name", DRAWN)
def test_a_measure_that_the_cell_lacks_is_not_drawn(name: str) -> None:
    assert {drawn.yaxis for drawn in draw(name, show=(KEEP, REVEAL, WRITE)).data} == {"y", "y2"}
    three = draw(name, trace_of(random_layer(output_gate=True)), show=(KEEP, REVEAL, WRITE))
    assert {drawn.yaxis for drawn in three.data} == {"y", "y2", "y3"}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize(("direction", "arrow"), [("forward", "▶"), ("backward", "◀")])
def test_the_direction_of_time_is_marked(name: str, direction: str, arrow: str) -> None:
    figure = draw(name, trace_of(random_layer(direction=direction)), Focus(direction=direction))
    assert [arrow in note.text for note in figure.layout.annotations].count(True) == 1


@pytest.mark.parametrize("name", DRAWN)
def test_labels_are_legible_on_a_projector(name: str) -> None:
    layout = draw(name, focus=Focus(below=(Label("NOUN"),) * TOKENS)).layout
    axes = [axis for axis in layout.to_plotly_json() if axis.startswith(("xaxis", "yaxis"))]
    sizes = [layout[axis].tickfont.size for axis in axes] + [note.font.size for note in layout.annotations]
    assert len(axes) == 3
    assert min(sizes) >= 12


def test_a_label_stands_under_its_word_and_an_empty_one_nowhere() -> None:
    below = (Label("DET", KEEP.colour), Label(""), Label("NOUN"), Label("DET"), Label("VERB"))
    notes = draw("heatmaps", focus=Focus(window=slice(1, 4), below=below)).layout.annotations
    assert [(note.x, note.text) for note in notes if note.xref == "x"] == [(1, "NOUN"), (2, "DET")]


def test_a_long_word_is_cut_with_a_mark() -> None:
    words = ("Donaudampfschifffahrtsgesellschaft", *WORDS[1:])
    assert draw("heatmaps", trace_of(random_layer(), words=words)).layout.xaxis.ticktext[0].endswith("…")


def test_a_word_that_cannot_be_seen_has_the_room_of_what_stands_for_it() -> None:
    layer = random_layer(tokens=12)
    layouts = [draw("heatmaps", trace_of(layer, words=(word, *"abcdefghijk"))).layout for word in ("\u200d", "U+200D")]
    assert layouts[0].xaxis.ticktext[0] == "U+200D"
    assert layouts[0].margin.t == layouts[1].margin.t
    assert layouts[0].xaxis.tickangle == -90


# lines


def test_lines_are_the_mean_and_the_band_holds_eight_in_ten_units() -> None:
    layer = random_layer(TOKENS, 200)
    middle = band(layer.mu)
    inside = (layer.mu >= middle.low[:, None]) & (layer.mu <= middle.high[:, None])
    np.testing.assert_allclose(inside.mean(axis=1), 0.8, atol=0.01)
    outline, line = draw("lines", trace_of(layer), show=(KEEP,)).data
    np.testing.assert_allclose(line.y, [sum(step) / 200 for step in layer.mu.tolist()], atol=5e-5)
    np.testing.assert_allclose(outline.y, np.concatenate([middle.high, middle.low[::-1]]), atol=5e-5)
    assert "%{y:.3f}" in line.hovertemplate


def test_the_selected_unit_has_a_line_of_its_own_values() -> None:
    layer = random_layer(direction="backward")
    figure = draw("lines", trace_of(layer), Focus(direction="backward", unit=4, window=slice(1, 4)), show=(WRITE, MEMORY))
    own = [drawn for drawn in figure.data if "unit 4" in (drawn.hovertemplate or "")]
    assert [drawn.yaxis for drawn in own] == ["y", "y2"]
    for drawn, values in zip(own, (layer.lam, layer.memory), strict=True):
        np.testing.assert_allclose(drawn.y, values[1:4, 4], atol=5e-5)


def test_every_line_stays_inside_its_axis() -> None:
    layer = random_layer()
    figure = draw("lines", trace_of(replace(layer, memory=layer.memory * 30)), Focus(unit=3), show=(KEEP, MEMORY))
    for drawn in figure.data:
        low, high = figure.layout["yaxis2" if drawn.yaxis == "y2" else "yaxis"].range
        assert low <= np.min(drawn.y)
        assert np.max(drawn.y) <= high


# what goes with a picture


def test_rows_hold_every_number_behind_the_maps() -> None:
    layer = random_layer()
    rows = gates.rows(trace_of(layer), Focus(window=slice(2, 4)), (KEEP, MEMORY, REVEAL))
    assert len(rows) == 2 * UNITS
    assert list(rows[0]) == ["cell", "position", "token", "unit", "mu", "memory"]
    for row in rows:
        assert row["token"] == WORDS[row["position"]]
        assert row["mu"] == layer.mu[row["position"], row["unit"]]
        assert row["memory"] == layer.memory[row["position"], row["unit"]]


def test_the_legend_names_each_measure_with_its_symbol_its_ends_and_its_colour() -> None:
    found = legend(gates.bars((KEEP, MEMORY)), "under each word: its tag")
    assert all(part in found for part in ("keep μ", "memory m", KEEP.colour.css, POSITIVE.css, "under each word: its tag"))
    assert found.index(">&ensp;0 ") < found.index(">&ensp;− "), "a gate goes from 0 to 1, a signed value from minus to plus"


def test_the_largest_picture_stays_far_below_two_megabytes() -> None:
    traced = trace_of(random_layer(60, 256, output_gate=True))
    below = (Label("NOUN", KEEP.colour),) * 60
    figure = draw("heatmaps", traced, Focus(token=5, unit=9, below=below), show=list(MEASURES.values()))
    assert 3 * len(figure.to_json()) < 2_000_000, "all six measures of three cells"


def test_a_picture_is_given_the_width_that_its_words_need() -> None:
    assert frame.width(20) == 20 * frame.COLUMN + frame.MARGIN_LEFT + frame.MARGIN_RIGHT


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize(("tokens", "units"), [(1, 1), (1, 9), (9, 1)])
def test_one_word_and_one_unit_are_a_picture_too(name: str, tokens: int, units: int) -> None:
    focus = Focus(token=0, unit=0)
    assert draw(name, trace_of(random_layer(tokens, units)), focus, show=list(MEASURES.values())).data


# what a click selects


def test_a_click_on_a_map_selects_the_word_of_its_column_and_the_unit_of_its_row() -> None:
    layer = random_layer()
    order = unit_order(layer, "mean")
    figure = viz.heatmaps(trace_of(layer), Focus(window=slice(2, 5)), order=order)
    assert figure.layout.meta == {"column": {"token": [2, 3, 4]}}
    for drawn in figure.data:
        assert drawn.meta == {"row": {"unit": order.tolist()}}
        np.testing.assert_allclose(drawn.z[1], (layer.mu, layer.lam)[drawn.yaxis == "y2"][2:5, order[1]], atol=1e-4)


# what a saved picture says by itself


def written_in(figure: Any) -> str:
    return re.sub("<[^>]*>", "", " ".join(note.text for note in figure.layout.annotations))


def test_a_picture_names_its_model_and_the_ends_of_its_scales() -> None:
    layer = random_layer()
    traced = replace(trace_of(replace(layer, memory=20 * layer.memory)), model="mine")
    figure = viz.heatmaps(traced, show=(KEEP, MEMORY))
    reach = keys.short(float(np.abs(20 * layer.memory).max()))
    assert all(part in written_in(figure) for part in ("mine (GRU)", "keep μ: 0 ████ 1", f"memory m: −{reach} ████████ {reach}"))


def test_the_band_around_a_line_has_a_word() -> None:
    assert "keep μ, mean   ━━ write λ, mean" in written_in(draw("lines"))
    assert "the middle 80 % of the units" in written_in(draw("lines"))
