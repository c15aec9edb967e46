"""The training page without a browser: runs in every state, links good and bad, files good and bad. No process is started."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
import zipfile
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from streamlit.elements.widgets import file_uploader
from streamlit.runtime.uploaded_file_manager import DeletedFile
from streamlit.testing.v1 import AppTest

from pages.training import current, form, link, presets, race
from seqmodels import runs
from seqmodels.cells import CELLS, Cell
from seqmodels.data import load_dataset
from seqmodels.runs import Progress, Run, Upload, context, keeper, list_runs, rename, store
from seqmodels.runs import control as control_module
from seqmodels.runs.events import FILE, EventLog, History
from seqmodels.runs.files import take_lock
from seqmodels.runs.presets import PRESETS, Preset
from seqmodels.runs.settings import default_settings, from_flat, to_flat, to_link
from seqmodels.runs.standings import standings
from seqmodels.tasks import TASKS, DataConfig
from seqmodels.viz.training import words
from tests.conftest import needs_corpora
from tests.paging import OVERVIEW, TRAINING, came_back, html, linked, opened, sound
from tests.running import CONLLU, KEY, finish, make

PHASES = ("new", "waiting", "loading", "training", "paused", "scoring", "finished", "stopped", "failed")
HOSTILE = "<script>alert(1)</script> **md** $x$ :red[y]"
visit = partial(opened, TRAINING)
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints", "own_folders")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that would have been started: a test of the page needs no process."""
    found: list[Run] = []
    monkeypatch.setattr(control_module, "launch", lambda run, *_: found.append(run))
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    return found


def captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption)


def warnings(page: AppTest) -> str:
    return " ".join(warning.value for warning in page.warning)


def widget(page: AppTest, kind: str, name: str) -> Any:
    return getattr(page, kind)(key=form.PREFIX + name)


def in_the_address(page: AppTest, name: str) -> str:
    """A test sets lists of values, a page single ones."""
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def settings_in_the_address(page: AppTest) -> dict[str, Any]:
    return to_flat(link.read(in_the_address(page, "settings")))


def test_the_page_opens_where_nothing_has_been_trained_yet() -> None:
    page = visit()
    titles = [button.label for button in page.button]
    assert [preset.title for preset in PRESETS] == [title for title in titles if title in {preset.title for preset in PRESETS}]
    assert "Start" in titles
    assert "run" not in page.query_params


