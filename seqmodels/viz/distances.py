"""Pictures of how far back memories reach: scores against distance, and a verb's number against the words between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from seqmodels.experiments import mean_and_spread
from seqmodels.viz import law
from seqmodels.viz.figure import FONT, axis_title, ground, hover, picture, plotly_trace, rgba
from seqmodels.viz.palette import LINE, MUTED, Theme, cell_colour, cell_marker

if TYPE_CHECKING:
    from seqmodels.experiments import Outcome
    from seqmodels.traces.agreement import Agreement

_HEIGHT = 330
_TITLES = {"accuracy": "accuracy on unseen sequences, %", "mse": "squared error on unseen sequences"}
_LABEL = 0.066  # of the height, that a label at a line's end takes


def distances(
    outcomes: Mapping[str, Sequence[Outcome]],
    baselines: Mapping[int, float],
    *,
    counts: str,
    higher_is_better: bool = True,
    theme: Theme = "light",
) -> go.Figure:
    """The mean score of each cell over the distance, and every seed as a dot; `outcomes` by cell, `baselines` by distance.

    `counts` is what a distance counts. A score that knows nothing is dotted. Up is better, whatever the metric.
    """
    metric = next(iter(outcomes.values()))[0].metric
    lengths = sorted({int(one.factors["length"]) for found in outcomes.values() for one in found})
    traces: list[Any] = []
    ends: dict[str, float] = {}
    for number, (cell, found) in enumerate(outcomes.items()):
        by_length = {length: [one.score for one in found if one.factors["length"] == length] for length in lengths}
        means = {length: mean_and_spread(scores)[0] for length, scores in by_length.items() if scores}
        colour, title = cell_colour(cell).on(theme), law.title(cell)
        shift = 1 + 0.025 * (number - (len(outcomes) - 1) / 2)  # so that dots of several cells can be told apart
        dots = [(length * shift, score, length) for length, scores in by_length.items() for score in scores]
        traces += [
            plotly_trace(
                "scatter",
                x=[length * shift for length in means],
                y=list(means.values()),
                customdata=list(means),
                mode="lines",
                line={"color": colour, "width": 2.5},
                hoverinfo="skip",
            ),
            plotly_trace(
                "scatter",
                x=[x for x, _, _ in dots],
                y=[score for _, score, _ in dots],
                customdata=[length for _, _, length in dots],
                mode="markers",
                marker={"color": rgba(colour, 0.85), "size": 9, "symbol": cell_marker(cell)},
                hovertemplate=hover(f"<b>{title}</b>, one seed", f"%{{customdata}} {counts}: %{{y:.4~g}}"),
            ),
        ]
        ends[cell] = means[max(means)]
    traces.append(
        plotly_trace(
            "scatter",
            x=list(baselines),
            y=list(baselines.values()),
            mode="lines",
            line={"color": MUTED.on(theme), "width": 2, "dash": "dot"},
            hovertemplate=hover("an answer that reads nothing", "%{y:.4~g}"),
        )
    )
    low, high = (0.0, 105.0) if metric == "accuracy" else (-0.01, max(0.2, *ends.values(), *baselines.values()) * 1.1)
    return picture(
        traces,
        _layout(
            theme,
            {
                "type": "log",
                "tickvals": lengths,
                "ticktext": [str(length) for length in lengths],
                "title": axis_title(f"distance, {counts}", 8),
            },
            {"range": [low, high] if higher_is_better else [high, low], "title": axis_title(_TITLES.get(metric, metric), 8)},
            _names_at_ends(ends, low, high, theme, higher_is_better=higher_is_better),
        ),
    )


def agreement_gap(found: Mapping[str, Agreement], theme: Theme = "light") -> go.Figure:
    """For each cell, how far apart P(are) is after one and after many; thin, what the gates alone keep of the subject."""
    traces: list[Any] = []
    ends = {}
    for cell, one in found.items():
        colour, title = cell_colour(cell).on(theme), law.title(cell)
        after = [(f"{many:.2f}", f"{single:.2f}") for single, many in zip(one.after_one, one.after_many, strict=True)]
        traces += [
            plotly_trace(
                "scatter",
                x=list(one.words),
                y=list(one.gap),
                customdata=after,
                mode="lines+markers",
                line={"color": colour, "width": 2.5},
                marker={"color": colour, "size": 9, "symbol": cell_marker(cell)},
                hovertemplate=hover(
                    f"<b>{title}</b>, %{{x}} words between",
                    "P(are) after many: %{customdata[0]}, after one: %{customdata[1]}",
                    "apart: %{y:.2f}",
                ),
            ),
            plotly_trace(
                "scatter",
                x=list(one.words),
                y=list(one.kept),
                mode="lines",
                line={"color": colour, "width": 1.5, "dash": "dot"},
                hovertemplate=hover(f"<b>{title}</b>: the gates keep", "%{y:.3f} of the subject, after %{x} words"),
            ),
        ]
        ends[cell] = one.gap[-1]
    return picture(
        traces,
        _layout(
            theme,
            {"title": axis_title("words between the subject and its verb", 8), "dtick": 5, "rangemode": "tozero"},
            {"range": [-0.08, 1.05], "title": axis_title("P(are) apart, after many and after one", 8)},
            _names_at_ends(ends, -0.08, 1.05, theme),
        ),
    )


def _layout(theme: Theme, x: dict[str, Any], y: dict[str, Any], names: list[dict[str, Any]]) -> dict[str, Any]:
    line = LINE.on(theme)
    axis = {
        "gridcolor": line,
        "linecolor": line,
        "showline": True,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": FONT},
    }
    margin = {"l": 62, "r": 108, "t": 10, "b": 48, "pad": 0}
    return {"xaxis": axis | x, "yaxis": axis | y, "annotations": names, "height": _HEIGHT, "margin": margin, **ground(theme)}


def _names_at_ends(
    ends: Mapping[str, float], low: float, high: float, theme: Theme, *, higher_is_better: bool = True
) -> list[dict[str, Any]]:
    """The name of each cell beside the end of its line, apart from the others."""
    heights = {cell: (value - low) / (high - low) for cell, value in ends.items()}
    if not higher_is_better:
        heights = {cell: 1 - height for cell, height in heights.items()}
    order = sorted(heights, key=lambda cell: heights[cell])
    places = [heights[cell] for cell in order]
    for number in range(1, len(places)):  # up, where two would overlap
        places[number] = max(places[number], places[number - 1] + _LABEL)
    ceiling = 1.0
    for number in reversed(range(len(places))):  # and down again, what has come out at the top
        places[number] = min(places[number], ceiling)
        ceiling = places[number] - _LABEL
    at_right = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 4, "yref": "paper", "showarrow": False}
    return [
        {"text": law.title(cell), "y": place, **at_right, "font": {"size": FONT, "color": cell_colour(cell).on(theme)}}
        for cell, place in zip(order, places, strict=True)
    ]
