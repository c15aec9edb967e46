"""Whether everyone can read and use a page, as far as axe can tell."""

from __future__ import annotations

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.driver import wait_until

# what has just come still fades in, and faint text is not judged; what turns for ever, as the mark of a wait does, is no matter,
# nor what moves by scrolling
_NOTHING_FADES = """() => [...document.querySelectorAll('[data-testid=stElementContainer]')].every(
  (part) => [part, ...part.children].every((one) => getComputedStyle(one).opacity === '1'))
  && document.getAnimations().every((one) => one.playState === 'finished' || one.effect.getComputedTiming().endTime === Infinity
    || one.timeline !== document.timeline)"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Streamlit puts an open menu at the end of the document, outside every landmark, and we can't move it
_OPEN_MENU = {"rules": {"region": {"enabled": False}}}
_ONLY = {"resultTypes": ["violations"]}  # nothing is gathered of what is well


def violations(page: Page, *, menu_open: bool = False) -> list[str]:
    """What axe finds in the whole document of a settled page, a line each, however little it matters."""
    wait_until(page, _NOTHING_FADES)
    found = Axe().run(page, options={**_ONLY, **(_OPEN_MENU if menu_open else {})}).response["violations"]
    return [f"{one['impact']}, {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
