"""The gradient at every step back, on a logarithmic axis: of several cells beside each other, and of one in its two parts."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.viz import keys, law
from seqmodels.viz.figure import FONT, ground, hover, picture, plotly_trace, rule
from seqmodels.viz.format import scientific
from seqmodels.viz.gradients import Decades
from seqmodels.viz.legends import Stroke
from seqmodels.viz.palette import LINE, MU, MUTED, NEGATIVE, TEXT, Theme, cell_colour, cell_marker

if TYPE_CHECKING:
    from seqmodels.labs.gradients import GradientFlow

LAW = Stroke("along the law: the product of μ", MU)
REST = Stroke("the rest: through gates and F", NEGATIVE, "dot")
WHOLE = Stroke("the whole gradient", TEXT)

_MARKS = 8  # of a line, by which it is told from others
_LEFT, _KEY = 58, 46  # pixels: of the numbers, and of the axis above the key


def decades(values: Sequence[NDArray[Any]]) -> Decades:
    """An axis that holds all of them; zeros have a place of their own below it."""
    found = np.concatenate(values)
    seen = found[(found > 0) & np.isfinite(found)]
    low, high = (floor(log10(seen.min())), ceil(log10(seen.max()))) if len(seen) else (-1, 0)
    return Decades(min(low, -1), max(high, 0), bool((found == 0).any()))


def flows(found: Sequence[GradientFlow], *, theme: Theme = "light", height: int = 360) -> go.Figure:
    """A line for each cell: how large the gradient of the loss by its memory is, from the first step to the last."""
    axis = decades([flow.gradient for flow in found])
    traces: list[Any] = []
    for flow in found:
        name, colour = law.title(flow.cell), cell_colour(flow.cell).on(theme)
        back = _back(flow)
        points = _points(flow.gradient, axis)
        said = [_said(value) for value in flow.gradient]
        template = hover(f"<b>{name}</b>", "%{x} steps back", "gradient %{text}")
        line = {"color": colour, "width": 2.5}
        traces.append(
            plotly_trace("scatter", x=back, y=points, text=said, mode="lines", line=line, hovertemplate=template, name=name)
        )
        some = np.unique(np.linspace(0, len(back) - 1, _MARKS).astype(int))
        marker = {"color": colour, "size": 8, "symbol": cell_marker(flow.cell)}
        traces.append(plotly_trace("scatter", x=back[some], y=points[some], mode="markers", marker=marker, hoverinfo="skip"))
    entries = [keys.line(law.title(flow.cell), cell_colour(flow.cell).on(theme)) for flow in found]
    return _figure(traces, axis, entries, len(found[0].gradient) if found else 1, theme, height, "gradient by the memory")


def parts_axis(found: Sequence[GradientFlow]) -> Decades:
    """One axis for the parts of several cells, so that they can be compared."""
    return decades([values for flow in found for values in (flow.gradient, flow.law, flow.rest[:-1])])


def parts(flow: GradientFlow, *, axis: Decades | None = None, theme: Theme = "light", height: int = 230) -> go.Figure:
    """One cell: the whole gradient, what the law carries of it, and the rest."""
    shown = ((REST, flow.rest[:-1]), (LAW, flow.law), (WHOLE, flow.gradient))  # at the loss itself there is no rest yet
    axis = axis or parts_axis([flow])
    traces = []
    for stroke, values in shown:
        style = stroke.on(theme) | {"mode": "lines"}
        style["line"]["width"] = 1 if stroke is WHOLE else 2.5
        said = [_said(value) for value in values]
        template = hover(stroke.name, "%{x} steps back", "%{text}")
        traces.append(
            plotly_trace(
                "scatter", x=_back(flow)[: len(values)], y=_points(values, axis), text=said, hovertemplate=template, **style
            )
        )
    entries = [stroke.key(theme) for stroke, _ in reversed(shown)]
    return _figure(traces, axis, entries, len(flow.gradient), theme, height, law.title(flow.cell))


def rows(found: Sequence[GradientFlow]) -> list[dict[str, Any]]:
    """What the lines are drawn from: a row for each cell and step."""
    return [
        {"cell": flow.cell, "step": step, "steps_back": len(flow.gradient) - 1 - step}
        | {"gradient": float(flow.gradient[step]), "law": float(flow.law[step]), "rest": float(flow.rest[step])}
        for flow in found
        for step in range(len(flow.gradient))
    ]


def _back(flow: GradientFlow) -> NDArray[np.intp]:
    return np.arange(len(flow.gradient))[::-1]


def _points(values: NDArray[Any], axis: Decades) -> NDArray[Any]:
    """Where they are drawn: an exact zero at the place of zero, what overflows at the upper edge."""
    drawn = np.where(values == 0, 10**axis.bottom, np.clip(np.nan_to_num(values, nan=np.nan, posinf=np.inf), 0, 10.0**axis.high))
    return np.array([float(f"{value:.4g}") for value in drawn])


def _said(value: float) -> str:
    if value == 0:
        return "0: below the smallest number there is"
    return scientific(value) if np.isfinite(value) else "beyond the largest number there is"


def _figure(
    traces: Sequence[Any], axis: Decades, entries: Sequence[keys.Entry], length: int, theme: Theme, height: int, title: str
) -> go.Figure:
    key = keys.rows(entries)
    edge = {"showline": True, "mirror": True, "linecolor": LINE.on(theme), "ticks": "", "fixedrange": True, "zeroline": False}
    font = {"size": 13, "color": TEXT.on(theme)}
    x_axis = {
        "range": [length - 1 + 0.01 * length, -0.01 * length],
        "title": {"text": "steps back from the loss", "font": font, "standoff": 4},
    }
    y_axis = {"title": {"text": title, "font": font}, "showgrid": True, "gridcolor": LINE.on(theme), "tickfont": {"size": FONT}}
    return picture(
        traces,
        {
            "xaxis": {**edge, **x_axis, "showgrid": False, "tickfont": {"size": FONT}},
            "yaxis": {**edge, **y_axis, **axis.axis()},
            "shapes": [rule(y=1, line={"color": MUTED.on(theme), "width": 1}, layer="below"), *axis.rules(theme)],
            "annotations": keys.notes(key, _KEY, FONT),
            "height": height + keys.ROW * len(key),
            "margin": {"l": _LEFT, "r": 8, "t": 8, "b": _KEY + 6 + keys.ROW * len(key), "pad": 0},
            **ground(theme),
        },
    )
