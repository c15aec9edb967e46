"""A proxy between the browser and the app that drops its connections: what is on screen stays, and the next change is answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driver import settle, type_into, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


class Relay:
    """Hands on what comes to a port of this machine to another, both ways, until it is told to drop all connections."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self) -> None:
        """End every connection, as a proxy does that is restarted."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.close()
        self.drop()

    def _accept(self) -> None:
        with suppress(OSError):  # until it is closed
            while True:
                here, _ = self._listening.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                self._ends += (here, there)
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._hand_on, args=(one, other), daemon=True).start()

    def _hand_on(self, one: socket.socket, other: socket.socket) -> None:
        with closing(one), suppress(OSError):
            while content := one.recv(1 << 16):
                other.sendall(content)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def relay(address: str) -> Iterator[Relay]:
    port = urlsplit(address).port
    assert port is not None
    with closing(Relay(port)) as made:
        yield made


@pytest.mark.thorough
def test_what_is_on_screen_stays_when_the_connection_is_dropped_and_the_next_change_is_answered(page: Page, relay: Relay) -> None:
    visit(page, f"{relay.address}/Tagging")
    text, answer = page.get_by_label("Your text", exact=True), page.locator(".st-key-answer")
    for word in ("Ducks", "Geese", "Swans"):
        type_into(page, "Your text", f"{word} swim quietly.")
        expect(answer).to_contain_text(word)
        with page.expect_websocket():  # which the browser opens anew
            relay.drop()
        expect(text).to_have_value(f"{word} swim quietly.")
        expect(answer).to_contain_text(word)
        settle(page)
        expect(text).to_have_value(f"{word} swim quietly.")
        expect(answer).to_contain_text(word)
