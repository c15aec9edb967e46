"""/healthz: whether the server can serve, for all; what it holds, for whoever asks on this machine. Without a port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import run
from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import Receive, Scope, Send

from pages.common import loading
from pages.common.health import STREAM, Condition, Health
from seqmodels.installation import HEALTHZ
from tests.running import make

HERE = "http://127.0.0.1"


def ask(condition: Condition, base: str = HERE, client: str = "127.0.0.1", headers: dict[str, str] | None = None) -> httpx.Response:
    app = Health(TrustedHostMiddleware(Starlette(), allowed_hosts=["lab.example"]), condition)
    transport = httpx.ASGITransport(app, client=(client, 1234))

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url=base) as asking:
            return await asking.get(HEALTHZ, headers=headers)

    return run(answer)


def test_who_asks_on_this_machine_hears_what_is_loaded(own_folders: Path, tiny_checkpoints: Path, fresh_cache: None) -> None:
    make()
    loading.checkpoint("pos-gru")
    answer = ask(Condition(sessions=3))
    told = answer.json()
    assert (answer.status_code, told.pop("status"), told.pop("sessions")) == (200, "ok", 3)
    assert told.pop("uptime_seconds") >= 0
    assert (told.pop("models"), told.pop("models_of_visitors")) == (["pos-gru"], 0)
    assert (told.pop("runs_going"), told.pop("runs_waiting")) == (0, 0)
    assert set(told) == {"version", "replica"}


def test_the_names_of_visitors_models_and_all_paths_stay_here(own_folders: Path, tiny_checkpoints: Path, fresh_cache: None) -> None:
    own = own_folders / "own"
    own.mkdir()
    (own / "secret-plan.safetensors").write_bytes((tiny_checkpoints / "pos-gru.safetensors").read_bytes())
    loading.checkpoint("secret-plan")
    answer = ask(Condition())
    assert answer.json()["models_of_visitors"] == 1
    assert "secret" not in answer.text
    assert "/" not in answer.text


@pytest.mark.parametrize(
    "asked",
    [
        {"client": "203.0.113.7"},
        {"base": "http://lab.example"},
        {"base": "http://bent.example"},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"Host": "[::1"}},
    ],
    ids=[
        "from elsewhere",
        "by its public name",
        "by a name bent to this address",
        "through a proxy",
        "through another",
        "by no name",
    ],
)
def test_others_hear_only_whether_it_serves(asked: dict[str, Any]) -> None:
    answer = ask(Condition(), **asked)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


def test_a_server_that_stops_says_so() -> None:
    answer = ask(Condition(stopping=True), client="203.0.113.7")
    assert (answer.status_code, answer.json()) == (503, {"status": "stopping"})


def test_a_runs_folder_that_cannot_be_read_is_no_reason_not_to_serve(
    monkeypatch: pytest.MonkeyPatch, own_folders: Path, tmp_path: Path
) -> None:
    (tmp_path / "runs").write_text("no folder")
    assert ask(Condition()).status_code == 200


@pytest.mark.parametrize(("said", "within"), [("websocket.accept", 1), ("websocket.close", 0)], ids=["taken", "refused"])
def test_a_session_is_counted_while_it_is_open(said: str, within: int) -> None:
    seen = []

    async def session(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": said})
        seen.append(condition.sessions)
        raise ConnectionError

    async def nobody(*messages: Any) -> Any: ...

    async def come() -> None:
        await Health(session, condition)({"type": "websocket", "path": STREAM}, nobody, nobody)

    condition = Condition()
    with pytest.raises(ConnectionError):
        run(come)
    assert (seen, condition.sessions) == ([within], 0)


def test_it_answers_while_the_first_page_imports_what_it_needs(own_folders: Path) -> None:
    script = """
import sys, threading
from pages.common import health
health._details(health.Condition())
first = threading.Thread(target=lambda: __import__("pages.common.loading"))
first.start()
answers = 0
while first.is_alive() or not answers:
    health._details(health.Condition())
    answers += 1
print("answered" if answers else "")
"""
    root = Path(__file__).parent.parent
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root)
    assert told.stdout.strip() == "answered", told.stderr


def test_it_imports_no_torch(own_folders: Path) -> None:
    script = """
import sys
from pages.common import health
health._details(health.Condition())
print([name for name in ("torch", "spacy", "pandas") if name in sys.modules])
"""
    root = Path(__file__).parent.parent
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert told.stdout.strip() == "[]"
