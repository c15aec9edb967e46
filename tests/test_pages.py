"""The Overview and Tagging pages, run without a browser on small random models."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from seqmodels import export
from seqmodels.cells import CELLS
from seqmodels.checkpoints import load, save
from seqmodels.tasks import TASKS, TagTask
from tests.paging import GATES, OVERVIEW, TAGGING, html, opened, said, sound, took

pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


def notes(app: AppTest) -> str:
    return " ".join(element.value for element in (*app.info, *app.caption))


def test_the_overview_shows_the_law_the_cells_and_a_sentence_already_read() -> None:
    found = html(opened(OVERVIEW))
    assert "memory<sub>t−1</sub>" in found
    assert "Hochreiter" in found
    assert '<bdi class="sm-word">record</bdi>' in found


def test_the_overview_without_models_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    app = opened(OVERVIEW)
    assert "make checkpoints" in notes(app)
    assert "memory<sub>t−1</sub>" in html(app)


def test_tagging_opens_with_an_example_already_tagged() -> None:
    app = opened(TAGGING)
    assert app.text_area[0].value
    assert "sm-token" in html(app)


def test_typing_tags_the_new_text() -> None:
    app = opened(TAGGING, table="true")
    sound(app.text_area[0].set_value("Ducks swim.").run())
    assert '<bdi class="sm-word">Ducks</bdi>' in html(app)
    assert len(app.dataframe[0].value) == 3


def test_every_example_can_be_taken_and_says_why_it_is_interesting() -> None:
    app = opened(TAGGING)
    titles = app.menu_button(key="text-examples").options
    assert len(set(titles)) == 9
    texts = set()
    for title in titles:
        took(app, title)
        (told,) = (element.value for element in app.caption if element.value.startswith(f"**{title}**: "))
        assert len(told) > len(f"**{title}**: ") + 20
        about_entities = title in ("People and places", "Is it a place?")
        assert app.session_state["task"] == ("Entities" if about_entities else "Parts of speech")
        texts.add(app.text_area[0].value)
    assert len(texts) == 9


def test_a_click_on_the_button_reads_what_is_typed() -> None:
    app = opened(TAGGING)
    app.text_area[0].set_value("Ducks swim.")
    sound(app.button(key="text-read").click().run())
    assert '<bdi class="sm-word">Ducks</bdi>' in html(app)


def test_a_link_restores_text_task_and_cells() -> None:
    app = opened(TAGGING, text="Ada met Bob.", task="Entities", cells=["GRU", "LSTM"], table="true")
    assert app.text_area[0].value == "Ada met Bob."
    assert list(app.dataframe[0].value.columns[5:]) == ["gru_tag", "gru_probability", "lstm_tag", "lstm_probability"]
    assert "organization" in html(app)


@pytest.mark.parametrize("task", ["ner", "Names", "Entities"])
def test_a_link_may_use_the_short_names_and_the_titles_of_earlier_days(task: str) -> None:
    app = opened(TAGGING, task=task, cells="lstm", table="true")
    assert app.button_group(key="task").value == "Entities"
    assert "not here" not in notes(app)
    assert list(app.dataframe[0].value.columns[5:]) == ["lstm_tag", "lstm_probability"]
    assert "organization" in html(app)


def test_a_damaged_link_shows_the_default_and_says_so() -> None:
    app = opened(TAGGING, task="%00<script>", cells="nonsense")
    assert "not here" in notes(app)
    assert "sm-token" in html(app)
    assert "<script" not in html(app)


def test_the_table_is_worked_out_once_it_is_opened_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(export, "token_rows", lambda _: pytest.fail("nobody has opened it"))
        app = opened(TAGGING, table="maybe")
    assert "not here" in notes(app)
    assert not app.dataframe
    app = opened(TAGGING, table="true")
    sound(app.text_area[0].set_value("Ducks swim.").run())
    assert len(app.dataframe[0].value) == 3
    assert "table" in app.query_params


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_text_without_words_asks_for_some(text: str) -> None:
    app = opened(TAGGING, table="true")
    sound(app.text_area[0].set_value(text).run())
    assert "sentence" in notes(app)
    assert not app.dataframe


@pytest.mark.parametrize(
    "text",
    [
        "<b>HTML</b><script>alert(1)</script>",
        "שלום עולם",
        "😀👨‍👩‍👧",
        "a\x01b\x00 \x1b[31m",
        "\u202eabc",
        "_*x*_ $y$ :red[z] ![](http://x)",
    ],
)
@pytest.mark.parametrize("task", ["pos", "ner"])
def test_strange_text_is_tagged_and_never_interpreted(text: str, task: str) -> None:
    app = opened(TAGGING, task=task)
    sound(app.text_area[0].set_value(text).run())
    body = html(app)
    assert "sm-token" in body
    assert "<script" not in body
    assert "<b>HTML" not in body


def test_a_long_text_is_paged_and_nothing_is_lost() -> None:
    app = opened(TAGGING, table="true")
    sound(app.text_area[0].set_value("The old man the boat. " * 200).run())
    assert "Words 1 to 240 of 1,200 are shown" in notes(app)
    assert "too long for a link" in notes(app) or "text" in app.query_params
    assert len(app.dataframe[0].value) == 1200


def test_with_no_model_picked_the_page_asks_for_one() -> None:
    app = opened(TAGGING)
    sound(app.button_group(key="cells").set_value([]).run())
    assert "Pick at least one model" in notes(app)


def test_a_damaged_checkpoint_is_reported_and_the_others_work(
    nine_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(nine_folder, tmp_path / "copy")
    broken = tmp_path / "copy" / "pos-gru.safetensors"
    broken.write_bytes(broken.read_bytes()[:1000])
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path / "copy"))
    app = opened(TAGGING, table="true")
    assert "damaged" in notes(app)
    assert str(tmp_path) not in notes(app)
    assert list(app.dataframe[0].value.columns[5:]) == ["elman_tag", "elman_probability", "lstm_tag", "lstm_probability"]


def test_every_cell_with_a_file_is_offered_in_the_order_of_the_cells(all_tiny_checkpoints: Path) -> None:
    app = opened(TAGGING, text="Ducks swim.")
    models = app.button_group(key="cells")
    assert models.options == [cell.title for cell in CELLS.values()]
    assert models.value == [cell.title for cell in CELLS.values() if cell.kernel], "no more are on than stand side by side"
    assert "pos-" not in notes(app), "each of them can be used"


def test_of_more_models_than_stand_side_by_side_the_last_are_shown(all_tiny_checkpoints: Path) -> None:
    picked = [cell.title for cell in CELLS.values()][-4:]
    app = opened(TAGGING, text="Ducks swim.", cells=picked, table="true")
    assert app.button_group(key="cells").value == picked
    assert f"3 at most are shown side by side: {', '.join(picked[-3:])}." in notes(app)
    names = [column for column in app.dataframe[0].value.columns if column.endswith("_tag")]
    assert names == [f"{cell.name}_tag" for cell in [*CELLS.values()][-3:]]


def test_a_shipped_cell_without_a_file_is_not_offered(nine_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(nine_folder / "pos-lstm.safetensors", tmp_path)
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    app = opened(TAGGING)
    assert app.button_group(key="cells").options == ["LSTM"]
    assert "pos-" not in notes(app)


class Verbs(TagTask):
    """A stranger's task."""

    name, page_title = "verbs", "Verbs or not"


