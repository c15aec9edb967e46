"""The process of a run: one that stands by with everything imported, or a new one.

A new process imports torch before its first step, which takes seconds; whoever pressed Start is waiting.
"""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import seqmodels
from seqmodels.runs import process, store
from seqmodels.runs.queue import Ticket
from seqmodels.runs.store import Run

REST = 15.0  # seconds after the start of a run: until then the run has more use for the processor than its successor

_COMMAND = (sys.executable, "-m", "seqmodels")
_CALL = b"\n"  # what the descriptors travel with


def stand_by() -> None:
    """Have a process ready for the next run, in the background. It ends with this one."""
    _reserve.fill()


def launch(run: Run, lock: int, ticket: Ticket) -> None:
    """Start the run's process, detached, so that it outlives this one. `lock` is a descriptor that holds the run's lock."""
    standby = _reserve.take()
    with (run.folder / store.LOG).open("ab") as log:
        if standby is None or not standby.hand_over(run, lock, ticket, log.fileno()):
            environment = {**_environment(), **_inheritance(lock, ticket.descriptor, ticket.path)}
            _start(("run", str(run.folder)), environment, (lock, ticket.descriptor), log.fileno())


def await_run(channel: int) -> Path | None:
    """Import what a run needs, and wait for its folder on a socket; None if the other end closes it instead.

    From then on this process has the environment, the log, the run's lock and its ticket as if it had been started for that run.
    """
    from setproctitle import setproctitle

    with suppress(Exception):  # what cannot be imported is told by the run that needs it, where it is read
        _import_all()
    with socket.socket(fileno=channel) as waiting:
        called, descriptors, _, _ = socket.recv_fds(waiting, len(_CALL), 3)
        if not called:
            return None
        with waiting.makefile("rb") as letter:
            order = json.load(letter)
    # so that `ps` tells which run it is; it writes over the first environment, so before that is changed
    setproctitle(" ".join((*_COMMAND, "run", order["folder"])))
    lock, ticket, log = descriptors
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    os.environ.clear()
    os.environ.update({**order["environment"], **_inheritance(lock, ticket, order["ticket"])})
    return Path(order["folder"])


class _Standby:
    """A process in `await_run`, and this end of its socket."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _start(("standby", str(theirs.fileno())), _environment(), (theirs.fileno(),), subprocess.DEVNULL)
        except OSError:
            self.dismiss()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Let it end."""
        self._channel.close()

    def hand_over(self, run: Run, lock: int, ticket: Ticket, log: int) -> bool:
        """Make it the run's process; False if it has died."""
        order = {"folder": str(run.folder), "ticket": str(ticket.path), "environment": _environment()}
        with self._channel:
            try:
                socket.send_fds(self._channel, [_CALL], [lock, ticket.descriptor, log])
                self._channel.sendall(json.dumps(order).encode())
            except OSError:
                return False
        return True


class _Reserve:
    """At most one process that stands by; once one has been asked for, there is another after each that is taken."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # pages are drawn in threads
        self._standby: _Standby | None = None
        self._asked = False
        self._taken = -math.inf

    def fill(self) -> None:
        with self._guard:
            self._asked = True
            if self._standby is not None and not self._standby.alive:
                self._standby.dismiss()
                self._standby = None
            if self._standby is None and time.monotonic() - self._taken >= REST:
                with suppress(OSError):  # no memory, or no process, to spare: the next run starts without
                    self._standby = _Standby()

    def take(self) -> _Standby | None:
        with self._guard:
            self._taken = time.monotonic()
            if self._asked:
                later = threading.Timer(REST, self.fill)
                later.daemon = True
                later.start()
            standby, self._standby = self._standby, None
            return standby


def _start(arguments: Sequence[str], environment: Mapping[str, str], inherited: Sequence[int], log: int) -> subprocess.Popen[bytes]:
    started = subprocess.Popen(
        [*_COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        pass_fds=inherited,
        start_new_session=True,
    )
    threading.Thread(target=started.wait, name=" ".join(arguments), daemon=True).start()  # so that it leaves no zombie
    return started


def _inheritance(lock: int, ticket: int, ticket_file: Path | str) -> dict[str, str]:
    """The environment's part that names what `process.work` is handed down."""
    return {process.LOCK: str(lock), process.TICKET: str(ticket), process.TICKET_FILE: str(ticket_file)}


def _environment() -> dict[str, str]:
    """This process's, in which the package is found and torch keeps to one thread."""
    package = str(Path(seqmodels.__file__).resolve().parent.parent)
    paths = dict.fromkeys(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(paths)}


def _import_all() -> None:
    import torch

    from seqmodels import text
    from seqmodels.runs import session  # noqa: F401  (with all that it imports)

    torch.optim.SGD(torch.nn.Linear(1, 1).parameters())  # torch's first optimizer imports its compiler
    text.words("")  # the first text loads spaCy


_reserve = _Reserve()
