"""Several processes of the app behind one address, for more visitors than one process serves.

An existing proxy stands before them and keeps a visitor with one replica by a cookie. Who is with one that has died goes on with
another: the browser connects anew by itself, and the address holds what was on screen. All replicas share the folders of runs and
models, so that a run is seen and commanded from each.
"""

from __future__ import annotations

import ctypes
import errno
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer

from seqmodels import journal
from seqmodels.cli import show
from seqmodels.installation import HEALTHZ, LOOPBACK

COOKIE = "seqmodels_replica"  # the proxy's own, beside the visitor's
FIRST_ANSWER = 180.0  # seconds until a replica must have begun: several import the same libraries at once
GRACE = 15.0  # seconds that replicas have to end
_ELSEWHERE = ("/usr/local/sbin", "/usr/sbin", "/opt/homebrew/bin")  # where proxies lie that are not on everybody's path
_EVERY = 0.2  # seconds between two looks at the processes
_LONGEST_DELAY = 30.0
_SOUND = 60.0  # seconds after which a process that ends is not taken for one that cannot begin
_PR_SET_PDEATHSIG = 1  # of Linux' prctl


@dataclass(frozen=True)
class Replica:
    """A process of the app: its name, and where it listens."""

    name: str
    host: str
    port: int


def haproxy(host: str, port: int, replicas: Sequence[Replica], *, by_name: bool = False) -> str:
    """HAProxy's configuration. With `by_name` the replicas' hosts are names, asked for again while it runs: containers move.

    It writes no log: an address of the app has what a visitor typed.
    """
    resolvers = ["resolvers names", "  parse-resolv-conf", "  hold valid 5s", ""] if by_name else []
    resolved = " resolvers names init-addr none" if by_name else ""
    servers = [f"  server {one.name} {one.host}:{one.port} cookie {one.name} check{resolved}" for one in replicas]
    return "\n".join(
        [
            "global",
            "  maxconn 8000",
            "  hard-stop-after 10s",
            "  # of a request's line and headers: two long texts in an address take more than the usual 16 kB",
            "  tune.bufsize 32768",
            "",
            *resolvers,
            "defaults",
            "  mode http",
            "  timeout connect 5s",
            "  timeout client 60s",
            "  # for the line and the headers: who sends them byte by byte holds no connection",
            "  timeout http-request 20s",
            "  timeout http-keep-alive 60s",
            "  timeout server 60s",
            "  timeout check 10s",
            "  # websockets are silent while a visitor reads, but for a ping every 20 s or so",
            "  timeout tunnel 1h",
            "  # where a replica does not answer, or ends before it has, another does at once",
            "  retries 3",
            "  option redispatch 1",
            "  retry-on conn-failure empty-response",
            "",
            "frontend visitors",
            f"  bind {host}:{port}",
            "  # the names of hosts are checked by each replica. What it hears of https is what a proxy before this one says",
            "  http-request set-header X-Forwarded-Proto http unless { req.hdr(X-Forwarded-Proto) -m found }",
            "  http-request del-header X-Forwarded-For",
            "  option forwardfor",
            "  http-request disable-l7-retry unless METH_GET",
            "  default_backend replicas",
            "",
            "backend replicas",
            "  balance leastconn",
            f'  cookie {COOKIE} insert indirect nocache httponly attr "SameSite=Lax"',
            "  option httpchk",
            f"  http-check send meth GET uri {HEALTHZ} ver HTTP/1.1 hdr Host localhost",
            "  http-check expect status 200",
            "  default-server inter 2s fastinter 500ms fall 4 rise 1 on-marked-down shutdown-sessions",
            *servers,
            "",
        ]
    )