@pytest.mark.parametrize("phase", PHASES)
def test_the_page_opens_with_a_run_in_each_state(phase: store.Phase) -> None:
    run = make(epochs=2)
    if phase in ("finished", "training", "failed", "paused"):
        finish(run)
    told = store.read_progress(run.folder)
    store.write_progress(run.folder, replace(told, phase=phase, message="stopped by hand" if phase == "stopped" else told.message))
    page = linked(TRAINING).run()
    assert not page.exception, page.exception[0].value
    assert bool(page.error) == (phase == "failed")
    assert in_the_address(page, "run") == run.id


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 1e5, "clip": "none"},
        {"learning_rate": 1e8},
        {"learning_rate": 5e-324},
        {"learning_rate": 0},
        {"clip_threshold": 1e9},
        {"clip_threshold": 1e-9},
        {"patience": 100_000},
    ],
)
@pytest.mark.parametrize("phase", ["paused", "training"])
def test_a_run_of_any_settings_is_shown_and_copied(
    phase: store.Phase, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")  # who may change them sees them
    run = make(**changes)
    store.write_progress(run.folder, Progress(phase=phase))
    page = visit(run=run.id)
    sound(page.button(key="training-copy").click().run())
    copied = settings_in_the_address(page)
    assert {name: copied[name] for name in changes} == {name: run.settings[name] for name in changes}


def test_a_run_with_a_name_that_would_be_markup_is_shown_as_it_is_called() -> None:
    rename(make(), KEY, HOSTILE)
    page = visit()
    assert "<script>alert" not in html(page)
    assert all("<script>" not in element.value.replace("\\<", "") for element in (*page.markdown, *page.caption, *page.header))


def test_a_link_shows_its_run_and_not_the_newest() -> None:
    first, _ = make(), make()
    assert in_the_address(visit(run=first.id), "run") == first.id


@pytest.mark.parametrize("run_id", ["unknown", "0" * 16, "../../etc", "", "x" * 5000, "<b>", "\x00"])
def test_a_link_to_a_run_that_is_not_here_says_so_and_shows_the_newest(run_id: str) -> None:
    run, other = make(), make()
    page = visit(run=run_id)
    assert in_the_address(page, "run") == other.id
    for _ in range(2):  # it stays while that run is on screen
        assert ("There is no run" in warnings(page)) == bool(run_id)
        assert ("You see the newest one" in warnings(page)) == bool(run_id)
        sound(page.run())
    came_back(page, TRAINING, run=run.id)
    assert not page.warning


def test_a_link_to_a_run_that_is_not_here_says_so_where_there_is_none() -> None:
    assert "There is no run" in warnings(visit(run="unknown"))
    assert "two that were recorded" in warnings(visit(run="0" * 16))


def test_the_run_on_screen_may_be_deleted() -> None:
    run = make()
    page = visit(run=run.id)
    store.remove(run)
    sound(page.run())
    assert "The run that was here has been deleted" in warnings(page)


@pytest.mark.parametrize(
    "change",
    [{"task": "xyz"}, {"task": 5}, {"cell": "foo"}, {"epochs": "many"}, {"epochs": -3}, {"learning_rate": None}, None],
    ids=str,
)
def test_a_run_whose_settings_were_changed_by_hand_is_neither_shown_nor_listed(change: dict[str, Any] | None) -> None:
    sound_one, damaged = make(), make()
    path = damaged.folder / store.CONFIG
    config = json.loads(path.read_text())
    config["settings"] = {"task": "recall"} if change is None else config["settings"] | change  # None: the others are lost
    path.write_text(json.dumps(config))
    page = linked(TRAINING, run=damaged.id)
    page.session_state[current.TAB] = "All runs"
    sound(page.run())
    assert in_the_address(page, "run") == sound_one.id
    assert "cannot be read" in warnings(page)
    assert damaged.id in captions(page)
    assert len(page.dataframe[0].value) == 1


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.title for preset in PRESETS])
def test_a_preset_starts_all_its_runs_and_shows_the_first(preset: Any, started: list[Run]) -> None:
    page = visit()
    sound(page.button(key=f"training-preset-{PRESETS.index(preset)}").click().run())
    assert [run.name for run in started] == list(preset.runs)
    assert in_the_address(page, "run") == started[0].id
    assert preset.look_for in " ".join(element.value for element in page.markdown)


@pytest.mark.parametrize("button", ["training-preset-0", "training-go"])
def test_the_second_of_two_quick_clicks_neither_starts_nor_asks(
    button: str, started: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current, "MOMENT", math.inf)
    page = sound(visit().button(key=button).click().run())
    (run,) = started
    lock = take_lock(run.folder / store.LOCK)  # as its process does
    assert lock is not None
    sound(page.button(key=button).click().run())
    assert started == [run]
    assert "still going" not in " ".join(element.value for element in page.markdown)


@pytest.mark.parametrize(("answer", "stopped", "begun"), [("stop", 1, 1), ("both", 0, 1), ("no", 0, 0)])
def test_a_preset_pressed_while_another_run_is_going_asks_what_becomes_of_it(
    answer: str, stopped: int, begun: int, started: list[Run]
) -> None:
    page = linked(TRAINING)
    page.session_state["training-owner"] = KEY
    going = control_module.create(default_settings("recall"), KEY, name="Mine *now*")
    lock = take_lock(going.folder / store.LOCK)
    assert lock is not None
    sound(page.run())
    sound(page.button(key="training-preset-0").click().run())
    assert not started
    assert r"Mine \*now\*** is still going" in " ".join(element.value for element in page.markdown)
    sound(page.button(key=f"training-asked-{answer}").click().run())
    assert len(started) == begun
    assert [order.kind for _, order in context.pending(going.folder)] == ["stop"] * stopped
    assert "is still going" not in " ".join(element.value for element in page.markdown)
    os.close(lock)


@pytest.mark.parametrize("preset", [None, PRESETS[0]])
def test_a_second_click_on_an_answer_that_comes_before_its_button_is_gone_does_nothing(
    preset: Preset | None, started: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets.st, "session_state", {})  # the first click has taken the question away
    presets._answer(preset, ())
    assert not started


