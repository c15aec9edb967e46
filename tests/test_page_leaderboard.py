"""The Leaderboard page, without a browser, on small models with cards of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.common.page import PAGES
from seqmodels.cards import card_path, read_card, read_task_card, task_card_path
from seqmodels.viz.law import title
from tests.carding import CELLS, make
from tests.paging import APP, LANGUAGE, LEADERBOARD, TAGGING, came_back, followed, html, numbers, opened, pictures, said, sound

pytestmark = pytest.mark.usefixtures("fresh_cache")

DETAILS = {
    "Parts of speech": ["By tag", "Confusions", "Where they differ", "Calibration", "Other systems", "Model cards", "Your models"],
    "Entities": ["By type", "Confusions", "Where they differ", "Calibration", "Other systems", "Model cards", "Your models"],
    "Language model": ["By frequency", "Where they differ", "Calibration", "Other systems", "Model cards", "Your models"],
}


@pytest.fixture(scope="module")
def measured(nine_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(nine_folder, tmp_path_factory.mktemp("measured"))


@pytest.fixture(autouse=True)
def folder(measured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(measured))
    return measured


@pytest.fixture
def copied(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of which a test may change the files."""
    shutil.copytree(folder, tmp_path / "copied")
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path / "copied"))
    return tmp_path / "copied"


def told(app: AppTest) -> str:
    """The sentences on the page, without what keeps them from being read as Markdown."""
    return said(app).replace("\\", "")


@pytest.mark.parametrize("task", DETAILS)
def test_it_opens_with_two_pictures_and_the_figures_of_each_cell(folder: Path, task: str) -> None:
    app = opened(LEADERBOARD, task=task)
    cards = {title(cell): read_card(card_path(f"{find(task)}-{cell}", folder)) for cell in CELLS}
    size, speed, *_ = pictures(app)
    for picture in (size, speed):
        drawn = {trace["text"][0]: float(numbers(trace["y"])[0]) for trace in picture["data"]}
        assert drawn == {name: card.results["test"].scores[card.metric] for name, card in cards.items()}
    drawn = {trace["text"][0]: float(numbers(trace["x"])[0]) for trace in size["data"]}
    assert drawn == pytest.approx({name: card.bytes / 1e6 for name, card in cards.items()})
    table = app.dataframe[0].value
    assert list(table["Model"]) == list(cards)
    assert list(table["test"]) == [card.results["test"].scores[card.metric] for card in cards.values()]
    assert set(table["training"]) == {"not recorded"}


def find(title: str) -> str:
    return {"Parts of speech": "pos", "Entities": "ner", "Language model": "lm"}[title]


def test_up_is_better_for_a_perplexity_too() -> None:
    low, high = pictures(opened(LEADERBOARD, task="Language model"))[0]["layout"]["yaxis"]["range"]
    assert low > high
    low, high = pictures(opened(LEADERBOARD, task="Entities"))[0]["layout"]["yaxis"]["range"]
    assert low < high


@pytest.mark.parametrize(("task", "detail"), [(task, detail) for task, details in DETAILS.items() for detail in details])
def test_every_detail_is_reached_by_a_link(task: str, detail: str) -> None:
    app = opened(LEADERBOARD, task=task, detail=detail)
    group = app.button_group(key="detail")
    assert group.options == DETAILS[task]
    assert group.value == detail
    assert "not here" not in said(app)


def test_a_task_may_be_asked_for_by_the_name_it_once_had() -> None:
    assert opened(LEADERBOARD, task="Names").button_group(key="task").value == "Entities"
    assert opened(LEADERBOARD, task="ner").button_group(key="task").value == "Entities"


def test_a_damaged_link_shows_the_default_and_says_so() -> None:
    app = opened(LEADERBOARD, task="%00", detail="<b>", model="nobody", split="x")
    assert "not here" in said(app)
    assert len(pictures(app)) == 3


def test_the_figures_by_tag_are_those_of_the_card(folder: Path) -> None:
    for split in ("test", "dev"):
        app = opened(LEADERBOARD, task="pos", split=split)
        drawn = pictures(app)[2]["data"][0]
        card = read_card(card_path("pos-gru", folder))
        expected = {tally.label: f"{tally.f1:.1f}" for tally in card.results[split].tallies}
        assert {row[0]: row[1] for row in drawn["customdata"]} == expected


def test_the_confusions_are_those_of_the_cell_that_is_picked(folder: Path) -> None:
    for cell in CELLS:
        app = opened(LEADERBOARD, task="pos", detail="Confusions", model=title(cell))
        [heat] = pictures(app)[2]["data"]
        found = read_card(card_path(f"pos-{cell}", folder)).results["test"].confusion
        assert found is not None
        assert [[int(text.replace(",", "") or 0) for text in row] for row in heat["text"]] == [list(row) for row in found.counts]


