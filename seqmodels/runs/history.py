"""A run's events as columns for charts and tables."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from seqmodels.runs import events
from seqmodels.runs.events import Cursor, Event, News
from seqmodels.runs.store import Run

MARKS = ("changed", "paused", "resumed", "stopped", "failed", "finished")
RECENT = 10.0  # seconds over which the speed is taken
CSV_COLUMNS = (
    "kind", "time", "epoch", "step", "loss", "dev_loss", "score", "best_score", "best_epoch", "norm", "norm_after", "clipped",
    "clipped_share", "learning_rate", "tokens",
)  # fmt: skip


@dataclass
class History:
    """All that has been read of a run: the events' values by kind. `x` is how many epochs were done at that point."""

    cursor: Cursor = field(default_factory=Cursor)
    steps: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)

    def take(self, news: News) -> None:
        """Add what is new, or begin again where the run went back to a saved state."""
        if news.fresh:
            for values in (self.steps, self.epochs, self.samples, self.marks):
                values.clear()
        self.cursor = news.cursor
        for event in news.events:
            self._add(event)

    @property
    def tokens_per_second(self) -> float | None:
        """The speed of late; None before there is one to tell."""
        recent = self._recent()
        return sum(step["tokens"] for step in recent[1:]) / _seconds(recent) if recent else None

    def seconds_left(self, epochs: int) -> float | None:
        """Until all epochs are done, at the speed of late; early stopping may come first."""
        recent = self._recent()
        return (epochs - recent[-1]["x"]) * _seconds(recent) / (recent[-1]["x"] - recent[0]["x"]) if recent else None

    def _recent(self) -> list[dict[str, Any]]:
        """The steps of late, none from before a pause; none at all before there are some over which time went by."""
        pauses = [mark["time"] for mark in self.marks if mark["kind"] in ("paused", "resumed")]
        since = max([self.steps[-1]["time"] - RECENT, *pauses[-1:]]) if self.steps else 0.0
        recent = [step for step in self.steps[-200:] if step["time"] >= since]
        return recent if recent and _seconds(recent) > 0 else []

    def _add(self, event: Event) -> None:
        values = {"kind": event.kind, "time": event.time, **event.values}
        if event.kind == "step":
            self.steps.append({**values, "x": values["epoch"] - 1 + values["step"] / values["steps"]})
        elif event.kind == "epoch":
            self.epochs.append({**values, "x": float(values["epoch"])})
        elif event.kind == "sample":
            self.samples.append(values)
        elif event.kind in MARKS:
            last = max((rows[-1]["x"] for rows in (self.steps, self.epochs) if rows), default=0.0)
            self.marks.append({**values, "x": last})


def read_history(run: Run) -> History:
    """All events of a run."""
    found = History()
    refresh(run, found)
    return found


def refresh(run: Run, known: History) -> bool:
    """Read on; whether there was anything new."""
    news = events.read(run.folder / events.FILE, known.cursor)
    known.take(news)
    return bool(news.events) or news.fresh


def export_csv(run: Run) -> str:
    """Steps and epochs, a line each, for a spreadsheet."""
    found = read_history(run)
    table = io.StringIO()
    writer = csv.DictWriter(table, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    # by place, since a clock may be set back; an epoch comes after its last step
    writer.writerows(sorted([*found.steps, *found.epochs], key=lambda row: (row["x"], row["kind"] == "epoch")))
    return table.getvalue()


def _seconds(steps: list[dict[str, Any]]) -> float:
    """From the first to the last."""
    return float(steps[-1]["time"] - steps[0]["time"])
