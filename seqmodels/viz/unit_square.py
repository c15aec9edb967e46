"""The mu-lambda square: every token and unit at its point (mu, lam). Each cell has its own place in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.cells import CELLS
from seqmodels.viz import keys, law
from seqmodels.viz.figure import FONT, PlotlyTrace, ground, hover, picks, picture, plotly_trace, rgba
from seqmodels.viz.frame import WHOLE, Focus
from seqmodels.viz.palette import LAM_INK, LINE, MU_INK, MUTED, REVEAL, TEXT, Theme, safe, shorten

if TYPE_CHECKING:
    from seqmodels.traces import Trace

BINS = 50  # a side
_EDGE = 0.06  # how far the axes go beyond 0 and 1, so that points on the border are whole
_HEIGHT = 360
# off the diagonal, where GRU's points lie
_NAMES = ((0.34, 0.87, "overwrite"), (0.75, 0.75, "accumulate"), (0.25, 0.25, "erase"), (0.69, 0.13, "keep"))


def density(mu: NDArray[np.float32], lam: NDArray[np.float32], bins: int = BINS) -> NDArray[np.float64]:
    """mu, lam of any one shape -> (bins, bins): the share of the points in each field; rows are lam, columns mu."""
    counts, _, _ = np.histogram2d(lam.ravel(), mu.ravel(), bins=bins, range=[[0, 1], [0, 1]])
    return counts / max(counts.sum(), 1)  # a gate of a cell of yours may lie outside


def square(traced: Trace, focus: Focus = WHOLE) -> go.Figure:
    """All points of the text as a density; those of the selected token as dots, the selected unit's as a path from word to word."""
    layer, theme = focus.whole(traced), focus.theme
    drawn: list[Any] = [_cloud(density(layer.mu, layer.lam), layer.mu.size, theme)]
    if focus.token is not None:
        layer.check(focus.token)
        word = safe(shorten(traced.tokens[focus.token]))
        drawn.append(_dots(layer.mu[focus.token], layer.lam[focus.token], word, theme))
    if focus.unit is not None:
        seen = focus.drawn(traced)
        words = [safe(shorten(word)) for word in focus.columns(traced).words]
        path = _path(seen.mu[:, focus.unit], seen.lam[:, focus.unit], words, focus.unit, theme)
        drawn.append(path | {"meta": picks(point={"token": focus.positions(traced)})})
    axis: dict[str, Any] = {
        "range": [-_EDGE, 1 + _EDGE],
        "tickvals": [0, 0.5, 1],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": FONT},
    }
    ink = {"size": 15}
    few_to_many = keys.scale("points", [rgba(TEXT.on(theme), share) for share in (0.06, 0.35, 0.6, 0.9)], ("few", "many"))
    title = shorten(law.title(traced.cell, traced.model))
    key = keys.rows([keys.Entry(f"<b>{safe(title)}</b>", len(title)), few_to_many])
    return picture(
        drawn,
        {
            "xaxis": {**axis, "constrain": "domain", "title": {"text": "keep μ", "font": {**ink, "color": MU_INK.on(theme)}}},
            "yaxis": {
                **axis,
                "title": {"text": "write λ", "font": {**ink, "color": LAM_INK.on(theme)}},
                "scaleanchor": "x",
                "constrain": "domain",
                "constraintoward": "top",
            },
            "shapes": _map(theme),
            "annotations": [*_regions(theme), *_families(theme), *keys.notes(key, 54, FONT)],
            "height": _HEIGHT + 6 + keys.ROW * len(key),
            "margin": {"l": 56, "r": 12, "t": 12, "b": 58 + keys.ROW * len(key)},
            **ground(theme),
        },
    )


def _cloud(shares: NDArray[np.float64], points: int, theme: Theme) -> PlotlyTrace:
    side = (np.arange(BINS) + 0.5) / BINS
    colour = TEXT.on(theme)
    return plotly_trace(
        "heatmap",
        x=side,
        y=side,
        # a field that holds all points and one that holds a few must both be seen
        z=np.where(shares > 0, np.sqrt(shares), np.nan).astype(np.float32),
        customdata=np.round(shares * points).astype(np.int32),
        zmin=0,
        zmax=float(np.sqrt(shares.max())) or 1.0,
        colorscale=[(0, rgba(colour, 0.06)), (1, rgba(colour, 0.9))],
        showscale=False,
        hoverongaps=False,
        hovertemplate=hover(f"%{{customdata:,}} of {points:,} points", "μ ≈ %{x:.2f}, λ ≈ %{y:.2f}"),
    )


def _dots(mu: NDArray[np.float32], lam: NDArray[np.float32], word: str, theme: Theme) -> PlotlyTrace:
    return plotly_trace(
        "scatter",
        x=np.round(mu, 4),
        y=np.round(lam, 4),
        customdata=np.arange(len(mu)),
        meta=picks(point={"unit": range(len(mu))}),
        text=[word] * len(mu),  # not in the template, where a typed %{x} would be filled in
        mode="markers",
        marker={"size": 7, "color": rgba(REVEAL.on(theme), 0.75), "line": {"width": 0.5, "color": LINE.on(theme)}},
        hovertemplate=hover("<b>%{text}</b>, unit %{customdata}", "μ = %{x:.3f}, λ = %{y:.3f}"),
    )


def _path(mu: NDArray[np.float32], lam: NDArray[np.float32], words: list[str], unit: int, theme: Theme) -> PlotlyTrace:
    return plotly_trace(
        "scatter",
        x=np.round(mu, 4),
        y=np.round(lam, 4),
        text=words,
        mode="lines+markers",
        line={"width": 1.5, "color": TEXT.on(theme)},
        marker={"size": 6, "color": TEXT.on(theme), "symbol": "diamond"},
        hovertemplate=hover(f"unit {unit} at <b>%{{text}}</b>", "μ = %{x:.3f}, λ = %{y:.3f}"),
    )


def _map(theme: Theme) -> list[dict[str, Any]]:
    """The border, the cross that parts the regimes, and the lines on which whole families lie."""
    line, strong = {"color": LINE.on(theme), "width": 1}, {"color": MUTED.on(theme), "width": 1, "dash": "dot"}
    ends = [(0, 0.5, 1, 0.5, line), (0.5, 0, 0.5, 1, line), (0, 1, 1, 0, strong), (1, 0, 1, 1, strong)]
    drawn = [
        {"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "line": how, "layer": "below"} for x0, y0, x1, y1, how in ends
    ]
    return [{"type": "rect", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": line, "layer": "below"}, *drawn]


def _regions(theme: Theme) -> list[dict[str, Any]]:
    font = {"size": 15, "color": MUTED.on(theme)}
    return [{"x": x, "y": y, "text": name, "font": font, "showarrow": False} for x, y, name in _NAMES]


def _families(theme: Theme) -> list[dict[str, Any]]:
    """The names of the cells that must lie somewhere, whatever they have learned."""
    places = [(*cell.label_at, cell.title) for cell in CELLS.values() if cell.label_at is not None]
    return [
        {
            "x": x,
            "y": y,
            "text": safe(title),
            "font": {"size": FONT, "color": TEXT.on(theme)},
            "showarrow": False,
            "xanchor": "right" if x == 1 else "left",
            "yanchor": "bottom",
            "xshift": -4 if x == 1 else 4,
        }
        for x, y, title in places
    ]
