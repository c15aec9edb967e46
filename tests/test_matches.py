"""Moments like this one: the search against counting by hand, and a larger text's gates against those of each passage alone."""

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.models import Tagger
from seqmodels.tasks import find_task
from seqmodels.tasks.base import ModelConfig
from seqmodels.text import EOS
from seqmodels.traces import (
    BACKWARD,
    FORWARD,
    SEARCHED_GATES,
    LayerTrace,
    SearchedGate,
    TracedText,
    find_matches,
    passages_of,
    pattern,
    trace,
    trace_passages,
    units_on,
)
from seqmodels.traces.matches import CONTEXT, LONGEST_PASSAGE

WORDS = "The state of the union is strong , and the people of the United States know it .".split()
HALF_PRECISION = 1e-3  # relative: float16 keeps eleven bits
BYTE_STEP = 0.005


def some_passages(count: int = 30, seed: int = 5) -> list[list[str]]:
    drawn = random.Random(seed)
    return [drawn.choices(WORDS, k=drawn.randint(1, 25)) for _ in range(count)]


def alone(checkpoint: Checkpoint, text: TracedText, passage: int) -> LayerTrace:
    """The trace of one passage by itself."""
    tokens = text.tokens[text.starts[passage] : text.starts[passage + 1]]
    typed = " ".join(token for token in tokens if token != EOS)
    traced = trace(checkpoint, typed)
    assert traced.tokens == tokens
    return traced.layer(text.layer, text.direction)


def two_layers(tiny: dict[str, Checkpoint], cell: str) -> Checkpoint:
    checkpoint = tiny[f"pos-{cell}"]
    torch.manual_seed(3)
    model = find_task("pos").build(ModelConfig(cell=cell, hidden_size=8, layers=2), checkpoint.vocabulary)
    assert isinstance(model, Tagger)
    return replace(checkpoint, model=model.eval())


def made_up(memory: list[list[float]]) -> LayerTrace:
    values = np.array(memory, np.float32)
    return LayerTrace(0, FORWARD, mu=values, lam=1 - values, candidate=values, memory=values, output=values)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
@pytest.mark.parametrize("layer", [0, 1])
def test_reading_passages_in_padded_batches_changes_no_gate(
    tiny: dict[str, Checkpoint], cell: str, direction: str, layer: int
) -> None:
    checkpoint = two_layers(tiny, cell)
    text = trace_passages(checkpoint, some_passages(), layer, direction)
    for passage, (start, end) in enumerate(pairwise(text.starts)):
        expected = alone(checkpoint, text, passage)
        for gate in ("mu", "lam"):
            lost = getattr(expected, gate) - text.values(gate, slice(start, end))
            assert lost.min() >= -1e-6, "a gate is rounded down"
            assert lost.max() < BYTE_STEP + 1e-6
        np.testing.assert_allclose(text.values("memory", slice(start, end)), expected.memory, rtol=HALF_PRECISION, atol=1e-6)