def test_a_run_of_another_visitor_is_not_asked_about(started: list[Run]) -> None:
    other = make()
    lock = take_lock(other.folder / store.LOCK)
    assert lock is not None
    sound(visit().button(key="training-preset-0").click().run())
    assert len(started) == 1
    os.close(lock)


def test_a_queued_run_says_after_what(started: list[Run]) -> None:
    first, second = make(), make()
    lock = take_lock(first.folder / store.LOCK)
    assert lock is not None
    rename(first, KEY, "The *first*")
    store.write_progress(first.folder, Progress(phase="training"))
    store.write_progress(second.folder, Progress(phase="waiting"))
    store.queue().put(second.id)
    assert r"after **The \*first\***" in captions(visit(run=second.id))
    os.close(lock)


def test_start_says_what_is_ahead_and_refuses_more_than_may_wait(started: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "MOMENT", 0)  # each click is one of its own, however quick
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "1")
    monkeypatch.setenv("SEQMODELS_RUNS_WAITING_EACH", "2")
    going = make()
    lock, slot = take_lock(going.folder / store.LOCK), store.queue().enter()
    assert lock is not None
    assert slot is not None
    rename(going, KEY, "The *first*")
    page = visit()
    assert r"waits its turn, after **The \*first\***" in captions(page)
    for _ in range(2):
        sound(page.button(key="training-go").click().run())
    assert len(list_runs()) == 3
    assert "and 1 more" in captions(page) or "**pos gru**" in captions(page)
    sound(page.button(key="training-go").click().run())
    assert "2 of your runs wait for their turn, and at most 2 may" in warnings(page)
    sound(page.button(key="training-preset-0").click().run())
    sound(page.button(key="training-asked-both").click().run())
    assert "2 of your runs wait for their turn, and at most 2 may" in warnings(page)
    assert len(list_runs()) == 3
    assert not started
    os.close(slot)
    os.close(lock)


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if len(preset.runs) > 1], ids=lambda preset: preset.key)
def test_runs_that_were_started_together_are_shown_together(preset: Any, started: list[Run]) -> None:
    page = visit()
    sound(page.button(key=f"training-preset-{PRESETS.index(preset)}").click().run())
    assert [run.group for run in started] == [started[0].group] * len(preset.runs)
    task = TASKS[started[0].settings["task"]]
    better = 1.0 if task.higher_is_better else -1.0
    for number, run in enumerate(started):
        log = EventLog(run.folder / FILE)
        log.append("step", epoch=1, step=1, steps=2, loss=2.0, norm=1.0, tokens=3, count=1, clipped_count=0, learning_rate=0.1)
        log.append("epoch", epoch=1, loss=2.0, dev_loss=1.5, score=50 + better * number, best_epoch=1, waited=0)
        log.close()
    sound(page.run())
    (chart,) = (chart.proto for chart in page.get("echarts_chart") if chart.proto.alt.startswith("Loss of all runs"))
    assert {line["name"] for line in json.loads(chart.spec)["series"]} == set(preset.runs)
    told = " ".join(element.value for element in page.markdown)
    assert f"**{started[-1].name}** won by 1" in told.replace("\\", "")
    assert task.loss_unit in told
    sound(page.segmented_control(key="race-pick").set_value(started[1].name).run())
    assert in_the_address(page, "run") == started[1].id


@pytest.mark.parametrize(
    ("scores", "going", "headline", "behind"),
    [
        ((100.0, 100.0, 50.0), (), "**a and b** won by 50.0 points in accuracy.", ["", "", "50 behind"]),
        ((100.0, 60.0, 50.0), (), "**a** won by 40.0 points in accuracy.", ["", "40 behind", "50 behind"]),
        ((100.0, 100.0, 50.0), ("c",), "**a and b** lead by 50.0 points in accuracy, after epoch 1.", ["", "", "50 behind"]),
        ((100.0, 100.0, 100.0), (), "**It ended in a tie.**", ["", "", ""]),
        ((100.0, None, None), ("b", "c"), "**Nobody leads yet.**", ["", "", ""]),
    ],
)
def test_who_leads_a_race_is_told_of_all_that_are_level(scores, going, headline, behind) -> None:
    known = {name: History(epochs=[{"score": score}] if score else []) for name, score in zip("abc", scores, strict=True)}
    found = standings(known, going, higher_is_better=True)
    assert race._headline(found, "accuracy").startswith(headline)
    rows = words.standings(found, dict.fromkeys(known, ""), "accuracy").split("</div>")
    assert [re.findall("<small>([^<]*)</small>", row)[-1] for row in rows[:3]] == behind


