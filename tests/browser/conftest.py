"""What the tests in a real browser share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driver import PATIENCE, browse, find_browser, serve

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        assert not os.environ.get("CI"), "continuous integration needs a Chromium"
        pytest.skip("no Chromium here: install chromium or google-chrome to take the walk")
    with browse(executable) as found:
        yield found


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """Of an app that the tests of all files share."""
    with serve() as found:
        yield found


@pytest.fixture(scope="package")
def keeper(browser: Browser, address: str) -> Iterator[Page]:
    """A bare page of the app that stays open, so that the app's scripts, once compiled, are there for the pages of all tests.

    To compile them is half the work of a visit. They are kept with the process that draws the pages of a site (driver.py).
    """
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.goto(f"{address}/_stcore/health")
        yield page


@pytest.fixture
def page(keeper: Page) -> Iterator[Page]:
    """A newcomer's page, which must end the test without an uncaught error and without an exception on screen."""
    keeper.context.clear_cookies()
    keeper.evaluate("localStorage.clear()")
    found = keeper.context.new_page()
    uncaught: list[str] = []
    found.on("pageerror", lambda error: uncaught.append(str(error)))
    yield found
    try:
        expect(found.get_by_test_id("stException")).to_have_count(0)
        assert uncaught == []
    finally:
        found.close()
