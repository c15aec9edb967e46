"""How fast a run trains, through its process and its events, beside the same training by a bare script.

    python -m benchmarks.training [--task pos] [--slices 40]

Both are processes of one thread and niceness 10 on the same data. They take turns: in each slice of time one is stopped and the
other goes on, so that a busy moment of the machine falls on both alike. The ratio is that of the tokens they trained on; the bar is
0.9.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from rich.console import Console
from rich.table import Table

from seqmodels.runs import create, read_history, start, status
from seqmodels.runs.settings import Settings, from_flat, to_link
from tests.running import KEY, discard

SLICE = 1.0  # seconds
SETTLED = 20  # steps before the first slice
BARE = """
import os, sys
from pathlib import Path
from urllib.parse import parse_qsl
import torch
torch.set_num_threads(1)
os.setpriority(os.PRIO_PROCESS, 0, 10)
from seqmodels.data import load_dataset
from seqmodels.runs.settings import from_flat
from seqmodels.tasks import find_task
from seqmodels.training import Step, fit
settings = from_flat(dict(parse_qsl(sys.argv[1], keep_blank_values=True)))
task, data = find_task(settings.task), load_dataset(settings.task, settings.data)
torch.manual_seed(settings.training.seed)
vocabulary = task.vocabulary(data.train)
model = task.build(settings.model, vocabulary)
objective = task.objective(model, vocabulary, data.train, data.dev, settings.training)
told = os.open(sys.argv[2], os.O_WRONLY)
steps = tokens = 0
for report in fit(model, objective, settings.training):
    if isinstance(report, Step):
        steps, tokens = steps + 1, tokens + report.tokens
        os.pwrite(told, b"%020d %020d" % (steps, tokens), 0)
"""


@dataclass(frozen=True)
class Racer:
    """A training process; `done` gives its steps and tokens so far."""

    name: str
    pid: int
    done: Callable[[], tuple[int, int]]

    def go(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def halt(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)


@contextmanager
def bare(settings: Settings, folder: Path) -> Iterator[Racer]:
    """A script that trains and does nothing else."""
    told = folder / "bare"
    told.write_bytes(b"%020d %020d" % (0, 0))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", BARE, urlencode(to_link(settings)), str(told)], env=environment) as process:

        def done() -> tuple[int, int]:
            steps, tokens = map(int, told.read_bytes().split())
            return steps, tokens

        try:
            yield Racer("bare script", process.pid, done)
        finally:
            process.kill()


@contextmanager
def run(settings: Settings) -> Iterator[Racer]:
    """A run as the page starts it, by its events."""
    made = create(settings, KEY, name="benchmark")
    start(made, KEY)

    def done() -> tuple[int, int]:
        steps = read_history(made).steps
        return sum(step["count"] for step in steps), sum(step["tokens"] for step in steps)

    while done()[0] == 0:
        if not made.alive:
            raise RuntimeError(status(made).progress.message)
        time.sleep(0.1)
    pid = status(made).progress.pid
    assert pid is not None
    try:
        yield Racer("run", pid, done)
    finally:
        os.kill(pid, signal.SIGCONT)
        discard(made)


def race(racers: list[Racer], slices: int) -> dict[str, int]:
    """The tokens of each over so many slices."""
    for racer in racers:
        while racer.done()[0] < SETTLED:
            time.sleep(0.1)
        racer.halt()
    before = [racer.done()[1] for racer in racers]
    for number in range(slices):
        for racer in racers if number % 2 == 0 else reversed(racers):
            racer.go()
            time.sleep(SLICE)
            racer.halt()
    return {racer.name: racer.done()[1] - tokens for racer, tokens in zip(racers, before, strict=True)}


def table(tokens: dict[str, int], slices: int, title: str) -> Table:
    """The speeds and their ratio."""
    shown = Table(title=title)
    for heading in ("", "tokens a second", "x bare script"):
        shown.add_column(heading, justify="right" if heading else "left")
    base = tokens["bare script"]
    for name, count in tokens.items():
        shown.add_row(name, f"{count / (slices * SLICE):,.0f}", f"{count / base:.3f}" if name == "run" else "")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description="Tokens a second of a run, beside a bare script.")
    parser.add_argument("--task", default="pos")
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--slices", type=int, default=40)
    given = parser.parse_args()
    settings = from_flat({"task": given.task, "cell": given.cell, "epochs": "1000"})
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEQMODELS_RUNS"] = folder
        with bare(settings, Path(folder)) as script, run(settings) as ours:
            tokens = race([script, ours], given.slices)
    Console().print(table(tokens, given.slices, f"{given.task}, {given.cell}: {given.slices} slices of {SLICE:g} s, one thread"))


if __name__ == "__main__":
    main()
