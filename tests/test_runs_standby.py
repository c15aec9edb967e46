"""The process that forks the processes of runs: one for each run handed to it, and none of its own business after that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqmodels.runs import launcher, read_history, stand_by, start, status, store
from tests.running import KEY, assert_same_model, finish, is_now, make, order, wait_until


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder for runs, and no server but the one that is asked for."""
    monkeypatch.setenv("SEQMODELS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "4")
    monkeypatch.setattr(launcher, "_server", launcher.ForkServer())
    yield
    launcher._server.stop()


needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks processes up in /proc")


def command_line(pid: int) -> str:
    """As a list of processes shows it; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").replace("\0", " ")
    except OSError:
        return ""


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def ready() -> int:
    """The server's process."""
    stand_by()
    assert launcher._server.process is not None
    return launcher._server.process.pid


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not launcher._server.alive)


@pytest.mark.thorough
@needs_proc
def test_a_run_that_is_forked_trains_as_one_that_is_not() -> None:
    server = ready()
    forked, alone = make(epochs=30), make(epochs=30)
    start(forked, KEY)
    wait_until(is_now(forked, "running"))
    pid = status(forked).progress.pid
    assert pid is not None
    assert parent(pid) == server
    wait_until(is_now(forked, "finished"))
    finish(alone)
    assert_same_model(forked.folder / store.BEST, alone.folder / store.BEST)
    wait_until(lambda: not command_line(pid) and not Path(f"/proc/{pid}").exists())  # nor is it a zombie


@pytest.mark.thorough
@needs_proc
def test_it_is_told_from_others_and_writes_the_log_of_its_run() -> None:
    ready()
    run = make(epochs=1000)
    start(run, KEY)
    wait_until(lambda: bool(read_history(run).steps))  # one that still sets up ends without a word
    pid = status(run).progress.pid
    assert pid is not None
    assert command_line(pid).endswith(f"-m seqmodels run {run.folder}")
    assert os.getsid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    os.kill(pid, signal.SIGTERM)
    wait_until(is_now(run, "interrupted"))
    wait_until(lambda: "interrupted" in (run.folder / store.LOG).read_text())  # it says so after its status does


@pytest.mark.thorough
def test_it_takes_the_environment_of_the_moment_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    ready()
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "0.001")
    run = make(epochs=1000)
    start(run, KEY)
    wait_until(is_now(run, "stopped", "finished"))
    assert "longest time" in status(run).progress.message


@pytest.mark.thorough
def test_it_holds_the_lock_until_it_ends() -> None:
    ready()
    run = make(epochs=1000)
    start(run, KEY)
    assert run.alive
    with pytest.raises(ValueError, match="already"):
        start(run, KEY)
    wait_until(is_now(run, "running"))
    os.kill(status(run).progress.pid or 0, signal.SIGKILL)
    wait_until(lambda: not run.alive)
    assert status(run).name == "interrupted"
    start(run, KEY)
    order(run, "stop")
    wait_until(is_now(run, "stopped"))


@pytest.mark.thorough
def test_several_runs_started_at_once_each_have_a_process() -> None:
    ready()
    runs = [make() for _ in range(3)]
    for run in runs:
        start(run, KEY)
    for run in runs:
        wait_until(is_now(run, "finished"))
    assert len({status(run).progress.pid for run in runs}) == 3


@pytest.mark.thorough
@needs_proc
def test_a_run_that_waits_does_not_take_what_stands_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "1")
    server = ready()
    first, second = make(epochs=1000), make(epochs=1000)
    for run in (first, second):
        start(run, KEY)
    wait_until(is_now(first, "running"))
    assert parent(status(first).progress.pid or 0) == server
    order(first, "stop")
    wait_until(is_now(second, "running"))
    assert parent(status(second).progress.pid or 0) != server
    order(second, "stop")
    wait_until(is_now(second, "stopped"))


@pytest.mark.thorough
def test_where_it_has_died_a_new_process_is_started() -> None:
    killed(ready())
    run = make()
    start(run, KEY)
    wait_until(is_now(run, "finished"))


@pytest.mark.thorough
def test_where_there_can_be_none_pages_and_runs_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    with monkeypatch.context() as patch:
        patch.setattr(launcher, "detach", refused)
        stand_by()
    assert not launcher._server.alive
    run = make()
    start(run, KEY)
    wait_until(is_now(run, "finished"))
    assert not launcher._server.alive  # none that was not asked for


@pytest.mark.thorough
def test_what_it_cannot_import_is_no_loss_to_a_run_that_needs_it_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spacy.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ready()
    run = make()
    start(run, KEY)
    wait_until(lambda: not run.alive)
    assert status(run).name == "finished"


def test_there_is_one_at_most_and_another_after_one_that_died() -> None:
    first = ready()
    assert ready() == first
    killed(first)
    assert ready() != first


@needs_proc
def test_it_ends_with_its_owner_and_the_runs_that_it_forked_go_on() -> None:
    run = make(epochs=1000, sentences=4000)
    script = (
        "import sys, time; from seqmodels.runs import find_run, launcher, start; launcher.stand_by();"
        "start(find_run(sys.argv[1]), sys.argv[2]); print(launcher._server.process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, run.id, KEY], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        server = int(owner.stdout.readline())
        wait_until(lambda: bool(read_history(run).steps))
        assert parent(status(run).progress.pid or 0) == server
        owner.kill()
    wait_until(lambda: not command_line(server))
    steps = len(read_history(run).steps)
    wait_until(lambda: len(read_history(run).steps) > steps)
    assert run.alive
    order(run, "stop")
    wait_until(is_now(run, "stopped"))
