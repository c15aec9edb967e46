"""Runs that are asked to save and end, because what they run on is about to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqmodels.runs import interrupt_all, read_history, start, status, store
from seqmodels.runs.files import take_lock
from tests.browser.driver import ROOT, free_port, wait_for
from tests.running import KEY, is_now, make, order, wait_until

LONG = {"epochs": 1000}


@pytest.fixture(autouse=True)
def _alone(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "1")
    yield
    for run in store.list_runs():
        if run.alive:
            order(run, "discard")
    wait_until(lambda: not any(run.alive for run in store.list_runs()))


def interrupted_here() -> str:
    """What `interrupt_all` gives in a process of its own, which then ends as a server does."""
    script = "from seqmodels.runs import interrupt_all; print(interrupt_all(60))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return told.stdout.strip()


def test_a_run_saves_and_can_go_on_and_one_that_waits_keeps_its_place() -> None:
    going, waiting = make(**LONG), make(epochs=1)
    start(going, KEY)
    wait_until(lambda: len(read_history(going).epochs) > 0)
    start(waiting, KEY)
    assert is_now(waiting, "queued")()
    assert interrupted_here() == "1"
    assert status(going).name == "interrupted"
    assert (going.folder / store.LAST).exists()
    epochs = len(read_history(going).epochs)
    assert status(waiting).name == "queued"
    order(waiting, "stop")
    order(going, "resume")
    wait_until(lambda: len(read_history(going).epochs) > epochs)
    numbers = [epoch["epoch"] for epoch in read_history(going).epochs]
    assert numbers == list(range(1, len(numbers) + 1)), "it went on where it was"


def test_while_the_queue_is_shut_nobody_is_next() -> None:
    waiting = make(epochs=1)
    slot = store.queue().enter()
    assert slot is not None
    start(waiting, KEY)
    assert store.queue().to_start()
    store.queue().shut()
    assert not store.queue().to_start()
    os.close(slot)
    assert status(waiting).name == "queued"


def test_a_process_that_only_has_the_number_of_the_runs_is_left_alone() -> None:
    run = make()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    lock = take_lock(run.folder / store.LOCK)
    assert lock is not None
    try:
        store.write_progress(run.folder, store.read_progress(run.folder).waiting(other.pid))
        began = time.monotonic()
        assert interrupt_all(60) == 0
        assert time.monotonic() - began < 60, "it waited for what it had not asked"
        assert other.poll() is None
    finally:
        os.close(lock)
        other.kill()
        other.wait()


def test_a_server_that_is_asked_to_stops_its_runs_before_it_ends(tmp_path: Path) -> None:
    run = make(**LONG)
    output = (tmp_path / "output").open("w+b")
    port = free_port()
    command = [sys.executable, "-m", "seqmodels", "app", "--host", "127.0.0.1", "--port", str(port), "--stop-runs"]
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"SEQMODELS_LOG": "text"}, stdout=output, stderr=subprocess.STDOUT
    )
    try:
        wait_for(f"http://127.0.0.1:{port}", server, output)
        start(run, KEY)
        wait_until(lambda: len(read_history(run).epochs) > 0)
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    finally:
        server.kill()
    assert status(run).name == "interrupted"
    output.seek(0)
    events = [line.partition(b"event=")[2].split()[0].decode() for line in output.read().splitlines() if b"event=" in line]
    assert events == ["started", "stopping", "runs_interrupted", "stopped"]
