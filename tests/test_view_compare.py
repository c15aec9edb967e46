"""The view Compare, without a browser: cells on one text, and two texts in one cell."""

from __future__ import annotations

from functools import partial

import pytest

from pages.explorer.compare import MOST_NAMED, tagged_differently
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import tag
from seqmodels.traces import summary, trace
from seqmodels.viz.comparisons import TwoTexts
from seqmodels.viz.format import duration
from seqmodels.viz.frame import Label
from tests.paging import GATES, opened, pictures, said

TEXT = "The old man was not good ."
OTHER = "The old man was good ."
visit = partial(opened, GATES, view="Compare", text=TEXT, token="3")
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


def test_all_cells_are_lines_in_one_picture_over_a_table_of_what_they_are_like(tiny: dict[str, Checkpoint]) -> None:
    page = visit()
    (picture,) = pictures(page)
    assert len(picture["data"]) == 3
    found = summary(trace(tiny["pos-lstm"], TEXT).layers[0])
    (table,) = (element.value for element in page.markdown if "Over the whole text" in element.value)
    titles, _, *rows = (line.strip("| ").split(" | ") for line in table.splitlines())
    of = {title: [row[place] for row in rows[:3]] for place, title in enumerate(titles)}
    assert of["LSTM"] == [f"{found.keep:.2f}", f"{found.write:.2f}", duration(found.half_life)]
    assert of["Elman"] == ["0.00", "1.00", "0"]


def test_two_cells_are_one_minus_the_other() -> None:
    (picture,) = pictures(visit(compare="two models", of="LSTM", minus="GRU", by="mean keep"))
    assert "LSTM − GRU" in picture["data"][0]["hovertemplate"]


@pytest.mark.parametrize("link", [{"cells": ["gru"]}, {"of": "GRU", "minus": "GRU"}])
def test_one_cell_alone_has_nothing_to_be_compared_with(link: dict) -> None:
    page = visit(compare="two cells", **link)
    assert not pictures(page)
    assert page.info


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_two_texts_are_aligned_and_their_tags_told_apart(tiny: dict[str, Checkpoint], direction: str) -> None:
    page = visit(compare="two texts", other=OTHER, cells=["gru"], direction=direction)
    (picture,) = pictures(page)
    assert "not / ·" in picture["layout"]["xaxis"]["ticktext"]
    first, second = (tag(tiny["pos-gru"], text).tokens for text in (TEXT, OTHER))
    pairs = [*zip(first[:4], second[:4], strict=True), *zip(first[5:], second[4:], strict=True)]
    differing = [(one.text, one.tag, other.tag) for one, other in pairs if one.tag != other.tag]
    sentences = said(page)
    assert all(f"{before} / {after}" in sentences for _, before, after in differing)
    assert ("Tagged differently" in sentences) == bool(differing)


def test_of_many_words_tagged_differently_the_first_are_named_and_the_rest_counted(tiny: dict[str, Checkpoint]) -> None:
    read = trace(tiny["pos-gru"], " ".join(["man"] * (MOST_NAMED + 2)))
    below = [[Label(tag)] * len(read.tokens) for tag in ("NOUN", "VERB")]
    texts = TwoTexts.of(read, read, (below[0], below[1]))
    assert tagged_differently(texts) == f"Tagged differently: {'; '.join(['*man*: NOUN / VERB'] * MOST_NAMED)} and 2 more."


def test_a_text_compared_with_itself_has_the_same_tags() -> None:
    assert "Both texts get the same tags" in said(visit(compare="two texts", other=TEXT, cells=["gru"]))


@pytest.mark.parametrize("task", ["ner", "lm"])
@pytest.mark.parametrize("compare", ["cells", "two cells", "two texts"])
def test_every_task_is_compared(task: str, compare: str) -> None:
    assert len(pictures(visit(task=task, compare=compare))) == 1


def test_without_another_text_the_page_asks_for_one() -> None:
    page = visit(compare="two texts")
    page.text_area(key="other").set_value(" ").run()
    assert not page.exception
    assert "Type another text" in said(page)


def test_what_is_typed_is_shown_and_never_read_as_html() -> None:
    (picture,) = pictures(visit(compare="two texts", other="<script>alert(1)</script> *man* $x$"))
    assert not any("<" in word for word in picture["layout"]["xaxis"]["ticktext"])


def test_a_damaged_link_shows_the_default() -> None:
    assert len(pictures(visit(compare="zzz", by="zzz", of="zzz"))) == 1
