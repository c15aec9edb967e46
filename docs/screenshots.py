"""Pictures of the running app: `python -m docs.screenshots` makes the README's.

`python -m docs.screenshots --all FOLDER` takes every page and view on a projector, a laptop and a phone, in light and in dark.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from tests.browser.driver import PLACES, browse, require_browser, serve, settle

FOLDER = Path(__file__).parent
PICTURES = {
    "tagging": ("Tagging", 820),
    "language_model": ("Language_model", 900),
    "gates": ("Gates?token=5", 900),
    "training": ("Training", 760),
    "ledger": ("Gates?view=Ledger&task=Language+model&text=The+Army+and+the&token=5&next=Navy", 1010),
}
SCREENS = ((960, 540), (1440, 900), (390, 844))  # the first is a projector of 1920 x 1080 that shows everything twice as large
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="take every page and view, into this folder")
    folder: Path | None = parser.parse_args().all
    executable = require_browser()
    # whoever makes them may have runs of their own; the pictures show none
    with tempfile.TemporaryDirectory() as runs, serve(SEQMODELS_RUNS=runs) as address, browse(executable) as browser:
        if folder is None:
            take_few(browser, address)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            take_all(browser, address, folder)


def take_few(browser: Browser, address: str) -> None:
    """The README's, beside this file."""
    for name, (place, height) in PICTURES.items():
        with opened(browser, f"{address}/{place}", (1440, height), "light") as page:
            page.screenshot(path=FOLDER / f"{name}.png")


def take_all(browser: Browser, address: str, folder: Path) -> None:
    """Each place on each screen; the name says what, where and how."""
    for name, place in PLACES.items():
        for scheme in SCHEMES:
            with opened(browser, f"{address}/{place}", SCREENS[0], scheme) as page:
                for width, height in SCREENS:
                    page.set_viewport_size({"width": width, "height": height})
                    page.wait_for_timeout(1000)  # the pictures take the new width
                    page.screenshot(path=folder / f"{name}-{width}x{height}-{scheme}.png")


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int], scheme: Literal["light", "dark"]) -> Iterator[Page]:
    """A page that has drawn itself."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.goto(url)
    settle(page)
    page.wait_for_timeout(1500)  # plotly draws after the script has ended
    yield page
    page.close()


if __name__ == "__main__":
    main()
