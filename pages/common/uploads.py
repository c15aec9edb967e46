"""Files that visitors bring are held in memory: of one session the newest, and of all together no more than there is room for.

Streamlit itself keeps each until its session ends, also those that no input holds any more.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from seqmodels import journal
from seqmodels.environment import environment

PLACE = "/_stcore/upload_file/"  # before the session's id and the file's
EACH = 4  # files of one session: more than the inputs of a page
_MB = 2**20


class Uploads:
    """`held` are the files in memory, where the server runs."""

    def __init__(self, app: ASGIApp, held: Callable[[], MemoryUploadedFileManager]) -> None:
        self._app, self._held = app, held
        self._coming = 0  # bytes of those that are being received

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or not scope["path"].startswith(PLACE):
            return await self._app(scope, receive, send)
        held, size = self._held(), _size(scope)

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                journal.note("upload_refused", status=message["status"], bytes=size)
            await send(message)

        most = environment().uploads_mb * _MB
        if _weight(held) + self._coming + size > most:
            journal.note("upload_refused", status=507, bytes=size)
            # a browser shows no more of a refusal than its number: the page finds that the file is not there, and says so
            return await Response(status_code=204)(scope, receive, send)
        self._coming += size
        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._coming -= size
        session = scope["path"].removeprefix(PLACE).partition("/")[0]
        for old in list(held.file_storage.get(session, ()))[:-EACH]:
            held.remove_file(session, old)
        return None


def _weight(held: MemoryUploadedFileManager) -> int:
    return sum(len(file.data) for files in list(held.file_storage.values()) for file in list(files.values()))


def _size(scope: Scope) -> int:
    """The bytes that come; where that is not said, the most that may."""
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() else int(config.get_option("server.maxUploadSize")) * _MB
