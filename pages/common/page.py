"""What every page begins with: its title, the menu and the style. And what stands there if something goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import streamlit as st

from pages.common import address, inputs, loading
from seqmodels.failures import OUT_OF_MEMORY, is_out_of_memory
from seqmodels.viz import style
from seqmodels.viz.palette import Theme

Arguments = ParamSpec("Arguments")

_LOG = logging.getLogger(__name__)
_OURS = "something went wrong on the server, which has noted it: change the text or a setting, or reload the page"


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
        ("cells", "language"),
    ),
    Page(
        "pages/3_Gates.py",
        "Gates",
        ":material/grid_on:",
        "What each unit keeps and writes at every word.",
        (*_SENTENCE, "language"),
    ),
    Page("pages/4_Training.py", "Training", ":material/model_training:", "Train a network and watch it learn, step by step."),
    Page(
        "pages/5_Leaderboard.py",
        "Leaderboard",
        ":material/leaderboard:",
        "How good, large and fast each model is, and where they differ.",
        ("task",),
    ),
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
    address.visit(title, next(page.reads for page in PAGES if page.title == title))
    st.html(_STYLE)
    with st.container(horizontal=True, key="menu", gap="small"):
        for page in PAGES:
            st.page_link(page.path, label=page.title, icon=page.icon, query_params=address.carried(page.title, page.reads))
    loading.warm_up()


def link(path: str, values: Mapping[str, Any], *, label: str = "{}", help: str | None = None) -> None:
    """A link to another page, with its title in the label, which opens with these of its inputs set, by their keys."""
    page = next(page for page in PAGES if page.path == path)
    query = address.link(page.title, page.reads, values)
    st.page_link(path, label=label.format(page.title), icon=page.icon, help=help and help.format(page.title), query_params=query)


@contextmanager
def boundary() -> Iterator[None]:
    """What goes wrong inside becomes a sentence in its place, and the page around it stays.

    Streamlit's own signals, by which it stops and reruns a page, are no `Exception`, and pass.
    """
    try:
        yield
    except Exception as error:
        show = st.info if isinstance(error, ValueError) else st.error
        show(inputs.plain(explain(error)))


def explain(error: Exception) -> str:
    """What to tell the visitor: a ValueError says it itself; of any other, the server's log has the details."""
    if isinstance(error, ValueError):
        return inputs.as_sentence(error)
    if is_out_of_memory(error):
        _LOG.warning("memory ran out: %s", error)
        return inputs.as_sentence(OUT_OF_MEMORY)
    _LOG.error("a page failed", exc_info=error)
    return inputs.as_sentence(_OURS)


def run(draw: Callable[[], None]) -> None:
    """Draw a page, inside the boundary."""
    with boundary():
        draw()
    address.finish()


def fragment(draw: Callable[Arguments, None], *, run_every: float | None = None) -> Callable[Arguments, None]:
    """Streamlit's fragment, inside a boundary of its own: it is drawn again without the page around it."""

    @wraps(draw)
    def bounded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        address.visit_part()
        with boundary():
            draw(*args, **kwargs)
        address.write_part()

    return st.fragment(bounded, run_every=run_every)


def script(name: str) -> str:
    """The text of a browser script, by the name of its file in scripts/."""
    return (_HERE / "scripts" / f"{name}.js").read_text(encoding="utf-8")
