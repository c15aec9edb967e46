"""The process of a run: forked off one that has everything imported, or a new one.

A new process imports torch before its first step, which takes seconds; whoever pressed Start is waiting. The standard library's
forkserver does not do: its children run the main script again, which under Streamlit is a page, and its owner waits for them at its
end.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import seqmodels
from seqmodels.environment import environment
from seqmodels.runs import store
from seqmodels.runs.store import Run

DESCRIPTORS = "SEQMODELS_RUN_DESCRIPTORS"  # what a run's process has from whoever started it: two that hold its lock and its slot
_COMMAND = (sys.executable, "-m", "seqmodels")
BASE = 450e6  # bytes that a process takes before its training: the libraries, word vectors, a corpus
_LENGTH = struct.Struct("!I")  # of an order in bytes; the descriptors travel with it


class ForkServer:
    """A process in `serve`, and this end of its socket. It ends with this process; the runs that it has forked go on."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # pages are drawn in threads
        self._channel: socket.socket | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it where it does not run. Where there is no memory or process to spare, runs do without."""
        with self._guard, suppress(OSError):
            if not self.alive:
                self.stop()
                self._channel, theirs = socket.socketpair()
                with theirs:
                    self.process = detach(("standby", str(theirs.fileno())), inherited=(theirs.fileno(),))

    def stop(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None

    def fork(self, folder: Path, environment: Mapping[str, str], descriptors: Sequence[int]) -> bool:
        """Have it fork the process of a run, which gets the descriptors of `serve`; False if there is no server."""
        order = json.dumps({"folder": str(folder), "environment": dict(environment)}).encode()
        with self._guard:
            if self._channel is None or not self.alive:
                return False
            try:
                socket.send_fds(self._channel, [_LENGTH.pack(len(order))], descriptors)
                self._channel.sendall(order)
            except OSError:
                return False
        return True


_server = ForkServer()


def stand_by() -> None:
    """Make the next runs start at once, in the background. Where none may take the memory that it needs, nothing waits for one."""
    found = environment()
    wanted = found.runs_on == "local" and found.run_memory_mb * 2**20 > BASE
    if wanted and sys.platform != "darwin":  # on a Mac, a fork with torch loaded is not safe
        _server.start()


def launch(run: Run, lock: int, slot: int) -> None:
    """Start the run's process, detached, so that it outlives this one. The descriptors hold the run's lock and its slot."""
    inherited = (lock, slot)
    with store.open_log(run.folder) as log:
        if not _server.fork(run.folder, _environment(), (*inherited, log.fileno())):
            handed_over = {DESCRIPTORS: "{} {}".format(*inherited)}
            detach(("run", str(run.folder)), inherited=inherited, log=log.fileno(), more=handed_over)


def handed_over() -> tuple[int, int] | None:
    """The lock and the slot from whoever started this process, if they did. No process inherits them from this one."""
    given = os.environ.pop(DESCRIPTORS, None)
    if given is None:
        return None
    lock, slot = map(int, given.split())
    for descriptor in (lock, slot):
        os.set_inheritable(descriptor, False)
    return lock, slot


def serve(channel: int) -> Path | None:
    """Import what a run needs, then fork a process for each order that comes. Returns in each of these, with its run's folder.

    Such a process has the environment, the log, the run's lock and its slot as if it had been started for that run. In the server
    itself None is returned, when the other end of the socket is closed.
    """
    from setproctitle import setproctitle

    with suppress(Exception):  # what cannot be imported is reported by the run that needs it
        import torch

        from seqmodels import text
        from seqmodels.runs import session  # noqa: F401  (with all that it imports)

        torch.optim.SGD(torch.nn.Linear(1, 1).parameters())  # torch's first optimizer imports its compiler
        text.words("")  # the first text loads spaCy
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leave no zombies
    with socket.socket(fileno=channel) as orders:
        while True:
            length, descriptors, _, _ = socket.recv_fds(orders, _LENGTH.size, 3)
            if not length:
                return None
            order = json.loads(orders.recv(_LENGTH.unpack(length)[0], socket.MSG_WAITALL))
            if os.fork() == 0:
                break
            for descriptor in descriptors:
                os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    # so that `ps` names the run; it overwrites the memory of the first environment, so before that is changed
    setproctitle(" ".join((*_COMMAND, "run", order["folder"])))
    *inherited, log = descriptors
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    os.environ.clear()
    os.environ.update({**order["environment"], DESCRIPTORS: "{} {}".format(*inherited)})
    return Path(order["folder"])


def detach(
    arguments: Sequence[str],
    *,
    inherited: Sequence[int],
    log: int = subprocess.DEVNULL,
    more: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.Popen[bytes]:
    """Start a command of this package that outlives this process, with these descriptors and more in its environment."""
    started = subprocess.Popen(
        [*_COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**_environment(), **more},
        pass_fds=inherited,
        start_new_session=True,
    )
    threading.Thread(target=started.wait, name=" ".join(arguments), daemon=True).start()  # so that it leaves no zombie
    return started


def _environment() -> dict[str, str]:
    """This process's, in which the package is found and torch keeps to one thread."""
    package = str(Path(seqmodels.__file__).resolve().parent.parent)
    paths = dict.fromkeys(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(paths)}
