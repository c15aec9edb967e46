"""Moments as a concordance: the words and numbers that were given, in their order, and safe."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import BACKWARD, FORWARD, Match, find_matches, match_of, pattern, trace, trace_passages
from seqmodels.viz import matches
from seqmodels.viz.gates import KEEP, MEASURES, WRITE
from seqmodels.viz.palette import NEGATIVE, POSITIVE

MEMORY = MEASURES["memory"]
PASSAGES = [
    "The old man the boats .".split(),
    "John Smith lives in Berlin and works for Siemens .".split(),
    "The state of the union is strong , and the people of the United States know it .".split(),
]


def moment(before: str = "in the old", span: str = "man the", after: str = "boats .", units: int = 3, seed: int = 0) -> Match:
    drawn = np.random.default_rng(seed)
    words = [tuple(part.split()) for part in (before, span, after)]
    tokens = sum(map(len, words))
    mu, lam = (drawn.random((tokens, units), dtype=np.float32) for _ in range(2))
    memory = drawn.uniform(-1, 1, (tokens, units)).astype(np.float32)
    return Match(4, 17, words[0], words[1], words[2], 0.625, 2, 5, mu, lam, memory)


def lines(html: str) -> list[str]:
    return re.findall(r"<li.*?</li>", html, re.DOTALL)


def words(line: str, part: str = "") -> list[str]:
    """The words of a line, or those before, in, or after its span."""
    inside = re.findall(rf'<span class="sm-{part}">(.*?)</span>', line) if part else [line]
    return re.findall(r"<bdi>(.*?)</bdi>", inside[0])


def bars(line: str) -> list[list[int]]:
    """The heights under each word, in per cent."""
    return [[int(height) for height in re.findall(r"--p:(\d+)%", word)] for word in re.findall(r"<b[ >].*?</b>", line)]


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
@pytest.mark.parametrize("name", ["pos-gru", "ner-lstm", "lm-lstm"])
def test_a_span_of_a_trace_is_the_moment_that_a_search_finds_there(tiny: dict[str, Checkpoint], name: str, direction: str) -> None:
    if name.startswith("lm") and direction == BACKWARD:
        pytest.skip("a language model reads forward only")
    traced = trace(tiny[name], " ".join(PASSAGES[2]))
    layer, span = traced.layer(0, direction), slice(9, 11)
    threshold = float(np.median(layer.mu[span].min(axis=0)))
    wanted = pattern(layer, span, "mu", threshold)

    asked = match_of(traced, layer, span, wanted.units)
    found = find_matches(trace_passages(tiny[name], PASSAGES, 0, direction), wanted)[0]

    assert (asked.before, asked.span, asked.after) == (found.before, found.span, found.after)
    assert (asked.score, asked.shared, asked.on) == (found.score, found.shared, found.on)
    np.testing.assert_allclose(found.mu, asked.mu, atol=0.0051)  # a larger text is kept in steps of 0.005
    np.testing.assert_allclose(found.lam, asked.lam, atol=0.0051)
    np.testing.assert_allclose(found.memory, asked.memory, atol=2e-3)


@pytest.mark.parametrize("first", [0, 5])
def test_at_the_edge_of_a_text_the_context_ends(tiny: dict[str, Checkpoint], first: int) -> None:
    traced = trace(tiny["pos-gru"], "The old man the boats .")
    asked = match_of(traced, traced.layers[0], slice(first, first + 1), np.array([0, 3]))
    assert (*asked.before, *asked.span, *asked.after) == traced.tokens
    assert len(asked.before) == first
    np.testing.assert_array_equal(asked.lam, traced.layers[0].lam[:, [0, 3]])


def test_each_line_holds_its_words_in_their_order_with_the_span_apart() -> None:
    first, *found = drawn = [moment(seed=0), moment("", "John", "Smith lives", seed=1), moment("and then", "it ends", "", seed=2)]
    shown = lines(matches.concordance(first, found, [KEEP, WRITE]))
    assert len(shown) == 3
    for line, expected in zip(shown, drawn, strict=True):
        for part in ("before", "span", "after"):
            assert words(line, part) == list(getattr(expected, part))


def test_the_first_line_is_what_was_asked_for_and_the_others_tell_their_score() -> None:
    asked, other = replace(moment(), score=1.0, shared=3, on=3), moment(seed=1)
    first, second = lines(matches.concordance(asked, [other], [WRITE]))
    assert "asked<small>3 units" in first
    assert "0.62<small>2 of 3" in second
    assert "--w:62%" in second
    assert "5 are on in all" in second


@pytest.mark.parametrize("show", [[KEEP], [KEEP, WRITE], [MEMORY], [WRITE, MEMORY]])
def test_the_bars_under_a_word_are_the_means_over_the_units(show: list) -> None:
    drawn = [moment(seed=0), moment(seed=5)]
    for line, expected in zip(lines(matches.concordance(drawn[0], drawn[1:], show)), drawn, strict=True):
        for token, heights in enumerate(bars(line)):
            for height, measure in zip(heights, show, strict=True):
                units = [float(value) for value in getattr(expected, measure.field)[token]]
                assert height == pytest.approx(100 * abs(sum(units) / len(units)), abs=0.51)


def test_a_memory_has_a_colour_for_either_sign_and_the_largest_is_a_whole_bar() -> None:
    asked = replace(moment("", "up down less", ""), memory=np.array([[4, 2], [-6, -6], [1.5, 1.5]], np.float32))
    (line,) = lines(matches.concordance(asked, [], [MEMORY]))
    assert bars(line) == [[50], [100], [25]]
    assert re.findall(r"--c:(.*?);", line) == [POSITIVE.css, NEGATIVE.css, POSITIVE.css]


def test_words_far_from_the_span_are_marked_so_that_a_phone_can_leave_them_out() -> None:
    far = moment("a b c d e f", "X Y", "g h i j k")
    (line,) = lines(matches.concordance(far, [], [KEEP]))
    assert words("".join(re.findall(r"<b class=sm-far.*?</b>", line))) == ["a", "b", "k"]


def test_a_row_is_what_a_line_shows_in_numbers() -> None:
    asked, other = moment(), moment("and", "then it", "ends here", seed=4)
    first, second = matches.rows(asked, [other])
    assert (first["rank"], second["rank"]) == (0, 1)
    assert [second[name] for name in ("before", "span", "after")] == ["and", "then it", "ends here"]
    assert [second[name] for name in ("score", "shared", "on", "asked", "passage", "position")] == [0.625, 2, 5, 2, 4, 17]
    for field in ("mu", "lam", "memory"):
        inside = [float(value) for token in (1, 2) for value in getattr(other, field)[token]]
        assert second[field] == pytest.approx(sum(inside) / len(inside), abs=1e-4)


def test_nothing_found_leaves_what_was_asked_for() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(lines(matches.concordance(moment(), [], [KEEP, WRITE]))) == 1
    assert len(matches.rows(moment(), [])) == 1
