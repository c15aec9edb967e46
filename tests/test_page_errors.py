"""Whatever goes wrong on a page is a sentence in its place: no traceback, no detail of ours, and the page stays."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

from pages.common import loading, page
from pages.explorer import reading
from pages.training import messages
from tests.paging import APP, GATES, LANGUAGE, OVERVIEW, TAGGING, TRAINING, linked

pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints", "own_folders")

ERRORS = [
    (ZeroDivisionError("secret detail"), "Something went wrong on the server"),
    (RuntimeError("secret detail"), "Something went wrong on the server"),
    (KeyError("secret detail"), "Something went wrong on the server"),
    (MemoryError(), "There is not enough memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: secret detail"), "There is not enough memory"),
    (ValueError("the text is of no use"), "The text is of no use"),
]
USED = {OVERVIEW: (loading, "tag"), TAGGING: (loading, "tag"), LANGUAGE: (loading, "next_words"), GATES: (reading, "read")}


@pytest.mark.parametrize(("error", "answer"), ERRORS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("path", USED)
def test_an_error_is_a_sentence_and_the_page_stays(
    path: str, error: Exception, answer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(loading, "warm_up", lambda: None)  # it would meet the error too, on a thread of its own
    monkeypatch.setattr(*USED[path], fail)
    with caplog.at_level(logging.INFO, "pages"):
        app = linked(path).run()
    assert not app.exception
    shown = " ".join(element.value for element in (*app.info, *app.error))
    assert answer in shown
    assert "secret" not in shown
    assert app.title[0].value
    assert path == OVERVIEW or app.text_area[0].value
    logged = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert logged == ([error] if "went wrong" in answer else [])


def test_an_error_in_a_part_that_is_drawn_alone_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.training import form

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(form, "_show_copied", fail)
    app = linked(TRAINING).run()
    assert not app.exception
    assert "went wrong on the server" in app.error[0].value
    assert len(app.tabs) == 3


@pytest.mark.parametrize(("error", "answer"), ERRORS, ids=lambda value: type(value).__name__)
def test_a_click_that_fails_says_why(error: Exception, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(st, "session_state", {})
    assert not messages.attempt("here", fail)
    assert answer in str(st.session_state)
    assert "secret" not in str(st.session_state)


def test_signals_of_streamlit_pass() -> None:
    def body() -> None:
        import streamlit as st

        from pages.common import page

        def draw() -> None:
            st.write("before")
            st.stop()

        page.run(draw)
        st.write("after")

    app = AppTest.from_function(body).run()
    assert [element.value for element in app.markdown] == ["before"]
    assert not app.error


def test_every_page_and_every_fragment_is_inside_the_boundary() -> None:
    root = APP.parent
    pages = [APP, *sorted((root / "pages").glob("[0-9]*.py"))]
    assert len(pages) == len(page.PAGES)
    assert all(path.read_text(encoding="utf-8").endswith("\n\npage.run(main)\n") for path in pages)
    files = [APP, *(root / "pages").rglob("*.py")]
    with_fragments = {path.name for path in files if re.search(r"st\.fragment\b", path.read_text(encoding="utf-8"))}
    assert with_fragments == {"page.py"}


def test_a_fragment_leaves_no_gap_where_streamlit_takes_it_back() -> None:
    """It forgets what it has not sent of one that is to be drawn again. Below a gap the browser puts all in the wrong place."""

    def body() -> None:
        import streamlit as st

        from pages.common import page

        page.fragment(lambda: st.write("moves"))()
        st.write("stays")

    sent: list[ForwardMsg] = []
    ForwardMsgQueue.on_before_enqueue_msg(sent.append)
    try:
        AppTest.from_function(body).run()
    finally:
        ForwardMsgQueue.on_before_enqueue_msg(None)
    queue = ForwardMsgQueue()
    for message in sent:
        queue.enqueue(message)
    fragments = {message.delta.fragment_id for message in sent} - {""}
    assert len(fragments) == 1
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=list(fragments))
    places = [tuple(message.metadata.delta_path) for message in queue.flush() if message.HasField("delta")]
    assert [place for place in places if len(place) == 2] == [(0, 0), (0, 1)]
