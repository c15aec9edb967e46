"""Cells beside each other in numbers that mean the same in all of them, and two texts in one cell, unit by unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from seqmodels.traces import CURVES, Aligned, Trace, align, curve, difference, distance
from seqmodels.viz import gates, law, legends
from seqmodels.viz.frame import WHOLE, Focus, Frame, Label, windows
from seqmodels.viz.palette import MUTED, SERIES, TEXT, Pair, shorten, visible

if TYPE_CHECKING:
    from seqmodels.viz.gates import Array, Measure

NOWHERE, NOTHING = "·", "–"  # stand for a word in the text that lacks it, and for a word without a name
COLUMNS = 60  # of two aligned texts in a picture
MEMORY = gates.MEASURES["memory"]
# the colour says the cell; where several models have the same, the stroke tells them apart
_DASHES = ("solid", "dash", "dot")
_MARKERS = ("circle", "square", "diamond", "cross", "triangle-up", "x")


@dataclass(frozen=True)
class TwoTexts:
    """Two texts as one model read them, word by aligned word, and what stands under each column."""

    first: Trace
    second: Trace
    columns: tuple[Aligned, ...]
    below: tuple[Label, ...] = ()

    @classmethod
    def of(cls, first: Trace, second: Trace, below: tuple[Sequence[Label], Sequence[Label]] = ((), ())) -> TwoTexts:
        """Align them; `below` is what stands under the words of each."""
        columns = align(first.tokens, second.tokens)
        if not all(below):
            return cls(first, second, columns)
        missing = Label(NOWHERE)
        one = [missing if pair.first is None else below[0][pair.first] for pair in columns]
        other = [missing if pair.second is None else below[1][pair.second] for pair in columns]
        return cls(first, second, columns, told_apart([one, other]))

    @property
    def words(self) -> tuple[str, ...]:
        """A word for each column: 'old / new' where the texts differ."""
        pairs = [
            (
                NOWHERE if pair.first is None else self.first.tokens[pair.first],
                NOWHERE if pair.second is None else self.second.tokens[pair.second],
            )
            for pair in self.columns
        ]
        return tuple(one if one == other else f"{shorten(visible(one), 8)} / {shorten(visible(other), 8)}" for one, other in pairs)

    def column(self, token: int | None) -> int | None:
        """The column of a token of the first text."""
        return next((column for column, pair in enumerate(self.columns) if token is not None and pair.first == token), None)

    def row(self, focus: Focus) -> tuple[Trace, Focus]:
        """Both as one row of words, and the focus on the part of it that holds the selected token of the first text."""
        chosen = self.column(focus.token)
        part = next(part for part in windows(len(self.columns), COLUMNS) if (chosen or 0) < part.stop)
        return Trace(self.first.task, self.first.cell, self.words, ()), replace(focus, token=chosen, window=part, below=self.below)


def curves(traces: Sequence[Trace], focus: Focus = WHOLE, *, name: str = "mean keep") -> go.Figure:
    """A line for each cell: one of `traces.CURVES`, a share from 0 to 1 at every word."""
    frame = Frame(traces[0], focus, panels=1, height=260)
    frame.y_axis(0, f"{name}, %", range=[-3, 103], tickvals=[0, 50, 100], showgrid=True)
    for traced, dash in zip(traces, _dashes(traces), strict=True):
        values, colour = _drawn(traced, focus, name), cell_colour(traced.cell).on(focus.theme)
        frame.add(
            0,
            go.Scatter(
                x=np.arange(len(values)),
                y=np.round(100 * values, 2),
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": dash},
                marker={"color": colour, "size": 8, "symbol": _MARKERS[_place(traced.cell)]},
                hovertemplate=f"<b>%{{x}}</b>, {_title(traced)}<br>{name}: %{{y:.1f}} %<extra></extra>",
            ),
        )
    return frame.figure()


def curve_difference(first: Trace, second: Trace, focus: Focus = WHOLE, *, name: str = "mean keep") -> go.Figure:
    """Bars of first - second of one of `traces.CURVES`, in percentage points; each in the colour of the cell that has more."""
    values = 100 * (_drawn(first, focus, name) - _drawn(second, focus, name))
    reach = max(float(np.abs(values).max(initial=0)) * 1.1, 5)
    frame = Frame(first, focus, panels=1, height=260)
    zero: dict[str, Any] = {"zeroline": True, "zerolinecolor": MUTED.on(focus.theme)}
    frame.y_axis(0, f"{name}, points", range=[-reach, reach], nticks=5, showgrid=True, **zero)
    more = [first if value > 0 else second for value in values]
    pale = 0.45 if first.cell == second.cell else 1.0  # the second, where the colour alone would not tell them apart
    frame.add(
        0,
        go.Bar(
            x=np.arange(len(values)),
            y=np.round(values, 2),
            width=0.7,
            marker={
                "color": [cell_colour(traced.cell).on(focus.theme) for traced in more],
                "opacity": [pale if traced is second else 1.0 for traced in more],
                "line": {"width": 0},
            },
            hovertemplate=f"<b>%{{x}}</b><br>{_title(first)} − {_title(second)}<br>{name}: %{{y:+.1f}} points<extra></extra>",
        ),
    )
    return frame.figure()


def text_difference(texts: TwoTexts, focus: Focus = WHOLE, *, measure: Measure = MEMORY) -> go.Figure:
    """Two texts in one cell, aligned: above, how far apart their memories are; below, first - second of a measure, units x words.

    The units are ordered by that difference at the selected word of the first text, so that the word's column runs from one end of
    the scale to the other. The column of a word that only one text has is empty.
    """
    merged, here = texts.row(focus)
    part, columns = here.window, texts.columns
    one, other = focus.whole(texts.first), focus.whole(texts.second)
    ours, theirs = measure.of(one), measure.of(other)
    if ours is None or theirs is None:
        raise ValueError(f"{_title(texts.first)} has no {measure.title}: choose another measure")
    apart = difference(ours, theirs, columns)  # (columns, units)
    far = distance(one.memory, other.memory, columns)[part]
    order = np.argsort(-_guide(apart, here.token), kind="stable")
    frame = Frame(merged, here, panels=2, height=190)
    frame.y_axis(0, "apart, %", range=[-3, 103], tickvals=[0, 50, 100], showgrid=True)
    frame.add(
        0,
        go.Bar(
            x=np.arange(len(far)),
            y=np.round(100 * far, 2),
            width=0.7,
            marker={"color": MUTED.on(focus.theme), "line": {"width": 0}},
            hovertemplate="<b>%{x}</b><br>the memories are %{y:.1f} % apart<extra></extra>",
        ),
    )
    reach = max(float(np.nanmax(np.abs(apart), initial=0)), 1e-6)
    frame.add(
        1,
        go.Heatmap(
            z=np.round(apart[part].T[order], 3),
            zmin=-reach,
            zmax=reach,
            colorscale=MEMORY.stops(focus.theme),
            showscale=False,
            hoverongaps=False,
            hovertemplate=f"<b>%{{x}}</b><br>unit %{{y}}<br>{measure.name}: %{{z:+.3f}}<extra></extra>",
        ),
    )
    axis: dict[str, Any] = {"range": [len(order) - 0.5, -0.5], "tickvals": np.arange(len(order)), "ticktext": order.astype(str)}
    frame.y_axis(1, f"{measure.name}, difference", **axis, showticklabels=False)
    return frame.figure()


def told_apart(sides: Sequence[Sequence[Label]]) -> tuple[Label, ...]:
    """What stands under the words of several readings: one label where all have the same, else all of them, 'NOUN / VERB'.

    None at all if any reading has none.
    """
    if not all(sides):
        return ()
    return tuple(_joined(labels) for labels in zip(*sides, strict=True))


def legend(traces: Sequence[Trace]) -> str:
    """The cells and their colours, as HTML for either theme."""
    dashes = zip(traces, _dashes(traces), strict=True)
    return legends.legend(legends.line(_title(traced), cell_colour(traced.cell), dash) for traced, dash in dashes)


def scale(measure: Measure) -> str:
    """The colour bar of a difference, as HTML."""
    return legends.legend([legends.bar(f"{measure.name}, difference", TEXT, MEMORY.css(), ("−", "+"))])


def cell_colour(cell: str) -> Pair:
    """The colour of the line that stands for a cell."""
    return SERIES[_place(cell) % len(SERIES)]


def curve_rows(traces: Sequence[Trace], focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each cell and token that is drawn: all of `traces.CURVES`."""
    rows = []
    for traced in traces:
        found = {name: _drawn(traced, focus, name) for name in CURVES}
        words = focus.columns(traced).words
        rows += [
            {"cell": traced.source, "position": position, "token": words[column]}
            | {name: float(values[column]) for name, values in found.items()}
            for column, position in enumerate(focus.positions(traced))
        ]
    return rows


