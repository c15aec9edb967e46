"""What a run would take, worked out from its settings before it is started: memory and disk, rather too much, and time, roughly.

The weights are counted on a network without numbers, of the size that it would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from seqmodels.environment import environment
from seqmodels.runs.launcher import BASE
from seqmodels.runs.settings import Settings
from seqmodels.tasks import ModelConfig, Task, find_task
from seqmodels.tasks.base import Workload
from seqmodels.training import TrainConfig, moments

STAND_IN = tuple(f"word{number}" for number in range(20_000))  # about as many different ones as the corpora have
SPEED = 8e9  # multiplications and additions a second of one core, with networks as small as these
STEP = 0.005  # seconds that a step takes besides
EXACT = 2000  # outputs that the loss of a large vocabulary is taken on
_NUMBER = 4  # bytes
_MB = 2**20


@dataclass(frozen=True)
class Estimate:
    """Bytes of memory and on disk at their most, and seconds of one epoch."""

    weights: int
    memory: float
    disk: float
    seconds: float


def estimate(settings: Settings, words: Sequence[str] = STAND_IN) -> Estimate:
    """What a run of these settings would take; `words` are those of a file of the user's, if it learns from one."""
    task, training = find_task(settings.task), settings.training
    work = task.workload(settings.data, training.batch_size, words)
    model = _without_numbers(task, settings.model, work)
    weights = sum(weight.numel() for weight in model.parameters())
    recurrent = sum(weight.numel() for weight in model.recurrent.parameters())
    outputs = min(EXACT, len(model.output_bias))
    states = settings.model.layers * model.recurrent.output_size
    # of each token: the gates with their gradients, what the layers read and put out, the answers, and each of them after each
    kept = 2 * states * (len(model.recurrent.cell.blocks) + 2) + 3 * outputs
    if settings.model.transitions:
        kept += 3 * outputs**2
    saved = _NUMBER * weights * _copies(training)
    held = 2 * saved + _NUMBER * weights  # once more while it is saved, and the gradient
    multiplied = 3 * (recurrent + outputs * model.recurrent.output_size)  # forward once, backward twice
    return Estimate(
        weights=weights,
        memory=BASE + held + work.data + _NUMBER * work.at_once * kept,
        disk=2 * saved + _NUMBER * weights,  # the old state beside the new one, and the best weights
        seconds=work.tokens * multiplied / SPEED + STEP * work.tokens / work.at_once,
    )


def check(settings: Settings, words: Sequence[str] = STAND_IN) -> None:
    """ValueError with the figures if a run would take more than it may."""
    limits, found = environment(), estimate(settings, words)
    needs = (
        (found.memory / _MB, limits.run_memory_mb, "MB of memory"),
        (found.disk / _MB, limits.run_disk_mb, "MB on disk"),
        (found.seconds / 60, limits.run_minutes, "minutes for one epoch"),
    )
    beyond = [f"about {need:,.0f} {what} (at most {most:,g} may be)" for need, most, what in needs if need > most]
    if beyond:
        raise ValueError(
            f"a run of these settings, with {found.weights:,} weights, would take {' and '.join(beyond)}: "
            "choose a smaller network, smaller batches, or fewer or shorter sequences"
        )


def _without_numbers(task: Task, config: ModelConfig, work: Workload) -> Any:
    """The model on torch's meta device, where a weight has a shape alone."""
    plain = replace(config, initialization="torch", forget_bias=None, chrono=None)  # what it begins with takes no room
    vocabulary = task.vocabulary(work.items)
    with torch.device("meta"):
        return task.build(plain, vocabulary)


def _copies(training: TrainConfig) -> int:
    """How often the saved state has the weights: themselves, the best, their moments and their average."""
    return 2 + moments(training) + (1 if training.average else 0)
