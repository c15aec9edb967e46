"""The ledger as a picture: who wrote the memory at each token, and who wrote the prediction that is read from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels import traces
from seqmodels.viz import legends
from seqmodels.viz.frame import WHOLE, Focus, Frame, Label, rgba
from seqmodels.viz.palette import LAM, LAM_INK, NEGATIVE, POSITIVE, TEXT, Pair, Theme, safe, shorten

if TYPE_CHECKING:
    from seqmodels.traces import Attribution, LayerTrace, Trace

Values = NDArray[np.floating[Any]]

_HEIGHT = 180
_THICK = 30  # rows up to which a thick frame leaves room for what is in it
_STOPS = np.linspace(0, 1, 9)  # of the colour scale of shares


@dataclass(frozen=True)
class Folded:
    """A trace in which all words before and after those that are drawn stand as one word each, and the focus on it."""

    trace: Trace
    focus: Focus
    inside: slice  # the columns of the words that are drawn one by one

    @property
    def layer(self) -> LayerTrace:
        return self.focus.whole(self.trace)


def folded(traced: Trace, focus: Focus = WHOLE) -> Folded:
    """The words that are drawn, and the rest of the text as at most two more. Sums over them are sums over the whole text."""
    drawn = focus.positions(traced)
    near = traces.fold(traced, focus.window)
    first = int(drawn.start > 0)
    below = focus.below[focus.window]
    if below:
        below = (Label(""),) * first + below + (Label(""),) * (len(near.tokens) - first - len(drawn))
    column = focus.column(traced)
    there = replace(focus, token=None if column is None else first + column, window=slice(None), below=below)
    return Folded(near, there, slice(first, first + len(drawn)))


def shares(layer: LayerTrace) -> Values:
    """(tokens, tokens): row t, column s: the L2 norm of what s wrote of the memory at t, as a share of the row's sum."""
    return _of_the_sum(traces.ledger_norms(layer))


def shares_at(layer: LayerTrace, token: int) -> Values:
    """(tokens,): that row."""
    return _of_the_sum(np.linalg.norm(traces.ledger(layer, token), axis=1)[None])[0]


def ledger(traced: Trace, focus: Focus = WHOLE, given: Attribution | None = None) -> go.Figure:
    """Tokens x tokens: how much of the memory at the row's word the column's word wrote. Below, the selected row as bars.

    With a unit selected, signed amounts that sum to that unit's memory. `given` adds bars that sum, with a bias, to a logit; it is
    the attribution of `folded(traced, focus).trace`.
    """
    near = folded(traced, focus)
    if given is not None and len(given.total) != len(near.trace.tokens):
        raise ValueError(
            f"the attribution is over {len(given.total)} words, the picture over {len(near.trace.tokens)}: "
            "attribute the trace that `folded` gives"
        )
    panels = 1 if near.focus.token is None else 2 if given is None else 3
    frame = Frame(near.trace, near.focus, panels=panels, height=_HEIGHT)
    _add_map(frame, near)
    if near.focus.token is not None:
        _add_memory(frame, near, near.focus.token)
    if given is not None:
        _add_logit(frame, given, focus.theme)
    figure = frame.figure()
    figure.update_layout(bargap=0.2)
    if near.focus.token is not None:
        row = near.focus.token - near.inside.start
        drawn = near.inside.stop - near.inside.start
        line = {"color": TEXT.on(focus.theme), "width": 2 if drawn <= _THICK else 1}
        figure.add_shape(type="rect", x0=-0.5, x1=len(near.trace.tokens) - 0.5, y0=row - 0.5, y1=row + 0.5, line=line)
    return figure


def rows(traced: Trace, focus: Focus = WHOLE, given: Attribution | None = None) -> list[dict[str, Any]]:
    """What the map and the bars are drawn from: a row for each pair of tokens of which one wrote of the other's memory."""
    near = folded(traced, focus)
    values = _table(near)
    kind = "share" if focus.unit is None else f"unit {focus.unit}"
    order = range(len(near.trace.tokens))
    return [
        {"cell": traced.source, "memory at": near.trace.tokens[at], "at": at + 1, "written by": near.trace.tokens[by], "by": by + 1}
        | {kind: float(values[at, by]), "of the logit": "" if given is None or at != near.focus.token else float(given.total[by])}
        for at in order[near.inside]
        for by in order
        if (by >= at if near.layer.backward else by <= at) or (given is not None and at == near.focus.token)
    ]


def legend(unit: int | None) -> str:
    """The colour bar of the map."""
    if unit is None:
        stops = [f"color-mix(in srgb, {LAM.css} {100 * alpha:.0f}%, transparent)" for alpha in np.sqrt(_STOPS)]
        return legends.legend([legends.bar("written", LAM_INK, stops, ("nothing", "all of the memory"))])
    signed = (NEGATIVE.css, "transparent", POSITIVE.css)
    return legends.legend([legends.bar(f"written into unit {unit}", TEXT, signed, ("−", "+"))])


