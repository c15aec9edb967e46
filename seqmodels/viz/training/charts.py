"""The charts of a training, each an option for ECharts."""

from __future__ import annotations

from collections.abc import Mapping
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
    highest,
    in_percent,
    logarithmic,
    loss_scale,
    mean,
    positive,
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


def rates(history: History, theme: Theme) -> Option:
    """The learning rate at each step."""
    line = curve("learning rate", thin(history.steps, lambda group: group[-1]["learning_rate"], 200), REVEAL, theme)
    return with_marks(chart([line], theme, reached(history), y={"type": "value", "min": 0}), history, theme)


def norms(history: History, clip: Mapping[str, Any] | None, theme: Theme) -> Option:
    """The gradient's norm before and after clipping, on a logarithmic scale, with the threshold; below, the share of clipped steps.

    `clip` is the clipping that the run began with.
    """
    before = curve("before clipping", positive(thin(history.steps, highest("highest_norm"))), NEGATIVE, theme, width=1.5)
    after = curve("after", positive(thin(history.steps, _highest_after)), POSITIVE, theme, width=1.5)
    threshold = {**curve("threshold", _threshold(history, clip), TEXT, theme, dash="dashed"), "showSymbol": False}
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
    """After each epoch, the share of units and tokens at which the gates of a layer and direction are wide open or shut."""
    lines = []
    for title, name, colour, dash in (
        ("keep μ open", "mu_open", MU, "solid"),
        ("keep μ shut", "mu_shut", MU, "dashed"),
        ("write λ open", "lam_open", LAM, "solid"),
        ("write λ shut", "lam_shut", LAM, "dashed"),
    ):
        points: Points = [[sample["epoch"], in_percent(gates[name])] for sample, gates in _gates(samples, place)]
        lines.append(curve(title, points, colour, theme, dash=dash, dots=True))
    y = {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value} %"}}
    return chart(lines, theme, _last_epoch(samples), y=y)


def half_lives(samples: Rows, theme: Theme) -> Option:
    """After each epoch, for each layer and direction, the tokens until half of a memory is left in the median unit."""
    lines = []
    for place, dash in zip(places(samples), cycle(_DASHES), strict=False):
        points: Points = [[sample["epoch"], rounded(gates["half_life"])] for sample, gates in _gates(samples, place)]
        lines.append(curve(place_title(place), points, MU, theme, dash=dash, dots=True))
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
            points = positive(thin(history.steps, highest("highest_norm"), most))
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


def _after(history: History, name: str) -> Points:
    """A figure after each epoch."""
    return thin(history.epochs, mean(name))


def _gates(samples: Rows, place: tuple[int, str]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each sample with the gates of that place."""
    return [(sample, gates) for sample in samples for gates in sample["gates"] if (gates["layer"], gates["direction"]) == place]


def _threshold(history: History, clip: Mapping[str, Any] | None) -> Points:
    """The norm to which the gradient is clipped, from change to change; a threshold on single numbers is none on the norm."""
    points: Points = []
    start = 0.0
    for at, then in [(mark["x"], mark["after"]["clip"]) for mark in history.marks if mark["kind"] == "changed"] + [
        (reached(history), None)
    ]:
        value = clip["threshold"] if clip and clip["kind"] == "norm" else None
        points += [[rounded(start), value], [rounded(at), value]]
        start, clip = at, then
    return points


def _last_epoch(samples: Rows) -> float:
    return samples[-1]["epoch"] if samples else 1.0


def _highest_after(steps: Rows) -> float | None:
    """The greatest norm after clipping. Of steps not reported only that before is known: the same, if none was clipped."""
    return max(filter(None, (step["norm_after" if step["clipped_count"] else "highest_norm"] for step in steps)), default=None)
