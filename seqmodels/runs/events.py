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
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from seqmodels.fields import parsed
from seqmodels.files import open_regular, read_regular, write_whole
from seqmodels.runs.files import friendly_errors
from seqmodels.runs.records import EpochEvent, Event, LogName, SampleEvent, StepEvent
from seqmodels.runs.store import Run

if TYPE_CHECKING:
    from seqmodels.training import Step

FILE = "events.jsonl"
DIGITS = 6  # of a number
EACH_STEP = 1000  # so many first steps are reported one by one
GAP = 0.25  # seconds between two later ones
FULL_RATE = 600.0  # seconds after which the gaps grow with the run's age, so that ten hours stay below 5 MB
NAMED = 3  # damaged lines, of which the others are counted
RECENT = 10.0  # seconds over which the speed is taken
CSV_COLUMNS = (
    "kind", "time", "epoch", "step", "loss", "dev_loss", "score", "best_score", "best_epoch", "norm", "norm_after", "lowest_norm",
    "highest_norm", "lowest_norm_after", "highest_norm_after", "clipped", "clipped_share", "learning_rate", "tokens",
)  # fmt: skip


class EventLog:
    """The writing end. Of a log that is there, the first `keep` bytes stay."""

    def __init__(self, path: Path, *, keep: int = 0) -> None:
        header = json.dumps({"kind": "log", "name": secrets.token_hex(8)}).encode() + b"\n"
        content = b""
        if keep > len(header):
            with suppress(OSError):  # then what was told before is lost, and the run is not
                content = read_regular(path)[:keep]
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
        self._since: list[Step] = []  # the last report

    def take(self, step: Step, *, always: bool = False) -> dict[str, Any] | None:
        """The values of an event, or None where the step only counts towards the next one.

        `count`, `tokens` and `clipped_count` are sums over the steps since the last event, `loss` is their mean, and of their norms
        there are the extremes: no spike and no lull is lost where most steps are not reported.
        """
        self._since.append(step)
        now = self._clock()
        if not always and self.reported >= EACH_STEP and now - self._last < growing_gap(GAP, now - self._start):
            return None
        since, self._since = self._since, []
        self.reported += 1
        self._last = now
        count, tokens = len(since), sum(one.tokens for one in since)
        loss = sum(one.loss * one.tokens for one in since) / tokens if tokens else step.loss
        before, after = [one.norm for one in since], [one.norm_after for one in since]
        extremes = {"lowest_norm": min(before), "highest_norm": max(before)}
        extremes |= {"lowest_norm_after": min(after), "highest_norm_after": max(after)}
        sums = {"count": count, "tokens": tokens, "clipped_count": sum(one.clipped for one in since)}
        return {**asdict(step), "loss": loss, **sums, **extremes}


def growing_gap(gap: float, age: float) -> float:
    """The seconds between two reports of a run of that age in seconds: longer in a long run, so that its log stays small."""
    return gap * max(1.0, age / FULL_RATE)


@dataclass
class History:
    """All that has been read of a run: its events by kind. `x` is how many epochs were done at that point.

    A line that is damaged, or out of order, is left out: `problems` names the first few, `damaged` counts all.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    damaged: int = 0  # lines
    log: str = ""  # the name of the log that was read
    offset: int = 0  # how far
    lines: int = 0  # that were read

    def read(self, path: Path) -> None:
        """Read on, or begin again where the run went back to a saved state. A line that is still being written is left."""
        name, start, content = "", 0, b""
        with suppress(OSError), os.fdopen(open_regular(path), "rb") as file:
            name = _name(file.readline())
            start = file.seek(self.offset if name == self.log else 0)
            content = file.read()
        if name != self.log:
            for rows in (self.steps, self.epochs, self.samples, self.marks, self.problems):
                rows.clear()
            self.damaged = self.lines = 0
        whole = content[: content.rfind(b"\n") + 1]
        self.log, self.offset = name, start + len(whole)
        for line in whole.split(b"\n")[:-1]:
            self.lines += 1
            try:
                self.add(parsed(cast(Any, Event), line, extra="ignore"))
            except ValueError as error:
                self.damaged += 1
                if len(self.problems) < NAMED:
                    self.problems.append(f"line {self.lines} ({error})")

    def add(self, event: Event) -> None:
        """Take in one event. ValueError if it cannot come after those before."""
        if isinstance(event, StepEvent | EpochEvent | SampleEvent):
            rows = {StepEvent: self.steps, EpochEvent: self.epochs, SampleEvent: self.samples}[type(event)]
            values = asdict(event) if isinstance(event, SampleEvent) else vars(event)  # the latter is quicker
            row = {**values, "x": event.x}
            if rows and row["x"] <= rows[-1]["x"] and (row["x"] < rows[-1]["x"] or rows is not self.samples):
                raise ValueError(f"{event.kind}: it is not after the one before")
            if rows is self.samples and rows and _words(row) != _words(rows[0]):
                raise ValueError("sample: it is not of the same text as the first")
            rows.append(row)
        elif not isinstance(event, LogName) and event.kind != "started":
            last = max((rows[-1]["x"] for rows in (self.steps, self.epochs) if rows), default=0.0)
            self.marks.append({**asdict(event), "x": last})

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


def read_history(run: Run, known: History | None = None) -> History:
    """All events of a run. What is `known` of them already is not read again, but added to."""
    found = known or History()
    found.read(run.folder / FILE)
    return found


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


def _name(line: bytes) -> str:
    try:
        return parsed(LogName, line).name
    except ValueError:
        return ""


def _words(sample: Mapping[str, Any]) -> list[str] | None:
    """Those of the text to watch that have tags."""
    return None if sample["tags"] is None else [word for word, _, _ in sample["tags"]]


def _plain(value: Any) -> Any:
    """Numbers short, and null in place of what JSON has no number for."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
