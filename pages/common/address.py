"""What the visitor has set, kept over a walk through the pages and carried in their addresses.

Streamlit ties a widget to the address by `bind="query-params"`, but forgets its value on a page that doesn't draw it. So each value
is kept beside its widget with the visit to a page in which it was last drawn; on a new visit the kept value is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import streamlit as st

LONGEST = 6000  # characters of one value after percent-encoding: mail programs and proxies cut longer addresses

_PAGE, _VISIT, _PREFIX = "current-page", "visit", "kept-"  # names in the session's state


@dataclass(frozen=True)
class _Kept:
    value: Any
    visit: int
    pages: frozenset[str]  # the titles of those that have drawn it


def visit(title: str) -> None:
    """A page begins. Coming from another page starts a new visit."""
    state = st.session_state
    if state.get(_PAGE) != title:
        state[_PAGE], state[_VISIT] = title, state.get(_VISIT, 0) + 1


def carried(title: str, reads: Sequence[str]) -> dict[str, Any]:
    """Query parameters for a link to a page: the values it `reads` from other pages, and those that it has itself drawn before."""
    kept = {
        str(key).removeprefix(_PREFIX): entry
        for key, entry in st.session_state.items()
        if isinstance(entry, _Kept) and (title in entry.pages or str(key).removeprefix(_PREFIX) in reads)
    }
    # while the first page of a session is drawn, only its own address knows what is set
    asked = {key: st.query_params.get_all(key) for key in reads if first_time(key)}
    values = asked | {key: _current(key, entry) for key, entry in kept.items()}
    return {key: value for key, value in values.items() if value not in (None, "", []) and fits(value)}


def fits(value: Any) -> bool:
    """Whether a link can carry this value."""
    return len(quote(str(value))) <= LONGEST


def first_time(key: str) -> bool:
    """Whether no page has drawn this widget in this session, so that the address still holds what a link asked for."""
    return _PREFIX + key not in st.session_state


def restore(key: str, first: Any, default: Any, allowed: Callable[[Any], bool]) -> None:
    """Set a widget's value before it is drawn; what the visitor does, and a good value in a fresh address, still win over it.

    `first` is the value where nothing is kept, `default` where what is kept is not allowed on this page.
    """
    entry = st.session_state.get(_PREFIX + key)
    if entry is None:
        st.session_state[key] = first
    else:
        value = _current(key, entry)
        st.session_state[key] = value if value is not None and allowed(value) else default


def keep(key: str, value: Any) -> Any:
    """Remember a widget's value beyond its page."""
    state = st.session_state
    before = state.get(_PREFIX + key)
    pages = before.pages if before else frozenset()
    state[_PREFIX + key] = _Kept(value, state.get(_VISIT, 0), pages | {state.get(_PAGE, "")})
    return value


def kept(key: str) -> Any:
    """The value last kept under this key, or None."""
    entry = st.session_state.get(_PREFIX + key)
    return None if entry is None else entry.value


def put(values: Mapping[str, Any]) -> None:
    """Set inputs by their keys, whether or not this page has drawn them yet. Only between two runs: in a callback."""
    for key, value in values.items():
        if key not in st.session_state:  # Streamlit tells the address of a widget's change, but not of a value it is born with
            st.query_params[key] = value
        st.session_state[key] = keep(key, value)


def open_page(path: str, values: Mapping[str, Any]) -> None:
    """Go to another page with these of its inputs set, by their keys: what the visitor had set there gives way."""
    for key, value in values.items():
        before = st.session_state.get(_PREFIX + key)
        st.session_state[_PREFIX + key] = _Kept(value, -1, before.pages if before else frozenset())
    # Streamlit itself tells the address of what this page has drawn, and lets no one else
    st.switch_page(path, query_params={key: value for key, value in values.items() if key not in st.session_state})


def holds(values: Mapping[str, Any]) -> bool:
    """Whether all of these inputs, once drawn, have these values."""
    return all(kept(key) == value for key, value in values.items())


def _current(key: str, entry: _Kept) -> Any:
    """The widget's value if this visit has drawn it, else the one kept: by then the widget's may be older."""
    same = entry.visit == st.session_state.get(_VISIT, 0)
    return st.session_state.get(key, entry.value) if same else entry.value
