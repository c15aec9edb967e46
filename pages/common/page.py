"""What every page begins with: its title, the menu and the style. And what stands there if something goes wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import streamlit as st

from pages.common import address, inputs, lesson, loading, sheets, shown
from pages.common.caching import one_look
from pages.common.turns import TURNS
from seqmodels import journal
from seqmodels.failures import OUT_OF_MEMORY, is_out_of_memory
from seqmodels.viz.palette import Theme

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

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
    reads: tuple[str, ...] = ()  # what it shares with some other pages: keys of inputs
    section: str = ""  # the entry of the menu that holds it, with others; empty: it is an entry itself

    @property
    def shared(self) -> tuple[str, ...]:
        """The same, with what all pages share."""
        return (*self.reads, STAGE, lesson.KEY)


STAGE = "stage"
_IN_BODY: ContextVar[bool] = ContextVar("in_body", default=False)  # whether what is drawn stands in the body of a page
_SENTENCE = ("text", "task", "cells")
_ASKED, _ANSWERED = "asked", "answered"  # in the session's state: what this run answers, and what the last that came to its end did
PAGES = (
    Page("app.py", "Overview", ":material/home:", "What this is, and the one law behind every cell.", ("text",)),
    Page(
        "pages/1_Tagging.py",
        "Tagging",
        ":material/sell:",
        "Parts of speech and entities in your own text.",
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
    Page(
        "pages/6_Gate_by_hand.py",
        "Gate by hand",
        ":material/toggle_on:",
        "Set keep and write yourself, then let a network find them.",
        section="Learn",
    ),
    Page(
        "pages/7_Memory_lab.py",
        "Memory lab",
        ":material/history:",
        "How far back each cell remembers, measured and live.",
        ("cells",),
        section="Learn",
    ),
    Page(
        "pages/8_Gradient_lab.py",
        "Gradient lab",
        ":material/show_chart:",
        "What vanishes and what explodes on the way back, and what clipping does.",
        section="Learn",
    ),
    Page(
        "pages/9_Five_tips.py",
        "Five tips",
        ":material/checklist:",
        "The chapter's practical advice put to the test, seed by seed.",
        section="Learn",
    ),
    Page(
        "pages/10_Units.py",
        "Units",
        ":material/search_insights:",
        "Find the unit that follows quotations, and the passages that open and shut its gates.",
        section="Learn",
    ),
    Page(
        "pages/11_Glossary.py",
        "Glossary",
        ":material/menu_book:",
        "The words of this app: the law, training, tags and cells.",
        section="Learn",
    ),
)

_SECTIONS = {"Learn": ":material/school:"}  # their icons
_HERE = Path(__file__).parent
_STAGE_HELP = "Larger type, and the result alone. The arrow keys move the selected word, Page Down turns on, Escape ends it."


def script(name: str) -> str:
    """The text of a browser script, by the name of its file in scripts/."""
    return (_HERE / "scripts" / f"{name}.js").read_text(encoding="utf-8")


_tools = st.components.v2.component(
    "seqmodels_tools",
    html=(_HERE / "tools.html").read_text(encoding="utf-8"),
    js=script("tools"),
    isolate_styles=False,
)
_correct = st.components.v2.component("seqmodels_correction", js=script("correction"))


def theme() -> Theme:
    """What figures are drawn for."""
    return "dark" if st.context.theme.type == "dark" else "light"


def on_stage() -> bool:
    """Whether the result stands alone, in larger type."""
    return bool(address.kept(STAGE))


def start(title: str, headline: str = "") -> None:
    """Call first on a page: sets the browser's title, draws the menu, and starts loading the models behind it.

    Without a headline the page's title is there for those who hear it: to the eye, the menu marks the page.
    """
    # a file of our own: Streamlit fetches named icons for the browser's tab from a public server
    st.set_page_config(
        page_title=f"{title} · seqmodels", page_icon=_HERE / "icon.svg", layout="wide", initial_sidebar_state="collapsed"
    )
    this = next(page for page in PAGES if page.title == title)
    address.visit(title, this.shared)
    lesson.complete(this.path, beside=(STAGE, lesson.KEY))
    shown.begin()
    st.html(sheets.sheet("page"))
    with st.container(horizontal=True, key="menu", gap="small", vertical_alignment="center"):
        for section, pages in menu().items():
            inside = next((page for page in pages if page.title == title), None)
            here = st.container(key="here", width="content") if inside else nullcontext()
            with here, _opening(section, inside) if section in _SECTIONS else nullcontext():
                for page in pages:
                    query = address.carried(page.title, page.shared)
                    st.page_link(page.path, label=page.title, icon=page.icon, query_params=query)
        with st.container(horizontal=True, width="content", key="tools", gap="small", vertical_alignment="center"):
            _tools(key="page-tools", width="content", data=_in_common(this))
            inputs.toggle("Stage", key=STAGE, help=_STAGE_HELP)
    if on_stage():
        sheets.enter("on-stage")
    with st.container(key="headline" if headline else "page-title"):
        st.title(headline or title, anchor=False)
    lesson.bar(this.path, _open_place)
    loading.warm_up()


def menu() -> dict[str, list[Page]]:
    """The entries of the menu in their order: a page by its title, or a section with its pages."""
    entries: dict[str, list[Page]] = {}
    for page in PAGES:
        entries.setdefault(page.section or page.title, []).append(page)
    return entries


def _in_common(this: Page) -> dict[str, list[str]]:
    """The inputs that other pages share with this one, by the last part of their addresses."""
    return {Path(page.path).stem.partition("_")[2]: [key for key in page.reads if key in this.reads] for page in PAGES}


def _opening(section: str, inside: Page | None) -> DeltaGenerator:
    """A section of the menu, which opens by a click; while one of its pages is on screen, it has that page's name."""
    name, icon = (inside.title, inside.icon) if inside else (section, _SECTIONS[section])
    return st.popover(name, icon=icon, type="tertiary", key=f"menu-{section.lower()}")