def text_rows(texts: TwoTexts, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each column of two aligned texts: both words, what stands under them, and how far the memories are apart."""
    one, other = focus.whole(texts.first), focus.whole(texts.second)
    far = distance(one.memory, other.memory, texts.columns)
    return [
        {
            "first": "" if pair.first is None else texts.first.tokens[pair.first],
            "second": "" if pair.second is None else texts.second.tokens[pair.second],
            "below": texts.below[column].text if texts.below else "",
            "apart": "" if np.isnan(far[column]) else float(far[column]),
        }
        for column, pair in enumerate(texts.columns)
    ]


def _drawn(traced: Trace, focus: Focus, name: str) -> Array:
    """A curve over the words that are drawn, computed over the whole text."""
    return curve(focus.whole(traced), name, focus.token if focus.token is not None else len(traced.tokens) - 1)[focus.window]


def _joined(labels: Sequence[Label]) -> Label:
    texts = [label.text for label in labels]
    return labels[0] if len(set(texts)) == 1 else Label(" / ".join(text or NOTHING for text in texts))


def _guide(apart: Array, column: int | None) -> Array:
    """(units,): the difference at a column, or if that is in one text only, its mean over the others."""
    if column is not None and not np.isnan(apart[column]).any():
        return apart[column]
    found = apart[~np.isnan(apart).any(axis=1)]
    return found.mean(axis=0) if len(found) else np.zeros(apart.shape[1], np.float32)


def _dashes(traces: Sequence[Trace]) -> list[str]:
    """The stroke of each line: another for each further model with the same cell."""
    cells = [traced.cell for traced in traces]
    return [_DASHES[cells[:place].count(cell) % len(_DASHES)] for place, cell in enumerate(cells)]


def _place(cell: str) -> int:
    return list(law.FORMULAS).index(cell)


def _title(traced: Trace) -> str:
    return law.title(traced.cell, traced.model)