def test_each_passage_of_a_language_model_begins_with_its_start_symbol(tiny: dict[str, Checkpoint]) -> None:
    text = trace_passages(tiny["lm-lstm"], some_passages())
    assert {text.tokens[start] for start in text.starts[:-1]} == {EOS}
    for passage, (start, end) in enumerate(pairwise(text.starts)):
        expected = alone(tiny["lm-lstm"], text, passage).memory
        np.testing.assert_allclose(text.values("memory", slice(start, end)), expected, rtol=HALF_PRECISION, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "direction", "gate", "threshold"),
    [
        ("pos-gru", FORWARD, "mu", 0.5),
        ("ner-lstm", BACKWARD, "lam", 0.495),
        ("lm-gru", FORWARD, "lam", 0.5),
        ("pos-elman", BACKWARD, "memory", -0.2),
    ],
)
@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("count", [3, 1000])
def test_the_search_finds_what_counting_every_window_by_hand_finds(
    tiny: dict[str, Checkpoint], name: str, direction: str, gate: SearchedGate, threshold: float, length: int, count: int
) -> None:
    text = trace_passages(tiny[name], some_passages(), 0, direction)
    source = alone(tiny[name], text, 8)
    wanted = pattern(source, slice(2, 2 + length), gate, threshold)
    searched = {u for u in range(8) if all(getattr(source, gate)[2 + step, u] >= threshold for step in range(length))}
    assert set(wanted.units) == searched
    by_hand: dict[int, tuple[float, int, int]] = {}
    for passage, (start, end) in enumerate(pairwise(text.starts)):
        values = getattr(alone(tiny[name], text, passage), gate)
        for first in range(end - start - length + 1):
            here = {u for u in range(8) if all(values[first + step, u] >= threshold for step in range(length))}
            shared = len(here & searched)
            by_hand[int(start) + first] = (shared / len(here | searched), shared, len(here))

    moments = find_matches(text, wanted, count)

    taken = [moment.position for moment in moments]
    assert [(m.score, m.shared, m.on) for m in moments] == [by_hand[position] for position in taken]
    assert [m.score for m in moments] == sorted((m.score for m in moments), reverse=True)
    assert all(abs(one - other) >= length for one in taken for other in taken if one != other)
    assert len(moments) == 3 if count == 3 else len(moments) < count
    for position, (score, *_) in by_hand.items():  # what was left out is worse than all, or lies over something as good
        over = [m.score for m in moments if abs(m.position - position) < length]
        assert score == 0 or (over and max(over) >= score) or (len(moments) == count and moments[-1].score >= score)


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
@pytest.mark.parametrize(("name", "gates"), [("pos-gru", SEARCHED_GATES), ("ner-lstm", SEARCHED_GATES), ("pos-elman", ("memory",))])
def test_a_moment_is_found_again_first_in_the_text_it_comes_from(
    tiny: dict[str, Checkpoint], name: str, gates: tuple[SearchedGate, ...], direction: str
) -> None:
    text = trace_passages(tiny[name], some_passages(), 0, direction)
    for passage in (4, 8, 17):
        source = alone(tiny[name], text, passage)
        span = slice(len(source.mu) // 2, len(source.mu) // 2 + 2)
        for gate in gates:
            least = np.sort(getattr(source, gate)[span].min(axis=0))
            wanted = pattern(source, span, gate, float(least[3] + least[4]) / 2)  # about half of the units are on
            first = find_matches(text, wanted)[0]
            assert (first.passage, first.score, first.shared) == (passage, 1.0, len(wanted.units))
            assert first.position == text.starts[passage] + span.start


def test_a_moment_shows_its_words_and_gates_in_a_context_that_ends_with_the_passage(tiny: dict[str, Checkpoint]) -> None:
    text = trace_passages(tiny["ner-gru"], some_passages())
    wanted = pattern(alone(tiny["ner-gru"], text, 8), slice(1, 3), "mu", 0.5)
    for moment in find_matches(text, wanted, 100):
        start, end = text.starts[moment.passage : moment.passage + 2]
        assert start <= moment.position
        assert moment.position + 2 <= end
        first = moment.position - len(moment.before)
        last = moment.position + 2 + len(moment.after)
        assert (first, last) == (max(start, moment.position - CONTEXT), min(end, moment.position + 2 + CONTEXT))
        assert moment.before + moment.span + moment.after == text.tokens[first:last]
        for gate in SEARCHED_GATES:
            np.testing.assert_array_equal(getattr(moment, gate), text.values(gate, slice(first, last))[:, wanted.units])


def test_many_windows_over_one_good_place_leave_room_for_the_next_best() -> None:
    on, half = [200, 200, 0], [200, 0, 0]
    values = np.array([on] * 40 + [half] * 60, np.uint8)  # in steps of 0.005
    text = TracedText(
        "",
        "",
        0,
        FORWARD,
        ("word",) * 100,
        np.array([0, 40, 100]),
        values,
        values,
        values.astype(np.float16),
        np.zeros(values.shape[1]),
    )
    wanted = pattern(made_up([[1, 1, 0]] * 5), slice(0, 5), "mu", 0.5)
    assert [moment.score for moment in find_matches(text, wanted, 10)] == [1.0] * 8 + [0.5] * 2


def test_a_passage_that_comes_twice_is_found_once(tiny: dict[str, Checkpoint]) -> None:
    twice = ["The people of the union .".split()] * 2
    text = trace_passages(tiny["pos-gru"], [*twice, *some_passages(), *twice])
    assert sum(text.tokens[start:end] == tuple(twice[0]) for start, end in pairwise(text.starts)) == 1


def test_a_long_passage_is_read_in_pieces_of_like_length(tiny: dict[str, Checkpoint]) -> None:
    words = [random.Random(1).choice(WORDS) for _ in range(2 * LONGEST_PASSAGE + 1)]
    numbered = [f"{word}{place}" for place, word in enumerate(words)]
    text = trace_passages(tiny["pos-elman"], [numbered, []])
    assert text.tokens == tuple(numbered)
    assert len(text.starts) == 4
    assert max(np.diff(text.starts)) <= LONGEST_PASSAGE
    assert np.ptp(np.diff(text.starts)) <= 1


def test_a_window_longer_than_every_passage_is_nowhere(tiny: dict[str, Checkpoint]) -> None:
    source = trace(tiny["pos-gru"], " ".join(WORDS)).layer(0, FORWARD)
    least = round(float(np.median(source.mu.min(axis=0))), 2)
    wanted = pattern(source, slice(None), "mu", least)
    for passages in (["The state of it .".split()], [["The"]], [["The"], ["state"]] * 9):
        assert find_matches(trace_passages(tiny["pos-gru"], passages), wanted) == []


def test_a_text_falls_into_passages_at_its_blank_lines() -> None:
    assert passages_of("Fellow\ncitizens!\n\n \nWe don't go.\n\n") == [["Fellow", "citizens", "!"], ["We", "do", "n't", "go", "."]]
    assert passages_of(" \n\n ") == []


def test_a_unit_is_on_over_a_span_if_it_reaches_the_threshold_at_every_token() -> None:
    layer = made_up([[0.29, 0.8, 0.9], [0.31, 0.3, 0.9], [0.9, 0.299, 0.9]])
    assert units_on(layer, slice(0, 2), "mu", 0.3).tolist() == [1, 2]
    assert units_on(layer, slice(1, 3), "mu", 0.3).tolist() == [0, 2]
    assert units_on(layer, slice(0, 3), "lam", 0.7).tolist() == []
    assert units_on(layer, slice(2, 3), "memory", -1.0).tolist() == [0, 1, 2]


def test_a_memory_beyond_half_precision_counts_as_large() -> None:
    layer = made_up([[1e9, -1e9, 0.5]])
    assert units_on(layer, slice(0, 1), "memory", 0.5).tolist() == [0, 2]
    assert units_on(layer, slice(0, 1), "memory", 1e6).tolist() == [0]


def test_what_cannot_be_searched_is_said_in_plain_words(tiny: dict[str, Checkpoint]) -> None:
    layer = made_up([[0.2, 0.8], [0.3, 0.9]])
    span = slice(0, 1)
    for threshold in (0.0, -0.5, 1.01, float("nan")):
        with pytest.raises(ValueError, match=r"mu goes from 0 to 1, so give a number from 0\.005 to 1"):
            units_on(layer, span, "mu", threshold)
    with pytest.raises(ValueError, match="give the memory a finite number"):
        units_on(layer, span, "memory", float("inf"))
    with pytest.raises(ValueError, match="choose one of mu, lam, memory"):
        units_on(layer, span, "reveal", 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="holds no tokens"):
        units_on(layer, slice(2, 2), "mu", 0.5)
    with pytest.raises(ValueError, match=r"no unit's mu is at least 0\.9 over the whole span: lower the threshold"):
        pattern(layer, slice(0, 2), "mu", 0.9)
    with pytest.raises(ValueError, match=r"every unit's mu is at least 0\.1 over the whole span: raise the threshold"):
        pattern(layer, slice(0, 2), "mu", 0.1)
    elman = trace(tiny["pos-elman"], "We go home").layer(0, FORWARD)
    with pytest.raises(ValueError, match="mu is 0 in every unit at every token and marks no moment: search by the memory"):
        pattern(elman, span, "mu", 0.5)
    with pytest.raises(ValueError, match="lam is 1 in every unit"):
        pattern(elman, span, "lam", 0.5)


def test_a_larger_text_is_asked_for_as_it_can_be_traced(tiny: dict[str, Checkpoint]) -> None:
    with pytest.raises(ValueError, match="no layer 0 backward: choose one of 0 forward"):
        trace_passages(tiny["lm-gru"], some_passages(), 0, BACKWARD)
    with pytest.raises(ValueError, match="no layer 4 forward: choose one of 0 forward, 0 backward"):
        trace_passages(tiny["pos-gru"], some_passages(), 4)
    with pytest.raises(ValueError, match="there are no words in this text"):
        trace_passages(tiny["pos-gru"], passages_of("\n\n"))
    text = trace_passages(tiny["pos-gru"], some_passages(), 0, BACKWARD)
    wanted = pattern(made_up([[0.2, 0.8]]), slice(0, 1), "mu", 0.5)
    with pytest.raises(ValueError, match="the pattern is of layer 0 forward, the larger text was traced for layer 0 backward"):
        find_matches(text, wanted)