def caddy(host: str, port: int, replicas: Sequence[Replica]) -> str:
    """Caddy's, in which the same is said."""
    upstreams = " ".join(f"{one.host}:{one.port}" for one in replicas)
    return "\n".join(
        [
            "{",
            "\tadmin off",
            "\tauto_https off",
            "\tlog default {",
            "\t\toutput discard",
            "\t}",
            "}",
            "",
            f"http://:{port} {{",
            f"\tbind {host}",
            f"\treverse_proxy {upstreams} {{",
            f"\t\tlb_policy cookie {COOKIE}",
            "\t\tlb_try_duration 5s",
            "\t\tlb_try_interval 250ms",
            "\t\tfail_duration 2s",
            "\t\ttrusted_proxies private_ranges",
            f"\t\thealth_uri {HEALTHZ}",
            "\t\thealth_interval 2s",
            "\t\thealth_timeout 10s",
            "\t\thealth_headers {",
            "\t\t\tHost localhost",
            "\t\t}",
            "\t}",
            "}",
            "",
        ]
    )


@dataclass(frozen=True)
class Proxy:
    """A program that can stand before the replicas: what configures it, the name of that file, and how it is started with it."""

    program: str
    configure: Callable[[str, int, Sequence[Replica]], str]
    file: str
    arguments: tuple[str, ...]  # before the file


PROXIES = (
    Proxy("haproxy", haproxy, "haproxy.cfg", ("-db", "-q", "-f")),
    Proxy("caddy", caddy, "Caddyfile", ("run", "--adapter", "caddyfile", "--config")),
)


