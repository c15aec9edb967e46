"""A process that stands by: handed a run, it is that run's process; not handed one, it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqmodels.runs import standby, start, status, store
from seqmodels.runs.standby import stand_by
from tests.running import KEY, finish, is_now, make, order, wait_until


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder for runs, and nobody in reserve but who is asked for."""
    monkeypatch.setenv("SEQMODELS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(standby, "_reserve", standby._Reserve())
    yield
    if standby._reserve._standby is not None:
        standby._reserve._standby.dismiss()


needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks processes up in /proc")


def command_line(pid: int) -> str:
    """As a list of processes shows it; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").replace("\0", " ")
    except OSError:
        return ""


def reserve() -> int | None:
    """The process in reserve."""
    found = standby._reserve._standby
    return found._process.pid if found is not None and found.alive else None


def ready() -> int:
    stand_by()
    pid = reserve()
    assert pid is not None
    return pid


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: reserve() is None)


def test_a_run_that_is_handed_over_trains_as_one_that_is_not() -> None:
    pid = ready()
    handed, alone = make(), make()
    start(handed, KEY)
    wait_until(is_now(handed, "finished"))
    finish(alone)
    assert status(handed).progress.pid == pid
    assert (handed.folder / store.BEST).read_bytes() == (alone.folder / store.BEST).read_bytes()


@needs_proc
def test_it_is_told_from_others_and_writes_the_log_of_its_run() -> None:
    pid = ready()
    run = make(epochs=1000)
    start(run, KEY)
    wait_until(is_now(run, "running"))
    assert command_line(pid).endswith(f"-m seqmodels run {run.folder}")
    os.kill(pid, signal.SIGTERM)
    wait_until(is_now(run, "interrupted"))
    assert "interrupted" in (run.folder / store.LOG).read_text()


def test_it_takes_the_environment_of_the_moment_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    ready()
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "0.001")
    run = make(epochs=1000)
    start(run, KEY)
    wait_until(is_now(run, "stopped", "finished"))
    assert "longest time" in status(run).progress.message


def test_it_holds_the_lock_until_it_ends() -> None:
    pid = ready()
    run = make(epochs=1000)
    start(run, KEY)
    assert run.alive
    with pytest.raises(ValueError, match="already"):
        start(run, KEY)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not run.alive)
    assert status(run).name == "interrupted"
    start(run, KEY)
    order(run, "stop")
    wait_until(is_now(run, "stopped"))


def test_where_it_has_died_a_new_process_is_started() -> None:
    pid = ready()
    killed(pid)
    run = make()
    start(run, KEY)
    wait_until(is_now(run, "finished"))
    assert status(run).progress.pid != pid


def test_where_there_can_be_none_pages_and_runs_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise BlockingIOError("no more processes")

    with monkeypatch.context() as patch:
        patch.setattr(standby, "_start", refused)
        stand_by()
    assert reserve() is None
    run = make()
    start(run, KEY)
    wait_until(is_now(run, "finished"))


def test_what_it_cannot_import_is_no_loss_to_a_run_that_needs_it_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spacy.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    pid = ready()
    run = make()
    start(run, KEY)
    wait_until(lambda: not run.alive)
    assert status(run).name == "finished"
    assert status(run).progress.pid == pid


def test_there_is_one_at_most_and_another_after_one_that_died() -> None:
    first = ready()
    assert ready() == first
    killed(first)
    assert ready() != first


def test_there_is_another_a_while_after_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "REST", 0.5)
    pid = ready()
    run = make()
    start(run, KEY)
    stand_by()
    assert reserve() is None  # the run comes first
    wait_until(lambda: reserve() is not None)
    assert reserve() != pid


def test_there_is_none_that_was_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "REST", 0.0)
    run = make()
    start(run, KEY)
    wait_until(is_now(run, "finished"))
    assert reserve() is None


@needs_proc
def test_it_ends_with_its_maker() -> None:
    script = (
        "import time; from seqmodels.runs import standby; standby.stand_by();"
        "print(standby._reserve._standby._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        pid = int(maker.stdout.readline())
        maker.kill()
    wait_until(lambda: not command_line(pid))
