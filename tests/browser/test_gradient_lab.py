"""The Gradient lab in a real browser: knobs move the picture, a click sets the start of a descent, Play goes through it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import SCHEMES, violations
from tests.browser.driver import colour, settle, visit, wait_until
from tests.browser.test_layout import half_in_sight
from tests.conftest import thorough_but

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PARTS = ("Through+time", "The+wall", "One+update")
LINES = (
    "graph => JSON.stringify(graph._fullData.filter(trace => trace.mode === 'lines')"
    ".map(trace => Array.from(trace.y).slice(0, 20)))"
)


@pytest.mark.thorough
def test_a_slider_moves_the_lines(page: Page, address: str) -> None:
    visit(page, f"{address}/Gradient_lab")
    lines = page.locator(".js-plotly-plot").first
    before = lines.evaluate(LINES)
    page.get_by_role("slider", name="Gain of U").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("gain=0.95"))
    settle(page)
    assert lines.evaluate(LINES) != before


@pytest.mark.thorough
def test_a_slider_that_is_moved_faster_than_the_page_answers_ends_where_it_was_left(page: Page, address: str) -> None:
    visit(page, f"{address}/Gradient_lab?part=One+update")
    page.get_by_role("slider", name="Learning rate").focus()
    for _ in range(3):
        for key in ("ArrowLeft", "ArrowLeft", "ArrowRight") * 6:
            page.keyboard.press(key, delay=40)
    expect(page.locator(".st-key-pace").get_by_test_id("stSliderThumbValue")).to_have_text("0.012")
    expect(page).to_have_url(re.compile(r"pace=0\.012"))
    settle(page)


def test_a_click_on_the_wall_starts_there_and_play_goes_through_the_updates(page: Page, address: str) -> None:
    visit(page, f"{address}/Gradient_lab?part=The+wall")
    ground = page.locator(".js-plotly-plot .nsewdrag").first
    ground.wait_for()
    box = ground.bounding_box()
    assert box is not None
    ground.click(position={"x": 0.3 * box["width"], "y": 0.3 * box["height"]})
    expect(page).to_have_url(re.compile(r"w=2\.\d&b=-1\.\d"))
    settle(page)
    points = "graph => graph._fullData[1].x.length"
    graph = page.locator(".js-plotly-plot").first
    assert graph.evaluate(points) == 31
    page.get_by_text("Play", exact=False).first.click()
    wait_until(page, f"() => ({points})(document.querySelector('.js-plotly-plot')) < 31")
    wait_until(page, f"() => ({points})(document.querySelector('.js-plotly-plot')) > 3")


@pytest.mark.parametrize("part", thorough_but(PARTS, "Through+time"))
def test_each_part_is_in_sight_whole_on_a_phone_and_open_to_all(page: Page, address: str, part: str) -> None:
    visit(page, f"{address}/Gradient_lab?part={part}")
    for width, height in ((1440, 900), (960, 540)):
        page.set_viewport_size({"width": width, "height": height})
        half_in_sight(page, ".js-plotly-plot")
    page.set_viewport_size({"width": 390, "height": 844})
    wait_until(
        page, "() => [...document.querySelectorAll('[data-testid=stMain]')].every(box => box.scrollWidth <= box.clientWidth)"
    )
    for scheme in SCHEMES:
        colour(page, scheme)
        assert violations(page) == []
