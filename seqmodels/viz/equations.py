"""The law with numbers in it: large for one unit at one token, and under the pointer for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.traces import law_error, most_changed
from seqmodels.viz import gates
from seqmodels.viz.figure import hover, picks
from seqmodels.viz.format import number
from seqmodels.viz.frame import WHOLE, WORD, Focus, Frame, token_rows
from seqmodels.viz.law import Part, typeset

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Trace

UNITS = 30  # rows of the map: so few that each has its number beside it
_ROW = 14  # pixels


def equation(layer: LayerTrace, token: int, unit: int) -> str:
    """mu * before + lam * F = memory of one unit at a token as HTML, each number over its name; and what an output gate reveals.

    Of numbers that are rounded the sum may have another last digit: then it is ≈.
    """
    parts = (layer.mu, layer.previous(), layer.lam, layer.candidate, layer.memory)
    values = [float(numbers[token, unit]) for numbers in parts]
    mu, before, lam, candidate, memory = map(number, values)
    keep, old, write, new, whole = (round(value, 3) for value in values)
    equal, equals = ("=", "equals") if round(keep * old + write * new, 3) == whole else ("≈", "is about")
    law = (
        Part(mu, "keep μ", "sm-mu"),
        Part("·"),
        Part(before, "before"),
        Part("+"),
        Part(lam, "write λ", "sm-lam"),
        Part("·"),
        Part(candidate, "new F"),
        Part(equal),
        Part(f"<b>{memory}</b>", "memory"),
    )
    lines = typeset(law, f"{mu} times {before} plus {lam} times {candidate} {equals} {memory}")
    if layer.output_gate is not None:
        gate, value = layer.output_gate[token, unit], layer.output[token, unit]
        reveal, output = number(gate), number(value)
        through_tanh = np.isclose(value, gate * np.tanh(layer.memory[token, unit]), atol=1e-6)  # as in an LSTM
        inside = f"tanh({memory})" if through_tanh else number(value / gate)
        shown = (
            Part(reveal, "reveal o", "sm-reveal"),
            Part("·"),
            Part(inside, "memory"),
            Part("="),
            Part(f"<b>{output}</b>", "output"),
        )
        lines += typeset(shown, f"{reveal} times {inside} equals {output}")
    return f'<div class="sm-numbers">{lines}</div>'


def equation_map(traced: Trace, focus: Focus = WHOLE, *, units: NDArray[np.intp] | None = None) -> go.Figure:
    """The memory of some units under the words; the pointer reads the law with its numbers at any of them.

    `units` from top to bottom; those that change most at the selected token, else at the last, unless given.
    """
    chosen = shown_units(traced, focus) if units is None else units
    parts = [values[:, chosen].T for values in _numbers(traced, focus).values()]  # (units, tokens) each
    memory = parts[-1]
    frame = Frame(traced, focus, panels=1, height=max(_ROW * len(chosen), 60))
    numbers = np.round(np.stack(parts, axis=-1).astype(np.float64), 3)  # (units, tokens, parts)
    text = hover(
        f"{WORD}, unit %{{y}}",
        "{} · {} + {} · {} = <b>{}</b>".format(*(f"%{{customdata[{part}]:.3f}}" for part in range(len(parts)))),
        "μ · before + λ · F = memory",
    )
    look: dict[str, Any] = {"xgap": 1, "ygap": 1, "customdata": numbers, "meta": picks(row={"unit": chosen})}
    gates.add_map(frame, 0, memory, gates.MEMORY, text, **look)
    frame.row_axis(0, "", chosen, showticklabels=True)
    for row in np.flatnonzero(chosen == focus.unit):
        frame.outline_row(0, int(row))
    return frame.figure()


def shown_units(traced: Trace, focus: Focus = WHOLE) -> NDArray[np.intp]:
    """The UNITS whose memory changes most at the selected token, the most first; the selected unit is always among them."""
    layer = focus.whole(traced)
    units = most_changed(layer, len(traced.tokens) - 1 if focus.token is None else focus.token, UNITS)
    if focus.unit is not None and focus.unit not in units:
        units = np.append(units[: UNITS - 1], focus.unit)
    return units


def rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each token that is drawn and each unit of the map: the numbers of its equation."""
    error = law_error(focus.whole(traced))[focus.window]
    return token_rows(traced, focus, _numbers(traced, focus) | {"error": error}, shown_units(traced, focus))


def _numbers(traced: Trace, focus: Focus) -> dict[str, gates.Array]:
    """The parts of the equation at the tokens that are drawn, (tokens, units) each."""
    layer, before = focus.drawn(traced), focus.whole(traced).previous()[focus.window]
    return {"mu": layer.mu, "before": before, "lam": layer.lam, "candidate": layer.candidate, "memory": layer.memory}
