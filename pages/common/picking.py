"""Clicks on the pictures, and what they hit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from pages.common import address, page

_pictures = st.components.v2.component(
    "seqmodels_pictures", html="<span hidden></span>", js=page.script("pictures"), isolate_styles=False
)


def listen(select: Callable[[int], None]) -> None:
    """Let a click on any picture select the word, by its position, and the unit that it hits. Draw it once on a page."""

    def picked(found: Mapping[str, int]) -> None:
        if (token := found.get("token")) is not None:
            select(token)
        if (unit := found.get("unit")) is not None:
            address.put({"unit": unit})

    hand_over(picked, of="gates")


def hand_over(picked: Callable[[Mapping[str, int]], None], *, of: str) -> None:
    """Let a click on any picture hand over the numbers of what it hits, by their names (`viz.figure.picks`). Once on a page."""
    key = f"{of}-pictures"

    def clicked() -> None:
        picked({name: int(number) for name, number in (st.session_state[key].picked or {}).items()})

    _pictures(key=key, on_picked_change=clicked)
