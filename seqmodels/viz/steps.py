"""One update of a network: the loss on the way that the weights take, and where each kind of clipping lets them land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from seqmodels.viz import keys
from seqmodels.viz.figure import FONT, ground, hover, picture, plotly_trace, rule
from seqmodels.viz.flows import decades
from seqmodels.viz.format import scientific
from seqmodels.viz.palette import BACKGROUND, LINE, MUTED, TEXT, Theme
from seqmodels.viz.walls import STYLES

if TYPE_CHECKING:
    from seqmodels.labs.training_step import Explosion

_LINES = {"none": ("along the gradient", MUTED, "solid"), "value": ("along what clipping by value makes of it", MUTED, "dash")}


def update(found: Explosion, *, theme: Theme = "light", height: int = 360) -> go.Figure:
    """The loss of the batch over the distance that all weights together move, both on logarithmic axes."""
    landed = np.array([landing.loss for landing in found.landings])
    axis = decades([*(line.loss for line in found.lines), landed, np.array([found.loss])])
    top = 10.0**axis.high
    traces: list[Any] = []
    for line in found.lines:
        name, ink, dash = _LINES[line.clipping]
        said = [_said(value) for value in line.loss]
        style = {"color": ink.on(theme), "width": 2, "dash": dash}
        losses = np.clip(np.where(np.isfinite(line.loss), line.loss, top), 0, top)
        template = hover(name, "moved %{x:.2g}", "loss %{text}")
        traces.append(
            plotly_trace("scatter", x=line.distance, y=losses, text=said, mode="lines", line=style, hovertemplate=template)
        )
    for landing in found.landings:
        name, ink, symbol, _ = STYLES[landing.clipping]
        loss = landing.loss if np.isfinite(landing.loss) else top
        marker = {"color": ink.on(theme), "size": 14, "symbol": symbol, "line": {"color": BACKGROUND.on(theme), "width": 1}}
        template = hover(f"<b>{name}</b>", "moved %{x:.2g}", f"loss {_said(landing.loss)}")
        traces.append(
            plotly_trace("scatter", x=[landing.distance], y=[loss], mode="markers", marker=marker, hovertemplate=template)
        )
    entries = [keys.line(name, ink.on(theme), dash) for name, ink, dash in _LINES.values()]
    entries += [keys.line(STYLES[landing.clipping][0], STYLES[landing.clipping][1].on(theme)) for landing in found.landings]
    key = keys.rows(entries)
    font = {"size": 13, "color": TEXT.on(theme)}
    edge: dict[str, Any] = {"showline": True, "mirror": True, "linecolor": LINE.on(theme), "ticks": "", "fixedrange": True}
    edge |= {"zeroline": False, "showgrid": False, "tickfont": {"size": FONT}}
    return picture(
        traces,
        {
            "xaxis": {
                **edge,
                "type": "log",
                "exponentformat": "power",
                "dtick": 1,
                "title": {"text": "how far the weights move", "font": font, "standoff": 4},
            },
            "yaxis": {
                **edge,
                "showgrid": True,
                "gridcolor": LINE.on(theme),
                "title": {"text": "loss", "font": font},
                **axis.axis(),
            },
            "shapes": [rule(y=found.loss, line={"color": TEXT.on(theme), "width": 1, "dash": "dot"}, layer="below")],
            "annotations": keys.notes(key, 46, FONT),
            "height": height + keys.ROW * len(key),
            "margin": {"l": 58, "r": 8, "t": 8, "b": 52 + keys.ROW * len(key), "pad": 0},
            **ground(theme),
        },
    )


def rows(found: Explosion) -> list[dict[str, Any]]:
    """The lines, a row a point; where an update lands is marked."""
    on_the_way = [
        {"direction": line.clipping, "distance": float(far), "loss": float(loss), "landing": False}
        for line in found.lines
        for far, loss in zip(line.distance, line.loss, strict=True)
    ]
    return on_the_way + [
        {"direction": landing.clipping, "distance": landing.distance, "loss": landing.loss, "landing": True}
        for landing in found.landings
    ]


def _said(loss: float) -> str:
    if not np.isfinite(loss):
        return "beyond the largest number there is"
    return f"{loss:.3g}" if loss < 1e4 else scientific(loss)
