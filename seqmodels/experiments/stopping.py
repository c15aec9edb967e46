"""Early stopping applied afterwards to trainings that went on to their last epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqmodels.experiments.record import Outcome

PATIENCE = 8  # epochs


@dataclass(frozen=True)
class Stop:
    """Where early stopping ends a training, and the best epoch until then; epochs are counted from 1."""

    epoch: int
    best: int


def stop(losses: Sequence[float], patience: int = PATIENCE, *, as_before: bool = False) -> Stop:
    """Where a training with these dev losses stops: after so many epochs in a row that are no better than the best one.

    `as_before` is the slip: each epoch is compared with the one before it, and any that is a little better begins the count anew.
    """
    waited, leader, number = 0, 0, 0
    for number, loss in enumerate(losses):
        rival = losses[max(number - 1, 0) if as_before else leader]
        waited = 0 if number == 0 or loss < rival else waited + 1
        leader = number if loss < losses[leader] else leader
        if waited >= patience:
            break
    return Stop(number + 1, leader + 1)


def stop_of(outcome: Outcome, *, as_before: bool = False) -> Stop:
    """Where early stopping would have ended this training."""
    return stop([point.dev for point in outcome.curve if point.dev is not None], as_before=as_before)


def test_after(outcome: Outcome, epoch: int) -> float:
    """The test score after an epoch. ValueError where it was not measured."""
    found = outcome.curve[epoch - 1].test if 0 < epoch <= len(outcome.curve) else None
    if found is None:
        raise ValueError(f"{outcome.name} has no test score after epoch {epoch}")
    return found
