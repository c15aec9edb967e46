"""How a model is trained: fixed for a run (`TrainConfig`), or changed while it goes on (`LiveSettings`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

OPTIMIZERS = ("adam", "adamw", "sgd")
CLIPPINGS = ("norm", "value")
WATCHED = ("metric", "loss")
LARGEST = 2**32 - 1  # whole number; with it, the seed of an epoch and the count of all steps still fit in 64 bits

SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "cosine": lambda done, steps: 0.5 * (1 + math.cos(math.pi * done / steps)),  # Loshchilov & Hutter 2017
    "linear": lambda done, steps: 1 - done / steps,
    "step": lambda done, steps: 0.1 ** ((2 * done >= steps) + (4 * done >= 3 * steps)),  # a tenth at half, and at three quarters
    "constant": lambda done, steps: 1.0,
}
"""The factor on the learning rate after the warm-up: `done` of `steps` steps."""


def _check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(choices)}")


@dataclass(frozen=True)
class Clipping:
    """By "norm": scale the whole gradient to at most this length (Pascanu et al. 2013). By "value": cut off each number."""

    kind: str = "norm"
    threshold: float = 1.0

    def __post_init__(self) -> None:
        _check_choice("clip kind", self.kind, CLIPPINGS)
        if not 0 < self.threshold < math.inf:
            raise ValueError(f"clip threshold is {self.threshold}: give a positive number, or no clipping at all")


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    "adam" adds the weight decay to the gradient (Kingma & Ba 2015), "adamw" takes it off the weights (Loshchilov & Hutter 2019),
    and "sgd" knows momentum. An epoch is the best so far if the watched dev figure betters that of the best by more than
    `least_improvement`; `patience` counts the epochs since.
    """

    epochs: int = 20
    optimizer: str = "adam"
    learning_rate: float = 2e-3
    momentum: float = 0.9  # of sgd
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.05  # share of all steps over which the rate rises; then it follows the schedule
    batch_size: int | None = None  # None: the task's own
    clip: Clipping | None = Clipping()
    patience: int | None = 5  # epochs without a better dev figure; None never stops
    least_improvement: float = 0.0
    watch: str = "metric"
    restore_best: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("seed", 0)):
            if not least <= getattr(self, name) <= LARGEST:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be from {least} to {LARGEST}")
        for name in ("weight_decay", "least_improvement"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least 0")
        for name in ("momentum", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least 0 and below 1")
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("watch", self.watch, WATCHED)
        if self.batch_size is not None and self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}: give at least 1, or none for the task's own")
        self.live()  # checks the rest

    def live(self) -> LiveSettings:
        """What may be changed while the training goes on, as it is at its start."""
        return LiveSettings(self.learning_rate, self.clip, self.patience)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The inverse of `asdict`. What is not given is as the default; ValueError names a setting that there is not."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(saved) - known)
        if unknown:
            raise ValueError(f"unknown training setting {unknown[0]!r}: choose from {', '.join(sorted(known))}")
        return cls(**{**saved, **_clipping(saved)})

    def differences(self, other: TrainConfig) -> dict[str, tuple[Any, Any]]:
        """The settings in which two recipes differ: name -> (here, there)."""
        here, there = asdict(self), asdict(other)
        return {name: (here[name], there[name]) for name in here if here[name] != there[name]}


@dataclass
class LiveSettings:
    """What may be changed between two reports of a running training. The schedule multiplies the learning rate."""

    learning_rate: float
    clip: Clipping | None = field(default_factory=Clipping)
    patience: int | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        # also on assignment: a wrong figure should be refused where it is given, not surface in the midst of an epoch
        if name == "learning_rate" and not 0 <= value < math.inf:
            raise ValueError(f"learning_rate is {value}: it must be at least 0")
        if name == "patience" and value is not None and value < 1:
            raise ValueError(f"patience is {value}: give at least 1 epoch, or none to never stop early")
        super().__setattr__(name, value)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The inverse of `asdict`."""
        return cls(**{**saved, **_clipping(saved)})


def _clipping(saved: Mapping[str, Any]) -> dict[str, Clipping | None]:
    clip = saved.get("clip")
    return {"clip": Clipping(**clip)} if isinstance(clip, Mapping) else {}
