"""Whether everyone can read and use a page, as far as axe can tell."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_NOTHING_FADES = """() => [...document.querySelectorAll('[data-testid=stElementContainer]')].every(
  (part) => [part, ...part.children].every((one) => getComputedStyle(one).opacity === '1'))"""
# Streamlit puts an open menu at the end of the document, outside every landmark, and we can't move it
_OPEN_MENU = {"rules": {"region": {"enabled": False}}}


def violations(page: Page, *, menu_open: bool = False) -> list[str]:
    """What axe finds in the whole document of a settled page, a line each, however little it matters."""
    page.wait_for_timeout(1000)
    page.wait_for_function(_NOTHING_FADES)  # what has just come still fades in, and faint text is not judged
    found = Axe().run(page, options=_OPEN_MENU if menu_open else None).response["violations"]
    return [f"{one['impact']}, {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
