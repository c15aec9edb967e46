"""The app's style: a sheet for every page, and one for each mode of a page, which is there only in that mode.

A rule that asks from the root of the document for the mode, by `:root:has(...)`, has a browser look at the whole page again
whenever anything is added to it: a tenth of a second for each text that a picture measures.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from seqmodels.viz import style

_FOLDER = Path(__file__).parent / "styles"


@cache
def sheet(name: str) -> str:
    """The `<style>` element of one."""
    return style.tag((_FOLDER / f"{name}.css").read_text(encoding="utf-8"))


def enter(mode: str) -> None:
    """Draw the page by this mode's sheet too, until something else is drawn in its place."""
    st.html(f'{sheet(mode)}<div class="{mode}"></div>')
