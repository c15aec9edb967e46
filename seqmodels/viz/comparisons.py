"""Cells beside each other in numbers that mean the same in all of them; two texts in one cell, and a text with gates clamped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from seqmodels.traces import CURVES, Aligned, Trace, align, curve, difference, distance, normalized_distance, windows
from seqmodels.viz import gates, law
from seqmodels.viz.figure import hover, picks
from seqmodels.viz.frame import WHOLE, WORD, Focus, Frame, Label, token_rows
from seqmodels.viz.legends import Stroke
from seqmodels.viz.palette import DIFFERENT, MUTED, cell_colour, cell_marker, shorten, visible

if TYPE_CHECKING:
    from seqmodels.viz.gates import Array, Measure

NOWHERE, NOTHING = "·", "–"  # stand for a word in the text that lacks it, and for a word without a name
COLUMNS = 60  # of two aligned texts in a picture
_DASHES = ("solid", "dash", "dot")


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
        return cls(first, second, columns, joined([one, other]))

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
        return Trace(self.first.task, self.first.cell, self.words, (), self.first.model), replace(
            focus, token=chosen, window=part, below=self.below
        )


def curves(traces: Sequence[Trace], focus: Focus = WHOLE, *, name: str = "mean keep") -> go.Figure:
    """A line for each cell: one of `traces.CURVES`, a share from 0 to 1 at every word."""
    frame = Frame(traces[0], focus, panels=1, height=260)
    frame.y_axis(0, f"{name}, %", range=[-3, 103], tickvals=[0, 50, 100], showgrid=True)
    _name_all(frame, traces)
    for traced, stroke in zip(traces, strokes(traces), strict=True):
        colour = stroke.colour.on(focus.theme)
        look: dict[str, Any] = {
            "line": {"color": colour, "width": 2, "dash": stroke.dash},
            "marker": {"color": colour, "size": 8, "symbol": cell_marker(traced.cell)},
        }
        text = hover(f"{WORD}, {stroke.name}", f"{name}: %{{y:.1f}} %")
        frame.line(0, 100 * _drawn(traced, focus, name), colour, text, **look)
    return frame.figure()


def curve_difference(first: Trace, second: Trace, focus: Focus = WHOLE, *, name: str = "mean keep") -> go.Figure:
    """Bars of first - second of one of `traces.CURVES`, in percentage points; each in the colour of the cell that has more."""
    values = 100 * (_drawn(first, focus, name) - _drawn(second, focus, name))
    reach = max(float(np.abs(values).max(initial=0)) * 1.1, 5)
    frame = Frame(first, focus, panels=1, height=260)
    zero: dict[str, Any] = {"zeroline": True, "zerolinecolor": MUTED.on(focus.theme)}
    frame.y_axis(0, f"{name}, points", range=[-reach, reach], nticks=5, showgrid=True, **zero)
    _name_all(frame, [first, second])
    more = [first if value > 0 else second for value in values]
    pale = 0.45 if first.cell == second.cell else 1.0  # the second, where the colour alone would not tell them apart
    marker = {
        "color": [cell_colour(traced.cell).on(focus.theme) for traced in more],
        "opacity": [pale if traced is second else 1.0 for traced in more],
        "line": {"width": 0},
    }
    text = hover(WORD, f"{_title(first)} − {_title(second)}", f"{name}: %{{y:+.1f}} points")
    frame.bars(0, values, "", text, marker=marker)
    return frame.figure()


def text_difference(texts: TwoTexts, focus: Focus = WHOLE, *, measure: Measure = gates.MEMORY) -> go.Figure:
    """Two texts in one cell, aligned: above, how far apart their memories are; below, first - second of a measure, units x words.

    The units are ordered by that difference at the selected word of the first text, so that the word's column runs from one end of
    the scale to the other. The column of a word that only one text has is empty.
    """
    merged, here = texts.row(focus)
    one, other = focus.whole(texts.first), focus.whole(texts.second)
    ours, theirs = measure.of(one), measure.of(other)
    if ours is None or theirs is None:
        raise ValueError(f"{_title(texts.first)} has no {measure.title}: choose another measure")
    between = difference(ours, theirs, texts.columns)  # (columns, units)
    frame = Frame(merged, here, panels=2, height=136, tokens=[pair.first for pair in texts.columns[here.window]])
    far = distance(one.memory, other.memory, texts.columns)[here.window]
    frame.bars(0, 100 * far, MUTED.on(focus.theme), hover(WORD, "the memories are %{y:.1f} % apart"))
    frame.y_axis(0, "apart, %", range=[-3, 103], tickvals=[0, 50, 100], showgrid=True)
    order = np.argsort(-_guide(between, here.token), kind="stable")
    text = hover(WORD, "unit %{y}", f"{measure.name}: %{{z:+.3f}}")
    rows = picks(row={"unit": order})
    gates.add_map(
        frame,
        1,
        between[here.window].T[order],
        gates.MEMORY,
        text,
        reach=_reach(between),
        name=f"{measure.name}, difference",
        meta=rows,
    )
    frame.row_axis(1, f"{measure.name}, difference", order)
    return frame.figure()


def intervention(before: Trace, after: Trace, focus: Focus = WHOLE) -> go.Figure:
    """How much of the memory an intervention changes at each word, and in which units: those that differ most on top."""
    ours, theirs = focus.drawn(after).memory, focus.drawn(before).memory  # (tokens, units)
    frame = Frame(after, focus, panels=2, height=170)
    text = hover(WORD, "%{y:.1%} of the memory is different")
    frame.bars(0, normalized_distance(ours, theirs), DIFFERENT.on(focus.theme), text)
    frame.y_axis(0, "changed", DIFFERENT, range=[0, 1], tickformat=".0%", nticks=3, showgrid=True)
    order = np.argsort(-np.abs(ours - theirs).sum(axis=0), kind="stable")
    text = hover(WORD, "unit %{y}", "memory after minus before = %{z:.3f}")
    rows = picks(row={"unit": order})
    gates.add_map(
        frame,
        1,
        (ours - theirs).T[order],
        gates.MEMORY,
        text,
        reach=_reach(ours - theirs),
        name="change in memory",
        meta=rows,
    )
    frame.row_axis(1, "difference", order)
    return frame.figure()


def intervention_rows(before: Trace, after: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """What the picture is drawn from: a row for each token and unit."""
    memories = {"memory_before": focus.drawn(before).memory, "memory_after": focus.drawn(after).memory}
    return token_rows(after, focus, memories, range(memories["memory_after"].shape[1]))


def joined(sides: Sequence[Sequence[Label]]) -> tuple[Label, ...]:
    """What stands under the words of several readings: one label where all have the same, else all of them, 'NOUN / VERB'.

    None at all if any reading has none.
    """
    if not all(sides):
        return ()
    return tuple(_joined(labels) for labels in zip(*sides, strict=True))


def strokes(traces: Sequence[Trace]) -> list[Stroke]:
    """The line of each: its colour says the cell, and where several models have the same, the stroke tells them apart."""
    cells = [traced.cell for traced in traces]
    return [
        Stroke(_title(traced), cell_colour(traced.cell), _DASHES[cells[:place].count(traced.cell) % len(_DASHES)])
        for place, traced in enumerate(traces)
    ]


def curve_rows(traces: Sequence[Trace], focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each cell and token that is drawn: all of `traces.CURVES`."""
    curves = [(traced, {name.replace(" ", "_"): _drawn(traced, focus, name) for name in CURVES}) for traced in traces]
    return [row for traced, values in curves for row in token_rows(traced, focus, values)]


