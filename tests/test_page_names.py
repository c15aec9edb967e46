"""Surnames on the pages: invented in a language, switched to another half-way, and the language in the pictures of the gates."""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.explorer import VIEWS
from seqmodels.checkpoints import load
from seqmodels.inference import Sampling
from seqmodels.traces import Switch, contribution_shares, invent, start_retention, trace, with_start
from tests.conftest import save_tiny
from tests.naming import LANGUAGES, save_names
from tests.paging import GATES, LANGUAGE, LEADERBOARD, TRAINING, html, numbers, opened, pictures, said, sound

CELLS = ("elman", "gru", "lstm")
TEXT = "Ivanova"


@pytest.fixture(scope="module", autouse=True)
def models(tmp_path_factory: pytest.TempPathFactory, fresh_cache: None) -> Iterator[Path]:
    """Models of names and of a text."""
    folder = tmp_path_factory.mktemp("names")
    for cell in CELLS:
        save_names(folder / f"names-{cell}.safetensors", cell)
        save_tiny(folder / f"lm-{cell}.safetensors", "lm", cell)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQMODELS_CHECKPOINTS", str(folder))
        yield folder


def lists(page: AppTest) -> list[list[tuple[str, str, bool]]]:
    """For each cell its names: what stands before the mark, what after it, and whether it is known."""
    found = re.findall(r'<ol class="sm-names".*?</ol>', html(page), re.DOTALL)
    rows = [re.findall(r"<li>(?:<b>(.*?)</b>)?(?:<em>(.*?)</em>)?(.*?)</li>", one) for one in found]
    return [[(html_module.unescape(one), html_module.unescape(two), "known" in rest) for one, two, rest in names] for names in rows]


def shown(models: Path, cell: str, language: str, **settings: object) -> list[tuple[str, str, bool]]:
    """What the library invents."""
    found = invent(load(models / f"names-{cell}.safetensors").given(language), **settings)  # type: ignore[arg-type]
    parts = [(name.text[: name.switched], name.text[name.switched :] if name.switched else "", name.known) for name in found]
    return [(one if two or one else "", two, known) for one, two, known in parts]


def test_ten_names_of_each_cell_are_those_of_the_library(models: Path) -> None:
    page = opened(LANGUAGE, read="Surnames", language="Japanese")
    assert lists(page) == [shown(models, cell, "Japanese", sampling=Sampling()) for cell in CELLS]
    assert len(pictures(page)) == 3  # the letters that could come next
    assert page.selectbox(key="language").options == list(LANGUAGES)


def test_another_language_other_names_and_a_beginning_keep_to_the_settings(models: Path) -> None:
    page = opened(LANGUAGE, read="Surnames", prompt="Iv", cells="gru", seed="3", temperature="1.5")
    page.selectbox(key="language").set_value("Russian").run()
    wanted = Sampling(temperature=1.5, seed=3)
    assert lists(sound(page)) == [shown(models, "gru", "Russian", prompt="Iv", sampling=wanted)]
    page.button(key="anew").click().run()
    assert page.slider(key="seed").value == 4
    assert lists(sound(page)) == [shown(models, "gru", "Russian", prompt="Iv", sampling=Sampling(temperature=1.5, seed=4))]


@pytest.mark.parametrize(("how", "title"), [("reread", "The letters are read again"), ("swap", "What is left of it")])
def test_half_way_a_name_goes_on_in_another_language(models: Path, how: str, title: str) -> None:
    link = {"read": "Surnames", "language": "Russian", "other": "Italian", "after": "2", "how": title, "cells": "lstm"}
    page = opened(LANGUAGE, **link)
    switch = Switch("Italian", 2, how)  # type: ignore[arg-type]
    assert lists(page) == [shown(models, "lstm", "Russian", sampling=Sampling(), switch=switch)]
    assert "Italian" in said(page)


def test_a_known_name_is_marked(models: Path) -> None:
    page = opened(LANGUAGE, read="Surnames", prompt="Ivanov", temperature="0")
    marks = [known for names in lists(page) for _, _, known in names]
    drawn = [name for names in lists(page) for name, _, _ in names]
    assert marks == [name in ("Ivanov", "Ivanova") for name in drawn]