def test_what_keeps_a_preset_from_starting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise ValueError("the disk is full")

    monkeypatch.setattr(store, "make", full)
    page = visit()
    sound(page.button(key="training-preset-0").click().run())
    assert "The disk is full" in warnings(page)
    sound(page.run())
    assert "The disk is full" not in warnings(page)


def test_of_runs_that_cannot_all_be_started_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    number, preset = next((number, preset) for number, preset in enumerate(PRESETS) if len(preset.runs) > 1)
    begun: list[Run] = []

    def launch(run: Run, *_: int) -> None:
        begun.append(run)
        if len(begun) == len(preset.runs):
            raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(control_module, "launch", launch)
    page = visit()
    sound(page.button(key=f"training-preset-{number}").click().run())
    assert "The run cannot be saved\\: the disk is full" in warnings(page)
    assert len(begun) == len(preset.runs)
    assert list_runs() == []


@needs_corpora  # without its corpus, a task waits for a file
@pytest.mark.parametrize("task", TASKS)
def test_each_task_starts_with_its_own_settings_for_watching(task: str, started: list[Run]) -> None:
    page = visit()
    sound(widget(page, "selectbox", "task").set_value(task).run())
    sound(page.button(key="training-go").click().run())
    live = TASKS[task].demo
    found = from_flat(started[0].settings)
    assert (found.task, found.model, found.training) == (task, live.model, live.training)
    assert in_the_address(page, "run") == started[0].id


def test_whoever_starts_a_run_may_stop_it_and_another_may_not(started: list[Run]) -> None:
    page = visit()
    sound(page.button(key="training-go").click().run())
    (run,) = list_runs()
    assert store.may_control(run, page.session_state["training-owner"])
    assert not store.may_control(run, visit().session_state["training-owner"])


def test_every_setting_of_a_link_reaches_the_run(started: list[Run]) -> None:
    link = {
        "task": "pos", "cell": "lstm", "probe": "Ducks swim.", "weights_seed": "7", "source": "silver", "sentences": "77",
        "dev_sentences": "33", "data_seed": "4", "hidden_size": "30", "layers": "2", "dropout": "0.15", "bidirectional": "false",
        "word_size": "20", "character_size": "10", "spelling_size": "22", "initialization": "orthogonal", "gain": "1.3",
        "forget_bias": "1.5", "epochs": "3", "optimizer": "sgd", "learning_rate": "0.037", "momentum": "0.8",
        "weight_decay": "0.0004", "schedule": "step", "warmup": "0.1", "batch_size": "9", "clip": "value", "clip_threshold": "0.07",
        "patience": "6", "least_improvement": "0.003", "watch": "loss", "restore_best": "false", "seed": "5",
    }  # fmt: skip
    page = visit(settings=urlencode(link))
    assert "cannot be used" not in captions(page)
    sound(page.button(key="training-go").click().run())
    assert from_flat(started[0].settings) == from_flat(link)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("", "name no task"),
        ("task", "cut off or damaged"),
        ("%%%", "cut off or damaged"),
        ("cell=gru", "name no task"),
        ("task=cooking", "unknown task"),
        ("task=pos&cell=gur", "unknown cell"),
        ("task=pos&speed=9", "unknown setting"),
        ("task=pos&learning_rate=fast", "give a number"),
        ("task=pos&learning_rate=nan", "learning_rate is nan"),
        ("task=pos&hidden_size=10000000", "hidden_size"),
        ("task=pos&epochs=99999999999999999999", "up to"),
        ("task=pos&cell=gru&activation=relu", "no activation"),
        ("task=pos&source=sotu", "unknown source"),
        ("task=adding&length=5000", "at most"),
        ("task=pos&" + "x" * 7000, "characters"),
        ("&".join(f"a{number}=1" for number in range(200)), "cut off or damaged"),
        (f"task={HOSTILE}", "unknown task"),
    ],
)
def test_a_damaged_link_is_told_and_the_usual_settings_stand(link: str, told: str, started: list[Run]) -> None:
    page = visit(settings=link)
    plain = captions(page).replace("\\", "")
    assert "cannot be used" in plain
    assert told in plain
    assert "<script>" not in captions(page)
    assert widget(page, "selectbox", "task").value == form.FIRST_TASK
    sound(page.button(key="training-go").click().run())
    assert len(started) == 1


