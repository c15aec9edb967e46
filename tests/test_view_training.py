"""The live view of a run and the comparison of runs, without a browser: they say and offer what the runs' folders hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.training import curves, messages, recorded
from seqmodels import runs
from seqmodels.runs import Progress, Run, store
from seqmodels.runs.settings import from_flat
from tests.paging import html
from tests.running import KEY, finish, fork, is_now, kill_all, make, wait_until

pytestmark = pytest.mark.usefixtures("fresh_cache", "own_folders")


@pytest.fixture(autouse=True)
def _no_process_stays() -> Iterator[None]:
    yield
    kill_all()


def _watch() -> None:
    from pages.training import current, recorded, watch

    run = current.selected()
    recorded.show() if run is None else watch.show(run)


def _watch_named() -> None:
    import streamlit as st

    from pages.training import watch
    from seqmodels.runs import find_run

    watch.show(find_run(st.query_params["run"]))


def _compare() -> None:
    from pages.common import address
    from pages.training import compare, current
    from seqmodels.runs import list_runs

    address.visit("Training")  # as every page does: else what its inputs hold would be that of the run before
    found = list_runs()
    compare.show(found, current.selected() if found else None)
    address.finish()


def visit(script: Any, *, key: str = KEY) -> AppTest:
    page = AppTest.from_function(script, default_timeout=60)
    page.session_state["training-owner"] = key
    return settled(page.run())


def settled(page: AppTest) -> AppTest:
    assert not page.exception, page.exception[0].value
    return page


def press(page: AppTest, key: str) -> AppTest:
    return settled(page.button(key=key).click().run())


def said(page: AppTest) -> str:
    texts = [*page.markdown, *page.caption, *page.header, *page.error, *page.warning, *page.info]
    return " ".join(str(element.value) for element in texts)


def buttons(page: AppTest) -> set[str]:
    return {button.label for button in page.button if str(button.key).startswith("watch-")}


def option(page: AppTest, alt: str) -> dict[str, Any]:
    (found,) = (chart.proto for chart in page.get("echarts_chart") if chart.proto.alt == alt)
    spec: dict[str, Any] = json.loads(found.spec)
    return spec


def fail(run: Run, message: str) -> None:
    store.write_progress(run.folder, Progress(phase="failed", message=message))


def test_a_run_that_was_never_started_can_be_started_or_discarded() -> None:
    make()
    assert buttons(visit(_watch)) == {"Start", "Discard it"}


def test_a_finished_run_shows_its_curves_and_what_it_reached() -> None:
    run = make(patience=9)
    finish(run)
    page = visit(_watch)
    known = runs.read_history(run)
    dev = next(line for line in option(page, "Train and dev loss over the epochs")["series"] if line["name"] == "dev")
    assert [x for x, _ in dev["data"]] == [epoch["x"] for epoch in known.epochs]
    assert f"epoch {known.epochs[-1]['best_epoch']}" in html(page)
    assert "of 9" in html(page)
    assert buttons(page) == {"Discard it"}


def test_a_run_that_has_learned_nothing_says_so_and_what_to_change() -> None:
    finish(make(learning_rate=0))
    page = visit(_watch)
    assert "It has learned next to nothing" in said(page)
    assert "more epochs, more sequences" in said(page)


def test_a_run_that_has_learned_something_gets_no_advice() -> None:
    finish(make(length=1, learning_rate=0.02))
    assert "next to nothing" not in said(visit(_watch))


def test_someone_else_watches_and_has_no_buttons() -> None:
    finish(make())
    page = visit(_watch, key="another key")
    assert "Started by someone else: you watch" in said(page)
    assert not buttons(page)


def test_where_there_is_a_single_user_everyone_may_command(monkeypatch: pytest.MonkeyPatch) -> None:
    finish(make())
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    assert buttons(visit(_watch, key="another key")) == {"Discard it"}


def test_a_failed_run_says_why_and_can_go_on() -> None:
    run = make()
    fail(run, "epoch 1, step 6: the loss is nan: clip the gradient, or lower the learning rate (*8*)")
    page = visit(_watch)
    (error,) = page.error
    assert "Epoch 1, step 6: the loss is nan" in str(error.value).replace("\\", "")
    assert "\\*8\\*" in str(error.value)
    assert {"Resume", "Discard it"} <= buttons(page)


def test_a_run_is_paused_stepped_changed_and_stopped_by_its_buttons() -> None:
    run = make(epochs=2000, patience="none")
    fork(run)
    wait_until(lambda: len(runs.read_history(run).steps) > 3)
    page = visit(_watch)
    assert {"Pause", "One step", "Stop", "Discard it"} <= buttons(page)
    press(page, "watch-go")
    wait_until(is_now(run, "paused"))
    page = settled(page.run())
    assert {"Resume", "One step", "Stop", "Discard it"} <= buttons(page)
    before = runs.status(run).progress
    press(page, "watch-step")
    wait_until(lambda: (now := runs.status(run).progress).step != before.step or now.epoch != before.epoch)
    assert runs.status(run).name == "paused"
    page.number_input(key=f"watch-learning_rate-{run.id}").set_value(0.0005)
    page.selectbox(key=f"watch-clip-{run.id}").set_value("off")
    press(page, f"watch-apply-{run.id}")
    wait_until(lambda: bool([mark for mark in runs.read_history(run).marks if mark["kind"] == "changed"]))
    page = settled(page.run())
    assert "0.0005" in said(page).replace("\\", "")
    changed = [mark["after"] for mark in runs.read_history(run).marks if mark["kind"] == "changed"]
    assert [(after["learning_rate"], after["clip"]) for after in changed] == [(0.0005, None)]
    assert page.number_input(key=f"watch-patience-{run.id}").value is None
    press(page, "watch-stop")
    wait_until(is_now(run, "stopped"))
    page = settled(page.run())
    assert "Stopped by hand" in said(page)
    assert buttons(page) == {"Discard it"}


def test_a_command_that_is_refused_says_so_calmly() -> None:
    run = make()
    finish(run)
    page = visit(_watch)
    page.session_state[f"{messages._PREFIX}run"] = ("The *run* is finished.", False)
    page = settled(page.run())
    assert "\\*run\\*" in str(page.warning[0].value)


def test_discarding_asks_first_and_deletes_the_folder() -> None:
    run = make()
    finish(run)
    press(visit(_watch), "watch-discard")
    assert not run.folder.exists()


def test_the_tags_after_an_epoch_are_shown_and_the_slider_goes_back() -> None:
    run = make()
    finish(run)
    gates = [{"layer": 0, "direction": "forward", "mu_open": 0, "mu_shut": 1, "lam_open": 1, "lam_shut": 0, "half_life": None}]
    page = visit(_watch)
    known = page.session_state[curves._HISTORIES][run.id]
    known.samples.extend(
        {"epoch": at, "x": float(at), "tags": [("dog", tag, 0.9)], "gates": gates} for at, tag in ((1, "VERB"), (2, "NOUN"))
    )
    page = settled(page.run())
    assert "<s>VERB</s>" in html(page)
    page = settled(page.select_slider(key=f"watch-sample-{run.id}-2").set_value(0).run())
    assert ">VERB</b>" in html(page)
    assert "NOUN" not in html(page)


@pytest.mark.parametrize(("cell", "charts"), [("gru", 1), ("elman", 0)])
def test_gates_are_shown_as_they_form_where_a_cell_has_any(cell: str, charts: int) -> None:
    run = make(cell=cell)
    finish(run)
    gates = [{"layer": 0, "direction": "forward", "mu_open": 0, "mu_shut": 1, "lam_open": 1, "lam_shut": 0, "half_life": None}]
    page = visit(_watch)
    page.session_state[curves._HISTORIES][run.id].samples.append(
        {"epoch": 1, "x": 1.0, "tags": [("dog", "NOUN", 0.9)], "gates": gates}
    )
    page = settled(page.run())
    assert ">NOUN</b>" in html(page)
    assert sum(chart.proto.alt == "Open and shut gates" for chart in page.get("echarts_chart")) == charts


def test_a_history_is_read_on_and_few_are_kept() -> None:
    several = [make() for _ in range(curves.KEPT + 2)]
    page = AppTest.from_function(_watch_named, default_timeout=60)
    for run in several:
        page.query_params["run"] = run.id
        page = settled(page.run())
    assert len(page.session_state[curves._HISTORIES]) == curves.KEPT


def test_without_runs_the_recorded_ones_are_shown_and_labelled() -> None:
    page = visit(_watch)
    assert "Recorded from two runs" in said(page)
    assert [line["name"] for line in option(page, "Train loss of the two recorded runs")["series"]] == [
        "Not clipped",
        "The same, clipped",
    ]


def test_the_recording_is_small_and_shows_what_it_says() -> None:
    assert recorded.FILE.stat().st_size < 40_000
    exploded, clipped = recorded.read()["runs"]
    assert exploded["status"] == "failed"
    assert clipped["status"] == "finished"
    assert from_flat(exploded["settings"]).training.clip is None
    assert from_flat(clipped["settings"]).training.clip is not None
    assert max(step["norm_after"] for step in clipped["steps"]) <= 0.5 + 1e-3
    assert max(step["highest_norm"] for step in exploded["steps"]) > 1e6
    assert max(epoch["score"] for epoch in exploded["epochs"]) < clipped["epochs"][-1]["score"]
    assert {**exploded["settings"], "clip": None, "clip_threshold": None} == {
        **clipped["settings"], "clip": None, "clip_threshold": None
    }  # fmt: skip


def test_without_runs_there_is_nothing_to_compare_and_it_says_so() -> None:
    assert "There are no runs yet" in said(visit(_compare))


def test_runs_are_laid_over_each_other_with_the_settings_that_differ() -> None:
    for rate in ("0.001", "0.01"):
        finish(make(learning_rate=rate))
    page = visit(_compare)
    assert "They differ in **learning rate**." in said(page)
    assert len(option(page, "Dev loss of the chosen runs")["series"]) == 2
    everything, differing = (element.value for element in page.dataframe)
    assert len(everything) == 2
    assert sorted(differing["learning rate"]) == [0.001, 0.01]
    assert list(everything["Status"]) == ["finished", "finished"]


def test_a_run_alone_and_one_that_diverged_at_once_can_be_compared() -> None:
    fail(make(), "the loss is nan")
    page = visit(_compare)
    assert "One run is chosen" in said(page)
    assert option(page, "Dev loss of the chosen runs")["series"][0]["data"] == []


def test_each_figure_can_be_overlaid() -> None:
    finish(make())
    page = visit(_compare)
    for figure in ("Train loss", "Score", "Gradient norm"):
        page = settled(page.segmented_control(key="figure").set_value(figure).run())
        assert option(page, f"{figure} of the chosen runs")["series"][0]["data"]


def test_a_run_is_renamed_and_deleted_by_its_owner_alone() -> None:
    run = make()
    finish(run)
    page = visit(_compare, key="another key")
    assert page.text_input(key=f"compare-name-{run.id}").disabled
    assert not [button for button in page.button if "delete" in str(button.key)]
    page = visit(_compare)
    settled(page.text_input(key=f"compare-name-{run.id}").set_value("Mine *now*").run())
    assert runs.find_run(run.id).name == "Mine *now*"
    press(page, f"compare-delete-{run.id}")
    assert not run.folder.exists()
