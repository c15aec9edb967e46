"""Several processes of the app behind a proxy: a visitor stays with one, and goes on with another when that one dies."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from anyio import run as wait_for_all
from websockets.exceptions import ConnectionClosed

from pages.common.address import LONGEST
from pages.common.server import VISITOR
from seqmodels.cli import main, replicas
from seqmodels.cli.replicas import COOKIE, PROXIES, Proxy, Replica, find_proxy
from seqmodels.installation import HEALTHZ
from seqmodels.runs import list_runs, may_control, store
from tests.browser.driver import ROOT, free_port
from tests.running import wait_until
from tests.visiting import Visitor

PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), *replicas._ELSEWHERE))
SECRET = "Zanzibar"  # a word that a visitor types
TWO = [Replica("replica-1", "127.0.0.1", 8502), Replica("replica-2", "127.0.0.1", 8503)]
CHECKS = {"haproxy": ("-c", "-f"), "caddy": ("validate", "--adapter", "caddyfile", "--config")}

each_proxy = pytest.mark.parametrize(
    "proxy",
    [
        pytest.param(
            one, id=one.program, marks=pytest.mark.skipif(not shutil.which(one.program, path=PLACES), reason=f"no {one.program}")
        )
        for one in PROXIES
    ],
)


@dataclass
class Fleet:
    """The app with two replicas, as it runs."""

    port: int
    parent: subprocess.Popen[bytes]
    log: Path
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == kind]

    def pid(self, name: str) -> int:
        """Of the newest process of that name."""
        return int([event["pid"] for event in self.events("process_started") if event["name"] == name][-1])

    def ask(
        self, path: str = "/", *, cookies: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, SimpleCookie, str]:
        """Status, the cookies that are set, and what was said."""
        sent = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
        return get(self.port, path, {**(headers or {}), **({"Cookie": sent} if sent else {})})

    def come(self) -> dict[str, str]:
        """The cookies of a new visitor."""
        status, cookies, _ = self.ask()
        assert status == 200
        return {name: cookies[name].value for name in (VISITOR, COOKIE)}

    def visit(self, cookies: dict[str, str]) -> Visitor:
        return Visitor(self.address, cookie="; ".join(f"{name}={value}" for name, value in cookies.items()))

    def health(self, name: str) -> dict[str, Any]:
        """What a replica says of itself; nothing where it does not answer."""
        port = int([event["port"] for event in self.events("started") if event["replica"] == name][-1])
        with suppress(OSError):
            known: dict[str, Any] = json.loads(get(port, HEALTHZ, {})[2])
            return known
        return {}


def get(port: int, path: str, headers: dict[str, str]) -> tuple[int, SimpleCookie, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        cookies = SimpleCookie()
        for value in answer.headers.get_all("set-cookie", []):
            cookies.load(value)
        return answer.status, cookies, answer.read().decode()
    finally:
        connection.close()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def begun(folder: Path, program: str, checkpoints: Path) -> Fleet:
    """Two replicas behind that proxy, ready."""
    folder.mkdir(exist_ok=True)
    only = folder / "bin"
    only.mkdir(exist_ok=True)
    (only / program).symlink_to(shutil.which(program, path=PLACES) or "")
    variables = {
        "SEQMODELS_LOG": "json",
        "SEQMODELS_RUNS": str(folder / "runs"),
        "SEQMODELS_OWN_CHECKPOINTS": str(folder / "own"),
        "SEQMODELS_CHECKPOINTS": str(checkpoints),
        "SEQMODELS_SINGLE_USER": "0",
        "TMPDIR": str(folder),
    }
    # the proxy is the one that is asked for, although another may lie elsewhere
    look = f"replicas._ELSEWHERE = ({str(only)!r},)"
    script = f"import sys; from seqmodels.cli import main, replicas; {look}; sys.exit(main(sys.argv[1:]))"
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-c", script, "app", "--port", str(port), "--replicas", "2"]
    with log.open("wb") as output:
        parent = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | variables | {"PATH": str(only)}, stdout=subprocess.DEVNULL, stderr=output
        )
    fleet = Fleet(port, parent, log)
    wait_until(lambda: parent.poll() is not None or (listens(port) and get(port, HEALTHZ, {})[0] == 200), 180)
    assert parent.poll() is None, log.read_text()
    wait_until(
        lambda: bool(fleet.health("replica-1") and fleet.health("replica-2")) if len(fleet.events("started")) > 1 else False, 180
    )
    return fleet


def alive(pid: int) -> bool:
    """Whether the process runs: one that has ended may still stand in the list, for nobody to ask after it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(fleet: Fleet, number: int) -> list[int]:
    """Send the parent a signal and wait for it; the processes that it had."""
    pids = [event["pid"] for event in fleet.events("process_started")]
    fleet.parent.send_signal(number)
    fleet.parent.wait(60)
    return pids


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, nine_folder: Path) -> Iterator[Fleet]:
    """Two replicas behind HAProxy, for all tests of this file that leave both alive."""
    if not shutil.which("haproxy", path=PLACES):
        pytest.skip("no haproxy: install it to try replicas")
    made = begun(tmp_path_factory.mktemp("fleet"), "haproxy", nine_folder)
    try:
        yield made
    finally:
        if made.parent.poll() is None:
            ended(made, signal.SIGTERM)