def link(
    path: str,
    values: Mapping[str, Any],
    *,
    label: str = "{}",
    icon: str | None = None,
    help: str | None = None,
    fresh: bool = False,
) -> None:
    """A link to a page, with its title in the label, which opens with these of its inputs set, by their keys.

    A `fresh` one opens it with its other inputs as at a first visit.
    """
    page = next(page for page in PAGES if page.path == path)
    if fresh and on_stage():
        values = {STAGE: True, **values}
    query = address.link(page.title, page.shared, values, fresh=fresh)
    st.page_link(path, label=label.format(page.title), icon=icon or page.icon, help=help, query_params=query)


def _open_place(path: str, values: Mapping[str, Any], label: str, icon: str | None) -> None:
    """A link of the lesson."""
    link(path, values, label=label, icon=icon, fresh=True)


@contextmanager
def header() -> Iterator[None]:
    """What is read and by which models: as low as it can be, so that the answer is in sight below it."""
    with st.container(key="header", gap="xsmall"):
        yield


@contextmanager
def pickers() -> Iterator[None]:
    """The second row of a header: small pickers, and Settings for what is rarer."""
    with st.container(horizontal=True, key="pickers", gap="xsmall", vertical_alignment="center"):
        yield


def settings() -> DeltaGenerator:
    """The place of what is rarely changed, behind one button."""
    return st.popover("Settings", icon=":material/tune:", key="settings")


def answer(*asked: object, reason: str = "") -> DeltaGenerator:
    """The place of the answer to what is `asked`, as values that can be compared; above it a `reason` to ask that, if there is one.

    The browser keeps each part of an old answer until the new one takes its place. Where something else was asked, all that is
    old in here is pale from the first, and no model seems to answer a question that another has not heard yet.
    """
    anew = '<b class="asked-anew"></b>' if st.session_state.get(_ANSWERED) != asked else ""  # which the style looks for
    if reason:
        st.caption(reason + anew, unsafe_allow_html=True)
    elif anew:
        st.html(anew)
    else:
        st.empty()  # the answer keeps its place
    st.session_state[_ASKED] = asked
    st.session_state[_ANSWERED] = None  # until the run has come to its end: another may break it off
    return st.container(key="answer")


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
    _note(error)
    return inputs.as_sentence(OUT_OF_MEMORY if is_out_of_memory(error) else _OURS)


def _note(error: Exception) -> None:
    """In the journal, which has no words of a visitor's; where there is none, with Python's own account of it."""
    if journal.is_open():
        journal.failed(error)
    elif is_out_of_memory(error):
        _LOG.warning("memory ran out: %s", error)
    else:
        _LOG.error("a page failed", exc_info=error)


def run(draw: Callable[[], None]) -> None:
    """Draw a page, inside the boundary."""
    began = time.monotonic()
    with _turn():
        draw()
    correction = address.finish()
    if correction is not None:  # in each run until it changes: a browser may pass over what the next run takes away
        _correct(key="page-correction", data=correction, width="content", height="content")
    _served(began)


def body(draw: Callable[[], None]) -> Callable[[], None]:
    """The inputs of a page and what they give, as a fragment: an input in it has that drawn anew, and neither menu nor lesson.

    Not for a page that takes its time: a run of the whole page breaks off the one before it, and one of a fragment waits for it.
    """

    @wraps(draw)
    def bounded() -> None:
        began = time.monotonic()
        shown.begin()
        address.visit_body()
        inside = _IN_BODY.set(True)
        try:
            with _turn():
                draw()
        finally:
            _IN_BODY.reset(inside)
        if address.is_alone():  # else the run of the page does this
            address.write()
            _served(began)

    return _placed(st.fragment(bounded), key="body")


def fragment(
    draw: Callable[Arguments, None], *, run_every: float | None = None, width: Literal["stretch", "content"] = "stretch"
) -> Callable[Arguments, None]:
    """Streamlit's fragment, inside a boundary of its own: it is drawn again without the page around it.

    It stands alone in a container, of that `width` in a row. Inside a body there is neither, as it is no more than a part of that:
    of a fragment within another, Streamlit keeps a copy of all that it stands in, a tenth of a click.
    """

    @wraps(draw)
    def bounded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        address.visit_part()
        with _turn():
            draw(*args, **kwargs)
        address.write_part()
        lesson.show_solved()

    part = _placed(st.fragment(bounded, run_every=run_every), width=width)

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        (draw if _IN_BODY.get() else part)(*args, **kwargs)

    return drawn


def _placed(draw: Callable[Arguments, None], **options: Any) -> Callable[Arguments, None]:
    """A fragment alone in a container with these options.

    Where it is to be drawn again while the whole page is being drawn, Streamlit takes back what it has not yet sent of the
    fragment, and the browser, which misses it at the end of that run, takes its place away. Inside a container nothing moves up
    into that place, to be overwritten when the fragment is drawn.
    """

    @wraps(draw)
    def placed(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        with st.container(**options):
            draw(*args, **kwargs)

    return placed


@contextmanager
def _turn() -> Iterator[None]:
    """What pages are drawn in: one after the other, inside the boundary, and with one look at the environment and the models."""
    with TURNS.taken(), boundary(), one_look():
        yield


def _served(began: float) -> None:
    """What was asked is answered."""
    st.session_state[_ANSWERED] = st.session_state.get(_ASKED)
    lesson.show_solved()
    journal.note("page_served", page=address.title(), ms=round(1000 * (time.monotonic() - began), 1))
