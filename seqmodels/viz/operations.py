"""Gate surgery: how a memory differs from that of the untouched run, word by word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.viz.frame import WHOLE, Focus, Frame
from seqmodels.viz.gates import MEASURES
from seqmodels.viz.palette import DIFFERENT, TEXT

if TYPE_CHECKING:
    from seqmodels.traces import Trace

_MEMORY = MEASURES["memory"]
_HEIGHT = 170


def change(before: Trace, after: Trace, focus: Focus = WHOLE) -> NDArray[np.float64]:
    """(tokens,): the L2 norm of what is different in the memory, as a share of the two memories' norms together: 0 to 1."""
    ours, theirs = (focus.drawn(traced).memory.astype(np.float64) for traced in (after, before))
    size = np.linalg.norm(ours, axis=1) + np.linalg.norm(theirs, axis=1)
    return np.divide(np.linalg.norm(ours - theirs, axis=1), size, out=np.zeros(len(size)), where=size > 0)


def wound(before: Trace, after: Trace, focus: Focus = WHOLE) -> go.Figure:
    """How much of the memory is different at each word, and in which units: those that differ most on top."""
    difference = focus.drawn(after).memory - focus.drawn(before).memory  # (tokens, units)
    order = np.argsort(-np.abs(difference).sum(axis=0), kind="stable")
    frame = Frame(after, focus, panels=2, height=_HEIGHT)
    colour = DIFFERENT.on(focus.theme)
    frame.add(
        0,
        go.Bar(
            y=np.round(change(before, after, focus), 4),
            marker={"color": colour},
            hovertemplate="<b>%{x}</b><br>%{y:.1%} of the memory is different<extra></extra>",
        ),
    )
    frame.y_axis(0, "changed", DIFFERENT, range=[0, 1], tickformat=".0%", nticks=3, showgrid=True)
    reach = max(float(np.abs(difference).max(initial=0)), 1e-6)
    frame.add(
        1,
        go.Heatmap(
            z=np.round(difference.T[order], 4),
            zmin=-reach,
            zmax=reach,
            colorscale=_MEMORY.stops(focus.theme),
            showscale=False,
            hovertemplate="<b>%{x}</b><br>unit %{y}<br>memory after minus before = %{z:.3f}<extra></extra>",
        ),
    )
    rows = np.arange(len(order))
    axis = {"range": [len(order) - 0.5, -0.5], "tickvals": rows, "ticktext": order.astype(str), "showticklabels": False}
    frame.y_axis(1, "difference", TEXT, **axis)
    return frame.figure()


def rows(before: Trace, after: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """What the picture is drawn from: a row for each token and unit."""
    ours, theirs, words = focus.drawn(after).memory, focus.drawn(before).memory, focus.columns(after).words
    return [
        {
            "cell": after.source,
            "position": position,
            "token": words[column],
            "unit": unit,
            "memory_before": float(theirs[column, unit]),
            "memory_after": float(ours[column, unit]),
        }
        for column, position in enumerate(focus.positions(after))
        for unit in range(ours.shape[1])
    ]
