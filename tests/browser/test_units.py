"""The Units page in a real browser: a unit by link, its colours, the way into Gates, and what can be taken away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.driver import settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.mark.thorough
def test_a_unit_is_found_coloured_and_followed_into_gates(page: Page, address: str) -> None:
    visit(page, f"{address}/Units")
    expect(page.get_by_text("Unit 44 follows quotations")).to_be_visible()
    first = page.locator(".sm-tinted").first
    said, told = (first.locator("span", has_text=word).first for word in ("killed", "running"))
    colours = [one.evaluate("element => getComputedStyle(element).getPropertyValue('--c')") for one in (said, told)]
    assert len(set(colours)) == 2, "inside a quotation and outside"
    assert violations(page) == []
    visit(page, f"{address}/Units?unit=232")
    expect(page.get_by_text("Unit 232 follows place in the passage")).to_be_visible()
    page.get_by_role("link", name="This unit on its first passage").click()
    expect(page).to_have_url(re.compile(r"/Gates\?.*unit=232"))
    settle(page)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
