"""Why the last click did not do what it should: kept in mind by the click, told once where the page is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.common import inputs

_PREFIX = "training-problem-"  # of names in the session's state


def attempt(place: str, act: Callable[[], object]) -> bool:
    """Do it, or keep in mind why it cannot be done; whether it was done."""
    try:
        act()
    except ValueError as problem:
        st.session_state[_PREFIX + place] = inputs.as_sentence(problem)
        return False
    return True


def tell(place: str) -> None:
    """What went wrong there, if anything did."""
    problem = st.session_state.pop(_PREFIX + place, None)
    if problem:
        st.warning(inputs.plain(problem))