@each_proxy
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_the_proxy_takes_its_configuration(proxy: Proxy, host: str, tmp_path: Path) -> None:
    (tmp_path / proxy.file).write_text(proxy.configure(host, 8501, TWO))
    program = shutil.which(proxy.program, path=PLACES)
    checked = subprocess.run([program, *CHECKS[proxy.program], tmp_path / proxy.file], capture_output=True, text=True)  # type: ignore[list-item]
    assert (checked.returncode, "WARNING" in checked.stderr) == (0, False), checked.stderr


def test_the_first_proxy_that_is_here_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "_ELSEWHERE", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="apt install haproxy"):
        find_proxy()
    for program in ("caddy", "haproxy"):
        (tmp_path / program).write_text("#!/bin/sh")
        (tmp_path / program).chmod(0o700)
        assert find_proxy() == (next(one for one in PROXIES if one.program == program), str(tmp_path / program))


@pytest.mark.parametrize(
    ("options", "said"), [([], "another program listens there"), (["--host", "203.0.113.7"], "nothing can listen")]
)
def test_an_address_where_it_cannot_listen_is_told(
    options: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    monkeypatch.setattr(replicas, "find_proxy", lambda: (PROXIES[0], "/no/such/program"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["app", "--replicas", "2", "--port", str(taken.getsockname()[1]), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_visitor_stays_with_one_replica_and_is_known_to_both(fleet: Fleet) -> None:
    mine = fleet.come()
    for _ in range(6):
        status, cookies, _ = fleet.ask(cookies=mine)
        assert (status, list(cookies)) == (200, []), "neither is set anew"
    for name in ("replica-1", "replica-2"):
        status, cookies, _ = fleet.ask(cookies={**mine, COOKIE: name})
        assert (status, list(cookies)) == (200, []), "the secret that one has set is known to the other"

    async def stay() -> None:
        async with fleet.visit(mine) as visitor:
            await visitor.open("Tagging")
            assert not visitor.seen.exceptions
            here = {name: fleet.health(name)["sessions"] for name in ("replica-1", "replica-2")}
            assert here == {name: int(name == mine[COOKIE]) for name in here}

    wait_for_all(stay)


def test_an_address_with_two_of_the_longest_texts_comes_through(fleet: Fleet) -> None:
    texts = urlencode({"text": "a" * LONGEST, "other": "b" * LONGEST})
    assert fleet.ask(f"/Gates?{texts}", headers={"Referer": "c" * 4096})[0] == 200  # as long as browsers make it


def test_new_visitors_spread_over_both(fleet: Fleet) -> None:
    assert {fleet.come()[COOKIE] for _ in range(10)} == {"replica-1", "replica-2"}


def test_what_guards_one_process_guards_the_replicas(fleet: Fleet) -> None:
    assert fleet.ask(headers={"Host": "bent.example"})[0] == 400, "a name that is not this machine's"
    assert fleet.ask("/_stcore/metrics")[0] == 404
    assert json.loads(fleet.ask(HEALTHZ)[2]) == {"status": "ok"}
    _, cookies, _ = fleet.ask()
    assert (cookies[VISITOR]["secure"], cookies[VISITOR]["httponly"], cookies[COOKIE]["httponly"]) == ("", True, True)
    _, cookies, _ = fleet.ask(headers={"X-Forwarded-Proto": "https"})
    assert cookies[VISITOR]["secure"] is True, "a proxy before this one has said that it is"


def test_a_run_that_was_started_by_one_is_seen_and_commanded_by_the_other(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS", str(fleet.log.parent / "runs"))
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "0")
    mine = {**fleet.come(), COOKIE: "replica-1"}
    other = {**fleet.come(), COOKIE: "replica-2"}
    short = "task=recall&cell=gru&hidden_size=8&length=5&sentences=400&dev_sentences=50&epochs=1000&batch_size=8"

    async def walk() -> None:
        async with fleet.visit(mine) as visitor:
            await visitor.open("Training", urlencode({"settings": short}))
            await visitor.press("training-go")
            assert not visitor.seen.exceptions
        (run,) = list_runs()
        assert may_control(run, mine[VISITOR])
        wait_until(lambda: store.status(run).name == "running")
        async with fleet.visit(other) as visitor:
            await visitor.open("Training", f"run={run.id}")
            assert not any(ident.endswith("-watch-stop") for ident in visitor.seen.widgets)
        async with fleet.visit({**mine, COOKIE: "replica-2"}) as visitor:
            await visitor.open("Training", f"run={run.id}")
            await visitor.press("watch-stop")
        wait_until(lambda: store.status(run).name == "stopped")

    wait_for_all(walk)
    wait_until(lambda: bool(fleet.events("run_ended")))
    (started,), (stopped,) = fleet.events("run_started"), fleet.events("run_ended")
    assert (started["task"], started["cell"], started["replica"], stopped["status"]) == ("recall", "gru", "replica-1", "stopped")


def test_the_log_tells_of_pages_and_sessions_and_of_no_word(fleet: Fleet) -> None:
    before = [len(fleet.events(kind)) for kind in ("session_opened", "page_served", "session_closed")]

    async def visit() -> None:
        async with fleet.visit(fleet.come()) as visitor:
            await visitor.open("Tagging", f"text={SECRET}")
            await visitor.type(f"{SECRET} is far.")
            assert any(SECRET in html for html in visitor.seen.html)

    wait_for_all(visit)
    wait_until(lambda: len(fleet.events("session_closed")) > before[2])
    served = fleet.events("page_served")[before[1] :]
    assert [event["page"] for event in served] == ["Tagging", "Tagging"]
    assert all(event["ms"] > 0 for event in served)
    assert len(fleet.events("session_opened")) == before[0] + 1
    assert SECRET not in fleet.log.read_text()


@each_proxy
def test_who_is_with_one_that_dies_goes_on_with_the_other_and_it_comes_back(
    proxy: Proxy, tmp_path: Path, nine_folder: Path
) -> None:
    fleet = begun(tmp_path / "fleet", proxy.program, nine_folder)
    try:
        mine = fleet.come()

        async def visit() -> str:
            async with fleet.visit(mine) as visitor:
                await visitor.open("Tagging", "text=The+old+man+the+boats.")
                before = visitor.seen
                first = next(name for name in ("replica-1", "replica-2") if fleet.health(name)["sessions"])
                os.kill(fleet.pid(first), signal.SIGKILL)
                with pytest.raises(ConnectionClosed):
                    await visitor.type("Time flies.")
            # what a browser does then: it connects anew, and sends what it holds with the next change
            visitor.seen = before
            async with visitor:
                await visitor.type("Geese fly.")
                assert any("Geese" in html for html in visitor.seen.html)
            return first

        first = wait_for_all(visit)
        wait_until(lambda: bool(fleet.health(first)) and len(fleet.events("started")) == 3, 120)
        assert fleet.events("process_ended")[0]["code"] == -signal.SIGKILL
        wait_until(lambda: len({fleet.come()[COOKIE] for _ in range(10)}) == 2, 60)
    finally:
        pids = ended(fleet, signal.SIGTERM)
    assert fleet.parent.returncode == 0
    assert not any(map(alive, pids))
    assert not any(map(listens, range(fleet.port, fleet.port + 3)))
    assert not list((tmp_path / "fleet").glob("seqmodels-*")), "the proxy's folder is gone"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_nothing_is_left_of_a_parent_that_was_killed(tmp_path: Path, nine_folder: Path) -> None:
    if not shutil.which("haproxy", path=PLACES):
        pytest.skip("no haproxy: install it to try replicas")
    fleet = begun(tmp_path / "fleet", "haproxy", nine_folder)
    pids = ended(fleet, signal.SIGKILL)
    wait_until(lambda: not any(map(alive, pids)))
    assert not listens(fleet.port)


def test_asked_to_end_a_second_time_it_waits_for_no_replica(tmp_path: Path, nine_folder: Path) -> None:
    if not shutil.which("haproxy", path=PLACES):
        pytest.skip("no haproxy: install it to try replicas")
    fleet = begun(tmp_path / "fleet", "haproxy", nine_folder)
    os.kill(fleet.pid("replica-1"), signal.SIGSTOP)  # it hears nothing
    fleet.parent.send_signal(signal.SIGTERM)
    wait_until(lambda: bool(fleet.events("stopping")))
    pids = ended(fleet, signal.SIGTERM)
    assert fleet.parent.returncode == 130, "it did not wait until the time for an orderly end was over"
    assert not any(map(alive, pids))
    assert not list((tmp_path / "fleet").glob("seqmodels-*")), "the proxy's folder is gone"
