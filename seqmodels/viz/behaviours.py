"""What units do: their regimes under the words, and how often their gates are saturated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from seqmodels.traces import HIGH, OPEN, REGIMES, SHUT, regimes
from seqmodels.viz import gates, legends
from seqmodels.viz.frame import FONT, WHOLE, Focus, Frame, ground, rgba
from seqmodels.viz.palette import LINE, REGIME_COLOURS, TEXT, Theme

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Saturation, Trace

_SAYS = {
    "keep": "μ high, λ low",
    "accumulate": "both high",
    "overwrite": "μ low, λ high",
    "erase": "both low",
}
_HEIGHT = 220  # of the strip
_SQUARE, _GAP = 210, 62  # pixels: a scatter's side, and the room under it for the axis and the name of the next
_EDGE = 0.06  # how far the axes go beyond 0 and 1, so that points on the border are whole


def regime_strip(traced: Trace, focus: Focus = WHOLE) -> go.Figure:
    """Under each word a column of all units, parted by what they do there. With a unit selected, dots follow it."""
    layer, theme = focus.drawn(traced), focus.theme
    shares, units = regimes(layer), layer.mu.shape[1]
    frame = Frame(traced, focus, panels=1, height=_HEIGHT)
    frame.y_axis(0, "units, %", range=[0, 100], tickvals=[0, 50, 100])
    for number, regime in enumerate(REGIMES):
        frame.add(
            0,
            go.Bar(
                x=np.arange(len(shares)),
                y=np.round(100 * shares[:, number], 3),
                customdata=np.round(units * shares[:, number]).astype(np.int32),
                width=0.86,
                marker=_fill(regime.name, theme),
                hovertemplate=f"<b>%{{x}}</b><br>{regime.name}: %{{customdata}} of {units} units, %{{y:.3g}} %<extra></extra>",
            ),
        )
    if focus.unit is not None:
        frame.add(0, _followed(layer, shares, focus.unit, theme))
    figure = frame.figure()
    figure.update_layout(barmode="stack")
    return figure


def legend() -> str:
    """The four regimes and their colours, as HTML for either theme."""
    patches = (legends.patch(regime.name, *REGIME_COLOURS[regime.name], _SAYS[regime.name]) for regime in REGIMES)
    return legends.legend(patches, f"high: {HIGH:g} or more")


def saturation_scatter(found: Mapping[str, Saturation], focus: Focus = WHOLE) -> go.Figure:
    """A panel for each gate, `found` by its title; a point is a unit: how often its gate is wide open, and how often shut.

    No point can lie beyond the diagonal. The more points lie over each other, the deeper the colour. A point's customdata is its
    unit. Karpathy, Johnson, Li 2015.
    """
    theme = focus.theme
    total = len(found) * _SQUARE + (len(found) - 1) * _GAP
    points: list[go.Scatter] = []
    layout: dict[str, Any] = {"annotations": [], "shapes": [], **ground(theme)}
    for number, (title, shares) in enumerate(found.items()):
        measure, top = gates.MEASURES[title], total - number * (_SQUARE + _GAP)
        name = str(number + 1) if number else ""
        axes = {"xref": f"x{name}", "yref": f"y{name}"}
        points.append(_points(shares, measure.name, measure.colour.on(theme), focus).update(xaxis=f"x{name}", yaxis=f"y{name}"))
        layout[f"xaxis{name}"] = _share_axis(f"% of words at which {measure.symbol} > {OPEN:g}", theme) | {"anchor": f"y{name}"}
        layout[f"yaxis{name}"] = _share_axis(f"% at which {measure.symbol} < {SHUT:g}", theme) | {
            "anchor": f"x{name}",
            "domain": [(top - _SQUARE) / total, top / total],
        }
        corner = {"x": 97, "y": 97, "xanchor": "right", "yanchor": "top"}
        font = {"size": 15, "color": measure.ink.on(theme)}
        layout["annotations"].append({"text": f"<b>{measure.name}</b>", "font": font, "showarrow": False, **corner, **axes})
        diagonal = {"type": "line", "x0": 0, "y0": 100, "x1": 100, "y1": 0, "line": {"color": LINE.on(theme)}, "layer": "below"}
        layout["shapes"].append(diagonal | axes)
    layout |= {"height": total + 64, "margin": {"l": 56, "r": 8, "t": 8, "b": 56, "pad": 0}}
    return go.Figure(points, layout)


def regime_rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """What the strip is drawn from: a row for each token, the share of the units in each regime."""
    words, shares = focus.columns(traced).words, regimes(focus.drawn(traced))
    return [
        {"cell": traced.source, "position": position, "token": words[column]}
        | {regime.name: float(share) for regime, share in zip(REGIMES, shares[column], strict=True)}
        for column, position in enumerate(focus.positions(traced))
    ]


def saturation_rows(cell: str, found: Mapping[str, Saturation]) -> list[dict[str, Any]]:
    """What the scatter is drawn from: a row for each gate and unit."""
    return [
        {"cell": cell, "gate": title, "unit": unit, "open": float(shares.open[unit]), "shut": float(shares.shut[unit])}
        for title, shares in found.items()
        for unit in range(len(shares.open))
    ]


def _share_axis(title: str, theme: Theme) -> dict[str, Any]:
    """An axis from 0 to 100 %."""
    return {
        "title": {"text": title, "font": {"size": 13}, "standoff": 4},
        "range": [-100 * _EDGE, 100 * (1 + _EDGE)],
        "tickvals": [0, 50, 100],
        "tickfont": {"size": FONT},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "automargin": False,
        "showline": True,
        "mirror": True,
        "linecolor": LINE.on(theme),
    }


def _fill(regime: str, theme: Theme) -> dict[str, Any]:
    colour, stripe = REGIME_COLOURS[regime]
    fill: dict[str, Any] = {"color": colour.on(theme), "line": {"width": 0}}
    if stripe is None:
        return fill
    pattern = {
        "shape": "/",
        "size": 7,
        "solidity": 0.5,
        "fgcolor": stripe.on(theme),
        "bgcolor": colour.on(theme),
        "fillmode": "replace",
    }
    return fill | {"pattern": pattern}


def _followed(layer: LayerTrace, shares: gates.Array, unit: int, theme: Theme) -> go.Scatter:
    """One unit as a dot in the middle of the part of its regime."""
    keeps, writes = layer.mu[:, unit] >= HIGH, layer.lam[:, unit] >= HIGH
    doing = np.select([(keeps == regime.keeps) & (writes == regime.writes) for regime in REGIMES], range(len(REGIMES)))
    tops, columns = np.cumsum(shares, axis=1), np.arange(len(shares))
    middle = tops[columns, doing] - shares[columns, doing] / 2
    return go.Scatter(
        x=columns,
        y=np.round(100 * middle, 2),
        customdata=np.round(np.stack([layer.mu[:, unit], layer.lam[:, unit]], axis=1), 4),
        text=[REGIMES[number].name for number in doing],
        mode="lines+markers",
        line={"color": TEXT.on(theme), "width": 1, "dash": "dot"},
        marker={"size": 9, "color": "#ffffff", "line": {"color": "#1C2430", "width": 2}},
        hovertemplate=(
            f"unit {unit} at <b>%{{x}}</b>: %{{text}}<br>μ = %{{customdata[0]:.3f}}, λ = %{{customdata[1]:.3f}}<extra></extra>"
        ),
    )


def _points(shares: Saturation, name: str, colour: str, focus: Focus) -> go.Scatter:
    units = np.arange(len(shares.open))
    if focus.unit is not None:
        units = np.append(np.delete(units, focus.unit), focus.unit)  # the selected one lies on top
    return go.Scatter(
        x=np.round(100 * shares.open[units], 3),
        y=np.round(100 * shares.shut[units], 3),
        customdata=units,
        mode="markers",
        marker={"size": 9, "color": rgba(colour, 0.5), "line": {"width": 0.5, "color": colour}},
        # as a selection, so that a click is seen before the page answers
        selectedpoints=None if focus.unit is None else [len(units) - 1],
        selected={"marker": {"size": 14, "color": TEXT.on(focus.theme), "opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        hovertemplate=(
            f"unit %{{customdata}}<br>{name}: above {OPEN:g} at %{{x:.3g}} % of the words"
            f"<br>below {SHUT:g} at %{{y:.3g}} %<extra></extra>"
        ),
    )
