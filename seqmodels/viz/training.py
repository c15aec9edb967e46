"""A training as pictures: a run's history in, options for an ECharts chart or safe HTML out.

ECharts keeps its canvas when its data changes, so a chart that grows every second doesn't blink. What is sent stays small: a line
has at most MOST points. `x` is in epochs everywhere; a figure that is no number is a gap in its line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

from seqmodels.viz.palette import (
    DIFFERENT,
    LAM,
    LINE,
    MU,
    MUTED,
    NEGATIVE,
    POSITIVE,
    REVEAL,
    SERIES,
    SURFACE,
    TEXT,
    Pair,
    Theme,
    safe,
    shorten,
    tag_colour,
)

if TYPE_CHECKING:
    from seqmodels.runs import History

Option = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
Points = list[list[float | None]]

MOST = 400  # points of a line
FONT = 12
BEST = Pair("#7A5C0A", "#D9B84A")
HEIGHT, SMALL = 260, 220  # pixels of a chart

_METRICS = {"f1": "F1", "mse": "mean squared error", "bits_per_character": "bits per character"}
_PERCENT = ("accuracy", "f1")
LARGEST = 1e9  # a line that goes beyond leaves the picture at the top
_WIDE = 1000  # a figure whose largest value is so many times its smallest is drawn on a logarithmic scale
_BEST = "best"
_CLOSE = 0.03  # of the width of a picture: marks that lie closer share a line
_DASHES = ("solid", "dashed", "dotted")


@dataclass(frozen=True)
class Mark:
    """Something that happened to a run: where, in epochs, and what, in plain words."""

    x: float
    kind: str
    text: str


def marks(history: History) -> list[Mark]:
    """What was changed, the pauses, and the end. A pause and what ends it are one mark."""
    found: list[Mark] = []
    for mark in history.marks:
        kind, x = mark["kind"], mark["x"]
        if kind == "resumed" and found and found[-1].kind == "paused" and found[-1].x == x:
            continue
        text = changes(mark["before"], mark["after"]) if kind == "changed" else kind
        if kind in ("stopped", "finished") and mark.get("message"):  # why a run failed is said larger
            text = mark["message"]
        found.append(Mark(x, kind, text))
    return found


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What differs between two states of the settings that may change while a run goes on."""
    told = [
        f"{title} {show(before[name])} → {show(after[name])}"
        for name, title, show in (
            ("learning_rate", "learning rate", short),
            ("clip", "clipping", clipping),
            ("patience", "patience", lambda value: "off" if value is None else str(value)),
        )
        if before[name] != after[name]
    ]
    return "; ".join(told) or "nothing new"


def clipping(clip: Mapping[str, Any] | None) -> str:
    """Such as "norm at 1"."""
    return "off" if clip is None else f"{clip['kind']} at {short(clip['threshold'])}"


def short(value: float | None) -> str:
    """A figure to three digits; what is no number is a dash."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def metric_title(name: str) -> str:
    return _METRICS.get(name, name)


def score(name: str, value: float | None) -> str:
    """A score with its unit."""
    if value is None:
        return "–"
    return f"{value:.1f} %" if name in _PERCENT else short(value)


def duration(seconds: float) -> str:
    """Such as "1 min 20 s"."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def clipped_share(steps: Rows) -> float | None:
    """Of all steps so far, those whose gradient was clipped."""
    count = sum(step["count"] for step in steps)
    return sum(step["clipped_count"] for step in steps) / count if count else None


def thin(rows: Rows, figure: Callable[[Rows], float | None], most: int = MOST) -> Points:
    """At most so many points: each stands for a group of rows, at the place of its last.

    The size of the groups is a power of two, so that while a line grows its older points stay where they are.
    """
    size = 1
    while len(rows) > most * size:
        size *= 2
    groups = (rows[start : start + size] for start in range(0, len(rows), size))
    return [[_rounded(group[-1]["x"]), _rounded(figure(group))] for group in groups]


def mean(name: str) -> Callable[[Rows], float | None]:
    """The mean of a figure over a group; none if it has no number there."""

    def of(rows: Rows) -> float | None:
        values = _numbers(rows, name)
        return sum(values) / len(values) if values else None

    return of


def highest(name: str) -> Callable[[Rows], float | None]:
    """The greatest value of a figure over a group; none if it has no number there."""
    return lambda rows: max(_numbers(rows, name), default=None)


def percent(share: float | None) -> str:
    """A share; a small one is not nothing."""
    if share is None:
        return "–"
    return "below 1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")


