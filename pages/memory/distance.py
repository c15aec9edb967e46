"""Tasks of growing distance: what an experiment found, and the same trained live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import streamlit as st

from pages.common import inputs, page, results, shown
from pages.memory import live
from seqmodels.cells import CELLS
from seqmodels.experiments import Outcome, Results, mean_and_spread
from seqmodels.experiments.findings import listed
from seqmodels.viz import law

if TYPE_CHECKING:
    from seqmodels.tasks import MemoryTask

EXPERIMENT = "memory"
_ADDS = next(name for name, cell in CELLS.items() if (cell.formulas.mu, cell.formulas.lam) == ("1", "1"))  # all it reads
SHOWN_STEPS = 24  # of an example


@dataclass(frozen=True)
class Picked:
    """What is picked in the header."""

    task: str
    cells: list[str]
    chrono: bool

    @classmethod
    def here(cls) -> Self:
        """Draw the pickers."""
        titles = {_task(name).page_title: name for name in _tasks()}
        task = inputs.choice("Task", list(titles), key="memory", also=lambda one: (one, titles[one]), compact=True, menu=True)
        cells = inputs.choices("Cells", list(CELLS), key="cell", default=list(CELLS), show=law.title, popover=True)
        return cls(titles[task], cells, inputs.toggle("Chrono biases", key="chrono", default=True, help=_CHRONO))

    def draw(self) -> None:
        """The task, the scores over the distance, and the button that trains."""
        shown.markdown(f"**{_task(self.task).idea}** {_example(self.task)}")
        if not self.cells:
            st.info("Pick at least one cell.")
            return
        found = results.read(EXPERIMENT)
        if found is None:
            st.info("The results of the experiment are not here: `python -m seqmodels experiment memory` makes them.")
        else:
            _picture(found, self.task, self.cells, self.chrono)
        live.draw(self.task, self.cells, self.chrono)
        _times()
        if found is not None:
            made = f"{found.date}, `python -m seqmodels experiment memory`"
            shown.explain(f"{found.recipe} Every dot is one of three seeds. {made}.")


def _picture(measured: Results, task: str, cells: Sequence[str], chrono: bool) -> None:
    from seqmodels.viz import distances

    asked = {cell: measured.where(task=task, cell=cell, chrono=chrono and bool(CELLS[cell].time_biases)) for cell in cells}
    found = {cell: outcomes or measured.where(task=task, cell=cell) for cell, outcomes in asked.items()}
    plain = [cell for cell, outcomes in asked.items() if not outcomes and CELLS[cell].time_biases]
    found = {cell: outcomes for cell, outcomes in found.items() if outcomes}
    if not found:
        st.info("The experiment has nothing of these cells.")
        return
    lengths = sorted({int(one.factors["length"]) for outcomes in found.values() for one in outcomes})
    baselines = {length: _baseline(task, length) for length in lengths}
    figure = distances.distances(
        found,
        baselines,
        counts=_task(task).distance,
        higher_is_better=_task(task).higher_is_better,
        theme=page.theme(),
    )
    shown.chart(
        figure, f"memory-{task}", f"{_task(task).page_title}: score of each cell over the distance", page="memory", zoom=False
    )
    shown.markdown(verdict(found, _task(task), baselines))
    if enough := _enough_to_add(measured, task, found):
        shown.markdown(enough)
    if plain:
        st.caption(
            f":material/info: Of this task there are only trainings with chrono biases for {', '.join(map(law.title, plain))}."
        )


def verdict(found: Mapping[str, Sequence[Outcome]], task: MemoryTask, baselines: Mapping[int, float]) -> str:
    """Which cells solve the task over its longest distance, and which know nothing."""
    longest = max(baselines)
    means = {
        cell: mean_and_spread(one.score for one in outcomes if one.factors["length"] == longest)[0]
        for cell, outcomes in found.items()
        if any(one.factors["length"] == longest for one in outcomes)
    }
    nothing = [cell for cell, mean in means.items() if not task.beats(mean, baselines[longest])]
    best = (max if task.higher_is_better else min)(means, key=lambda cell: means[cell])
    if best in nothing:
        return f"Over {longest} {task.distance} **no cell does better than an answer that reads nothing**, within so many steps."
    leading = [cell for cell, mean in means.items() if _figure(task, mean) == _figure(task, means[best])]
    first, last = (listed([law.title(cell) for cell in cells]) for cells in (leading, nothing))
    does = "does best" if len(leading) == 1 else "do best"
    said = f"Over {longest} {task.distance} **{first}** {does}, {_figure(task, means[best])}"
    if nothing:
        return f"{said}; {last} {'knows' if len(nothing) == 1 else 'know'} no more than an answer that reads nothing."
    worst = (min if task.higher_is_better else max)(means, key=lambda cell: means[cell])
    return f"{said}." if worst in leading else f"{said}, and {law.title(worst)} worst, {_figure(task, means[worst])}."


def _enough_to_add(measured: Results, task: str, found: Mapping[str, Sequence[Outcome]]) -> str | None:
    """What is to be said where a sum that can neither forget nor choose does the task as well as any cell."""

    def lacking(name: str) -> tuple[float, float]:
        """How much better than the sum one could be over the longest distance, and than the best cell."""
        longest = max(measured.where(task=name), key=lambda one: one.factors["length"]).factors["length"]
        scores = [(one.factors["cell"], one.score) for one in measured.where(task=name, length=longest)]
        lacks = [(cell, 100 - score if _task(name).higher_is_better else score) for cell, score in scores]
        return max((lack for cell, lack in lacks if cell == _ADDS), default=0.0), min(lack for _, lack in lacks)

    if _ADDS not in found or len(set(lacking(task))) > 1:
        return None
    others = [name for name in _tasks() if name != task and measured.where(task=name)]
    failed = [f"*{_task(name).page_title}*" for name in others if (lacks := lacking(name))[0] > 2 * lacks[1]]
    if not failed:
        return None
    return f"{CELLS[_ADDS].title} has no switch and keeps all that it reads: enough here, and not for {listed(failed)}."


def _figure(task: MemoryTask, mean: float) -> str:
    return f"{mean:.1f} % right" if task.metric == "accuracy" else f"a squared error of {mean:.2g}"


def _times() -> None:
    """How long a gate keeps, by its bias."""
    from seqmodels.labs.times import half_life, keep_of

    with st.expander("How long does a bias keep?"):
        bias = inputs.number("Bias of the gate that keeps", -2.0, 8.0, key="bias", default=1.0, step=0.1)
        keep = keep_of(bias)
        st.markdown(
            f"While its input says nothing, a gate with a bias of {bias:.1f} keeps :blue[**{keep:.3f}**] of the memory at each "
            f"step: half of it is gone after **{half_life(keep):.1f} steps** (ln 2 / −ln μ). The usual bias of 1 keeps 0.731, "
            f"a half-life of {half_life(keep_of(1)):.1f} steps: far too short for a hundred. Chrono initialization (Tallec & "
            "Ollivier 2018) draws the bias as log U[1, T − 1], so that the units begin by keeping for all times up to T; the gate "
            "that writes gets the opposite."
        )


@st.cache_data(show_spinner=False)
def _example(task: str) -> str:
    """One sequence, short enough to read, and its answer."""
    found = _task(task)
    read, answers = found.spell(found.generate(1, 10, seed=3)[0])
    sequence, answer = inputs.plain(" ".join(read[-SHOWN_STEPS:])), inputs.plain(" ".join(answers[-10:]))
    return f"For instance :gray-background[{sequence}] → **{answer}**"


@st.cache_data(show_spinner=False)
def _baseline(task: str, length: int) -> float:
    """The score of an answer that reads nothing."""
    found = _task(task)
    return found.memoryless(found.split("train", length, 1000), found.split("test", length))[1][found.metric]


def _tasks() -> list[str]:
    """Those of the experiment, in its order."""
    from seqmodels.experiments.memory import DISTANCES

    return list(DISTANCES)


def _task(name: str) -> MemoryTask:
    from seqmodels.experiments.memory import memory_task

    return memory_task(name)


_CHRONO = (
    "The biases of the gates are drawn so that the units begin by keeping for all times up to the length of a sequence. Off: as "
    "torch draws them. Elman and the ungated sum have no gates, and stay as they are."
)
