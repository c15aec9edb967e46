"""/healthz: whether this server can serve, for a proxy; and what it holds, for whoever asks on this machine itself."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqmodels import journal
from seqmodels.environment import environment
from seqmodels.installation import HEALTHZ, LOOPBACK, version

STREAM = "/_stcore/stream"  # the websocket of a session
LOADING = "pages.common.loading"
_HANDED_ON = ("forwarded", "x-forwarded-for")  # headers of a request that a proxy has taken from elsewhere


@dataclass
class Condition:
    """Of this server."""

    stopping: bool = False
    sessions: int = 0  # websockets that are open
    began: float = field(default_factory=time.monotonic)


class Health:
    """Answers HEALTHZ, whichever name of a host it is asked under, and counts the sessions."""

    def __init__(self, app: ASGIApp, condition: Condition) -> None:
        self._app, self._condition = app, condition

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == HEALTHZ:
            return await (await self._answer(HTTPConnection(scope)))(scope, receive, send)
        if scope["type"] == "websocket" and scope["path"] == STREAM:
            return await self._count(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _answer(self, request: HTTPConnection) -> JSONResponse:
        known = {"status": "stopping" if self._condition.stopping else "ok"}
        if _asked_here(request):
            known |= await run_in_threadpool(_details, self._condition)
        return JSONResponse(known, 503 if self._condition.stopping else 200, {"cache-control": "no-store"})

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        opened: float | None = None

        async def send_counted(message: Message) -> None:
            nonlocal opened
            if message["type"] == "websocket.accept" and opened is None:
                opened = time.monotonic()
                self._condition.sessions += 1
                journal.note("session_opened", sessions=self._condition.sessions)
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            if opened is not None:
                self._condition.sessions -= 1
                seconds = round(time.monotonic() - opened, 1)
                journal.note("session_closed", sessions=self._condition.sessions, seconds=seconds)


def _asked_here(request: HTTPConnection) -> bool:
    """Whether someone on this machine asks, and neither a proxy for others nor a page whose name was bent to this address."""
    host = ""
    with suppress(ValueError):
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    near = request.client is not None and request.client.host in LOOPBACK
    return near and host in LOOPBACK and not any(name in request.headers for name in _HANDED_ON)


def _details(condition: Condition) -> dict[str, Any]:
    """What is loaded and who is here, in numbers and in names of ours."""
    from seqmodels.runs import store

    # no page has asked for a model as long as it is not there; where a page is just about to import it, its end is waited for
    shipped, others = import_module(LOADING).in_memory() if LOADING in sys.modules else ([], 0)
    known = {
        "version": version(),
        "replica": environment().replica,
        "uptime_seconds": round(time.monotonic() - condition.began, 1),
        "models": shipped,
        "models_of_visitors": others,
        "sessions": condition.sessions,
    }
    with suppress(OSError):  # a runs folder that cannot be read keeps nobody from serving pages
        known["runs_going"], known["runs_waiting"] = store.going(), len(store.queue().waiting())
    return known
