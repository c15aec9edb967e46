"""How a run's process and those who watch it speak: commands as files, signals, and what the process reports.

A command is a small file in the run's folder, written whole; commands are carried out in the order of sending.
"""

from __future__ import annotations

import json
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, Literal, get_args

from seqmodels.fields import parsed
from seqmodels.files import next_number, read_regular, write_whole
from seqmodels.runs.files import friendly_errors
from seqmodels.runs.store import COMMANDS, LOCK, Progress, Run, write_progress

Kind = Literal["pause", "resume", "step", "stop", "discard", "change"]
KINDS: tuple[str, ...] = get_args(Kind)
CHANGEABLE = ("learning_rate", "clip", "clip_threshold", "patience")
PAUSE = 0.05  # seconds between two polls of the commands, where nothing else is to do

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class InterruptedRunError(Exception):
    """The process has been asked to end; the run can go on later."""


class DiscardedRunError(Exception):
    """The run is to be deleted."""


@dataclass(frozen=True)
class Notice:
    """A message for whoever watches: how it goes, or why it does not go on."""

    text: str
    ending: Literal["interrupted", "failed"] | None = None


@dataclass(frozen=True)
class Command:
    """`changes`, of "change" alone, are new values: learning_rate, clip ("norm", "value" or None), clip_threshold, patience."""

    kind: Kind
    changes: Mapping[str, str | float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown command {self.kind!r}: choose one of {', '.join(KINDS)}")
        for name in self.changes:
            if name not in CHANGEABLE:
                raise ValueError(f"{name} cannot change while a run goes on: choose from {', '.join(CHANGEABLE)}")


def send(folder: Path, command: Command) -> None:
    """Leave a command for the process."""
    with friendly_errors("the command"):
        (folder / COMMANDS).mkdir(exist_ok=True)  # an empty folder is easily lost where a run is copied
        name = f"{next_number(folder / COMMANDS)}-{secrets.token_hex(4)}.json"
        write_whole(folder / COMMANDS / name, json.dumps(asdict(command)).encode())


def pending(folder: Path) -> list[tuple[Path, Command]]:
    """The commands not yet carried out, with their files, which whoever carries them out removes. A damaged one is removed here."""
    found = []
    for path in sorted((folder / COMMANDS).glob("*.json")):
        try:
            found.append((path, parsed(Command, read_regular(path))))
        except (OSError, ValueError):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return found


def clear(folder: Path) -> None:
    """Forget what was meant for an earlier process. A changed setting holds for the next one too."""
    for path, command in pending(folder):
        if command.kind != "change":
            path.unlink(missing_ok=True)


class Signals:
    """Turns signals into InterruptedRunError: at the next `check`, or at once inside of `interruptible`."""

    def __init__(self) -> None:
        self.asked = False  # whether the process has been asked to end
        self._at_once = False
        self._handled: list[int] = []

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals. Only a main thread can: elsewhere, as in a test, they stay as they are."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # one that is ignored was meant to be: under nohup, or in the background of a shell
        self._handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        with _handlers(self._handled, self._handle):
            yield

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """For long work that leaves nothing half done.

        A signal from elsewhere ends the process there as if it were killed: Python would hear of it only when a call into a library
        returns, which can take many seconds. One from the keyboard raises.
        """
        self.check()
        self._at_once = True
        try:
            with _handlers([number for number in self._handled if number != signal.SIGINT], signal.SIG_DFL):
                yield
        finally:
            self._at_once = False
        self.check()

    def check(self) -> None:
        """Raises InterruptedRunError if the process has been asked to end."""
        if self.asked:
            raise InterruptedRunError

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._at_once:
            self._at_once = False
            raise InterruptedRunError


@contextmanager
def _handlers(numbers: Sequence[int], handler: Any) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@dataclass
class RunContext:
    """What the parts of a run's process share: the run, its progress as last reported, and what it is asked to do."""

    run: Run
    progress: Progress
    signals: Signals = field(default_factory=Signals)

    def update(self, **changes: Any) -> None:
        """Report the run's progress. A disk that cannot take even that must not hide the reason it is reported for."""
        self.progress = replace(self.progress, **changes)
        with suppress(OSError):  # as where the folder has been deleted: a notice still says it to whoever started the process
            write_progress(self.run.folder, self.progress)

    def poll_commands(self) -> Iterator[tuple[Path, Command]]:
        """The commands sent since, each with its file. Raises DiscardedRunError at the one to discard the run, or if it is gone."""
        if not (self.run.folder / LOCK).exists():  # deleted with its folder, which a save would bring back
            raise DiscardedRunError
        for path, command in pending(self.run.folder):
            if command.kind == "discard":
                raise DiscardedRunError
            yield path, command
