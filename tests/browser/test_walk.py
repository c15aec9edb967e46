"""A walk through the running app in a real browser: type, see tags, see a continuation, see gates, follow a shared link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from pages.explorer import VIEWS
from tests.browser.accessibility import SCHEMES, violations
from tests.browser.driver import colour, settle, take, type_into, visit, wait_until
from tests.browser.test_layout import PHONE, PROJECTOR, VIEW_PICTURES, half_in_sight, half_in_sight_on_every_screen
from tests.conftest import thorough_but

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PAGES = ("", "Tagging", "Language_model", "Gates", "Leaderboard")
# no scrolling sideways; plotly gives a picture its width a moment after it is there
BOXES = "[data-testid=stMain], .stElementContainer:has(.stPlotlyChart)"
FITS = "boxes => [...document.querySelectorAll(boxes)].every(box => box.scrollWidth <= box.clientWidth)"
LEGEND_ABOVE = """plot => plot.querySelector('.legend').getBoundingClientRect().bottom
  <= plot.querySelector('.nsewdrag').getBoundingClientRect().top + 1"""
HARMLESS = ("_stcore/health", "_stcore/host-config", "favicon")  # what Streamlit itself asks for in vain below a deep link
PROMPT = "God bless you, and God bless the United States of"
HOSTILE = "<b>bold</b> <script>document.title='broken'</script> שלום 😀 \x07 &amp;"


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that must also end the test without an error on its console."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in f"{message.text} {message.location}" for part in HARMLESS):
            complaints.append(message.text)

    page.on("console", listen)
    yield page
    assert complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_a_worked_example_at_first_paint(page: Page, address: str, name: str) -> None:
    visit(page, f"{address}/{name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stMain")).not_to_contain_text("Traceback")
    assert len(page.get_by_test_id("stMain").inner_text()) > 300


def test_a_typed_sentence_gets_its_tags_and_entities(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging")
    type_into(page, "Your text", "John Smith lives in Berlin.")
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("PROPN")
    page.get_by_role("radio", name="Entities").or_(page.get_by_role("button", name="Entities", exact=True)).first.click()
    settle(page)
    expect(main).to_contain_text("PER")
    expect(main).to_contain_text("LOC")


def test_enter_answers_and_shift_enter_breaks_a_line_and_nothing_is_read(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging?text=Dogs+bark.")
    area, words = page.get_by_label("Your text", exact=True), page.locator(".sm-word")
    expect(words).to_have_text(["Dogs", "bark", "."])
    area.fill("Ducks swim.")
    area.press("Shift+Enter")
    page.keyboard.type("Fish too.")
    expect(area).to_have_value("Ducks swim.\nFish too.")
    page.wait_for_timeout(1500)  # as long as an answer takes, and longer
    settle(page)
    expect(words).to_have_text(["Dogs", "bark", "."])
    area.press("Enter")
    expect(words).to_have_text(["Ducks", "swim", ".", "Fish", "too", "."])
    expect(area).to_have_value("Ducks swim.\nFish too.")  # Enter has broken no line


@pytest.mark.parametrize(
    ("name", "label", "action"),
    [("Tagging", "Your text", "Tag"), ("Gates", "Your text", "Look inside"), ("Language_model", "Prompt", "Continue")],
)
def test_one_click_on_the_button_answers(page: Page, address: str, name: str, label: str, action: str) -> None:
    visit(page, f"{address}/{name}")
    page.get_by_label(label, exact=True).fill("Ducks swim quietly")
    page.get_by_role("button", name=action, exact=True).click()
    expect(page).to_have_url(re.compile("=Ducks"))
    settle(page)
    expect(page.locator(".sm-word, .strip button, p.surprisal").filter(has_text="quietly").first).to_be_visible()


@pytest.mark.parametrize(("name", "label"), [("Tagging", "Your text"), ("Language_model", "Prompt")])
def test_an_example_from_the_menu_is_read_and_told_about(page: Page, address: str, name: str, label: str) -> None:
    visit(page, f"{address}/{name}")
    area = page.get_by_label(label, exact=True)
    expect(area).not_to_have_value("")  # it gets its text a moment after it is there
    before = area.input_value()
    page.get_by_role("button", name="Examples", exact=True).click()
    example = page.get_by_role("menuitem").nth(2).inner_text()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem")).to_have_count(0)
    take(page, example)
    expect(area).not_to_have_value(before)
    expect(area).not_to_have_value("")
    word = area.input_value().split()[1]
    expect(page.locator(".sm-word, p.surprisal").filter(has_text=word).first).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text(f"{example}: ")


def test_a_prompt_is_continued_and_its_next_words_are_shown(page: Page, address: str) -> None:
    visit(page, f"{address}/Language_model")
    type_into(page, "Prompt", PROMPT)
    written = page.get_by_text(PROMPT).locator("xpath=ancestor-or-self::p[contains(@class, 'surprisal')]")
    expect(written).to_have_count(3)
    assert all(len(text.split()) > 30 for text in written.all_inner_texts()), "each goes on for forty words and marks"
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text("America")


def test_sliders_that_are_first_seen_after_an_answer_stand_where_it_left_them(page: Page, address: str) -> None:
    visit(page, f"{address}/Language_model?temperature=0.8")
    type_into(page, "Prompt", PROMPT)
    page.get_by_role("button", name="Settings").click()
    slider = page.get_by_test_id("stSlider").filter(has_text="Temperature")
    expect(slider.get_by_role("slider")).to_have_value("0.8")


def test_each_press_draws_another_text_also_once_the_settings_were_open(page: Page, address: str) -> None:
    visit(page, f"{address}/Language_model?cells=gru&length=5")
    menu = page.get_by_role("button", name="Settings")
    menu.click()
    slider = page.get_by_test_id("stSlider").filter(has_text="Seed").get_by_role("slider")
    expect(slider).to_have_value("7")
    menu.click()
    for seed in (8, 9, 10):
        page.get_by_role("button", name="Another text").click()
        expect(page).to_have_url(re.compile(f"seed={seed}"))
        settle(page)
    page.get_by_text("Numbers").first.click()
    expect(page).to_have_url(re.compile("numbers=true.*seed=10|seed=10.*numbers=true"))
    menu.click()
    expect(slider).to_have_value("10")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("seed=11"))


def test_a_sentence_shows_the_heatmaps_of_its_gates(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?view=Heatmaps")
    type_into(page, "Your text", "The old man the boats.")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert page.locator(".js-plotly-plot .heatmaplayer").count() >= 3, "a picture for each of the three cells"


def test_arrow_keys_and_clicks_move_the_selected_word_and_the_address_follows(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=3")
    word = page.locator(".strip button[aria-pressed=true]")
    expect(word).to_have_text("man")
    page.keyboard.press("ArrowRight")
    expect(word).to_have_text("the")
    expect(page).to_have_url(re.compile("token=4"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(word).to_have_text("old")
    page.locator(".strip button", has_text="boats").click()
    expect(page).to_have_url(re.compile("token=5"))
    settle(page)


@pytest.mark.parametrize(
    ("token", "key", "back"),
    thorough_but([("1", "ArrowLeft", "ArrowRight"), ("6", "ArrowRight", "ArrowLeft")], ("6", "ArrowRight", "ArrowLeft")),
)
def test_beyond_the_first_and_the_last_word_there_is_none(page: Page, address: str, token: str, key: str, back: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token={token}")
    word = page.locator(".strip button[aria-pressed=true]")
    here = word.inner_text()
    page.keyboard.press(key)
    page.keyboard.press(key)
    settle(page)
    expect(word).to_have_text(here)
    assert f"token={token}" in page.url
    page.keyboard.press(back)  # the presses at the end count for nothing
    expect(word).to_have_text("old" if token == "1" else "boats")


@pytest.mark.thorough
def test_the_menu_of_views_and_the_buttons_beside_it_turn_to_another_view(page: Page, address: str) -> None:
    first, second, third, *_, last = VIEWS
    visit(page, f"{address}/Gates")
    page.get_by_role("button", name=f"View: {first}").click()
    page.get_by_role("menuitem", name=third).click()
    expect(page).to_have_url(re.compile(f"view={third}"))
    settle(page)
    page.locator(".st-key-previous-view button").first.click()
    expect(page).to_have_url(re.compile(f"view={second}"))
    expect(page.get_by_role("button", name=f"View: {second}")).to_be_visible()
    visit(page, f"{address}/Gates?view={last}")
    page.locator(".st-key-next-view button").first.click()
    expect(page.get_by_role("button", name=f"View: {first}")).to_be_visible()


@pytest.mark.thorough
def test_play_walks_through_the_words_to_the_end_and_a_second_press_stops_it(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=4")
    word = page.locator(".strip button[aria-pressed=true]")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(word).to_have_text("boats")
    expect(word).to_have_text(".")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("token=6"))
    page.get_by_role("button", name="Play", exact=True).click()
    expect(word).to_have_text("The")
    page.get_by_role("button", name="Stop", exact=True).click()
    stopped = word.inner_text()
    page.wait_for_timeout(3000)
    settle(page)
    expect(word).to_have_text(stopped)


@pytest.mark.parametrize("view", thorough_but(["Heatmaps", "Equation", "Ledger", "Regimes"], "Heatmaps"))
def test_a_click_on_a_picture_selects_its_word_and_its_unit(page: Page, address: str, view: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=3&cells=gru&view={view}")
    plot = page.locator(".js-plotly-plot").first
    plot.scroll_into_view_if_needed()
    area = plot.locator(".nsewdrag").first
    box = area.bounding_box()
    assert box is not None
    area.click(
        position={"x": box["width"] * 0.5 / 6, "y": box["height"] * 4.5 / 6}
    )  # the first of six words, and the fifth of six rows
    expect(page.locator(".strip button[aria-pressed=true]")).to_have_text("boats" if view == "Ledger" else "The")
    expect(page).to_have_url(re.compile(r"unit=\d" if view in ("Heatmaps", "Equation") else "token="))


def test_a_click_on_a_point_of_the_square_selects_its_unit(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=3&cells=elman&view=Square")  # all units at keep 0, write 1
    area = page.locator(".js-plotly-plot .nsewdrag").first
    box = area.bounding_box()
    assert box is not None
    area.click(position={"x": box["width"] * 0.06 / 1.12, "y": box["height"] * 0.06 / 1.12})
    expect(page).to_have_url(re.compile(r"unit=\d"))


def test_pointing_at_a_word_in_a_picture_points_at_it_in_the_pictures_beside_it(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&view=Regimes")
    plots = page.locator("[class*=st-key-gates-pictures-regimes] .js-plotly-plot")
    plots.first.scroll_into_view_if_needed()
    area = plots.first.locator(".nsewdrag")
    box = area.bounding_box()
    assert box is not None
    area.hover(position={"x": box["width"] * 2.5 / 6, "y": box["height"] / 2})
    for number in range(3):
        expect(plots.nth(number).locator(".hoverlayer .hovertext")).to_contain_text("man")
    page.mouse.move(1, 1)
    expect(plots.locator(".hoverlayer .hovertext")).to_have_count(0)


def test_the_tab_key_reaches_every_control_in_its_order_and_the_words_are_one_stop(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=3&view=Square")
    page.locator(".st-key-menu a").first.focus()
    name = "(one => one.ariaLabel || one.querySelector('p')?.textContent || one.textContent)(document.activeElement)"
    reached = [page.evaluate(name)]
    for _ in range(21):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(name))
        if reached[-1] == "Tagging":
            style = "name => (({outlineStyle, backgroundColor}) => [outlineStyle, backgroundColor])(getComputedStyle("
            style += "[...document.querySelectorAll('.st-key-menu a')].find(link => link.textContent.includes(name))))"
            (ring, fill), (no_ring, mark) = page.evaluate(style, "Tagging"), page.evaluate(style, "Gates")
            assert (ring, no_ring) == ("solid", "none")
            assert fill != mark
    menu = ["Overview", "Tagging", "Language model", "Gates", "Training", "Leaderboard", "Learn"]
    tools = ["Copy link", "Light or dark", "Stage", "Help for Stage"]
    inputs = ["Your text", "Look inside", "Examples", "Task", "Elman, GRU, LSTM", "View: Square", "Previous view", "Next view"]
    assert reached == [*menu, *tools, *inputs, "Settings", "man", "Play"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".strip button:focus")).to_have_text("the")


def test_arrow_keys_in_the_text_move_the_cursor_and_nothing_else(page: Page, address: str) -> None:
    visit(page, f"{address}/Gates?text=The+old+man+the+boats.&token=3")
    page.get_by_label("Your text", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    expect(page.locator(".strip button[aria-pressed=true]")).to_have_text("man")


def test_the_link_is_copied_by_a_button(browser: Browser, address: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    visit(page, f"{address}/Gates?view=Heatmaps&token=2")
    button = page.get_by_role("button", name="Copy link")
    # it says so for two seconds, which a busy machine may not look in
    button.evaluate("it => new MutationObserver(() => (window.told ??= it.ariaLabel)).observe(it, { attributes: true })")
    button.click()
    wait_until(page, "() => window.told !== undefined")
    assert page.evaluate("window.told") == "Copied"
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    context.close()


@pytest.mark.parametrize("view", thorough_but(VIEWS, "Square"))
def test_every_view_and_its_examples_are_in_sight_on_every_screen_and_a_link_brings_one_back(
    page: Page, address: str, view: str
) -> None:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    visit(page, f"{address}/Gates?view={view}")
    wait_until(page, FITS, BOXES)
    half_in_sight_on_every_screen(page, VIEW_PICTURES[view])  # the projector is the last
    page.set_viewport_size({"width": 1440, "height": 900})
    # no legend lies over the marks that it explains, once the picture has grown
    wait_until(page, f"[...document.querySelectorAll('.js-plotly-plot:has(.legend)')].every({LEGEND_ABOVE})", timeout=10_000)
    page.set_viewport_size({"width": PROJECTOR[0], "height": PROJECTOR[1]})
    main = page.get_by_test_id("stMain")
    for example in VIEWS[view].examples:
        take(page, re.compile(f"^{re.escape(example.title.replace('*', ''))}$"))
        half_in_sight(page, VIEW_PICTURES[view])
        expect(main.locator(".js-plotly-plot .main-svg, .sm-passages").first).to_be_visible()
        assert "This link asks for something" not in main.inner_text()
    words = page.locator(".strip").inner_text()
    visit(page, page.url)
    expect(page.locator(".strip")).to_have_text(words, use_inner_text=True)


@pytest.mark.parametrize("view", thorough_but(VIEWS, "Ledger"))
def test_axe_finds_no_violation_in_a_view(page: Page, address: str, view: str) -> None:
    visit(page, f"{address}/Gates?view={view}&token=5&unit=3")
    for scheme in SCHEMES:
        colour(page, scheme)
        assert violations(page) == []
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    wait_until(page, FITS, BOXES)
    assert violations(page) == []


def test_a_shared_link_brings_back_what_was_on_screen(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging")
    type_into(page, "Your text", "Paris Hilton saw Paris.")
    assert "Hilton" in page.url
    link = page.url
    visit(page, f"{address}/")
    visit(page, link)
    expect(page.get_by_label("Your text", exact=True)).to_have_value("Paris Hilton saw Paris.")
    expect(page.get_by_test_id("stMain")).to_contain_text("Hilton")


def test_the_text_goes_along_from_page_to_page(page: Page, address: str) -> None:
    visit(page, f"{address}/Tagging")
    type_into(page, "Your text", "Fish fish fish.")
    page.locator(".st-key-menu").get_by_role("link", name="Gates").click()
    expect(page.get_by_role("heading", level=1, name="Gates")).to_be_visible()
    settle(page)
    expect(page.get_by_label("Your text", exact=True)).to_have_value("Fish fish fish.")


@pytest.mark.parametrize(
    ("name", "label"),
    thorough_but([("Tagging", "Your text"), ("Gates", "Your text"), ("Language_model", "Prompt")], ("Tagging", "Your text")),
)
def test_what_is_typed_is_never_read_as_html(page: Page, address: str, name: str, label: str) -> None:
    visit(page, f"{address}/{name}")
    type_into(page, label, HOSTILE)
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("script")
    assert main.locator("b", has_text="bold").count() == 0
    assert page.title() != "broken"


@pytest.mark.parametrize("name", thorough_but(PAGES[1:], "Gates"))
def test_a_damaged_link_is_answered_sensibly(page: Page, address: str, name: str) -> None:
    visit(page, f"{address}/{name}?text={quote('%%%')}&task=nonsense&cells=gru,xyz&layer=99&temperature=hot&view=&seed=-5")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert len(page.get_by_test_id("stMain").inner_text()) > 200


@pytest.mark.parametrize("name", thorough_but(PAGES, "Tagging"))
def test_axe_finds_no_violation_in_a_page(page: Page, address: str, name: str) -> None:
    visit(page, f"{address}/{name}")
    for scheme in SCHEMES:
        colour(page, scheme)
        assert violations(page) == []
        for menu in page.locator(".st-key-header [aria-haspopup]").all():
            menu.click()
            assert violations(page, menu_open=True) == []
            page.keyboard.press("Escape")