def find_proxy() -> tuple[Proxy, str]:
    """The first that is here, and its file. ValueError says how to get one."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_ELSEWHERE))
    for proxy in PROXIES:
        if found := shutil.which(proxy.program, path=places):
            return proxy, found
    raise ValueError(
        "several replicas need a proxy before them, and there is neither HAProxy nor Caddy on the path: install one "
        "(apt install haproxy, dnf install haproxy, brew install haproxy), or leave --replicas out"
    )


def run(count: int, port: int, host: str, variables: Mapping[str, str], *, stop_runs: bool) -> None:
    """Serve with so many replicas until Ctrl-C or SIGTERM, with these variables of the environment in each.

    ValueError if there is no proxy, the port is taken, or no replica begins.
    """
    proxy, program = find_proxy()
    listens = _listens(host, port)
    replicas = [Replica(f"replica-{number}", "127.0.0.1", found) for number, found in enumerate(_ports(count, port), start=1)]
    with tempfile.TemporaryDirectory(prefix="seqmodels-") as folder, _Asked() as asked:
        file = Path(folder) / proxy.file
        file.write_text(proxy.configure(listens, port, replicas))
        processes = [_Process(one.name, _command(one), {**variables, "SEQMODELS_REPLICA": one.name}) for one in replicas]
        # what it says has no place among the lines of the journal; that it does not run is said by us
        front = _Process(
            proxy.program, (program, *proxy.arguments, str(file)), {"XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder}, quiet=True
        )
        try:
            for process in processes:
                process.start()
            if _wait_for_one(replicas, processes, asked):
                processes.insert(0, front)  # it ends first, and nobody is sent to a replica that ends
                front.start()
                shown = "localhost" if listens in (*LOOPBACK, "0.0.0.0", "::") else host
                typer.echo(f"{count} replicas behind {proxy.program}: http://{shown}:{port}")
                while not asked.now:
                    for process in processes:
                        process.tend()
                    time.sleep(_EVERY)
        finally:
            journal.note("stopping", replicas=count)
            try:
                _end([front])
                _end([process for process in processes if process is not front])
                if stop_runs:
                    from seqmodels.runs import interrupt_all

                    journal.note("runs_interrupted", runs=interrupt_all())
            finally:
                for process in (front, *processes):  # asked a second time, this process waits for none
                    process.kill()
                journal.note("stopped")


class _Asked:
    """Whether this process has been asked to end. A second time, KeyboardInterrupt ends it at once."""

    now = False

    def __enter__(self) -> _Asked:
        self._before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *why: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.now:
            raise KeyboardInterrupt
        self.now = True


class _Process:
    """A child that is started again when it ends: after a second, then after twice as long each time."""

    def __init__(self, name: str, command: Sequence[str], variables: Mapping[str, str], *, quiet: bool = False) -> None:
        self.name, self._command, self._variables = name, command, variables
        self._output = subprocess.DEVNULL if quiet else None
        self._delay, self._began, self._again = 1.0, 0.0, 0.0
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def code(self) -> int | None:
        """With which it has ended; None while it lives."""
        return None if self._running is None else self._running.poll()

    def start(self) -> None:
        self._began, self._again = time.monotonic(), 0.0
        self._running = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._output,
            env={**os.environ, **self._variables},
            start_new_session=True,  # Ctrl-C is for this process, which ends the others in their order
            preexec_fn=_tied(os.getpid()),
        )
        journal.note("process_started", name=self.name, pid=self._running.pid)

    def tend(self) -> None:
        """Look after it: start it again where its time has come."""
        now = time.monotonic()
        if self._again:
            if now >= self._again:
                self.start()
        elif (code := self.code) is not None:
            self._delay = 1.0 if now - self._began > _SOUND else min(_LONGEST_DELAY, 2 * self._delay)
            self._again = now + self._delay
            journal.note("process_ended", name=self.name, code=code, again_seconds=self._delay)
            if not journal.is_open():
                show.complain(f"{self.name} has ended ({_why(code)}): it is started again in {self._delay:g} s")

    def ask(self) -> None:
        """Ask it to end."""
        if self._running is not None:
            self._running.terminate()

    def end(self, deadline: float) -> None:
        """Wait for its end until then; after that it is killed."""
        if self._running is None:
            return
        try:
            self._running.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, if it lives."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()


def _end(processes: Sequence[_Process]) -> None:
    deadline = time.monotonic() + GRACE
    for process in processes:
        process.ask()
    for process in processes:
        process.end(deadline)


def _command(replica: Replica) -> tuple[str, ...]:
    return (sys.executable, "-m", "seqmodels", "app", "--host", replica.host, "--port", str(replica.port))


def _wait_for_one(replicas: Sequence[Replica], processes: Sequence[_Process], asked: _Asked) -> bool:
    """Until one of them can serve; False if this process is asked to end before. ValueError if none does."""
    deadline = time.monotonic() + FIRST_ANSWER
    while not asked.now:
        if any(map(_serves, replicas)):
            return True
        if all(process.code is not None for process in processes) or time.monotonic() > deadline:
            raise ValueError("no replica has begun to serve: `seqmodels app` without --replicas shows why")
        time.sleep(_EVERY)
    return False


def _serves(replica: Replica) -> bool:
    connection = http.client.HTTPConnection(replica.host, replica.port, timeout=2)
    try:
        connection.request("GET", HEALTHZ)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listens(host: str, port: int) -> str:
    """The address of that host. ValueError if nothing can listen there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        if not _is_free(family, str(address[0]), port):
            raise ValueError(f"port {port} is not available: another program listens there. Choose another by --port")
    except OSError as error:
        raise ValueError(
            f"nothing can listen at {host}, port {port} ({error.strerror}): choose another by --host or --port"
        ) from None
    return str(address[0])


def _ports(count: int, above: int) -> list[int]:
    """The next ports above this one that are free: those far above are handed out to whoever connects to something."""
    free = (port for port in range(above + 1, 65536) if _is_free(socket.AF_INET, "127.0.0.1", port))
    found = [port for port, _ in zip(free, range(count), strict=False)]
    if len(found) < count:
        raise ValueError(f"there are not {count} free ports above {above}: choose a lower one by --port")
    return found


def _is_free(family: int, address: str, port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just been given up may linger
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _why(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def _tied(parent: int) -> Callable[[], None] | None:
    """What a child does at first so that it is asked to end when this process is gone, however that ended. Linux alone has it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before
            os._exit(1)

    return tie
