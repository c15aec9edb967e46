"""What the app's server adds to Streamlit's: headers, host names, a visitor's cookie. Asked in memory, without a port."""

from __future__ import annotations

import tomllib
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from anyio import run
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server.starlette.starlette_routes import create_upload_routes

from pages.common import files, server
from pages.common.server import FORGET, HEADERS, POLICY, PRIVATE, VISITOR, Protection, forget
from pages.common.uploads import EACH, PLACE, Uploads
from seqmodels import journal
from seqmodels.cli import main
from seqmodels.environment import Environment, environment
from seqmodels.installation import LOOPBACK
from tests.paging import APP


def page(request: Request) -> Response:
    return HTMLResponse("<p>Hello</p>")


def data(request: Request) -> Response:
    return JSONResponse({})


def ask(path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    app = Protection(Starlette(routes=[Route("/", page), Route("/data", data), Route(PRIVATE, data), Route(FORGET, forget)]))

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.example") as client:
            return await client.get(path, headers=headers)

    return run(answer)


def visitor(response: httpx.Response) -> str | None:
    found = SimpleCookie(response.headers.get("set-cookie", ""))
    return found[VISITOR].value if VISITOR in found else None


@pytest.mark.parametrize("path", ["/", "/data", "/missing", PRIVATE, FORGET])
def test_every_response_has_the_security_headers(path: str) -> None:
    answer = ask(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_no_script_from_elsewhere_and_none_in_a_page_is_allowed() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert "'unsafe-inline'" not in rules["script-src"]
    assert "'unsafe-eval'" not in rules["script-src"]
    assert not any("//" in rule or rule == "*" for rule in rules.values())
    assert rules["frame-ancestors"] == "'self'"


def test_a_document_brings_a_secret_once_that_no_script_can_read() -> None:
    first, second = ask("/"), ask("/")
    assert visitor(first) != visitor(second)
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert visitor(ask("/data")) is None
    assert visitor(ask("/", {"cookie": f"{VISITOR}={visitor(first)}"})) is None


@pytest.mark.parametrize("other", ["a/b=1", "theme", '{"a": 1}=2', "path=/x", 'open="x', "a b=c"])
def test_a_visitor_stays_known_whatever_cookies_other_apps_of_the_host_have_set(other: str) -> None:
    for cookie in (f"{VISITOR}=mine; {other}", f"{other}; {VISITOR}=mine"):
        answer = ask("/", {"cookie": cookie})
        assert (answer.status_code, visitor(answer)) == (200, None)
    assert visitor(ask("/", {"cookie": other})) is not None


def test_to_be_forgotten_is_a_new_secret_and_no_other_site_can_ask_for_it() -> None:
    mine = {"cookie": f"{VISITOR}=mine"}
    assert visitor(ask(FORGET, {**mine, "sec-fetch-site": "same-origin"})) not in (None, "mine")
    refused = ask(FORGET, {**mine, "sec-fetch-site": "cross-site"})
    assert (refused.status_code, visitor(refused)) == (403, None)


def test_the_metrics_are_for_nobody() -> None:
    assert [ask(path).status_code for path in (PRIVATE, f"{PRIVATE}/")] == [404, 404]


def test_of_uploads_a_session_keeps_the_newest_and_all_together_have_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEQMODELS_UPLOADS_MB", "1")
    monkeypatch.setattr("streamlit.web.server.starlette.starlette_routes.is_xsrf_enabled", lambda: False)
    held = MemoryUploadedFileManager(PLACE)
    runtime: Any = SimpleNamespace(is_active_session=lambda session: True)
    app = Uploads(Starlette(routes=create_upload_routes(runtime, held, None)), lambda: held)

    async def bring(session: str, *sizes: int) -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.example") as client:
            files = [(f"{PLACE}{session}/{number}", {"file": ("a.txt", b"x" * size)}) for number, size in enumerate(sizes)]
            return [(await client.put(path, files=file)).status_code for path, file in files]

    assert run(bring, "one", *range(100_000, 100_010)) == [204] * 10
    assert [len(file.data) for file in held.file_storage["one"].values()] == list(range(100_010 - EACH, 100_010))
    noted: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(journal, "note", lambda event, **fields: noted.append((event, fields)))
    assert run(bring, "another", 400_000, 400_000, 1000) == [204, 204, 204]
    assert [len(file.data) for file in held.file_storage["another"].values()] == [400_000, 1000], (
        "the page says that one is not here"
    )
    assert [(event, fields["status"]) for event, fields in noted] == [("upload_refused", 507)]
    assert len(held.file_storage["one"]) == EACH  # nobody's go for another's


@pytest.mark.parametrize(
    ("options", "variables", "names", "single"),
    [
        ([], {}, LOOPBACK, True),
        (["--host", "127.0.0.1"], {"SEQMODELS_SINGLE_USER": "0"}, LOOPBACK, False),
        (["--host", "0.0.0.0"], {}, ("*",), False),
        (["--host", "0.0.0.0"], {"SEQMODELS_HOSTS": "lab.example, *.school.example"}, ("lab.example", "*.school.example"), False),
        (["--host", "0.0.0.0"], {"SEQMODELS_SINGLE_USER": "1"}, ("*",), True),
    ],
    ids=["at home", "at home, as if many came", "open", "open, by name", "open, and trusting"],
)
def test_only_an_app_for_this_machine_alone_is_a_single_users(
    options: list[str],
    variables: dict[str, str],
    names: tuple[str, ...],
    single: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    served: list[tuple[str, tuple[str, ...], bool]] = []
    monkeypatch.setattr(
        server, "run", lambda _, port, host, hosts, stop_runs: served.append((host, tuple(hosts), environment().single_user))
    )
    for name in ("SEQMODELS_HOSTS", "SEQMODELS_SINGLE_USER"):
        monkeypatch.setenv(name, variables.get(name, ""))
        if name not in variables:
            monkeypatch.delenv(name)
    assert main(["app", *options]) == 0
    assert served == [(options[-1] if options else "localhost", names, single)]
    assert ("everyone may command every run" in capsys.readouterr().err) == (single and "0.0.0.0" in options)


def test_an_app_with_a_wrong_variable_does_not_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(server, "run", lambda *_: pytest.fail("it was started"))
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "0")
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "-1")
    assert main(["app"]) == 2
    assert "SEQMODELS_RUN_MINUTES is '-1'" in capsys.readouterr().err


def test_the_server_takes_the_largest_file_that_an_input_does(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, object] = {}
    monkeypatch.setattr(server, "keep_theme", lambda: None)  # it is kept in this process, for whatever test comes next
    monkeypatch.setattr(server.st.App, "run", lambda self, config: told.update(config))
    monkeypatch.setenv("SEQMODELS_CHECKPOINT_MB", "70.5")
    monkeypatch.setenv("SEQMODELS_UPLOAD_MB", "9")
    server.run(APP, 8501, "localhost", LOOPBACK)
    assert told["server.maxUploadSize"] == 71
    by_hand = tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text())["server"]["maxUploadSize"]
    limits = Environment.model_fields
    assert by_hand == max(limits["checkpoint_mb"].default, limits["upload_mb"].default), "what `streamlit run app.py` takes"
    assert max(path.stat().st_size for path in (APP.parent / "checkpoints").glob("*.safetensors")) < by_hand * 2**20
    monkeypatch.setattr(files.st, "get_option", lambda name: told[name])
    assert (files.largest(environment().checkpoint_mb), files.largest(9), files.largest(0.2)) == (70, 9, 1)


def test_the_theme_that_is_kept_is_what_streamlit_works_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    work_out = app_session._populate_theme_msg

    def counted(message: CustomThemeConfig, section: str = "theme") -> None:
        asked.append(section)
        work_out(message, section)

    def theme() -> CustomThemeConfig:
        """As the session of a visitor has it filled."""
        message = CustomThemeConfig()
        app_session._populate_theme_msg(message)
        for part, section in ((message.light, "light"), (message.dark, "dark"), (message.light.sidebar, "light.sidebar")):
            app_session._populate_theme_msg(part, f"theme.{section}")
        return message

    monkeypatch.setattr(app_session, "_populate_theme_msg", counted)
    before = theme()
    assert before.HasField("light")
    assert not before.light.HasField("sidebar")
    asked.clear()
    server.keep_theme()
    assert [theme(), theme()] == [before, before]
    assert len(asked) == len(set(asked)) == 4, "each part once"
