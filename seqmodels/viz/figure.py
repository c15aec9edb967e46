"""What every plotly figure here is made of: its ground, its traces, the texts of its points, and what a click on it selects."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, cast

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from seqmodels.viz.palette import BACKGROUND, TEXT, Theme

FONT = 12  # pixels
FACE = '"Source Sans", sans-serif'  # the app's own

PlotlyTrace = dict[str, Any]

_DRAWN = ("bar", "heatmap", "scatter")  # kinds of traces
_UNSEEN = ("coloraxis", "colorscale", "geo", "map", "mapbox", "polar", "scene", "ternary")  # parts of plotly's look


def ground(theme: Theme) -> dict[str, Any]:
    """What the layout of every figure begins with: the page's own ground, so that an exported picture has one."""
    return {
        "paper_bgcolor": BACKGROUND.on(theme),
        "plot_bgcolor": BACKGROUND.on(theme),
        "font": {"family": FACE, "color": TEXT.on(theme), "size": FONT},
        "hovermode": "closest",
        "hoverlabel": {"font": {"size": 14}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)"},
        "dragmode": False,
        "showlegend": False,
    }


def plotly_trace(kind: Literal["bar", "heatmap", "scatter"], **look: Any) -> PlotlyTrace:
    """What plotly calls a trace: one set of marks, with the properties of `go.Bar`, `go.Heatmap` or `go.Scatter`."""
    return {"type": kind, **look}


class Whole(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure that plotly takes apart, checks and copies only where a part of it is asked for.

    A page sends the whole, and to take it apart for that was a third of a click.
    """

    @classmethod
    def of(cls, traces: Sequence[PlotlyTrace], layout: Mapping[str, Any]) -> Whole:
        """Both are kept as they are."""
        figure = cls.__new__(cls)
        figure.__dict__["_whole"] = {"data": traces, "layout": layout}
        return figure

    def __getattr__(self, name: str) -> Any:
        # something that plotly's own __init__ would have set
        whole = self.__dict__.pop("_whole", None)
        if whole is None:
            raise AttributeError(name)
        super().__init__(whole)
        return getattr(self, name)

    def to_dict(self) -> dict[str, Any]:
        """What plotly sends, as of any other figure."""
        whole = self.__dict__.get("_whole")
        if whole is None:
            return cast(dict[str, Any], super().to_dict())
        return {"data": [_sent(trace) for trace in whole["data"]], "layout": dict(whole["layout"])}


def _sent(part: Any) -> Any:
    """An array goes to the browser as its bytes, as plotly sends it; nothing here hides one in a list."""
    if isinstance(part, Mapping):
        return {name: _sent(value) for name, value in part.items()}
    if not isinstance(part, np.ndarray) or not part.size or part.dtype.kind not in "fiu":
        return part
    if part.dtype.kind == "f":
        small = np.promote_types(part.dtype, np.float32)
    else:  # no wider than its numbers need
        small = np.min_scalar_type(min(int(part.min()), -1 - int(part.max())))
        if small.itemsize > 4:
            return part  # as text: plotly.js has no integers of 64 bits
    part = part.astype(small)
    spec = {"dtype": part.dtype.str[1:], "bdata": b64encode(part.tobytes()).decode()}
    return spec if part.ndim == 1 else {**spec, "shape": ", ".join(map(str, part.shape))}


def picture(traces: Sequence[PlotlyTrace], layout: Mapping[str, Any]) -> go.Figure:
    """A figure on plotly's own ground, to be shown or taken apart."""
    return Whole.of(traces, {"template": _template(), **layout})


@cache
def _template() -> dict[str, Any]:
    """Of plotly's own look what is seen here: each picture carries it to the browser, and most of it is of maps and the like."""
    look = pio.templates["plotly"].to_plotly_json()
    return {
        "layout": {name: value for name, value in look["layout"].items() if name not in _UNSEEN},
        "data": {kind: value for kind, value in look["data"].items() if kind in _DRAWN},
    }


def rule(*, x: float | None = None, y: float | None = None, **look: Any) -> dict[str, Any]:
    """A straight line through the whole of the first panel, upright at `x` or level at `y`: one of a layout's `shapes`."""
    if x is not None:
        ends = {"x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
    else:
        ends = {"x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y, "yref": "y"}
    return {"type": "line", **ends, **look}


def axis_title(text: str, standoff: int = 6) -> dict[str, Any]:
    """The name of an axis, so many pixels from its labels."""
    return {"text": text, "font": {"size": 14}, "standoff": standoff}


def picks(
    *,
    column: Mapping[str, Iterable[int | None]] | None = None,
    row: Mapping[str, Iterable[int | None]] | None = None,
    point: Mapping[str, Iterable[int | None]] | None = None,
) -> dict[str, Any]:
    """What a click selects: `meta` of a trace, or of a layout for all its traces that say nothing else.

    By a name, such as `token` or `unit`, the number that each column, row or point stands for; None for one that selects nothing.
    """
    ways = {"column": column, "row": row, "point": point}
    return {
        way: {name: [None if number is None else int(number) for number in numbers] for name, numbers in found.items()}
        for way, found in ways.items()
        if found is not None
    }


def rgba(colour: str, alpha: float) -> str:
    """'#rrggbb' with so much of the ground shining through."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def hover(*lines: str) -> str:
    """What the pointer reads at a point, line by line, as plotly's template: it fills in WORD, %{y}, %{customdata[0]} and so on."""
    return "<br>".join(lines) + "<extra></extra>"