def test_a_changed_setting_is_in_the_address_and_the_usual_ones_are_not() -> None:
    page = visit()
    assert "settings" not in page.query_params
    sound(widget(page, "number_input", "hidden_size").set_value(40).run())
    assert settings_in_the_address(page)["hidden_size"] == 40
    sound(widget(page, "toggle", "early-stopping").set_value(False).run())
    assert settings_in_the_address(page)["patience"] is None
    sound(widget(page, "selectbox", "clip").set_value(None).run())
    assert settings_in_the_address(page)["clip"] is None
    assert visit(settings=in_the_address(page, "settings")).number_input(key=form.PREFIX + "hidden_size").value == 40


def test_few_sentences_bring_more_epochs_unless_the_visitor_has_set_them() -> None:
    demo = TASKS[form.FIRST_TASK].demo
    page = visit()
    sound(widget(page, "number_input", "sentences").set_value(300).run())
    few = demo.training_for(300)
    changed = settings_in_the_address(page)
    assert (changed["epochs"], changed["patience"]) == (few.epochs, few.patience)
    assert f"{few.epochs} epochs" in captions(page)
    sound(widget(page, "number_input", "sentences").set_value(None).run())
    assert "settings" not in page.query_params
    sound(widget(page, "number_input", "epochs").set_value(7).run())
    sound(widget(page, "number_input", "sentences").set_value(300).run())
    assert settings_in_the_address(page)["epochs"] == 7


def test_a_link_with_few_sentences_keeps_its_epochs() -> None:
    page = visit(settings="task=pos&cell=gru&sentences=200&epochs=3")
    assert settings_in_the_address(page)["epochs"] == 3


def test_a_small_file_brings_more_epochs() -> None:
    page = visit(settings="task=pos&source=file&epochs=4&patience=2")
    page.file_uploader(key="training-file").set_value(("own.conllu", CONLLU.encode(), "text/plain"))
    sound(page.run())
    assert settings_in_the_address(page)["epochs"] > 4


def test_the_settings_stay_over_a_walk_to_another_page_and_back() -> None:
    page = visit()
    sound(widget(page, "number_input", "hidden_size").set_value(40).run())
    sound(page.switch_page(OVERVIEW).run())
    sound(page.switch_page(TRAINING).run())
    assert widget(page, "number_input", "hidden_size").value == 40


@pytest.mark.parametrize("content", [CONLLU + "\n", "a NOUN\n"], ids=["good", "bad"])
def test_a_file_is_read_once_and_not_at_each_click(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    as_ever = runs.read_upload

    def counted(task: str, data: DataConfig, upload: Upload) -> object:
        read.append(upload.name)
        return as_ever(task, data, upload)

    monkeypatch.setattr(runs, "read_upload", counted)
    page = visit(settings="task=pos&source=file")
    page.file_uploader(key="training-file").set_value(("once.conllu", content.encode(), "text/plain"))
    sound(page.run())
    assert len(read) == 1
    sound(widget(page, "number_input", "hidden_size").set_value(40).run())
    sound(page.run())
    assert len(read) == 1


@pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))
def test_settings_that_a_cell_does_not_have_are_not_offered(cell: Cell) -> None:
    page = visit()
    sound(page.segmented_control(key=form.PREFIX + "cell").set_value(cell.name).run())
    drawn = {widget.key for widget in (*page.selectbox, *page.number_input)}
    assert (form.PREFIX + "activation" in drawn) == (len(cell.activations) > 1)
    assert (form.PREFIX + "forget_bias" in drawn) == (cell.forget_block is not None)


def test_every_setting_has_a_place_in_the_form() -> None:
    placed = [name for parts in form.LAYOUT.values() for names in parts.values() for name in names]
    assert sorted(["task", "cell", *placed]) == sorted(to_flat(default_settings("pos")))


def test_a_run_can_start_from_the_same_weights_as_another(started: list[Run]) -> None:
    other = make(seed=9)
    page = visit(settings=urlencode(to_link(default_settings("recall"))))
    sound(widget(page, "selectbox", "weights").set_value(other.id).run())
    assert settings_in_the_address(page)["weights_seed"] == 9
    assert "differ" in captions(page)
    store.remove(other)
    sound(page.run())
    assert widget(page, "selectbox", "weights").value == ""