def losses(history: History, theme: Theme) -> Option:
    """Train loss at each step, pale, and its mean over each epoch; dev loss after each epoch."""
    steps = _line("train, each step", thin(history.steps, mean("loss")), MUTED, theme, width=1.2, opacity=0.55)
    train = _line("train, epoch", _after(history, "loss"), TEXT, theme, dots=True)
    dev = _line("dev", _after(history, "dev_loss"), POSITIVE, theme, dots=True)
    lines = [steps, train, dev]
    return _with_marks(_chart(lines, theme, _last(history), y=_scale(_values(lines))), history, theme)


def scores(history: History, metric: str, theme: Theme) -> Option:
    """The dev metric after each epoch."""
    line = _line(f"dev {metric_title(metric)}", _after(history, "score"), REVEAL, theme, dots=True)
    y = _scale(_values([line]))
    if metric in _PERCENT:
        y["axisLabel"] = {"formatter": "{value} %"}
    return _with_marks(_chart([line], theme, _last(history), y=y), history, theme)


def rates(history: History, theme: Theme) -> Option:
    """The learning rate at each step."""
    line = _line("learning rate", thin(history.steps, lambda group: group[-1]["learning_rate"], 200), REVEAL, theme)
    return _with_marks(_chart([line], theme, _last(history), y={"type": "value", "min": 0}), history, theme)


def norms(history: History, clip: Mapping[str, Any] | None, theme: Theme) -> Option:
    """The gradient's norm before and after clipping, on a logarithmic scale, with the threshold; below, the share of clipped steps.

    `clip` is the clipping that the run began with.
    """
    before = _line("before clipping", _positive(thin(history.steps, highest("highest_norm"))), NEGATIVE, theme, width=1.5)
    after = _line("after", _positive(thin(history.steps, _highest_after)), POSITIVE, theme, width=1.5)
    threshold = {**_line("threshold", _threshold(history, clip), TEXT, theme, dash="dashed"), "showSymbol": False}
    share = _line("clipped steps", thin(history.steps, _clipped_percent, 100), NEGATIVE, theme, width=1)
    share |= {"xAxisIndex": 1, "yAxisIndex": 1, "areaStyle": {"opacity": 0.35}, "step": "end", "showSymbol": False}
    option = _chart([before, after, threshold, share], theme, _last(history), y=_logarithmic(_values([before, after, threshold])))
    grid, x, y = option["grid"], option["xAxis"], option["yAxis"]
    option["grid"] = [{**grid, "bottom": 92}, {**grid, "top": None, "height": 32}]
    option["xAxis"] = [{**x, "name": "", "axisLabel": {"show": False}}, {**x, "gridIndex": 1}]
    hundred = {"type": "value", "gridIndex": 1, "min": 0, "max": 100, "interval": 100, "splitLine": {"show": False}}
    option["yAxis"] = [y, {**hundred, "axisLabel": {**y["axisLabel"], "formatter": "{value} %"}}]
    option["axisPointer"] = {"link": [{"xAxisIndex": "all"}]}
    return _with_marks(option, history, theme)


def saturation(samples: Rows, place: tuple[int, str], theme: Theme) -> Option:
    """After each epoch, the share of units and tokens at which the gates of a layer and direction are wide open or shut."""
    lines = []
    for title, name, colour, dash in (
        ("keep μ open", "mu_open", MU, "solid"),
        ("keep μ shut", "mu_shut", MU, "dashed"),
        ("write λ open", "lam_open", LAM, "solid"),
        ("write λ shut", "lam_shut", LAM, "dashed"),
    ):
        points: Points = [[sample["epoch"], _percent(gates[name])] for sample, gates in _gates(samples, place)]
        lines.append(_line(title, points, colour, theme, dash=dash, dots=True))
    y = {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value} %"}}
    return _chart(lines, theme, _last_epoch(samples), y=y)


def half_lives(samples: Rows, theme: Theme) -> Option:
    """After each epoch, for each layer and direction, the tokens until half of a memory is left in the median unit."""
    lines = []
    for place, dash in zip(places(samples), cycle(_DASHES), strict=False):
        points: Points = [[sample["epoch"], _rounded(gates["half_life"])] for sample, gates in _gates(samples, place)]
        lines.append(_line(place_title(place), points, MU, theme, dash=dash, dots=True))
    return _chart(lines, theme, _last_epoch(samples), y={"type": "value", "min": 0})


def places(samples: Rows) -> list[tuple[int, str]]:
    """The layers and directions that the samples tell of."""
    return [(gates["layer"], gates["direction"]) for gates in samples[-1]["gates"]] if samples else []


def place_title(place: tuple[int, str]) -> str:
    return f"layer {place[0] + 1}, {place[1]}"


OVERLAYS = {"Train loss": "loss", "Dev loss": "dev_loss", "Score": "score", "Gradient norm": "norm"}


