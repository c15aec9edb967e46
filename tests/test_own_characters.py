"""A model of one's own that reads and writes characters: on the Language model and Gates pages, and on the command line."""

from __future__ import annotations

import html as markup
import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from pages.explorer import VIEWS
from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint
from seqmodels.cli import main
from seqmodels.inference import Sampling, accept, continue_text, next_words, score_prompt, take_back, unit_of
from seqmodels.runs import Upload, create
from seqmodels.runs.settings import from_flat
from seqmodels.tasks import find_task
from tests.paging import GATES, LANGUAGE, TRAINING, followed, html, linked, opened, pictures, said, sound
from tests.running import KEY, finish

TEXT = "The people of the United States, and the state of the union. "
PROMPT = "The people of"
OWNER = "training-owner"  # in the session's state
LETTERS = "letters (GRU)"


@pytest.fixture(autouse=True)
def own(tiny_checkpoints: Path, own_folders: Path) -> Path:
    st.cache_resource.clear()
    return own_folders / "own"


@pytest.fixture
def letters(own: Path, tiny: dict[str, Checkpoint]) -> Checkpoint:
    """A GRU over the characters of a text, with random weights."""
    return spelling(own, tiny["lm-gru"], "letters")


def spelling(own: Path, like: Checkpoint, name: str, text: str = TEXT) -> Checkpoint:
    task = find_task("char")
    vocabulary = task.vocabulary([list(text * 10)])
    config = replace(task.model, cell=like.info.cell, hidden_size=8)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = task.build(config, vocabulary)
    path = own / f"{name}.safetensors"
    checkpoints.save(path, model, vocabulary, replace(like.info, task="char", config=asdict(config), scores={}))
    return checkpoints.load(path)


def strips(app: AppTest) -> list[str]:
    """The visible text of each strip of characters, from top to bottom."""
    found = re.findall(r'<p class="surprisal characters[^>]*>(.*?)</p>', html(app), re.DOTALL)
    return [markup.unescape(re.sub(r"<small>.*?</small>|<[^>]*>", "", text)) for text in found]


def prompt_of(app: AppTest) -> str:
    return app.text_area(key="prompt").value or ""


def click(app: AppTest, label: str) -> AppTest:
    return sound(next(button for button in app.button if button.label == label).click().run())


# the library


@pytest.mark.parametrize("text", ["", "a", "a ", "Two words", "a line\nand\n\nanother", "  so 😀", "שלום"])
@pytest.mark.parametrize("token", ["e", " ", "<eos>"])
def test_a_character_taken_is_the_next_one_read_and_can_be_taken_back(letters: Checkpoint, text: str, token: str) -> None:
    before, after = (
        [one.text for one in score_prompt(letters, prompt).tokens] for prompt in (text, accept(text, [token], "character"))
    )
    # white space joins the white space it follows, and says nothing where it comes first
    if token == "e" or (before and before[-1] not in (" ", "<eos>")):
        assert after == [*before, token]
        assert take_back(accept(text, [token], "character"), "character") == text or not before


def test_the_bits_per_character_are_the_mean_surprisal(letters: Checkpoint) -> None:
    score = score_prompt(letters, TEXT)
    assert score.unit == unit_of(letters) == "character"
    assert score.bits == pytest.approx(sum(token.surprisal for token in score.tokens) / len(score.tokens))


