"""The eigenvalues of a recurrent matrix in the complex plane, with the circles that decide what a gradient can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from seqmodels.viz import keys
from seqmodels.viz.figure import FONT, ground, hover, picture, plotly_trace
from seqmodels.viz.palette import LINE, MUTED, NEGATIVE, POSITIVE, TEXT, Theme

if TYPE_CHECKING:
    from seqmodels.labs.spectrum import Spectrum

_AROUND = 1.12  # the plane goes beyond the largest circle


def spectrum(found: Spectrum, *, theme: Theme = "light", height: int = 300) -> go.Figure:
    """Dots are eigenvalues. Circles: size 1, 1/gamma where it is another, the spectral radius, and the largest singular value."""
    circles = [("size 1", 1.0, TEXT, "solid")]
    if found.limit != 1:
        circles.append((f"1/γ = {found.limit:g}", found.limit, MUTED, "solid"))
    circles += [
        (f"spectral radius {found.radius:.2f}", found.radius, POSITIVE, "dot"),
        (f"largest singular value {found.largest:.2f}", found.largest, NEGATIVE, "dash"),
    ]
    reach = _AROUND * max(size for _, size, _, _ in circles)
    line = {"type": "circle", "xref": "x", "yref": "y", "layer": "below"}
    shapes = [
        {**line, "x0": -size, "y0": -size, "x1": size, "y1": size, "line": {"color": ink.on(theme), "width": 2, "dash": dash}}
        for _, size, ink, dash in circles
    ]
    values = np.round(found.eigenvalues, 4)
    dots = plotly_trace(
        "scatter",
        x=values.real,
        y=values.imag,
        customdata=np.round(np.abs(values), 3),
        mode="markers",
        marker={"color": TEXT.on(theme), "size": 5, "opacity": 0.75},
        hovertemplate=hover("eigenvalue %{x:.2f} + %{y:.2f} i", "size %{customdata:.3f}"),
    )
    key = keys.rows([keys.line(name, ink.on(theme), dash) for name, _, ink, dash in circles])
    edge: dict[str, Any] = {"showline": True, "mirror": True, "linecolor": LINE.on(theme), "ticks": "", "fixedrange": True}
    edge |= {
        "showgrid": False,
        "zeroline": True,
        "zerolinecolor": LINE.on(theme),
        "range": [-reach, reach],
        "tickfont": {"size": FONT},
    }
    below = 28 + keys.ROW * len(key)
    return picture(
        [dots],
        {
            "xaxis": {**edge, "constrain": "domain"},
            "yaxis": {**edge, "scaleanchor": "x", "constrain": "domain"},
            "shapes": shapes,
            "annotations": keys.notes(key, 22, FONT),
            "height": height + keys.ROW * len(key),
            "margin": {"l": 34, "r": 8, "t": 8, "b": below, "pad": 0},
            **ground(theme),
        },
    )


def rows(found: Spectrum) -> list[dict[str, Any]]:
    """A row for each eigenvalue and, in the order of size, singular value."""
    pairs = zip(sorted(found.eigenvalues, key=abs, reverse=True), found.singular_values, strict=True)
    return [
        {"real": float(value.real), "imaginary": float(value.imag), "size": float(abs(value)), "singular_value": float(singular)}
        for value, singular in pairs
    ]
