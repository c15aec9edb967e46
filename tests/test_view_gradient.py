"""The view Gradient, without a browser: its lines and sentences say what the library computes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from seqmodels import checkpoints
from seqmodels.traces import gradient_path, trace
from tests.conftest import SHIPPED_CELLS
from tests.paging import GATES, numbers, opened, pictures, said

TEXT = "The old man the boats."
visit = partial(opened, GATES, view="Gradient", text=TEXT)
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


def checkpoint(folder: Path, name: str) -> checkpoints.Checkpoint:
    return checkpoints.load(folder / f"{name}{checkpoints.SUFFIX}")


@pytest.mark.parametrize("cell", SHIPPED_CELLS)
@pytest.mark.parametrize(("task", "direction", "token"), [("pos", "forward", 4), ("ner", "backward", 1), ("lm", "forward", 5)])
def test_the_true_gradient_is_drawn_for_the_selected_word(
    tiny_checkpoints: Path, cell: str, task: str, direction: str, token: int
) -> None:
    page = visit(task=task, cells=[cell], direction=direction, token=str(token + 1))
    model = checkpoint(tiny_checkpoints, f"{task}-{cell}")
    path = gradient_path(model, trace(model, TEXT), token, layer=0, direction=direction)
    (picture,) = pictures(page)
    truth = picture["data"][-1]
    assert list(numbers(truth["x"])) == list(path.sources)
    np.testing.assert_allclose(numbers(truth["y"]), path.gradient, rtol=1e-6)


def test_elman_says_that_its_gates_carry_nothing_and_why_the_gradient_flows() -> None:
    page = visit(cells=["elman"], token="5")
    assert "4 words back, the gates carry **nothing**" in said(page)
    assert "the memory hides in the new content" in said(page)
    assert "loses all at once" in said(page)
    assert "loses all at once" not in said(visit(cells=["gru"], token="5"))


def test_the_cells_share_one_scale() -> None:
    axes = [picture["layout"]["yaxis"] for picture in pictures(visit())]
    assert len(axes) == len(SHIPPED_CELLS)
    assert all(axis == axes[0] for axis in axes)


def test_at_the_first_word_there_is_none_to_look_back_to() -> None:
    page = visit(token="1")
    assert "is the first word read here" in said(page)
    assert "On average" not in said(page)


def test_of_a_long_text_only_so_many_words_are_followed_and_the_page_says_so() -> None:
    page = visit(text="man " * 130, token="66", cells=["gru"])
    (picture,) = pictures(page)
    assert len(numbers(picture["data"][0]["x"])) == 60
    assert "Only the last 60 words are followed" in said(page)
