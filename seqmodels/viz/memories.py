"""Who wrote the memory at each token, who gave the prediction that is read from it, and how long a word lasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels import traces
from seqmodels.viz import gates, keys
from seqmodels.viz.figure import hover, picks, rgba
from seqmodels.viz.frame import WHOLE, WORD, Focus, Focused, Frame, Label
from seqmodels.viz.palette import LAM, LAM_INK, MU, MU_INK, NEGATIVE, POSITIVE, REVEAL, TEXT, Pair, Theme, safe, shorten

if TYPE_CHECKING:
    from seqmodels.traces import Attribution, LayerTrace, Trace

Values = NDArray[np.floating[Any]]

CONTRIBUTIONS_HEIGHT, RETENTION_HEIGHT = 94, 142  # pixels of a panel
THICK = 30  # rows up to which a thick frame leaves room for what is in it
STOPS = np.linspace(0, 1, 9)  # of the colour scale of shares


@dataclass(frozen=True)
class Collapsed(Focused):
    """A trace in which all words before and after those that are drawn stand as one word each, and the focus on it."""

    inside: slice  # the columns of the words that are drawn one by one
    positions: range  # of these words in the whole text

    @property
    def tokens(self) -> list[int | None]:
        """The token that each column stands for; None for many words, or a memory before the first."""
        before, after = self.inside.start, len(self.trace.tokens) - self.inside.stop
        return [None] * before + list(self.positions) + [None] * after


def collapsed(traced: Trace, focus: Focus = WHOLE) -> Collapsed:
    """The words that are drawn, the rest of the text as at most two more, and a memory before the first word, if there is one.

    Sums over them are sums over the whole text.
    """
    drawn = focus.positions(traced)
    near = traces.with_start(traces.collapse(traced, focus.window))
    first = int(drawn.start > 0) + int(any(layer.start is not None and not layer.backward for layer in traced.layers))
    below = focus.below[focus.window]
    if below:
        below = (Label(""),) * first + below + (Label(""),) * (len(near.tokens) - first - len(drawn))
    column = focus.column(traced)
    there = replace(focus, token=None if column is None else first + column, window=slice(None), below=below)
    return Collapsed(near, there, slice(first, first + len(drawn)), drawn)


def contributions(traced: Trace, focus: Focus = WHOLE, given: Attribution | None = None) -> go.Figure:
    """Tokens x tokens: how much of the memory at the row's word the column's word wrote. Below, the selected row as bars.

    With a unit selected, signed amounts that sum to that unit's memory. `given` adds bars that sum, with a bias, to a logit; it is
    the attribution of `collapsed(traced, focus).trace`.
    """
    near = collapsed(traced, focus)
    if given is not None and len(given.total) != len(near.trace.tokens):
        raise ValueError(
            f"the attribution is over {len(given.total)} words, the picture over {len(near.trace.tokens)}: "
            "attribute the trace that `collapsed` gives"
        )
    panels = 1 if near.focus.token is None else 2 if given is None else 3
    frame = Frame(near.trace, near.focus, panels=panels, height=CONTRIBUTIONS_HEIGHT, tokens=near.tokens)
    values = amounts(near)
    _add_map(frame, near, values[near.inside])
    if near.focus.token is not None:
        _add_memory(frame, values[near.token], focus)
        drawn = near.inside.stop - near.inside.start
        frame.outline_row(0, near.token - near.inside.start, width=2 if drawn <= THICK else 1)
    if given is not None:
        _add_logit(frame, given, focus.theme)
    return frame.figure()


def amounts(near: Collapsed) -> Values:
    """(tokens, tokens): the share of each row's memory that the column's word wrote; of a selected unit, the amount."""
    unit, count = near.focus.unit, len(near.trace.tokens)
    if unit is None:
        return traces.contribution_shares(near.layer)
    return np.stack([traces.contributions(near.layer, token)[:, unit] for token in range(count)])


def contribution_rows(traced: Trace, focus: Focus = WHOLE, given: Attribution | None = None) -> list[dict[str, Any]]:
    """What the map and the bars are drawn from: a row for each token and each writer, a token that wrote of its memory.

    `written` is a share of the memory, or of a selected unit the amount; many words in one column have no position.
    """
    near = collapsed(traced, focus)
    words, values, read = near.trace.tokens, amounts(near), _read(near.layer)
    positions = ["" if token is None else token for token in near.tokens]
    return [
        {"cell": traced.label, "position": positions[at], "token": words[at]}
        | {"writer_position": positions[by], "writer": words[by], "unit": "" if focus.unit is None else focus.unit}
        | {"written": float(values[at, by]), "logit": "" if given is None or at != near.focus.token else float(given.total[by])}
        for at in range(len(words))[near.inside]
        for by in range(len(words))
        if read[at, by] or (given is not None and at == near.focus.token)
    ]


def retention(traced: Trace, focus: Focus = WHOLE) -> go.Figure:
    """What is left of the selected word at every word read after it; below, the same of every word: its column begins at 1.

    A memory before the first word has a line of its own. With a unit selected, the share of that unit alone on top, dotted.
    """
    layer = focus.drawn(traced)
    selected = focus.column(traced)
    started = focus.whole(traced).start is not None
    panels = 2 if selected is not None or started else 1
    frame = Frame(traced, focus, panels=panels, height=RETENTION_HEIGHT)
    if selected is not None:
        _add_retention(frame, layer, selected, focus)
    if started:
        _add_start(frame, traced, focus)
    values = np.where(_read(layer), traces.retention_map(layer), np.nan)
    text = hover(f"%{{z:.1%}} of {WORD} is retained at <b>%{{y}}</b>")
    gates.add_map(frame, panels - 1, values, gates.KEEP, text, reach=1, name="retained", ends=("0 %", "100 %"))
    frame.row_axis(panels - 1, "retained at", [safe(word) for word in frame.words])
    return frame.figure()


def retention_rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """What the curve and the map are drawn from: a row for each word that is drawn and each read after it."""
    layer, words, positions = focus.drawn(traced), focus.columns(traced).words, focus.positions(traced)
    shares, read = traces.retention_map(layer), _read(layer)
    return [
        {"cell": traced.label, "position": positions[by], "token": words[by]}
        | {"later_position": positions[at], "later_token": words[at], "retained": float(shares[at, by])}
        for by in range(len(words))
        for at in range(len(words))
        if read[at, by]
    ] + [
        {"cell": traced.label, "position": "", "token": start_name(traced)}
        | {"later_position": positions[at], "later_token": words[at], "retained": float(left)}
        for at, left in enumerate(_start_left(traced, focus))
    ]


def start_name(traced: Trace) -> str:
    """What the memory before the first word is called."""
    return traced.condition or traces.START


def _read(layer: LayerTrace) -> NDArray[np.bool_]:
    """(tokens, tokens): whether the column's word has been read at the row's."""
    read = np.tri(len(layer.mu), dtype=bool)
    return read.T if layer.backward else read


def _add_map(frame: Frame, near: Collapsed, values: Values) -> None:
    """The memories of the words drawn one by one, written by all."""
    unit, theme = near.focus.unit, near.focus.theme
    values = np.where(_read(near.layer)[near.inside], values, np.nan)
    rows = picks(row={"token": near.positions})  # a click selects the memory at a word, whoever wrote it
    if unit is None:
        scale = [(float(share), rgba(LAM.on(theme), float(np.sqrt(share)))) for share in STOPS]  # the root, to see small shares
        text = hover(f"{WORD} wrote %{{z:.1%}} of the memory at <b>%{{y}}</b>")
        frame.key.append(keys.scale("written", [colour for _, colour in scale[1::2]], ("0 %", "100 % of the memory")))
        frame.heatmap(0, values, scale=scale, hover=text, meta=rows)
    else:
        reach = float(np.nanmax(np.abs(values))) or 1.0
        text = hover(f"{WORD} wrote %{{z:+.3f}} of unit {unit} at <b>%{{y}}</b>")
        gates.add_map(frame, 0, values, gates.MEMORY, text, reach=reach, name=f"written into unit {unit}", meta=rows)
    frame.row_axis(0, "memory at", [safe(word) for word in frame.words[near.inside]])


def _add_memory(frame: Frame, values: Values, focus: Focus) -> None:
    if focus.unit is None:
        frame.bars(1, 100 * values, LAM.on(focus.theme), hover(f"{WORD} wrote %{{y:.1f}} % of the memory"))
        frame.y_axis(1, "wrote, %", LAM_INK, showgrid=True, nticks=4, range=[0, 1.1 * max(1.0, 100 * float(values.max()))])
        return
    frame.bars(1, values, _by_sign(values, focus.theme), hover(f"{WORD} wrote %{{y:+.3f}} of unit {focus.unit}"))
    frame.y_axis(1, f"unit {focus.unit}", showgrid=True, **_signed_axis(values))


def _add_logit(frame: Frame, given: Attribution, theme: Theme) -> None:
    parts = [f"through {direction}: %{{customdata[{number}]:+.2f}}" for number, direction in enumerate(given.gave)]
    text = hover(f"{WORD} gave %{{y:+.2f}}", *(parts if len(parts) > 1 else ()))
    by_direction = np.round(np.stack(list(given.gave.values()), axis=1), 4)
    frame.bars(2, given.total, _by_sign(given.total, theme), text, customdata=by_direction)
    frame.y_axis(2, f"gave to {safe(shorten(given.target, 14))}", showgrid=True, **_signed_axis(given.total))


def _add_retention(frame: Frame, layer: LayerTrace, selected: int, focus: Focus) -> None:
    """From the selected word on, in the order of reading; nothing is drawn at words read before it."""
    colour = MU.on(focus.theme)
    after = np.arange(selected + 1) if layer.backward else np.arange(selected, len(layer.mu))
    text = f"%{{y:.1f}} % is left at {WORD}"
    filled: dict[str, Any] = {"fill": "tozeroy", "fillcolor": rgba(colour, 0.18)}
    frame.line(0, 100 * traces.retention(layer, selected)[after], colour, hover(text), x=after, **filled)
    if focus.unit is not None:
        of_unit = 100 * traces.unit_retention(layer, selected)[after, focus.unit]
        frame.line(0, of_unit, TEXT.on(focus.theme), hover(f"unit {focus.unit}: {text}"), x=after, thin=True)
    frame.y_axis(0, "retained, %", MU_INK, showgrid=True, tickvals=[0, 50, 100], range=[-3, 106])


def _start_left(traced: Trace, focus: Focus) -> Values:
    """(words drawn,): what is left of the memory before the first word; none where there was none."""
    layer = focus.whole(traced)
    return np.zeros(0) if layer.start is None else traces.start_retention(layer)[focus.window]


def _add_start(frame: Frame, traced: Trace, focus: Focus) -> None:
    colour = REVEAL.on(focus.theme)
    text = f"%{{y:.1f}} % of {safe(start_name(traced))} is retained at {WORD}"
    frame.key.append(keys.line(f"retained of {start_name(traced)}, the memory before", colour, "dash"))
    dashed = {"color": colour, "width": 2.5, "dash": "dash"}
    frame.line(0, 100 * _start_left(traced, focus), colour, hover(text), line=dashed)
    frame.y_axis(0, "retained, %", MU_INK, showgrid=True, tickvals=[0, 50, 100], range=[-3, 106])


def _by_sign(values: Values, theme: Theme) -> list[str]:
    ends: dict[bool, Pair] = {True: POSITIVE, False: NEGATIVE}
    return [ends[value >= 0].on(theme) for value in values.tolist()]


def _signed_axis(values: Values) -> dict[str, Any]:
    """From the lowest to the highest bar, zero among them, marked."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.08 * (high - low) or 1.0
    return {"range": [low - room, high + room], "zeroline": True, "zerolinewidth": 1.5, "nticks": 5, "exponentformat": "power"}
