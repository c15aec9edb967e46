"""A visitor without a browser, who speaks Streamlit's websocket protocol: a crowd of them costs little."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from seqmodels.installation import LOOPBACK

LARGEST = 64 * 2**20  # bytes of a message
_FIELDS = {  # of a widget's state, by the kind of the widget
    "text_area": "string_value",
    "text_input": "string_value",
    "selectbox": "string_value",
    "button": "trigger_value",
    "checkbox": "bool_value",
    "slider": "double_array_value",
    "button_group": "string_array_value",
}


@dataclass
class Seen:
    """What the page has sent since its script, or that of a fragment of it, began."""

    widgets: dict[str, tuple[str, Any]] = field(default_factory=dict)  # kind and protobuf by id
    fragments: dict[str, str] = field(default_factory=dict)  # of these, those that stand in one
    elements: Counter[str] = field(default_factory=Counter)  # by their kinds
    exceptions: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    bytes: int = 0


class Visitor:
    """One tab of a browser. Only on this machine: an address elsewhere is a ValueError.

    async with Visitor(address) as visitor:
        await visitor.open("Tagging", "task=Entities")
        await visitor.type("Ada Lovelace met Charles Babbage.")
    """

    def __init__(self, address: str, *, patience: float = 60.0, cookie: str = "") -> None:
        parts = urlsplit(address)
        if parts.hostname not in LOOPBACK:
            raise ValueError(f"{address} is not on this machine: a crowd of visitors is for a server of one's own")
        self.seen = Seen()
        self.cookie = cookie
        self._at, self._patience = parts.netloc, patience
        self._states: dict[str, tuple[str, Any]] = {}  # a browser sends all that it holds with each rerun
        self.page = self.query = ""  # of the address, percent-encoded
        self._script = ""
        self._kept: dict[str, Any] = {}  # large parts by their hash, as a browser keeps them: the server names them from then on
        self._line: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._line = await connect(
            f"ws://{self._at}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            additional_headers={"Cookie": self.cookie} if self.cookie else None,
            max_size=LARGEST,
            open_timeout=self._patience,
            close_timeout=2,
            ping_interval=None,
            compression=None,
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the tab."""
        if self._line is not None:
            await self._line.close()

    async def open(self, page: str = "", query: str = "") -> None:
        """Open a page by its address, and wait until it stands there."""
        self._states, self.page, self.query, self._script = {}, page, query, ""
        await self._rerun()

    async def type(self, text: str, key: str = "text", *, wait: bool = True) -> None:
        """Put a text into the field with this key, and wait for the answer unless one does not care for it."""
        await self.set(key, text, wait=wait)

    async def set(self, key: str, value: Any, *, wait: bool = True) -> None:
        """Set the widget with this key, and wait for the answer unless one does not care for it."""
        ident, kind = self._find(key)
        self._states[ident] = _FIELDS[kind], value
        await self._rerun(self.seen.fragments.get(ident, ""), wait=wait)

    async def press(self, key: str, *, wait: bool = True) -> None:
        """Press the button with this key, and wait for the answer unless one does not care for it."""
        ident, kind = self._find(key)
        self._states[ident] = _FIELDS[kind], True
        try:
            await self._rerun(self.seen.fragments.get(ident, ""), wait=wait)
        finally:
            del self._states[ident]

    def _find(self, key: str) -> tuple[str, str]:
        for ident, (kind, _) in self.seen.widgets.items():
            if ident.endswith(f"-{key}"):
                return ident, kind
        raise LookupError(f"no widget with the key {key!r} among {sorted(self.seen.widgets)}")

    async def _rerun(self, fragment: str = "", *, wait: bool = True) -> None:
        assert self._line is not None, "a visitor comes in by `async with`"
        self.seen = Seen(self.seen.widgets, self.seen.fragments) if fragment else Seen()  # the page around a fragment stays
        await self._line.send(self._asked(fragment).SerializeToString())
        deadline = time.monotonic() + self._patience
        while wait:
            raw = await asyncio.wait_for(self._line.recv(), max(0.01, deadline - time.monotonic()))
            assert isinstance(raw, bytes)
            wait = not self._take(raw)

    def _asked(self, fragment: str) -> BackMsg:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self.query, self.page, self._script
        state.fragment_id = fragment
        state.cached_message_hashes.extend(self._kept)
        state.context_info.url = f"http://{self._at}/{self.page}"
        state.context_info.timezone, state.context_info.locale = "Europe/Berlin", "en"
        for ident, (name, value) in self._states.items():
            widget = state.widget_states.widgets.add()
            widget.id = ident
            if name.endswith("array_value"):
                getattr(widget, name).data.extend(value)
            else:
                setattr(widget, name, value)
        return message

    def _take(self, raw: bytes) -> bool:
        """Note what a message brings; whether the script is through."""
        message = ForwardMsg.FromString(raw)
        self.seen.bytes += len(raw)
        kind = message.WhichOneof("type")
        if kind == "script_finished":
            return message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        if kind == "new_session":
            self._script = message.new_session.page_script_hash
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "page_not_found":
            self.seen.exceptions.append("page not found")
        elif kind == "ref_hash":
            self._note(self._kept[message.ref_hash])
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._note(message.delta)
            if message.metadata.cacheable:
                self._kept[message.hash] = message.delta
        return False

    def _note(self, delta: Any) -> None:
        kind = delta.new_element.WhichOneof("type")
        element = getattr(delta.new_element, kind)
        self.seen.elements[kind] += 1
        if kind == "exception":
            self.seen.exceptions.append(f"{element.type}: {element.message}"[:400])
        elif kind == "alert":
            self.seen.alerts.append(element.body)
        elif kind == "html":
            self.seen.html.append(element.body)
        if getattr(element, "id", ""):
            self.seen.widgets[element.id] = kind, element
            if delta.fragment_id:
                self.seen.fragments[element.id] = delta.fragment_id
