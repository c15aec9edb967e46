"""Pictures of trainings over seeds: a dot for each, mean and spread; and the course of those that early stopping would end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from seqmodels.experiments import Outcome
from seqmodels.experiments.findings import AXES, Arm, Axis, Panel
from seqmodels.experiments.stopping import stop_of, test_after
from seqmodels.viz import legends
from seqmodels.viz.frame import FONT, ground, hover
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
    figure = go.Figure([trace for row, arm in enumerate(panel.arms) for trace in _row(arm, row, high, right - air, theme)])
    figure.update_layout(
        xaxis={**_axis(theme), "range": (low - air, right), "nticks": 5, "title": _title(_words(panel.axis), 8)},
        yaxis={
            **_axis(theme),
            "range": (len(names) - 0.4, -0.6),
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "tickfont": {"size": 13},
            "showgrid": False,
            "automargin": True,
        },
        height=_ROW * len(names) + 66,
        margin={"l": 10, "r": 14, "t": 6, "b": 48, "pad": 4},
        **ground(theme),
    )
    return figure


def _row(arm: Arm, row: int, high: float, edge: float, theme: Theme) -> list[Any]:
    look: dict[str, Any] = {"opacity": _PALE if arm.faint else 1}
    beyond = [f"{value:,.4g}" for value in arm.values if value > high]
    traces = []
    if beyond:
        text = {"text": [f"{', '.join(beyond)}&nbsp;&nbsp;"], "textposition": "middle left", "mode": "text", "hoverinfo": "skip"}
        traces.append(go.Scatter(x=[edge], y=[row], **text, textfont={"size": FONT, "color": TEXT.on(theme)}))
    else:
        ends = {"x": [min(arm.values), max(arm.values)], "y": [row, row], "mode": "lines", "hoverinfo": "skip"}
        traces.append(go.Scatter(**ends, **look, line={"color": MUTED.on(theme), "width": 1.5}))
        stroke = {"symbol": "line-ns", "size": 20, "line": {"color": TEXT.on(theme), "width": 3}}
        point = {"x": [arm.mean], "y": [row], "mode": "markers", "marker": stroke}
        traces.append(go.Scatter(**point, **look, hovertemplate=hover(f"<b>{safe(arm.name)}</b>", f"mean {arm.text}")))
    middle = (len(arm.values) - 1) / 2
    for place, (outcome, value) in enumerate(zip(arm.outcomes, arm.values, strict=True)):
        traces.append(
            go.Scatter(
                x=[min(value, edge)],
                y=[row + (place - middle) * _STEP],
                mode="markers",
                marker=_mark(outcome, value > high, theme),
                **look,
                hovertemplate=hover(*_reading(arm, outcome, value)),
            )
        )
    return traces


def _mark(outcome: Outcome, off: bool, theme: Theme) -> dict[str, Any]:
    cell = str(outcome.factors.get("cell", outcome.settings.get("cell", "gru")))
    colour = (DIFFERENT if outcome.problem else cell_colour(cell)).on(theme)
    symbol = "circle-x-open" if outcome.problem else "triangle-right" if off else cell_marker(cell)
    return {"color": colour, "symbol": symbol, "size": 11 if outcome.problem else 9, "line": {"width": 2 if outcome.problem else 0}}


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
        lines.append(go.Scatter(x=epochs, y=scores, mode="lines", line=line, hovertemplate=hover(seed, "epoch %{x}", value)))
        found = stop_of(outcome, as_before=as_before)
        for epoch, name, pair, symbol in ((found.best, _KEPT, POSITIVE, "circle"), (found.epoch, _STOPPED, NEGATIVE, "square")):
            look = {"color": pair.on(theme), "symbol": symbol, "size": 11}
            text = hover(seed, f"{name}: epoch %{{x}}", value)
            marks.append(go.Scatter(x=[epoch], y=[scores[epoch - 1]], mode="markers", marker=look, hovertemplate=text))
    figure = go.Figure([*lines, *marks])
    figure.update_layout(
        xaxis={**_axis(theme), "title": _title("epoch", 6)},
        yaxis={**_axis(theme), "title": _title(f"test: {_words(axis)}".replace(" (", "<br>("), 4)},
        height=_COURSES,
        margin={"l": 74, "r": 12, "t": 8, "b": 46, "pad": 2},
        **ground(theme),
    )
    return figure


def courses_legend() -> str:
    """What the marks of `courses` stand for."""
    marks = (legends.marker(_KEPT, POSITIVE, "circle"), legends.marker(_STOPPED, NEGATIVE, "square"))
    return legends.legend([legends.line("a training", MUTED), *marks])


def _words(axis: Axis) -> str:
    """What is measured, and which way is better."""
    return f"{axis.title} ({'higher' if axis.higher_is_better else 'lower'} is better)"


def _axis(theme: Theme) -> dict[str, Any]:
    return {"gridcolor": LINE.on(theme), "zeroline": False, "fixedrange": True, "tickfont": {"size": FONT}}


def _title(text: str, standoff: int) -> dict[str, Any]:
    return {"text": text, "font": {"size": 14}, "standoff": standoff}
