"""The view Gap, without a browser: what is asked for in the address is what the library probes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pages.explorer import gap
from seqmodels import checkpoints
from seqmodels.inference.encoding import read_tokens
from seqmodels.traces import GapProbe, gap_probe, trace, windows
from tests.conftest import SHIPPED_CELLS
from tests.paging import GATES, numbers, opened, pictures, said

TEXT = "The old man the boats."
visit = partial(opened, GATES, view="Gap", text=TEXT)
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


def probed(folder: Path, name: str, text: str, source: int, target: int, **options: Any) -> GapProbe:
    return gap_probe(checkpoints.load(folder / f"{name}{checkpoints.SUFFIX}"), text, source, target, **options)


def assert_drawn(picture: dict, probe: GapProbe) -> None:
    left, _, effect, _, logit = picture["data"]
    np.testing.assert_allclose(numbers(left["y"]), 100 * probe.retention, atol=1e-3)
    np.testing.assert_allclose(numbers(effect["y"]), probe.effect, atol=1e-4)
    np.testing.assert_allclose(numbers(logit["y"]), probe.logit, atol=1e-4)


@pytest.mark.parametrize("cell", SHIPPED_CELLS)
@pytest.mark.parametrize(
    ("task", "direction", "source", "token"),
    [("pos", "forward", "2 old", 4), ("ner", "backward", "5 boats", 1), ("lm", "forward", "3 old", 5)],
)
def test_a_link_names_source_target_filler_and_length(
    tiny_checkpoints: Path, cell: str, task: str, direction: str, source: str, token: int
) -> None:
    link: dict[str, str | list[str]] = {
        "task": task,
        "cells": [cell],
        "direction": direction,
        "token": str(token + 1),
        "source": source,
    }
    page = visit(filler="of course", longest="7", **link)
    number = int(source.split()[0]) - 1
    expected = probed(tiny_checkpoints, f"{task}-{cell}", TEXT, number, token, filler="of course", longest=7)
    (picture,) = pictures(page)
    assert_drawn(picture, expected)
    assert f"it moves **{expected.prediction}**" in said(page).replace("\\", "")


def test_unless_a_source_is_picked_it_is_the_word_read_just_before(tiny_checkpoints: Path) -> None:
    for direction, source in (("forward", 1), ("backward", 3)):
        page = visit(token="3", direction=direction, cells=["gru"])
        assert_drawn(pictures(page)[0], probed(tiny_checkpoints, "pos-gru", TEXT, source, 2, longest=gap.USUAL))


@pytest.mark.parametrize(("direction", "token", "offered"), [("forward", "3", ["2 old", "1 The"]), ("backward", "5", ["6 ."])])
def test_only_words_that_are_read_before_can_reach_the_selected_one(direction: str, token: str, offered: list[str]) -> None:
    page = visit(token=token, direction=direction)
    assert page.selectbox(key="source").options == offered


def test_where_nothing_is_read_before_the_page_says_what_to_do() -> None:
    page = visit(token="1")
    assert not pictures(page)
    assert "select another word" in said(page)


@pytest.mark.parametrize("source", ["99 nowhere", "<b>", "", "4 the"])
def test_a_source_that_is_not_there_is_the_nearest(tiny_checkpoints: Path, source: str) -> None:
    page = visit(token="3", cells=["lstm"], source=source)
    assert_drawn(pictures(page)[0], probed(tiny_checkpoints, "pos-lstm", TEXT, 1, 2, longest=gap.USUAL))


def test_a_filler_without_words_is_the_usual_one(tiny_checkpoints: Path) -> None:
    page = visit(token="3", cells=["gru"], filler="  ")
    assert_drawn(pictures(page)[0], probed(tiny_checkpoints, "pos-gru", TEXT, 1, 2, filler=gap.FILLER, longest=gap.USUAL))


@pytest.mark.parametrize("task", ["pos", "lm"])
@pytest.mark.parametrize("token", [20, 100, 150])
def test_of_a_long_text_the_words_on_screen_are_read_alone(tiny_checkpoints: Path, task: str, token: int) -> None:
    text = "The old man isn't here. " * 25
    page = visit(text=text, task=task, token=str(token + 1), cells=["gru"])
    assert "only those on screen are read" in said(page)
    tokens = trace(checkpoints.load(tiny_checkpoints / f"{task}-gru{checkpoints.SUFFIX}"), text).tokens
    window = next(part for part in windows(len(tokens), 60) if part.start <= token < part.stop)
    words = [word for word in tokens[window] if word != "<eos>"]
    target = token - window.start + (task == "lm" and window.start > 0)  # a language model starts each text with one more
    expected = probed(tiny_checkpoints, f"{task}-gru", " ".join(words), target - 1, target, longest=gap.USUAL)
    assert_drawn(pictures(page)[0], expected)


@pytest.mark.parametrize("task", ["pos", "lm"])
def test_a_part_is_split_into_the_same_words_as_the_whole_wherever_it_is_cut(tiny_checkpoints: Path, task: str) -> None:
    text = "He can't go, U.S. troops won't!\n\nI'd say: (well-known) 3.5% of $5.\n\nYes,\tMr. O'Neil's at 10a.m.\n\n"
    name = f"{task}-gru"
    model = checkpoints.load(tiny_checkpoints / f"{name}{checkpoints.SUFFIX}")
    tokens = [token.text for token in read_tokens(model, text)]
    for start in range(len(tokens)):
        for stop in range(start + 2, len(tokens) + 1):
            part, first = gap._part(name, text, start, stop)
            assert [token.text for token in read_tokens(model, part)][start - first : stop - first] == tokens[start:stop]


def test_a_long_text_without_spaces_is_answered_in_plain_words(tiny_checkpoints: Path) -> None:
    page = visit(text="a," * 200, task="pos", token="100")
    assert not pictures(page)
    assert "put spaces into the text" in said(page)


def test_elman_is_told_to_keep_nothing_and_the_experiment_is_told_beside_it() -> None:
    page = visit(token="3", cells=["elman"])
    assert "nothing of *old* is left" in said(page)


def probe_of(survival: list[float], effect: list[float]) -> GapProbe:
    values = [np.array(numbers_, np.float32) for numbers_ in (survival, effect, effect, effect)]
    return GapProbe("NOUN", "forward", np.arange(len(survival)), *values)


@pytest.mark.parametrize(
    ("survival", "effect", "told"),
    [
        ([0.8, 0.4], [2.0, 1.0], "agree"),
        ([0.8, 0.4], [0.05, 0.0], "barely moves"),
        ([0.8, 0.4, 0.4], [2.0, 1.0, 1.9], "From 2 fillers on, the effect lasts longer"),
        ([0.8, 0.4], [2.0, 0.1], "From 1 filler on, the effect fades faster"),
        ([0.8, 0.4, 0.4], [-2.0, -2.0, -0.1], "By 2 it is the other way round"),
        ([0, 0], [2.0, 1.0], "Keep is 0"),
    ],
)
def test_where_theory_and_experiment_part_the_page_says_through_what(survival: list[float], effect: list[float], told: str) -> None:
    assert told in gap.why(probe_of(survival, effect), hides=False)
