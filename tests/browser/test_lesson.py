"""The lesson in a real browser: from first to last step by its links, with a prediction at each; on a stage, and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from pages.common import lesson
from tests.browser.accessibility import violations
from tests.browser.driver import settle, visit, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PROJECTOR, PHONE = ViewportSize(width=960, height=540), ViewportSize(width=390, height=844)
SEEN = """() => [...document.querySelectorAll('.stMainBlockContainer :is(.stMarkdown, label)')].filter(part =>
  !part.closest('.st-key-lesson, .st-key-header, .st-key-menu, .st-key-page-title') &&
  part.checkVisibility({opacityProperty: true, visibilityProperty: true})).map(part => part.innerText)"""
HAPPENS = "document.querySelector('.st-key-lesson-happens')"
SHOWN = ".sm-strip, .stPlotlyChart, .sm-numbers"  # what a step is about


def way(page: Page, place: str) -> Locator:
    return page.locator(f".st-key-lesson-{place} a")


def follow(page: Page, place: str, at: str) -> None:
    """Go to the next or previous place, and wait until the bar says that it is there."""
    way(page, place).click()
    expect(page.locator(".st-key-lesson summary")).to_contain_text(at)
    settle(page)


def predict(page: Page, step: lesson.Step, number: int) -> None:
    """Make a prediction: what is shown can't be seen before, and afterwards it can."""
    shown = page.get_by_test_id("stMain").locator(SHOWN).first
    assert page.evaluate(SEEN) == []  # no sentence that tells the answer
    if step.path != "pages/4_Training.py":  # which draws its curves in canvases
        expect(shown).to_be_attached()
        expect(shown).to_be_hidden()
    page.locator(f".st-key-lesson-choice-{number} button").click()
    settle(page)
    expect(page.locator(".st-key-lesson-choices")).to_have_count(0)
    if step.path != "pages/4_Training.py":
        expect(shown).to_be_visible()
    expect(page.locator(".st-key-lesson")).to_contain_text("As you said:" if number == step.right else "You said")
    wait_until(page, f"!!{HAPPENS}?.contains(document.activeElement)")


@pytest.mark.thorough
def test_a_walk_from_the_first_step_to_the_last_by_its_links_meets_no_dead_end(page: Page, address: str) -> None:
    page.set_viewport_size(PROJECTOR)
    visit(page, address)
    page.get_by_role("link", name="Start the lesson").click()
    for number, (name, place) in enumerate(lesson.PLACES.items()):
        if number:
            follow(page, "next", place.title)
        expect(page.locator(".st-key-lesson summary")).to_contain_text(place.title)
        settle(page)
        assert re.search(rf"[?&]lesson={name}(&|$)", page.url)
        expect(page.get_by_text("Something went wrong")).to_have_count(0)
        expect(page.get_by_text("that is not here")).to_have_count(0)
        if isinstance(place, lesson.Step):
            predict(page, place, number % len(place.choices))
    page.get_by_role("link", name="Finish").click()
    expect(page.get_by_text("Steps, 13 of 13 done")).to_be_visible()
    assert "lesson" not in page.url
    page.reload()
    expect(page.get_by_text("Steps, 13 of 13 done")).to_be_visible()


@pytest.mark.thorough
def test_back_brings_the_step_before_on_the_same_page(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?view=Square&lesson=2")
    follow(page, "next", lesson.STEPS[2].title)
    page.locator(".st-key-lesson-skip button").click()
    settle(page)
    expect(page.locator(".st-key-lesson summary")).to_contain_text(lesson.STEPS[2].title)
    page.go_back()
    expect(page.locator(".st-key-lesson summary")).to_contain_text(lesson.STEPS[1].title)
    settle(page)
    expect(page.get_by_role("button", name="View: Square")).to_be_visible()


@pytest.mark.thorough
def test_on_a_stage_the_keys_turn_the_steps_and_on_a_phone_the_bar_fits(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?view=Square&lesson=2&stage=true")
    page.locator(".st-key-lesson-skip button").click()
    settle(page)
    page.keyboard.press("PageDown")
    expect(page.locator(".st-key-lesson summary")).to_contain_text(lesson.STEPS[2].title)
    settle(page)
    page.keyboard.press("PageUp")
    expect(page.locator(".st-key-lesson summary")).to_contain_text(lesson.STEPS[1].title)
    settle(page)
    page.keyboard.press("Escape")
    settle(page)
    page.set_viewport_size(PHONE)
    for inside in (".st-key-lesson", "[data-testid=stMain]"):
        assert page.locator(inside).evaluate("part => part.scrollWidth <= part.clientWidth + 1")
    follow(page, "next", lesson.STEPS[2].title)
    wait_until(page, "document.activeElement.matches('.st-key-lesson summary')")
    page.locator(".st-key-lesson-skip button").press("Enter")
    wait_until(page, f"!!{HAPPENS}?.contains(document.activeElement)")
    wait_until(page, "document.querySelector('.stMainBlockContainer .stPlotlyChart').getBoundingClientRect().top < innerHeight / 2")
    presses = 0
    while not way(page, "next").evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
        presses += 1
        assert presses <= 6
    page.locator(".st-key-lesson summary").click()
    wait_until(page, "document.querySelector('.st-key-lesson').getBoundingClientRect().height < 60")
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 400)")
    assert -1 <= page.locator(".st-key-lesson").evaluate("bar => bar.getBoundingClientRect().top") < 10


@pytest.mark.parametrize("place", ["Tagging?lesson=1", "Tagging?lesson=exercise-1", "Glossary?term=half-life"])
def test_axe_finds_nothing_in_the_bar_and_the_glossary(page: Page, address: str, place: str) -> None:
    visit(page, f"{address}/{place}")
    assert violations(page) == []


def test_a_term_on_a_page_opens_its_entry_and_a_search_finds_one(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?view=Survival")
    link = page.get_by_test_id("stMain").locator("a[href*='Glossary?term=']").first
    title = link.inner_text()
    visit(page, f"{address}/{link.get_attribute('href')}")
    expect(page.locator(".st-key-glossary-entry")).to_contain_text(re.compile(re.escape(title[:4]), re.IGNORECASE))
    page.get_by_label("Search the glossary").fill("clipping")
    page.keyboard.press("Enter")
    settle(page)
    expect(page.locator(".st-key-glossary-entry h2")).to_have_text("Clipping")
