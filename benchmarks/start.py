"""How long it takes from the press of Start on the Training page to the first point on its chart.

    python -m benchmarks.start [--times 5]

A real browser presses the button for the settings for watching each task. Beside it, what a process that is started by hand with
the same settings takes to its first step: `python -m seqmodels run`, which must import torch first. Medians, in seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table

from seqmodels.runs import create, find_run, read_history
from seqmodels.runs.settings import demo_settings, to_link
from tests.browser.driver import browse, require_browser, serve, settle
from tests.running import KEY, discard, wait_until

TASKS = ("pos", "ner", "char", "lm", "recall")
SETTLED = 5.0  # seconds before a press: in the first the app imports torch for all runs
# press Start, and wait for the chart: the time in seconds
PRESS = """() => new Promise((done) => {
  const begun = performance.now();
  const chart = () => document.querySelector(".st-key-watch-loss canvas");
  const look = () => (chart() ? done((performance.now() - begun) / 1000) : requestAnimationFrame(look));
  [...document.querySelectorAll("button")].find((button) => button.innerText.trim().endsWith("Start")).click();
  look();
})"""


def pressed(page: Page, address: str, task: str) -> float:
    """Seconds from the press to the chart."""
    page.goto(f"{address}/Training?settings={quote(urlencode(to_link(demo_settings(task))))}")
    settle(page)
    time.sleep(SETTLED)
    taken = float(page.evaluate(PRESS))
    run = find_run(page.url.partition("run=")[2][:16])
    assert run.settings["task"] == task
    discard(run)
    return taken


def by_hand(task: str) -> float:
    """Seconds from the start of a process to the first step in its events."""
    run = create(demo_settings(task), KEY)
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "seqmodels", "run", str(run.folder)], stdout=subprocess.DEVNULL)
    wait_until(lambda: bool(read_history(run).steps))
    taken = time.monotonic() - begun
    process.kill()
    process.wait()
    discard(run)
    return taken


def median(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds from the press of Start to the first point, beside a process by hand.")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    executable = require_browser()
    shown = Table(title=f"Seconds to the first point, median of {given.times}")
    for heading in ("task", "Start on the page", "by hand", "ratio"):
        shown.add_column(heading, justify="left" if heading == "task" else "right")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SEQMODELS_RUNS": str(Path(folder) / "runs"), "SEQMODELS_SINGLE_USER": "1"}
        with serve() as address, browse(executable) as browser:
            page = browser.new_page()
            for task in TASKS:
                ours = median(partial(pressed, page, address, task), given.times)
                theirs = median(partial(by_hand, task), given.times)
                shown.add_row(task, f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
