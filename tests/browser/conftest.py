"""What the tests in a real browser share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driver import PATIENCE, browse, find_browser, serve

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        assert not os.environ.get("CI"), "continuous integration needs a Chromium"
        pytest.skip("no Chromium here: install chromium or google-chrome to take the walk")
    with browse(executable) as found:
        yield found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of an app that the tests of a file share."""
    with serve() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must end the test without an uncaught error and without an exception on screen."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        found = context.new_page()
        uncaught: list[str] = []
        found.on("pageerror", lambda error: uncaught.append(str(error)))
        yield found
        expect(found.get_by_test_id("stException")).to_have_count(0)
        assert uncaught == []
