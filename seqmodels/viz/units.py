"""What units do: their regimes under the words, how often their gates are saturated, and how long they remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.traces import HIGH, OPEN, REGIMES, SHUT, half_life, quantile, regimes, unit_regimes
from seqmodels.viz import gates, keys
from seqmodels.viz.figure import FONT, PlotlyTrace, ground, hover, picks, picture, plotly_trace, rgba
from seqmodels.viz.format import duration
from seqmodels.viz.frame import MARGIN_LEFT, MARGIN_RIGHT, WHOLE, WORD, Focus, Frame, token_rows
from seqmodels.viz.legends import legend, patch
from seqmodels.viz.palette import BACKGROUND, LINE, MU, MU_INK, REGIME_COLOURS, TEXT, Theme

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Saturation, Trace

Values = NDArray[np.floating[Any]]

MEANINGS = {"keep": "μ high, λ low", "accumulate": "both high", "overwrite": "μ low, λ high", "erase": "both low"}
SHORTEST, LONGEST = 0.05, 1000.0  # tokens; a half-life beyond stands at the edge of the picture
ORDERS = {"half-life": "units, the longest half-life first", "unit": "units, as they are"}

_STRIP = 200  # pixels: the height of the strip of regimes
_SQUARE, _GAP = 210, 62  # a scatter's side, and the room under it for the axis and the name of the next
_EDGE = 0.06  # how far the axes go beyond 0 and 1, so that points on the border are whole


def regime_strip(traced: Trace, focus: Focus = WHOLE) -> go.Figure:
    """Under each word a column of all units, grouped by what they do there. With a unit selected, dots follow it."""
    layer = focus.drawn(traced)
    shares, units = regimes(layer), layer.mu.shape[1]
    frame = Frame(traced, focus, panels=1, height=_STRIP)
    frame.y_axis(0, "units, %", range=[0, 100], tickvals=[0, 50, 100])
    for number, regime in enumerate(REGIMES):
        counts = np.round(units * shares[:, number]).astype(np.int32)
        text = hover(WORD, f"{regime.name}: %{{customdata}} of {units} units, %{{y:.3g}} %")
        look = {"width": 0.86, "marker": _fill(regime.name, focus.theme), "customdata": counts}
        frame.bars(0, 100 * shares[:, number], "", text, **look)
        frame.key.append(keys.area(regime.name, *(colour.on(focus.theme) for colour in REGIME_COLOURS[regime.name] if colour)))
    if focus.unit is not None:
        _follow(frame, layer, shares, focus.unit)
    return frame.figure(barmode="stack")


def regime_rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """What the strip is drawn from: a row for each token, the share of the units in each regime."""
    shares = regimes(focus.drawn(traced))
    return token_rows(traced, focus, {regime.name: shares[:, number] for number, regime in enumerate(REGIMES)})


def regime_legend() -> str:
    """The four regimes and their colours."""
    patches = [patch(regime.name, *REGIME_COLOURS[regime.name], MEANINGS[regime.name]) for regime in REGIMES]
    return legend(patches, f"high: {HIGH:g} or more")


def saturation_scatter(found: Mapping[str, Saturation], focus: Focus = WHOLE) -> go.Figure:
    """A panel for each gate, `found` by its title; a point is a unit: how often its gate is wide open, and how often shut.

    No point can lie beyond the diagonal. The more points lie over each other, the deeper the colour. A click on a point selects
    its unit. Karpathy, Johnson, Li 2015.
    """
    theme = focus.theme
    total = len(found) * _SQUARE + (len(found) - 1) * _GAP
    points: list[PlotlyTrace] = []
    layout: dict[str, Any] = {"annotations": [], "shapes": [], **ground(theme)}
    for number, (title, shares) in enumerate(found.items()):
        measure, top = gates.MEASURES[title], total - number * (_SQUARE + _GAP)
        name = str(number + 1) if number else ""
        axes = {"xref": f"x{name}", "yref": f"y{name}"}
        points.append(_points(shares, measure.name, measure.colour.on(theme), focus) | {"xaxis": f"x{name}", "yaxis": f"y{name}"})
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
    return picture(points, layout)


def saturation_rows(cell: str, found: Mapping[str, Saturation]) -> list[dict[str, Any]]:
    """What the scatter is drawn from: a row for each gate and unit."""
    return [
        {"cell": cell, "gate": title, "unit": unit, "open": float(shares.open[unit]), "shut": float(shares.shut[unit])}
        for title, shares in found.items()
        for unit in range(len(shares.open))
    ]


def half_lives(traced: Trace, focus: Focus = WHOLE, *, order: str = "half-life") -> go.Figure:
    """The half-life of every unit over the whole text, as bars on a logarithmic axis; the selected unit in the colour of text.

    In the order of `half-life`, the longest first, or of `unit`. A click on a bar selects its unit.
    """
    if order not in ORDERS:
        raise ValueError(f"unknown order {order!r}: choose one of {', '.join(ORDERS)}")
    tokens, theme = half_life(focus.whole(traced).mu), focus.theme
    units = np.argsort(-tokens, kind="stable") if order == "half-life" else np.arange(len(tokens))
    bars = plotly_trace(
        "bar",
        x=np.arange(len(units)),
        y=np.round(np.clip(tokens[units], SHORTEST, LONGEST), 4),
        customdata=units,
        meta=picks(point={"unit": units}),
        text=[duration(float(tokens[unit])) for unit in units],
        textposition="none",
        marker={"color": [(TEXT if unit == focus.unit else MU).on(theme) for unit in units], "line": {"width": 0}},
        hovertemplate=hover("unit %{customdata}: half-life %{text}"),
    )
    median = quantile(tokens, 0.5)
    axis = {"fixedrange": True, "zeroline": False, "automargin": False}
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": {"color": TEXT.on(theme), "width": 1, "dash": "dash"}}
    return picture(
        [bars],
        {
            **ground(theme),
            "hovermode": "x",  # a bar is two pixels wide: the nearest answers
            "height": 250,
            "bargap": 0,
            "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": 8, "b": 34},
            "annotations": _notes(tokens, units, median, focus),
            "shapes": [line | {"y0": median, "y1": median}] if SHORTEST < median < LONGEST else [],
            "xaxis": {
                **axis,
                "title": {"text": ORDERS[order], "font": {"size": 13}},
                "range": [-0.5, len(units) - 0.5],
                "showticklabels": False,
                "showgrid": False,
            },
            "yaxis": {
                **axis,
                "title": {"text": "half-life, tokens", "font": {"size": 14, "color": MU_INK.on(theme)}, "standoff": 6},
                "type": "log",
                "range": [np.log10(SHORTEST), np.log10(LONGEST)],
                "tickvals": [0.1, 1, 10, 100, LONGEST],
                "ticktext": ["0.1", "1", "10", "100", f"≥ {LONGEST:.0f}"],
                "tickfont": {"size": FONT},
                "gridcolor": LINE.on(theme),
            },
        },
    )


def half_life_rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each unit."""
    tokens = half_life(focus.whole(traced).mu)
    return [{"cell": traced.label, "unit": unit, "half_life": float(value)} for unit, value in enumerate(tokens)]


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
    plain: dict[str, Any] = {"color": colour.on(theme), "line": {"width": 0}}
    if stripe is None:
        return plain
    colours = {"fgcolor": stripe.on(theme), "bgcolor": colour.on(theme), "fillmode": "replace"}
    return plain | {"pattern": {"shape": "/", "size": 7, "solidity": 0.5, **colours}}


