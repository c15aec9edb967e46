"""Take it away: what a page has shown as one HTML file, its pictures as SVG and PDF, and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from pages.common import address, page, shown
from seqmodels.viz.document import Part, Picture, Words, document
from seqmodels.viz.palette import Theme

_save_pictures = st.components.v2.component(
    "seqmodels_save_pictures",
    html='<div class="save-pictures"><span>Pictures as</span> <button type="button" name="svg" class="play">SVG</button> '
    '<button type="button" name="pdf" class="play">PDF</button></div>',
    js="\n".join(map(page.script, ("svg_shapes", "pdf", "save_pictures"))),
    isolate_styles=False,
)
_ROW = 44  # pixels of a button of the menu, with the gap below it


@dataclass(frozen=True)
class File:
    """Something to save; it is made when it is asked for."""

    label: str
    content: Callable[[], str | bytes]
    name: str
    type: str


def menu(name: str, title: str, opening: Sequence[str] = (), files: Sequence[File] = (), *, key: str) -> None:
    """One button for all that can be taken away. Draw it last: it holds what the page has shown so far.

    `opening` are the sentences, in Markdown, that the HTML file begins with; `name` is that of the files.
    """
    parts = [*map(Words, opening), *shown.parts()]
    content = partial(_content, title, parts, theme=page.theme(), address=address.here())
    whole = File("All of it, as one page (HTML)", content, f"{name}.html", "text/html")
    pictures = name if any(isinstance(part, Picture) for part in parts) else None
    _unfolding(key, whole, pictures, files)


@partial(page.fragment, width="content")
def _unfolding(key: str, whole: File, pictures: str | None, files: Sequence[File]) -> None:
    """The button, and what it unfolds: that is drawn when it is opened, for few open it."""
    menu = st.popover("Take it away", icon=":material/download:", type="tertiary", key=key, on_change="rerun")
    if not menu.open:
        # of about its height, by which the browser chooses whether it opens upwards
        menu.container(height=_ROW * (1 + (pictures is not None) + len(files)))
        return
    with menu:
        save(whole, help="Opens without a network, and still answers the pointer. For a talk, or to send to someone.")
        if pictures is not None:
            _save_pictures(key=f"{key}-pictures", data={"name": pictures})
        for file in files:
            save(file)


def _content(title: str, parts: Sequence[Part | shown.Later], *, theme: Theme, address: str) -> str:
    made = [one for part in parts for one in (part() if callable(part) else [part])]
    return document(title, made, theme=theme, address=address)


def numbers(rows: Callable[[], Sequence[Mapping[str, Any]]], name: str, label: str = "Numbers as CSV") -> File:
    """What a picture is drawn from. `rows` is asked when the file is."""
    from seqmodels import export

    return File(label, lambda: export.rows_to_csv(rows()), f"{name}.csv", "text/csv")


def save(file: File, *, help: str | None = None, key: str | None = None) -> None:
    """A button that saves a file."""
    st.download_button(
        file.label,
        file.content,
        file.name,
        file.type,
        key=key or f"save-{file.name}",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
        help=help,
    )