def test_the_command_line_writes_with_it_too(letters: Checkpoint, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--task", "char", "--cell", "gru", "--checkpoint", "letters", "--json", PROMPT]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["continuation"] == "".join("\n\n" if token["text"] == "<eos>" else token["text"] for token in found["tokens"])


# the Language model page


def test_it_is_listed_behind_the_shipped_models_and_off(letters: Checkpoint) -> None:
    app = opened(LANGUAGE)
    assert list(app.button_group(key="cells").options) == ["Elman", "GRU", "LSTM", LETTERS]
    assert app.button_group(key="cells").value == ["Elman", "GRU", "LSTM"]
    assert not strips(app)
    assert "character" not in said(app).replace("reads characters", "")


def test_it_writes_what_the_library_writes_and_as_much_text_as_a_model_of_words(letters: Checkpoint) -> None:
    app = opened(LANGUAGE, cells=["letters"], prompt=PROMPT, length="10")
    drawn = [token.text for token in continue_text(letters, PROMPT, max_tokens=60, sampling=Sampling())]
    assert strips(app)[0] == PROMPT + "".join("¶\n" if character == "<eos>" else character for character in drawn)


def test_what_is_said_is_said_of_characters(letters: Checkpoint) -> None:
    app = opened(LANGUAGE, cells=["letters"], prompt=PROMPT)
    score = score_prompt(letters, PROMPT)
    assert f"{score.bits:.2f} bits per character over {len(PROMPT)} characters" in said(app)
    assert "Perplexity" not in said(app)
    assert "word" not in said(app).replace("two million words", "")
    assert [button.label for button in app.button if "Take back" in button.label] == ["Take back a character"]


def test_the_bars_are_the_likeliest_characters_and_a_space_is_visible(letters: Checkpoint) -> None:
    (chart,) = pictures(opened(LANGUAGE, cells=["letters"], prompt=PROMPT, temperature="1"))
    after = next_words(letters, PROMPT)
    likeliest = [after.words[index] for index in (-after.log_probabilities).argsort() if after.words[index] != "<unk>"]
    drawn = [row[0] for row in chart["data"][0]["customdata"]]
    assert drawn == likeliest[: len(drawn)]
    assert len(drawn) >= 5
    shown = dict(zip(drawn, chart["layout"]["yaxis"]["ticktext"], strict=True))
    assert shown.get(" ", "␣ space") == "␣ space"
    assert all(label.strip() for label in shown.values())


def test_a_space_is_visible_in_the_text_too(letters: Checkpoint) -> None:
    app = opened(LANGUAGE, cells=["letters"], prompt="a b\nc\n\nd")
    scored = html(app).rsplit('<p class="surprisal', 1)[1]
    assert scored.count('<i class="space"> </i>') == 2
    assert strips(app)[1] == "a b \nc¶\nd"


@pytest.mark.parametrize(("picked", "added"), [("e", "e"), ("␣ space", " "), ("¶ new paragraph", "\n\n")])
def test_a_character_from_the_list_joins_the_prompt_and_can_be_taken_back(
    picked: str, added: str, own: Path, tiny: dict[str, Checkpoint]
) -> None:
    spelling(own, tiny["lm-gru"], "letters", "the state ")  # so few that all are listed
    app = opened(LANGUAGE, cells=["letters"], prompt=PROMPT)
    sound(app.selectbox(key="next").set_value(picked).run())
    assert prompt_of(app) == PROMPT + added
    assert prompt_of(click(app, "Take back a character")) == PROMPT


def test_a_continuation_can_be_kept_as_the_prompt(letters: Checkpoint) -> None:
    app = opened(LANGUAGE, cells=["letters"], prompt=PROMPT)
    written = strips(app)[0]
    assert prompt_of(click(app, "Keep")) == written.replace("¶\n", "\n\n")


def test_numbers_stand_under_characters_on_demand_only(letters: Checkpoint) -> None:
    app = opened(LANGUAGE, cells=["letters"], prompt=PROMPT)
    assert "<small>" not in html(app)
    sound(app.toggle(key="numbers").set_value(True).run())
    scored = len(PROMPT)
    drawn = len(strips(app)[0].replace("\n", "")) - len(PROMPT)
    assert html(app).count("<small>") == drawn + scored


def test_unknown_characters_are_marked_and_counted(letters: Checkpoint) -> None:
    app = opened(LANGUAGE, cells=["letters"], prompt="The 😀 zoo")
    assert "over 9 characters, 2 of them unknown (22%)" in said(app)
    scored = html(app).rsplit('<p class="surprisal', 1)[1]
    assert re.findall(r'unknown" title="(.)', scored) == ["😀", "z"]


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " \n\n ",
        "😀👩‍🚀 🇩🇪",
        "e" * 5000,
        TEXT * 82,
        "<b>HTML</b><script>alert(1)</script>",
        "bell\x07 and null\x00",
        "$ * _ ` # [a](b) :red[c]",
    ],
)
@pytest.mark.parametrize("cells", [["letters"], ["gru", "letters"]])
def test_any_prompt_is_answered_and_nothing_typed_is_run(letters: Checkpoint, prompt: str, cells: list[str]) -> None:
    app = opened(LANGUAGE, cells=cells)
    sound(app.text_area(key="prompt").set_value(prompt).run())
    assert len(pictures(app)) == len(cells)
    assert all(strips(app))
    assert "<script" not in html(app)
    assert "<b>" not in html(app)