@pytest.mark.parametrize(("task", "key"), [("pos", "text"), ("ner", "text"), ("lm", "prompt")])
def test_a_sentence_at_which_two_cells_differ_is_one_click_from_the_page_that_reads_it(folder: Path, task: str, key: str) -> None:
    """Whatever the visitor had typed there before."""
    reader = LANGUAGE if key == "prompt" else TAGGING
    app = opened(reader, **{key: "Dogs bark.", "cells": "LSTM"})
    sound(app.switch_page(LEADERBOARD).run())
    came_back(app, LEADERBOARD, task=task, detail="Where they differ")
    kept = {one.text for one in read_task_card(task_card_path(task, folder)).differences}
    name = f"Open in {next(page.title for page in PAGES if page.path == reader)}"
    assert sum(element.proto.label == name for element in app.get("page_link")) == min(len(kept), 12)
    followed(app, name)
    assert app.text_area[0].value in kept
    assert app.button_group(key="cells").value == [title(cell) for cell in CELLS]
    if key == "text":
        assert app.button_group(key="task").value in DETAILS
        assert "sm-different" in html(app)


def test_the_difference_names_both_answers_and_which_is_right(folder: Path) -> None:
    app = opened(LEADERBOARD, task="pos", detail="Where they differ")
    assert "different things at" in said(app)
    for found in read_task_card(task_card_path("pos", folder)).differences:
        assert f"<mark>{found.word}</mark>" in html(app)


def test_the_second_cell_is_another_than_the_first() -> None:
    app = opened(LEADERBOARD, task="pos", detail="Where they differ", first="LSTM")
    assert app.button_group(key="second").options == ["GRU"]
    sound(app.button_group(key="first").set_value("GRU").run())
    assert app.button_group(key="second").options == ["LSTM"]


def test_a_card_of_an_earlier_file_is_shown_as_such(copied: Path) -> None:
    assert "earlier" not in said(opened(LEADERBOARD, task="pos"))
    shutil.copy(copied / "pos-lstm.safetensors", copied / "pos-gru.safetensors")
    app = opened(LEADERBOARD, task="pos")
    assert "Measured on earlier files than those that are here: pos-gru." in told(app)
    assert "`python -m seqmodels cards`" in said(app)
    assert "earlier" not in said(opened(LEADERBOARD, task="ner"))


def test_a_checkpoint_without_a_card_is_named(copied: Path, nine_folder: Path) -> None:
    shutil.copy(nine_folder / "pos-elman.safetensors", copied)
    assert "Not yet measured: pos-elman." in told(opened(LEADERBOARD, task="pos"))


def test_a_task_without_any_card_left_is_not_offered(copied: Path) -> None:
    for cell in CELLS:
        card_path(f"pos-{cell}", copied).unlink()
    assert opened(LEADERBOARD).button_group(key="task").options == ["Entities", "Language model"]


def test_without_cards_the_page_says_how_to_make_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    assert "python -m seqmodels cards" in said(opened(LEADERBOARD))


def test_a_damaged_card_is_named_and_the_page_stands(copied: Path) -> None:
    card_path("pos-gru", copied).write_text("{}")
    app = opened(LEADERBOARD)
    assert "The card pos-gru.json cannot be read" in told(app)
    assert "python -m seqmodels cards" in told(app)
    assert str(copied) not in told(app)
    assert list(app.dataframe[0].value["Model"]) == ["LSTM"], "the others are shown"


def test_models_of_ones_own_are_listed_with_what_they_say(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(tmp_path))
    shutil.copy(folder / "pos-lstm.safetensors", tmp_path / "mine.safetensors")
    app = opened(LEADERBOARD, task="pos", detail="Your models")
    table = app.dataframe[1].value
    assert list(table["Model"]) == ["mine"]
    assert list(table["test, accuracy, %"]) == [91.25]
    assert "You have no models" in said(opened(LEADERBOARD, task="ner", detail="Your models"))


def test_the_page_and_its_pictures_need_no_torch() -> None:
    code = (
        "import sys, pages.leaderboard.details, pages.leaderboard.board, seqmodels.cards as cards\n"
        "from seqmodels.viz import leaderboard\n"
        "found = cards.read_cards()\n"
        "leaderboard.against(found[:1], 'size')\n"
        "assert found and 'torch' not in sys.modules and 'spacy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=APP.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
