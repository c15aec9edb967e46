"""What the app's server adds to Streamlit's: headers, host names, a visitor's cookie. Asked in memory, without a port."""

from __future__ import annotations

from http.cookies import SimpleCookie

import httpx
import pytest
from anyio import run
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pages.common.server import FORGET, HEADERS, POLICY, PRIVATE, VISITOR, Protection, forget


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


def test_to_be_forgotten_is_a_new_secret_and_no_other_site_can_ask_for_it() -> None:
    mine = {"cookie": f"{VISITOR}=mine"}
    assert visitor(ask(FORGET, {**mine, "sec-fetch-site": "same-origin"})) not in (None, "mine")
    refused = ask(FORGET, {**mine, "sec-fetch-site": "cross-site"})
    assert (refused.status_code, visitor(refused)) == (403, None)


def test_the_metrics_are_for_nobody() -> None:
    assert [ask(path).status_code for path in (PRIVATE, f"{PRIVATE}/")] == [404, 404]
