"""How a model is trained: fixed for a run (`TrainConfig`), or changed while it goes on (`LiveSettings`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from seqmodels.fields import SHARE, Range, check, scale, setting

OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD with momentum"}
CLIPPINGS = {"norm": "by global norm", "value": "by value"}
WATCHED = {"metric": "the score", "loss": "the loss"}
LARGEST = 2**32 - 1  # whole number; with it, the seed of an epoch and the count of all steps still fit in 64 bits

SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "cosine": lambda done, steps: 0.5 * (1 + math.cos(math.pi * done / steps)),  # Loshchilov & Hutter 2017
    "linear": lambda done, steps: 1 - done / steps,
    "step": lambda done, steps: 0.1 ** ((2 * done >= steps) + (4 * done >= 3 * steps)),  # a tenth at half, and at three quarters
    "constant": lambda done, steps: 1.0,
}
"""The factor on the learning rate after the warm-up: `done` of `steps` steps."""
_SHAPES = {"cosine": "cosine, down to 0", "linear": "straight down to 0", "step": "down in two steps", "constant": "constant"}


def _reads_on(task: Any) -> bool:
    """Whether its texts follow each other in one stream, and do not each begin with a memory of their own."""
    return bool(task.predicts == "next token" and not task.condition)


def _stops_early(values: Mapping[str, Any]) -> bool:
    return values["patience"] is not None


@dataclass(frozen=True)
class Clipping:
    """By "norm": scale the whole gradient to at most this length (Pascanu et al. 2013). By "value": cut off each number."""

    kind: str = "norm"
    threshold: float = setting(
        1.0,
        "Threshold",
        "The largest norm, or the largest number, that goes through unchanged.",
        slider=scale(-2, 2),
        when=lambda values: values["clip"] is not None,
    )

    def __post_init__(self) -> None:
        if self.kind not in CLIPPINGS:
            raise ValueError(f"unknown clip kind {self.kind!r}: choose one of {', '.join(CLIPPINGS)}")
        if not 0 < self.threshold < math.inf:
            raise ValueError(f"clip threshold is {self.threshold}: give a positive number, or no clipping at all")


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    "adam" adds the weight decay to the gradient (Kingma & Ba 2015), "adamw" takes it off the weights (Loshchilov & Hutter 2019),
    and "sgd" has momentum. An epoch is the best so far if its watched dev figure is better than that of the best by more than
    `least_improvement`; `patience` counts the epochs since. With an `average` the weights that are scored and kept are a moving
    average of those of all steps, of which each step keeps that share (Polyak & Juditsky 1992).
    """

    optimizer: str = setting(
        "adam", "Optimizer", "How a gradient becomes a step: Adam scales it for each weight, SGD does not.", choices=OPTIMIZERS
    )
    learning_rate: float = setting(
        2e-3,
        "Peak learning rate",
        "How large the steps are, at their largest: warm-up and schedule scale it. It can be changed while the run goes on.",
        slider=scale(-5, 1),
    )
    schedule: str = setting(
        "cosine", "Learning-rate schedule", "What becomes of the rate in the course of the run.", choices=_SHAPES
    )
    epochs: int = setting(
        20,
        "Epochs, at most",
        "How often all data are read, unless the run stops earlier.",
        valid=Range(1, LARGEST),
        steps=(1, 200, 1),
    )
    batch_size: int | None = setting(
        None, "Batch size", "How many sequences make one step together.", none="the task's own", valid=Range(1), steps=(1, 1024, 8)
    )
    momentum: float = setting(
        0.9,
        "Momentum",
        "How much of the last step is added to the next.",
        valid=SHARE,
        steps=(0.0, 0.99, 0.05),
        when=lambda values: values["optimizer"] == "sgd",
    )
    weight_decay: float = setting(
        0.0, "Weight decay", "Draws all weights towards 0, against overfitting.", valid=Range(0), slider=(0.0, *scale(-6, -1))
    )
    warmup: float = setting(
        0.05,
        "Warm-up",
        "The share of all steps in which the learning rate rises from 0 to its peak.",
        valid=SHARE,
        steps=(0.0, 0.9, 0.05),
    )
    seed: int = setting(
        1, "Seed", "Draws weights, order and dropout: the same seed, the same run.", valid=Range(0, LARGEST), steps=(0, 10_000, 1)
    )
    clip: Clipping | None = setting(
        Clipping(),
        "Gradient clipping",
        "Shortens a gradient that is too large: as a whole, or each number of it.",
        choices={None: "off", **CLIPPINGS},
    )
    patience: int | None = setting(
        5,
        "Patience, epochs",
        "How many epochs to wait for a better one, counted from the best so far.",
        steps=(1, 50, 1),
    )
    watch: str = setting(
        "metric",
        "Early stopping watches",
        "On the held-out data: the task's score, or the loss, which sees overfitting sooner.",
        choices=WATCHED,
        when=_stops_early,
    )
    least_improvement: float = setting(
        0.0,
        "Smallest improvement that counts",
        "An epoch that is better by less than this does not count as better.",
        valid=Range(0),
        slider=(0.0, *scale(-4, 1)),
        when=_stops_early,
    )
    average: float = setting(
        0.0,
        "Weight averaging",
        "The model is checked and kept with an average of its weights over its last steps; the nearer to 1, the longer. 0: off.",
        valid=SHARE,
        steps=(0.0, 0.9999, 0.001),
    )
    restarts: float = setting(
        0.0,
        "Fresh starts of the memory",
        "The share of windows of the text that are read from an empty memory. At 0 it runs on from the first word to the last.",
        valid=SHARE,
        steps=(0.0, 0.95, 0.05),
        tasks=_reads_on,
    )
    restore_best: bool = setting(
        True, "Restore the best weights", "The model that is left is that of the best epoch, not of the last."
    )

    def __post_init__(self) -> None:
        check(self)
        self.live()  # checks the rest

    def live(self) -> LiveSettings:
        """What may be changed while the training goes on, as it is at its start."""
        return LiveSettings(self.learning_rate, self.clip, self.patience)


@dataclass
class LiveSettings:
    """What may be changed between two reports of a running training. The schedule multiplies the learning rate."""

    learning_rate: float
    clip: Clipping | None = field(default_factory=Clipping)
    patience: int | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        # also on assignment: a wrong figure should be refused where it is given, not fail in the middle of an epoch
        if name == "learning_rate" and not 0 <= value < math.inf:
            raise ValueError(f"learning_rate is {value}: it must be at least 0")
        if name == "patience" and value is not None and value < 1:
            raise ValueError(f"patience is {value}: give at least 1 epoch, or none to never stop early")
        super().__setattr__(name, value)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The inverse of `asdict`."""
        return cls(**{**saved, "clip": None if saved["clip"] is None else Clipping(**saved["clip"])})
