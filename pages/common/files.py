"""Files that the visitor brings. An address can't hold one, so the session does."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from pages.common.inputs import plain
from seqmodels.environment import environment

_PREFIX = "file-"  # in the session's state, before the key of an input: the file that it was given


@dataclass(frozen=True)
class File:
    """A file that the visitor has brought."""

    name: str
    content: bytes


def largest(megabytes: float) -> int:
    """The most megabytes of a file that an input takes: no more than the server does."""
    return max(1, int(min(megabytes, st.get_option("server.maxUploadSize"))))


def choose(label: str, *, key: str, help: str | None = None) -> File | None:
    """A corpus file that the visitor brings. It stays for the session, on other pages too, until removed."""
    most = largest(environment().upload_mb)
    uploaded = st.file_uploader(label, key=key, help=help, max_upload_size=most, on_change=_take, args=(key,))
    say_lost(key)
    found = kept(key)
    if found is not None and uploaded is None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f":material/draft: {plain(found.name)}", width="content")
            name, icon = f"{_PREFIX}{key}-remove", ":material/close:"
            st.button("Remove the file", key=name, icon=icon, type="tertiary", on_click=_drop, args=(key,))
    return found


def say_lost(key: str) -> None:
    """A sentence where the browser has sent a file to this input, and the server does not hold it."""
    if isinstance(st.session_state.get(key), DeletedFile):
        most = environment().uploads_mb
        st.warning(
            f"The server holds as many files as it can, {most:g} MB, and this one is not among them: remove it above, and choose "
            "it again in a few minutes."
        )


def kept(key: str) -> File | None:
    """The file that the visitor has brought under this key, whether or not its input is on screen."""
    found: File | None = st.session_state.get(_PREFIX + key)
    return found


def text(label: str, *, key: str, help: str | None = None) -> str | None:
    """The text of a file that the visitor brings, or None with a note on what to do. A link can't hold it."""
    found = choose(label, key=key, help=help)
    if found is None:
        return None
    from seqmodels.corpora import CorpusError, open_upload

    try:
        return open_upload(found.content, found.name).text
    except CorpusError as problem:
        st.info(f"{plain(str(problem))}.")
        return None


def _take(key: str) -> None:
    """The visitor has chosen a file, or has taken it away."""
    uploaded = st.session_state[key]
    _drop(key)
    if isinstance(uploaded, UploadedFile):
        st.session_state[_PREFIX + key] = File(uploaded.name, uploaded.getvalue())


def _drop(key: str) -> None:
    st.session_state.pop(_PREFIX + key, None)
