"""What a line of events.jsonl may be. The folder of a run may be damaged: whoever shows an event relies on these types and ranges.

What earlier versions did not tell has a default; what an event holds besides is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from seqmodels.fields import Count, Range

Measured = Annotated[float, Range(-1e60, 1e60)]  # a loss or a norm: beyond float32, and with room for sums over them
Whole = Annotated[int, Range(1, 2**52)]
Share = Annotated[float, Range(0, 1)]
When = Annotated[float, Range(-1e11, 1e11)]  # seconds since 1970, by a clock that may be wrong
Seconds = Annotated[float, Range(0, 1e10)]


@dataclass(frozen=True)
class LogName:
    """The first line."""

    kind: Literal["log"]
    name: str


@dataclass(frozen=True)
class StepEvent:
    """One update, or several since the last event (see StepThinner)."""

    kind: Literal["step"]
    time: When
    epoch: Whole
    step: Whole
    steps: Whole
    loss: Measured | None
    norm: Measured | None
    learning_rate: Annotated[float, Range(0)]
    tokens: Count
    count: Count
    clipped_count: Count
    norm_after: Measured | None = None
    clipped: bool | None = None
    lowest_norm: Measured | None = None
    highest_norm: Measured | None = None
    lowest_norm_after: Measured | None = None
    highest_norm_after: Measured | None = None

    def __post_init__(self) -> None:
        if self.step > self.steps:
            raise ValueError(f"step {self.step} of {self.steps}")

    @property
    def x(self) -> float:
        """How many epochs were done."""
        return self.epoch - 1 + self.step / self.steps


@dataclass(frozen=True)
class EpochEvent:
    """One pass over the train split."""

    kind: Literal["epoch"]
    time: When
    epoch: Whole
    loss: Measured | None
    dev_loss: Measured | None
    score: Measured | None
    best_epoch: Count
    waited: Count
    best_score: Measured | None = None
    clipped_share: Share | None = None
    stopped: str | None = None
    baseline: Measured | None = None
    unknown_share: Share = 0.0
    seconds: Seconds | None = None

    @property
    def x(self) -> float:
        return float(self.epoch)


@dataclass(frozen=True)
class GateShares:
    """How the gates of a layer and direction stood over a text."""

    layer: Count
    direction: str
    mu_open: Share
    mu_shut: Share
    lam_open: Share
    lam_shut: Share
    half_life: Measured | None = None


@dataclass(frozen=True)
class SampleEvent:
    """What the network made of the text to watch: `tags` as (word, tag, probability), or a `text`."""

    kind: Literal["sample"]
    time: When
    epoch: Count
    gates: tuple[GateShares, ...]
    step: Count = 0  # earlier versions took samples after whole epochs only
    steps: Whole | None = None
    tags: tuple[tuple[str, str, Share], ...] | None = None
    text: str | None = None
    prompt: str | None = None

    def __post_init__(self) -> None:
        if (self.tags is None) == (self.text is None):
            raise ValueError("a sample has either tags or a text")
        if self.step > (self.steps or 0):
            raise ValueError(f"step {self.step} of {self.steps}")

    @property
    def x(self) -> float:
        return self.epoch + self.step / (self.steps or 1)


@dataclass(frozen=True)
class LiveClipping:
    """The clipping of a moment."""

    kind: Literal["norm", "value"]
    threshold: Annotated[float, Range(0, open_below=True)]


@dataclass(frozen=True)
class Live:
    """The settings of a moment that may change while a run goes on."""

    learning_rate: Annotated[float, Range(0)]
    clip: LiveClipping | None
    patience: Whole | None


@dataclass(frozen=True)
class ChangeEvent:
    """Some of them were changed."""

    kind: Literal["changed"]
    time: When
    before: Live
    after: Live
    epoch: Count = 0
    step: Count = 0


@dataclass(frozen=True)
class MarkEvent:
    """Something else that happened to the run."""

    kind: Literal["started", "paused", "resumed", "stopped", "failed", "finished"]
    time: When
    epoch: Count = 0
    step: Count = 0
    message: str = ""
    diverged: bool = False
    scores: dict[str, dict[str, Measured | None]] | None = None
    seconds: Seconds | None = None
    weights: str | None = None


Event = Annotated[LogName | StepEvent | EpochEvent | SampleEvent | ChangeEvent | MarkEvent, Field(discriminator="kind")]
