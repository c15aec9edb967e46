"""Pictures of trainings over seeds: a dot for each, mean and spread; and the course of those that early stopping would end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from seqmodels.experiments import Outcome
from seqmodels.experiments.findings import AXES, Arm, Axis, Panel
from seqmodels.experiments.stopping import stop_of, test_after
from seqmodels.viz import legends
from seqmodels.viz.figure import FONT, axis_title, ground, hover, picture, plotly_trace
from seqmodels.viz.palette import DIFFERENT, LINE, MUTED, NEGATIVE, POSITIVE, TEXT, Theme, cell_colour, cell_marker, safe

_ROW = 30  # pixels of an arm
_STEP = 0.17  # of a row, between two seeds: no dot hides another
_AIR = 0.06  # of an axis, beyond its least and greatest figure
_PALE = 0.45
_LONGEST = 46  # characters of a line that the pointer reads
_COURSES = 300  # pixels
_STOPPED, _KEPT = "where it stops", "its best epoch"


def dots(panel: Panel, *, theme: Theme = "light") -> go.Figure:
    """A row for each arm: each training as a dot, the mean as an upright stroke, and a line from the least to the greatest.

    A training that broke off is a ring with a cross. What is off the scale stands at its edge, with its figure.
    """
    low, high = panel.scale()
    air = (high - low or abs(high) or 1) * _AIR
    right = high + air
    if any(map(panel.off, panel.arms)):
        right += 4 * air  # room for the edge
    names = [safe(arm.name) for arm in panel.arms]
    return picture(
        _traces(panel, right - air, theme),
        {
            "xaxis": {**_axis(theme), "range": (low - air, right), "nticks": 5, "title": axis_title(_words(panel.axis), 8)},
            "yaxis": {
                **_axis(theme),
                "range": (len(names) - 0.4, -0.6),
                "tickvals": list(range(len(names))),
                "ticktext": names,
                "tickfont": {"size": 13},
                "showgrid": False,
                "automargin": True,
            },
            "height": _ROW * len(names) + 66,
            "margin": {"l": 10, "r": 14, "t": 6, "b": 48, "pad": 4},
            **ground(theme),
        },
    )


def _traces(panel: Panel, edge: float, theme: Theme) -> list[Any]:
    """Few, with all rows in each: what a figure costs grows with its traces."""
    high = panel.scale()[1]
    text, muted = TEXT.on(theme), MUTED.on(theme)
    rows = list(enumerate(panel.arms))
    inside = [(row, arm) for row, arm in rows if not panel.off(arm)]
    beyond = [(row, [f"{value:,.4g}" for value in arm.values if value > high]) for row, arm in rows if panel.off(arm)]
    traces = [
        plotly_trace(
            "scatter",
            x=[end for _, arm in found for end in (min(arm.values), max(arm.values), None)],
            y=[place for row, _ in found for place in (row, row, None)],
            mode="lines",
            line={"color": muted, "width": 1.5},
            opacity=opacity,
            hoverinfo="skip",
        )
        for opacity in (1, _PALE)
        if (found := [(row, arm) for row, arm in inside if arm.faint == (opacity == _PALE)])
    ]
    stroke = {"symbol": "line-ns", "size": 20, "opacity": [_PALE if arm.faint else 1 for _, arm in inside]}
    traces.append(
        plotly_trace(
            "scatter",
            x=[arm.mean for _, arm in inside],
            y=[row for row, _ in inside],
            customdata=[f"<b>{safe(arm.name)}</b><br>mean {arm.text}" for _, arm in inside],
            mode="markers",
            marker={**stroke, "line": {"color": text, "width": 3}},
            hovertemplate=hover("%{customdata}"),
        )
    )
    trainings = [
        (row + (place - (len(arm.values) - 1) / 2) * _STEP, arm, outcome, value)
        for row, arm in rows
        for place, (outcome, value) in enumerate(zip(arm.outcomes, arm.values, strict=True))
    ]
    traces.append(
        plotly_trace(
            "scatter",
            x=[min(value, edge) for _, _, _, value in trainings],
            y=[height for height, *_ in trainings],
            customdata=["<br>".join(_reading(arm, outcome, value)) for _, arm, outcome, value in trainings],
            name="trainings",
            mode="markers",
            marker=_marks([(arm, outcome, value > high) for _, arm, outcome, value in trainings], theme),
            hovertemplate=hover("%{customdata}"),
        )
    )
    if beyond:
        traces.append(
            plotly_trace(
                "scatter",
                x=[edge] * len(beyond),
                y=[row for row, _ in beyond],
                mode="text",
                text=[f"{', '.join(figures)}&nbsp;&nbsp;" for _, figures in beyond],
                textposition="middle left",
                textfont={"size": FONT, "color": text},
                hoverinfo="skip",
            )
        )
    return traces


def _marks(trainings: Sequence[tuple[Arm, Outcome, bool]], theme: Theme) -> dict[str, Any]:
    """Of each training and whether it is off the scale."""
    cells = [str(outcome.factors.get("cell", outcome.settings.get("cell", "gru"))) for _, outcome, _ in trainings]
    broke = [bool(outcome.problem) for _, outcome, _ in trainings]
    symbols = [
        "circle-x-open" if broken else "triangle-right" if off else cell_marker(cell)
        for (_, _, off), cell, broken in zip(trainings, cells, broke, strict=True)
    ]
    return {
        "color": [(DIFFERENT if broken else cell_colour(cell)).on(theme) for cell, broken in zip(cells, broke, strict=True)],
        "symbol": symbols,
        "size": [11 if broken else 9 for broken in broke],
        "line": {"width": [2 if broken else 0 for broken in broke]},
        "opacity": [_PALE if arm.faint else 1 for arm, _, _ in trainings],
    }


def _reading(arm: Arm, outcome: Outcome, value: float) -> list[str]:
    """What the pointer reads at a training."""
    axis = AXES[arm.axis]
    lines = [f"<b>{safe(arm.name)}</b>, seed {outcome.factors.get('seed', '')}", f"{safe(axis.title)}: {axis.shown(value)}"]
    if outcome.problem:
        lines.append("It broke off:")
        for word in outcome.problem.split():
            if len(lines[-1]) + len(word) > _LONGEST or lines[-1].endswith("off:"):
                lines.append(safe(word))
            else:
                lines[-1] += f" {safe(word)}"
    return lines


def courses(outcomes: Sequence[Outcome], *, as_before: bool = False, theme: Theme = "light") -> go.Figure:
    """The test score after each epoch, a line a training, with its best epoch by the dev loss and where early stopping ends it."""
    axis = AXES[outcomes[0].metric]
    lines, marks = [], []
    for outcome in outcomes:
        seed = f"<b>seed {outcome.factors.get('seed', '')}</b>"
        value = f"{axis.title}: %{{y:.{axis.places}f}}"
        epochs = list(range(1, len(outcome.curve) + 1))
        scores = [test_after(outcome, epoch) for epoch in epochs]
        line = {"color": MUTED.on(theme), "width": 1.5}
        lines.append(
            plotly_trace("scatter", x=epochs, y=scores, mode="lines", line=line, hovertemplate=hover(seed, "epoch %{x}", value))
        )
        found = stop_of(outcome, as_before=as_before)
        for epoch, name, pair, symbol in ((found.best, _KEPT, POSITIVE, "circle"), (found.epoch, _STOPPED, NEGATIVE, "square")):
            look = {"color": pair.on(theme), "symbol": symbol, "size": 11}
            text = hover(seed, f"{name}: epoch %{{x}}", value)
            marks.append(plotly_trace("scatter", x=[epoch], y=[scores[epoch - 1]], mode="markers", marker=look, hovertemplate=text))
    return picture(
        [*lines, *marks],
        {
            "xaxis": {**_axis(theme), "title": axis_title("epoch", 6)},
            "yaxis": {**_axis(theme), "title": axis_title(f"test: {_words(axis)}".replace(" (", "<br>("), 4)},
            "height": _COURSES,
            "margin": {"l": 74, "r": 12, "t": 8, "b": 46, "pad": 2},
            **ground(theme),
        },
    )


def courses_legend() -> str:
    """What the marks of `courses` stand for."""
    marks = (legends.marker(_KEPT, POSITIVE, "circle"), legends.marker(_STOPPED, NEGATIVE, "square"))
    return legends.legend([legends.line("a training", MUTED), *marks])


def _words(axis: Axis) -> str:
    """What is measured, and which way is better."""
    return f"{axis.title} ({'higher' if axis.higher_is_better else 'lower'} is better)"


def _axis(theme: Theme) -> dict[str, Any]:
    return {"gridcolor": LINE.on(theme), "zeroline": False, "fixedrange": True, "tickfont": {"size": FONT}}
