"""One memory cell over a signal: its gates by slider or rule, puzzles to solve with it, and networks that solve them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import address, inputs, page, picking
from pages.common.strip import strip
from pages.hand import finding
from seqmodels.cells import CELLS
from seqmodels.viz import law
from seqmodels.viz.format import counted, number, percent, signed

if TYPE_CHECKING:
    from seqmodels.labs.hand import Course, Hand, Signal
    from seqmodels.labs.puzzles import Check, Puzzle

FREE = "free"
FREE_SIGNAL, FREE_MU, FREE_LAM = "0 1 0 0 1 0 0 0 1 1", "0.9", "1"
PLACES = {"Every step": "", "This step": "@", "This symbol": "'", "Memory at 0": "empty"}  # as `labs.hand.Gate` names them
FIRST = "gated_forget"  # the cell that is the law with both gates


class State:
    """What is on screen: the puzzle, the signal, the gates and the step."""

    def __init__(self, name: str) -> None:
        from seqmodels.labs.hand import Gate, Hand, Signal, run
        from seqmodels.labs.puzzles import PUZZLES

        self.puzzle: Puzzle | None = PUZZLES.get(name)
        self.name = name
        start = (self.puzzle.signal, self.puzzle.mu, self.puzzle.lam) if self.puzzle else (FREE_SIGNAL, FREE_MU, FREE_LAM)
        text = inputs.question(start[0], {}, action="Set", label="Signal", key=self.key("signal"))
        self.signal: Signal = Signal.read(text)
        gates = (
            Gate.read(inputs.unseen(label, usual, key=self.key(key), check=Gate.read))
            for label, key, usual in (("keep μ", "mu", start[1]), ("write λ", "lam", start[2]))
        )
        self.hand: Hand = Hand(*gates)
        self.start = Hand(Gate.read(start[1]), Gate.read(start[2]))
        self.course: Course = run([self.signal], self.hand)
        asked = inputs.unseen("Step", "", key="step", check=int)
        self.step = min(max(int(asked or 1), 1), len(self.signal)) - 1

    def key(self, name: str) -> str:
        """Of an input that each puzzle has on its own, so that one's work is still there when one comes back."""
        return f"{self.name}-{name}"

    @property
    def symbol(self) -> str:
        return self.signal.symbols[self.step]


def puzzle() -> str:
    """The name of the puzzle that is picked, or FREE for none."""
    from seqmodels.labs.puzzles import PUZZLES

    def title(name: str) -> str:
        return PUZZLES[name].title if name in PUZZLES else "Free play"

    return inputs.choice("Puzzle", [*PUZZLES, FREE], key="puzzle", show=title, compact=True)


def select(step: int) -> None:
    """Make this the selected step."""
    address.keep("step", str(step + 1), "")


def steps(state: State) -> None:
    """The signal, to step through by click, arrow key and Play."""
    shown = [(step, symbol, False) for step, symbol in enumerate(state.signal.symbols)]
    strip(shown, state.step, len(shown), select)
    picking.listen(select)


def draw(state: State) -> None:
    """The puzzle, the picture, and beside it the controls, the equation, the verdict and the network."""
    from seqmodels.labs.puzzles import check
    from seqmodels.viz import Focus, equations, hand

    puzzle = state.puzzle
    checked = check(puzzle, state.signal, state.hand) if puzzle else None
    going = None
    st.markdown(f"**Goal:** {puzzle.goal}" if puzzle else "Set the two gates at any step and watch the memory.")
    left, right = st.columns([3, 2], gap="medium")
    with right:
        controls(state)
        focus = Focus(token=state.step, theme=page.theme())
        traced = hand.as_trace(state.signal, state.course)
        st.html(equations.equation(traced.layers[0], state.step, 0))
        if puzzle and checked:
            verdict(state, puzzle, checked)
            with page.boundary():
                going = network(puzzle, checked)
    with left:
        steps(state)
        other = None
        if going and going.found:
            read = going.found.network.read(state.signal)
            other = hand.Network(going.found.network.cell.name, read, going.found.network.answers(read))
        figure = hand.cell(traced, focus, checked.target if checked else None, other)
        alt = "Signal, keep, write and memory at each step"
        st.plotly_chart(figure, key="hand-picture", theme=None, config={"displayModeBar": False}, alt=alt)


