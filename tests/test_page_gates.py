"""The gate explorer, without a browser: every view, on small random models."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.common import glossary
from pages.explorer import VIEWS
from seqmodels import checkpoints
from seqmodels.tasks import find_task
from seqmodels.tasks.base import ModelConfig
from seqmodels.traces import Trace, trace
from tests.conftest import SHIPPED_CELLS, save_tiny
from tests.naming import save_names
from tests.paging import GATES, html, numbers, opened, pictures, said, sound, took, turned, view_of

TEXT = "The old man the boats."
LAST_WORD = 4  # of TEXT: "boats"
SIDES = [("pos", "forward"), ("pos", "backward"), ("ner", "forward"), ("ner", "backward"), ("lm", "forward")]
HOSTILE = "</script><script>alert(1)</script> <b>x</b> a&b \x07 \u202e \u200b %{x} :red[y] *md* $x$ שלום 👩‍👩‍👧"
visit = partial(opened, GATES)
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")  # unless a test brings its own models

all_views = pytest.mark.parametrize("view", VIEWS)


def typed(page: AppTest, text: str) -> AppTest:
    return sound(page.text_area(key="text").set_value(text).run())


def controls(page: AppTest) -> dict[str, Any]:
    """The inputs in which one or several of a few options are picked, by their labels."""
    groups: list[Any] = [*page.get("button_group"), *page.selectbox]
    return {group.label: group for group in groups}


def traced(folder: Path, name: str, text: str = TEXT) -> Trace:
    return trace(checkpoints.load(folder / f"{name}{checkpoints.SUFFIX}"), text)


def selected(page: AppTest) -> list[tuple[np.ndarray, np.ndarray]]:
    """The points (mu, lam) of the selected token in each square."""
    return [(numbers(picture["data"][1]["x"]), numbers(picture["data"][1]["y"])) for picture in pictures(page)]


def assert_selected(page: AppTest, expected: Trace, token: int, *, direction: str = "forward", layer: int = 0) -> None:
    """The first square shows this token."""
    mu, lam = selected(page)[0]
    side = expected.layer(layer, direction)
    np.testing.assert_allclose(mu, side.mu[token], atol=1e-4)
    np.testing.assert_allclose(lam, side.lam[token], atol=1e-4)


# at first paint


def test_at_first_paint_a_sentence_is_in_the_squares_of_the_three_cells() -> None:
    page = visit()
    assert page.text_area(key="text").value
    assert view_of(page) == next(iter(VIEWS)) == "Square"
    assert [drawn["type"] for picture in pictures(page) for drawn in picture["data"]] == 3 * ["heatmap", "scatter"]


def test_the_page_is_the_law_of_the_cells() -> None:
    """GRU's points lie on a line, Elman's are one: as it is drawn, after all that lies between the cell and the browser."""
    (elman_mu, elman_lam), (gru_mu, gru_lam), _ = selected(visit())
    assert not elman_mu.any()
    assert (elman_lam == 1).all()
    np.testing.assert_allclose(gru_mu + gru_lam, 1, atol=2e-4)


# every view


@all_views
@pytest.mark.parametrize(("task", "direction"), SIDES)
def test_every_view_draws_every_task_in_either_direction(view: str, task: str, direction: str) -> None:
    page = visit(view=view, text=TEXT, task=task, direction=direction)
    assert pictures(page) or len(html(page)) > 300
    marked = said(page) + "".join(chart.proto.spec for chart in page.get("plotly_chart"))
    assert ("from right to left" in marked) == (direction == "backward"), "the page says which way time runs"


@all_views
def test_every_view_opens_from_a_link_and_says_how_to_read_it_and_what_to_look_for(view: str) -> None:
    page, expected = visit(view=view), VIEWS[view]
    assert view_of(page) == view
    aids = (expected.aid, *expected.others.values())
    assert any(glossary.linked(f"**How to read it:** {aid.how}") in said(page) for aid in aids)
    worth_seeing = (*(f"**What to look for:** {aid.look_for}" for aid in aids), *(example.sees for example in expected.examples))
    assert any(text in said(page) for text in worth_seeing)


@all_views
def test_every_example_of_a_view_opens_with_what_there_is_to_see(
    view: str, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in tiny_folder.iterdir():
        shutil.copy2(path, tmp_path)
    for cell in SHIPPED_CELLS:
        save_names(tmp_path / f"names-{cell}{checkpoints.SUFFIX}", cell)
        save_tiny(tmp_path / f"tales-{cell}{checkpoints.SUFFIX}", "tales", cell)
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    page = visit(view=view, text=TEXT)
    assert VIEWS[view].examples
    for example in VIEWS[view].examples:
        took(page, example.title)
        assert f"**{example.title}:** {example.sees}" in said(page)
        assert page.text_area(key="text").value == example.state.get("text", TEXT)


@all_views
@pytest.mark.parametrize("text", ["Hello", "."])
def test_every_view_takes_a_single_token(view: str, text: str) -> None:
    visit(view=view, text=text)
    visit(view=view, text=text, direction="backward", unit="0")


@all_views
def test_every_view_takes_a_unit(view: str) -> None:
    visit(view=view, text=TEXT, unit="3", token="2")
    page = visit(view=view, text=TEXT, unit="99999")
    assert "GRU has no unit 99999" in said(page)


@all_views
@pytest.mark.parametrize("token", ["2", "4"])
def test_every_view_reads_any_text_as_text(view: str, token: str) -> None:
    page = typed(visit(view=view, unit="3", token=token), HOSTILE)  # a piece of HTML is selected
    drawn = html(page) + "".join(chart.proto.spec for chart in page.get("plotly_chart"))
    assert "script" in drawn + said(page), "it is shown"
    assert "<script" not in drawn
    assert "</script" not in drawn
    assert "\x07" not in drawn
    assert "\\u0007" not in drawn


@all_views
def test_every_view_answers_ten_thousand_words_and_sends_few(view: str) -> None:
    page = typed(visit(view=view, text=TEXT), "man " * 10_000)
    assert "Your text has about 10,000: its first 1,000 are read" in said(page)
    assert "of 1,000" in said(page)
    sent = sum(len(chart.proto.spec) for chart in page.get("plotly_chart")) + len(html(page))
    assert sent < 2_000_000


@all_views
def test_every_view_takes_a_model_of_more_layers(view: str, stacked: Path) -> None:
    for layer in ("1", "2"):
        page = visit(view=view, text=TEXT, cells=["gru"], layer=layer, direction="backward")
        assert controls(page)["Layer"].value == layer
        assert pictures(page) or len(html(page)) > 300


# what a link brings back


def test_a_link_restores_text_task_cells_direction_view_token_and_unit(tiny_checkpoints: Path) -> None:
    link: dict[str, Any] = {
        "text": TEXT,
        "task": "Entities",
        "cells": ["GRU", "LSTM"],
        "direction": "backward",
        "token": "2",
        "unit": "3",
    }
    page = visit(view="Square", **link)
    assert page.text_area(key="text").value == TEXT
    shown = {name: group.value for name, group in controls(page).items()}
    assert shown.items() >= {"Task": "Entities", "Models": ["GRU", "LSTM"], "Direction": "backward"}.items()
    assert view_of(page) == "Square"
    assert page.number_input(key="unit").value == 3
    for picture, cell in zip(pictures(page), ("gru", "lstm"), strict=True):
        _, dots, path = picture["data"]
        expected = traced(tiny_checkpoints, f"ner-{cell}").layer(0, "backward")
        np.testing.assert_allclose(numbers(dots["x"]), expected.mu[1], atol=1e-4)
        np.testing.assert_allclose(numbers(path["y"]), expected.lam[:, 3], atol=1e-4)


def test_a_link_may_use_the_short_names() -> None:
    assert len(pictures(visit(text=TEXT, task="ner", cells="lstm", view="Heatmaps"))) == 1


def test_what_is_picked_is_in_the_address_and_opens_again() -> None:
    page = visit(text=TEXT)
    turned(page, "Heatmaps")
    controls(page)["Models"].set_value(["LSTM"])
    controls(page)["Direction"].set_value("backward")
    page.number_input(key="unit").set_value(5)
    sound(page.run())
    again = visit(**dict(page.query_params.items()))
    assert pictures(again) == pictures(page)
    assert len(pictures(again)) == 1


def test_without_a_token_the_last_word_is_selected_and_punctuation_is_none(tiny_checkpoints: Path) -> None:
    assert_selected(visit(text=TEXT, cells=["gru"]), traced(tiny_checkpoints, "pos-gru"), LAST_WORD)
    assert_selected(visit(text="...", cells=["gru"]), traced(tiny_checkpoints, "pos-gru", "..."), 0)


@pytest.mark.parametrize("token", ["0", "-1", "7", "1.5", "two", "²", "٣", "9" * 30, "", "1e0", "<b>"])
def test_a_token_that_is_not_there_is_the_default(tiny_checkpoints: Path, token: str) -> None:
    assert_selected(visit(text=TEXT, cells=["gru"], token=token), traced(tiny_checkpoints, "pos-gru"), LAST_WORD)


def test_the_views_follow_each_other_in_a_circle() -> None:
    page = visit(text=TEXT)
    seen = [view_of(page)]
    for _ in VIEWS:
        sound(page.button(key="next-view").click().run())
        seen.append(view_of(page))
        assert page.query_params.get("view", [next(iter(VIEWS))]) in (seen[-1], [seen[-1]])
        aids = (VIEWS[seen[-1]].aid, *VIEWS[seen[-1]].others.values())
        assert any(glossary.linked(f"**How to read it:** {aid.how}") in said(page) for aid in aids)
    assert seen == [*VIEWS, next(iter(VIEWS))]
    sound(page.button(key="previous-view").click().run())
    assert view_of(page) == seen[-2]


def test_the_menu_of_views_says_what_each_is_for_and_what_it_answers() -> None:
    entries = visit(text=TEXT).menu_button(key="views").options
    assert len(entries) == len(VIEWS)
    for entry, view in zip(entries, VIEWS.values(), strict=True):
        assert entry.startswith(f"**{view.title}** ")
        assert view.group in entry
        assert view.asks in entry


def test_the_selection_stays_from_view_to_view(tiny_checkpoints: Path) -> None:
    page = visit(text=TEXT, cells=["gru"], view="Heatmaps", token="2", unit="4", direction="backward")
    turned(page, "Square")
    assert_selected(page, traced(tiny_checkpoints, "pos-gru"), 1, direction="backward")
    assert page.number_input(key="unit").value == 4


@pytest.mark.parametrize("token", ["1", "61", "130"])
def test_every_word_of_a_long_text_can_be_reached_by_a_link(tiny_checkpoints: Path, token: str) -> None:
    text = " ".join(f"w{number}" for number in range(130))
    page = visit(text=text, cells=["gru"], view="Heatmaps", order="unit", token=token)
    (picture,) = pictures(page)
    shown = picture["layout"]["xaxis"]["ticktext"]
    assert f"w{int(token) - 1}" in shown
    assert len(shown) <= 60
    first = int(shown[0].removeprefix("w"))
    assert shown == [f"w{number}" for number in range(first, first + len(shown))]
    expected = traced(tiny_checkpoints, "pos-gru", text).layer(0, "forward").mu[first : first + len(shown)]
    np.testing.assert_allclose(numbers(picture["data"][0]["z"]), expected.T, atol=1e-4)


def test_the_parts_of_a_long_text_follow_each_other() -> None:
    page = visit(text=" ".join(f"w{number}" for number in range(130)), cells=["gru"], view="Heatmaps", token="1")
    seen = [*pictures(page)[0]["layout"]["xaxis"]["ticktext"]]
    while not page.button(key="gates-Later words").disabled:
        sound(page.button(key="gates-Later words").click().run())
        seen += pictures(page)[0]["layout"]["xaxis"]["ticktext"]
    assert seen == [f"w{number}" for number in range(130)]


def test_a_damaged_link_shows_the_default_and_says_so() -> None:
    damaged = {"task": "zzz", "view": "<script>", "direction": "up", "token": "x", "unit": "-7", "layer": "99"}
    page = visit(cells=["nope"], **damaged)
    assert len(pictures(page)) == 3
    assert "This link asks for something" in said(page)


@pytest.mark.parametrize("unit", ["1e400", "9" * 400, "-7", "2.5", "x"])
def test_a_unit_that_cannot_be_is_none_and_another_can_be_picked(unit: str) -> None:
    page = visit(text=TEXT, unit=unit)
    assert page.number_input(key="unit").value is None
    sound(page.number_input(key="unit").set_value(3).run())
    assert page.number_input(key="unit").value == 3


@all_views
def test_every_view_opens_from_a_link_whose_every_value_is_damaged(view: str) -> None:
    # whatever the view's own inputs are called: they are in its address once it has been opened
    own = visit(view=view, text=TEXT)
    keys = {*own.query_params, *(widget.key for kind in (own.slider, own.number_input, own.text_input) for widget in kind)}
    keys |= {group.key for group in controls(own).values()} | {"order", "style", "gates", "unit", "token", "filler"}
    damaged = {str(key): "%00<b>" for key in keys if key and key not in ("view", "text")}
    page = visit(view=view, text=TEXT, **damaged)
    assert pictures(page) or len(html(page)) > 300


# texts


@pytest.mark.parametrize("text", ["", "   \n\t ", "\u200b"])
def test_without_words_the_page_asks_for_some(text: str) -> None:
    page = typed(visit(), text)
    assert not pictures(page)
    assert "type a sentence" in said(page).lower()


@pytest.mark.parametrize("text", ["😀 👩‍👩‍👧", "שלום עולם", "a\x00b \x07 \u202e c", "\u00a0x", "%s {x} $x$", "a\n\n\nb"])
@pytest.mark.parametrize("task", ["ner", "lm"])
def test_strange_texts_are_drawn(task: str, text: str) -> None:
    assert len(pictures(typed(visit(task=task, view="Heatmaps", text=TEXT), text))) == 3


# what is under and beside the pictures


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("task", ["pos", "ner", "lm"])
def test_a_map_holds_what_the_library_traces(tiny_checkpoints: Path, task: str, cell: str) -> None:
    (picture,) = pictures(visit(view="Heatmaps", text=TEXT, task=task, cells=[cell], order="unit"))
    expected = traced(tiny_checkpoints, f"{task}-{cell}")
    assert len(picture["layout"]["xaxis"]["ticktext"]) == len(expected.tokens)
    keep, write = picture["data"]
    np.testing.assert_allclose(numbers(keep["z"]), expected.layers[0].mu.T, atol=1e-4)
    np.testing.assert_allclose(numbers(write["z"]), expected.layers[0].lam.T, atol=1e-4)


def test_heatmaps_show_what_is_asked_for_and_only_lstm_has_a_gate_that_reveals() -> None:
    everything = ["keep", "write", "new content", "memory", "output", "reveal"]
    page = visit(view="Heatmaps", text=TEXT, gates=everything)
    assert [len(picture["data"]) for picture in pictures(page)] == [5, 5, 6]
    alone = visit(view="Heatmaps", text=TEXT, gates=["reveal"])
    assert len(pictures(alone)) == 1
    assert "has no gate of this kind" in said(alone)
    lines = visit(view="Heatmaps", style="lines", gates=everything)
    assert {drawn["type"] for picture in pictures(lines) for drawn in picture["data"]} == {"scatter"}


def test_the_tag_stands_under_each_word_and_a_language_models_surprisal() -> None:
    (picture,) = pictures(visit(view="Heatmaps", text=TEXT, cells=["gru"]))
    chips = [note for note in picture["layout"]["annotations"] if "bgcolor" in note]
    assert [chip["x"] for chip in chips] == [0, 1, 2, 3, 4, 5]
    (picture,) = pictures(visit(view="Heatmaps", text=TEXT, task="lm", cells=["gru"]))
    bits = {note["x"]: float(note["text"]) for note in picture["layout"]["annotations"] if note.get("xref") == "x"}
    assert list(bits) == [1, 2, 3, 4, 5, 6], "nothing comes before the start symbol"
    assert all(value > 0 for value in bits.values())


def test_a_language_model_reads_forward_only_and_from_the_start_symbol() -> None:
    page = visit(view="Heatmaps", text="The old man", task="lm")
    assert "Direction" not in controls(page)
    assert all(picture["layout"]["xaxis"]["ticktext"] == ["&lt;eos&gt;", "The", "old", "man"] for picture in pictures(page))


def test_a_language_model_may_read_on_in_what_it_writes(tiny_checkpoints: Path) -> None:
    page = visit(view="Heatmaps", text="The old man", task="lm", cells=["gru"], written="5", order="unit")
    (picture,) = pictures(page)
    assert len(picture["layout"]["xaxis"]["ticktext"]) == 4 + 5
    before = traced(tiny_checkpoints, "lm-gru", "The old man").layers[0].mu
    np.testing.assert_allclose(numbers(picture["data"][0]["z"])[:, :4], before.T, atol=1e-4)


def test_every_picture_says_what_it_shows_to_those_who_cannot_see_it() -> None:
    for view in VIEWS:
        for chart in visit(view=view, text=TEXT).get("plotly_chart"):
            assert len(chart.proto.alt) > 10, view


# models


@pytest.fixture
def stacked(nine_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose taggers with a GRU have two layers."""
    for path in nine_folder.glob(f"*{checkpoints.SUFFIX}"):
        if path.stem != "pos-gru":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    old = checkpoints.load(nine_folder / f"pos-gru{checkpoints.SUFFIX}")
    config = {**old.info.config, "layers": 2, "hidden_size": 6}
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = find_task("pos").build(ModelConfig(**config), old.vocabulary)
    checkpoints.save(tmp_path / f"pos-gru{checkpoints.SUFFIX}", model, old.vocabulary, replace(old.info, config=config))
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    return tmp_path


