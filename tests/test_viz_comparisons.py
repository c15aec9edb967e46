"""Comparisons as pictures: lines, bars and squares are the numbers that were compared."""

import numpy as np
import pytest

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import CURVES, Trace, retention, trace
from seqmodels.viz import comparisons, gates
from seqmodels.viz.comparisons import TwoTexts
from seqmodels.viz.frame import Focus, Label
from seqmodels.viz.palette import MU

TEXT, OTHER = "The old man was not good.", "The old man was good <b>."


@pytest.fixture
def read(tiny: dict[str, Checkpoint]) -> list[Trace]:
    return [trace(tiny[f"pos-{cell}"], TEXT) for cell in CELLS]


@pytest.fixture
def texts(tiny: dict[str, Checkpoint]) -> TwoTexts:
    return TwoTexts.of(trace(tiny["pos-lstm"], TEXT), trace(tiny["pos-lstm"], OTHER))


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_there_is_a_line_for_each_cell_and_it_is_its_mean(read: list[Trace], direction: str) -> None:
    figure = comparisons.curves(read, Focus(direction=direction, token=2), name="mean keep")
    for line, traced in zip(figure.data, read, strict=True):
        expected = [100 * sum(map(float, units)) / len(units) for units in traced.layer(0, direction).mu]
        np.testing.assert_allclose(line.y, expected, atol=0.01)
    assert len({line.line.color for line in figure.data}) == len({line.marker.symbol for line in figure.data}) == len(read)


def test_what_is_left_of_a_word_begins_with_all_of_it_at_the_selected_one(read: list[Trace]) -> None:
    gru = {traced.cell: traced for traced in read}["gru"]
    (line,) = comparisons.curves([gru], Focus(token=2, window=slice(1, 5)), name="retained").data
    np.testing.assert_allclose(line.y, 100 * retention(gru.layers[0], 2)[1:5], atol=0.01)
    assert line.y[:2].tolist() == [0, 100]


@pytest.mark.parametrize("name", CURVES)
def test_the_difference_of_two_cells_is_the_distance_of_their_lines(read: list[Trace], name: str) -> None:
    focus = Focus(token=2)
    (bars,) = comparisons.curve_difference(read[1], read[2], focus, name=name).data
    first, second = comparisons.curves(read[1:3], focus, name=name).data
    np.testing.assert_allclose(bars.y, first.y - second.y, atol=0.02)
    for height, colour in zip(bars.y, bars.marker.color, strict=True):
        more = read[1] if height > 0 else read[2]
        assert height == 0 or colour == comparisons.cell_colour(more.cell).light


def test_a_cell_has_one_colour_whoever_stands_beside_it(read: list[Trace]) -> None:
    both = comparisons.curves(read).data
    assert comparisons.curves(read[2:]).data[0].line.color == both[2].line.color


def test_words_that_differ_are_shown_beside_each_other_and_a_lonely_one_beside_a_dot(texts: TwoTexts) -> None:
    assert texts.words[:3] == ("The", "old", "man")
    assert f"not / {comparisons.NOWHERE}" in texts.words
    assert texts.words[[pair.first for pair in texts.columns].index(5)] == "good"


