"""The app's web server: Streamlit's own, with the headers, host names and cookie that a server open to others needs.

`streamlit run app.py` works as well, without these.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import re
import secrets
import signal
import sys
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from types import FrameType
from typing import Any

import streamlit as st
import streamlit.logger
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session, get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from pages.common import loading
from pages.common.health import Condition, Health
from pages.common.reconnecting import Reconnecting
from pages.common.uploads import Uploads
from seqmodels import journal
from seqmodels.environment import environment
from seqmodels.installation import version


def _inline_scripts() -> str:
    """The hashes of the scripts that stand in Streamlit's own document, by which a policy allows just those."""
    document = Path(st.__file__).parent / "static" / "index.html"
    found = re.findall(r"<script>(.*?)</script>", document.read_text("utf-8"), re.DOTALL)
    return " ".join(f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in found)


# Streamlit's pages are of its own scripts, and of styles and a few modules that it makes as it runs; none come from elsewhere
POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' {_inline_scripts()} 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",  # for browsers that don't know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PRIVATE = "/_stcore/metrics"  # counts of sessions and caches, for nobody but who runs the server
VISITOR = "seqmodels_visitor"  # the cookie whose secret makes the runs started in a browser its own
FORGET = "/forget"
SWEEP = 15  # seconds between two looks for sessions that have ended
_YEAR = 365 * 24 * 3600


def run(script: Path, port: int, address: str, hosts: Sequence[str], *, stop_runs: bool = False) -> None:
    """Serve the script until Ctrl-C or SIGTERM. `hosts` are the names under which it may be asked for; "*" is any.

    With `stop_runs` the runs are asked to save and to end before; else they outlive the server.
    """
    sys.argv = [str(script)]  # what Streamlit takes for the main script, beside which it finds its configuration
    keep_theme()
    condition = Condition()
    middleware = [
        Middleware(Health, condition=condition),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(Protection),
        Middleware(Uploads, held=_held),
        Middleware(Reconnecting),
    ]
    app = st.App(
        script,
        routes=[Route(FORGET, forget)],
        middleware=middleware,
        lifespan=_life(condition, port, stop_runs),
        on_script_error=journal.failed,
    )
    found = environment()
    most = math.ceil(max(found.upload_mb, found.checkpoint_mb))  # each input says how much of it is for its files
    app.run(
        config={
            "server.port": port,
            "server.address": address,
            "server.allowedHosts": list(hosts),
            "server.maxUploadSize": most,
        }
    )


def keep_theme() -> None:
    """Have Streamlit work out the theme that it sends with each run of a page once: it is a twentieth of a click on any page."""
    work_out = app_session._populate_theme_msg

    @cache
    def theme_of(section: str) -> CustomThemeConfig:
        theme = CustomThemeConfig()
        work_out(theme, section)
        return theme

    def populate(msg: CustomThemeConfig, section: str = "theme") -> None:
        if theme_of(section).ListFields():  # else the message would have an empty part, where Streamlit sends none
            msg.MergeFrom(theme_of(section))

    app_session._populate_theme_msg = populate


def _life(condition: Condition, port: int, stop_runs: bool) -> Callable[[st.App], AbstractAsyncContextManager[None]]:
    """What is done when the server has begun, and at its end."""

    @asynccontextmanager
    async def life(_: st.App) -> AsyncIterator[None]:
        if journal.is_open():
            _write_lines()
        if threading.current_thread() is threading.main_thread():  # where signals are heard
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, _ending(condition, stop_runs, signal.getsignal(number)))
        journal.note("started", version=version(), port=port)
        sweeping = asyncio.create_task(_sweep())
        warming = asyncio.get_running_loop().run_in_executor(None, loading.warm_up)  # before the first visitor asks for it
        yield
        sweeping.cancel()
        await warming
        journal.note("stopped")

    return life


async def _sweep() -> None:
    """End the sessions of visitors who left long enough ago.

    Streamlit itself does so only when the next one leaves: a server that nobody visits would hold the texts, files and descriptors
    of the last crowd for as long as nobody does.
    """
    while True:
        await asyncio.sleep(SWEEP)
        manager: Any = get_instance()._session_mgr
        manager._session_storage._cache.expire()


def _ending(condition: Condition, stop_runs: bool, end: Any) -> Callable[[int, FrameType | None], None]:
    """A handler of signals: it has the runs save before the web server's own handler ends it. Asked twice, it ends at once."""
    loop = asyncio.get_running_loop()

    async def interrupted(number: int, frame: FrameType | None) -> None:
        from seqmodels.runs import interrupt_all

        try:
            journal.note("runs_interrupted", runs=await run_in_threadpool(interrupt_all))
        finally:
            end(number, frame)

    def handle(number: int, frame: FrameType | None) -> None:
        again, condition.stopping = condition.stopping, True
        if not again:
            journal.note("stopping", signal=signal.Signals(number).name)
        if again or not stop_runs:
            end(number, frame)
        else:
            loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(interrupted(number, frame))))

    tasks: list[asyncio.Task[None]] = []  # a task that nobody holds may be collected
    return handle


def _write_lines() -> None:
    """Have what Streamlit and the web server log written as lines. Streamlit gives each of its loggers a handler, later too."""

    def plain(logger: logging.Logger) -> None:
        logger.handlers.clear()
        logger.propagate = True

    streamlit.logger.setup_formatter = plain
    journal.take_in("streamlit", "uvicorn", "websockets")


def _held() -> MemoryUploadedFileManager:
    held = get_instance().uploaded_file_mgr
    assert isinstance(held, MemoryUploadedFileManager)
    return held


class Protection:
    """Security headers on every response, the visitor's cookie with every document, and no answer where nobody is to look."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if scope["path"].rstrip("/") == PRIVATE:
            return await PlainTextResponse("not found", 404, HEADERS)(scope, receive, send)
        known = VISITOR in HTTPConnection(scope).cookies  # read as the pages do: other apps of this host set cookies of any kind

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if not known and headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", _cookie(scope, secrets.token_urlsafe(24)))
            await send(message)

        return await self._app(scope, receive, send_protected)


async def forget(request: Request) -> Response:
    """Let this browser be another visitor from now on. Only a link on our own pages may ask for it."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return PlainTextResponse("This works from a page of the app only.", 403)
    response = RedirectResponse("Training", 303)
    response.headers.append("set-cookie", _cookie(request.scope, secrets.token_urlsafe(24)))
    return response


def _cookie(scope: Scope, value: str) -> str:
    """The header that sets it. No script can read it, and no other site can have it sent along."""
    cookie = SimpleCookie({VISITOR: value})
    cookie[VISITOR].update(
        {"path": "/", "max-age": _YEAR, "httponly": True, "samesite": "Lax", "secure": scope["scheme"] == "https"}
    )
    return cookie[VISITOR].OutputString()