def controls(state: State) -> None:
    """Where the sliders count, and the sliders."""
    place = inputs.choice("The sliders set", list(PLACES), key="where", compact=True)
    where = PLACES[place]
    where += {"@": str(state.step + 1), "'": state.symbol}.get(where, "")
    before = 0.0 if state.step == 0 else state.course.memory[0, state.step - 1].item()
    for key, label, gate in (("mu", ":blue[keep μ]", state.hand.mu), ("lam", ":orange[write λ]", state.hand.lam)):
        here = gate.place(state.step, state.symbol, before)
        slider = f"hand-{key}"
        st.session_state[slider] = gate.rules.get(where, gate.rules[here if where[:1] in ("@", "'") else ""])
        st.slider(
            f"{label} {PLACE_NAMES[place](state)}",
            0.0,
            1.0,
            step=0.05,
            key=slider,
            on_change=_set,
            args=(state, key, where, slider),
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":blue[μ] {rules(state.hand.mu)} · :orange[λ] {rules(state.hand.lam)}")
        if state.hand != state.start:
            values = {state.key("mu"): str(state.start.mu), state.key("lam"): str(state.start.lam)}
            st.button("Reset", key="hand-reset", type="tertiary", on_click=address.put, args=(values,))


PLACE_NAMES: dict[str, Callable[[State], str]] = {
    "Every step": lambda state: "at every step",
    "This step": lambda state: f"at step {state.step + 1}",
    "This symbol": lambda state: f"at every “{inputs.plain(state.symbol)}”",
    "Memory at 0": lambda state: "while the memory is 0",
}


def _set(state: State, key: str, where: str, slider: str) -> None:
    gate = getattr(state.hand, key).with_value(where, st.session_state[slider])
    address.put({state.key(key): str(gate)})


def rules(gate: Any) -> str:
    """A gate's values in words, those that count more after those that count less."""
    said = []
    for where, value in sorted(gate.rules.items(), key=lambda rule: (rule[0][:1] == "@", rule[0][:1] == "'", rule[0])):
        if where == "":
            said.append(f"{value:g}")
        elif where == "empty":
            said.append(f"{value:g} while the memory is 0")
        elif where[0] == "@":
            said.append(f"{value:g} at step {where[1:]}")
        else:
            said.append(f"{value:g} at every “{inputs.plain(where[1:])}”")
    return ", ".join(said)


def verdict(state: State, puzzle: Puzzle, checked: Check) -> None:
    """Whether the puzzle is solved, how far off it is, and help."""
    others = f"On 200 other signals, drawn at random, these gates are right on {percent(checked.unseen)}."
    if checked.solved:
        st.markdown(f":green-badge[:material/check: Solved on this signal] {others}")
    else:
        worst = checked.worst
        memory = checked.target[worst] + checked.errors[worst]
        st.markdown(
            f":orange-badge[Not yet] Furthest off at step {worst + 1}: the memory is {number(memory)}, wanted "
            f"{number(checked.target[worst])} ({signed(checked.errors[worst])}). {others}"
        )
    with st.popover("Hint", icon=":material/lightbulb:", key="hand-hint"):
        st.markdown(puzzle.hint)
        values = dict(zip((state.key("mu"), state.key("lam")), puzzle.solution, strict=True))
        st.button("Show a solution", key="hand-solution", on_click=address.put, args=(values,))


def network(puzzle: Puzzle, checked: Check) -> finding.Search | None:
    """The choice of a network and what it has found, or None until one is asked for."""
    on = inputs.unseen("Network", "", key="find", check=_yes)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        cell = chosen_cell()
        units = inputs.choice("Units", [1, 2], key="units", compact=True, show=lambda count: counted(count, "unit"))
        label, value = ("Hide the network", "") if on else ("Let a network find it", "yes")
        look: Any = "tertiary" if on else "primary"
        st.button(label, key="hand-find", type=look, on_click=address.put, args=({"find": value},))
    if not on:
        return None
    going = finding.search(puzzle.name, cell, units)
    if not going.ended:
        finding.watch(going)
    elif going.problem:
        st.info(inputs.plain(going.problem))
    elif going.found:
        found = going.found
        st.markdown(
            f"**{law.title(cell)}**, {found.updates} updates: right on {percent(found.unseen)} of the same 200 signals, off by "
            f"{found.error:.2g} on average; yours {percent(checked.unseen)}."
        )
        if found.unseen < 0.5:
            st.caption(f"It did not get there. {CELLS[cell].where}")
    return going


def chosen_cell() -> str:
    """A cell of CELLS by its name."""
    return inputs.choice("Cell", list(CELLS), key="cell", default=FIRST, show=law.title, compact=True, menu=True)


def _yes(said: str) -> None:
    if said not in ("", "yes"):
        raise ValueError(f"find is {said!r}: say yes, or nothing")
