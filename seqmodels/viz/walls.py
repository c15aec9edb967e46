"""The wall: the loss over two weights as heights, and the paths that gradient descent takes over it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.viz import keys
from seqmodels.viz.figure import FONT, ground, hover, picks
from seqmodels.viz.format import number
from seqmodels.viz.palette import BACKGROUND, ERASE, LINE, MUTED, NEGATIVE, POSITIVE, REVEAL, SURFACE, TEXT, Pair, Theme

if TYPE_CHECKING:
    from seqmodels.labs.wall import Descent, Surface

STYLES: dict[str, tuple[str, Pair, str, str]] = {  # of a clipping: its name, colour, marker, dash
    "none": ("without clipping", NEGATIVE, "x", "solid"),
    "norm": ("clipped by norm", POSITIVE, "circle", "solid"),
    "value": ("clipped by value", REVEAL, "square", "dash"),
}
_HUNDREDTHS = 100
_LOWEST = 1e-4  # of the scale of the loss
_PLAY_MS = 350  # a step of the animation


def wall(ground_: Surface, descents: Sequence[Descent], *, theme: Theme = "light", height: int = 400) -> go.Figure:
    """Seen from above. A click hands over w and b in hundredths, and Play goes through the updates one by one.

    Columns and rows of the grid are the units of the axes, so that a click can be told from them.
    """
    columns, rows_ = _Ruler(ground_.w), _Ruler(ground_.b)
    shown = np.log10(np.maximum(ground_.loss, _LOWEST))  # the valley is far below the plateaus
    heights = go.Heatmap(
        z=np.round(shown, 3).astype(np.float32),
        colorscale=_scale(theme),
        showscale=False,
        zsmooth="best",
        customdata=np.round(ground_.loss, 4).astype(np.float32),
        hovertemplate=hover("loss %{customdata:.3f}", "click to start here"),
    )
    paths = [_path(descent, columns, rows_, theme) for descent in descents]
    steps = max((len(descent.w) for descent in descents), default=1)
    moving = list(range(1, 1 + len(descents)))
    frames = [go.Frame(name=str(step), traces=moving, data=[_begun(path, step + 1) for path in paths]) for step in range(steps)]
    key = keys.rows(
        [
            *(
                keys.line(STYLES[descent.clipping][0], STYLES[descent.clipping][1].on(theme), STYLES[descent.clipping][3])
                for descent in descents
            ),
            keys.scale("loss", [colour for _, colour in _scale(theme)], (f"{_LOWEST:g}", f"{ground_.loss.max():.2f}")),
        ]
    )
    edge: dict[str, Any] = {"showline": True, "mirror": True, "linecolor": LINE.on(theme), "ticks": "", "fixedrange": True}
    edge |= {"showgrid": False, "zeroline": False, "tickfont": {"size": FONT}}
    figure = go.Figure(
        [heights, *paths],
        {
            "xaxis": {**edge, **columns.axis(), "title": {"text": "w", "font": {"size": 14}, "standoff": 4}},
            "yaxis": {**edge, **rows_.axis(), "title": {"text": "b", "font": {"size": 14}}},
            "annotations": keys.notes(key, 42, FONT),
            "height": height + keys.ROW * len(key),
            "margin": {"l": 46, "r": 8, "t": 40, "b": 48 + keys.ROW * len(key), "pad": 0},
            "meta": picks(column={"w": columns.hundredths}, row={"b": rows_.hundredths}),
            "updatemenus": [_buttons(theme)],
            **ground(theme),
        },
        frames=frames,
    )
    return figure


def rows(descents: Sequence[Descent]) -> list[dict[str, Any]]:
    """A row for each point that is visited."""
    return [
        {"clipping": descent.clipping, "update": step, "w": float(descent.w[step]), "b": float(descent.b[step])}
        | {"loss": float(descent.loss[step]), "gradient_norm": float(descent.norm[step]), "clipped": bool(descent.clipped[step])}
        for descent in descents
        for step in range(len(descent.w))
    ]


class _Ruler:
    """An axis whose units are the places of a grid."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.values, self.start, self.step = values, float(values[0]), float(values[1] - values[0])

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round((values - self.start) / self.step, 2)

    @property
    def hundredths(self) -> list[int]:
        return [round(_HUNDREDTHS * value) for value in self.values]

    def axis(self) -> dict[str, Any]:
        whole = np.arange(np.ceil(self.values[0]), np.floor(self.values[-1]) + 1)
        places = self.at(whole)
        names = [f"{value:.0f}".replace("-", "−") for value in whole]
        return {"tickvals": places, "ticktext": names, "range": [-0.5, len(self.values) - 0.5]}


def _path(descent: Descent, columns: _Ruler, rows_: _Ruler, theme: Theme) -> go.Scatter:
    """All of a path; the point that it has come to is the largest."""
    name, ink, symbol, dash = STYLES[descent.clipping]
    said = [
        f"update {step}: w {number(descent.w[step])}, b {number(descent.b[step])}<br>loss {number(descent.loss[step])}, "
        f"gradient {number(descent.norm[step])}" + (", clipped" if descent.clipped[step] else "")
        for step in range(len(descent.w))
    ]
    return go.Scatter(
        x=columns.at(descent.w),
        y=rows_.at(descent.b),
        text=said,
        mode="lines+markers",
        line={"color": ink.on(theme), "width": 2, "dash": dash},
        marker={
            "color": ink.on(theme),
            "size": _sizes(len(said)),
            "symbol": symbol,
            "line": {"color": BACKGROUND.on(theme), "width": 1},
        },
        hovertemplate=hover(f"<b>{name}</b>", "%{text}"),
        meta=picks(point={}),
    )


def _begun(path: go.Scatter, points: int) -> dict[str, Any]:
    """What a frame changes of a path, to show so many of its points."""
    here = slice(0, points)
    return {"x": path.x[here], "y": path.y[here], "text": path.text[here], "marker": {"size": _sizes(len(path.x[here]))}}


def _sizes(points: int) -> list[int]:
    return [5] * (points - 1) + [12]


def _scale(theme: Theme) -> list[tuple[float, str]]:
    """Low is the page, high is ink."""
    inks = (BACKGROUND, SURFACE, LINE, ERASE, MUTED)
    return [(place / (len(inks) - 1), ink.on(theme)) for place, ink in enumerate(inks)]


def _buttons(theme: Theme) -> dict[str, Any]:
    timing = {
        "frame": {"duration": _PLAY_MS, "redraw": False},
        "transition": {"duration": 0},
        "fromcurrent": False,
        "mode": "immediate",
    }
    stop = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    return {
        "type": "buttons",
        "direction": "left",
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "pad": {"b": 6, "t": 0},
        "bgcolor": BACKGROUND.on(theme),
        "bordercolor": LINE.on(theme),
        "font": {"color": TEXT.on(theme), "size": 13},
        "showactive": False,
        "buttons": [
            {"label": "▶ Play", "method": "animate", "args": [None, timing]},
            {"label": "❚❚ Pause", "method": "animate", "args": [[None], stop]},
        ],
    }