def _follow(frame: Frame, layer: LayerTrace, shares: gates.Array, unit: int) -> None:
    """One unit as a dot in the middle of the part of its regime."""
    doing, columns = unit_regimes(layer)[:, unit], np.arange(len(shares))
    middle = np.cumsum(shares, axis=1)[columns, doing] - shares[columns, doing] / 2
    frame.line(
        0,
        100 * middle,
        TEXT.on(frame.theme),
        hover(f"unit {unit} at {WORD}: %{{text}}", "μ = %{customdata[0]:.3f}, λ = %{customdata[1]:.3f}"),
        thin=True,
        customdata=np.round(np.stack([layer.mu[:, unit], layer.lam[:, unit]], axis=1), 4),
        text=[REGIMES[number].name for number in doing],
        marker={"size": 9, "color": "#ffffff", "line": {"color": "#1C2430", "width": 2}},
    )


def _points(shares: Saturation, name: str, colour: str, focus: Focus) -> PlotlyTrace:
    units = np.arange(len(shares.open))
    if focus.unit is not None:
        units = np.append(np.delete(units, focus.unit), focus.unit)  # the selected one lies on top
    text = hover("unit %{customdata}", f"{name}: above {OPEN:g} at %{{x:.3g}} % of the words", f"below {SHUT:g} at %{{y:.3g}} %")
    return plotly_trace(
        "scatter",
        x=np.round(100 * shares.open[units], 3),
        y=np.round(100 * shares.shut[units], 3),
        customdata=units,
        meta=picks(point={"unit": units}),
        mode="markers",
        marker={"size": 9, "color": rgba(colour, 0.5), "line": {"width": 0.5, "color": colour}},
        selectedpoints=None if focus.unit is None else [len(units) - 1],
        selected={"marker": {"size": 14, "color": TEXT.on(focus.theme), "opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        hovertemplate=text,
    )


def _notes(tokens: Values, units: NDArray[np.intp], median: float, focus: Focus) -> list[dict[str, Any]]:
    """The median, and the selected unit by its name."""
    alike = bool(tokens.min() == tokens.max())
    note = {
        "font": {"size": 13, "color": TEXT.on(focus.theme)},
        "bgcolor": rgba(BACKGROUND.on(focus.theme), 0.75),
        "showarrow": False,
        "yanchor": "bottom",
    }
    text = f"every unit: {duration(median)}" if alike else f"median {duration(median)}"
    notes = [{**note, "text": text, "x": 1, "xref": "paper", "xanchor": "right", "y": _height(median)}]
    if focus.unit is not None and not alike:
        column, value = int(np.flatnonzero(units == focus.unit)[0]), float(tokens[focus.unit])
        side = "left" if column < len(units) / 2 else "right"
        named = f"unit {focus.unit}: {duration(value)}"
        # over the median's note, which stands at the right
        notes.append({**note, "text": named, "x": column, "xanchor": side, "y": _height(max(value, 3 * median))})
    return notes


def _height(tokens: float) -> float:
    """Where a note on a half-life stands on the axis: in the picture, with room above."""
    return float(np.log10(np.clip(tokens, SHORTEST, LONGEST / 3)))
