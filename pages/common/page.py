"""What every page begins with: its title, the menu and the style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.common import address, loading
from seqmodels.viz import style
from seqmodels.viz.palette import Theme


@dataclass(frozen=True)
class Page:
    """A line of the menu."""

    path: str
    title: str
    icon: str
    summary: str
    reads: tuple[str, ...] = ()  # what it shares with other pages: keys of inputs


_SENTENCE = ("text", "task", "cells")
PAGES = (
    Page("app.py", "Overview", ":material/home:", "What this is, and the one law behind every cell."),
    Page(
        "pages/1_Tagging.py",
        "Tagging",
        ":material/sell:",
        "Parts of speech and entities in your own text, cell beside cell.",
        _SENTENCE,
    ),
    Page(
        "pages/2_Language_model.py",
        "Language model",
        ":material/notes:",
        "Continue a text word by word, and see what surprises it.",
        ("cells",),
    ),
    Page("pages/3_Gates.py", "Gates", ":material/grid_on:", "What each unit keeps and writes at every word.", _SENTENCE),
    Page("pages/4_Training.py", "Training", ":material/model_training:", "Train a network and watch it learn, step by step."),
)

_HERE = Path(__file__).parent
_STYLE = style.tag((_HERE / "style.css").read_text(encoding="utf-8"))


def theme() -> Theme:
    """What figures are drawn for."""
    return "dark" if st.context.theme.type == "dark" else "light"


def start(title: str) -> None:
    """Call first on a page: sets the browser's title, draws the menu, and starts loading the models behind it."""
    # a file of our own: Streamlit fetches named icons for the browser's tab from a public server
    st.set_page_config(
        page_title=f"{title} · seqmodels", page_icon=_HERE / "icon.svg", layout="wide", initial_sidebar_state="collapsed"
    )
    address.visit(title)
    st.html(_STYLE)
    with st.container(horizontal=True, key="menu", gap="small"):
        for page in PAGES:
            st.page_link(page.path, label=page.title, icon=page.icon, query_params=address.carried(page.title, page.reads))
    loading.warm_up()


def script(name: str) -> str:
    """The text of a browser script, by the name of its file in scripts/."""
    return (_HERE / "scripts" / f"{name}.js").read_text(encoding="utf-8")
