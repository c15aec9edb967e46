"""What all charts of a training share: lines and their points, axes, and upright lines where something happened.

What is sent stays small, and a number that is missing is a gap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from seqmodels.viz.palette import LINE, MUTED, Pair, Theme
from seqmodels.viz.training.words import marks

if TYPE_CHECKING:
    from seqmodels.runs import History

Option = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
Points = list[list[float | None]]
MOST = 400  # points of a line
FONT = 12
LARGEST = 1e9  # a line that goes beyond leaves the picture at the top
BEST = Pair("#7A5C0A", "#D9B84A")
LINEAR: Option = {"type": "value", "scale": True}
_WIDE = 1000  # values whose largest is so many times their smallest are drawn on a logarithmic scale
_SPIKED = 5  # a loss so many times that of the first steps is a spike: one that only falls stays on a linear scale
_FIRST = 10  # steps
_FAR = 20  # losses whose largest is so many times their least have come so far that a race is drawn on a logarithmic scale
_ROOM = 300  # how many times its least a loss may be to stay in the picture; rounded up to a power of ten
_BEST = "best"
_CLOSE = 0.03  # of the width of a picture: marks that lie closer share a line


def thin(rows: Rows, figure: Callable[[Rows], float | None], most: int = MOST) -> Points:
    """At most so many points: each stands for a group of rows, at the place of its last."""
    return [[rounded(group[-1]["x"]), rounded(figure(group))] for group in _groups(rows, most)]


def extremes(rows: Rows, name: str, most: int = MOST) -> Points:
    """At most so many points of a positive figure on a logarithmic scale: the least and the greatest value of each group of rows.

    Rows of several steps have the extremes of these, such as lowest_norm and highest_norm.
    """
    points: Points = []
    for group in _groups(rows, most // 2):
        lows = [row.get(f"lowest_{name}", row.get(name)) for row in group]
        highs = [row.get(f"highest_{name}", row.get(name)) for row in group]
        low, high = (pick((value for value in found if value), default=None) for pick, found in ((min, lows), (max, highs)))
        points.append([rounded(group[0]["x"]), rounded(low)])
        if high != low or len(group) > 1:
            points.append([rounded(group[-1]["x"]), rounded(high)])
    return points


def _groups(rows: Rows, most: int) -> Iterator[Rows]:
    """At most so many groups of rows that lie together, each as wide as the others: a power of two of an epoch.

    So the older points of a line stay where they are while it grows, and where there are few rows none is lost.
    """
    if len(rows) <= most:
        return iter([[row] for row in rows])
    width = 2.0 ** math.ceil(math.log2(rows[-1]["x"] / (most - 1)))
    return (list(group) for _, group in groupby(rows, lambda row: int(row["x"] / width)))


def mean(name: str) -> Callable[[Rows], float | None]:
    """The mean of a figure over a group; none if it has no number there."""

    def of(rows: Rows) -> float | None:
        values = numbers(rows, name)
        return sum(values) / len(values) if values else None

    return of


def numbers(rows: Rows, name: str) -> list[float]:
    return [row[name] for row in rows if row.get(name) is not None]


def rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def in_percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def curve(
    name: str,
    points: Points,
    colour: Pair,
    theme: Theme,
    *,
    width: float = 2,
    opacity: float = 1,
    dash: str = "solid",
    dots: bool = False,
) -> Option:
    hue = colour.on(theme)
    # a lone point is no line: it needs a dot to be seen
    seen = dots or sum(value is not None for _, value in points) < 3
    return {
        "name": name,
        "type": "line",
        "data": points,
        "showSymbol": seen,
        "symbol": "circle",
        "symbolSize": 5,
        "lineStyle": {"color": hue, "width": width, "type": dash, "opacity": opacity},
        "itemStyle": {"color": hue, "opacity": opacity},
    }


def chart(lines: list[Option], theme: Theme, last: float, *, y: Option) -> Option:
    """What all charts share."""
    label = {"color": MUTED.on(theme), "fontSize": FONT}
    grid = {"lineStyle": {"color": LINE.on(theme)}}
    end = _end_of_axis(last)
    x = {"type": "value", "min": 0, "max": end, "minInterval": 1 if end >= 1 else 0, "splitLine": {"show": False}, "axisLine": grid}
    x |= {"name": "epoch", "nameLocation": "middle", "nameGap": 24, "nameTextStyle": label}
    return {
        "animation": False,
        "grid": {"left": _room(y, values_of(lines)), "right": 16, "top": 44, "bottom": 44, "outerBoundsMode": "none"},
        "legend": {
            "top": 0,
            "left": 0,
            "type": "scroll",
            "itemWidth": 26,
            "itemStyle": {"opacity": 0},
            "textStyle": label,
            "inactiveColor": LINE.on(theme),
        },
        "tooltip": {"trigger": "axis", "valueFormatter": "%.4g", "confine": True},
        "xAxis": {**x, "axisLabel": label, "axisTick": {"show": False}},
        "yAxis": {**y, "axisLabel": {**label, **y.get("axisLabel", {})}, "splitLine": grid},
        "series": lines,
    }


def logarithmic(values: Sequence[float], most: float = LARGEST) -> Option:
    """A logarithmic axis, up to `most`."""
    return {"type": "log"} | ({"max": most} if max(values, default=0) > most else {})


def scale(values: Sequence[float]) -> Option:
    """Linear, or logarithmic where small values would be lost."""
    wide = bool(values) and min(values) > 0 and max(values) > _WIDE * min(values)
    return logarithmic(values) if wide else LINEAR


def loss_scale(histories: Iterable[History]) -> Option:
    """Linear, or logarithmic where a spike would flatten the rest, which then leaves the picture at the top.

    It hangs on the losses of all steps, not of the points drawn, and a spike is not taken back: the axis changes once at most.
    """
    losses = list(map(_losses, histories))
    least = min((value for one in losses for value in one), default=0.0)
    if least <= 0 or not any(map(_spikes, losses)):
        return LINEAR
    return logarithmic([value for one in losses for value in one], most=10.0 ** math.ceil(math.log10(_ROOM * least)))


def race_scale(histories: Collection[History]) -> Option:
    """As `loss_scale`; also logarithmic where one has come so far that those behind would hide what it still gains."""
    losses = [loss for history in histories for loss in _losses(history)]
    far = min(losses, default=0.0) > 0 and max(losses) > _FAR * min(losses)
    y = loss_scale(histories)
    return logarithmic(losses) if far and y is LINEAR else y


def _losses(history: History) -> list[float]:
    return numbers(history.steps, "loss") + numbers(history.epochs, "dev_loss")


def _spikes(losses: Sequence[float]) -> bool:
    # the second highest, since the highest of the first steps may itself be the spike
    return bool(losses) and max(losses) > _SPIKED * sorted(losses[:_FIRST])[-2:][0]


def with_marks(option: Option, history: History, theme: Theme) -> Option:
    """The same with upright lines: the best epoch, and the marks by their numbers."""
    lines = []
    for x, labels in _uprights(history):
        hue = (BEST if _BEST in labels else MUTED).on(theme)
        label = {"formatter": ", ".join(labels), "color": hue, "fontSize": FONT, "position": "insideEndTop", "rotate": 0}
        lines.append({"xAxis": rounded(x), "label": label, "lineStyle": {"color": hue, "type": "dotted", "width": 1.5}})
    first, *others = option["series"]
    marked = {**first, "markLine": {"symbol": "none", "silent": True, "animation": False, "data": lines}}
    return {**option, "series": [marked, *others]}


def _uprights(history: History) -> list[tuple[float, list[str]]]:
    """Where upright lines stand, and their labels; those too close to be told apart are one."""
    best = history.epochs[-1]["best_epoch"] if history.epochs else 0
    all_of_them = [(mark.x, str(number)) for number, mark in enumerate(marks(history), 1)] + [(float(best), _BEST)] * bool(best)
    found: list[tuple[float, list[str]]] = []
    for x, label in sorted(all_of_them, key=lambda pair: pair[0]):
        if found and x - found[-1][0] < _CLOSE * reached(history):
            found[-1][1].append(label)
        else:
            found.append((x, [label]))
    return found


def _room(y: Option, values: Sequence[float]) -> int:
    """The pixels that the labels of an axis need, so that pictures one above the other line up."""
    largest = min(max(values, default=1.0), y.get("max", LARGEST))
    digits = math.ceil(math.log10(largest)) + 1 if largest > 1 else 3
    return 20 + 8 * max(5, digits + (digits - 1) // 3 if y["type"] == "log" else digits + 2)


def _end_of_axis(last: float) -> float:
    """A little beyond the last point, in jumps, so that the axis stands still most of the time."""
    return next((end for end in (0.05, 0.1, 0.2, 0.5) if last <= end), float(max(1, math.ceil(last))))


def reached(history: History) -> float:
    """How far the run has come."""
    return max((rows[-1]["x"] for rows in (history.steps, history.epochs) if rows), default=0.0)


def values_of(lines: Sequence[Option]) -> list[float]:
    """All numbers that the lines go through."""
    return [value for line in lines for _, value in line["data"] if value is not None]
