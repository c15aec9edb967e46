"""Networks that search for the gates of a puzzle, on one thread of the server: each search is made once, for all visitors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import page

if TYPE_CHECKING:
    from seqmodels.labs.search import Found

WAITING = 8  # searches that may wait for another, some seconds each


class Search:
    """A search that goes on in the background, or has ended."""

    def __init__(self, puzzle: str, cell: str, units: int) -> None:
        self.share = 0.0  # of its updates
        self.error: float | None = None  # of its best network so far
        self.found: Found | None = None
        self.problem = ""  # why it has failed, as a sentence
        self.key = puzzle, cell, units

    @property
    def ended(self) -> bool:
        return self.found is not None or bool(self.problem)

    def run(self) -> None:
        from seqmodels.labs.puzzles import PUZZLES
        from seqmodels.labs.search import Progress, search

        puzzle, cell, units = self.key
        try:
            for report in search(PUZZLES[puzzle], cell, units):
                if isinstance(report, Progress):
                    self.share, self.error = report.share, report.error
                else:
                    self.found = report
        except Exception as error:
            self.problem = page.explain(error)


def search(puzzle: str, cell: str, units: int) -> Search:
    """The search of networks of a cell for the gates of a puzzle, begun if it is new. ValueError where too many wait."""
    found = _search(puzzle, cell, units)
    if found.problem:
        _search.clear(puzzle, cell, units)  # the next visitor may have more luck
    return found


@st.cache_resource(show_spinner=False, max_entries=128)
def _search(puzzle: str, cell: str, units: int) -> Search:
    worker = _worker()
    if sum(not one.ended for one in worker.searches) > WAITING:
        raise ValueError("many networks are being trained for other visitors: try again in a minute")
    new = Search(puzzle, cell, units)
    worker.searches.append(new)
    worker.thread.submit(new.run)
    return new


@dataclass
class _Worker:
    """One for the whole server: however many ask, one network is trained at a time."""

    thread: ThreadPoolExecutor
    searches: list[Search] = field(default_factory=list)


@st.cache_resource(show_spinner=False)
def _worker() -> _Worker:
    return _Worker(ThreadPoolExecutor(1, "search"))


def watch(going: Search) -> None:
    """How far a search is, drawn again until it has ended."""

    def draw() -> None:
        if going.ended:
            st.rerun()
        error = "" if going.error is None else f": off by {going.error:.3f} on average"
        st.progress(going.share, text=f"Training on random signals{error}")

    page.fragment(draw, run_every=0.5)()


def ended(puzzle: str, cell: str) -> Found | None:
    """What a search with one unit has found, if any visitor has asked for it."""
    return next((one.found for one in _worker().searches if one.key == (puzzle, cell, 1) and one.found), None)
