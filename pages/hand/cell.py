"""One memory cell over a signal: its gates by slider or rule, puzzles to solve with it, and networks that solve them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import address, glossary, inputs, page, shown
from pages.hand import finding
from pages.hand.state import State, steps
from seqmodels.cells import CELLS
from seqmodels.viz import law
from seqmodels.viz.format import number, percent, signed

if TYPE_CHECKING:
    from seqmodels.labs.hand import Gate
    from seqmodels.labs.puzzles import Check

FIRST = "gated_forget"  # the cell that is the law with both gates
ALL, STEP, SYMBOL, EMPTY = "Every step", "This step", "This symbol", "Memory at 0"
PLACES: dict[str, Callable[[State], str]] = {  # where a slider sets its gate, as `labs.hand.Gate` names it
    ALL: lambda state: "",
    STEP: lambda state: f"@{state.step + 1}",
    SYMBOL: lambda state: f"'{state.symbol}",
    EMPTY: lambda state: "empty",
}


def draw(state: State) -> None:
    """The goal, the picture, and beside it the controls, the equation, the verdict and the network."""
    from seqmodels.labs.puzzles import check
    from seqmodels.viz import Focus, equations, hand

    checked = check(state.puzzle, state.signal, state.hand) if state.puzzle else None
    shown.markdown(f"**Goal:** {state.puzzle.goal}" if state.puzzle else "Set the two gates at any step, and watch the memory.")
    traced = hand.as_trace(state.signal, state.course)
    left, right = st.columns([3, 2], gap="medium")
    other = None
    with right:
        controls(state)
        shown.html(equations.equation(traced.layers[0], state.step, 0))
        if checked:
            verdict(state, checked)
            with page.boundary():
                other = network(state, checked)
    with left:
        steps(state)
        target = checked.target if checked else None
        figure = hand.cell(traced, Focus(token=state.step, theme=page.theme()), target, other)
        shown.chart(figure, "memory-cell", "Signal, keep, write and memory at each step", page="hand", zoom=False)
        st.caption("The framed step stands in the equation: click another, or press the arrow keys.")


def controls(state: State) -> None:
    """Where the sliders count, and the sliders."""
    place = inputs.choice("The sliders set", list(PLACES), key="where", compact=True)
    where = PLACES[place](state)
    for key, label, gate in (("mu", ":blue[keep μ]", state.hand.mu), ("lam", ":orange[write λ]", state.hand.lam)):
        slider = f"hand-{key}"
        here = gate.place(state.step, state.symbol, state.before) if place in (STEP, SYMBOL) else ""
        said = _place_in_words(where) or ("at every step" if len(gate.rules) == 1 else "at all other steps")
        value = gate.rules.get(where, gate.rules[here])
        inputs.slider(f"{label} {said}", 0.0, 1.0, value, key=slider, step=0.05, on_change=_set, args=(state, key, where, slider))
    if place == STEP:
        draw_signal(state)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="hand-rules"):
        st.caption(f":blue[μ] {rules(state.hand.mu)} · :orange[λ] {rules(state.hand.lam)}")
        if state.hand != state.start:
            values = {state.key("mu"): str(state.start.mu), state.key("lam"): str(state.start.lam)}
            st.button("Reset", key="hand-reset", type="tertiary", on_click=address.put, args=(values,))


def draw_signal(state: State) -> None:
    """A slider for the signal at the selected step: drawn step by step, it need not be typed."""
    value, slider, label = state.signal.values[state.step], "hand-signal", f"signal F at step {state.step + 1}"
    low, high = min(-1.0, value), max(1.0, value)
    inputs.slider(label, low, high, value, key=slider, step=0.1, on_change=_draw, args=(state, slider))


def _draw(state: State, slider: str) -> None:
    symbols = list(state.signal.symbols)
    symbols[state.step] = f"{st.session_state[slider]:.3g}"
    address.put({state.key("signal"): " ".join(symbols)})


def _set(state: State, key: str, where: str, slider: str) -> None:
    gate = getattr(state.hand, key).with_value(where, st.session_state[slider])
    address.put({state.key(key): str(gate)})


def rules(gate: Gate) -> str:
    """A gate's values in words, those that count more after those that count less."""
    places = sorted(gate.rules, key=lambda where: (where[:1] == "@", where[:1] == "'", where))
    return ", ".join(f"{gate.rules[where]:g} {_place_in_words(where)}".strip() for where in places)


def _place_in_words(where: str) -> str:
    if where[:1] == "@":
        return f"at step {where[1:]}"
    if where[:1] == "'":
        return f"at every “{inputs.plain(where[1:])}”"
    return "while the memory is 0" if where else ""


def verdict(state: State, checked: Check) -> None:
    """Whether the puzzle is solved, how far off it is, and help."""
    assert state.puzzle is not None
    others = f"On {checked.tried} other signals, drawn at random, these gates are right on {percent(checked.unseen)}."
    if checked.solved:
        shown.markdown(f":green-badge[:material/check: Solved on this signal] {others}")
    else:
        worst = checked.worst
        memory = checked.target[worst] + checked.errors[worst]
        shown.markdown(
            f":orange-badge[Not yet] Furthest off at step {worst + 1}: the memory is {number(memory)}, wanted "
            f"{number(checked.target[worst])} ({signed(checked.errors[worst])}). {others}"
        )
    with st.popover("Hint", icon=":material/lightbulb:", key="hand-hint"):
        st.markdown(state.puzzle.hint)
        values = dict(zip((state.key("mu"), state.key("lam")), state.puzzle.solution, strict=True))
        st.button("Show a solution", key="hand-solution", on_click=address.put, args=(values,))


def network(state: State, checked: Check) -> finding.Beside | None:
    """The choice of a cell, and what a network of it has found, once one is asked for."""
    assert state.puzzle is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="hand-network"):
        cell = inputs.choice("Cell", list(CELLS), key="cell", default=FIRST, show=law.title, compact=True, menu=True)
        units = inputs.choice("Units", [1, 2], key="units", compact=True, show=lambda units: f"{units} unit{'s'[: units - 1]}")
        on = finding.asked("Let a network find it", "Hide the network")
    found = finding.show(state.puzzle.name, cell, units) if on else None
    if found is None:
        return None
    shown.markdown(
        f"**{law.title(cell)}**, {found.updates} updates: right on {percent(found.unseen)} of the same {checked.tried} signals, "
        f"off by {found.error:.2g} on average. Yours: {percent(checked.unseen)}."
    )
    if found.unseen < checked.unseen:
        st.caption(glossary.linked(f"What its gates can do: {CELLS[cell].where}"))
    return finding.beside(found, state.signal)
