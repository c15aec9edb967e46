"""What serves the app in containers fits the app: there is no Docker here, so each part is held against what it stands for."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import haproxy
from pages.common.server import run as serve
from seqmodels.cli import main, replicas
from seqmodels.cli.replicas import COOKIE
from seqmodels.environment import Environment, variable
from seqmodels.installation import HEALTHZ, LOOPBACK
from seqmodels.runs import interrupt_all
from tests.browser.driver import ROOT

SAVING = signature(interrupt_all).parameters["seconds"].default  # that runs have to save
VARIABLES = {*map(variable, Environment.model_fields), "FORWARDED_ALLOW_IPS"}
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
KUBERNETES = {one["kind"]: one for one in yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text())}
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())


def lines(instruction: str) -> list[str]:
    """What stands after that word in the Dockerfile, each time."""
    return re.findall(rf"^{instruction} +(.*)$", DOCKERFILE, flags=re.MULTILINE)


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_the_proxy_of_the_containers_is_the_one_that_replicas_get() -> None:
    assert haproxy.FILE.read_text() == haproxy.configuration(2), "run python -m docs.haproxy"


@pytest.mark.parametrize("count", [1, 5])
def test_it_is_valid_for_any_number(count: int, tmp_path: Path) -> None:
    program = shutil.which("haproxy", path=f"{':'.join(replicas._ELSEWHERE)}:/usr/bin")
    if program is None:
        pytest.skip("no haproxy: install it to check its configuration")
    (tmp_path / "haproxy.cfg").write_text(haproxy.configuration(count))
    checked = subprocess.run([program, "-c", "-f", tmp_path / "haproxy.cfg"], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_containers_are_those_that_the_proxy_knows_and_share_what_they_must() -> None:
    services = dict(COMPOSE["services"])
    proxy = services.pop("proxy")
    named = re.findall(r"^  server (\S+) (\S+):(\d+) ", haproxy.FILE.read_text(), flags=re.MULTILINE)
    assert named == [(name, name, lines("EXPOSE")[0]) for name in services]
    assert list(proxy["depends_on"]) == list(services)
    assert proxy["ports"] == ["${PORT:-8501}:8501"]
    for one in services.values():
        assert one["volumes"] == [f"data:{lines('VOLUME')[0]}"]
        assert seconds(one["stop_grace_period"]) > SAVING
        assert set(one["environment"]) <= VARIABLES
        assert one["read_only"]
        assert "ports" not in one, "only the proxy is reached: what it says of visitors is believed"
    (mounted,) = proxy["volumes"]
    assert (ROOT / mounted.partition(":")[0]).samefile(haproxy.FILE)


def test_the_image_copies_what_is_here_and_all_that_a_wheel_needs() -> None:
    copied = [path for line in lines("COPY") if "--from" not in line for path in line.split()[:-1]]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / path).exists() for path in copied)
    project = (ROOT / "pyproject.toml").read_text()
    needed = re.findall(r'^"(.*)" = "seqmodels/_app/', project, flags=re.MULTILINE)
    assert set(needed) <= set(copied)


def test_the_image_runs_as_nobody_in_particular_and_writes_to_its_volume() -> None:
    settings = dict(part.split("=", 1) for line in lines("ENV") for part in shlex.split(line))
    ours = {name: value for name, value in settings.items() if name.startswith("SEQMODELS_")}
    assert set(ours) <= VARIABLES
    assert {name for name, value in ours.items() if value.startswith("/data/")} == {
        variable(name) for name in ("runs", "own_checkpoints", "cache")
    }
    assert lines("USER") == ["1000"]
    given: dict[str, Any] = {name.removeprefix("SEQMODELS_").lower(): value for name, value in ours.items()}
    assert Environment(**given).log == "json"


def test_the_image_starts_the_app_so_that_its_runs_are_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, Any]] = []

    def note(*given: Any, **named: Any) -> None:
        started.append(dict(signature(serve).bind(*given, **named).arguments))

    monkeypatch.setattr("pages.common.server.run", note)
    entry, command = json.loads(lines("ENTRYPOINT")[0]), json.loads(DOCKERFILE.strip().rpartition("\nCMD ")[2])
    assert entry == ["tini", "--", "seqmodels"]
    assert main(command) == 0
    assert (started[0]["address"], started[0]["port"], started[0]["stop_runs"]) == ("0.0.0.0", int(lines("EXPOSE")[0]), True)
    assert started[0]["hosts"] != LOOPBACK


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that says so to whoever asks for HEALTHZ; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == HEALTHZ else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_image_knows_how_it_is(status: int, healthy: bool) -> None:
    python, *arguments = json.loads(lines("HEALTHCHECK")[0].partition("CMD ")[2])
    assert python == "python"
    with answering(status) as port:
        here = [one.replace(f":{lines('EXPOSE')[0]}/", f":{port}/") for one in arguments]
        assert here != arguments
        assert (subprocess.run([sys.executable, *here], capture_output=True).returncode == 0) == healthy


def test_the_pods_are_asked_how_they_are_and_keep_their_visitors() -> None:
    pod = KUBERNETES["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    port = container["ports"][0]["containerPort"]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": HEALTHZ, "port": port}
    assert port == KUBERNETES["Service"]["spec"]["ports"][0]["targetPort"] == int(lines("EXPOSE")[0])
    assert pod["terminationGracePeriodSeconds"] > SAVING + container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert {one["name"] for one in container["env"]} <= VARIABLES
    assert {one["mountPath"] for one in container["volumeMounts"]} == {"/data", "/tmp"}
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    assert pod["securityContext"]["runAsUser"] == int(lines("USER")[0])
    annotations = KUBERNETES["Ingress"]["metadata"]["annotations"] | KUBERNETES["Service"]["metadata"]["annotations"]
    assert [name for name, value in annotations.items() if value == COOKIE] == [
        "haproxy.org/cookie-persistence",
        "traefik.ingress.kubernetes.io/service.sticky.cookie.name",
    ]
    (rule,) = KUBERNETES["Ingress"]["spec"]["rules"]
    assert rule["host"] == next(one["value"] for one in container["env"] if one["name"] == "SEQMODELS_HOSTS")


def test_what_the_page_says_of_events_is_what_is_written() -> None:
    """Each event in the source stands in the table, and no other."""
    page = (ROOT / "docs" / "deployment.md").read_text()
    table = page[page.index("| event | with |") :].partition("\n\n")[0]
    told = {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    source = "".join(path.read_text() for folder in ("seqmodels", "pages") for path in (ROOT / folder).rglob("*.py"))
    written = set(re.findall(r'(?:journal\.)?\bnote\(\s*"(\w+)"', source)) | {"logged"}
    assert told == written


def test_variables_that_the_page_names_are_there() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()
    assert set(re.findall(r"SEQMODELS_[A-Z_]+", page)) - {"SEQMODELS_"} <= VARIABLES


def test_with_too_little_memory_for_a_run_none_is_made_and_nothing_waits(
    monkeypatch: pytest.MonkeyPatch, own_folders: Path
) -> None:
    from seqmodels.runs import launcher
    from tests.running import make

    page = (ROOT / "docs" / "deployment.md").read_text()
    (most,) = re.findall(r'SEQMODELS_RUN_MEMORY_MB = "(\d+)"', page)
    monkeypatch.setenv("SEQMODELS_RUN_MEMORY_MB", most)
    monkeypatch.setattr(launcher, "_server", launcher.ForkServer())
    launcher.stand_by()
    assert launcher._server.process is None
    with pytest.raises(ValueError, match=f"at most {most} may be"):
        make()
