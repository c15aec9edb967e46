"""The charts of a training, each an option for ECharts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

from seqmodels.runs import clipped_share
from seqmodels.viz.palette import LAM, MU, MUTED, NEGATIVE, POSITIVE, REVEAL, SERIES, TEXT, Theme
from seqmodels.viz.training.frame import (
    LINEAR,
    MOST,
    Option,
    Points,
    Rows,
    chart,
    curve,
    extremes,
    in_percent,
    logarithmic,
    loss_scale,
    mean,
    race_scale,
    reached,
    rounded,
    scale,
    thin,
    values_of,
    with_marks,
)  # fmt: skip
from seqmodels.viz.training.words import PERCENT, metric_title, place_title

if TYPE_CHECKING:
    from seqmodels.runs import History

HEIGHT, SMALL = 260, 220  # pixels of a chart
_DASHES = ("solid", "dashed", "dotted")


def losses(history: History, theme: Theme) -> Option:
    """Train loss at each step, pale, and its mean over each epoch; dev loss after each epoch."""
    steps = curve("train, each step", thin(history.steps, mean("loss")), MUTED, theme, width=1.2, opacity=0.55)
    train = curve("train, epoch", _after(history, "loss"), TEXT, theme, dots=True)
    dev = curve("dev", _after(history, "dev_loss"), POSITIVE, theme, dots=True)
    lines = [steps, train, dev]
    return with_marks(chart(lines, theme, reached(history), y=loss_scale([history])), history, theme)


def scores(history: History, metric: str, theme: Theme) -> Option:
    """The dev metric after each epoch."""
    line = curve(f"dev {metric_title(metric)}", _after(history, "score"), REVEAL, theme, dots=True)
    percent = {**LINEAR, "axisLabel": {"formatter": "{value} %"}}
    y = percent if metric in PERCENT else scale(values_of([line]))
    return with_marks(chart([line], theme, reached(history), y=y), history, theme)


def rates(history: History, peak: float, theme: Theme) -> Option:
    """The learning rate at each step, and the peak that the schedule scales; `peak` is the one that the run began with."""
    line = curve("at each step", thin(history.steps, lambda group: group[-1]["learning_rate"], 200), REVEAL, theme)
    peaks = curve("peak", _until_changed(history, peak, lambda after: after["learning_rate"]), TEXT, theme, dash="dashed")
    lines = [line, {**peaks, "showSymbol": False}]
    return with_marks(chart(lines, theme, reached(history), y={"type": "value", "min": 0}), history, theme)


def norms(history: History, clip: Mapping[str, Any] | None, theme: Theme) -> Option:
    """The gradient's norm before and after clipping, on a logarithmic scale, with the threshold; below, the share of clipped steps.

    `clip` is the clipping that the run began with.
    """
    before = curve("before clipping", extremes(history.steps, "norm"), NEGATIVE, theme, width=1.5)
    after = curve("after", extremes(history.steps, "norm_after"), POSITIVE, theme, width=1.5)
    thresholds = _until_changed(history, _threshold(clip), lambda after: _threshold(after["clip"]))
    threshold = {**curve("threshold", thresholds, TEXT, theme, dash="dashed"), "showSymbol": False}
    shares = thin(history.steps, lambda group: in_percent(clipped_share(group)), 100)
    share = curve("clipped steps", shares, NEGATIVE, theme, width=1)
    share |= {"xAxisIndex": 1, "yAxisIndex": 1, "areaStyle": {"opacity": 0.35}, "step": "end", "showSymbol": False}
    option = chart([before, after, threshold, share], theme, reached(history), y=logarithmic(values_of([before, after, threshold])))
    grid, x, y = option["grid"], option["xAxis"], option["yAxis"]
    option["grid"] = [{**grid, "bottom": 92}, {**grid, "top": None, "height": 32}]
    option["xAxis"] = [{**x, "name": "", "axisLabel": {"show": False}}, {**x, "gridIndex": 1}]
    hundred = {"type": "value", "gridIndex": 1, "min": 0, "max": 100, "interval": 100, "splitLine": {"show": False}}
    option["yAxis"] = [y, {**hundred, "axisLabel": {**y["axisLabel"], "formatter": "{value} %"}}]
    option["axisPointer"] = {"link": [{"xAxisIndex": "all"}]}
    return with_marks(option, history, theme)


def saturation(samples: Rows, place: tuple[int, str], theme: Theme) -> Option:
    """In each sample, the share of units and tokens at which the gates of a layer and direction are wide open or shut."""
    lines = []
    for title, name, colour, dash in (
        ("keep μ open", "mu_open", MU, "solid"),
        ("keep μ shut", "mu_shut", MU, "dashed"),
        ("write λ open", "lam_open", LAM, "solid"),
        ("write λ shut", "lam_shut", LAM, "dashed"),
    ):
        points = [[x, in_percent(share)] for x, share in thin(_gates(samples, place), mean(name))]
        lines.append(curve(title, points, colour, theme, dash=dash))
    y = {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value} %"}}
    return chart(lines, theme, _last_epoch(samples), y=y)


def half_lives(samples: Rows, theme: Theme) -> Option:
    """In each sample, for each layer and direction, the tokens until half of a memory is left in the median unit."""
    lines = []
    for place, dash in zip(places(samples), cycle(_DASHES), strict=False):
        lines.append(curve(place_title(place), thin(_gates(samples, place), mean("half_life")), MU, theme, dash=dash))
    return chart(lines, theme, _last_epoch(samples), y={"type": "value", "min": 0})


def places(samples: Rows) -> list[tuple[int, str]]:
    """The layers and directions in the samples."""
    return [(gates["layer"], gates["direction"]) for gates in samples[-1]["gates"]] if samples else []


OVERLAYS = {"Train loss": "loss", "Dev loss": "dev_loss", "Score": "score", "Gradient norm": "norm"}


def overlay(histories: Mapping[str, History], figure: str, theme: Theme) -> Option:
    """One figure of several runs, by their names: train loss and norm at each step, the others after each epoch."""
    most = max(60, MOST // max(1, len(histories)))
    lines = []
    for number, (name, history) in enumerate(histories.items()):
        if figure == "Gradient norm":
            points = extremes(history.steps, "norm", most)
        elif figure == "Train loss":
            points = thin(history.steps, mean("loss"), most)
        else:
            points = _after(history, OVERLAYS[figure])
        colour, dash = SERIES[number % len(SERIES)], _DASHES[number // len(SERIES) % len(_DASHES)]
        lines.append(curve(name, points, colour, theme, dash=dash, dots=len(points) < 40))
    if figure in ("Train loss", "Dev loss"):
        y = loss_scale(histories.values())
    else:
        y = logarithmic(values_of(lines)) if figure == "Gradient norm" else scale(values_of(lines))
    return chart(lines, theme, max((reached(history) for history in histories.values()), default=1.0), y=y)


def race(histories: Mapping[str, History], theme: Theme) -> Option:
    """The losses of several runs, by their names: lines for the train loss of each step, dots for the dev loss of each epoch."""
    lines = []
    for (name, history), colour in zip(histories.items(), cycle(SERIES), strict=False):
        steps = thin(history.steps, mean("loss"), MOST // (2 * len(histories)))
        lines.append(curve(name, steps, colour, theme, width=1.5))
        dots = curve(name, _after(history, "dev_loss"), colour, theme, width=0, dots=True)
        lines.append({**dots, "symbolSize": 9})
    return chart(lines, theme, max(map(reached, histories.values()), default=1.0), y=race_scale(histories.values()))


def _after(history: History, name: str) -> Points:
    """A figure after each epoch."""
    return thin(history.epochs, mean(name))


def _gates(samples: Rows, place: tuple[int, str]) -> list[dict[str, Any]]:
    """The gates of that place in each sample."""
    return [
        {"x": sample["x"], **gates}
        for sample in samples
        for gates in sample["gates"]
        if (gates["layer"], gates["direction"]) == place
    ]


def _until_changed(history: History, value: float | None, then: Callable[[Mapping[str, Any]], float | None]) -> Points:
    """A setting that may change while the run goes on, from change to change: its first value, and how to find it after one."""
    points: Points = []
    start = 0.0
    for mark in (mark for mark in history.marks if mark["kind"] == "changed"):
        points += [[rounded(start), value], [rounded(mark["x"]), value]]
        start, value = mark["x"], then(mark["after"])
    return [*points, [rounded(start), value], [rounded(reached(history)), value]]


def _threshold(clip: Mapping[str, Any] | None) -> float | None:
    """The norm to which the gradient is clipped; a threshold on single numbers is none on the norm."""
    return clip["threshold"] if clip and clip["kind"] == "norm" else None


def _last_epoch(samples: Rows) -> float:
    return samples[-1]["x"] if samples else 1.0
