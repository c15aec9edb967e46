"""A chart of a training as a plotly figure, for a file: what ECharts draws on the page, with the same lines, axes and marks."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from seqmodels.viz.figure import PlotlyTrace, ground, hover, picture, plotly_trace
from seqmodels.viz.palette import LINE, Theme, safe
from seqmodels.viz.training.frame import FONT, Option

_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot"}
_STRIP = (0.0, 0.14)  # of the height: where a second picture under the first one is
_ABOVE = (0.26, 1.0)


def figure(option: Option, theme: Theme, height: int = 320) -> go.Figure:
    """The figure of an ECharts option that this package has made."""
    x_axes, y_axes = _several(option["xAxis"]), _several(option["yAxis"])
    layout: dict[str, Any] = {
        **ground(theme),
        "height": height,
        "hovermode": "x unified" if len(y_axes) == 1 else "closest",
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": FONT}},
        "margin": {"l": 70, "r": 16, "t": 40, "b": 44},
        "shapes": [],
        "annotations": [],
        "xaxis": {"range": [x_axes[0]["min"], x_axes[0]["max"]], "title": {"text": "epoch"}, "showgrid": False, "anchor": "y"},
    }
    for number, axis in enumerate(y_axes):
        place = _ABOVE if number == 0 and len(y_axes) > 1 else _STRIP if number else (0.0, 1.0)
        layout[f"yaxis{number + 1 if number else ''}"] = {**_axis(axis, theme), "domain": place}
    if len(y_axes) > 1:
        layout["xaxis"]["anchor"] = f"y{len(y_axes)}"
    for line in option["series"]:
        for mark in line.get("markLine", {}).get("data", ()):
            colour, frame = mark["lineStyle"]["color"], {"xref": "x", "yref": "paper"}
            upright = {"type": "line", "x0": mark["xAxis"], "x1": mark["xAxis"], "y0": 0, "y1": 1, **frame}
            layout["shapes"].append(upright | {"line": {"color": colour, "width": 1.5, "dash": "dot"}})
            text = {"text": safe(mark["label"]["formatter"]), "font": {"color": colour, "size": FONT}, "showarrow": False}
            layout["annotations"].append({**text, "x": mark["xAxis"], "y": 1, "xanchor": "left", "yanchor": "top", **frame})
    return picture([_line(line) for line in option["series"]], layout)


def _line(line: Option) -> PlotlyTrace:
    look, dots = line["lineStyle"], line["showSymbol"]
    number = line.get("yAxisIndex", 0)
    fill = {"fill": "tozeroy"} if "areaStyle" in line else {}
    return plotly_trace(
        "scatter",
        x=[x for x, _ in line["data"]],
        y=[y for _, y in line["data"]],
        name=safe(line["name"]),
        yaxis=f"y{number + 1}" if number else "y",
        mode="markers" if not look["width"] else "lines+markers" if dots else "lines",
        opacity=look["opacity"],
        line={
            "color": look["color"],
            "width": look["width"],
            "dash": _DASHES[look["type"]],
            "shape": "hv" if "step" in line else "linear",
        },
        marker={"color": look["color"], "size": line["symbolSize"] + 1},
        hovertemplate=hover("%{y:.4g} at epoch %{x:.4g}") if number else "%{y:.4g}",
        **fill,
    )


def _axis(axis: Option, theme: Theme) -> dict[str, Any]:
    suffix = " %" if "%" in axis["axisLabel"].get("formatter", "") else ""
    found: dict[str, Any] = {"type": "log" if axis["type"] == "log" else "linear", "gridcolor": LINE.on(theme), "zeroline": False}
    found |= {"ticksuffix": suffix, "automargin": True}
    if "interval" in axis:
        found["dtick"] = axis["interval"]
    if axis["type"] == "log":
        return found | {"exponentformat": "power"}
    low, high = axis.get("min"), axis.get("max")
    return found | ({"range": [low, high]} if low is not None and high is not None else {"rangemode": "tozero"} if low == 0 else {})


def _several(axes: Option | list[Option]) -> list[Option]:
    return axes if isinstance(axes, list) else [axes]
