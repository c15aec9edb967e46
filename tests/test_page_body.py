"""The body of a page is drawn alone where one of its inputs has changed, and the address and the pages around it know of that."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.common.reconnecting import of_the_page
from tests.browser.driver import serve
from tests.visiting import Visitor

SENTENCE = "Ada Lovelace met Charles Babbage."


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve() as started:
        yield started


@pytest.mark.parametrize(("page", "answer"), [("", "html"), ("Tagging", "html"), ("Gates", "plotly_chart")])
def test_a_new_text_is_answered_without_the_menu_and_the_page_says_so_in_its_address(address: str, page: str, answer: str) -> None:
    async def look() -> None:
        async with Visitor(address) as visitor:
            await visitor.open(page)
            assert visitor.seen.elements["page_link"] > 5
            await visitor.type(SENTENCE)
            assert visitor.seen.elements[answer] > 0
            assert visitor.seen.elements["page_link"] == 0
            assert "Lovelace" in visitor.query
            assert (visitor.seen.exceptions, visitor.seen.alerts) == ([], [])

    anyio.run(look)


def test_an_input_that_the_body_no_longer_draws_leaves_the_address(address: str) -> None:
    async def look() -> None:
        async with Visitor(address) as visitor:
            await visitor.open("Gates", "view=Square&where=text")
            await visitor.set("task", "Entities")
            assert "task=Entities" in visitor.query
            await visitor.press("next-view")
            assert "task=Entities" in visitor.query
            assert "view=Square" not in visitor.query

    anyio.run(look)


def test_a_text_that_a_new_session_gets_before_it_has_drawn_the_page_is_answered(address: str) -> None:
    """As from a browser whose server was started anew while it stood there: it knows the fragment, and the session does not."""

    async def look() -> None:
        async with Visitor(address) as before, Visitor(address, patience=20) as after:
            await before.open("Tagging")
            after.page, after.seen = "Tagging", before.seen
            await after.type(SENTENCE)
            assert "Babbage" in " ".join(after.seen.html)
            assert after.seen.elements["page_link"] > 5  # the whole page
            await after.type("Ducks swim.")
            assert "Ducks" in " ".join(after.seen.html)
            assert after.seen.elements["page_link"] == 0

    anyio.run(look)


@pytest.mark.parametrize(("fragment", "by_clock", "whole"), [("a", False, True), ("a", True, False), ("", False, False)])
def test_only_what_a_visitor_asks_of_a_fragment_is_asked_of_the_page(fragment: str, by_clock: bool, whole: bool) -> None:
    message = BackMsg()
    message.rerun_script.fragment_id, message.rerun_script.is_auto_rerun = fragment, by_clock
    message.rerun_script.query_string = "text=Ducks"
    raw = message.SerializeToString()
    message.rerun_script.fragment_id = "" if whole else fragment
    assert of_the_page(raw) == message.SerializeToString()
    for other in (BackMsg(stop_script=True).SerializeToString(), b"no message at all"):
        assert of_the_page(other) == other
