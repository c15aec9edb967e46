"""What every page begins with: its title, the menu and the style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.common import address, loading
from seqmodels.viz.palette import BACKGROUND, LINE, MUTED, Theme


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
        "Parts of speech and names in your own text, cell beside cell.",
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

# a file of our own: Streamlit fetches named icons for the browser's tab from a public server
_TAB_ICON = Path(__file__).with_name("icon.svg")

# Streamlit gives a page a tall top and wide margins; the picture needs the room more.
_STYLE = f"""<style>
.stMainBlockContainer {{ max-width: 84rem; padding: 1.25rem 2rem 4rem; }}
@media (max-width: 640px) {{ .stMainBlockContainer {{ padding: 1.25rem 1rem 4rem; }} }}
.stMainBlockContainer h1 {{ padding: .25rem 0 .5rem; }}
@media (max-width: 640px) {{ [class*="-examples"] {{ flex-wrap: nowrap; overflow-x: auto; padding-bottom: .25rem; }}
  [class*="-examples"] > * {{ flex: none; }} }}
.stMarkdown table {{ display: block; max-width: 100%; overflow-x: auto; }}
[data-testid="stCaptionContainer"] {{ color: {MUTED.css}; opacity: 1; }} [data-testid="stCaptionContainer"] p {{ color: inherit; }}
[data-testid="stBaseButton-primary"] {{ color: {BACKGROUND.css}; }}
.st-key-menu {{ border-bottom: 1px solid {LINE.css}; padding-bottom: .25rem; }}
.st-key-menu a {{ text-decoration: none; }}
</style>"""


def theme() -> Theme:
    """What figures are drawn for."""
    return "dark" if st.context.theme.type == "dark" else "light"


def start(title: str) -> None:
    """Call first on a page: sets the browser's title, draws the menu, and starts loading the models behind it."""
    st.set_page_config(page_title=f"{title} · seqmodels", page_icon=_TAB_ICON, layout="wide", initial_sidebar_state="collapsed")
    address.visit(title)
    st.html(_STYLE)
    with st.container(horizontal=True, key="menu", gap="small"):
        for page in PAGES:
            st.page_link(page.path, label=page.title, icon=page.icon, query_params=address.carried(page.title, page.reads))
    loading.warm_up()
