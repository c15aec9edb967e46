"""What is held against each other: curves in common units, aligned texts; and the law from word to word."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import encode
from seqmodels.recurrence import unroll
from seqmodels.traces import (
    CURVES,
    LayerTrace,
    align,
    curve,
    difference,
    distance,
    half_life,
    law_error,
    most_changed,
    summary,
    trace,
    turnover,
)

TEXT = "The old man the boats."
DIRECTIONS = ("forward", "backward")
words = st.lists(st.sampled_from("the old man not good".split()), max_size=12)


def length(vector: np.ndarray) -> float:
    return math.sqrt(math.fsum(float(value) ** 2 for value in vector))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_step_begins_at_the_memory_that_the_cell_reaches_word_by_word(
    tiny: dict[str, Checkpoint], cell: str, direction: str
) -> None:
    checkpoint = tiny[f"pos-{cell}"]
    recurrent, encoded = checkpoint.model.recurrent, encode(checkpoint, TEXT)
    reverse = direction == "backward"
    memories = unroll(recurrent.cell, recurrent.weights(0, reverse=reverse), encoded.inputs, reverse=reverse)[0].detach().numpy()
    layer = trace(checkpoint, TEXT).layer(0, direction)
    reading = [*range(len(memories))][:: -1 if reverse else 1]
    before = np.zeros(memories.shape[1])
    for token in reading:
        np.testing.assert_allclose(layer.previous()[token], before, atol=1e-6)
        np.testing.assert_allclose(layer.mu[token] * before + layer.written[token], memories[token], atol=1e-5)
        before = memories[token]
    assert (law_error(layer) < 1e-5).all()
    shown = layer.memory if layer.output_gate is None else layer.output_gate * np.tanh(layer.memory)
    np.testing.assert_allclose(layer.output, shown, atol=1e-6)


def test_the_error_of_a_memory_is_how_far_it_is_from_the_law() -> None:
    ones = np.ones((2, 1), np.float32)
    layer = LayerTrace(0, "forward", 0.5 * ones, 0.5 * ones, ones, np.array([[0.5], [0.85]], np.float32), ones)
    assert law_error(layer)[1] == pytest.approx([0.1])  # 0.5 * 0.5 + 0.5 * 1 is 0.75


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_units_that_change_most_come_first(tiny: dict[str, Checkpoint], direction: str) -> None:
    layer = trace(tiny["pos-lstm"], TEXT).layer(0, direction)
    token, earlier = (2, 1) if direction == "forward" else (2, 3)
    change = {unit: abs(float(layer.memory[token, unit] - layer.memory[earlier, unit])) for unit in range(layer.mu.shape[1])}
    assert most_changed(layer, token, 5).tolist() == sorted(change, key=lambda unit: -change[unit])[:5]


@pytest.mark.parametrize("token", [-1, 6])
def test_a_step_outside_the_text_is_refused(tiny: dict[str, Checkpoint], token: int) -> None:
    with pytest.raises(ValueError, match=f"no token {token}: give a number from 0 to 5"):
        most_changed(trace(tiny["pos-gru"], TEXT).layers[0], token, 1)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_turnover_is_the_way_between_two_memories_as_a_share_of_both(
    tiny: dict[str, Checkpoint], cell: str, direction: str
) -> None:
    layer = trace(tiny[f"ner-{cell}"], TEXT).layer(0, direction)
    found, tokens = turnover(layer), len(layer.mu)
    for token in range(tokens):
        earlier = token + 1 if direction == "backward" else token - 1
        if not 0 <= earlier < tokens:
            assert found[token] == pytest.approx(1)
            continue
        now, before = layer.memory[token], layer.memory[earlier]
        assert found[token] == pytest.approx(length(now - before) / (length(now) + length(before)), abs=1e-5)


def test_a_memory_that_is_never_written_turns_nothing_over() -> None:
    zeros = np.zeros((3, 2), np.float32)
    assert turnover(LayerTrace(0, "forward", zeros, zeros, zeros, zeros, zeros)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("cell", CELLS)
def test_every_curve_is_a_share_in_every_cell(tiny: dict[str, Checkpoint], cell: str, name: str) -> None:
    found = curve(trace(tiny[f"pos-{cell}"], TEXT).layers[0], name, 1)
    assert found.shape == (6,)
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()


def test_a_curve_that_does_not_exist_names_the_choices(tiny: dict[str, Checkpoint]) -> None:
    with pytest.raises(ValueError, match="unknown curve 'size': choose one of mean keep, mean write"):
        curve(trace(tiny["pos-gru"], TEXT).layers[0], "size", 0)


def test_a_summary_counts_each_unit_at_each_word_once(tiny: dict[str, Checkpoint]) -> None:
    layer = trace(tiny["pos-lstm"], TEXT).layer(0, "backward")
    found, tokens = summary(layer), len(layer.mu)
    points = [(float(mu), float(lam)) for mu, lam in zip(layer.mu.ravel(), layer.lam.ravel(), strict=True)]
    assert found.keep == pytest.approx(math.fsum(mu for mu, _ in points) / len(points), abs=1e-6)
    assert found.write == pytest.approx(math.fsum(lam for _, lam in points) / len(points), abs=1e-6)
    assert found.half_life in sorted(half_life(layer.mu).tolist())[len(layer.mu[0]) // 2 - 1 : len(layer.mu[0]) // 2 + 1]
    assert found.turnover == pytest.approx(turnover(layer)[: tokens - 1].mean())  # the last word is the first that is read
    counts = [sum((mu >= 0.5) == keeps and (lam >= 0.5) == writes for mu, lam in points) for keeps, writes in _BY_REGIME]
    assert found.regimes == pytest.approx([count / len(points) for count in counts])


_BY_REGIME = ((True, False), (True, True), (False, True), (False, False))  # keep, accumulate, overwrite, erase


@given(first=words, second=words)
def test_aligned_texts_hold_every_word_of_both_once_and_in_order(first: list[str], second: list[str]) -> None:
    columns = align(first, second)
    assert [pair.first for pair in columns if pair.first is not None] == [*range(len(first))]
    assert [pair.second for pair in columns if pair.second is not None] == [*range(len(second))]
    assert all(pair != (None, None) for pair in columns)


@given(text=words)
def test_a_text_is_aligned_with_itself_word_by_word(text: list[str]) -> None:
    assert align(text, text) == tuple((position, position) for position in range(len(text)))


def test_a_word_left_out_stands_alone_and_a_word_replaced_beside_its_successor() -> None:
    assert align("it was not good".split(), "it was good".split()) == ((0, 0), (1, 1), (2, None), (3, 2))
    assert align("the keys are".split(), "the key is".split()) == ((0, 0), (1, 1), (2, 2))


def test_differences_are_first_minus_second_and_none_where_a_word_is_alone(tiny: dict[str, Checkpoint]) -> None:
    first, second = (trace(tiny["lm-lstm"], text) for text in ("the old man", "the man"))
    columns = align(first.tokens, second.tokens)  # <eos> the (old) man
    ours, theirs = first.layers[0].memory, second.layers[0].memory
    found, far = difference(ours, theirs, columns), distance(ours, theirs, columns)
    assert np.isnan(found[2]).all()
    assert math.isnan(far[2])
    np.testing.assert_array_equal(found[3], ours[3] - theirs[2])
    assert far[3] == pytest.approx(length(ours[3] - theirs[2]) / (length(ours[3]) + length(theirs[2])), abs=1e-6)
    assert far[:2] == pytest.approx([0, 0], abs=1e-6)  # nothing differs before the word that does


def test_opposite_memories_are_as_far_apart_as_can_be_and_texts_without_a_word_in_common_have_no_distance() -> None:
    memory = np.array([[1, -2]], np.float32)
    assert distance(memory, -memory, align(["a"], ["b"])).tolist() == [1]
    assert np.isnan(distance(memory, memory[:0], align(["a"], []))).all()
