"""Runs that wait for their turn: how many may, what they cost, what they follow, and what becomes of them."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from seqmodels.runs import Progress, Run, check_places, create, list_runs, read_history, root, start, status, store, work
from seqmodels.runs.files import is_locked
from seqmodels.runs.queue import FOLDER, Queue
from seqmodels.training import Epoch
from tests.running import KEY, discard, files, finish, fork, is_now, kill_all, make, order, settings, wait_until

THEIRS = "another owner's key"


@pytest.fixture(autouse=True)
def _one_slot(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "1")
    yield
    shutil.rmtree(root(), ignore_errors=True)
    wait_until(lambda: not processes())
    kill_all()


@pytest.fixture
def slot() -> int:
    """The only one: nobody else has a turn until it is closed."""
    taken = store.queue().enter()
    assert taken is not None
    return taken


def processes() -> list[str]:
    """What this process has started for runs, and still goes on."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("run ", "keep "))]


def waiting() -> Run:
    run = make(epochs=1)
    start(run, KEY)
    return run


def test_runs_that_wait_have_no_process_and_one_starts_them_in_their_order(slot: int) -> None:
    runs = [waiting() for _ in range(2)]
    assert [status(run).name for run in runs] == ["queued"] * 2
    assert [status(run).after for run in runs] == [(), (runs[0],)]
    assert not any(is_locked(run.folder / store.LOCK) for run in runs)
    assert len(processes()) == 1
    with pytest.raises(ValueError, match="queued already"):
        start(runs[0], KEY)
    os.close(slot)
    for run in runs:
        wait_until(is_now(run, "finished"))
    ended = [read_history(run).marks[-1]["time"] for run in runs]
    assert ended == sorted(ended)
    wait_until(lambda: not processes())  # the one that started them too


def test_a_flood_by_one_visitor_is_refused_and_touches_nobody_else(slot: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_WAITING_EACH", "3")
    monkeypatch.setenv("SEQMODELS_RUNS_WAITING", "4")
    finished, queued = create(settings(epochs=1), THEIRS), create(settings(epochs=1), THEIRS)
    os.close(slot)
    finish(finished)
    taken = store.queue().enter()
    assert taken is not None
    start(queued, THEIRS)
    before = [(run, status(run).name, files(run.folder)) for run in (finished, queued)]
    refused = 0
    for _ in range(200):
        try:
            check_places(KEY)
        except ValueError:
            refused += 1
        else:
            waiting()
    assert refused == 197
    with pytest.raises(ValueError, match="3 of your runs wait for their turn, and at most 3 may"):
        waiting()  # nor where nobody has looked beforehand
    assert len(store.queue().waiting()) == 4
    assert len(list_runs()) == 6
    assert len(processes()) == 1
    assert [(run, status(run).name, files(run.folder)) for run in (finished, queued)] == before
    with pytest.raises(ValueError, match="4 runs wait for their turn, and at most 4 may"):
        check_places(THEIRS)
    os.close(taken)


@pytest.mark.parametrize(("kind", "name"), [("pause", "paused"), ("stop", "stopped")])
def test_a_run_that_waits_leaves_the_queue_at_once(kind: str, name: str, slot: int) -> None:
    first, second = waiting(), waiting()
    order(first, kind)
    assert status(first).name == name
    assert status(first).progress.message == "taken out of the queue"
    assert status(second).after == ()
    if kind == "pause":
        order(first, "resume")
        assert status(first).after == (second,)
    os.close(slot)


def test_a_run_that_waits_is_deleted_at_once(slot: int) -> None:
    run = waiting()
    order(run, "discard")
    assert not run.folder.exists()
    assert store.queue().waiting() == []
    os.close(slot)


@pytest.mark.thorough
@pytest.mark.parametrize("when", ["a process waits behind them", "a run ends"])
def test_where_the_process_that_starts_them_was_killed_there_is_another_when(when: str) -> None:
    left, other = make(epochs=1), make(epochs=1)
    reports = work(other.folder)
    if when == "a run ends":
        next(report for report in reports if isinstance(report, Epoch))
    store.write_progress(left.folder, Progress(phase="waiting"))
    store.queue().put(left.id)
    assert status(left).name == "queued"
    assert not processes()
    for _ in reports:
        pass
    wait_until(is_now(left, "finished"))
    assert status(other).name == "finished"


@pytest.mark.thorough
def test_a_process_that_waits_by_itself_has_its_turn_among_them(slot: int) -> None:
    first = waiting()
    second = make(epochs=1000)
    fork(second, partial(os.close, slot))
    wait_until(lambda: len(store.queue().waiting()) == 2)
    third = waiting()
    assert [run.id for run in (first, second, third)] == store.queue().waiting()
    order(first, "pause")
    os.close(slot)
    wait_until(is_now(second, "running"))
    assert status(third).name == "queued"
    discard(second)
    wait_until(is_now(third, "finished"))


def deleted() -> bool:
    """Delete the runs folder; a process that writes there at that moment keeps it alive for this time."""
    shutil.rmtree(root(), ignore_errors=True)
    return not root().exists()


def test_where_the_runs_folder_is_deleted_all_processes_end() -> None:
    trains = make(epochs=1000, sentences=4000)
    pids = [fork(trains)]
    wait_until(is_now(trains, "running"))
    waiting()
    pids.append(fork(make()))
    wait_until(lambda: len(store.queue().waiting()) == 2)
    wait_until(deleted)
    wait_until(lambda: not processes())
    for pid in pids:
        wait_until(lambda pid=pid: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)  # type: ignore[misc]
    assert not list(root().glob("*"))


def test_what_a_hand_has_put_among_the_tickets_keeps_nobody_waiting(tmp_path: Path) -> None:
    queue = Queue(tmp_path, 2)
    queue.put("a" * 16)
    tickets = tmp_path / FOLDER
    (tickets / f"{1:020d}-{'b' * 16}").mkdir()
    (tickets / f"{2:020d}-{'c' * 16}.start").mkdir()
    (tickets / f"{3:020d}-{'d' * 16}.start").write_bytes(b"\xff\xfe")  # its group
    (tickets / "4").symlink_to("nowhere")
    assert queue.waiting() == ["d" * 16, "a" * 16]
    due = dict(queue.due())
    assert list(due) == ["d" * 16, "a" * 16]
    for run_id, descriptor in due.items():
        os.close(descriptor)
        assert queue.remove(run_id)
    assert queue.free()
    assert not queue.to_start()


def test_runs_of_a_group_are_due_together_and_no_other_before_its_turn(tmp_path: Path) -> None:
    queue = Queue(tmp_path, 1)
    race = queue.enter(group="race")
    assert race is not None
    assert not queue.free()
    for name, group in (("a", None), ("b", "race"), ("c", None)):
        queue.put(name * 16, group)
    [(run_id, shared)] = queue.due()
    assert run_id == "b" * 16
    queue.remove(run_id)
    os.close(race)
    assert not list(queue.due())
    os.close(shared)
    due = []
    for run_id, descriptor in queue.due():
        due.append(run_id)
        os.close(descriptor)
    assert due == ["a" * 16, "c" * 16]  # the second because the first has given its slot back
    assert queue.remove("a" * 16)
    assert not queue.remove("a" * 16)
