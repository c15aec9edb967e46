"""Inside a cell: its formulas as a diagram, with the numbers of one step on the wires."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, page
from pages.hand import cell, finding
from pages.hand.cell import State
from seqmodels.cells import CELLS
from seqmodels.viz import law
from seqmodels.viz.format import number
from seqmodels.viz.keys import short

if TYPE_CHECKING:
    from seqmodels.labs.search import Network

HAND = "By hand"


def draw(state: State) -> None:
    """The diagram of the cell that is picked."""
    from seqmodels.labs import circuit, search
    from seqmodels.viz.circuit import circuit as picture

    names = [HAND, *CELLS]
    name = inputs.choice("Inside", names, key="inside", default="lstm", show=_title, compact=True)
    cell.steps(state)
    step = state.step
    if name == HAND:
        course = state.course
        mu, lam, content, memory = (part[0, step].item() for part in (course.mu, course.lam, course.candidate, course.memory))
        before = course.memory[0, step - 1].item() if step else 0.0
        found = circuit.by_hand(mu, lam, content, before, memory)
        source = "The gates are yours, from the part *Memory cell*."
    else:
        going = finding.ended(state.name, name)
        network = going.network if going else search.untrained(name)
        read = network.read(state.signal)
        before_step = read[step - 1] if step else None
        found = circuit.circuit(network.cell, network.weights, state.signal.values[step], before_step, read[step])
        source = "One unit that is not trained: numbers it might begin with."
        if going and state.puzzle:
            source = f"One unit, trained on the puzzle *{state.puzzle.title}*."
    st.plotly_chart(
        picture(found, page.theme()),
        key="hand-circuit",
        theme=None,
        config={"displayModeBar": False},
        alt=f"The parts of the cell {name} at step {step + 1}, with the number on each wire",
    )
    if name != HAND:
        shown = CELLS[name].formulas
        st.markdown(
            f"**{law.title(name)}** is the law with :blue[μ = {inputs.plain(shown.mu)}], :orange[λ = {inputs.plain(shown.lam)}], "
            f"F = {inputs.plain(shown.candidate)}; its memory is {shown.memory}, its output {inputs.plain(shown.output)}. "
            f"{CELLS[name].where}"
        )
        st.caption(f"{source} Weights: {weights(network)}. x = {number(state.signal.values[step])}.")
    else:
        st.caption(source)


def _title(name: str) -> str:
    return name if name == HAND else law.title(name)


def weights(network: Network) -> str:
    """The numbers in each gate's sum."""
    from seqmodels.labs.search import rows

    said = []
    for block, values in rows(network).items():
        terms = ", ".join(f"{name} {short(value)}" for name, value in values.items())
        said.append(f"*{block}*: {terms}")
    return "; ".join(said)