def test_a_layer_is_asked_for_where_there_are_several_and_a_cell_without_it_says_so(stacked: Path) -> None:
    assert "Layer" not in controls(visit(text=TEXT, cells=["lstm"]))
    both = visit(text=TEXT, cells=["gru"], layer="2", token="2", direction="backward")
    assert_selected(both, traced(stacked, "pos-gru"), 1, layer=1, direction="backward")
    mixed = visit(text=TEXT, layer="2")
    assert len(pictures(mixed)) == 1
    assert "LSTM has no layer 2 that reads forward" in said(mixed)


def test_a_unit_that_one_of_the_cells_lacks_is_followed_in_the_others(stacked: Path) -> None:
    drawn = [len(picture["data"]) for picture in pictures(visit(text=TEXT, unit="7"))]
    assert drawn == [3, 2, 3], "cloud, dots and path; a GRU of six units has no unit 7"


def test_with_no_models_the_page_asks_for_one() -> None:
    page = visit()
    controls(page)["Models"].set_value([])
    assert "Pick at least one model." in said(sound(page.run()))


def test_a_damaged_model_leaves_the_others(nine_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in nine_folder.glob("pos-*.safetensors"):
        (tmp_path / path.name).write_bytes(path.read_bytes()[: 1000 if "gru" in path.name else None])
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    page = visit()
    assert len(pictures(page)) == 2
    assert "damaged" in said(page)
    assert str(tmp_path) not in said(page)
