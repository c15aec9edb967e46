"""Where a training stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Annotated

from torch import Tensor

from seqmodels.fields import Count, Range
from seqmodels.training.config import LiveSettings
from seqmodels.training.objective import Tensors


@dataclass
class Place:
    """The numbers of it. `step` counts the steps done of the unfinished epoch, the sums are over those."""

    epoch: Count = 0  # epochs done
    step: Count = 0
    best_score: float | None = None  # the dev metric of the best epoch
    best_watched: float | None = None  # its watched figure: the metric again, or the dev loss
    best_epoch: Count = 0
    finished: bool = False
    loss_sum: float = 0.0  # nats
    tokens: Count = 0
    clipped_steps: Count = 0
    seconds: Annotated[float, Range(0)] | None = 0.0  # spent on all steps and dev scores; None: begun by a version that told not


@dataclass
class TrainState(Place):
    """Everything a later `fit` needs, besides the model's weights, to go on as if it had never stopped.

    It is whole at every report. The tensors in `optimizer` and `average` are changed by the next step: save or copy them before
    asking for the next report.
    """

    live: LiveSettings | None = None  # None until fit starts: then as the config says
    optimizer: Tensors = field(default_factory=dict)  # moments by "parameter/moment"
    average: Tensors = field(default_factory=dict)  # of the weights, where they are averaged
    best_weights: Tensors = field(default_factory=dict)
    hidden_state: Tensors = field(default_factory=dict)  # what the objective hands from step to step
    rng: Tensor | None = None  # torch's generator, inside an epoch

    def spend(self, since: float) -> None:
        """Count the time from then, on the monotonic clock, until now."""
        if self.seconds is not None:
            self.seconds += time.monotonic() - since

    def close_epoch(self, epoch: int) -> None:
        """The sums and the generator are those of an unfinished epoch: start them anew."""
        self.epoch, self.step = epoch, 0
        self.loss_sum, self.tokens, self.clipped_steps = 0.0, 0, 0
        self.hidden_state, self.rng = {}, None
