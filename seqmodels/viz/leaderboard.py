"""Pictures of the cards: scores against size and speed, figures by label, confusions, calibration, differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from seqmodels.viz import law, legends
from seqmodels.viz.figure import FONT, axis_title, ground, hover, picture, plotly_trace, rgba, rule
from seqmodels.viz.format import counted, percent
from seqmodels.viz.palette import (
    BACKGROUND,
    DIFFERENT,
    LINE,
    MUTED,
    TEXT,
    Theme,
    cell_colour,
    cell_marker,
    safe,
    shorten,
    tag_colour,
)
from seqmodels.viz.style import styled

if TYPE_CHECKING:
    from seqmodels.cards import Card, Confusion, Difference, Result

METRICS = {
    "accuracy": "accuracy, %",
    "f1": "F1, %",
    "perplexity": "perplexity",
    "bits_per_character": "bits a character",
}
QUANTITIES = ("size", "speed")
Values = Mapping[str, tuple[float, str]]  # by label: what is drawn, and what the pointer reads

_Box = tuple[float, float, float, float]  # left, bottom, right, top

_HEIGHT = 250
_NARROW = (290.0, 196.0)  # pixels between the axes on a phone
_ROW = 24  # pixels of a label
_TICKS = (0, 50, 80, 90, 95, 98, 99, 99.5, 99.9)
_NEAREST = 0.05  # to 100 on a stretched axis
_AIR = 0.18  # of an axis, beyond its lowest and highest value


def title(card: Card) -> str:
    """What a checkpoint is called: 'GRU', or 'my-tagger (GRU)' where its name is not that of its task and cell."""
    return law.title(card.cell, "" if card.name == f"{card.task}-{card.cell}" else card.name)


def metric_title(metric: str) -> str:
    """A metric as an axis calls it, with its unit."""
    return METRICS.get(metric, metric.replace("_", " "))


def against(
    cards: Sequence[Card], quantity: str, *, split: str = "test", higher_is_better: bool = True, theme: Theme = "light"
) -> go.Figure:
    """A point for each checkpoint: its score over its size or speed. Up is better, whatever the metric."""
    if quantity not in QUANTITIES:
        raise ValueError(f"unknown quantity {quantity!r}: choose one of {', '.join(QUANTITIES)}")
    rival = quantity == "speed" and all(card.speed.ratio is not None for card in cards)
    name, value = _quantity(cards[0], quantity, rival)
    found = sorted(cards, key=value)
    scores = [card.results[split].scores[card.metric] for card in found]
    low, high = _around(scores)
    left, right = _around([*map(value, found), *([1.0] if rival else [])])
    up = [(score - low) / (high - low) for score in scores]
    across = [(value(card) - left) / (right - left) for card in found]
    up = up if higher_is_better else [1 - height for height in up]
    places = _placed([title(card) for card in found], across, up, (1 - left) / (right - left) if rival else None)
    points = [
        plotly_trace(
            "scatter",
            x=[value(card)],
            y=[score],
            mode="markers+text",
            text=[safe(title(card))],
            textposition=place,
            textfont={"size": 14, "color": TEXT.on(theme)},
            marker=_marker(card.cell, theme, 12),
            hovertemplate=hover(f"<b>{safe(title(card))}</b>", f"{metric_title(card.metric)}: %{{y:.2f}}", f"{name}: %{{x:,.4~g}}"),
        )
        for card, score, place in zip(found, scores, places, strict=True)
    ]
    line = LINE.on(theme)
    axis = {"gridcolor": line, "linecolor": line, "showline": True, "mirror": True, "zeroline": False, "fixedrange": True}
    font = {"tickfont": {"size": FONT}}
    return picture(
        points,
        {
            "xaxis": {
                **axis,
                **font,
                "range": (left, right),
                "nticks": 6,
                "title": axis_title(name),
            },
            "yaxis": {
                **axis,
                **font,
                "range": (low, high) if higher_is_better else (high, low),
                "nticks": 5,
                "title": axis_title(metric_title(cards[0].metric)),
            },
            "shapes": [rule(x=1, line={"color": MUTED.on(theme), "width": 2, "dash": "dot"})] if rival else [],
            "height": _HEIGHT,
            "margin": {"l": 58, "r": 10, "t": 8, "b": 46, "pad": 0},
            **ground(theme),
        },
    )


def _placed(names: Sequence[str], across: Sequence[float], up: Sequence[float], line: float | None) -> list[str]:
    """Where the name of each point stands, in plotly's words: where it covers the least of other points and names on a phone.

    `across`, `up` and the upright `line` are from 0 to 1 of the picture.
    """
    points = [(x * _NARROW[0], y * _NARROW[1]) for x, y in zip(across, up, strict=True)]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    taken += [] if line is None else [(line * _NARROW[0] - 1, 0.0, line * _NARROW[0] + 1, _NARROW[1])]
    found = []
    for name, (x, y) in zip(names, points, strict=True):
        half = 3.6 * len(name) + 0.9 * sum(map(str.isupper, name))
        boxes = {
            "top center": (x - half, y + 6, x + half, y + 22),
            "bottom center": (x - half, y - 22, x + half, y - 6),
            "middle right": (x + 7, y - 8, x + 7 + 2 * half, y + 8),
            "middle left": (x - 7 - 2 * half, y - 8, x - 7, y + 8),
        }
        costs = {
            place: sum(_shared(box, other) for other in taken) + (box[2] - box[0]) * 16 - _shared(box, (0, 0, *_NARROW))
            for place, box in boxes.items()
        }
        best = min(costs, key=costs.__getitem__)
        taken.append(boxes[best])
        found.append(best)
    return found


def _shared(one: _Box, other: _Box) -> float:
    """The area that two boxes have in common."""
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(0.0, min(one[3], other[3]) - max(one[1], other[1]))


def _quantity(card: Card, quantity: str, rival: bool) -> tuple[str, Callable[[Card], float]]:
    """What a picture calls it, and how much of it a checkpoint has."""
    if quantity == "size":
        return "size, MB", lambda card: card.bytes / 1e6
    if rival:
        return "speed, times the rival's", lambda card: card.speed.ratio or 0.0
    return f"{card.speed.what} a second", lambda card: card.speed.words


def by_label(
    cards: Sequence[Card], values: Sequence[Values], name: str, *, stretched: bool = False, theme: Theme = "light"
) -> go.Figure:
    """A row for each label, and on it a point for each checkpoint.

    `stretched` is for percentages: what is missing to 100 is on a logarithmic scale, so that the best can be told apart.
    """
    labels = list(dict.fromkeys(label for found in values for label in found))
    step = 0.6 / max(len(cards), 1)  # no point hides another
    points = [
        plotly_trace(
            "scatter",
            x=[_place(found[label][0], stretched) for label in labels if label in found],
            y=[row + (number - (len(cards) - 1) / 2) * step for row, label in enumerate(labels) if label in found],
            customdata=[(safe(label), f"{found[label][0]:.1f}", found[label][1]) for label in labels if label in found],
            mode="markers",
            marker=_marker(card.cell, theme, 10),
            hovertemplate=hover(
                f"<b>%{{customdata[0]}}</b>, {safe(title(card))}", f"{name}: %{{customdata[1]}}", "%{customdata[2]}"
            ),
        )
        for number, (card, found) in enumerate(zip(cards, values, strict=True))
    ]
    line = LINE.on(theme)
    across: dict[str, Any] = {"title": axis_title(name), "tickfont": {"size": FONT}, "gridcolor": line, "zeroline": False}
    if stretched:
        across |= {"tickvals": [_place(tick, stretched) for tick in _TICKS], "ticktext": [f"{tick:g}" for tick in _TICKS]}
    down = {"range": (len(labels) - 0.4, -0.6), "tickvals": list(range(len(labels))), "ticktext": [safe(label) for label in labels]}
    return picture(
        points,
        {
            "xaxis": {**across, "fixedrange": True},
            "yaxis": {
                **down,
                "tickfont": {"size": 14},
                "gridcolor": line,
                "zeroline": False,
                "fixedrange": True,
                "automargin": True,
            },
            "height": max(_ROW, 7 * len(cards)) * len(labels) + 70,
            "margin": {"l": 10, "r": 14, "t": 6, "b": 46, "pad": 4},
            **ground(theme),
        },
    )


def _place(value: float, stretched: bool) -> float:
    return -math.log10(max(100 - value, _NEAREST)) if stretched else value


def tally_values(result: Result) -> Values:
    """F1 by tag or type of entity, the most frequent first."""
    found = sorted(result.tallies, key=lambda tally: -tally.gold)
    return {
        tally.label: (
            tally.f1,
            f"precision {tally.precision:.1f}, recall {tally.recall:.1f}<br>{tally.gold:,} to find, {tally.predicted:,} given, "
            f"{tally.right:,} right",
        )
        for tally in found
    }


def band_values(result: Result, unit: str = "word") -> Values:
    """The mean surprisal in bits by the frequency of the word."""
    return {
        band.label: (
            band.nats / band.tokens / math.log(2),
            f"{counted(band.tokens, unit)}<br>expected most at {100 * band.right / band.tokens:.1f} %",
        )
        for band in result.bands
    }


def confusion(found: Confusion, *, theme: Theme = "light") -> go.Figure:
    """What people say in rows, what the model says in columns, as counts; a mistake is the redder, the more of its row it is.

    The colour goes by the root of that share, or one rare tag would leave all others pale.
    """
    shares: list[list[float]] = []
    texts: list[list[str]] = []
    for row, counts in zip(found.rows, found.counts, strict=True):
        total = max(sum(counts), 1)
        shares.append(
            [0.0 if row == column else math.sqrt(count / total) for column, count in zip(found.columns, counts, strict=True)]
        )
        texts.append([f"{count:,}" if count else "" for count in counts])
    totals = [sum(counts) for counts in found.counts]
    red = DIFFERENT.on(theme)
    heat = plotly_trace(
        "heatmap",
        z=shares,
        x=[safe(name) for name in found.columns],
        y=[safe(name) for name in found.rows],
        text=texts,
        texttemplate="%{text}",
        textfont={"size": FONT, "color": TEXT.on(theme)},
        customdata=[[100 * count / max(total, 1) for count in counts] for counts, total in zip(found.counts, totals, strict=True)],
        colorscale=[[0, rgba(red, 0)], [1, rgba(red, 0.6)]],
        zmin=0,
        zmax=max([share for row in shares for share in row] + [0.1]),
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate=hover("people: <b>%{y}</b>", "model: <b>%{x}</b>", "%{text} of them, %{customdata:.1f} %"),
    )
    agreed = [name for name in found.rows if name in found.columns]
    line = {"color": MUTED.on(theme), "width": 1}
    boxes = []
    for name in agreed:  # the right ones, which have no colour
        y, x = found.rows.index(name), found.columns.index(name)
        boxes.append({"type": "rect", "x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5, "line": line})
    axis: dict[str, Any] = {
        "tickfont": {"size": 13},
        "fixedrange": True,
        "showgrid": False,
        "type": "category",
        "zeroline": False,
        "ticks": "",
    }
    return picture(
        [heat],
        {
            "xaxis": {**axis, "side": "top", "title": axis_title("the model says")},
            "yaxis": {**axis, "autorange": "reversed", "automargin": True, "title": axis_title("people say")},
            "shapes": boxes,
            "height": 30 * len(found.rows) + 110,
            "margin": {"l": 10, "r": 6, "t": 84, "b": 8, "pad": 2},
            **ground(theme),
        },
    )


def needed(found: Confusion) -> int:
    """Pixels that a confusion matrix needs for its numbers to be legible."""
    return 100 + 42 * len(found.columns)


def reliability(cards: Sequence[Card], of: str, *, split: str = "test", theme: Theme = "light") -> go.Figure:
    """How often the answers are right, over how sure the model is of them: on the diagonal, it is as right as it says."""
    curves = []
    for card in cards:
        bins = [one for found in card.results[split].calibrations if found.of == of for one in found.bins]
        curves.append(
            plotly_trace(
                "scatter",
                x=[100 * one.confidence for one in bins],
                y=[100 * one.right / one.count for one in bins],
                customdata=[one.count for one in bins],
                mode="lines+markers",
                line={"color": cell_colour(card.cell).on(theme), "width": 1.5},
                marker=_marker(card.cell, theme, 9),
                hovertemplate=hover(
                    f"<b>{safe(title(card))}</b>", "says %{x:.1f} %", "is right at %{y:.1f} %", f"%{{customdata:,}} {of}"
                ),
            )
        )
    line = LINE.on(theme)
    ends = {"x0": 0, "y0": 0, "x1": 100, "y1": 100}
    diagonal = {"type": "line", **ends, "line": {"color": MUTED.on(theme), "dash": "dot"}, "layer": "below"}
    axis = {"range": (-2, 102), "gridcolor": line, "zeroline": False, "fixedrange": True, "tickfont": {"size": FONT}}
    return picture(
        curves,
        {
            "xaxis": {**axis, "title": axis_title("how sure it is, %")},
            "yaxis": {**axis, "title": axis_title("right, %")},
            "shapes": [diagonal],
            "height": 340,
            "margin": {"l": 52, "r": 10, "t": 8, "b": 46, "pad": 0},
            **ground(theme),
        },
    )


def difference(found: Difference, cards: Sequence[Card]) -> str:
    """A sentence with the word at which models differ, and what each says there; a tick marks those that are right."""
    start = min(found.start, len(found.text))
    before, after = found.text[:start], found.text[start + len(found.word) :]
    writes = not found.text[start : start + len(found.word)]  # a language model's word comes next
    word = f"<mark>{safe(found.word)}</mark>"
    sentence = f"{safe(before)}{' ' if writes else ''}{word}{safe(after)}"
    shown = [card for card in cards if card.name in found.guesses]
    said = [found.guesses[card.name].said for card in shown]
    whole = len({_kind(tag) for tag in said}) < len(set(said))  # they differ in where an entity begins
    answers = "".join(_answer(card, found, writes, whole) for card in shown)
    people = "" if writes else f"<span>people {_tag(found.gold, whole)}</span>"
    return styled("board", f'<div class="sm-quote"><p>{sentence}</p><div>{answers}{people}</div></div>')


def _answer(card: Card, found: Difference, writes: bool, whole: bool) -> str:
    guess = found.guesses[card.name]
    right = ' class="sm-right"' if guess.said == found.gold else ""
    told = (
        f"expects <b>{safe(shorten(guess.said))}</b>, <i>{safe(shorten(found.word))}</i> {percent(guess.probability)}"
        if writes
        else f"{_tag(guess.said, whole)} {percent(guess.probability)}"
    )
    return f"<span{right}>{safe(title(card))} {told}</span>"


def _tag(tag: str, whole: bool) -> str:
    return f'<b class="sm-kind" style="--c:{tag_colour(tag).css}">{safe(tag if whole else _kind(tag))}</b>'


def _kind(tag: str) -> str:
    return tag.removeprefix("B-").removeprefix("I-")


def legend(cards: Sequence[Card]) -> str:
    """The cells with their colours and markers."""
    return legends.legend(legends.marker(title(card), cell_colour(card.cell), cell_marker(card.cell)) for card in cards)


def _marker(cell: str, theme: Theme, size: int) -> dict[str, Any]:
    edge = {"color": BACKGROUND.on(theme), "width": 1}
    return {"color": cell_colour(cell).on(theme), "size": size, "symbol": cell_marker(cell), "line": edge}


def _around(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    air = _AIR * (high - low) or max(abs(high) * 0.05, 0.5)
    return low - air * 1.4, high + air * 1.4
