"""The body of a page is drawn alone where one of its inputs has changed, and the address and the pages around it know of that."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from tests.browser.driver import ROOT, Server
from tests.visiting import Visitor

SENTENCE = "Ada Lovelace met Charles Babbage."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server(ROOT)
    yield started
    started.stop()


@pytest.mark.parametrize(("page", "answer"), [("", "html"), ("Tagging", "html"), ("Gates", "plotly_chart")])
def test_a_new_text_is_answered_without_the_menu_and_the_page_says_so_in_its_address(
    server: Server, page: str, answer: str
) -> None:
    async def look() -> None:
        async with Visitor(server.address) as visitor:
            await visitor.open(page)
            assert visitor.seen.elements["page_link"] > 5
            await visitor.type(SENTENCE)
            assert visitor.seen.elements[answer] > 0
            assert visitor.seen.elements["page_link"] == 0
            assert "Lovelace" in visitor.query
            assert (visitor.seen.exceptions, visitor.seen.alerts) == ([], [])

    anyio.run(look)


def test_an_input_that_the_body_no_longer_draws_leaves_the_address(server: Server) -> None:
    async def look() -> None:
        async with Visitor(server.address) as visitor:
            await visitor.open("Gates", "view=Square&where=text")
            await visitor.set("task", "Entities")
            assert "task=Entities" in visitor.query
            await visitor.press("next-view")
            assert "task=Entities" in visitor.query
            assert "view=Square" not in visitor.query

    anyio.run(look)