def _of_the_sum(norms: Values) -> Values:
    """Rows as shares of their sums; a memory that nobody wrote stays zero."""
    total = norms.sum(axis=1, keepdims=True)
    return np.divide(norms, total, out=np.zeros_like(norms), where=total > 0)


def _table(near: Folded) -> Values:
    """(tokens, tokens): the shares, or with a unit selected what each word wrote of its memory."""
    unit = near.focus.unit
    if unit is None:
        return shares(near.layer)
    return np.stack([traces.ledger(near.layer, token)[:, unit] for token in range(len(near.trace.tokens))])


def _add_map(frame: Frame, near: Folded) -> None:
    unit, theme = near.focus.unit, near.focus.theme
    values = _table(near)[near.inside]  # the memories of the words drawn one by one, written by all
    read = np.tri(len(near.trace.tokens), dtype=bool)
    values = np.where((read.T if near.layer.backward else read)[near.inside], values, np.nan)
    if unit is None:
        reach, low, says = 1.0, 0.0, "wrote %{z:.1%} of the memory"
        scale = [(float(share), rgba(LAM.on(theme), float(np.sqrt(share)))) for share in _STOPS]  # the root, to see small shares
    else:
        reach = float(np.nanmax(np.abs(values))) or 1.0
        low, says = -reach, f"wrote %{{z:+.3f}} of unit {unit}"
        scale = [(0, NEGATIVE.on(theme)), (0.5, rgba(NEGATIVE.on(theme), 0)), (0.5, rgba(POSITIVE.on(theme), 0))]
        scale.append((1, POSITIVE.on(theme)))
    count = len(values)
    frame.add(
        0,
        go.Heatmap(
            z=np.round(values, 4).astype(np.float32),
            zmin=low,
            zmax=reach,
            colorscale=scale,
            showscale=False,
            hoverongaps=False,
            hovertemplate=f"<b>%{{x}}</b> {says} at <b>%{{y}}</b><extra></extra>",
        ),
    )
    words: dict[str, Any] = {"tickvals": np.arange(count), "ticktext": [safe(word) for word in frame.words[near.inside]]}
    frame.y_axis(0, "memory at", range=[count - 0.5, -0.5], showticklabels=False, **words)


def _add_memory(frame: Frame, near: Folded, token: int) -> None:
    unit, theme = near.focus.unit, near.focus.theme
    if unit is None:
        values = 100 * shares_at(near.layer, token)
        bars = _bars(values, LAM.on(theme), "wrote %{y:.1f} % of the memory")
        frame.add(1, bars)
        frame.y_axis(1, "wrote, %", LAM_INK, showgrid=True, nticks=4, range=[0, 1.1 * max(1.0, float(values.max()))])
        return
    values = traces.ledger(near.layer, token)[:, unit]
    frame.add(1, _bars(values, _by_sign(values, theme), f"wrote %{{y:+.3f}} of unit {unit}"))
    frame.y_axis(1, f"unit {unit}", showgrid=True, **_signed_axis(values))


def _add_logit(frame: Frame, given: Attribution, theme: Theme) -> None:
    total = given.total
    parts = "<br>".join(f"through {direction}: %{{customdata[{number}]:+.2f}}" for number, direction in enumerate(given.gave))
    bars = _bars(total, _by_sign(total, theme), "gave %{y:+.2f}" + (f"<br>{parts}" if len(given.gave) > 1 else ""))
    frame.add(2, bars.update(customdata=np.round(np.stack(list(given.gave.values()), axis=1), 4)))
    frame.y_axis(2, f"gave to {safe(shorten(given.target, 14))}", showgrid=True, **_signed_axis(total))


def _bars(values: Values, colour: str | list[str], says: str) -> go.Bar:
    return go.Bar(
        x=np.arange(len(values)),
        y=np.round(values, 4),
        marker={"color": colour, "line": {"width": 0}},
        hovertemplate=f"<b>%{{x}}</b> {says}<extra></extra>",
    )


def _by_sign(values: Values, theme: Theme) -> list[str]:
    ends: dict[bool, Pair] = {True: POSITIVE, False: NEGATIVE}
    return [ends[value >= 0].on(theme) for value in values.tolist()]


def _signed_axis(values: Values) -> dict[str, Any]:
    """From the lowest to the highest bar, zero among them, marked."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.08 * (high - low) or 1.0
    return {"range": [low - room, high + room], "zeroline": True, "zerolinewidth": 1.5, "nticks": 5, "exponentformat": "power"}