def test_a_task_that_is_registered_is_offered_and_its_models_are_read(
    nine_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TASKS, "verbs", Verbs())
    found = load(nine_folder / "pos-gru.safetensors")
    info = replace(found.info, task="verbs")
    save(tmp_path / "verbs-gru.safetensors", found.model, found.vocabulary, info)
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    for page, picker in ((TAGGING, "button_group"), (GATES, "selectbox")):
        app = opened(page, task="verbs", text="Ducks swim.")
        assert getattr(app, picker)(key="task").value == "Verbs or not"
        assert app.button_group(key="cells").value == ["GRU"]
    assert app.get("plotly_chart")


def test_the_examples_that_lead_are_of_the_task_until_something_is_typed() -> None:
    app = opened(TAGGING)
    assert "**One word, two jobs**" in said(app)
    app.segmented_control(key="task").set_value("Entities").run()
    assert (app.text_area[0].value or "").startswith("Angela Merkel")
    assert "**People and places**" in said(app)
    assert "**One word, two jobs**" not in said(app)
    app.text_area[0].set_value("The old man the boat.").run()
    assert "**Garden path**" not in said(sound(app))
    app.segmented_control(key="task").set_value("Parts of speech").run()
    assert app.text_area[0].value == "The old man the boat."
    assert "**Garden path**" in said(sound(app))


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["GRU"], "3 tokens in 1 sentence, read by GRU. Hover"),
        (["GRU", "LSTM"], "3 tokens in 1 sentence. Rows from the top: GRU, LSTM. They "),
        (["Elman", "GRU", "LSTM"], "3 tokens in 1 sentence. Rows from the top: Elman, GRU, LSTM. They "),
    ],
)
def test_what_the_strip_holds_is_said_of_as_many_models_as_there_are(cells: list[str], sentence: str) -> None:
    assert sentence in said(opened(TAGGING, text="Ducks swim.", cells=cells))


@pytest.mark.parametrize(
    ("text", "said_so"),
    [("Ducks Swim\nDogs Bark", True), ("Ducks Swim\n\nDogs Bark", False), ("Ducks swim.\nDogs bark.\n", False)],
)
def test_it_is_said_that_a_line_within_a_sentence_does_not_end_it(text: str, said_so: bool) -> None:
    assert ("a line break ends none, a blank line does" in said(opened(TAGGING, text=text))) == said_so
