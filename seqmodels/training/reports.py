"""What `fit` yields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One update, of `steps` in its epoch. Loss in nats a token; `norm` is the global gradient norm before clipping."""

    epoch: int
    step: int
    steps: int
    loss: float
    norm: float
    norm_after: float
    clipped: bool
    learning_rate: float
    tokens: int


@dataclass(frozen=True)
class Epoch:
    """One pass over the train split. Losses in nats a token; `stopped` says why this epoch was the last, or is None.

    `score` is the dev metric; `best_score` is that of the best epoch, which lies `waited` epochs back.
    """

    epoch: int
    loss: float
    dev_loss: float | None
    clipped_share: float
    score: float
    best_score: float
    best_epoch: int
    waited: int
    stopped: str | None


Report = Step | Epoch


class DivergedError(ValueError):
    """The loss, the gradient or the dev score is no longer a finite number."""
