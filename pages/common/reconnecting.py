"""A browser that has lost its server asks the next one, or that one started anew, for a part of a page that it has never drawn.

Streamlit drops what is asked of a fragment that a session does not know, with the text that it brings.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.common.health import STREAM

LARGEST = 1000  # bytes of a message that says that a run has ended, of which it takes some eighty


class Reconnecting:
    """Until a connection has brought a whole page, what a visitor asks of a fragment is asked of the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or scope["path"] != STREAM:
            return await self._app(scope, receive, send)
        drawn = False

        async def receive_whole() -> Message:
            message = await receive()
            if not drawn and message.get("bytes"):
                message["bytes"] = of_the_page(message["bytes"])
            return message

        async def send_noted(message: Message) -> None:
            nonlocal drawn
            sent = message.get("bytes") or b""
            drawn = drawn or (0 < len(sent) < LARGEST and ends_a_page(sent))
            await send(message)

        return await self._app(scope, receive_whole, send_noted)


def of_the_page(raw: bytes) -> bytes:
    """A message of the browser, where it asks to draw a fragment as one that asks for all; not where it does so by the clock."""
    try:
        message = BackMsg.FromString(raw)
    except DecodeError:  # anyone can send anything: Streamlit says so
        return raw
    asked = message.rerun_script
    if not message.HasField("rerun_script") or not asked.fragment_id or asked.is_auto_rerun:
        return raw
    asked.fragment_id = ""
    return message.SerializeToString()


def ends_a_page(raw: bytes) -> bool:
    """Whether a message of the server says that a run of a whole page has come to its end."""
    message = ForwardMsg.FromString(raw)
    return message.WhichOneof("type") == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