def overlay(histories: Mapping[str, History], figure: str, theme: Theme) -> Option:
    """One figure of several runs, by their names: train loss and norm at each step, the others after each epoch."""
    most = max(60, MOST // max(1, len(histories)))
    lines = []
    for number, (name, history) in enumerate(histories.items()):
        if figure == "Gradient norm":
            points = _positive(thin(history.steps, highest("highest_norm"), most))
        elif figure == "Train loss":
            points = thin(history.steps, mean("loss"), most)
        else:
            points = _after(history, OVERLAYS[figure])
        colour, dash = SERIES[number % len(SERIES)], _DASHES[number // len(SERIES) % len(_DASHES)]
        lines.append(_line(name, points, colour, theme, dash=dash, dots=len(points) < 40))
    values = _values(lines)
    y = _logarithmic(values) if figure == "Gradient norm" else _scale(values)
    return _chart(lines, theme, max((_last(history) for history in histories.values()), default=1.0), y=y)


_STYLE = f"""<style>
.sm-probe {{ color: {TEXT.css}; display: flex; flex-wrap: wrap; gap: .5rem .35rem; font-size: 1.0625rem; padding: .25rem 0 .5rem; }}
.sm-probe > span {{ display: inline-flex; flex-direction: column; align-items: stretch; text-align: center; }}
.sm-probe bdi {{ padding-inline: .25rem; overflow-wrap: anywhere; }}
.sm-probe b {{ font-weight: 400; font-size: .8125rem; line-height: 1.5rem; border-radius: 4px; padding-inline: .4rem;
  background: color-mix(in oklab, var(--c) var(--p), transparent); }}
.sm-probe .sm-new {{ outline: 2px solid {DIFFERENT.css}; outline-offset: -1px; }}
.sm-probe s {{ font-size: .75rem; line-height: 1.2rem; color: {DIFFERENT.css}; min-height: 1.2rem; }}
.sm-written {{ color: {TEXT.css}; background: {SURFACE.css}; border-radius: 8px; padding: .75rem 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: 1.0625rem; line-height: 1.5; }}
.sm-written i {{ color: {MUTED.css}; font-style: normal; }}
.sm-facts {{ display: flex; flex-wrap: wrap; gap: .2rem 1.75rem; color: {TEXT.css}; font-variant-numeric: tabular-nums; }}
.sm-facts span {{ display: inline-flex; flex-direction: column; line-height: 1.3; }}
.sm-facts small {{ color: {MUTED.css}; font-size: .8125rem; }}
.sm-facts b {{ font-size: 1.125rem; font-weight: 600; }}
</style>"""


def facts(values: Mapping[str, str]) -> str:
    """A row of figures under their names."""
    return f'{_STYLE}<div class="sm-facts">{"".join(_fact(name, value) for name, value in values.items())}</div>'


def chips(sample: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> str:
    """The tags of a text after an epoch. Framed: not as after the epoch before; the tag of then is struck through below."""
    old = [tag for _, tag, _ in before["tags"]] if before else [None] * len(sample["tags"])
    words = "".join(_chip(word, tag, sure, then) for (word, tag, sure), then in zip(sample["tags"], old, strict=False))
    return f'{_STYLE}<div class="sm-probe">{words}</div>'


def changed_tags(sample: Mapping[str, Any], before: Mapping[str, Any]) -> int:
    """How many tags are not as they were after the epoch before."""
    return sum(now[1] != then[1] for now, then in zip(sample["tags"], before["tags"], strict=False))


def writing(sample: Mapping[str, Any]) -> str:
    """The text of a language model after an epoch; what it was given is pale."""
    text, prompt = sample["text"], sample.get("prompt") or ""
    given = prompt if text.startswith(prompt) else ""
    return f'{_STYLE}<div class="sm-written" dir="auto"><i>{_lines(given)}</i>{_lines(text[len(given) :])}</div>'


def _lines(text: str) -> str:
    return "\n".join(safe(line) if line else "" for line in text.split("\n"))


def _fact(name: str, value: str) -> str:
    return f"<span><small>{safe(name)}</small><b>{safe(value)}</b></span>"


def _chip(word: str, tag: str, probability: float, old: str | None) -> str:
    changed = old is not None and old != tag
    was = old if changed and old else ""
    said = f"{tag} {probability:.0%}" + (f", after the epoch before: {was}" if changed else "")
    colour = f"--c:{tag_colour(tag).css};--p:{20 + 80 * probability:.0f}%"
    chip = f'<b class="{"sm-new" if changed else ""}" style="{colour}">{safe(tag)}</b>'
    return f'<span title="{safe(said)}"><bdi>{safe(word)}</bdi>{chip}<s>{safe(was)}</s></span>'


def _numbers(rows: Rows, name: str) -> list[float]:
    return [row[name] for row in rows if row.get(name) is not None]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _positive(points: Points) -> Points:
    """A logarithmic scale knows no zero: a gap instead."""
    return [[x, value if value is not None and value > 0 else None] for x, value in points]


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
        (_last(history), None)
    ]:
        value = clip["threshold"] if clip and clip["kind"] == "norm" else None
        points += [[_rounded(start), value], [_rounded(at), value]]
        start, clip = at, then
    return points


def _last(history: History) -> float:
    """How far the run has come."""
    return max((rows[-1]["x"] for rows in (history.steps, history.epochs) if rows), default=0.0)


def _last_epoch(samples: Rows) -> float:
    return samples[-1]["epoch"] if samples else 1.0


def _end_of_axis(last: float) -> float:
    """A little beyond the last point, in jumps, so that the axis stands still most of the time."""
    return next((end for end in (0.05, 0.1, 0.2, 0.5) if last <= end), float(max(1, math.ceil(last))))


def _values(lines: Sequence[Option]) -> list[float]:
    """All numbers that the lines go through."""
    return [value for line in lines for _, value in line["data"] if value is not None]


def _scale(values: Sequence[float]) -> Option:
    """Linear, or logarithmic where small values would be lost."""
    wide = bool(values) and min(values) > 0 and max(values) > _WIDE * min(values)
    return _logarithmic(values) if wide else {"type": "value", "scale": True}


def _logarithmic(values: Sequence[float]) -> Option:
    return {"type": "log"} | ({"max": LARGEST} if max(values, default=0) > LARGEST else {})


def _highest_after(steps: Rows) -> float | None:
    """The greatest norm after clipping. Of steps that were not told only the one before is known: the same, if none was clipped."""
    return max(filter(None, (step["norm_after" if step["clipped_count"] else "highest_norm"] for step in steps)), default=None)


def _clipped_percent(steps: Rows) -> float | None:
    return _percent(clipped_share(steps))


def _room(y: Option, values: Sequence[float]) -> int:
    """The pixels that the labels of an axis need, so that pictures one above the other line up."""
    largest = min(max(values, default=1.0), LARGEST)
    digits = math.ceil(math.log10(largest)) + 1 if largest > 1 else 3
    return 20 + 8 * max(5, digits + (digits - 1) // 3 if y["type"] == "log" else digits + 2)


def _line(
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


def _chart(lines: list[Option], theme: Theme, last: float, *, y: Option) -> Option:
    """What all charts share."""
    label = {"color": MUTED.on(theme), "fontSize": FONT}
    grid = {"lineStyle": {"color": LINE.on(theme)}}
    end = _end_of_axis(last)
    x = {"type": "value", "min": 0, "max": end, "minInterval": 1 if end >= 1 else 0, "splitLine": {"show": False}, "axisLine": grid}
    x |= {"name": "epoch", "nameLocation": "middle", "nameGap": 24, "nameTextStyle": label}
    return {
        "animation": False,
        "grid": {"left": _room(y, _values(lines)), "right": 16, "top": 44, "bottom": 44, "outerBoundsMode": "none"},
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


def _with_marks(option: Option, history: History, theme: Theme) -> Option:
    """The same with upright lines: the best epoch, and the marks by their numbers."""
    lines = [_upright(x, labels, theme) for x, labels in _uprights(history)]
    first, *others = option["series"]
    marked = {**first, "markLine": {"symbol": "none", "silent": True, "animation": False, "data": lines}}
    return {**option, "series": [marked, *others]}


def _uprights(history: History) -> list[tuple[float, list[str]]]:
    """Where upright lines stand, and their labels; those too close to be told apart are one."""
    best = history.epochs[-1]["best_epoch"] if history.epochs else 0
    all_of_them = [(mark.x, str(number)) for number, mark in enumerate(marks(history), 1)] + [(float(best), _BEST)] * bool(best)
    found: list[tuple[float, list[str]]] = []
    for x, label in sorted(all_of_them, key=lambda pair: pair[0]):
        if found and x - found[-1][0] < _CLOSE * _last(history):
            found[-1][1].append(label)
        else:
            found.append((x, [label]))
    return found


def _upright(x: float, labels: Sequence[str], theme: Theme) -> Option:
    hue = (BEST if _BEST in labels else MUTED).on(theme)
    label = {"formatter": ", ".join(labels), "color": hue, "fontSize": FONT, "position": "insideEndTop", "rotate": 0}
    return {"xAxis": _rounded(x), "label": label, "lineStyle": {"color": hue, "type": "dotted", "width": 1.5}}


def named(names: Sequence[str]) -> list[str]:
    """Names of runs, short enough for a legend, no two alike."""
    told: list[str] = []
    for name in names:
        cut = shorten(name, 28)
        same = sum(other == cut or other.startswith(f"{cut} (") for other in told)
        told.append(f"{cut} ({same + 1})" if same else cut)
    return told
