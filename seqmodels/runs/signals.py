"""Being asked to end: SIGTERM and Ctrl-C, heard where they do no harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class InterruptedRunError(Exception):
    """The process has been asked to end; the run can go on later."""


class Signals:
    """Turns signals into InterruptedRunError: at the next `check`, or wherever the code is inside of `heard_at_once`."""

    def __init__(self) -> None:
        self._asked = self._at_once = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals. Only a main thread can: elsewhere, as in a test, they stay as they are."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # one that is ignored was meant to be: under nohup, or in the background of a shell
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._hear) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def heard_at_once(self) -> Iterator[None]:
        """For long work that leaves nothing half done."""
        self.check()
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False
        self.check()

    @property
    def asked(self) -> bool:
        """Whether the process has been asked to end."""
        return self._asked

    def check(self) -> None:
        """Raises InterruptedRunError if so."""
        if self._asked:
            raise InterruptedRunError

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        if self._at_once:
            self._at_once = False
            raise InterruptedRunError
