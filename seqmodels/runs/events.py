"""events.jsonl: what happened in a run, one JSON object a line, only ever appended to while a process writes it; and its history.

The first line names the log. A process that goes on from a saved state cuts what came after it, under a new name, so that a reader
who remembers how far it read knows when to begin again.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqmodels.runs.files import friendly_errors, write_whole
from seqmodels.runs.store import Run

if TYPE_CHECKING:
    from seqmodels.training import Step

FILE = "events.jsonl"
DIGITS = 6  # of a number
EACH_STEP = 1000  # so many first steps are reported one by one
GAP = 0.25  # seconds between two later ones
FULL_RATE = 900.0  # seconds after which the gaps grow with the run's age, so that ten hours stay below 5 MB
MARKS = ("changed", "paused", "resumed", "stopped", "failed", "finished")
RECENT = 10.0  # seconds over which the speed is taken
CSV_COLUMNS = (
    "kind", "time", "epoch", "step", "loss", "dev_loss", "score", "best_score", "best_epoch", "norm", "norm_after", "clipped",
    "clipped_share", "learning_rate", "tokens",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened: started, resumed, step, epoch, sample, changed, paused, stopped, failed, finished, ..."""

    kind: str
    time: float  # seconds since 1970
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Cursor:
    """How far a log has been read."""

    log: str = ""
    offset: int = 0


@dataclass(frozen=True)
class News:
    """What came since a cursor. `fresh`: these are all events there are; forget those read before."""

    events: tuple[Event, ...]
    cursor: Cursor
    fresh: bool


def read(path: Path, since: Cursor | None = None) -> News:
    """The events after a cursor, or all. A line that is still being written is left for the next time."""
    since = since or Cursor()
    try:
        with path.open("rb") as file:
            name = _name(file.readline())
            fresh = name != since.log
            if not fresh:
                file.seek(since.offset)
            start = file.tell()
            content = file.read()
    except OSError:
        return News((), Cursor(), fresh=bool(since.log))
    whole = content[: content.rfind(b"\n") + 1]
    return News(tuple(_events(whole)), Cursor(name, start + len(whole)), fresh)


class EventLog:
    """The writing end. Of a log that is there, the first `keep` bytes stay."""

    def __init__(self, path: Path, *, keep: int = 0) -> None:
        header = _header()
        content = path.read_bytes()[:keep] if keep > len(header) else b""
        kept = content[len(header) : content.rfind(b"\n") + 1]
        with friendly_errors("the run's events"):
            write_whole(path, header + kept)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        self.size = len(header) + len(kept)

    def append(self, kind: str, **values: Any) -> None:
        """Write one event, whole or not at all."""
        line = json.dumps({"time": round(time.time(), 3), "kind": kind, **_plain(values)}, ensure_ascii=False, allow_nan=False)
        encoded = line.encode() + b"\n"
        with friendly_errors("the run's events"):
            written = 0
            try:
                while written < len(encoded):
                    written += os.write(self._descriptor, encoded[written:])
            except OSError:
                os.ftruncate(self._descriptor, self.size)  # what was written of the line
                raise
        self.size += len(encoded)

    def close(self) -> None:
        os.close(self._descriptor)


class StepThinner:
    """Which steps are reported: each at first, then about four a second, fewer in a long run. None is lost in the sums.

    Of a run that goes on, `age` is how many seconds it has trained before, and `reported` how many steps it reported.
    """

    def __init__(self, age: float = 0.0, reported: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock() - age
        self.reported = reported
        self._last = -math.inf
        self._highest = 0.0
        self._reset()

    def take(self, step: Step, *, always: bool = False) -> dict[str, Any] | None:
        """The values of an event, or None where the step only counts towards the next one.

        `count`, `tokens` and `clipped_count` are sums since the last event, `highest_norm` is the greatest norm since.
        """
        self._count += 1
        self._tokens += step.tokens
        self._clipped += step.clipped
        self._highest = max(self._highest, step.norm)
        now = self._clock()
        if not always and self.reported >= EACH_STEP and now - self._last < GAP * max(1.0, (now - self._start) / FULL_RATE):
            return None
        sums = {"count": self._count, "tokens": self._tokens, "clipped_count": self._clipped, "highest_norm": self._highest}
        self.reported += 1
        self._last = now
        self._reset()
        return {**asdict(step), **sums}

    def _reset(self) -> None:
        self._count = self._tokens = self._clipped = 0
        self._highest = 0.0


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
        """The speed of late; None before there is one."""
        recent = self._recent()
        return sum(step["tokens"] for step in recent[1:]) / _seconds(recent) if recent else None

    def seconds_left(self, epochs: int) -> float | None:
        """Until all epochs are done, at the speed of late; early stopping may come first."""
        recent = self._recent()
        return (epochs - recent[-1]["x"]) * _seconds(recent) / (recent[-1]["x"] - recent[0]["x"]) if recent else None

    def _recent(self) -> list[dict[str, Any]]:
        """The steps of late, none from before a pause; none at all before some time has passed over them."""
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
    news = read(run.folder / FILE, known.cursor)
    known.take(news)
    return bool(news.events) or news.fresh


def clipped_share(steps: Sequence[Mapping[str, Any]]) -> float | None:
    """Of all steps, those whose gradient was clipped."""
    count = sum(step["count"] for step in steps)
    return sum(step["clipped_count"] for step in steps) / count if count else None


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


def _header() -> bytes:
    return json.dumps({"kind": "log", "name": secrets.token_hex(8)}).encode() + b"\n"


def _name(line: bytes) -> str:
    try:
        return str(json.loads(line)["name"])
    except (ValueError, KeyError, TypeError):
        return ""


def _events(content: bytes) -> Iterator[Event]:
    for line in content.splitlines():
        try:
            values = json.loads(line)
            yield Event(values.pop("kind"), values.pop("time"), values)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a damaged line spoils no other


def _plain(value: Any) -> Any:
    """Numbers short, and null in place of what JSON has no number for."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