def test_a_link_for_a_language_that_is_not_here_shows_the_default_and_says_so(models: Path) -> None:
    page = opened(LANGUAGE, read="Surnames", language="Klingon", other="<b>", after="99", how="x")
    assert page.selectbox(key="language").value == LANGUAGES[0]
    assert "This link asks for something under “Language” that is not here" in said(page)
    assert "<b>" not in said(page)


def test_the_language_that_is_gone_on_in_is_another(models: Path) -> None:
    page = opened(LANGUAGE, read="Surnames", language="Italian", other="Russian")
    page.selectbox(key="language").set_value("Russian").run()
    assert page.selectbox(key="other").value is None
    assert "Russian" not in page.selectbox(key="other").options
    assert all(not after for names in lists(sound(page)) for _, after, _ in names)


@pytest.mark.parametrize("prompt", ["<script>alert(1)</script>", "😀", " \n\n ", "A\n\nB", "x" * 5000, "שלום"])
def test_any_beginning_is_answered(models: Path, prompt: str) -> None:
    page = opened(LANGUAGE, read="Surnames", prompt=prompt, other="Russian", after="1")
    assert "<script" not in html(page)
    assert len(lists(page)) == 3


def test_going_back_to_the_speeches_brings_their_prompt(models: Path) -> None:
    page = opened(LANGUAGE, read="Surnames")
    page.selectbox(key="read").set_value("Speeches").run()
    assert sound(page).text_area(key="prompt").value
    page.selectbox(key="read").set_value("Surnames").run()
    assert sound(page).text_area(key="prompt").value == ""


def test_a_text_is_no_beginning_of_a_name_and_comes_back_with_the_texts(models: Path) -> None:
    page = opened(LANGUAGE, read="Speeches", prompt="We will")
    page.selectbox(key="read").set_value("Surnames").run()
    assert sound(page).text_area(key="prompt").value == ""
    page.text_area(key="prompt").set_value("Mc").run()
    page.selectbox(key="read").set_value("Speeches").run()
    assert sound(page).text_area(key="prompt").value == "We will"
    page.selectbox(key="read").set_value("Surnames").run()
    assert sound(page).text_area(key="prompt").value == "Mc"


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_the_gates_begins_with_the_language(models: Path, view: str) -> None:
    page = opened(GATES, view=view, task="names", text=TEXT, language="Russian")
    assert page.selectbox(key="language").value == "Russian"
    assert pictures(page) or len(html(page)) > 300


def test_the_language_has_a_column_of_its_own_in_the_ledger(models: Path) -> None:
    page = opened(GATES, view="Ledger", task="names", text=TEXT, language="Russian", cells="lstm")
    (picture,) = pictures(page)
    assert picture["layout"]["xaxis"]["ticktext"][0] == "Russian"
    shares = contribution_shares(with_start(trace(load(models / "names-lstm.safetensors").given("Russian"), TEXT)).layers[0])
    np.testing.assert_allclose(numbers(picture["data"][0]["z"])[:, 0], shares[1:, 0], atol=1e-3)


def test_the_language_has_a_line_of_its_own_among_what_survives(models: Path) -> None:
    page = opened(GATES, view="Survival", task="names", text=TEXT, language="Russian", cells="lstm", token="3")
    left = start_retention(trace(load(models / "names-lstm.safetensors").given("Russian"), TEXT).layers[0])
    lines = [numbers(line["y"]) for line in pictures(page)[0]["data"] if line.get("line", {}).get("dash") == "dash"]
    np.testing.assert_allclose(lines, [100 * left], atol=1e-3)
    assert "Of **Russian**, the memory before the first word" in said(page)


def test_a_text_model_asks_for_no_language(models: Path) -> None:
    page = opened(GATES, view="Survival", task="lm", text="The old man")
    assert not [box for box in page.selectbox if box.key == "language"]
    assert "memory before the first word" not in said(page)


def test_the_leaderboard_shows_the_figures_of_each_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQMODELS_CHECKPOINTS")
    page = opened(LEADERBOARD, task="names", detail="By language")
    drawn = str(pictures(page))
    assert all(language in drawn for language in ("Arabic", "Russian", "Vietnamese"))


def test_names_can_be_trained_on_the_training_page(models: Path) -> None:
    page = opened(TRAINING, settings="task=names&cell=mingru")
    assert "Surnames" in said(page) + " ".join(str(option) for box in page.selectbox for option in box.options)
