"""The running app and a real browser on it, for the browser walk and the README's screenshots."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from pages.explorer import VIEWS

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60_000  # milliseconds for a page to settle: generous, the machine may be busy
PLACES = {  # every page and view, by a short name
    "overview": "",
    "tagging": "Tagging",
    "entities": "Tagging?task=Entities",
    "language_model": "Language_model",
    "names": "Language_model?read=names",
    **{f"gates-{view.lower()}": f"Gates?view={view}&token=5&unit=3" for view in VIEWS},
    "training": "Training",
    "leaderboard": "Leaderboard",
    "gradient_lab": "Gradient_lab",
    "gradient_lab-wall": "Gradient_lab?part=The+wall",
    "gradient_lab-update": "Gradient_lab?part=One+update",
    "hand-switch": "Gate_by_hand",
    "hand-cell": "Gate_by_hand?part=Memory+cell&puzzle=latch&step=3",
    "hand-inside": "Gate_by_hand?part=Inside+a+cell&puzzle=latch&step=3",
    "memory_lab": "Memory_lab",
    "five_tips": "Five_tips",
    "units": "Units",
    "glossary": "Glossary?term=retention",
    "lesson": "Gates?view=Square&lesson=2",
}
# the first is the same browser without windows, and needs a fifth less of the processor
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--no-sandbox", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
    "--process-per-site",  # a process of its own for each page would compile the app's scripts again
)


def find_browser() -> str | None:
    """A Chromium on the path, else the one that playwright has installed; None if there is neither."""
    for name in _BROWSERS:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def require_browser() -> str:
    """The same, or an end with word of what to install."""
    found = find_browser()
    if found is None:
        raise SystemExit("no Chromium here: install chromium or google-chrome")
    return found


class Server:
    """The app on a free port, with these environment variables. It keeps its address if it is killed and started again.

    `at` is the checkout that it is started in, and `options` are those of its command.
    """

    def __init__(self, at: Path = ROOT, options: Sequence[str] = (), **variables: str) -> None:
        self._options, self._at = options, at
        self._port = free_port()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (a pipe that nobody reads would be full one day)
        self._environment = os.environ | variables
        self.address = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "seqmodels", "app", "--host", "127.0.0.1", "--port", str(self._port), *self._options]
        self._process = subprocess.Popen(
            command, cwd=self._at, env=self._environment, stdout=self._output, stderr=subprocess.STDOUT
        )
        wait_for(self.address, self._process, self._output)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """At once, without a chance to tidy up."""
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)


@contextmanager
def serve(**variables: str) -> Iterator[str]:
    """The app on a free port, with these environment variables; yields its address."""
    server = Server(ROOT, (), **variables)
    try:
        yield server.address
    finally:
        server.stop()


@contextmanager
def browse(executable: str) -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def settle(page: Page) -> None:
    """Wait until the script has run and the browser has drawn what it sent."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
    page.wait_for_timeout(300)  # a rerun that a widget asks for starts a moment later
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)


def wait_until(page: Page, condition: str, arg: object = None, timeout: float = PATIENCE) -> None:
    """Wait until a JavaScript expression, or a function of the argument, is true.

    Not playwright's `wait_for_function`, which evaluates it where the app's content security policy forbids that.
    """
    deadline = time.monotonic() + timeout / 1000
    while not page.evaluate(condition, arg):
        assert time.monotonic() < deadline, f"in vain: {condition}"
        page.wait_for_timeout(50)


def colour(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Prefer light or dark, as the system's setting does, and wait until an open page is drawn anew."""
    page.emulate_media(color_scheme=scheme)
    wait_until(page, "scheme => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme", scheme)
    settle(page)


def visit(page: Page, url: str) -> None:
    """Open an address, and wait until it is drawn."""
    page.goto(url)
    settle(page)


def type_into(page: Page, label: str, text: str) -> None:
    """Type a text into the field of that name, and have it answered."""
    area = page.get_by_label(label, exact=True)
    area.fill(text)
    area.press("Enter")
    settle(page)


def take(page: Page, example: str | re.Pattern[str]) -> None:
    """An example, or the first of those that match, from the menu beside the text."""
    page.get_by_role("button", name="Examples", exact=True).click()
    page.get_by_role("menuitem", name=example).first.click()
    settle(page)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(address: str, server: subprocess.Popen[bytes], output: IO[bytes]) -> None:
    """Wait until the app answers at its address, or raise what it has said, into a file, before it stopped."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        if server.poll() is not None:
            output.seek(0)
            raise RuntimeError(f"the app stopped at once:\n{output.read().decode()}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not answer at {address}")