@pytest.mark.parametrize("measure", ["memory", "keep", "reveal"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_square_is_the_difference_of_one_unit_at_one_aligned_word(texts: TwoTexts, direction: str, measure: str) -> None:
    shown = gates.MEASURES[measure]
    figure = comparisons.text_difference(texts, Focus(direction=direction, token=1), measure=shown)
    _, squares = figure.data
    ours, theirs = (shown.of(traced.layer(0, direction)) for traced in (texts.first, texts.second))
    assert ours is not None
    assert theirs is not None
    for column, (one, other) in enumerate(texts.columns):
        for row, unit in enumerate(figure.layout.yaxis2.ticktext):
            if one is None or other is None:
                assert np.isnan(squares.z[row, column])
            else:
                assert squares.z[row, column] == pytest.approx(ours[one, int(unit)] - theirs[other, int(unit)], abs=6e-4)


def test_the_column_of_the_selected_word_runs_from_one_end_to_the_other(texts: TwoTexts) -> None:
    _, squares = comparisons.text_difference(texts, Focus(token=5)).data
    selected = texts.column(5)
    assert selected is not None
    assert (np.diff(squares.z[:, selected]) <= 1e-3).all()
    assert squares.zmin == -squares.zmax


def test_the_same_text_twice_is_nowhere_apart(tiny: dict[str, Checkpoint]) -> None:
    once = trace(tiny["ner-gru"], TEXT)
    distance, squares = comparisons.text_difference(TwoTexts.of(once, once), Focus(token=2)).data
    assert not distance.y.any()
    assert not squares.z.any()


def test_texts_without_a_word_in_common_are_drawn_beside_each_other(tiny: dict[str, Checkpoint]) -> None:
    texts = TwoTexts.of(trace(tiny["pos-gru"], "man"), trace(tiny["pos-gru"], "boats are here"))
    figure = comparisons.text_difference(texts, Focus(token=0))
    assert figure.layout.xaxis.ticktext == ("man / boats", f"{comparisons.NOWHERE} / are", f"{comparisons.NOWHERE} / here")


def test_long_words_that_begin_alike_are_told_apart(tiny: dict[str, Checkpoint]) -> None:
    texts = TwoTexts.of(trace(tiny["pos-gru"], "international man"), trace(tiny["pos-gru"], "internationally man"))
    assert texts.words == ("interna… / interna…", "man")


def test_of_long_texts_the_part_around_the_selected_word_is_drawn(tiny: dict[str, Checkpoint]) -> None:
    text = [f"w{number}" for number in range(200)]
    texts = TwoTexts.of(trace(tiny["pos-gru"], " ".join(text)), trace(tiny["pos-gru"], " ".join(text[:50] + text[51:])))
    row, focus = texts.row(Focus(token=130))
    drawn = focus.columns(row).words
    assert len(drawn) <= comparisons.COLUMNS
    assert drawn[focus.column(row) or 0] == "w130"


def test_a_measure_that_the_cell_lacks_is_refused(tiny: dict[str, Checkpoint]) -> None:
    once = trace(tiny["pos-gru"], TEXT)
    with pytest.raises(ValueError, match="GRU has no reveal: choose another measure"):
        comparisons.text_difference(TwoTexts.of(once, once), measure=gates.MEASURES["reveal"])


def test_what_all_say_under_a_word_is_said_once_and_else_by_each() -> None:
    noun, verb, nothing = Label("NOUN", MU), Label("VERB"), Label("")
    assert comparisons.joined([[noun, verb, nothing], [noun, nothing, nothing]]) == (noun, Label("VERB / –"), nothing)
    assert comparisons.joined([[noun], []]) == ()


def test_labels_follow_their_words_into_the_aligned_row(tiny: dict[str, Checkpoint]) -> None:
    first, second = trace(tiny["pos-gru"], "not good"), trace(tiny["pos-gru"], "good")
    texts = TwoTexts.of(first, second, ((Label("PART"), Label("ADJ")), (Label("NOUN"),)))
    assert [label.text for label in texts.below] == [f"PART / {comparisons.NOWHERE}", "ADJ / NOUN"]


def test_rows_hold_the_curves_of_every_cell_and_word(read: list[Trace]) -> None:
    rows = comparisons.curve_rows(read, Focus(token=2, window=slice(1, 3)))
    assert [(row["cell"], row["token"]) for row in rows] == [(traced.cell, word) for traced in read for word in ("old", "man")]
    assert rows[0]["mean_write"] == pytest.approx(read[0].layers[0].lam[1].mean())


def test_rows_of_two_texts_hold_both_words_and_their_distance(texts: TwoTexts) -> None:
    rows = comparisons.text_rows(texts, Focus(token=2))
    assert [row["token"] for row in rows if row["token"]] == list(texts.first.tokens)
    assert [row["other_token"] for row in rows if row["other_token"]] == list(texts.second.tokens)
    assert all((row["distance"] == "") == (not row["token"] or not row["other_token"]) for row in rows)
