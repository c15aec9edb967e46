"""Settings as a link: read with care, written as they change, and shown to hand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import streamlit as st

from pages.common import address, inputs

if TYPE_CHECKING:
    from seqmodels.runs.settings import Settings

SETTINGS = "settings"  # of the address: all settings, as the command line takes them
LONGEST = 1000  # steps of a memory task
LARGEST = 10**9  # of a number in a link: a browser cannot hold every one


def asked() -> Mapping[str, Any] | None:
    """What the address asks for where it leads over the form: nothing where it has no settings, or with a note damaged ones."""
    if not address.leads(SETTINGS):
        return None
    text: str | None
    text, _ = address.recall(SETTINGS, None, lambda said: (said[-1], True))
    address.keep(SETTINGS, text)
    from seqmodels.runs.settings import to_flat

    try:
        return {} if text is None else to_flat(read(text))
    except ValueError as problem:
        why = inputs.plain(str(problem))
        st.caption(f":material/link_off: The settings in this link cannot be used, so you see the usual ones: {why}")
        return {}


def read(text: str) -> Settings:
    """The settings that a link holds. ValueError says what is wrong with it."""
    from seqmodels.data import sources
    from seqmodels.runs.settings import from_flat, to_flat

    if len(text) > address.LONGEST:
        raise ValueError(f"the link has {len(text):,} characters: settings need at most {address.LONGEST:,}")
    try:
        parameters = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=100))
    except ValueError:
        raise ValueError("it is cut off or damaged: ask for it once more") from None
    settings = from_flat(parameters)
    known = [source.name for source in sources(settings.task)]
    if settings.data.source not in (None, *known):
        raise ValueError(f"unknown source {settings.data.source!r}: choose one of {', '.join(known)}")
    for name, value in to_flat(settings).items():
        largest = LONGEST if name == "length" else LARGEST
        if isinstance(value, int | float) and abs(value) > largest:
            raise ValueError(f"{name} is {value}: give at most {largest:,}")
    return settings


def write(settings: Settings, usual: Mapping[str, Any]) -> None:
    """The address holds the settings, once they are no longer the usual ones."""
    from seqmodels.runs.settings import to_flat, to_link

    address.keep(SETTINGS, None if to_flat(settings) == usual else urlencode(to_link(settings)))


def share(settings: Settings) -> None:
    """The settings to hand on."""
    from seqmodels.runs.settings import to_link

    text = urlencode(to_link(settings))
    with st.popover("Share these settings", icon=":material/link:", type="tertiary"):
        st.markdown("As a link:")
        here = (st.context.url or "").partition("?")[0]
        st.code(f"{here}?{SETTINGS}={quote(text, safe='')}", language=None, wrap_lines=True)
        st.markdown("The same run without the app:")
        st.code(f"python -m seqmodels run FOLDER --settings '{text}'", language=None, wrap_lines=True)
