"""The training page in a real browser: a run is watched, steered and used, and outlives the server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from seqmodels.runs import Command, Run, command, find_run, list_runs, read_history, status
from seqmodels.viz.palette import NEGATIVE, POSITIVE, Pair
from tests.browser.driver import PATIENCE, Server, browse, find_browser, settle
from tests.running import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

VARIABLES = ("SEQMODELS_RUNS", "SEQMODELS_OWN_CHECKPOINTS")
# of a canvas, how many pixels have a colour, give or take the smoothing of lines
PIXELS = """(canvas, wanted) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] > 200 && wanted.every((value, channel) => Math.abs(data[at + channel] - value) < 24)) found += 1;
  return found;
}"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in VARIABLES:
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    found = Server()
    yield found
    found.stop()
    for run in list_runs():
        if run.alive:
            command(run, "", Command("discard"))
    wait_until(lambda: not any(run.alive for run in list_runs()))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        assert not os.environ.get("CI"), "continuous integration needs a Chromium"
        pytest.skip("no Chromium here: install chromium or google-chrome to take the walk")
    with browse(executable) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    found = context.new_page()
    broken: list[str] = []
    found.on("pageerror", lambda error: broken.append(str(error)))
    yield found
    expect(found.get_by_test_id("stException")).to_have_count(0)
    assert broken == []
    context.close()


def press(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def begin(page: Page, server: Server, preset: str) -> Run:
    """A run started by one click, with a first point on its charts."""
    page.goto(f"{server.address}/Training")
    settle(page)
    press(page, re.compile(preset))
    expect(page).to_have_url(re.compile("run=[0-9a-f]{16}"))
    found = re.search("run=([0-9a-f]{16})", page.url)
    assert found
    run = find_run(found[1])
    wait_until(lambda: len(read_history(run).steps) > 2)
    return run


def is_now(page: Page, run: Run, name: str) -> None:
    """The run is in that state, and the page says so."""
    wait_until(lambda: status(run).name == name)
    expect(page.locator(".st-key-watch-head")).to_contain_text(name)


def drawn(chart: Locator, colour: Pair) -> bool:
    """Whether a line of that colour is on the chart."""
    rgb = [int(colour.light[at : at + 2], 16) for at in (1, 3, 5)]
    return sum(canvas.evaluate(PIXELS, rgb) for canvas in chart.locator("canvas").all()) > 20


def test_the_clipping_preset_is_watched_steered_and_stopped(page: Page, server: Server) -> None:
    run = begin(page, server, "clipped")
    is_now(page, run, "running")
    norms = page.locator(".st-key-watch-norm")
    expect(norms.locator("canvas").first).to_be_visible()
    wait_until(lambda: drawn(norms, NEGATIVE) and drawn(norms, POSITIVE))

    press(page, "Pause")
    is_now(page, run, "paused")
    steps = len(read_history(run).steps)
    press(page, "Resume")
    is_now(page, run, "running")
    wait_until(lambda: len(read_history(run).steps) > steps)

    page.locator(f".st-key-watch-rate-{run.id} input").fill("0.1")
    press(page, "Apply")
    wait_until(lambda: any(mark["kind"] == "changed" for mark in read_history(run).marks))
    (changed,) = (mark for mark in read_history(run).marks if mark["kind"] == "changed")
    assert changed["after"]["learning_rate"] == 0.1
    expect(page.get_by_test_id("stMain")).to_contain_text(re.compile("0.5 → 0.1|to 0.1|0.1"))

    press(page, "Stop")
    is_now(page, run, "stopped")


def test_a_stopped_run_is_used_on_the_tagging_page(page: Page, server: Server) -> None:
    run = begin(page, server, "Overfit")
    wait_until(lambda: bool(read_history(run).epochs))
    press(page, "Stop")
    is_now(page, run, "stopped")
    page.get_by_role("textbox", name="Name of the model").fill("mine")
    press(page, "Use this model")
    expect(page.get_by_text("now the model mine")).to_be_visible()
    page.locator(".st-key-training-where-mine").get_by_role("button", name="Tagging").click()
    expect(page.get_by_role("heading", level=1, name="Tagging")).to_be_visible()
    settle(page)
    assert "mine" in page.url
    expect(page.locator(".sm-card b", has_text="mine (GRU)").first).to_be_attached()
    # a fresh visitor finds it by the link, and without one it is listed but off
    page.goto(page.url)
    settle(page)
    expect(page.locator(".sm-card b", has_text="mine (GRU)").first).to_be_attached()
    page.goto(f"{server.address}/Tagging")
    settle(page)
    expect(page.get_by_role("button", name="mine (GRU)")).to_be_visible()
    expect(page.locator(".sm-card b", has_text="mine (GRU)")).to_have_count(0)


def test_a_run_outlives_the_server(page: Page, server: Server) -> None:
    run = begin(page, server, "clipped")
    link = page.url
    server.kill()
    steps = len(read_history(run).steps)
    wait_until(lambda: len(read_history(run).steps) > steps or not run.alive)
    assert status(run).name in ("running", "finished"), "the run goes on without the server"
    server.start()
    page.goto(link)
    settle(page)
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()
    expect(page.locator(".st-key-watch-norm canvas").first).to_be_visible()
    if status(run).name == "running":
        press(page, "Pause")
        is_now(page, run, "paused")


def test_a_file_is_brought_used_and_deleted(page: Page, server: Server, tiny_folder: Path) -> None:
    page.goto(f"{server.address}/Training")
    settle(page)
    page.get_by_role("tab", name="Your models").click()
    page.locator(".st-key-training-checkpoint input[type=file]").set_input_files(tiny_folder / "pos-gru.safetensors")
    press(page, "Add")
    expect(page.get_by_text("is added")).to_be_visible()
    press(page, "Delete")
    press(page, "Delete it")
    expect(page.get_by_text("is deleted")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation_in_a_running_training(browser: Browser, server: Server, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    begin(page, server, "clipped")
    expect(page.locator(".st-key-watch-norm canvas").first).to_be_visible()
    settle(page)
    page.wait_for_timeout(1500)  # what has just come still fades in, and faint text is not judged
    found = Axe().run(page, context="[data-testid='stMain']").response["violations"]
    context.close()
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")] == []
