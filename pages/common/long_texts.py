"""A text longer than a page can read: what is kept of it, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from seqmodels.text import Unit

_CUT = "-cut"  # in the session's state, behind the key of an input: how long that was of which it keeps a part


def at_most(text: str, most: int, unit: Unit = "word", *, last: bool = False) -> str:
    """As much of a text as a page reads at once: its first words, or its last. With a sentence that says so where there is more."""
    if len(text) <= most:
        return text
    read, count = _excerpt(text, most, unit, last)
    if read != text:
        end, shown = ("last", "and that is what the models read of it") if last else ("first", "and that is what you see")
        about = int(float(f"{count:.3g}"))
        st.caption(
            f":material/content_cut: This page reads at most {most:,} {unit}s at once. Your text has about {about:,}: its {end} "
            f"{most:,} are read, {shown}."
        )
    return read


@st.cache_data(show_spinner=False, max_entries=16)
def _excerpt(text: str, most: int, unit: Unit, last: bool) -> tuple[str, int]:
    from seqmodels.inference import excerpt

    return excerpt(text, most, unit, last=last)


def part(text: str, most: int, *, last: bool = False) -> str:
    """A text of at most so many characters, or the beginning or the end of it."""
    return text if len(text) <= most else text[-most:] if last else text[:most]


def bounded(key: str, most: int, *, last: bool = False, then: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """What an input of text takes besides its key, so that no more than so many characters are kept of what is typed.

    It is cut before anything else sees it: what a session keeps is sent back and forth, and read anew, with every click.
    """
    return {"on_change": _bound, "args": (key, most, last, then)}


def _bound(key: str, most: int, last: bool, then: Callable[[], None]) -> None:
    typed = st.session_state[key] or ""
    st.session_state[key + _CUT] = len(typed)
    if len(typed) > most:
        st.session_state[key] = part(typed, most, last=last)
    then()


def say_cut(key: str, text: str, most: int, *, last: bool = False) -> None:
    """A sentence where a `bounded` input has kept a part of what was typed."""
    had = st.session_state.get(key + _CUT, 0)
    if had > most and len(text) == most:
        end = "last" if last else "first"
        st.caption(f":material/content_cut: You gave {had:,} characters. The {end} {most:,} are kept, and the rest is gone.")