def text_rows(texts: TwoTexts, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each column of two aligned texts: both words, what stands under them, and how far the memories are apart."""
    one, other = focus.whole(texts.first), focus.whole(texts.second)
    far = distance(one.memory, other.memory, texts.columns)
    return [
        {
            **_place(pair.first, texts.first),
            **{f"other_{name}": value for name, value in _place(pair.second, texts.second).items()},
            "below": texts.below[column].text if texts.below else "",
            "distance": "" if np.isnan(far[column]) else float(far[column]),
        }
        for column, pair in enumerate(texts.columns)
    ]


def _name_all(frame: Frame, traces: Sequence[Trace]) -> None:
    """The models of a picture that has several, in its key."""
    frame.name = ""
    frame.key += [stroke.key(frame.theme) for stroke in strokes(traces)]


def _place(token: int | None, traced: Trace) -> dict[str, Any]:
    return {"position": "", "token": ""} if token is None else {"position": token, "token": traced.tokens[token]}


def _drawn(traced: Trace, focus: Focus, name: str) -> Array:
    """A curve over the words that are drawn, computed over the whole text."""
    return curve(focus.whole(traced), name, focus.token if focus.token is not None else len(traced.tokens) - 1)[focus.window]


def _joined(labels: Sequence[Label]) -> Label:
    texts = [label.text for label in labels]
    return labels[0] if len(set(texts)) == 1 else Label(" / ".join(text or NOTHING for text in texts))


def _guide(between: Array, column: int | None) -> Array:
    """(units,): the difference at a column, or if that is in one text only, its mean over the others."""
    if column is not None and not np.isnan(between[column]).any():
        return between[column]
    found = between[~np.isnan(between).any(axis=1)]
    return found.mean(axis=0) if len(found) else np.zeros(between.shape[1], np.float32)


def _reach(between: Array) -> float:
    return max(float(np.nanmax(np.abs(between), initial=0)), 1e-6)


def _title(traced: Trace) -> str:
    return law.title(traced.cell, traced.model)
