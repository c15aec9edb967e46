"""The view Survival, without a browser: its sentences and its table say what the gates leave."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import trace
from seqmodels.viz.format import part
from tests.paging import GATES, opened, pictures, said

TEXT = "The old man the boats ."
TOKEN = 2  # "man"
visit = partial(opened, GATES, view="Survival", text=TEXT, token=str(TOKEN + 1))
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


@pytest.mark.parametrize(("direction", "last"), [("forward", 4), ("backward", 0)])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_sentence_says_how_much_of_the_word_is_left_at_the_last_word_read(
    tiny: dict[str, Checkpoint], cell: str, direction: str, last: int
) -> None:
    page = visit(cells=[cell], direction=direction)
    traced = trace(tiny[f"pos-{cell}"], TEXT)
    layer = traced.layer(0, direction)
    step = 1 if last > TOKEN else -1
    kept = np.prod([layer.mu[at].astype(float) for at in range(TOKEN + step, last + step, step)], axis=0)
    share = float(np.linalg.norm(kept * layer.written[TOKEN]) / np.linalg.norm(layer.written[TOKEN]))
    assert f"**{part(share)}** of *man* is left at *{traced.tokens[last]}*" in said(page)


def test_elman_leaves_nothing() -> None:
    assert "**Nothing** of *man* is left at *boats*; half is gone by *the*." in said(visit(cells=["elman"]))


def test_after_the_last_word_there_is_nothing_to_say() -> None:
    assert "*The* is the last word read here" in said(visit(token="1", direction="backward"))


def test_the_table_holds_the_quantiles_of_each_cell_and_its_longest_unit(tiny: dict[str, Checkpoint]) -> None:
    page = visit()
    for cell, title in (("gru", "GRU"), ("lstm", "LSTM")):
        mu = trace(tiny[f"pos-{cell}"], TEXT).layers[0].mu.astype(float)
        tokens = np.log(2) / -np.log(mu).mean(axis=0)
        ordered = np.sort(tokens)
        low, median, high = (ordered[int(np.ceil(share * len(tokens))) - 1] for share in (0.1, 0.5, 0.9))
        longest = f"{ordered[-1]:.2f} tokens (unit {tokens.argmax()})"
        assert f"| {title} | {low:.2f} tokens | {median:.2f} tokens | {high:.2f} tokens | {longest} |" in said(page)
    assert "| Elman | 0 | 0 | 0 | 0 |" in said(page)


def test_the_order_of_units_and_the_unit_are_in_the_address() -> None:
    page = visit(sort="unit", unit="5", cells=["gru"])
    _, half_lives = pictures(page)
    assert any(note["text"].startswith("unit 5: ") for note in half_lives["layout"]["annotations"])
    assert half_lives["layout"]["xaxis"]["title"]["text"] == "units, as they are"


def test_time_that_runs_backward_is_marked() -> None:
    page = visit(direction="backward")
    curve, *_ = pictures(page)
    assert any("◀" in note["text"] for note in curve["layout"]["annotations"])
    assert "time runs from right to left" in said(page)
