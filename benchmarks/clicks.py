"""How long a click on the Tagging page takes while a run trains beside the app, and while it stands still.

    python -m benchmarks.clicks [--blocks 20]

A real browser picks one task after the other; a click takes until the new tags stand there. Blocks of ten clicks
with the run going alternate with blocks in which its process is halted, so that a busy moment of the machine falls on both. Figures
are milliseconds; what a page has tagged once it keeps, as it does for every visitor.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table

from seqmodels.runs import Run, create, start, status
from seqmodels.runs.settings import from_flat
from tests.browser.driver import browse, require_browser, serve, settle
from tests.running import KEY, discard, wait_until

CLICKS = 10  # of a block
WARM_UP = 10
# pick a task, and wait until its tags are those of the strip: the time in milliseconds
CLICK = """(number) => new Promise((done) => {
  const tags = () => [...document.querySelectorAll(".sm-tag")].map((tag) => tag.textContent).join(" ");
  const before = tags();
  const begun = performance.now();
  const look = () => (tags() !== before && tags() ? done(performance.now() - begun) : requestAnimationFrame(look));
  document.querySelectorAll(".st-key-task button")[number].click();
  look();
})"""


@contextmanager
def training() -> Iterator[tuple[Run, int]]:
    """A run that goes on for as long as it is needed, and the id of its process."""
    run = create(from_flat({"task": "pos", "cell": "gru", "source": "silver", "epochs": "1000", "patience": "none"}), KEY)
    start(run, KEY)
    wait_until(lambda: status(run).progress.step > 0, 120)
    pid = status(run).progress.pid
    assert pid is not None
    try:
        yield run, pid
    finally:
        os.kill(pid, signal.SIGCONT)
        discard(run)


def block(page: Page, clicks: int) -> list[float]:
    """So many clicks, on two tasks by turns."""
    return [float(page.evaluate(CLICK, (number + 1) % 2)) for number in range(clicks)]


def percentile(times: list[float], share: int) -> float:
    return statistics.quantiles(times, n=100)[share - 1]


def main() -> None:
    parser = argparse.ArgumentParser(description="Milliseconds a click on the Tagging page, with a run going and without.")
    parser.add_argument("--blocks", type=int, default=20)
    given = parser.parse_args()
    executable = require_browser()
    times: dict[str, list[float]] = {"halted": [], "going": []}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEQMODELS_RUNS"] = str(Path(folder) / "runs")
        with serve() as address, browse(executable) as browser, training() as (_, pid):
            page = browser.new_page()
            page.goto(f"{address}/Tagging")
            settle(page)
            block(page, WARM_UP)
            for number in range(given.blocks):
                for going in (number % 2 == 0, number % 2 != 0):
                    os.kill(pid, signal.SIGCONT if going else signal.SIGSTOP)
                    times["going" if going else "halted"] += block(page, CLICKS)
    shown = Table(title=f"Tagging page, {given.blocks * CLICKS} clicks each, milliseconds")
    for heading in ("run", "p50", "p95"):
        shown.add_column(heading, justify="left" if heading == "run" else "right")
    for name, found in times.items():
        shown.add_row(name, f"{percentile(found, 50):.0f}", f"{percentile(found, 95):.0f}")
    ratio = [percentile(times["going"], share) / percentile(times["halted"], share) for share in (50, 95)]
    shown.add_row("ratio", *(f"{value:.2f}" for value in ratio))
    Console().print(shown)


if __name__ == "__main__":
    main()
