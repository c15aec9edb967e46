"""Make the README's pictures from the running app: `python -m docs.screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.browser.driver import browse, require_browser, serve, settle

FOLDER = Path(__file__).parent
PICTURES = {
    "tagging": ("Tagging", 820),
    "language_model": ("Language_model", 900),
    "gates": ("Gates?token=5", 900),
    "training": ("Training", 760),
    "ledger": ("Gates?view=Ledger&task=Language+model&text=The+Army+and+the&token=5&next=Navy", 1340),
}


def main() -> None:
    executable = require_browser()
    # whoever makes them may have runs of their own; the pictures show none
    with tempfile.TemporaryDirectory() as runs, serve(SEQMODELS_RUNS=runs) as address, browse(executable) as browser:
        for name, (page_name, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": 1440, "height": height}, color_scheme="light")
            page.goto(f"{address}/{page_name}")
            settle(page)
            page.wait_for_timeout(1500)  # plotly draws after the script has ended
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main()
