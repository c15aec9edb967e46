"""Inside a cell: its formulas as a diagram, with the numbers of one step on the wires."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, page, shown
from pages.hand import finding
from pages.hand.state import State, steps
from seqmodels.cells import CELLS
from seqmodels.viz import law
from seqmodels.viz.keys import short

if TYPE_CHECKING:
    from seqmodels.labs.circuit import Circuit
    from seqmodels.labs.search import Network

HAND = "by hand"


def draw(state: State) -> None:
    """The diagram of the cell that is picked, and what there is to see in it."""
    from seqmodels.viz.circuit import circuit

    name = inputs.choice("Inside", [HAND, *CELLS], key="inside", default="lstm", show=_title, compact=True)
    steps(state)
    place = st.container(key="hand-circuit")
    network = None if name == HAND else chosen(state, name)
    found = by_hand(state) if network is None else of_network(state, network)
    with place:
        alt = f"The parts of the cell {_title(name)} at step {state.step + 1}, with the number on each wire"
        shown.chart(circuit(found, page.theme()), f"inside-{name.replace(' ', '-')}", alt, page="hand", zoom=False)


def _title(name: str) -> str:
    return "By hand" if name == HAND else law.title(name)


def by_hand(state: State) -> Circuit:
    """The law with the gates of the memory cell."""
    from seqmodels.labs import circuit

    shown.markdown(
        "**The law alone.** The memory runs along the top: :blue[times keep], plus what is :orange[written]. Every other cell has "
        "these parts too, and differs only in how μ, λ and F are made. The gates are yours, from *Memory cell*."
    )
    course, step = state.course, state.step
    mu, lam, content, memory = (part[0, step].item() for part in (course.mu, course.lam, course.candidate, course.memory))
    return circuit.by_hand(mu, lam, content, state.before, memory)


def chosen(state: State, cell: str) -> Network:
    """A network with one unit: not trained, or trained on the puzzle once someone asks for that."""
    from seqmodels.labs import search

    formulas = CELLS[cell].formulas
    output = "" if CELLS[cell].memory_is_output else f", and what it shows of its memory {formulas.memory} is {formulas.output}"
    mu, lam, content = map(inputs.plain, (formulas.mu, formulas.lam, formulas.candidate))
    shown.markdown(
        f"**{law.title(cell)}** is the law with :blue[μ = {mu}], :orange[λ = {lam}] and F = {content}{inputs.plain(output)}. "
        f"{CELLS[cell].where}"
    )
    found = None
    if state.puzzle:
        with page.boundary():
            if finding.asked("Train it on this puzzle", "Back to the untrained unit"):
                found = finding.show(state.puzzle.name, cell, 1)
    network = found.network if found else search.untrained(cell)
    trained = "trained on this puzzle" if found else "not trained"
    shown.caption(f"One unit, {trained}, at x = {short(state.signal.values[state.step])}. Its weights: {weights(network)}.")
    return network


def of_network(state: State, network: Network) -> Circuit:
    """Its numbers at the selected step."""
    from seqmodels.labs import circuit

    read, step = network.read(state.signal), state.step
    before = read[step - 1] if step else None
    return circuit.circuit(network.cell, network.weights, state.signal.values[step], before, read[step])


def weights(network: Network) -> str:
    """The numbers in the sum of each block."""
    from seqmodels.labs.search import rows

    said = []
    for block, values in rows(network).items():
        terms = ", ".join(f"{name} {short(value)}" for name, value in values.items())
        said.append(f"*{block}*: {terms}")
    return "; ".join(said)
