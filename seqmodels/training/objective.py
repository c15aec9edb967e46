"""What a task asks of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

Tensors = dict[str, Tensor]
ALL_ROWS = slice(None)


@dataclass(frozen=True)
class BatchLoss:
    """The loss of one batch: nats a token, over so many tokens. `auxiliary` is added for the gradient, and not reported."""

    mean: Tensor
    tokens: int
    auxiliary: Tensor | None = None
    auxiliary_tokens: int = 0  # that it is the mean of
    hidden_state: Tensors = field(default_factory=dict)  # what the next batch's loss is given: a memory that runs on

    @property
    def total(self) -> Tensor:
        return self.mean if self.auxiliary is None else self.mean + self.auxiliary


@dataclass(frozen=True)
class DevScore:
    """The dev split: the task's metric, and the loss in nats a token if the task has one there."""

    metric: float
    loss: float | None = None


class Objective(Protocol):
    """Losses to descend, and a dev score to watch. All chance is drawn from torch's generator."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a greater dev metric is the better one."""

    @property
    def steps(self) -> int:
        """Updates an epoch."""

    def batches(self) -> Sequence[Any]:
        """What `loss` is given at each of an epoch's steps. The order is drawn anew each time; nothing is computed yet."""

    def loss(self, model: Any, batch: Any, hidden_state: Tensors) -> BatchLoss:
        """The loss of one of the `batches`. `hidden_state` comes from the batch before; it is empty at the start of an epoch."""

    def score(self, model: Any) -> DevScore:
        """How good the model is on the dev split."""

    def settings(self) -> dict[str, float]:
        """The recipe's figures that are the task's own, for the record."""


class ShareableObjective(Objective, Protocol):
    """One whose batches several processes can share: each computes some rows."""

    def width(self, batch: Any) -> int:
        """How many rows a batch has: sequences that are read side by side."""

    def loss(self, model: Any, batch: Any, hidden_state: Tensors, rows: slice = ALL_ROWS) -> BatchLoss:
        """The loss of some rows. All chance is drawn for the whole batch, and the hidden state is that of the same rows before."""
