"""The view Ledger, without a browser: the sentences and the bars say what the library computes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.explorer import contributions
from pages.explorer.scene import Reading
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import attribute, tag_and_trace, trace
from seqmodels.viz import memories
from seqmodels.viz.frame import Focus
from tests.paging import GATES, numbers, opened, pictures, said, sound

TEXT = "The old man the boats."
TOKEN = 2  # "man"
visit = partial(opened, GATES, view="Ledger", text=TEXT, token=str(TOKEN + 1))
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


def plainly(page: AppTest) -> str:
    """What the page says, as if typed: no escapes, and hyphens for minus signs."""
    return said(page).replace("\\", "").replace("−", "-")


def bars(page: AppTest) -> list[list[np.ndarray]]:
    """Of each picture, the heights of its bars, panel by panel."""
    return [[numbers(drawn["y"]) for drawn in picture["data"] if drawn["type"] == "bar"] for picture in pictures(page)]


@pytest.mark.parametrize("task", ["pos", "ner", "lm"])
def test_the_words_and_the_bias_sum_to_the_logit_of_what_each_model_predicts(tiny: dict[str, Checkpoint], task: str) -> None:
    page = visit(task=task)
    for cell, (_, given) in zip(("elman", "gru", "lstm"), bars(page), strict=True):
        checkpoint = tiny[f"{task}-{cell}"]
        traced = trace(checkpoint, TEXT)
        predicted = None if task == "lm" else tag_and_trace(checkpoint, TEXT)[0].tokens[TOKEN].tag
        expected = attribute(checkpoint, traced, TOKEN, predicted)
        np.testing.assert_allclose(given, expected.total, atol=1e-3)
        assert sum(given) + expected.bias == pytest.approx(expected.logit, abs=1e-3)
        top = int((np.sign(expected.logit) * expected.total).argmax())
        sentence = (
            f"**{traced.tokens[top]}** gave {expected.total[top]:+.2f} of the {expected.logit:+.2f} for **{expected.target}**"
        )
        assert sentence in plainly(page)


def test_only_where_the_output_layer_reads_the_memory_itself_is_a_sum_called_exact() -> None:
    page = visit(cells=["gru"])
    assert "Sums exactly" in plainly(page)
    assert "A share by proportion" not in plainly(page)
    page = visit(cells=["lstm"])
    assert "Sums exactly" not in plainly(page)
    assert "A share by proportion, not a fact" in plainly(page)


def test_elman_says_that_each_memory_is_its_own_words_work() -> None:
    assert "Each memory is written wholly by its own word" in plainly(visit(cells=["elman"]))
    assert "Each memory is written wholly by its own word" not in plainly(visit(cells=["gru", "lstm"]))


def test_another_tag_is_a_choice_and_is_in_the_address(tiny: dict[str, Checkpoint]) -> None:
    page = visit(cells=["gru"], tag="VERB")
    assert page.selectbox(key="tag").value == "VERB"
    expected = attribute(tiny["pos-gru"], trace(tiny["pos-gru"], TEXT), TOKEN, "VERB")
    np.testing.assert_allclose(bars(page)[0][1], expected.total, atol=1e-3)
    sound(page.selectbox(key="tag").set_value("NOUN").run())
    assert page.query_params["tag"] in ("NOUN", ["NOUN"])
    assert "for **NOUN** at *man*" in plainly(page)


def test_a_tag_that_another_task_knows_becomes_the_predicted_one() -> None:
    page = visit(task="ner", tag="VERB")
    assert page.selectbox(key="tag").value is None
    assert "This link asks for something" in plainly(page)


def test_any_word_may_be_typed_as_the_next_one_and_an_unknown_one_is_answered(tiny: dict[str, Checkpoint]) -> None:
    page = visit(task="lm", cells=["gru"], next="Berlin")
    expected = attribute(tiny["lm-gru"], trace(tiny["lm-gru"], TEXT), TOKEN, "Berlin")
    np.testing.assert_allclose(bars(page)[0][1], expected.total, atol=1e-3)
    page = visit(task="lm", cells=["gru"], next="<b>zzz</b>")
    assert "GRU has no word <b>zzz</b> in its vocabulary" in plainly(page)
    assert len(bars(page)[0]) == 1


def test_with_a_unit_the_bars_are_signed_and_sum_to_its_memory(tiny: dict[str, Checkpoint]) -> None:
    page = visit(cells=["lstm"], unit="3", direction="backward")
    memory = trace(tiny["pos-lstm"], TEXT).layer(0, "backward").memory[TOKEN, 3]
    assert sum(bars(page)[0][0]) == pytest.approx(memory, abs=1e-3)
    assert f"Unit 3: the bars sum to {memory:+.4f}; its memory is {memory:+.4f}" in plainly(page)


@pytest.mark.parametrize("unit", [None, 3])
def test_a_memory_that_no_word_wrote_is_called_so(tiny: dict[str, Checkpoint], unit: int | None) -> None:
    """As that of a dead unit of an Elman cell with relu."""
    traced = trace(tiny["pos-elman"], TEXT)
    dead = replace(traced, layers=tuple(replace(layer, candidate=0 * layer.candidate) for layer in traced.layers))
    focus = Focus(layer=0, token=TOKEN, unit=unit)
    (sentence,) = contributions.sentences(Reading(dead, focus, "pos-elman"), memories.collapsed(dead, focus), None)
    assert sentence.endswith("at *man*, no word wrote 0.005 or more.")


def test_in_a_long_text_all_earlier_and_later_words_are_two_bars(tiny: dict[str, Checkpoint]) -> None:
    text = " ".join(f"w{number}" for number in range(150))
    page = visit(cells=["gru"], text=text, token="76", tag="VERB")
    expected = attribute(tiny["pos-gru"], trace(tiny["pos-gru"], text), 75, "VERB")
    given = bars(page)[0][1]
    assert len(given) == 52
    assert sum(given) + expected.bias == pytest.approx(expected.logit, abs=1e-3)
    assert f"together {expected.logit:+.2f}. Logit: {expected.logit:+.2f}." in plainly(page)


def test_another_text_is_not_asked_for_the_word_of_the_example_but_stays_with_its_models() -> None:
    page = opened(GATES, view="Ledger")
    assert page.selectbox(key="next").value == "Navy"
    sound(page.text_area(key="text").set_value("Dogs bark at the moon.").run())
    assert page.selectbox(key="next").value is None
    assert "Navy" not in said(page)
    assert page.selectbox(key="task").value == "Language model"
    asked = page.selectbox(key="next").options[0]
    sound(page.selectbox(key="next").set_value(asked).run())
    sound(page.text_area(key="text").set_value("Cats sleep in the sun.").run())
    assert page.selectbox(key="next").value == asked, "what the visitor has asked for stays"
