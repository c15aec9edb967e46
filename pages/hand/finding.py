"""Networks that search for the gates of a puzzle, on one thread of the server: each search is made once, for all visitors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import address, inputs, page

if TYPE_CHECKING:
    from seqmodels.labs.hand import Signal
    from seqmodels.labs.search import Found
    from seqmodels.viz.hand import Beside

WAITING = 8  # searches that may wait for another, some seconds each
_YES = "yes"


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


def asked(label: str, hide: str) -> bool:
    """A button that asks for a network, or hides the one that was asked for; which of both, the address says."""

    def known(said: str) -> None:
        if said not in ("", _YES):
            raise ValueError(f"find is {said!r}: say {_YES}, or nothing")

    on = bool(inputs.unseen("Network", "", key="find", check=known))
    wanted = {"find": "" if on else _YES}
    st.button(hide if on else label, key="hand-find", type="tertiary" if on else "primary", on_click=address.put, args=(wanted,))
    return on


def show(puzzle: str, cell: str, units: int) -> Found | None:
    """What the search has found; until then, how far it is, or why it has failed."""
    going = search(puzzle, cell, units)
    if going.problem:
        st.info(inputs.plain(going.problem))
    elif going.found is None:
        _watch(going)
    return going.found


def beside(found: Found, signal: Signal) -> Beside:
    """What it does on a signal."""
    from seqmodels.viz.hand import Beside

    steps = found.network.read(signal)
    return Beside(found.network.cell.name, steps, found.network.answers(steps))


def _watch(going: Search) -> None:
    """The progress, drawn again until the search has ended."""

    def draw() -> None:
        if going.ended:
            st.rerun()
        error = "" if going.error is None else f": off by {going.error:.3f}"
        st.progress(going.share, text=f"Training on random signals{error}")

    page.fragment(draw, run_every=0.5)()
