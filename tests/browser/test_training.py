"""The training page in a real browser: a run is watched, steered and used, and outlives the server."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from seqmodels.runs import Command, Run, command, find_run, group_of, list_runs, read_history, status
from seqmodels.viz.palette import NEGATIVE, POSITIVE, Pair
from tests.browser.accessibility import SCHEMES, violations
from tests.browser.driver import Server, settle
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


@pytest.fixture(scope="module")
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with folders of its own, for one person; its parameter "0" makes it one for many."""
    folder = tmp_path_factory.mktemp("training")
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.setenv(name, str(folder / name.lower()))
        patch.setenv("SEQMODELS_SINGLE_USER", "1")  # this process may end what is left
        found = Server(SEQMODELS_SINGLE_USER=getattr(request, "param", "1"), SEQMODELS_RUNS_AT_ONCE="1")
        yield found
        found.stop()


@pytest.fixture
def server(started: Server) -> Iterator[Server]:
    """The same, with neither a run nor a model of one's own at the start of a test."""
    yield started
    for run in list_runs():
        if run.alive:
            command(run, "", Command("discard"))
    wait_until(lambda: not any(run.alive for run in list_runs()))
    for name in VARIABLES:
        shutil.rmtree(os.environ[name], ignore_errors=True)


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


def are_side_by_side(left: FloatRect | None, right: FloatRect | None) -> bool:
    """Whether two boxes are; one that is just being drawn anew has none."""
    return bool(left and right and right["x"] > left["x"] + left["width"] and abs(right["y"] - left["y"]) < 80)


def test_the_clipping_preset_is_watched_steered_stopped_and_used(page: Page, server: Server) -> None:
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

    press(page, "Change")
    page.locator(f".st-key-watch-learning_rate-{run.id} input").fill("4")
    press(page, "Apply")
    wait_until(lambda: any(mark["kind"] == "changed" for mark in read_history(run).marks))
    (changed,) = (mark for mark in read_history(run).marks if mark["kind"] == "changed")
    assert changed["after"]["learning_rate"] == 4
    expect(page.get_by_test_id("stMain")).to_contain_text("learning rate 8 → 4")

    wait_until(lambda: bool(read_history(run).epochs))
    press(page, "Stop")
    is_now(page, run, "stopped")
    page.get_by_role("textbox", name="Name of the model").fill("mine")
    press(page, "Use this model")
    expect(page.get_by_text("now the model mine")).to_be_visible()
    page.locator(".st-key-training-run-where-mine").get_by_role("link", name="Tagging").click()
    expect(page.get_by_role("heading", level=1, name="Tagging")).to_be_visible()
    settle(page)
    assert "mine" in page.url
    expect(page.locator(".sm-card b", has_text="mine (Elman)").first).to_be_attached()
    # a fresh visitor finds it by the link, and without one it is listed but off
    page.goto(page.url)
    settle(page)
    expect(page.locator(".sm-card b", has_text="mine (Elman)").first).to_be_attached()
    page.goto(f"{server.address}/Tagging")
    settle(page)
    page.locator(".st-key-cells-picked button").first.click()
    expect(page.get_by_role("button", name="mine (Elman)")).to_be_visible()
    expect(page.locator(".sm-card b", has_text="mine (Elman)")).to_have_count(0)


@pytest.mark.thorough
def test_a_race_is_in_one_chart_and_another_preset_offers_to_stop_it(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 960, "height": 540})
    first = begin(page, server, "race")
    group = group_of(first)
    # held after the first epoch, so that the race isn't over before a slow machine has looked at it
    wait_until(lambda: all(read_history(run).epochs for run in group))
    for run in group:
        command(run, "", Command("pause"))
    wait_until(lambda: all(status(run).name == "paused" for run in group))
    chart = page.locator(".st-key-race-chart canvas").first
    expect(chart).to_be_visible()
    expect(page.get_by_text(re.compile("leads by .* after epoch"))).to_be_visible(timeout=120_000)
    for run in group:
        expect(page.locator(".sm-standings")).to_contain_text(run.name)
    box = chart.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] / 2 < 540

    press(page, "Ready-made runs")
    press(page, re.compile("explodes"))
    expect(page.get_by_text(re.compile("are still going"))).to_be_visible()
    press(page, "Stop them and start")
    wait_until(lambda: all(status(run).name in ("stopped", "finished") for run in group))
    expect(page.get_by_role("heading", name="It explodes")).to_be_visible()


