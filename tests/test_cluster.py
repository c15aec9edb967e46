"""Runs and experiments on a Ray cluster of two machines, which are processes here; one of them is killed."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from seqmodels import cluster
from seqmodels.cli import main
from seqmodels.experiments import read_results
from seqmodels.runs import Run, read_history, root, start, status, store
from seqmodels.runs.files import is_locked
from seqmodels.runs.queue import FOLDER
from tests import running
from tests.running import KEY, assert_same_model, discard, finish, is_now, make, order

PATIENCE = 120.0  # seconds: the first task of a machine imports all that a training needs
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install -r requirements-cluster.txt")


def wait_until(true: Callable[[], bool]) -> None:
    running.wait_until(true, PATIENCE)


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """A cluster whose first machine has no core to spare, and two with one each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
        from ray.cluster_utils import Cluster

        found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        patch.setenv(cluster.ADDRESS, found.address)
        for _ in range(2):
            found.add_node(num_cpus=1)
        yield found
        cluster.join().shutdown()
        found.shutdown()


@pytest.fixture
def on_ray(machines: Any, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("SEQMODELS_RUNS_ON", "ray")
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "2")
    yield machines
    shutil.rmtree(root(), ignore_errors=True)


def begun(**changes: object) -> Run:
    """A run that trains on the cluster."""
    run = make(**{"epochs": 400, "sentences": 2000, **changes})
    start(run, KEY)
    assert status(run).name in ("queued", "running")
    wait_until(lambda: len(read_history(run).epochs) > 0)
    return run


@pytest.mark.thorough
@needs_ray
def test_a_run_ends_on_the_cluster_as_it_does_here(on_ray: Any) -> None:
    here, there = make(), make()
    finish(here)
    start(there, KEY)
    wait_until(is_now(there, "finished", "failed"))
    assert status(there).progress.message == status(here).progress.message
    assert_same_model(here.folder / store.BEST, there.folder / store.BEST)
    assert read_history(there).epochs[-1]["score"] == read_history(here).epochs[-1]["score"]
    wait_until(lambda: not there.alive)


@pytest.mark.thorough
@needs_ray
def test_it_is_paused_changed_resumed_and_stopped_from_here(on_ray: Any) -> None:
    run = begun()
    order(run, "pause")
    wait_until(is_now(run, "paused"))
    assert run.alive
    with pytest.raises(ValueError, match="paused already"):
        start(run, KEY)
    order(run, "change", learning_rate=0.02)
    order(run, "resume")
    wait_until(is_now(run, "running"))
    order(run, "stop")
    wait_until(is_now(run, "stopped", "failed"))
    assert status(run).name == "stopped"
    assert [mark["kind"] for mark in read_history(run).marks][-4:] == ["paused", "changed", "resumed", "stopped"]
    discard(run)


@pytest.mark.thorough
@needs_ray
def test_one_that_no_machine_has_room_for_waits_and_can_be_taken_out(on_ray: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "4")
    going = [begun(), begun()]
    third, fourth = make(), make()
    for run in (third, fourth):
        start(run, KEY)
        wait_until(lambda run=run: is_locked(run.folder / store.LOCK))  # type: ignore[misc]
        assert status(run).name == "queued"
    order(third, "pause")
    wait_until(is_now(third, "paused"))
    assert status(third).progress.message == store.TAKEN_OUT
    discard(fourth)
    for run in going:
        discard(run)
    wait_until(lambda: not third.alive)
    order(third, "resume")
    wait_until(is_now(third, "finished", "failed"))
    assert status(third).name == "finished"


def kill_process(machines: Any, run: Run) -> None:
    os.kill(worker_of(run), signal.SIGKILL)


def kill_machine(machines: Any, run: Run) -> None:
    """All that is of the one that trains the run; another comes in its place."""
    raylet = int(Path(f"/proc/{worker_of(run)}/stat").read_text().rpartition(")")[2].split()[1])
    [lost] = [one for one in machines.worker_nodes if raylet in [part.process.pid for part in one.all_processes["raylet"]]]
    machines.remove_node(lost, allow_graceful=False)
    machines.add_node(num_cpus=1)


@needs_ray
@pytest.mark.thorough
@pytest.mark.parametrize("kill", [kill_process, kill_machine])
def test_a_run_that_is_lost_goes_on_elsewhere_and_ends_with_the_same_weights(on_ray: Any, kill: Callable[[Any, Run], None]) -> None:
    whole, run = make(epochs=40), make(epochs=40)
    finish(whole)
    start(run, KEY)
    wait_until((run.folder / store.LAST).exists)
    kill(on_ray, run)
    wait_until(is_now(run, "finished", "failed"))
    assert "resumed" in [mark["kind"] for mark in read_history(run).marks], status(run).progress.message
    assert_same_model(whole.folder / store.BEST, run.folder / store.BEST)


def worker_of(run: Run) -> int:
    """The process that has the run's log open."""
    log = str(run.folder / store.LOG)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(path.readlink()) == log for path in (process / "fd").iterdir()) and int(process.name) != os.getpid():
                return int(process.name)
        except OSError:
            continue
    raise AssertionError("no process trains it")


@pytest.mark.thorough
@needs_ray
def test_an_experiment_on_the_cluster_is_that_of_here(machines: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    assert main(["experiment", "memory", "--toy", "--output", str(here)]) == 0
    assert main(["experiment", "memory", "--toy", "--output", str(there), "--on", "ray"]) == 0
    one, other = read_results(here), read_results(there)
    assert [replace(outcome, seconds=0) for outcome in one.outcomes] == [replace(outcome, seconds=0) for outcome in other.outcomes]


def test_without_ray_the_message_says_how_to_get_it(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    assert main(["experiment", "memory", "--toy", "--output", str(tmp_path / "memory.json"), "--on", "ray"]) == 2
    assert capsys.readouterr().err.startswith("Ray is not installed here: pip install -r requirements-cluster.txt")
    monkeypatch.setenv("SEQMODELS_RUNS_ON", "ray")
    run = make()
    with pytest.raises(ValueError, match="Ray is not installed here"):
        start(run, KEY)
    assert not run.alive


@needs_ray
def test_where_no_cluster_answers_the_run_says_so_and_can_be_resumed(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_ON", "ray")
    monkeypatch.setenv(cluster.ADDRESS, "127.0.0.1:1")
    run = make()
    start(run, KEY)
    wait_until(is_now(run, "failed"))
    assert "no Ray cluster answers at 127.0.0.1:1" in status(run).progress.message
    monkeypatch.setenv("SEQMODELS_RUNS_ON", "local")
    wait_until(lambda: not is_locked(root() / FOLDER / "keeper"))
    order(run, "resume")
    wait_until(is_now(run, "finished"))


def test_a_cluster_that_does_not_take_this_machine_in_is_not_waited_for() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError, match=r"it has not taken this machine in for 0\.1 seconds"):
        cluster._within(0.1, never.wait)
    never.set()
    with pytest.raises(OSError, match="no route"):
        cluster._within(60, _fail)


def _fail() -> None:
    raise OSError("no route")


def test_an_unknown_place_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "memory", "--on", "mars"]) == 2
    assert capsys.readouterr().err == "unknown place 'mars': choose one of local, ray\n"
