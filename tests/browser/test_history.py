"""Back and Forward in a real browser: they bring what was on screen, and one change is one entry of the history."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driver import settle, type_into, visit, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

TEXT = "Your text"


def back(page: Page) -> None:
    page.go_back()
    settle(page)


def forward(page: Page) -> None:
    page.go_forward()
    settle(page)


def entries(page: Page) -> int:
    return int(page.evaluate("history.length"))


def expect_entries(page: Page, count: int) -> None:
    """So many and no more, the last of which a busy server may still be about to make."""
    wait_until(page, "count => history.length >= count", count)
    settle(page)
    assert entries(page) == count


def go_to(page: Page, title: str) -> None:
    page.locator(".st-key-menu").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    settle(page)


def shows(page: Page, text: str) -> None:
    """That text is typed in, and each of the three cells has read it."""
    expect(page.get_by_label(TEXT, exact=True)).to_have_value(text)
    words = text.rstrip(".").split()
    expect(page.locator(".sm-word", has_text=re.compile(f"^{words[0]}$")).first).to_be_visible()
    expect(page.get_by_text("Pick at least one cell")).to_have_count(0)


def test_back_and_forward_bring_the_texts_that_were_typed(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging")
    area = page.get_by_label(TEXT, exact=True)
    expect(area).not_to_have_value("")  # it gets its text a moment after it is there
    first = area.input_value()
    before = entries(page)
    type_into(page, TEXT, "Ducks swim.")
    expect_entries(page, before + 1)
    type_into(page, TEXT, "Fish fish fish.")
    expect_entries(page, before + 2)
    back(page)
    shows(page, "Ducks swim.")
    back(page)
    shows(page, first)
    assert "text" not in page.url
    forward(page)
    shows(page, "Ducks swim.")
    forward(page)
    shows(page, "Fish fish fish.")
    expect_entries(page, before + 2)


def test_a_text_that_was_typed_goes_along_to_another_page_in_this_tab_and_in_a_new_one(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging")
    type_into(page, TEXT, "Ducks swim.")
    link = page.locator(".st-key-menu").get_by_role("link", name="Gates")
    with page.context.expect_page() as opened:
        link.click(button="middle")
    settle(opened.value)
    expect(opened.value.get_by_label(TEXT, exact=True)).to_have_value("Ducks swim.")
    go_to(page, "Gates")
    expect(page.get_by_label(TEXT, exact=True)).to_have_value("Ducks swim.")
    assert "Ducks" in page.url
    back(page)
    shows(page, "Ducks swim.")


def test_an_address_that_is_corrected_makes_no_entry_of_its_own(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging?text=Ducks+swim.")
    before = entries(page)
    visit(page, f"{address}/Tagging?text=Fish.&cells=gru&cells=nonsense")
    expect(page).to_have_url(f"{address}/Tagging?text=Fish.&cells=GRU")
    expect_entries(page, before + 1)
    type_into(page, TEXT, "Geese fly.")
    expect_entries(page, before + 2)
    back(page)
    shows(page, "Fish.")


def test_each_choice_is_one_entry_and_back_undoes_it(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging?text=Ada+met+Bob.")
    before = entries(page)
    page.get_by_role("radio", name="Entities").or_(page.get_by_role("button", name="Entities", exact=True)).first.click()
    settle(page)
    expect_entries(page, before + 1)
    expect(page).to_have_url(re.compile("task=Entities"))
    page.get_by_role("button", name="Elman, GRU, LSTM").click()
    page.get_by_role("button", name="GRU", exact=True).click()
    settle(page)
    expect_entries(page, before + 2)
    expect(page.locator(".sm-card b", has_text="GRU")).to_have_count(0)
    back(page)
    assert "cells" not in page.url
    expect(page.locator(".sm-card b", has_text="GRU").first).to_be_attached()
    back(page)
    assert "task" not in page.url
    shows(page, "Ada met Bob.")
    expect(page.get_by_text("PROPN").first).to_be_attached()


def test_back_from_another_page_keeps_the_text(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging?text=Ducks+swim.")
    before = entries(page)
    go_to(page, "Gates")
    expect_entries(page, before + 1)
    expect(page.get_by_label(TEXT, exact=True)).to_have_value("Ducks swim.")
    type_into(page, TEXT, "Fish fish fish.")
    expect_entries(page, before + 2)
    back(page)
    expect(page.get_by_label(TEXT, exact=True)).to_have_value("Ducks swim.")
    back(page)
    expect(page.get_by_role("heading", level=1, name="Tagging")).to_be_visible()
    shows(page, "Ducks swim.")
    forward(page)
    forward(page)
    expect(page.get_by_role("heading", level=1, name="Gates")).to_be_visible()
    expect(page.get_by_label(TEXT, exact=True)).to_have_value("Fish fish fish.")


def test_a_typed_prompt_leaves_the_numbers_in_the_address(page: Page, address: str) -> None:
    visit(page, f"{address}/Language_model?numbers=true&length=5")
    before = entries(page)
    type_into(page, "Prompt", "The people of the")
    expect(page).to_have_url(re.compile("prompt=The"))
    assert "numbers=true" in page.url
    assert "length=5" in page.url
    expect_entries(page, before + 1)


@pytest.mark.thorough
def test_back_in_the_gates_brings_the_word_and_the_view(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=3")
    before = entries(page)
    word = page.locator(".strip button[aria-pressed=true]")
    page.locator(".strip button", has_text="boats").click()
    settle(page)
    expect(word).to_have_text("boats")
    expect_entries(page, before + 1)
    back(page)
    expect(word).to_have_text("man")
    assert "token=3" in page.url
    forward(page)
    expect(word).to_have_text("boats")


def test_a_text_too_long_for_a_link_is_there_again_by_forward(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging?text=Ducks+swim.&cells=gru")
    long = "The old man the boat. " * 300
    type_into(page, TEXT, long)
    expect(page.get_by_text("too long for a link")).to_be_visible()
    assert len(page.url) < 1000
    back(page)
    shows(page, "Ducks swim.")
    forward(page)
    expect(page.get_by_label(TEXT, exact=True)).to_have_value(long)


@pytest.mark.thorough
def test_a_file_stays_over_a_visit_to_another_page_until_it_is_removed(page: Page, address: str, tmp_path: Path) -> None:
    visit(page, f"{address}/Training?settings=task%3Dchar%26source%3Dfile")
    own = tmp_path / "own.txt"
    own.write_text("A dog ran.\n\nA cat sat.\n\n" * 200)
    page.locator(".st-key-training-file input[type=file]").set_input_files(own)
    settle(page)
    expect(page.get_by_text("1,200 words")).to_be_visible()
    go_to(page, "Leaderboard")
    go_to(page, "Training")
    expect(page.get_by_text("1,200 words")).to_be_visible()
    back(page)
    back(page)
    expect(page.get_by_text("1,200 words")).to_be_visible()
    page.get_by_role("button", name="Remove the file").click()
    settle(page)
    expect(page.get_by_text("1,200 words")).to_have_count(0)
