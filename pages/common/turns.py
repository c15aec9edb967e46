"""Pages are drawn one after the other, in turns.

Python runs one thread at a time. Many that draw pages at once are switched to and fro, and the server's own thread, which sends
what they draw, waits behind all of them: with a hundred visitors a click then costs the processor half as much again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 0.5  # seconds of a turn: a search, or a text that is written word by word, then keeps nobody waiting


class Turns:
    """One thread at a time has its turn, first come, first served; after `longest` seconds it goes on while others have theirs."""

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._lock = threading.Lock()  # of all that follows; never held while a thread waits
        self._inside: set[int] = set()  # threads whose blocks have begun
        self._holder, self._until = 0, 0.0  # the thread whose turn it is, and when that is over
        self._line: deque[threading.Event] = deque()  # of those who wait: set when there may be a turn for the first

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, which ends with the block. Inside the block of the same thread there is nothing to wait for."""
        me = threading.get_ident()
        if me in self._inside:
            yield
            return
        self._wait(me)
        try:
            yield
        finally:
            with self._lock:
                self._inside.remove(me)
                if self._holder == me:
                    self._until = 0.0
                self._look()

    def _wait(self, me: int) -> None:
        mine = threading.Event()
        with self._lock:
            self._line.append(mine)
            self._look()
        wait: float | None = None  # as long as others are before it
        while wait != 0:
            mine.wait(wait)
            mine.clear()
            wait = self._begin(me)

    def _begin(self, me: int) -> float:
        """Called by the first in the line: seconds until its turn; 0 once it has it."""
        now = time.monotonic()
        with self._lock:
            if now < self._until:
                return self._until - now
            self._line.popleft()
            self._inside.add(me)
            self._holder, self._until = me, now + self._longest
            self._look()
        return 0

    def _look(self) -> None:
        """Let the first in the line see whether there is a turn for it."""
        if self._line:
            self._line[0].set()


TURNS = Turns()
