"""A memory cell set by hand: its signal, gates and memory over the steps, and beside them those that a network has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.traces import LayerTrace, Trace
from seqmodels.viz import keys, law
from seqmodels.viz.figure import PlotlyTrace, ground, hover, picture, plotly_trace, rgba
from seqmodels.viz.frame import WORD, Focus, Frame
from seqmodels.viz.palette import LAM, LAM_INK, LINE, MU, MU_INK, MUTED, POSITIVE, REVEAL, TEXT, Pair, Theme

if TYPE_CHECKING:
    from seqmodels.labs.hand import Course, Signal
    from seqmodels.recurrence import Step

PANEL = 54  # pixels
_PALE = 0.45  # how much of a bar is left under a line


@dataclass(frozen=True)
class Beside:
    """What a network does on the same signal."""

    cell: str
    steps: Sequence[Step]
    answers: Sequence[float]

    @property
    def title(self) -> str:
        return law.title(self.cell)


def as_trace(signal: Signal, course: Course) -> Trace:
    """The first signal of a course as a trace of one unit."""
    parts = (course.mu, course.lam, course.candidate, course.memory)
    mu, lam, candidate, memory = (part[0].numpy().astype(np.float32)[:, None] for part in parts)  # (steps, 1)
    return Trace("", "By hand", signal.symbols, (LayerTrace(0, "forward", mu, lam, candidate, memory, memory),))


def cell(traced: Trace, focus: Focus, target: Sequence[float] | None = None, other: Beside | None = None) -> go.Figure:
    """Signal, keep, write and memory of the cell as bars, the memory wanted as a line, and a network's as points."""
    frame = Frame(traced, focus, panels=4, height=PANEL)
    frame.words_upright = True  # numbers and letters
    layer, theme = focus.drawn(traced), focus.theme

    def bars(panel: int, name: str, values: NDArray[Any], colour: Pair, says: str, ink: Pair = TEXT, **axis: Any) -> None:
        drawn = rgba(colour.on(theme), _PALE) if other else colour.on(theme)
        frame.bars(panel, values[:, 0], drawn, hover(WORD, f"{says} %{{y:.3f}}"), width=0.7)
        frame.y_axis(panel, name, ink, zeroline=True, zerolinecolor=LINE.on(theme), nticks=4, **axis)

    bars(0, "signal F", layer.candidate, MUTED, "signal F", rangemode="tozero")
    bars(1, "keep μ", layer.mu, MU, "keep μ", MU_INK, range=[-0.04, 1.12])
    bars(2, "write λ", layer.lam, LAM, "write λ", LAM_INK, range=[-0.04, 1.12])
    bars(3, "memory", layer.memory, POSITIVE, "memory", rangemode="tozero")
    frame.key.append(keys.area("yours", MU.on(theme), LAM.on(theme), POSITIVE.on(theme)))
    if target is not None:
        text = TEXT.on(theme)
        look: dict[str, Any] = {"mode": "lines", "line": {"color": text, "width": 2, "dash": "dot", "shape": "hvh"}}
        frame.line(3, np.array(target), text, hover(WORD, "wanted %{y:.3f}"), **look)
        frame.key.append(keys.line("wanted", text, "dot"))
    if other is not None:
        _overlay(frame, other, theme)
    return frame.figure()


def _overlay(frame: Frame, other: Beside, theme: Theme) -> None:
    """The gates of each of the network's units, and its answer."""
    gates = [step.gates for step in other.steps]
    for panel, name, ink, values in (
        (0, "F", TEXT, [gate.candidate for gate in gates]),
        (1, "keep μ", MU_INK, [gate.mu for gate in gates]),
        (2, "write λ", LAM_INK, [gate.lam for gate in gates]),
    ):
        for unit, drawn in enumerate(np.array([value.tolist() for value in values]).T):  # (steps,)
            which = f", unit {unit}" if len(values[0]) > 1 else ""
            text = hover(WORD, f"{name} of {other.title}{which} %{{y:.3f}}")
            frame.line(panel, drawn, ink.on(theme), text, marker=_point(ink, theme), line={"width": 1.5, "color": ink.on(theme)})
    text = hover(WORD, f"{other.title} answers %{{y:.3f}}")
    colour = REVEAL.on(theme)
    frame.line(3, np.array(other.answers), colour, text, marker=_point(REVEAL, theme), line={"width": 1.5, "color": colour})
    frame.key.append(keys.line(f"◆ {other.title}", colour))


def _point(colour: Pair, theme: Theme) -> dict[str, Any]:
    return {"symbol": "diamond", "size": 8, "color": colour.on(theme)}


def _short(value: float) -> str:
    return f"{value:.3g}"


def switch_equation(a: float, b: float, lam: float) -> str:
    """a + lam b with its numbers, as HTML."""
    parts = (
        law.Part(_short(a), "a"),
        law.Part("+"),
        law.Part(_short(lam), "write λ", "sm-lam"),
        law.Part("·"),
        law.Part(_short(b), "b"),
        law.Part("="),
        law.Part(f"<b>{_short(a + lam * b)}</b>", "sum"),
    )
    spoken = f"{_short(a)} plus {_short(lam)} times {_short(b)} equals {_short(a + lam * b)}"
    return f'<div class="sm-numbers">{law.typeset(parts, spoken)}</div>'


def switch(a: float, b: float, lam: float, theme: Theme = "light") -> go.Figure:
    """a + lam b as two bars, end to end, with all of b as an outline behind."""
    text, rest = TEXT.on(theme), rgba(LAM.on(theme), 0.15)
    written = lam * b

    def bar(start: float, length: float, colour: str, says: str, inside: str, **look: Any) -> PlotlyTrace:
        return plotly_trace(
            "bar",
            x=[length],
            y=[""],
            base=[start],
            orientation="h",
            width=0.6,
            marker={"color": colour, **look},
            text=[inside],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": 20},
            constraintext="none",
            hovertemplate=hover(f"{says} = {_short(length)}"),
        )

    outline = {"line": {"color": LAM.on(theme), "width": 2}}
    bars = [
        bar(0, a, MU.on(theme), "a", "a"),
        bar(a, b, rest, "b", "" if lam > 0.15 else "b", **outline),
        bar(a, written, LAM.on(theme), "λ b", "λ b" if lam > 0.15 else ""),
    ]
    mark = {"x": a + written, "y": 0.42, "yref": "y", "showarrow": False, "yanchor": "bottom", "font": {"size": 24, "color": text}}
    total = {**mark, "text": f"<b>{_short(a + written)}</b>"}
    line = {"type": "line", "x0": a + written, "x1": a + written, "y0": -0.42, "y1": 0.42, "line": {"color": text, "width": 3}}
    axis = {"range": [0, a + b + 0.3], "fixedrange": True, "zeroline": False, "gridcolor": LINE.on(theme), "tickfont": {"size": 14}}
    return picture(
        bars,
        {
            "barmode": "overlay",
            "xaxis": {**axis, "dtick": 1},
            "yaxis": {"visible": False, "fixedrange": True, "range": [-0.5, 0.8]},
            "annotations": [total],
            "shapes": [line],
            "height": 240,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 32},
            **ground(theme),
        },
    )
