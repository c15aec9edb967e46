"""Gates set by hand in a real browser, and by a network."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.driver import settle, visit, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HEIGHTS = "[...document.querySelectorAll('.js-plotly-plot .barlayer .point path')].map((bar) => bar.getBBox().height)"


def test_a_slider_moves_the_memory_and_the_arrow_keys_step_through_the_signal(page: Page, address: str) -> None:
    visit(page, f"{address}/Gate_by_hand?part=Memory+cell&puzzle=counter")
    page.locator(".js-plotly-plot .barlayer .point path").first.wait_for(state="attached")
    before = page.evaluate(HEIGHTS)
    keep = page.get_by_role("slider", name=re.compile("keep"))
    keep.focus()
    keep.press("End")
    expect(page).to_have_url(re.compile("counter-mu=1"))
    settle(page)
    wait_until(page, f"(before) => JSON.stringify({HEIGHTS}) !== JSON.stringify(before)", arg=before)
    page.locator(".strip button").nth(3).click()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("step=5"))
    settle(page)
    assert violations(page) == []


@pytest.mark.thorough
def test_a_network_finds_the_gates_and_stands_in_the_diagram(page: Page, address: str) -> None:
    visit(page, f"{address}/Gate_by_hand")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("radio", name="Counter").or_(page.get_by_role("button", name="Counter", exact=True)).first.click()
    settle(page)
    page.get_by_role("button", name="Let a network find it").click()
    expect(page.get_by_text("of the same 200 signals")).to_be_visible()
    visit(page, f"{address}/Gate_by_hand?part=Inside+a+cell&puzzle=counter&inside=gated_forget&find=yes")
    expect(page.get_by_text("trained on this puzzle")).to_be_visible()
    expect(page.locator(".st-key-hand-circuit .js-plotly-plot .main-svg").first).to_be_visible()
    assert violations(page) == []
