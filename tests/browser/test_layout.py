"""What is in sight without scrolling, on a projector and on laptops; and the stage, where only the result is left."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from pages.explorer import VIEWS
from tests.browser.accessibility import violations
from tests.browser.driver import settle, wait_until
from tests.browser.driver import visit as go
from tests.conftest import thorough_but

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PROJECTOR, PHONE = (960, 540), (390, 844)
SCREENS = ((1440, 900), (1280, 720), PROJECTOR)
MOST_HEADER = 150  # pixels from the top of a page of 960 pixels' width to the end of its inputs
LOWEST_ROW = 900  # pixels of a page at which three pictures still stand beside each other
PICTURES = {"": ".sm-strip", "Tagging": ".sm-strip", "Tagging?task=ner": ".sm-strip", "Language_model": ".surprisal"}
PICTURES |= {
    "Language_model?read=names": "ol.sm-names",
    "Leaderboard": ".stPlotlyChart",
    "Training": "canvas",
}
PICTURES |= {f"Gate_by_hand?part={part}": ".stPlotlyChart" for part in ("Switch", "Memory+cell", "Inside+a+cell")}
PICTURES |= dict.fromkeys(("Memory_lab", "Gradient_lab", "Five_tips"), ".stPlotlyChart") | {"Units": "canvas"}
VIEW_PICTURES = dict.fromkeys(VIEWS, ".stPlotlyChart")
VIEW_PICTURES |= {"Equation": ".sm-numbers", "Moments": ".sm-passages li", "Surgery": ".sm-strip, .stPlotlyChart"}


def visit(page: Page, url: str, size: tuple[int, int] = PROJECTOR) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    go(page, url)


def box(found: Locator) -> FloatRect:
    found.wait_for()
    settled = found.bounding_box()
    assert settled is not None
    return settled


def half_in_sight(page: Page, picture: str) -> None:
    """Once the page has come to rest, at least half of the first such picture is above the lower edge."""
    page.locator(picture).first.wait_for()
    inside = "picture => { const box = document.querySelector(picture).getBoundingClientRect(); "
    inside += "return box.height > 0 && box.top + box.height / 2 <= window.innerHeight }"
    wait_until(page, inside, picture, timeout=10_000)


def half_in_sight_on_every_screen(page: Page, picture: str) -> None:
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        half_in_sight(page, picture)


@pytest.mark.parametrize("place", thorough_but(PICTURES, "Tagging", "Leaderboard"))
def test_half_of_the_picture_is_in_sight_on_every_screen(page: Page, address: str, place: str) -> None:
    visit(page, f"{address}/{place}")
    half_in_sight_on_every_screen(page, PICTURES[place])


@pytest.mark.parametrize(
    "place", thorough_but(["", "Tagging", "Language_model", "Gates", "Gate_by_hand?part=Memory+cell"], "Gates")
)
def test_the_inputs_leave_the_page_to_the_result(page: Page, address: str, place: str) -> None:
    visit(page, f"{address}/{place}")
    page.locator(".st-key-header").wait_for()
    # once it has come to rest: what is above it may still be taller for a moment
    ends = "most => document.querySelector('.st-key-header').getBoundingClientRect().bottom <= most"
    wait_until(page, ends, MOST_HEADER, timeout=10_000)


@pytest.mark.parametrize("view", thorough_but(["Heatmaps", "Survival", "Gap"], "Survival"))
def test_three_pictures_stand_in_one_row_down_to_900_pixels(page: Page, address: str, view: str) -> None:
    visit(page, f"{address}/Gates?view={view}&cells=elman&cells=gru&cells=lstm", (LOWEST_ROW, 600))
    row = page.locator("[class*=st-key-gates-pictures-]").first.locator(":scope > *")
    assert len({round(box(row.nth(one))["y"]) for one in range(3)}) == 1


def test_the_words_stay_in_sight_above_their_picture(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?view=Heatmaps")
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 500)")
    words = box(page.locator(".strip"))
    assert 0 <= words["y"] < 40
    page.locator(".strip button").first.click()
    settle(page)
    expect(page.locator(".strip button[aria-pressed=true]")).to_have_attribute("data-position", "0")


def test_on_a_phone_each_line_of_a_strip_names_its_rows(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging", PHONE)
    lines: dict[int, FloatRect] = {}
    for tag in page.locator(".sm-word + .sm-tag").all():
        found = box(tag)
        lines.setdefault(round(found["y"]), found)
    start = box(page.locator(".sm-sentence").first)["x"]
    assert len(lines) > 1

    def shown(y: float) -> bytes:
        return page.screenshot(clip={"x": round(start), "y": round(y), "width": 30, "height": 20})

    for line in lines.values():
        beside_the_words, beside_the_tags = shown(line["y"] - 22), shown(line["y"])
        assert beside_the_words != beside_the_tags, "the room beside the words is empty, and there is a name beside the tags"


@pytest.mark.parametrize("place", ["Language_model", "Gates?view=Heatmaps"])
def test_on_a_phone_the_menu_of_pages_and_an_open_menu_are_whole(page: Page, address: str, place: str) -> None:
    visit(page, f"{address}/{place}", PHONE)
    whole = "menu => [menu, ...menu.querySelectorAll('.st-key-here *')].every((part) => part.scrollWidth <= part.clientWidth + 1)"
    assert page.locator(".st-key-menu").evaluate(whole)
    page.locator(".st-key-header").get_by_role("button", name="View:" if "Gates" in place else "Examples").click()
    for entry in page.get_by_role("menuitem").all():
        found = box(entry)
        assert found["x"] >= 0
        assert found["x"] + found["width"] <= PHONE[0]


def test_on_a_stage_only_the_result_is_left_and_keys_turn_the_views(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?view=Square&stage=true")
    expect(page.locator(".st-key-header")).to_be_hidden()
    expect(page.get_by_role("link", name="Tagging")).to_be_hidden()
    before = page.locator(".strip button[aria-pressed=true]").inner_text()
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert page.locator(".strip button[aria-pressed=true]").inner_text() != before
    page.keyboard.press("PageDown")
    settle(page)
    assert f"view={list(VIEWS)[1]}" in page.url
    page.keyboard.press("PageUp")
    settle(page)
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('.st-key-stage input')"):  # an endless walk ends with the test's time
        assert page.evaluate("document.activeElement.matches('body, a, main, .tool')"), "the exit comes before all that is shown"
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    settle(page)
    expect(page.locator(".st-key-header")).to_be_visible()
    assert "stage" not in page.url


@pytest.mark.thorough
def test_on_a_stage_pictures_grow_with_the_type_and_still_answer_the_pointer(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?view=Regimes&text=The+old+man+the+boats.&cells=gru&stage=true", (1920, 1080))
    plots = page.locator("[class*=st-key-gates-pictures-] .js-plotly-plot")
    letters, exit_ = box(plots.first.locator(".xtick text").first)["height"], box(page.locator(".st-key-stage"))
    area = plots.first.locator(".nsewdrag")
    surface = box(area)
    assert exit_["y"] + exit_["height"] <= box(page.locator(".strip"))["y"], "the way back lies over nothing"
    assert violations(page) == []
    wait_until(
        page,
        "() => { const [one, two] = [...document.querySelectorAll('.stPlotlyChart')].map((chart) => "
        "chart.querySelector('.svg-container').getBoundingClientRect()); return one.bottom <= two.top && two.right <= innerWidth }",
    )
    area.hover(position={"x": surface["width"] * 4.5 / 6, "y": surface["height"] / 2})
    expect(plots.first.locator(".hoverlayer .hovertext")).to_contain_text("boats")
    visit(page, f"{address}/Gates?view=Regimes&text=The+old+man+the+boats.&cells=gru", (1920, 1080))
    assert letters > 1.5 * box(plots.first.locator(".xtick text").first)["height"]


def test_on_a_stage_no_picture_covers_what_stands_below_it(page: Page, address: str) -> None:
    visit(page, f"{address}/Language_model?stage=true", (1920, 1080))
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    wait_until(
        page,
        "() => [...document.querySelectorAll('[class*=st-key-written-]')].every((panel) => "
        "panel.querySelector('.js-plotly-plot').getBoundingClientRect().bottom <= "
        "panel.querySelector('.surprisal').getBoundingClientRect().top)",
        timeout=10_000,
    )


@pytest.mark.thorough
def test_on_a_stage_the_curves_of_a_training_grow_too(page: Page, address: str) -> None:
    tall = []
    for stage in ("false", "true"):
        visit(page, f"{address}/Training?stage={stage}", (1920, 1080))
        chart = page.locator(".st-key-recorded-loss .stEChartsChart")
        expect(chart.locator("svg" if stage == "true" else "canvas").first).to_be_visible()
        for button in ("It explodes", "Start"):
            expect(page.get_by_role("button", name=button, exact=True)).to_be_visible(visible=stage == "false")
        tall.append(box(chart)["height"])
    assert tall[1] > 1.5 * tall[0]
    text = box(page.get_by_text("The same network, the same data"))
    assert text["y"] >= box(chart)["y"] + tall[1] - 1


def test_on_a_phone_what_goes_on_sideways_fades_out_where_it_does(page: Page, address: str) -> None:
    visit(page, f"{address}/Gate_by_hand?part=Inside+a+cell", PHONE)
    diagram = page.locator(".st-key-hand-circuit")
    diagram.locator(".main-svg").first.wait_for()
    faded = "getComputedStyle(document.querySelector('.st-key-hand-circuit')).maskImage"
    wait_until(page, f"{faded}.includes('to left')")
    diagram.evaluate("circuit => circuit.scrollTo(circuit.scrollWidth, 0)")
    wait_until(page, f"!{faded}.includes('to left')")
    page.set_viewport_size({"width": 1440, "height": 900})
    wait_until(page, f"{faded} === 'none'")


def test_once_the_stage_is_switched_on_the_arrow_keys_move_the_word(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=3")
    page.get_by_text("Stage", exact=True).click()
    settle(page)
    assert page.evaluate("document.activeElement.type") == "checkbox"
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".strip button[aria-pressed=true]")).to_have_text("old")


def test_the_theme_is_switched_for_all_pages_and_stays(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging")
    ground = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    light = page.evaluate(ground)
    with page.expect_navigation():
        page.get_by_role("button", name="Light or dark").click()
    settle(page)
    dark = page.evaluate(ground)
    assert dark != light
    visit(page, f"{address}/Gates")
    assert page.evaluate(ground) == dark


def test_a_newcomer_sees_what_is_remembered_within_three_clicks_and_without_scrolling(page: Page, address: str) -> None:
    visit(page, address)
    page.locator(".st-key-menu").get_by_role("link", name="Gates").click()
    settle(page)
    page.get_by_role("button", name="View:").click()
    page.get_by_role("menuitem", name="Survival").click()
    settle(page)
    expect(page.get_by_test_id("stMain")).to_contain_text("is left at")
    half_in_sight(page, VIEW_PICTURES["Survival"])


def test_on_a_projector_ten_names_of_each_model_are_in_sight(page: Page, address: str) -> None:
    visit(page, f"{address}/Language_model?read=names&language=Russian&other=Italian")
    names = page.locator("ol.sm-names li")
    expect(names).to_have_count(30)
    lowest = box(names.last)
    assert lowest["y"] + lowest["height"] <= PROJECTOR[1]
