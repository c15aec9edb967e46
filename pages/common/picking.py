"""Clicks on the pictures: what they hit becomes the selection."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.common import address, page

_KEY = "gates-pictures"

_pictures = st.components.v2.component(
    "seqmodels_pictures", html="<span hidden></span>", js=page.script("pictures"), isolate_styles=False
)


def listen(select: Callable[[int], None]) -> None:
    """Let a click on any picture select the word, by its position, and the unit that it hits. Draw it once on a page."""

    def clicked() -> None:
        found = st.session_state[_KEY].picked or {}
        if (token := found.get("token")) is not None:
            select(int(token))
        if (unit := found.get("unit")) is not None:
            address.put({"unit": int(unit)})

    _pictures(key=_KEY, on_picked_change=clicked)