@pytest.mark.parametrize("mine", [True, False])
def test_the_settings_of_a_run_on_screen_go_into_the_form_and_start_the_same(mine: bool, started: list[Run]) -> None:
    run = make(source="generated", hidden_size=24, patience="none", seed=9)
    page = linked(TRAINING, run=run.id)
    page.session_state["training-owner"] = KEY if mine else "another key"
    page.session_state[current.TAB] = "All runs"
    sound(page.run())
    sound(page.button(key="training-copy").click().run())
    assert widget(page, "number_input", "hidden_size").value == 24
    sound(page.button(key="training-go").click().run())
    assert from_flat(started[0].settings) == from_flat(run.settings)


def test_the_settings_of_a_ticked_run_go_into_the_form() -> None:
    run = make(hidden_size=24)
    page = linked(TRAINING)
    page.session_state[current.TAB] = "All runs"
    sound(page.run())
    sound(page.button(key=f"compare-copy-{run.id}").click().run())
    assert page.session_state[current.TAB] == current.OWN_TAB
    assert settings_in_the_address(page)["hidden_size"] == 24


def test_a_copy_of_a_run_with_a_file_of_its_own_asks_for_the_file(started: list[Run]) -> None:
    settings = from_flat({"task": "pos", "cell": "gru", "source": "file"})
    control_module.create(settings, KEY, upload=control_module.Upload("*my* corpus.conllu", CONLLU.encode()))
    page = linked(TRAINING)
    page.session_state["training-owner"] = KEY
    sound(page.run())
    sound(page.button(key="training-copy").click().run())
    told = " ".join(element.value for element in page.markdown).replace("\\", "")
    assert "*my* corpus.conllu is not copied" in told
    sound(page.button(key="training-go").click().run())
    assert "no file yet" in warnings(page)
    assert not started


def test_a_run_whose_settings_are_of_another_version_is_told_and_changes_nothing() -> None:
    run = make(hidden_size=24)
    config = json.loads((run.folder / store.CONFIG).read_text())
    config["settings"]["speed"] = 9
    (run.folder / store.CONFIG).write_text(json.dumps(config))
    page = visit()
    sound(page.button(key="training-copy").click().run())
    assert "cannot be used here" in " ".join(element.value for element in page.markdown)
    assert widget(page, "selectbox", "task").value == form.FIRST_TASK


def test_a_renamed_run_of_a_preset_still_says_what_to_look_for(started: list[Run]) -> None:
    preset = PRESETS[1]
    page = visit()
    sound(page.button(key="training-preset-1").click().run())
    store.rewrite(started[0], "the name", name="Mine")
    sound(page.run())
    assert preset.look_for in " ".join(element.value for element in page.markdown)


def test_a_source_of_a_file_without_a_file_is_told(started: list[Run]) -> None:
    page = visit(settings="task=pos&source=file")
    sound(page.button(key="training-go").click().run())
    assert "no file yet" in warnings(page)
    assert not started
    assert not list_runs()


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.txt", b"0" * 10_000_000)
    return packed.getvalue()


