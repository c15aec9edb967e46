"""The law with numbers in it: large for one unit at one token, and under the pointer for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.traces import law_error, most_changed
from seqmodels.viz import gates
from seqmodels.viz.frame import WHOLE, Focus, Frame
from seqmodels.viz.law import Part, typeset
from seqmodels.viz.palette import BACKGROUND, TEXT

if TYPE_CHECKING:
    from seqmodels.traces import Step, Trace

UNITS = 30  # rows of the map: so few that each has its number beside it
_ROW = 14  # pixels
_EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def equation(step: Step, unit: int) -> str:
    """mu * before + lam * F = memory of one unit as HTML, each number over its name; for LSTM, what it reveals too."""
    mu, before, lam, candidate, memory = (
        number(values[unit]) for values in (step.mu, step.before, step.lam, step.candidate, step.memory)
    )
    law = (
        Part(mu, "keep μ", "sm-mu"),
        Part("·"),
        Part(before, "before"),
        Part("+"),
        Part(lam, "write λ", "sm-lam"),
        Part("·"),
        Part(candidate, "new F"),
        Part("="),
        Part(f"<b>{memory}</b>", "memory"),
    )
    lines = typeset(law, f"{mu} times {before} plus {lam} times {candidate} equals {memory}")
    if step.reveal is not None:
        reveal, output = number(step.reveal[unit]), number(step.output[unit])
        shown = (
            Part(reveal, "reveal o", "sm-reveal"),
            Part("·"),
            Part(f"tanh({memory})", "memory"),
            Part("="),
            Part(f"<b>{output}</b>", "output"),
        )
        lines += typeset(shown, f"{reveal} times tanh of {memory} equals {output}")
    return f'<div class="sm-numbers">{lines}</div>'


def number(value: float) -> str:
    """Three digits after the point, with a true minus sign; none of an exact 0 or 1, and a smaller value as a power of ten."""
    value = float(value)
    if value in (0, 1):
        return f"{value:.0f}"
    if abs(value) >= 0.0005:
        return f"{value:.3f}".replace("-", "−")
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits.replace('-', '−')}·10{str(int(exponent)).translate(_EXPONENT)}"


def equation_map(traced: Trace, focus: Focus = WHOLE, *, units: NDArray[np.intp] | None = None) -> go.Figure:
    """The memory of some units under the words; the pointer reads the law with its numbers at any of them.

    `units` from top to bottom; those that change most at the selected token, else at the last, unless given. A square's customdata
    begins with its unit.
    """
    layer = focus.drawn(traced)
    chosen = shown_units(traced, focus) if units is None else units
    memory = layer.memory[:, chosen].T  # (units, tokens)
    reach = gates.MEASURES["memory"].reach(memory)
    rows, columns = np.indices(memory.shape)
    parts = [layer.mu, _before(traced, focus), layer.lam, layer.candidate, layer.memory]
    numbers = np.stack([part[:, chosen].T for part in parts], axis=-1).reshape(-1, len(parts))  # (units * tokens, parts)
    frame = Frame(traced, focus, panels=1, height=max(_ROW * len(chosen), 60))
    labels = [str(unit) for unit in chosen]
    frame.y_axis(0, "", range=[len(chosen) - 0.5, -0.5], tickvals=np.arange(len(chosen)), ticktext=labels)
    frame.add(
        0,
        go.Heatmap(
            z=np.round(memory, 3),
            zmin=-reach,
            zmax=reach,
            colorscale=gates.MEASURES["memory"].stops(focus.theme),
            showscale=False,
            xgap=1,
            ygap=1,
            hoverinfo="skip",
        ),
        _readers(columns.ravel(), rows.ravel(), _told(chosen[rows.ravel()], numbers), focus),
    )
    figure = frame.figure()
    if focus.unit is not None:
        for row in np.flatnonzero(chosen == focus.unit):
            figure.add_hrect(row - 0.5, row + 0.5, yref="y", line={"color": TEXT.on(focus.theme), "width": 1})
    return figure


def shown_units(traced: Trace, focus: Focus = WHOLE) -> NDArray[np.intp]:
    """The UNITS whose memory changes most at the selected token, the most first; the selected unit is always among them."""
    layer = focus.whole(traced)
    units = most_changed(layer, len(traced.tokens) - 1 if focus.token is None else focus.token, UNITS)
    if focus.unit is not None and focus.unit not in units:
        units = np.append(units[: UNITS - 1], focus.unit)
    return units


def rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each token that is drawn and each unit of the map: the numbers of its equation."""
    whole, layer, words = focus.whole(traced), focus.drawn(traced), focus.columns(traced).words
    before, error = _before(traced, focus), law_error(whole)[focus.window]
    return [
        {"cell": traced.source, "position": position, "token": words[column], "unit": int(unit)}
        | {
            "mu": float(layer.mu[column, unit]),
            "before": float(before[column, unit]),
            "lam": float(layer.lam[column, unit]),
            "candidate": float(layer.candidate[column, unit]),
            "memory": float(layer.memory[column, unit]),
            "error": float(error[column, unit]),
        }
        for column, position in enumerate(focus.positions(traced))
        for unit in shown_units(traced, focus)
    ]


def _before(traced: Trace, focus: Focus) -> gates.Array:
    """The memory that each token that is drawn finds: of the first of them, what a word outside the window left."""
    return focus.whole(traced).previous()[focus.window]


def _told(units: NDArray[np.intp], numbers: gates.Array) -> list[list[float]]:
    """A row for each square: its unit and the numbers of its equation.

    Lists, because a browser tells of a click on a point what stands there, and of a row of an array it can't.
    """
    rounded = np.round(numbers.astype(np.float64), 3).tolist()
    return [[unit, *row] for unit, row in zip(units.tolist(), rounded, strict=True)]


def _readers(columns: NDArray[np.intp], rows: NDArray[np.intp], data: list[list[float]], focus: Focus) -> go.Scatter:
    """Points that can't be seen over every square: unlike a heatmap's they know a click."""
    unseen = {"marker": {"opacity": 0}}
    return go.Scatter(
        x=columns,
        y=rows,
        customdata=data,
        mode="markers",
        marker={"opacity": 0, "size": _ROW, "symbol": "square", "color": BACKGROUND.on(focus.theme)},
        selected=unseen,
        unselected=unseen,
        hovertemplate=(
            "<b>%{x}</b>, unit %{customdata[0]}<br>%{customdata[1]:.3f} · %{customdata[2]:.3f} + %{customdata[3]:.3f} · "
            "%{customdata[4]:.3f} = <b>%{customdata[5]:.3f}</b><br>μ · before + λ · F = memory<extra></extra>"
        ),
    )
