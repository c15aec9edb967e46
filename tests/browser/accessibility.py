"""Whether everyone can read and use a page, as far as axe can tell."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_NOTHING_FADES = """() => [...document.querySelectorAll('[data-testid=stElementContainer]')].every(
  (part) => [part, ...part.children].every((one) => getComputedStyle(one).opacity === '1'))"""


def serious_violations(page: Page) -> list[str]:
    """What axe finds in the main part of a settled page, a line each."""
    page.wait_for_timeout(1000)
    page.wait_for_function(_NOTHING_FADES)  # what has just come still fades in, and faint text is not judged
    found = Axe().run(page, context="[data-testid='stMain']").response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")]
