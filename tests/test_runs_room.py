"""Whose runs may go for a new one. No process is started here."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from seqmodels.environment import environment
from seqmodels.runs import Progress, Run, control, create, list_all, list_runs, room, store
from seqmodels.runs.files import take_lock
from tests.running import KEY, files, make, settings

OTHER = "another's key"


@pytest.fixture(autouse=True)
def runs_folder(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQMODELS_RUNS_KEPT", "3")
    return own_folders / "runs"


def of_another(phase: store.Phase = "finished", *weights: str, days: float = 30) -> Run:
    """A run of somebody else's that has rested for so long."""
    run = create(settings(), OTHER)
    store.write_progress(run.folder, Progress(phase=phase))
    for name in weights:
        (run.folder / name).touch()
    rested(run, days)
    return run


def rested(run: Run, days: float) -> None:
    then = time.time() - days * 86400
    for path in (run.folder / store.STATUS, run.folder):
        if path.exists():
            os.utime(path, (then, then))


def test_a_flood_of_starts_pushes_out_the_visitors_own_runs_alone() -> None:
    theirs = [of_another(days=0), of_another("paused", store.LAST)]
    made = [make() for _ in range(50)]
    assert list_runs() == [made[-1], *reversed(theirs)]


def test_of_one_visitor_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_KEPT", "100")
    monkeypatch.setenv("SEQMODELS_RUNS_EACH", "2")
    theirs = [of_another()]
    _, second, third = make(), make(), make()
    assert list_runs() == [third, second, *theirs]
    locks = [take_lock(run.folder / store.LOCK) for run in (second, third)]
    with pytest.raises(ValueError, match="you have 2 runs here"):
        make()
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")  # all are one visitor's there
    make()
    for lock in filter(None, locks):
        os.close(lock)


@pytest.mark.parametrize(
    ("phase", "weights"),
    [
        ("paused", ()),
        ("training", ()),
        ("waiting", ()),
        ("failed", (store.LAST,)),
        ("finished", (store.BEST,)),
        ("stopped", (store.BEST,)),
        ("failed", (store.BEST,)),
    ],
)
def test_no_run_of_anothers_goes_that_they_may_miss_and_a_start_is_refused(phase: store.Phase, weights: tuple[str, ...]) -> None:
    theirs = [of_another(phase, *weights) for _ in range(3)]
    with pytest.raises(ValueError, match="3 runs are kept here, and no more fit"):
        make()
    assert list_runs() == list(reversed(theirs))


@pytest.mark.parametrize("phase", ["new", "finished", "stopped", "failed"])
def test_the_oldest_run_of_anothers_that_nobody_can_miss_goes_once_it_has_rested(phase: store.Phase) -> None:
    theirs = [of_another(phase, days=days) for days in (1, 30, 20)]
    made = make()
    assert list_runs() == [made, theirs[2], theirs[0]]
    rested(theirs[2], 1)
    again = make()
    assert list_runs() == [again, theirs[2], theirs[0]]  # in place of the visitor's own


def test_a_run_may_go_once_a_model_was_made_of_its_weights_and_as_long_as_that_is_here(own_folders: Path) -> None:
    theirs = [store.rewrite(of_another("finished", store.BEST), "the model", published="theirs") for _ in range(3)]
    for run in theirs:
        rested(run, 30)
    with pytest.raises(ValueError, match="no more fit"):
        make()
    (own_folders / "own").mkdir()
    (own_folders / "own" / "theirs.safetensors").touch()
    made = make()
    assert list_runs() == [made, theirs[2], theirs[1]]


def test_a_visitors_own_runs_go_first_if_there_is_nothing_to_lose() -> None:
    precious, empty = make(), make()
    store.write_progress(precious.folder, Progress(phase="finished"))
    (precious.folder / store.BEST).touch()
    theirs = of_another()
    made = make()
    assert list_runs() == [made, theirs, precious]
    store.remove(made)
    assert not empty.folder.exists()


def test_a_start_that_is_refused_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, own = of_another("paused"), make()
    monkeypatch.setenv("SEQMODELS_RUNS_KEPT", "1")
    with pytest.raises(ValueError, match="no more fit"):
        make()
    assert list_runs() == [own, theirs]


def test_many_starts_at_once_find_no_more_room_than_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_EACH", "2")
    together = threading.Barrier(4)

    def make_room(*given: Any) -> None:
        room.make_room(*given)
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.2)

    monkeypatch.setattr(control, "make_room", make_room)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: make(), range(4)))
    assert len(list_runs()) == 2


def test_runs_of_a_group_make_no_room_for_each_other() -> None:
    theirs = [of_another(days=0), of_another(days=0)]
    first = create(settings(), KEY, group="race")
    with pytest.raises(ValueError, match="no more fit"):
        create(settings(), KEY, group="race")
    assert list_runs() == [first, *reversed(theirs)]


def test_a_run_with_a_process_stays() -> None:
    oldest, second = make(), make()
    lock = take_lock(oldest.folder / store.LOCK)
    assert lock is not None
    third, fourth = make(), make()
    assert list_runs() == [fourth, third, oldest]
    assert not second.folder.exists()
    os.close(lock)


def test_a_damaged_folder_that_is_no_ones_goes_once_it_has_rested() -> None:
    for run in (broken := [make() for _ in range(3)]):
        (run.folder / store.CONFIG).write_text("{")
        rested(run, 1)
    with pytest.raises(ValueError, match="no more fit"):
        make()
    rested(broken[1], 30)
    made = make()
    assert {run.id for run in list_all()} == {made.id, broken[0].id, broken[2].id}


def test_a_run_of_anothers_with_an_impossible_model_stops_nobody() -> None:
    environment().own_checkpoints.mkdir(exist_ok=True)
    damaged = of_another("finished", store.BEST)
    config = damaged.folder / store.CONFIG
    config.write_text(config.read_text().replace('"published": null', f'"published": "{"é" * 200}"'))
    rested(damaged, 30)
    assert make() in list_all()
    assert damaged.folder.exists()  # there is no such model, so its weights could be missed


def test_of_a_run_that_is_a_link_the_link_goes_and_what_it_leads_to_stays(runs_folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    run = make()
    run.folder.rename(moved)
    run.folder.symlink_to(moved)
    assert store.remove(run)
    assert files(runs_folder) == {".queue", ".slots"}
    assert (moved / store.CONFIG).exists()


def test_what_killed_processes_left_behind_is_cleared_away(runs_folder: Path) -> None:
    for name in (".gone-x-1", ".new-old", ".new-fresh"):
        (runs_folder / name).mkdir(parents=True)
    old = time.time() - 2 * room._FORGOTTEN
    os.utime(runs_folder / ".new-old", (old, old))
    room.make_room(KEY)
    assert files(runs_folder) == {".new-fresh"}
