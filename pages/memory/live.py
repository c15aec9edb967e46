"""The same task trained while you watch, several cells side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.common import address, inputs, page
from pages.training import current, messages, race
from seqmodels.cells import CELLS
from seqmodels.runs import Run
from seqmodels.viz import law

MOST = 3  # cells at once: more would not learn within a minute
LONGEST = 100  # steps
_PLACE = "memory"  # of messages


def draw(task: str, cells: Sequence[str], chrono: bool) -> None:
    """The distance, the button, and the race of what it has started."""
    group = _group()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="memory-live"):
        length = int(inputs.number("Distance", 10, LONGEST, key="length", default=30, step=10))
        picked = _few(cells)
        st.button(
            f"Train {', '.join(map(law.title, picked))} live",
            key="memory-go",
            type="primary",
            icon=":material/play_arrow:",
            help="Each cell is trained from new weights, for about a minute at most; more than three at once would take longer.",
            on_click=_start,
            args=(task, picked, length, chrono, group),
        )
        if group:
            page.link("pages/4_Training.py", {current.RUN: group[0].id}, label="All about these runs")
    messages.show(_PLACE)
    if group:
        race.live(group)


def _few(cells: Sequence[str]) -> list[str]:
    """As many of the cells as may be trained at once: of too many, those that torch runs fused."""
    if len(cells) <= MOST:
        return list(cells)
    return [cell for cell in cells if CELLS[cell].kernel][:MOST] or list(cells[:MOST])


def _group() -> list[Run]:
    """The runs that the address names, if they are still there."""
    run_id, _ = address.recall(current.RUN, "", lambda said: (said[-1], True))
    address.keep(current.RUN, run_id, "")
    if not run_id:
        return []
    try:
        return current.together(current.find(run_id))
    except ValueError as problem:
        st.caption(f":material/link_off: {problem}")
        return []


def _start(task: str, cells: Sequence[str], length: int, chrono: bool, before: Sequence[Run]) -> None:
    from seqmodels.experiments.memory import settings_for

    named = {law.title(cell): settings_for(task, cell, length, chrono=chrono) for cell in cells}
    messages.attempt(_PLACE, lambda: current.begin(named, to_stop=before))
