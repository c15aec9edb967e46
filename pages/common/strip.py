"""The strip of words, which runs in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.common import page
from seqmodels.viz.palette import shorten, special, visible

_KEY = "gates-strip"

_strip = st.components.v2.component(
    "seqmodels_strip",
    html='<div class="strip-row"><div class="strip" role="group" aria-label="Words of the text"></div>'
    '<button type="button" class="play" title="Walk through the words, about one a second">Play</button></div>',
    js=page.script("strip"),
    isolate_styles=False,
)


def strip(
    words: Sequence[tuple[int, str, bool]], selected: int, total: int, on_select: Callable[[int], None], *, backward: bool = False
) -> None:
    """Words as buttons: each with its position, and whether a model wrote it; they are a part of `total`.

    A click answers with a position, and so do the left and right arrow keys wherever nothing is typed. The browser counts the
    presses: a key may be pressed again before the page is drawn. *Play* walks through the words, from the last to the first where
    they are read `backward`.
    """

    def moved() -> None:
        position = st.session_state[_KEY].moved
        if position is not None:
            on_select(int(position))

    listed = [
        {"position": position, "word": shorten(visible(word), 40), "added": added, "note": _note(word, added=added)}
        for position, word, added in words
    ]
    data = {"words": listed, "selected": selected, "total": total, "step": -1 if backward else 1}
    _strip(key=_KEY, data=data, on_moved_change=moved)


def _note(word: str, *, added: bool) -> str:
    """What a word is, if it is no word that was typed."""
    return ", ".join(filter(None, (special(word), "written by the model" if added else "")))
