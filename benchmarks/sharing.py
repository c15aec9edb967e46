"""Steps a second of a training that processes of this computer share, beside one process alone.

    python -m benchmarks.sharing [--task lm] [--steps 60] [--processes 2]

Each is started by torchrun with one thread a process, on the recipe's network and generated or shipped data, at the same batch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from itertools import islice

from rich.console import Console
from rich.table import Table

WARM_UP = 10  # steps


def measure(task_name: str, cell: str, steps: int) -> None:
    """As one of torchrun's processes: prints the steps a second."""
    import torch

    from seqmodels.data import recipe_dataset
    from seqmodels.runs.settings import from_flat
    from seqmodels.runs.trainer import TrainingSetup
    from seqmodels.training import fit, joined

    torch.set_num_threads(1)
    with joined("cpu") as machine:
        settings = from_flat({"task": task_name, "cell": cell})
        setup = TrainingSetup.build(settings, recipe_dataset(task_name), machine=machine)
        reports = fit(setup.model, setup.objective, settings.training, machine=machine)
        for _ in islice(reports, WARM_UP):
            pass
        started = time.perf_counter()
        for _ in islice(reports, steps):
            pass
        if machine.leads:
            print(steps / (time.perf_counter() - started))


def launched(processes: int, task: str, cell: str, steps: int) -> float:
    """Steps a second of so many processes."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    options = ["--task", task, "--cell", cell, "--steps", str(steps)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*torchrun, "-m", "benchmarks.sharing", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description="Steps a second of a training that processes share.")
    parser.add_argument("--task", default="lm")
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return measure(given.task, given.cell, given.steps)
    rates = {count: launched(count, given.task, given.cell, given.steps) for count in (1, given.processes)}
    table = Table(title=f"{given.task}, {given.cell}: {given.steps} steps at the same batch, one thread a process")
    for heading in ("processes", "steps a second", "x one"):
        table.add_column(heading, justify="right")
    for count, rate in rates.items():
        table.add_row(str(count), f"{rate:.2f}", f"{rate / rates[1]:.2f}")
    return Console().print(table)


if __name__ == "__main__":
    main()
