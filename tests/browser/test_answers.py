"""While another answer is on its way, what is left of the old one is pale: never three models at three prompts."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.driver import settle, type_into, visit, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PALE = 0.25  # Streamlit's own mark of what is old is 0.33, and comes half a second late
# every 20 ms while a run goes on: how opaque the parts of the answer are, of the old one and of the new
WATCH = """() => {
  window.seen = [];
  window.watch = setInterval(() => {
    const running = document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'running';
    const parts = [...document.querySelectorAll('.st-key-answer .stElementContainer')].filter((part) => part.offsetHeight > 0);
    const opaque = (stale) => parts.filter((part) => part.dataset.stale === stale).map((part) => +getComputedStyle(part).opacity);
    if (running) window.seen.push({ old: opaque('true'), new: opaque('false') });
  }, 20);
}"""


@dataclass(frozen=True)
class Moment:
    """How opaque each part of the answer was, from 0 to 1."""

    old: list[float]
    new: list[float]


def seen(page: Page) -> list[Moment]:
    """The moments of the runs since the page is watched."""
    page.evaluate("clearInterval(window.watch)")
    return [Moment(one["old"], one["new"]) for one in page.evaluate("window.seen")]


def over_a_slow_line(page: Page) -> None:
    """Each message of the server comes alone, so that the browser draws an answer part by part."""

    def relay(browser: WebSocketRoute) -> None:
        def pass_on(message: str | bytes) -> None:
            time.sleep(0.03)
            browser.send(message)

        browser.connect_to_server().on_message(pass_on)

    page.route_web_socket("**/_stcore/stream", relay)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("place", "label", "text"),
    [
        ("Language_model", "Prompt", "The gold of the mountains"),
        ("Language_model?read=names", "The name begins with", "Iv"),
        ("Tagging", "Your text", "The old man the boat, he said. " * 700),
        ("Gates?view=Heatmaps", "Your text", "The old man the boat. " * 30),
    ],
)
def test_what_is_left_of_the_old_answer_is_pale_beside_the_new_one(
    page: Page, address: str, place: str, label: str, text: str
) -> None:
    over_a_slow_line(page)
    visit(page, f"{address}/{place}")
    page.evaluate(WATCH)
    type_into(page, label, text)
    wait_until(page, "window.seen.some((one) => one.old.length && one.new.length)")
    settle(page)
    assert max(opacity for moment in seen(page) if moment.new for opacity in moment.old) <= PALE
    expect(page.locator(".st-key-answer [data-stale=true]")).to_have_count(0)


def test_what_asks_nothing_else_leaves_the_answer_as_it_is(page: Page, address: str) -> None:
    over_a_slow_line(page)
    visit(page, f"{address}/Gates?view=Heatmaps&text=Ducks+swim+quietly.")
    page.evaluate(WATCH)
    page.locator(".strip button", has_text="swim").click()
    wait_until(page, "window.seen.some((one) => one.old.length)")
    settle(page)
    assert min(opacity for moment in seen(page) for opacity in moment.old) > PALE
