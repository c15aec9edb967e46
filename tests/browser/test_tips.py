"""Five tips in a real browser: each tip is a click away, and a training opens on the Training page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import SCHEMES, violations
from tests.browser.driver import colour, settle, visit, wait_until
from tests.browser.test_layout import half_in_sight

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
]


@pytest.mark.thorough
def test_each_tip_is_a_click_away_and_in_sight_on_a_projector(page: Page, address: str) -> None:
    visit(page, f"{address}/Five_tips")
    page.set_viewport_size({"width": 960, "height": 540})
    for tip in ("2 GRU", "3 Adam", "4 Clipping", "5 Stopping", "Slips"):
        page.get_by_role("radio", name=tip).or_(page.get_by_role("button", name=tip, exact=True)).first.click()
        expect(page).to_have_url(re.compile("tip="))
        settle(page)
        half_in_sight(page, ".stPlotlyChart")
    page.set_viewport_size({"width": 390, "height": 844})
    wait_until(
        page, "() => [...document.querySelectorAll('[data-testid=stMain]')].every(box => box.scrollWidth <= box.clientWidth)"
    )


def test_a_training_opens_with_its_settings(page: Page, address: str) -> None:
    visit(page, f"{address}/Five_tips?tip=clipping")
    page.get_by_role("link", name="seed 2").first.click()
    expect(page).to_have_url(re.compile(r"Training\?settings=.*optimizer%3Dsgd.*seed%3D2"))
    settle(page)
    assert page.get_by_test_id("stException").count() == 0


@pytest.mark.thorough
def test_axe_finds_nothing(page: Page, address: str) -> None:
    visit(page, f"{address}/Five_tips?tip=slips")
    for scheme in SCHEMES:
        colour(page, scheme)
        assert violations(page) == []
