"""What a run tells: its events on disk, and what is made of them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from seqmodels.runs import History, events, export_csv
from seqmodels.runs.events import EventLog, StepThinner
from seqmodels.runs.records import MarkEvent, StepEvent
from seqmodels.training import Step
from tests.running import make

pytestmark = pytest.mark.usefixtures("own_folders")

STEP: dict[str, Any] = {
    "epoch": 1,
    "step": 1,
    "steps": 2,
    "loss": 1.0,
    "norm": 1.0,
    "learning_rate": 0.1,
    "tokens": 3,
    "count": 1,
    "clipped_count": 0,
}
EPOCH = {"epoch": 1, "loss": 1.0, "dev_loss": 1.0, "score": 1.0, "best_epoch": 1, "waited": 0}


def test_events_are_read_as_they_come(tmp_path: Path) -> None:
    path, known = tmp_path / "events.jsonl", History()
    log = EventLog(path)
    log.append("paused", epoch=3)
    known.read(path)
    assert [(mark["kind"], mark["epoch"]) for mark in known.marks] == [("paused", 3)]
    log.append("step", **{**STEP, "loss": float("inf"), "norm": 1 / 3})
    known.read(path)
    assert [(step["loss"], step["norm"]) for step in known.steps] == [(None, 0.333333)]
    known.read(path)
    assert (len(known.marks), len(known.steps), known.lines) == (1, 1, 3)
    log.close()


def marks(path: Path, known: History) -> list[str]:
    """Their kinds, read on from what is known."""
    known.read(path)
    return [mark["kind"] for mark in known.marks]


def test_a_torn_last_line_is_left_out_and_cut_when_the_log_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.append("paused")
    log.close()
    with path.open("ab") as file:
        file.write(b'{"time": 1, "kind": "st')
    assert marks(path, History()) == ["paused"]
    log = EventLog(path, keep=path.stat().st_size)
    log.append("resumed")
    log.close()
    assert marks(path, History()) == ["paused", "resumed"]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_reader_hears_that_what_it_read_was_cut(tmp_path: Path) -> None:
    path, known = tmp_path / "events.jsonl", History()
    log = EventLog(path)
    log.append("paused")
    kept = log.size
    log.append("resumed")
    log.close()
    assert marks(path, known) == ["paused", "resumed"]
    log = EventLog(path, keep=kept)
    log.append("stopped")
    assert marks(path, known) == ["paused", "stopped"]
    log.close()


def test_a_pause_is_no_part_of_the_speed() -> None:
    known = History()
    first, second, third = (
        StepEvent("step", time, **STEP | {"step": step, "steps": 10, "tokens": 100})
        for time, step in ((0.0, 1), (6.5, 2), (7.0, 3))
    )
    for event in (first, MarkEvent("paused", 0.5), MarkEvent("resumed", 6.0), second, third):
        known.add(event)
    assert known.tokens_per_second == pytest.approx(200)
    assert known.seconds_left(1) == pytest.approx(3.5)  # seven steps of half a second


def test_a_table_of_events_is_in_order_also_where_the_clock_was_set_back() -> None:
    run = make()
    log = EventLog(run.folder / events.FILE)
    for epoch in (1, 2):
        for number in (1, 2):
            log.append("step", **{**STEP, "epoch": epoch, "step": number})
        log.append("epoch", **{**EPOCH, "epoch": epoch})
    log.close()
    path = run.folder / events.FILE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "time": -at}) + "\n" for at, line in enumerate(lines)))
    rows = list(csv.DictReader(io.StringIO(export_csv(run))))
    assert [(row["kind"], row["epoch"], row["step"]) for row in rows] == [
        ("step", "1", "1"), ("step", "1", "2"), ("epoch", "1", ""), ("step", "2", "1"), ("step", "2", "2"), ("epoch", "2", ""),
    ]  # fmt: skip


def test_without_a_log_there_are_no_events(tmp_path: Path) -> None:
    known = History(marks=[{"kind": "paused"}], log="x", offset=50)
    known.read(tmp_path / "none")
    assert known == History()


@pytest.mark.thorough
def test_a_run_of_ten_hours_is_told_in_five_megabytes_and_no_step_is_lost_in_the_sums() -> None:
    now = [0.0]
    thinner = StepThinner(clock=lambda: now[0])
    told, size, steps = [], 0, 10 * 36_000
    for number in range(steps):  # ten steps a second
        now[0] += 0.1
        values = thinner.take(Step(1, number, steps, 2.34567, 1.2345678, 1.0, number % 2 == 0, 0.00123456, 1024))
        if values is not None:
            told.append(values)
            size += len(json.dumps({"time": 1795390897.169, "kind": "step", **values})) + 1
    assert size < 5e6
    assert [values["step"] for values in told[: events.EACH_STEP]] == list(range(events.EACH_STEP))
    assert sum(values["count"] for values in told) > steps - 200
    assert all(values["tokens"] == 1024 * values["count"] for values in told)


def test_of_steps_that_are_not_reported_the_extremes_and_the_mean_are_kept() -> None:
    now = [0.0]
    thinner = StepThinner(reported=events.EACH_STEP, clock=lambda: now[0])
    norms = [3.0, 0.5, 9.0, 2.0]
    told = []
    for number, norm in enumerate(norms):
        now[0] += 0.1
        told.append(thinner.take(Step(1, number, 10, norm, norm, min(norm, 1.0), norm > 1, 0.1, 10)))
    first, *nothing, last = told
    assert first is not None
    assert (first["lowest_norm"], first["highest_norm"]) == (3.0, 3.0)
    assert nothing == [None, None]
    assert last is not None
    assert (last["lowest_norm"], last["highest_norm"]) == (0.5, 9.0)
    assert (last["lowest_norm_after"], last["highest_norm_after"]) == (0.5, 1.0)
    assert last["loss"] == pytest.approx(sum(norms[1:]) / 3)
