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
from pathlib import Path

import seqmodels
from seqmodels.runs import store
from seqmodels.runs.process import INHERITED_LOCK
from seqmodels.runs.store import Run

REST = 15.0  # seconds after the start of a run: until then the run has more use for the processor than its successor

_COMMAND = (sys.executable, "-m", "seqmodels")
_CALL = b"\n"  # what the descriptors travel with


def stand_by() -> None:
    """Have a process ready for the next run, in the background. It ends with this one."""
    _reserve.fill()


def launch(run: Run, lock: int) -> None:
    """Start the run's process, detached, so that it outlives this one. `lock` is a descriptor that holds the run's lock."""
    standby = _reserve.take()
    with (run.folder / store.LOG).open("ab") as log:
        if standby is None or not standby.hand_over(run, lock, log.fileno()):
            _start(("run", str(run.folder)), {**_environment(), INHERITED_LOCK: str(lock)}, lock, log.fileno())


def await_run(channel: int) -> Path | None:
    """Import what a run needs, and wait for its folder on a socket; None if the other end closes it instead.

    From then on this process has the environment, the log and the run's lock as if it had been started for that run.
    """
    from setproctitle import setproctitle

    _import_all()
    with socket.socket(fileno=channel) as waiting:
        called, descriptors, _, _ = socket.recv_fds(waiting, len(_CALL), 2)
        if not called:
            return None
        with waiting.makefile("rb") as letter:
            order = json.load(letter)
    # so that `ps` tells which run it is; it writes over the first environment, so before that is changed
    setproctitle(" ".join((*_COMMAND, "run", order["folder"])))
    lock, log = descriptors
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    os.environ.clear()
    os.environ.update({**order["environment"], INHERITED_LOCK: str(lock)})
    return Path(order["folder"])


class _Standby:
    """A process in `await_run`, and this end of its socket."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = _start(("standby", str(theirs.fileno())), _environment(), theirs.fileno(), subprocess.DEVNULL)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Let it end."""
        self._channel.close()

    def hand_over(self, run: Run, lock: int, log: int) -> bool:
        """Make it the run's process; False if it has died."""
        with self._channel:
            try:
                socket.send_fds(self._channel, [_CALL], [lock, log])
                self._channel.sendall(json.dumps({"folder": str(run.folder), "environment": _environment()}).encode())
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


def _start(arguments: Sequence[str], environment: Mapping[str, str], inherited: int, log: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [*_COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        pass_fds=(inherited,),
        start_new_session=True,
    )
    threading.Thread(target=process.wait, name=" ".join(arguments), daemon=True).start()  # so that it leaves no zombie
    return process


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