@pytest.mark.thorough
def test_a_network_writes_before_its_first_step_and_goes_on(page: Page, server: Server) -> None:
    run = begin(page, server, "spell")
    written = page.locator(".sm-written")
    expect(written).to_be_visible()
    first = read_history(run).samples[0]["text"]
    expect(written).not_to_have_text(first, timeout=120_000)
    assert read_history(run).samples[0]["x"] == 0
    assert read_history(run).samples[1]["x"] > 0
    chart = page.locator(".st-key-watch-loss canvas").first
    wait_until(lambda: are_side_by_side(chart.bounding_box(), written.bounding_box()))


@pytest.mark.thorough
def test_the_settings_of_a_run_are_put_into_the_form_and_shown(page: Page, server: Server) -> None:
    run = begin(page, server, "clipped")
    press(page, "Stop")
    is_now(page, run, "stopped")
    page.get_by_role("tab", name="All runs").click()
    settle(page)
    press(page, re.compile("Use these settings"))
    expect(page.get_by_role("tab", name="Train your own")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("The settings of Explodes, but clipped")).to_be_in_viewport()
    expect(page.get_by_role("spinbutton", name="Epochs, at most")).to_have_value(str(run.settings["epochs"]))


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


@pytest.mark.thorough
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


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_violation_in_a_running_training(page: Page, server: Server, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    begin(page, server, "clipped")
    expect(page.locator(".st-key-watch-norm canvas").first).to_be_visible()
    settle(page)
    assert violations(page) == []


# last, for they share an app of their own
@pytest.mark.thorough
@pytest.mark.parametrize("started", ["0"], indirect=True)
def test_who_started_a_run_commands_it_and_others_watch(page: Page, browser: Browser, server: Server) -> None:
    run = begin(page, server, "clipped")
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(page.url)
        settle(other)
        expect(other.get_by_text("Started by someone else: you watch")).to_be_visible()
        expect(other.locator(".st-key-watch-norm canvas").first).to_be_visible()
        for name in ("Pause", "Stop", "Discard", "Apply", "Use this model"):
            expect(other.get_by_role("button", name=name, exact=True)).to_have_count(0)
        other.get_by_role("tab", name="All runs").click()
        row = other.locator(f".st-key-compare-run-{run.id}")
        expect(row.get_by_role("textbox", name="Name")).to_be_disabled()
        expect(row.get_by_role("button", name="Delete")).to_have_count(0)

        page.reload()
        settle(page)
        page.get_by_role("tab", name="All runs").click()
        row = page.locator(f".st-key-compare-run-{run.id}")
        row.get_by_role("textbox", name="Name").fill("Renamed <b>on</b> stage")
        row.get_by_role("textbox", name="Name").press("Enter")
        expect(page.get_by_role("heading", name="Renamed <b>on</b> stage")).to_be_visible()
        expect(page.get_by_text("What to look for:")).to_be_visible()
        row.get_by_role("button", name="Delete").click()
        press(page, "Delete it")
        wait_until(lambda: not run.folder.exists())
        expect(page.get_by_text("There are no runs yet")).to_be_visible()
        expect(other.get_by_text("Recorded from two runs")).to_be_visible()  # its view of the run ends by itself


@pytest.mark.thorough
@pytest.mark.parametrize("started", ["0"], indirect=True)
def test_who_is_forgotten_only_watches(page: Page, server: Server) -> None:
    begin(page, server, "clipped")
    page.get_by_role("tab", name="All runs").click()
    page.get_by_role("link", name="Forget me").click()
    settle(page)
    expect(page.get_by_text("Started by someone else: you watch")).to_be_visible()
