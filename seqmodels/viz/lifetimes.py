"""How long a memory lasts: what is left of a word at later words, and the half-life of every unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels import traces
from seqmodels.viz import legends
from seqmodels.viz.frame import FONT, MARGIN_LEFT, MARGIN_RIGHT, WHOLE, Focus, Frame, ground, rgba
from seqmodels.viz.palette import BACKGROUND, LINE, MU, MU_INK, TEXT, safe

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Trace

Values = NDArray[np.floating[Any]]

SHORTEST, LONGEST = 0.05, 1000.0  # tokens; a half-life beyond stands at the edge of the picture
QUANTILES = (0.1, 0.5, 0.9)
_ORDER_TITLES = {"half-life": "units, the longest half-life first", "unit": "units, as they are"}
ORDERS = tuple(_ORDER_TITLES)

_HEIGHT = 190
_STOPS = (0.0, 1.0)


def left(layer: LayerTrace) -> Values:
    """(tokens, tokens): row t, column s: the share of what s wrote that is left at t, by L2 norm over the units."""
    norms = traces.ledger_norms(layer)
    wrote = np.diagonal(norms)
    return np.divide(norms, wrote, out=np.zeros_like(norms), where=wrote > 0)


def survival(traced: Trace, focus: Focus = WHOLE) -> go.Figure:
    """What is left of the selected word at every word read after it; below, the same of every word: its column begins at 1.

    With a unit selected, the share of that unit alone on top, dotted.
    """
    layer, theme = focus.drawn(traced), focus.theme
    selected = focus.column(traced)
    panels = 1 if selected is None else 2
    frame = Frame(traced, focus, panels=panels, height=_HEIGHT)
    if selected is not None:
        _add_curve(frame, layer, selected, focus)
    words = [safe(word) for word in frame.words]
    read = np.tri(len(words), dtype=bool)
    frame.add(
        panels - 1,
        go.Heatmap(
            z=np.round(np.where(read.T if layer.backward else read, left(layer), np.nan), 4).astype(np.float32),
            zmin=0,
            zmax=1,
            colorscale=[(share, rgba(MU.on(theme), share)) for share in _STOPS],
            showscale=False,
            hoverongaps=False,
            hovertemplate="%{z:.1%} of <b>%{x}</b> is left at <b>%{y}</b><extra></extra>",
        ),
    )
    labels: dict[str, Any] = {"tickvals": np.arange(len(words)), "ticktext": words, "showticklabels": False}
    frame.y_axis(panels - 1, "left at", range=[len(words) - 0.5, -0.5], **labels)
    return frame.figure()


def half_lives(traced: Trace, focus: Focus = WHOLE, *, order: str = "half-life") -> go.Figure:
    """The half-life of every unit over the whole text, as bars on a logarithmic axis; the selected unit in the colour of text.

    In the order of `half-life`, the longest first, or of `unit`. A bar's customdata is its unit, for a page to select.
    """
    if order not in ORDERS:
        raise ValueError(f"unknown order {order!r}: choose one of {', '.join(ORDERS)}")
    tokens, theme = traces.half_life(focus.whole(traced).mu), focus.theme
    units = np.argsort(-tokens, kind="stable") if order == "half-life" else np.arange(len(tokens))
    told = [duration(float(tokens[unit])) for unit in units]
    colours = [(TEXT if unit == focus.unit else MU).on(theme) for unit in units]
    bars = go.Bar(
        x=np.arange(len(units)),
        y=np.round(np.clip(tokens[units], SHORTEST, LONGEST), 4),
        customdata=units,
        text=told,
        textposition="none",
        marker={"color": colours, "line": {"width": 0}},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        hovertemplate="unit %{customdata}: half-life %{text}<extra></extra>",
    )
    axis = {"fixedrange": True, "zeroline": False, "automargin": False}
    return go.Figure(
        bars,
        {
            **ground(theme),
            "hovermode": "x",  # a bar is two pixels wide: the nearest answers
            "height": 250,
            "bargap": 0,
            "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": 8, "b": 34},
            "annotations": _notes(tokens, units, focus),
            "shapes": _median_line(tokens, focus),
            "xaxis": {
                **axis,
                "title": {"text": _ORDER_TITLES[order], "font": {"size": 13}},
                "range": [-0.5, len(units) - 0.5],
                "showticklabels": False,
                "showgrid": False,
            },
            "yaxis": {
                **axis,
                "title": {"text": "half-life, tokens", "font": {"size": 14, "color": MU_INK.on(theme)}, "standoff": 6},
                "type": "log",
                "range": [np.log10(SHORTEST), np.log10(LONGEST)],
                "tickvals": [0.1, 1, 10, 100, LONGEST],
                "ticktext": ["0.1", "1", "10", "100", f"≥ {LONGEST:.0f}"],
                "tickfont": {"size": FONT},
                "gridcolor": LINE.on(theme),
            },
        },
    )


def quantiles(tokens: Values) -> tuple[float, ...]:
    """The half-lives at QUANTILES of the units; each is that of a unit, so that zero and infinity need no mean."""
    return tuple(np.quantile(tokens, QUANTILES, method="inverted_cdf").tolist())


def duration(tokens: float) -> str:
    """A half-life in words: '0', '0.27 tokens', '13 tokens', 'without end'."""
    if np.isinf(tokens):
        return "without end"
    if tokens == 0:
        return "0"
    return f"{tokens:,.2f} tokens" if tokens < 10 else f"{tokens:,.0f} tokens"


def share(value: float) -> str:
    """A share in words: '31 %', '4.2 %', 'less than 0.1 %', 'nothing'."""
    if value == 0:
        return "nothing"
    if value < 0.001:
        return "less than 0.1 %"
    return f"{100 * value:.0f} %" if value >= 0.0995 else f"{100 * value:.1f} %"


def survival_rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """What the curve and the map are drawn from: a row for each word that is drawn and each read after it."""
    layer, words, positions = focus.drawn(traced), focus.columns(traced).words, focus.positions(traced)
    shares = left(layer)
    return [
        {"cell": traced.source, "word": words[by], "position": positions[by], "at": words[at], "at position": positions[at]}
        | {"left": float(shares[at, by])}
        for by in range(len(words))
        for at in range(len(words))
        if (at <= by if layer.backward else at >= by)
    ]


def half_life_rows(traced: Trace, focus: Focus = WHOLE) -> list[dict[str, Any]]:
    """A row for each unit."""
    tokens = traces.half_life(focus.whole(traced).mu)
    return [{"cell": traced.source, "unit": unit, "half_life": float(value)} for unit, value in enumerate(tokens)]


def legend() -> str:
    """The colour bar of the map."""
    return legends.legend([legends.bar("left", MU_INK, ("transparent", MU.css), ("0 %", "100 %"))])


def _add_curve(frame: Frame, layer: LayerTrace, selected: int, focus: Focus) -> None:
    """From the selected word on, in the order of reading; nothing is drawn at words read before it."""
    colour = MU.on(focus.theme)
    after = np.arange(selected + 1) if layer.backward else np.arange(selected, len(layer.mu))
    curve = {"x": after, "mode": "lines+markers"}
    says = "%{y:.1f} % is left at <b>%{x}</b><extra></extra>"
    frame.add(
        0,
        go.Scatter(
            **curve,
            y=np.round(100 * traces.remaining(layer, selected)[after], 2),
            line={"color": colour, "width": 2.5},
            marker={"color": colour, "size": 6},
            fill="tozeroy",
            fillcolor=rgba(colour, 0.18),
            hovertemplate=says,
        ),
    )
    if focus.unit is not None:
        ink = TEXT.on(focus.theme)
        frame.add(
            0,
            go.Scatter(
                **curve,
                y=np.round(100 * traces.survival(layer, selected)[after, focus.unit], 2),
                line={"color": ink, "width": 1.5, "dash": "dot"},
                marker={"color": ink, "size": 4},
                hovertemplate=f"unit {focus.unit}: {says}",
            ),
        )
    frame.y_axis(0, "left, %", MU_INK, showgrid=True, tickvals=[0, 50, 100], range=[-3, 106])


def _median_line(tokens: Values, focus: Focus) -> list[dict[str, Any]]:
    _, median, _ = quantiles(tokens)
    if not SHORTEST < median < LONGEST:
        return []
    line = {"color": TEXT.on(focus.theme), "width": 1, "dash": "dash"}
    return [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": median, "y1": median, "line": line}]


def _notes(tokens: Values, units: NDArray[np.intp], focus: Focus) -> list[dict[str, Any]]:
    """The median, and the selected unit by its name."""
    _, median, _ = quantiles(tokens)
    alike = bool(tokens.min() == tokens.max())
    note = {
        "font": {"size": 13, "color": TEXT.on(focus.theme)},
        "bgcolor": rgba(BACKGROUND.on(focus.theme), 0.75),
        "showarrow": False,
        "yanchor": "bottom",
    }
    text = f"every unit: {duration(median)}" if alike else f"median {duration(median)}"
    notes = [{**note, "text": text, "x": 1, "xref": "paper", "xanchor": "right", "y": _height(median)}]
    if focus.unit is not None and not alike:
        column, value = int(np.flatnonzero(units == focus.unit)[0]), float(tokens[focus.unit])
        side = "left" if column < len(units) / 2 else "right"
        named = f"unit {focus.unit}: {duration(value)}"
        # over the median's note, which stands at the right
        notes.append({**note, "text": named, "x": column, "xanchor": side, "y": _height(max(value, 3 * median))})
    return notes


def _height(tokens: float) -> float:
    """Where a note on a half-life stands on the axis: in the picture, with room above."""
    return float(np.log10(np.clip(tokens, SHORTEST, LONGEST / 3)))
