"""The language model page, without a browser."""

import html
import json
import re
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seqmodels.checkpoints import load
from seqmodels.inference import Sampling, continue_text
from seqmodels.text import join, words
from tests.conftest import save_tiny
from tests.paging import followed, took

APP = Path(__file__).resolve().parent.parent / "app.py"
PAGE = "pages/2_Language_model.py"
TIMEOUT = 60


@pytest.fixture
def opened(tiny_checkpoints: Path) -> AppTest:
    """The page as a visitor first meets it, on small models."""
    st.cache_resource.clear()
    return AppTest.from_file(str(APP), default_timeout=TIMEOUT).run().switch_page(PAGE).run()


def strips(page: AppTest) -> list[str]:
    """The visible text of each coloured strip, from top to bottom."""
    bodies = [element.proto.body for element in page.get("html")]
    found = [re.search(r'<p class="surprisal \w+( numbered)?" dir="auto">.*</p>', body, re.DOTALL) for body in bodies]
    return [html.unescape(re.sub(r"<small>.*?</small>|<[^>]*>", "", match.group())) for match in found if match]


def prompt_of(page: AppTest) -> str:
    return page.text_area(key="prompt").value or ""


def bars(page: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def click(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def healthy(page: AppTest) -> bool:
    return not page.exception and not page.error


def test_at_first_paint_every_cell_has_written_its_bars_and_its_surprisal(opened: AppTest) -> None:
    assert healthy(opened)
    prompt = prompt_of(opened)
    assert prompt
    assert len(bars(opened)) == 3
    written, scored = strips(opened)[:3], strips(opened)[3:]
    assert len(scored) == 3
    assert all(text.startswith(prompt) and len(text) > len(prompt) for text in written)
    assert scored == [prompt] * 3


def test_what_is_on_screen_is_what_the_library_writes(opened: AppTest, tiny_checkpoints: Path) -> None:
    prompt = prompt_of(opened)
    drawn = continue_text(load(tiny_checkpoints / "lm-gru.safetensors"), prompt, max_tokens=40, sampling=Sampling())
    expected = join([*words(prompt), *(token.text for token in drawn)])
    assert strips(opened)[1].replace("¶", "").split() == expected.split()


def test_the_same_settings_give_the_same_text_and_another_seed_another(opened: AppTest) -> None:
    first = strips(opened)[:3]
    opened.slider(key="seed").set_value(8).run()
    assert strips(opened)[:3] != first
    opened.slider(key="seed").set_value(7).run()
    assert strips(opened)[:3] == first


def test_what_is_written_once_is_not_drawn_again(opened: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    first = strips(opened)[:3]

    def refuse(*arguments: object, **settings: object) -> None:
        raise AssertionError("the text was drawn a second time")

    monkeypatch.setattr("seqmodels.inference.continue_text", refuse)
    opened.toggle(key="numbers").set_value(True).run()
    assert healthy(opened)
    assert strips(opened)[:3] == first


def test_only_the_cells_that_are_picked_are_shown(opened: AppTest) -> None:
    opened.segmented_control(key="cells").set_value(["LSTM"]).run()
    assert len(bars(opened)) == 1
    assert len(strips(opened)) == 2
    opened.segmented_control(key="cells").set_value([]).run()
    assert healthy(opened)
    assert "Pick at least one model" in opened.info[0].value


def test_a_candidate_from_the_list_joins_the_prompt_and_the_models_go_on(opened: AppTest) -> None:
    before = prompt_of(opened)
    opened.selectbox(key="next").set_value("people").run()
    assert prompt_of(opened) == f"{before} people"
    assert opened.selectbox(key="next").value is None
    assert all(text.startswith(f"{before} people") for text in strips(opened)[:3])


def test_a_word_taken_can_be_taken_back(opened: AppTest) -> None:
    before = prompt_of(opened)
    opened.selectbox(key="next").set_value(",").run()
    assert prompt_of(opened) == f"{before},"
    assert click(opened, "Take back a word").text_area(key="prompt").value == before


def test_a_continuation_can_be_kept_as_the_prompt(opened: AppTest) -> None:
    written = strips(opened)[0]
    kept = prompt_of(click(opened, "Keep"))
    assert kept.split() == written.replace("¶", "").split()


def test_every_example_is_answered_and_says_why_it_is_interesting(opened: AppTest) -> None:
    titles = opened.menu_button(key="prompt-examples").options
    assert len(set(titles)) >= 6
    prompts = set()
    for title in titles:
        took(opened, title, key="prompt")
        (told,) = (caption.value for caption in opened.caption if caption.value.startswith(f"**{title}**: "))
        assert len(told) > len(f"**{title}**: ") + 20
        assert all(text.startswith(prompt_of(opened)) for text in strips(opened)[:3])
        prompts.add(prompt_of(opened))
    assert len(prompts) == len(titles)


def test_models_of_other_texts_come_with_their_own_examples_and_keep_what_was_typed(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for cell in ("gru", "lstm"):
        shutil.copy2(tiny_folder / f"lm-{cell}.safetensors", tmp_path)
        save_tiny(tmp_path / f"tales-{cell}.safetensors", "tales", cell)
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    st.cache_resource.clear()
    page = AppTest.from_file(str(APP), default_timeout=TIMEOUT).run().switch_page(PAGE).run()
    speeches = prompt_of(page)
    page.selectbox(key="read").set_value("Fairy tales").run()
    assert healthy(page)
    assert prompt_of(page) == "Once upon a time there"
    drawn = continue_text(load(tmp_path / "tales-gru.safetensors"), prompt_of(page), max_tokens=40, sampling=Sampling())
    expected = join([*words(prompt_of(page)), *(token.text for token in drawn)])
    assert strips(page)[0].replace("¶", "").split() == expected.split()
    page.text_area(key="prompt").set_value("The old man").run()
    page.selectbox(key="read").set_value("Speeches").run()
    assert prompt_of(page) == "The old man"
    assert prompt_of(click(page, "Reset")) == speeches


def test_reset_brings_the_first_screen_back(opened: AppTest) -> None:
    first = strips(opened)
    opened.text_area(key="prompt").set_value("The people").run()
    opened.slider(key="temperature").set_value(0.0).run()
    opened.segmented_control(key="cells").set_value(["GRU"]).run()
    assert strips(click(opened, "Reset")) == first


def test_an_empty_prompt_begins_a_paragraph(opened: AppTest) -> None:
    opened.text_area(key="prompt").set_value("").run()
    assert healthy(opened)
    assert all(strips(opened))
    assert len(strips(opened)) == 3
    assert any("The prompt is empty" in caption.value for caption in opened.caption)


def test_at_temperature_zero_every_seed_gives_the_same_text(opened: AppTest) -> None:
    opened.slider(key="temperature").set_value(0.0).run()
    assert healthy(opened)
    greedy = strips(opened)[:3]
    assert strips(opened.slider(key="seed").set_value(3).run())[:3] == greedy
    assert any(caption.value.startswith("1 word can be drawn") for caption in opened.caption)


@pytest.mark.parametrize(
    "prompt",
    [
        "<b>HTML</b><script>alert(1)</script>",
        "😀👩‍🚀 🇩🇪",
        "שלום עולם",
        "bell\x07 and null\x00",
        "zorp blick flooz",
        "$ * _ ` # [a](b) :red[c]",
        " \n\n ",
        "no_space" * 400,
    ],
)
def test_any_prompt_is_answered_and_nothing_typed_is_run(opened: AppTest, prompt: str) -> None:
    opened.text_area(key="prompt").set_value(prompt).run()
    assert healthy(opened)
    bodies = " ".join(element.proto.body for element in opened.get("html"))
    assert "<script" not in bodies
    assert "<b>" not in bodies


def test_of_ten_thousand_words_the_last_are_read(opened: AppTest) -> None:
    opened.segmented_control(key="cells").set_value(["GRU"]).run()
    opened.text_area(key="prompt").set_value("the people " * 5000).run()
    assert healthy(opened)
    assert any("over 2,000 words" in markdown.value for markdown in opened.markdown)


def test_a_link_restores_the_page(tiny_checkpoints: Path) -> None:
    st.cache_resource.clear()
    page = AppTest.from_file(str(APP), default_timeout=TIMEOUT).run().switch_page(PAGE)
    page.query_params["prompt"] = "The people"
    page.query_params["cells"] = ["gru"]
    page.query_params["temperature"] = "0"
    page.query_params["length"] = "10"
    page.run()
    assert page.text_area(key="prompt").value == "The people"
    assert (page.slider(key="temperature").value, page.slider(key="length").value) == (0, 10)
    assert len(bars(page)) == 1


def test_a_damaged_link_shows_the_default(tiny_checkpoints: Path) -> None:
    st.cache_resource.clear()
    page = AppTest.from_file(str(APP), default_timeout=TIMEOUT).run().switch_page(PAGE)
    page.query_params["cells"] = ["gur", "<b>"]
    page.query_params["temperature"] = "hot"
    page.query_params["top_k"] = "-5"
    page.query_params["seed"] = "1e9"
    page.run()
    assert healthy(page)
    assert page.slider(key="temperature").value == 0.6
    assert len(bars(page)) == 3


def test_with_one_model_damaged_the_others_go_on(nine_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in nine_folder.glob("lm-*"):
        (tmp_path / path.name).write_bytes(path.read_bytes()[: 100 if "elman" in path.name else None])
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    st.cache_resource.clear()
    page = AppTest.from_file(str(APP), default_timeout=TIMEOUT).run().switch_page(PAGE).run()
    assert healthy(page)
    assert len(bars(page)) == 2
    assert any("elman" in caption.value and "damaged" in caption.value for caption in page.caption)


def test_the_switches_stand_in_links_and_stay_over_a_visit_to_another_page(opened: AppTest) -> None:
    opened.toggle(key="careful").set_value(False).run()
    opened.toggle(key="numbers").set_value(True).run()
    opened.switch_page("pages/1_Tagging.py").run()
    followed(opened, "Language model")
    assert healthy(opened)
    assert not opened.toggle(key="careful").value
    assert opened.toggle(key="numbers").value
    fresh = AppTest.from_file(str(APP), default_timeout=TIMEOUT).switch_page(PAGE)
    fresh.query_params = dict(opened.query_params)
    fresh.run()
    assert (fresh.toggle(key="careful").value, fresh.toggle(key="numbers").value) == (False, True)


def test_words_are_added_to_and_taken_from_a_long_prompt_by_its_end_alone(opened: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = '"The old man. ' + "The people of the United States know it. " * 400
    opened.text_area(key="prompt").set_value(typed).run()
    read: list[str] = []

    def shorten(prompt: str, unit: str) -> str:
        read.append(prompt)
        return "less"

    monkeypatch.setattr("seqmodels.inference.take_back", shorten)
    click(opened, "Take back a word")
    assert len(read[0]) < len(typed) / 1.5
    assert prompt_of(opened) == typed.removesuffix(read[0]) + "less"