PLAIN = "The state of the union is strong.\n\nThe people know it.\n\n" * 4
MALFORMED = {
    "empty": b"",
    "only blank": b" \n\n\t\n",
    "too large": b"a b\n" * (5 * 2**20 // 4 + 1),
    "zip": zipped(),
    "gzip": b"\x1f\x8b\x08\x00rest",
    "pdf": b"%PDF-1.7\n%\xe2\xe3",
    "picture": b"\x89PNG\r\n\x1a\n",
    "program": b"\x7fELF\x02\x01\x01",
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 without mark": PLAIN.encode("utf-16-le"),
    "UTF-32": PLAIN.encode("utf-32"),
    "Latin-1": "ok ok\ncaf\xe9 X\n".encode("latin-1"),
    "binary": b"The DET\nm\x00n NOUN\n",
    "escape": b"The DET\n\nman\x1b[2J NOUN\n",
    "huge line": b"The DET\n" + b"a" * 200_000,
    "three columns": b"The DET x\n",
    "one column": b"The DET\nman\n",
    "unknown tag": b"The DET\nman NN\n",
    "no word": b"The\tDET\n\tNOUN\n",
    "one sentence": b"The DET\nman NOUN\n",
    "no blank lines": b"man NOUN\n" * 2000,
    "markup": b"<script>alert(1)</script> <b>\n",
}
NAMES = ("own.txt", "../../../etc/passwd", "<b>x</b>.txt", "bomb.zip")


@pytest.mark.parametrize("content", MALFORMED.values(), ids=list(MALFORMED))
def test_a_malformed_file_gets_a_sentence_and_makes_no_run(content: bytes, started: list[Run]) -> None:
    page = visit(settings="task=pos&source=file")
    page.file_uploader(key="training-file").set_value(("../../own.txt", content, "text/plain"))
    sound(page.run())
    assert r"This file cannot be used\: own\.txt" in warnings(page)
    sound(page.button(key="training-go").click().run())
    assert r"This file cannot be used\: own\.txt" in warnings(page)
    assert "<script>" not in warnings(page)
    assert not started
    assert not list_runs()


@pytest.mark.parametrize("name", NAMES)
def test_a_good_file_is_counted_and_becomes_a_run_whatever_its_name(name: str, started: list[Run]) -> None:
    page = visit(settings="task=pos&source=file")
    good = b"The\tDET\nman\tNOUN\nsails\tVERB\n\nHe\tPRON\nsails\tVERB\n\n" * 10
    page.file_uploader(key="training-file").set_value((name, good, "text/plain"))
    sound(page.run())
    assert "sentences to learn from" in captions(page)
    sound(page.button(key="training-go").click().run())
    (run,) = started
    assert store.own_file(run) is not None
    assert {path.name for path in store.root().iterdir() if not path.name.startswith(".")} == {run.id}


def test_the_form_says_how_a_file_is_read_and_its_columns_can_be_set(started: list[Run]) -> None:
    page = visit(settings="task=ner&source=file")
    content = b"1\tUni\tB-ORG\tO\n2\tBonn\tI-ORG\tB-LOC\n3\topened\tO\tO\n\n" * 3
    page.file_uploader(key="training-file").set_value(("layers.tsv", content, "text/plain"))
    sound(page.run())
    assert "words in column 2, tags in column 3, IOB2" in captions(page)
    assert "Tags stand in column 4 too" in captions(page)
    sound(widget(page, "number_input", "tag_column").set_value(4).run())
    assert "tags in column 4" in captions(page)
    sound(widget(page, "text_input", "types").set_value("LOC").run())
    assert "Types are 'LOC'" in warnings(page)
    assert len(page.warning) == 1
    sound(widget(page, "text_input", "types").set_value("LOC=River").run())
    assert "LOC as River" in captions(page)
    sound(page.button(key="training-go").click().run())
    (run,) = started
    assert (run.settings["tag_column"], run.settings["types"]) == (4, "LOC=River")
    data = load_dataset("ner", from_flat(run.settings).data, store.own_file(run))
    assert {tag for sentence in data.train for tag in sentence.tags} == {"O", "B-River"}
    sound(widget(page, "selectbox", "source").set_value("uner").run())
    assert "tag_column" not in settings_in_the_address(page)


def test_the_owners_key_is_never_in_the_address(started: list[Run]) -> None:
    page = visit()
    sound(page.button(key="training-go").click().run())
    assert page.session_state["training-owner"] not in str(dict(page.query_params))
    assert current.RUN in page.query_params
    assert KEY not in str(dict(page.query_params))
    assert store.read_progress(started[0].folder) == Progress(phase="waiting")


@pytest.mark.parametrize(("key", "tab"), [("training-file", "Train your own"), ("training-checkpoint", "Your models")])
def test_a_file_that_the_server_could_not_hold_is_told_with_what_to_do(key: str, tab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    link = {"settings": "task=pos&cell=gru&source=file"} if key == "training-file" else {}
    page = linked(TRAINING, **link)
    page.session_state["training-tab"] = tab
    sound(page.run())
    monkeypatch.setattr(file_uploader, "_get_upload_files", lambda state: [DeletedFile("gone")] if state else [])
    page.file_uploader(key=key).set_value(("own.txt", b"some words", "text/plain"))
    sound(page.run())
    assert "500 MB, and this one is not among them: remove it above, and choose it again" in warnings(page)
