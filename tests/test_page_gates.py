"""The gates page, without a browser."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seqmodels.checkpoints import load
from seqmodels.traces import trace

APP = Path(__file__).resolve().parent.parent / "app.py"
PAGE = "pages/3_Gates.py"
TIMEOUT = 120


def visit(**link: str | list[str]) -> AppTest:
    """The page as someone meets it who follows a link."""
    st.cache_resource.clear()
    page = AppTest.from_file(str(APP), default_timeout=TIMEOUT).run().switch_page(PAGE)
    for name, value in link.items():
        page.query_params[name] = value
    return page.run()


@pytest.fixture
def opened(tiny_checkpoints: Path) -> AppTest:
    return visit()


def pictures(page: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def numbers(sent: dict | list) -> np.ndarray:
    """An array as plotly sends it."""
    if isinstance(sent, list):
        return np.array(sent)
    flat = np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"])
    return flat.reshape([int(size) for size in sent["shape"].split(",")]) if "shape" in sent else flat


def words(picture: dict) -> list[str]:
    return picture["layout"]["xaxis"]["ticktext"]


def said(page: AppTest) -> str:
    return " ".join(element.value for element in [*page.markdown, *page.caption, *page.info])


def controls(page: AppTest) -> dict[str, Any]:
    groups: list[Any] = list(page.get("button_group"))
    return {group.label: group for group in groups}


def healthy(page: AppTest) -> bool:
    return not page.exception and not page.error


def test_at_first_paint_the_three_cells_show_their_maps(opened: AppTest) -> None:
    assert healthy(opened)
    assert len(pictures(opened)) == 3
    assert all([trace["type"] for trace in picture["data"]] == ["heatmap", "heatmap"] for picture in pictures(opened))


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("task", ["pos", "ner", "lm"])
def test_a_map_holds_what_the_library_traces(tiny_checkpoints: Path, task: str, cell: str) -> None:
    page = visit(text="The old man the boats.", task=task, cells=[cell], order="unit")
    assert healthy(page)
    (picture,) = pictures(page)
    expected = trace(load(tiny_checkpoints / f"{task}-{cell}.safetensors"), "The old man the boats.")
    assert len(words(picture)) == len(expected.tokens)
    keep, write = picture["data"]
    np.testing.assert_allclose(numbers(keep["z"]), expected.layers[0].mu.T, atol=1e-4)
    np.testing.assert_allclose(numbers(write["z"]), expected.layers[0].lam.T, atol=1e-4)


def test_a_link_chooses_the_direction_and_the_page_marks_it(tiny_checkpoints: Path) -> None:
    page = visit(text="The old man the boats.", cells=["gru"], order="unit", direction="backward")
    expected = trace(load(tiny_checkpoints / "pos-gru.safetensors"), "The old man the boats.").layer(0, "backward")
    np.testing.assert_allclose(numbers(pictures(page)[0]["data"][0]["z"]), expected.mu.T, atol=1e-4)
    assert "time runs from right to left" in said(page)


def test_a_language_model_reads_forward_only_and_from_the_start_symbol(tiny_checkpoints: Path) -> None:
    page = visit(text="The old man", task="lm")
    assert "Direction" not in controls(page)
    assert all(words(picture) == ["&lt;eos&gt;", "The", "old", "man"] for picture in pictures(page))
    assert "time runs" not in said(page)


def test_elman_says_where_its_memory_is(opened: AppTest) -> None:
    assert "keep μ is 0 and write λ is 1" in said(opened)
    assert "reads the old memory" in said(opened)


def test_reveal_is_lstms_alone(tiny_checkpoints: Path) -> None:
    page = visit(gates=["keep", "reveal"])
    assert [len(picture["data"]) for picture in pictures(page)] == [1, 1, 2]
    alone = visit(gates=["reveal"])
    assert healthy(alone)
    assert len(pictures(alone)) == 1


@pytest.mark.parametrize("view", ["heatmap", "lines"])
def test_each_view_says_how_to_read_it_and_what_to_look_for(tiny_checkpoints: Path, view: str) -> None:
    page = visit(view=view)
    assert healthy(page)
    assert "How to read it" in said(page)
    assert "What to look for" in said(page)
    kind = "heatmap" if view == "heatmap" else "scatter"
    assert {trace["type"] for picture in pictures(page) for trace in picture["data"]} == {kind}


def test_the_tag_stands_under_each_word(tiny_checkpoints: Path) -> None:
    (picture,) = pictures(visit(text="The old man the boats.", cells=["gru"]))
    chips = [note for note in picture["layout"]["annotations"] if "bgcolor" in note]
    assert len(chips) == len(words(picture))


@pytest.mark.parametrize("text", ["", "   \n\t "])
def test_without_words_the_page_asks_for_some(tiny_checkpoints: Path, opened: AppTest, text: str) -> None:
    opened.text_area(key="text").set_value(text).run()
    assert healthy(opened)
    assert not pictures(opened)
    assert "Type a sentence" in said(opened)


@pytest.mark.parametrize(
    "text", ["😀 👩‍👩‍👧", "שלום עולם", "<b>bold</b><script>alert(1)</script>", "a\x00b \x07 \u202e c", "\u200b", "%s {x} $x$"]
)
def test_any_text_is_drawn_and_none_is_read_as_html(tiny_checkpoints: Path, opened: AppTest, text: str) -> None:
    opened.text_area(key="text").set_value(text).run()
    assert healthy(opened)
    assert len(pictures(opened)) == 3
    assert not any("<" in word for picture in pictures(opened) for word in words(picture))


def test_ten_thousand_words_are_answered_and_few_are_sent(opened: AppTest) -> None:
    opened.text_area(key="text").set_value("man " * 10_000).run()
    assert healthy(opened)
    assert "of 10,000" in said(opened)
    assert sum(len(chart.proto.spec) for chart in opened.get("plotly_chart")) < 1_000_000


def test_every_word_of_a_long_text_can_be_reached_by_a_link(tiny_checkpoints: Path) -> None:
    text = [f"w{number}" for number in range(130)]
    parts = [words(pictures(visit(text=" ".join(text), cells=["gru"], part=str(part)))[0]) for part in (1, 2, 3)]
    assert [word for part in parts for word in part] == text


def test_no_cells_or_no_gates_is_answered_calmly(opened: AppTest) -> None:
    controls(opened)["Gates"].set_value([]).run()
    assert healthy(opened)
    assert "Pick at least one cell and one gate." in said(opened)
    controls(opened)["Cells"].set_value([]).run()
    assert healthy(opened)


def test_a_damaged_link_shows_the_default_and_says_so(tiny_checkpoints: Path) -> None:
    page = visit(task="zzz", view="<script>", order="9", part="99999999999", direction="up", cells=["nope"], gates=["x"])
    assert healthy(page)
    assert len(pictures(page)) == 3
    assert "This link asks for something" in said(page)


def test_a_damaged_model_leaves_the_others(tiny_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in tiny_checkpoints.glob("pos-*.safetensors"):
        (tmp_path / path.name).write_bytes(path.read_bytes()[: 1000 if "gru" in path.name else None])
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    page = visit()
    assert healthy(page)
    assert len(pictures(page)) == 2
