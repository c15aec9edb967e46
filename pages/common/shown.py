"""What a page shows and also gives away: pictures, HTML and sentences, drawn as usual and kept until the page is drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import glossary
from seqmodels.viz.document import Html, Part, Picture, Words

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

Later = Callable[[], Iterable[Part]]  # parts that are made when they are taken away
_PARTS = "shown"  # in the session's state
_PLAIN = ["select2d", "lasso2d", "pan2d", "autoScale2d"]
_ZOOM = ["zoom2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]


def begin() -> None:
    """A run of a page begins."""
    st.session_state[_PARTS] = []


def parts() -> list[Part | Later]:
    """What it has shown so far, in its order."""
    return list(st.session_state.get(_PARTS, []))


def keep(part: Part | Later) -> None:
    """To be given away too: what the page draws in a way of its own, or makes anew while it is looked at."""
    st.session_state.setdefault(_PARTS, []).append(part)


def chart(figure: Any, name: str, alt: str, *, page: str, zoom: bool = True) -> None:
    """A picture, with a button on it that saves it as PNG. `name` is its file's; `page` keeps its key apart."""
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": _PLAIN if zoom else _PLAIN + _ZOOM,
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": name},
    }
    st.plotly_chart(figure, key=f"{page}-chart-{name}", theme=None, alt=alt, config=config)
    keep(Picture(figure, alt, config))


@dataclass(frozen=True)
class _AsItIs:
    """HTML that Streamlit need not search for a common indentation, nor take for the name of a file: a thirtieth of a click."""

    body: str

    def _repr_html_(self) -> str:
        return self.body


def html(body: str, place: DeltaGenerator | None = None) -> None:
    """A picture in HTML, at its place in the page or at another."""
    (st if place is None else place).html(_AsItIs(body))
    keep(Html(body))


def markdown(text: str, *, help: str | None = None) -> None:
    """A sentence, or a table."""
    st.markdown(text, help=help)
    keep(Words(text))


def header(text: str) -> None:
    """The heading of a part."""
    st.header(text, anchor=False)
    keep(Words(f"## {text}"))


def caption(text: str, *, help: str | None = None) -> None:
    """A sentence that explains."""
    st.caption(text, help=help)
    keep(Words(text, small=True))


def explain(text: str) -> None:
    """The same, where words of it open their entries in the glossary; a file that is taken away has none."""
    st.caption(glossary.linked(text))
    keep(Words(text, small=True))
