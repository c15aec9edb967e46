"""events.jsonl: what happened in a run, one JSON object a line, only ever appended to while a process writes it.

The first line names the log. A process that goes on from a saved state cuts what came after it, under a new name, so that a reader
who remembers how far it read knows when to begin again.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqmodels.runs.files import told_plainly, write_whole

if TYPE_CHECKING:
    from seqmodels.training import Step

FILE = "events.jsonl"
DIGITS = 6  # of a figure
EACH_STEP = 1000  # so many first steps are told one by one
GAP = 0.25  # seconds between two later ones
FULL_RATE = 900.0  # seconds after which the gaps grow with the run's age, so that ten hours stay below 5 MB


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
        with told_plainly("the run's events"):
            write_whole(path, header + kept)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        self.size = len(header) + len(kept)

    def append(self, kind: str, **values: Any) -> None:
        """Write one event, whole or not at all."""
        line = json.dumps({"time": round(time.time(), 3), "kind": kind, **_plain(values)}, ensure_ascii=False, allow_nan=False)
        encoded = line.encode() + b"\n"
        with told_plainly("the run's events"):
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
    """Which steps are told: each at first, then about four a second, fewer in a long run. None is lost in the sums.

    Of a run that goes on, `age` is how many seconds it has trained before, and `told` how many steps it told.
    """

    def __init__(self, age: float = 0.0, told: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock() - age
        self.told = told
        self._last = -math.inf
        self._count = self._tokens = self._clipped = 0
        self._highest = 0.0

    def take(self, step: Step, *, always: bool = False) -> dict[str, Any] | None:
        """The values of an event, or None where the step only counts towards the next one.

        `count`, `tokens` and `clipped_count` are sums since the last event, `highest_norm` is the greatest norm since.
        """
        self._count += 1
        self._tokens += step.tokens
        self._clipped += step.clipped
        self._highest = max(self._highest, step.norm)
        now = self._clock()
        if not always and self.told >= EACH_STEP and now - self._last < GAP * max(1.0, (now - self._start) / FULL_RATE):
            return None
        sums = {"count": self._count, "tokens": self._tokens, "clipped_count": self._clipped, "highest_norm": self._highest}
        self.told += 1
        self._last = now
        self._forget()
        return {**asdict(step), **sums}

    def _forget(self) -> None:
        self._count = self._tokens = self._clipped = 0
        self._highest = 0.0


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
    """Figures short, and null in place of what JSON has no number for."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
