"""Training speed of each cell's layer against torch's nn.GRU of the same size, in one run: tokens a second, and the ratio.

    python -m benchmarks.cells

One training step is a forward and a backward pass of one layer over a batch, down to the gradients of its weights, on one thread.
Cells and rival take turns, and the median CPU time of the rounds counts, so that a busy machine slows all alike. A cell with a
kernel is also held against torch's own module: what our layer adds to it is nothing but a few calls.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from seqmodels.cells import CELLS
from seqmodels.recurrence import Recurrent

STEPS = (32, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--input", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=25)
    sizes = parser.parse_args()
    torch.set_num_threads(1)
    for steps in STEPS:
        inputs = torch.randn(sizes.batch, steps, sizes.input)
        trained = {name: step_of(Recurrent(name, sizes.input, sizes.hidden), inputs) for name in CELLS}
        kernels = {cell.kernel: getattr(nn, cell.kernel) for cell in CELLS.values() if cell.kernel}
        rivals = {kernel: step_of(layer(sizes.input, sizes.hidden, batch_first=True), inputs) for kernel, layer in kernels.items()}
        seconds = measured({**trained, **rivals}, sizes.rounds)
        print(f"{steps} steps, batch {sizes.batch}, input {sizes.input}, hidden {sizes.hidden}, one thread")
        for name, cell in CELLS.items():
            own = f"  {seconds[cell.kernel] / seconds[name]:5.2f} of nn.{cell.kernel}" if cell.kernel else ""
            speed = sizes.batch * steps / seconds[name]
            print(f"  {name:<14}{speed:>11,.0f} tokens/s  {seconds['GRU'] / seconds[name]:5.2f} of nn.GRU{own}")


def step_of(layer: nn.Module, inputs: torch.Tensor) -> Callable[[], None]:
    """A training step without its update."""

    def step() -> None:
        outputs, _ = layer(inputs)
        layer.zero_grad()
        outputs.square().mean().backward()

    return step


def measured(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """The median CPU seconds of each step, all taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):  # the first one warms up
        for name in random.sample(list(steps), len(steps)):  # so that none always follows the same one
            started = time.process_time()
            steps[name]()
            seconds[name].append(time.process_time() - started)
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}


if __name__ == "__main__":
    main()
