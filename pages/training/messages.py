"""What the last click did, or why it could not: kept in mind by the click, shown once where the page is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.common import inputs, page

_PREFIX = "training-message-"  # of names in the session's state


def attempt(place: str, act: Callable[[], object], success: str = "") -> bool:
    """Do it, and keep in mind why it cannot be done, or that it was; whether it was done."""
    try:
        act()
    except Exception as problem:
        st.session_state[_PREFIX + place] = (page.explain(problem), False)
        return False
    st.session_state[_PREFIX + place] = (success, True)
    return True


def show(place: str) -> None:
    """What happened there, if anything did."""
    message, done = st.session_state.pop(_PREFIX + place, ("", True))
    if message and done:
        st.success(message)
    elif message:
        st.warning(inputs.plain(message))