def test_models_of_words_and_of_characters_stand_side_by_side(letters: Checkpoint) -> None:
    app = opened(LANGUAGE, cells=["gru", "letters"], prompt=PROMPT)
    assert len(pictures(app)) == 2
    assert "perplexity" in said(app)
    assert "bits per character" in said(app)
    options = app.selectbox(key="next").options
    assert {option.rpartition(" (")[2] for option in options} == {"word)", "character)"}
    character = next(option for option in options if re.fullmatch(r"\w \(character\)", option))
    sound(app.selectbox(key="next").set_value(character).run())
    assert prompt_of(app) == PROMPT + character[0]
    word = next(option for option in app.selectbox(key="next").options if re.fullmatch(r"\w+ \(word\)", option))
    sound(app.selectbox(key="next").set_value(word).run())
    assert prompt_of(app) == f"{PROMPT}{character[0]} {word.removesuffix(' (word)')}"


def test_with_no_other_model_it_is_on_and_reset_keeps_it_so(
    letters: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path / "none"))
    app = opened(LANGUAGE)
    assert app.button_group(key="cells").value == [LETTERS]
    assert click(app, "Reset").button_group(key="cells").value == [LETTERS]


# from the Training page


@pytest.mark.parametrize("page", ["Language model", "Gates"])
def test_a_run_over_characters_becomes_a_model_that_the_other_pages_open_with(page: str) -> None:
    small = {"task": "char", "cell": "gru", "hidden_size": "8", "source": "file", "epochs": "1"}
    run = create(from_flat(small), KEY, upload=Upload("own.txt", (f"{TEXT * 5}\n\n" * 10).encode()), name="Letters")
    finish(run)
    app = linked(TRAINING, run=run.id)
    app.session_state[OWNER] = KEY
    sound(app.run())
    sound(app.button(key="training-publish").click().run())
    followed(app, page, help="With letters")
    assert app.title[0].value == page
    assert app.button_group(key="cells").value == [LETTERS]
    assert pictures(app)
    assert not app.info


# the Gates page


def test_the_gates_page_offers_characters_only_where_a_model_reads_them(own: Path, tiny: dict[str, Checkpoint]) -> None:
    def tasks(app: AppTest) -> list[str]:
        return list(app.selectbox(key="task").options)

    app = opened(GATES)
    assert tasks(app) == ["Parts of speech", "Entities", "Language model", "Fairy tales", "Surnames"]
    spelling(own, tiny["lm-gru"], "letters")
    assert tasks(sound(app.run())) == ["Parts of speech", "Entities", "Language model", "Fairy tales", "Surnames", "Characters"]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_models_of_characters(view: str, letters: Checkpoint, own: Path, tiny: dict[str, Checkpoint]) -> None:
    spelling(own, tiny["lm-elman"], "others")
    app = opened(GATES, view=view, task="Characters", cells=["letters", "others"], text="Up to <b>\nit.", token="7", written="5")
    assert app.get("plotly_chart") or app.get("html")
    assert not app.info
    assert "it is one character" in said(app)
    labels = [label for chart in pictures(app) for label in chart["layout"].get("xaxis", {}).get("ticktext", [])]
    assert all(str(label).strip() for label in labels)
    assert "<b>\n" not in html(app)


def test_the_filler_of_a_gap_is_characters(letters: Checkpoint) -> None:
    app = opened(GATES, view="Gap", task="Characters", cells=["letters"], text=PROMPT, filler="and", source="4 e")
    assert not app.info
    assert "4 e" in app.selectbox(key="source").options
    assert "5 ␣" in app.selectbox(key="source").options


def test_a_larger_text_is_searched_by_characters(letters: Checkpoint) -> None:
    link = {"span-in": "a text of your own", "span": "1", "span-least": "0.5"}
    app = opened(GATES, view="Moments", task="Characters", cells=["letters"], text=PROMPT, token="3", **link)
    sound(app.file_uploader(key="span-file").set_value(("own.txt", f"{TEXT}\n\n{TEXT[::-1]}".encode(), "text/plain")).run())
    assert f"{2 * len(TEXT.strip()) + 2} words in 2 passages" in said(app)
