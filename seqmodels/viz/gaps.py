"""The gap probe: what mu predicts of a word's reach beside what the network does, over a growing number of filler words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.viz import keys
from seqmodels.viz.figure import FONT, PlotlyTrace, ground, hover, picture, plotly_trace, rgba
from seqmodels.viz.legends import Stroke
from seqmodels.viz.palette import LINE, MU, MU_INK, MUTED, TEXT, Pair, Theme, safe, shorten

if TYPE_CHECKING:
    from seqmodels.traces import GapProbe

THEORY = Stroke("Theory: what μ predicts", MU)
EXPERIMENT = Stroke("Experiment: what is measured", TEXT, "dash")
WITHOUT = Stroke("the same, the source unknown", MUTED, "dot")

_PANELS = 3
_HEIGHT, _GAP = 90, 42  # pixels of a panel, and between two of them
_ABOVE, _BELOW = 26, 50
_AIR = 0.08  # of an axis, beyond its lowest and highest value

Range = tuple[float, float]


def ranges(probes: Sequence[GapProbe]) -> tuple[Range, Range]:
    """The axes of effect and of logit that hold several cells, so that they can be compared."""
    effects = np.concatenate([values for probe in probes for values in (probe.effect, probe.expected, [0])])
    logits = np.concatenate([values for probe in probes for values in (probe.logit, probe.logit - probe.effect)])
    return _around(effects), _around(logits)


def gap(probe: GapProbe, *, axes: tuple[Range, Range] | None = None, theme: Theme = "light", name: str = "") -> go.Figure:
    """Three panels over the number of filler words; under them the name of the model and the key.

    What is left of the source by mu; its effect on the prediction's logit, measured and as mu lets expect; and that logit itself,
    with the source and without it.
    """
    effects, logits = axes or ranges([probe])
    prediction = safe(shorten(probe.prediction))
    percent, logit = "%{y:.1f} %", "%{y:.2f}"
    lines = [
        (0, THEORY, 100 * probe.retention, f"{percent} of the source is retained in the memory"),
        (1, THEORY, probe.expected, f"effect if it faded like the memory: {logit}"),
        (1, EXPERIMENT, probe.effect, f"measured effect on the logit: {logit}"),
        (2, WITHOUT, probe.logit - probe.effect, f"logit of %{{text}} without the source: {logit}"),
        (2, EXPERIMENT, probe.logit, f"logit of %{{text}}: {logit}<br>probability %{{customdata:.1%}}"),
    ]
    traces = [_line(probe, *line, theme) for line in lines]
    traces[0].update(fill="tozeroy", fillcolor=rgba(MU.on(theme), 0.18))
    titles = ("retained of the source, %", "effect of the source on the logit", f"logit of {prediction}")
    total = _PANELS * _HEIGHT + (_PANELS - 1) * _GAP
    named = [f"<b>{safe(shorten(name))}</b>"] if name else []
    key = [*named, *keys.rows(stroke.key(theme) for stroke in (THEORY, EXPERIMENT, WITHOUT))]
    below = _BELOW + keys.ROW * len(key)
    return picture(
        traces,
        {
            "xaxis": _x_axis(probe, theme),
            "yaxis": {**_y_axis(0, theme), "range": (-4, 106), "tickvals": [0, 50, 100]},
            "yaxis2": {**_y_axis(1, theme), "range": effects, "nticks": 5, "zeroline": True, "zerolinecolor": MUTED.on(theme)},
            "yaxis3": {**_y_axis(2, theme), "range": logits, "nticks": 5},
            "shapes": [_plain_run(theme)],
            "annotations": [
                *(_title(panel, text, MU_INK if panel == 0 else TEXT, theme) for panel, text in enumerate(titles)),
                *keys.notes(key, _BELOW - 6, FONT),
            ],
            "height": _ABOVE + total + below,
            "margin": {"l": 48, "r": 10, "t": _ABOVE, "b": below, "pad": 0},
            **ground(theme),
        },
    )


def rows(cell: str, probe: GapProbe) -> list[dict[str, Any]]:
    """What the lines are drawn from: a row for each number of filler words."""
    parts = {"retained": probe.retention, "effect": probe.effect, "expected": probe.expected}
    parts |= {"logit": probe.logit, "probability": probe.probability}
    return [
        {"cell": cell, "prediction": probe.prediction, "filler_words": int(filler)}
        | {name: float(values[number]) for name, values in parts.items()}
        for number, filler in enumerate(probe.gaps)
    ]


def _line(probe: GapProbe, panel: int, stroke: Stroke, values: NDArray[np.float32], text: str, theme: Theme) -> PlotlyTrace:
    style = stroke.on(theme)
    # the plain run stands out: it is the text as it was typed
    style["marker"] = {**style["marker"], "size": np.where(probe.gaps == 0, 10, 4).tolist()}
    return plotly_trace(
        "scatter",
        x=probe.gaps,
        y=np.round(values, 4),
        customdata=np.round(probe.probability, 4),
        text=[safe(shorten(probe.prediction))] * len(probe.gaps),  # in the template, a typed %{x} would be filled in
        hovertemplate=hover("%{x} filler words", text),
        yaxis=f"y{panel + 1}" if panel else "y",
        **style,
    )


def _around(values: NDArray[np.floating[Any]]) -> Range:
    low, high = float(values.min()), float(values.max())
    air = _AIR * max(high - low, 0.1)
    return low - air, high + air


def _top(panel: int) -> float:
    """Of a panel, as a share of the height of all."""
    total = _PANELS * _HEIGHT + (_PANELS - 1) * _GAP
    return 1 - panel * (_HEIGHT + _GAP) / total


def _x_axis(probe: GapProbe, theme: Theme) -> dict[str, Any]:
    longest = int(probe.gaps[-1])
    step = 10 if longest > 20 else 5 if longest > 8 else 1
    numbers = range(0, longest + 1, step)
    return {
        "range": (-0.03 * max(longest, 1) - 0.3, 1.03 * longest + 0.3),
        "tickvals": list(numbers),
        "ticktext": ["as typed", *map(str, numbers[1:])],
        "tickfont": {"size": FONT},
        "title": {"text": "filler words between them", "font": {"size": 14}, "standoff": 6},
        "anchor": f"y{_PANELS}",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "linecolor": LINE.on(theme),
    }


def _y_axis(panel: int, theme: Theme) -> dict[str, Any]:
    total = _PANELS * _HEIGHT + (_PANELS - 1) * _GAP
    line = LINE.on(theme)
    return {
        "domain": (max(0.0, _top(panel) - _HEIGHT / total), _top(panel)),
        "tickfont": {"size": FONT},
        "gridcolor": line,
        "linecolor": line,
        "showline": True,
        "mirror": True,
        "zeroline": False,
        "fixedrange": True,
        "automargin": False,
    }


def _title(panel: int, text: str, ink: Pair, theme: Theme) -> dict[str, Any]:
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": _top(panel), "yref": "paper", "yanchor": "bottom"}
    return {"text": text, **place, "font": {"size": 14, "color": ink.on(theme)}, "showarrow": False}


def _plain_run(theme: Theme) -> dict[str, Any]:
    line = {"color": MUTED.on(theme), "width": 1, "dash": "dot"}
    return {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "line": line, "layer": "below"}
