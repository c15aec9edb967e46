"""Gates as pictures: what is drawn is what was given, aligned with the words, and safe."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmodels.viz import gates
from seqmodels.viz.gates import KEEP, REVEAL, WRITE, Columns, Label, LayerGates
from seqmodels.viz.palette import Theme

TOKENS, UNITS = 5, 7
WORDS = ("The", "old", "man", "the", "boats")


def random_gates(tokens: int = TOKENS, units: int = UNITS, *, direction: str = "forward", reveal: bool = False) -> LayerGates:
    random = np.random.default_rng(3)
    mu, lam, shown = (random.random((tokens, units), dtype=np.float32) for _ in range(3))
    return LayerGates(0, direction, mu, lam, shown if reveal else None)


def elman_gates() -> LayerGates:
    return LayerGates(0, "forward", np.zeros((TOKENS, UNITS), np.float32), np.ones((TOKENS, UNITS), np.float32))


@pytest.mark.parametrize("by", gates.ORDERS)
@given(units=st.integers(1, 40), tokens=st.integers(1, 12))
def test_every_order_holds_each_unit_once(by: str, units: int, tokens: int) -> None:
    order = gates.unit_order(random_gates(tokens, units), by)
    assert sorted(order) == list(range(units))


def test_by_mean_the_units_that_keep_most_come_first() -> None:
    found = random_gates()
    means = found.mu.mean(axis=0)[gates.unit_order(found, "mean")]
    assert (np.diff(means) <= 0).all()


def test_by_cluster_units_that_behave_alike_are_neighbours() -> None:
    kind = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    pattern = np.random.default_rng(1).random((TOKENS, 3), dtype=np.float32)
    noise = np.random.default_rng(2).random((TOKENS, len(kind)), dtype=np.float32) * np.float32(1e-3)
    found = LayerGates(0, "forward", pattern[:, kind] + noise, 1 - pattern[:, kind])
    ordered = kind[gates.unit_order(found, "cluster")]
    assert np.count_nonzero(np.diff(ordered)) == 2


@pytest.mark.parametrize("by", gates.ORDERS)
def test_units_that_nothing_tells_apart_stay_as_they_are(by: str) -> None:
    assert gates.unit_order(elman_gates(), by).tolist() == list(range(UNITS))


def test_a_clustering_of_a_book_looks_at_a_part_of_it_only() -> None:
    whole = random_gates(3 * 300, 4)
    assert gates.unit_order(whole, "cluster").tolist() == gates.unit_order(whole.window(slice(None, None, 3)), "cluster").tolist()


def test_an_unknown_order_names_the_choices() -> None:
    with pytest.raises(ValueError, match="unknown order 'size': choose one of mean, cluster, unit"):
        gates.unit_order(random_gates(), "size")


@given(tokens=st.integers(1, 5000), size=st.integers(1, 200))
def test_windows_hold_every_token_once_and_none_is_too_long_or_a_stub(tokens: int, size: int) -> None:
    found = gates.windows(tokens, size)
    assert [token for part in found for token in range(tokens)[part]] == list(range(tokens))
    lengths = [part.stop - part.start for part in found]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


def test_a_map_shows_the_gate_of_each_unit_at_each_token() -> None:
    found = random_gates()
    order = gates.unit_order(found, "mean")
    keep, write = gates.heatmaps(found, Columns(WORDS), order).data
    np.testing.assert_allclose(keep.z, found.mu.T[order], atol=5e-5)
    np.testing.assert_allclose(write.z, found.lam.T[order], atol=5e-5)


def test_all_maps_share_one_scale_from_0_to_1_and_show_three_digits() -> None:
    figure = gates.heatmaps(random_gates(reveal=True), Columns(WORDS), np.arange(UNITS), show=(KEEP, WRITE, REVEAL))
    assert len(figure.data) == 3
    assert all((trace.zmin, trace.zmax) == (0, 1) and "%{z:.3f}" in trace.hovertemplate for trace in figure.data)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_zero_is_the_bare_page_and_one_is_the_gates_own_colour(theme: Theme) -> None:
    figure = gates.heatmaps(random_gates(), Columns(WORDS), np.arange(UNITS), theme=theme)
    for trace, gate in zip(figure.data, (KEEP, WRITE), strict=True):
        (zero, bare), (one, full) = trace.colorscale
        assert (zero, one) == (0, 1)
        assert bare.endswith(",0)")
        assert full == "rgba({},{},{},1)".format(*bytes.fromhex(gate.colour.on(theme)[1:]))


def test_a_row_is_the_same_unit_in_every_map_and_says_which() -> None:
    order = np.array([3, 0, 6, 1, 2, 5, 4])
    layout = gates.heatmaps(random_gates(), Columns(WORDS), order).layout
    assert list(layout.yaxis.ticktext) == list(layout.yaxis2.ticktext) == ["3", "0", "6", "1", "2", "5", "4"]
    assert tuple(layout.yaxis.range) == (UNITS - 0.5, -0.5)  # the first on top


@pytest.mark.parametrize("draw", ["heatmaps", "lines"])
def test_words_stand_over_the_middle_of_their_columns(draw: str) -> None:
    axis = figure(draw).layout.xaxis
    assert list(axis.tickvals) == list(range(TOKENS))
    assert list(axis.ticktext) == list(WORDS)
    assert tuple(axis.range) == (-0.5, TOKENS - 0.5)


@pytest.mark.parametrize("draw", ["heatmaps", "lines"])
def test_what_is_typed_is_never_read_as_html(draw: str) -> None:
    columns = Columns(("<b>x</b>", "<script>", "a&b", "\x07", "שלום"), (Label("<i>"),) * TOKENS)
    layout = figure(draw, columns=columns).layout
    shown = [*layout.xaxis.ticktext, *(note.text for note in layout.annotations)]
    assert "&lt;b&gt;x&lt;/b&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert not any("<" in text or "\x07" in text for text in shown)
    assert "<script>" not in gates.legend((KEEP,), "<script>")


@pytest.mark.parametrize("draw", ["heatmaps", "lines"])
def test_a_gate_that_the_cell_lacks_is_not_drawn(draw: str) -> None:
    panels = {trace.yaxis for trace in figure(draw, show=(KEEP, WRITE, REVEAL)).data}
    assert panels == {"y", "y2"}


@pytest.mark.parametrize("draw", ["heatmaps", "lines"])
@pytest.mark.parametrize(("direction", "arrow"), [("forward", "▶"), ("backward", "◀")])
def test_the_direction_of_time_is_marked(draw: str, direction: str, arrow: str) -> None:
    notes = [note.text for note in figure(draw, direction=direction).layout.annotations]
    assert [arrow in note for note in notes] == [True]


@pytest.mark.parametrize("draw", ["heatmaps", "lines"])
def test_labels_are_legible_on_a_projector(draw: str) -> None:
    layout = figure(draw, columns=Columns(WORDS, (Label("NOUN"),) * TOKENS)).layout
    sizes = [layout.xaxis.tickfont.size, layout.yaxis.tickfont.size, *(note.font.size for note in layout.annotations)]
    assert min(sizes) >= 12


def test_a_long_word_is_cut_with_a_mark() -> None:
    words = ("Donaudampfschifffahrtsgesellschaft", *WORDS[1:])
    assert figure("heatmaps", columns=Columns(words)).layout.xaxis.ticktext[0].endswith("…")


def test_lines_are_the_mean_and_the_band_holds_eight_in_ten_units() -> None:
    found = random_gates(TOKENS, 200)
    middle = gates.band(found.mu)
    np.testing.assert_allclose(middle.mean, found.mu.mean(axis=1), atol=1e-6)
    inside = (found.mu >= middle.low[:, None]) & (found.mu <= middle.high[:, None])
    np.testing.assert_allclose(inside.mean(axis=1), 0.8, atol=0.01)
    line = next(trace for trace in gates.lines(found, Columns(WORDS), show=(KEEP,)).data if "markers" in trace.mode)
    np.testing.assert_allclose(line.y, middle.mean, atol=5e-5)
    assert "%{y:.3f}" in line.hovertemplate


def test_the_largest_picture_stays_far_below_two_megabytes() -> None:
    found = random_gates(60, 256, reveal=True)
    columns = Columns(("word",) * 60, (Label("NOUN", KEEP.colour),) * 60)
    sent = gates.heatmaps(found, columns, np.arange(256), show=(KEEP, WRITE, REVEAL)).to_json()
    assert 3 * len(sent) < 1_200_000  # three cells


def test_the_gates_alone_hold_what_the_trace_held_and_a_constant_gate_takes_no_room() -> None:
    traced = elman_gates()
    kept = LayerGates.of(traced)
    np.testing.assert_array_equal(kept.lam, traced.lam)
    np.testing.assert_array_equal(kept.window(slice(1, 3)).mu, traced.mu[1:3])
    assert kept.lam.strides == (0, 0)


def test_a_window_of_words_is_the_window_of_their_gates() -> None:
    found, columns, part = random_gates(reveal=True), Columns(WORDS, tuple(map(Label, WORDS))), slice(2, 4)
    assert columns.window(part) == Columns(("man", "the"), (Label("man"), Label("the")))
    for (_, whole), (_, cut) in zip(*(gate.drawn((KEEP, WRITE, REVEAL)) for gate in (found, found.window(part))), strict=True):
        np.testing.assert_array_equal(whole[part], cut)


def test_a_picture_is_given_the_width_that_its_words_need() -> None:
    style = gates.side_by_side("pictures", 20)
    assert f"{20 * gates.COLUMN + gates.MARGIN_LEFT + gates.MARGIN_RIGHT}px" in style
    assert ".st-key-pictures" in style


def figure(draw: str, *, columns: Columns = Columns(WORDS), direction: str = "forward", show=(KEEP, WRITE)):  # noqa: B008
    found = random_gates(direction=direction)
    if draw == "lines":
        return gates.lines(found, columns, show=show)
    return gates.heatmaps(found, columns, np.arange(UNITS), show=show)
