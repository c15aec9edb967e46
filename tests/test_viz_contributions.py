"""The picture of contributions holds what each word wrote, sums to the memory and the logit, and leaves no word out."""

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import viz
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import attribute, collapse, contributions, law_error, likely, trace
from seqmodels.viz import memories
from seqmodels.viz.frame import Focus, Label
from tests.test_contributions import by_hand

TEXT = "The old man the boats in Berlin, and nobody minds!"
LONG = " ".join(f"word{number}" for number in range(40))
MIDDLE = slice(10, 20)


def drawn(figure: go.Figure) -> list[np.ndarray]:
    return [np.array(part.z if part.type == "heatmap" else part.y) for part in figure.data]


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_row_of_the_map_is_each_words_share_of_the_memory_there(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    traced = trace(tiny[f"pos-{cell}"], TEXT)
    table, bars = drawn(viz.contributions(traced, Focus(direction=direction, token=4)))
    for token in range(len(traced.tokens)):
        norms = np.linalg.norm(by_hand(traced.layer(0, direction), token), axis=1)
        np.testing.assert_allclose(np.nan_to_num(table[token]), norms / norms.sum(), atol=1e-4)
    np.testing.assert_allclose(bars, 100 * np.nan_to_num(table[4]), atol=0.02)
    assert bars.sum() == pytest.approx(100, abs=0.01)


def test_a_word_that_is_not_read_yet_is_left_empty_on_the_side_that_the_direction_says(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-gru"], TEXT)
    forward, backward = (drawn(viz.contributions(traced, Focus(direction=way)))[0] for way in ("forward", "backward"))
    assert np.isnan(forward[np.triu_indices_from(forward, 1)]).all()
    assert np.isnan(backward[np.tril_indices_from(backward, -1)]).all()
    assert not np.isnan(np.tril(forward)).any()


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_bars_of_a_unit_sum_to_its_memory(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    traced = trace(tiny[f"ner-{cell}"], LONG)
    table, bars = drawn(viz.contributions(traced, Focus(direction=direction, token=12, unit=3, window=MIDDLE)))
    memory = traced.layer(0, direction).memory
    assert bars.sum() == pytest.approx(memory[12, 3], abs=1e-3)
    np.testing.assert_allclose(np.nansum(table, axis=1), memory[MIDDLE, 3], atol=1e-3)


@pytest.mark.parametrize("name", ["pos-elman", "ner-gru", "lm-gru", "pos-lstm", "lm-lstm"])
def test_the_bars_of_a_part_of_a_long_text_and_the_bias_sum_to_the_logit_of_the_whole(
    tiny: dict[str, Checkpoint], name: str
) -> None:
    checkpoint = tiny[name]
    traced, focus = trace(checkpoint, LONG), Focus(token=12, window=MIDDLE)
    near = memories.collapsed(traced, focus)
    whole = attribute(checkpoint, traced, 12)
    given = attribute(checkpoint, near.trace, 3)
    bars = drawn(viz.contributions(traced, focus, given))[2]
    assert given.target == whole.target
    assert bars.sum() + given.bias == pytest.approx(whole.logit, abs=1e-3)
    np.testing.assert_allclose(bars[1:11], whole.total[MIDDLE], atol=1e-3)
    assert bars[0] == pytest.approx(whole.total[:10].sum(), abs=1e-3)
    assert bars[11] == pytest.approx(whole.total[20:].sum(), abs=1e-3)


@pytest.mark.parametrize("cell", CELLS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_words_collapsed_into_one_wrote_together_what_each_of_them_wrote(
    tiny: dict[str, Checkpoint], cell: str, data: st.DataObject
) -> None:
    traced = trace(tiny[f"pos-{cell}"], TEXT)
    count = len(traced.tokens)
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, count))
    token = data.draw(st.integers(start, stop - 1))
    near = collapse(traced, slice(start, stop))
    first = int(start > 0)
    assert near.tokens[first : first + stop - start] == traced.tokens[start:stop]
    for whole, part in zip(traced.layers, near.layers, strict=True):
        expected = by_hand(whole, token)
        rest = [expected[:start].sum(axis=0)] * first + list(expected[start:stop])
        rest += [expected[stop:].sum(axis=0)] * int(stop < count)
        np.testing.assert_allclose(contributions(part, token - start + first), np.stack(rest), atol=1e-5)
        assert law_error(part)[first : first + stop - start].max() <= 1e-5


def test_the_words_outside_stand_as_one_word_on_each_side_and_say_how_many_they_are(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-gru"], LONG)
    below = tuple(Label(word) for word in traced.tokens)
    near = memories.collapsed(traced, Focus(token=12, window=MIDDLE, below=below))
    assert near.trace.tokens == ("10 words before", *traced.tokens[MIDDLE], "20 words after")
    assert [label.text for label in near.focus.below] == ["", *traced.tokens[MIDDLE], ""]
    assert near.trace.tokens[near.focus.token or 0] == "word12"
    assert memories.collapsed(traced).trace.tokens == traced.tokens


def test_the_selected_row_and_column_are_framed(tiny: dict[str, Checkpoint]) -> None:
    shapes = viz.contributions(trace(tiny["pos-gru"], LONG), Focus(token=12, window=MIDDLE)).layout.shapes
    (column,) = [shape for shape in shapes if shape.yref == "paper"]
    (row,) = [shape for shape in shapes if shape.yref != "paper"]
    assert (column.x0, column.x1) == (2.5, 3.5)  # one column is for the words before
    assert (row.y0, row.y1) == (1.5, 2.5)  # but no row


def test_the_most_likely_targets_are_those_of_the_highest_logits(tiny: dict[str, Checkpoint]) -> None:
    for name in ("ner-lstm", "lm-gru"):
        traced = trace(tiny[name], TEXT)
        logits = {target: attribute(tiny[name], traced, 5, target).logit for target in tiny[name].targets}
        assert list(likely(tiny[name], traced, 5, 3)) == sorted(logits, key=lambda target: -logits[target])[:3]


def test_an_attribution_of_other_words_is_refused(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-gru"], LONG)
    with pytest.raises(ValueError, match="over 40 words, the picture over 12"):
        viz.contributions(traced, Focus(token=12, window=MIDDLE), attribute(tiny["pos-gru"], traced, 12))


def test_the_rows_hold_the_numbers_of_the_picture(tiny: dict[str, Checkpoint]) -> None:
    traced, focus = trace(tiny["pos-gru"], TEXT), Focus(direction="backward", token=4)
    given = attribute(tiny["pos-gru"], traced, 4)
    found = memories.contribution_rows(traced, focus, given)
    norms = np.linalg.norm(by_hand(traced.layer(0, "backward"), 4), axis=1)
    here = [row for row in found if row["position"] == 4]
    np.testing.assert_allclose([row["written"] for row in here], norms / norms.sum(), atol=1e-5)
    assert sum(row["logit"] for row in here) + given.bias == pytest.approx(given.logit, abs=1e-3)
    assert all(row["writer_position"] >= row["position"] for row in found if row["position"] != 4)


def test_the_largest_picture_stays_far_below_two_megabytes(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-lstm"], " ".join(["word"] * 300))
    focus = Focus(token=130, window=slice(120, 180), below=(Label("NOUN"),) * 300)
    assert 3 * len(viz.contributions(traced, focus).to_json()) < 300_000  # three cells


def test_a_click_on_the_map_selects_the_memory_of_its_row_and_one_on_a_bar_its_word(tiny: dict[str, Checkpoint]) -> None:
    figure = viz.contributions(trace(tiny["pos-gru"], LONG), Focus(token=12, window=MIDDLE))
    assert figure.data[0].meta == {"row": {"token": list(range(10, 20))}}
    assert figure.layout.meta == {"column": {"token": [None, *range(10, 20), None]}}, "many words in one column are none to select"
