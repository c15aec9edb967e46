"""Pictures under a row of words: what all views of a trace share.

A view is a function of a `Trace` and a `Focus` and gives a plotly figure. In a notebook, `square(trace(model, text))`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.text import EOS
from seqmodels.viz import keys, law
from seqmodels.viz.figure import FONT, PlotlyTrace, ground, picks, picture, plotly_trace
from seqmodels.viz.palette import LINE, PARAGRAPH, TEXT, Pair, Theme, safe, shorten, visible

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Trace

COLUMN = 14  # pixels a token needs, so that labels of FONT pixels, turned on their side, don't touch
WORD = "<b>%{x}</b>"  # in a hover text: the word of the column
MARGIN_LEFT, MARGIN_RIGHT = 48, 8  # pixels; the left one holds a panel's name and the numbers of a line

_HORIZONTAL = 7  # up to so many words stand upright even on a phone
_GAP = 12  # pixels between two panels
_SPARE = 10  # pixels for a text at the right edge to be wider in a saved picture
_ROW = 20  # pixels of a line of labels


@dataclass(frozen=True)
class Label:
    """What stands under a word, such as its tag; with a colour it is a chip."""

    text: str
    colour: Pair | None = None


@dataclass(frozen=True)
class Columns:
    """The tokens that are drawn, one column each: their words, as typed, and what stands under them (all or none)."""

    words: tuple[str, ...]
    below: tuple[Label, ...] = ()

    def window(self, tokens: slice) -> Columns:
        """Some of the columns."""
        return Columns(self.words[tokens], self.below[tokens])


@dataclass(frozen=True)
class Focus:
    """What of a trace is drawn, and the one selection that all views share."""

    layer: int | None = None  # the last one, unless given
    direction: str = "forward"
    token: int | None = None  # the selected one, counted over the whole text
    unit: int | None = None
    window: slice = field(default_factory=lambda: slice(None))  # the tokens that are drawn
    below: tuple[Label, ...] = ()  # what stands under each word of the text
    theme: Theme = "light"

    def whole(self, traced: Trace) -> LayerTrace:
        """The layer and direction, over the whole text. ValueError if the model has no such, or not the unit."""
        layer = traced.layer(max(found.layer for found in traced.layers) if self.layer is None else self.layer, self.direction)
        units = layer.mu.shape[1]
        if self.unit is not None and not 0 <= self.unit < units:
            raise ValueError(f"no unit {self.unit}: give a number from 0 to {units - 1}")
        return layer

    def drawn(self, traced: Trace) -> LayerTrace:
        """The layer and direction, over the tokens that are drawn."""
        return self.whole(traced).window(self.window)

    def columns(self, traced: Trace) -> Columns:
        """The words that are drawn, with what stands under them."""
        return Columns(traced.tokens, self.below).window(self.window)

    def positions(self, traced: Trace) -> range:
        """The tokens that are drawn, counted over the whole text."""
        return range(*self.window.indices(len(traced.tokens)))

    def column(self, traced: Trace) -> int | None:
        """The column of the selected token, or None if it is not drawn. ValueError if the text has no such token."""
        if self.token is None:
            return None
        if not 0 <= self.token < len(traced.tokens):
            raise ValueError(f"no token {self.token}: give a number from 0 to {len(traced.tokens) - 1}")
        positions = self.positions(traced)
        return positions.index(self.token) if self.token in positions else None


@dataclass(frozen=True)
class Focused:
    """A trace and the focus on it."""

    trace: Trace
    focus: Focus

    @property
    def layer(self) -> LayerTrace:
        """The layer and direction on screen, over the whole text."""
        return self.focus.whole(self.trace)

    @property
    def token(self) -> int:
        """The selected token."""
        assert self.focus.token is not None
        return self.focus.token


WHOLE = Focus()


def token_rows(
    traced: Trace, focus: Focus, values: Mapping[str, NDArray[Any]], units: Iterable[int] | None = None
) -> list[dict[str, Any]]:
    """What a picture is drawn from, for a table: a row for each token that is drawn, and for each of some units.

    The values are of the tokens drawn, (tokens,), or with `units` of all units as well, (tokens, units).
    """
    words, positions = focus.columns(traced).words, focus.positions(traced)
    chosen = [None] if units is None else [int(unit) for unit in units]
    return [
        {"cell": traced.label, "position": position, "token": words[column]}
        | ({} if unit is None else {"unit": unit})
        | {name: float(held[column] if unit is None else held[column, unit]) for name, held in values.items()}
        for column, position in enumerate(positions)
        for unit in chosen
    ]


def width(columns: int) -> int:
    """The pixels that a picture of so many tokens needs for its words to be legible."""
    return MARGIN_LEFT + MARGIN_RIGHT + COLUMN * columns


class Frame:
    """Stacked panels over one row of words, the selected token framed in all of them.

    A click anywhere in a word's column selects its token, one of `tokens`: as the focus counts them, unless given. Under the words
    stand the model's name and the key.
    """

    def __init__(
        self, traced: Trace, focus: Focus, *, panels: int, height: int, tokens: Sequence[int | None] | None = None
    ) -> None:
        self.tokens = focus.positions(traced) if tokens is None else tokens
        self.name = law.title(traced.cell, traced.model)
        self.key: list[keys.Entry] = []
        self.columns, self.theme, self.panels, self.height = focus.columns(traced), focus.theme, panels, height
        self.backward = focus.direction == "backward"
        self.selected = focus.column(traced)
        self.words = [shorten(visible(word), 18) for word in self.columns.words]
        self.upright = len(self.words) <= _HORIZONTAL
        letters = not self.upright and all(len(word) == 1 or word == EOS for word in self.words)
        if letters:  # they need no turning, however many they are
            self.words = [PARAGRAPH if word == EOS else word for word in self.words]
        self.words_upright = self.upright or letters
        self.traces: list[PlotlyTrace] = []
        self.axes: dict[str, Any] = {}
        self.shapes: list[dict[str, Any]] = []

    def add(self, panel: int, *traces: PlotlyTrace) -> None:
        """Plotly traces for a panel, counted from the top; x is the column of a word."""
        for trace in traces:
            self.traces.append(trace | {"xaxis": "x", "yaxis": f"y{panel + 1}" if panel else "y"})

    def heatmap(
        self,
        panel: int,
        values: NDArray[Any],
        *,
        scale: Sequence[Any],
        hover: str,
        low: float = 0,
        high: float = 1,
        **settings: Any,
    ) -> None:
        """values (rows, columns) as colours; NaN is left empty."""
        z = np.round(values, 4).astype(np.float32)
        look: dict[str, Any] = {"colorscale": scale, "showscale": False, "hoverongaps": False, "hovertemplate": hover}
        self.add(panel, plotly_trace("heatmap", **look | settings, z=z, zmin=low, zmax=high))

    def bars(self, panel: int, values: NDArray[Any], colour: str | Sequence[str], hover: str, **settings: Any) -> None:
        """A bar for each column."""
        look = {"width": 0.8, "marker": {"color": colour, "line": {"width": 0}}, "hovertemplate": hover}
        self.add(panel, plotly_trace("bar", **look | settings, x=np.arange(len(values)), y=np.round(values, 4)))

    def line(self, panel: int, values: NDArray[Any], colour: str, hover: str, *, thin: bool = False, **settings: Any) -> None:
        """A line with a point for each column, or at those that `x` names; a thin one is dotted."""
        look: dict[str, Any] = {
            "x": np.arange(len(values)),
            "mode": "lines+markers",
            "line": {"color": colour, "width": 1.5, "dash": "dot"} if thin else {"color": colour, "width": 2.5},
            "marker": {"color": colour, "size": 4 if thin else 6},
            "hovertemplate": hover,
        }
        self.add(panel, plotly_trace("scatter", **look | settings, y=np.round(values, 4)))

    def row_axis(self, panel: int, title: str, labels: Iterable[Any], ink: Pair = TEXT, **settings: Any) -> None:
        """The y axis of a heatmap, rows from the top. There is no room to draw labels: the hover takes a row's name from them."""
        names = [str(label) for label in labels]
        axis: dict[str, Any] = {"range": [len(names) - 0.5, -0.5], "tickvals": np.arange(len(names)), "ticktext": names}
        self.y_axis(panel, title, ink, **axis | {"showticklabels": False} | settings)

    def outline_row(self, panel: int, row: int, width: float = 1) -> None:
        """A frame around a row of a heatmap."""
        corners = {"x0": -0.5, "x1": len(self.words) - 0.5, "y0": row - 0.5, "y1": row + 0.5}
        line = {"color": TEXT.on(self.theme), "width": width}
        self.shapes.append({"type": "rect", "xref": "x", "yref": f"y{panel + 1}" if panel else "y", **corners, "line": line})

    def y_axis(self, panel: int, title: str, ink: Pair = TEXT, **settings: Any) -> None:
        """The name of a panel and whatever else plotly is to know of its y axis."""
        total = self.panels * self.height + (self.panels - 1) * _GAP
        top = total - panel * (self.height + _GAP)
        line = LINE.on(self.theme)
        self.axes[f"yaxis{panel + 1}" if panel else "yaxis"] = {
            "domain": [(top - self.height) / total, top / total],
            "title": {
                "text": title,
                "font": {"color": ink.on(self.theme), "size": 14},
                "standoff": 6,
            },
            "tickfont": {"size": FONT},
            "ticks": "",
            "fixedrange": True,
            "automargin": False,
            "zeroline": False,
            "showgrid": False,
            "gridcolor": line,
            "showline": True,
            "mirror": True,
            "linecolor": line,
            **settings,
        }

    def figure(self, **layout: Any) -> go.Figure:
        """All of it, and whatever else plotly is to know of the layout."""
        total = self.panels * self.height + (self.panels - 1) * _GAP
        above, below, key = self._above(), self._below(), keys.rows(self.key)
        x_axis = {
            "range": [-0.5, len(self.words) - 0.5],
            "tickvals": np.arange(len(self.words)),
            "ticktext": [safe(word) for word in self.words],
            "tickangle": 0 if self.words_upright else -90,
            "tickfont": {"size": 13},
            "ticks": "",
            "side": "top",
            "anchor": "y",
            "fixedrange": True,
            "automargin": False,
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "mirror": "all",
            "linecolor": LINE.on(self.theme),
        }
        return picture(
            self.traces,
            {
                "xaxis": x_axis,
                **self.axes,
                "annotations": [*self._labels(), *self._last_row(below), *keys.notes(key, below - 4, FONT)],
                "shapes": [*self._frame_of_the_selected(), *self.shapes],
                "height": above + total + below + keys.ROW * len(key),
                "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": above, "b": below + keys.ROW * len(key), "pad": 0},
                "meta": picks(column={"token": self.tokens}),
                **ground(self.theme),
                **layout,
            },
        )

    def _frame_of_the_selected(self) -> list[dict[str, Any]]:
        if self.selected is None:
            return []
        corners = {"x0": self.selected - 0.5, "x1": self.selected + 0.5, "xref": "x", "y0": 0, "y1": 1, "yref": "paper"}
        return [{"type": "rect", **corners, "line": {"color": TEXT.on(self.theme), "width": 2}, "fillcolor": "rgba(0,0,0,0)"}]

    def _above(self) -> int:
        return _ROW + 6 if self.words_upright else _length(self.words) + 10

    def _below(self) -> int:
        if not self.columns.below:
            return _ROW + 6
        # one height for every cell, whatever its tags
        return 2 * _ROW + 8 if self.upright else _length(["PROPN", *(label.text for label in self.columns.below)]) + _ROW + 14

    def _labels(self) -> list[dict[str, Any]]:
        return [
            {
                "text": safe(label.text),
                "x": position,
                "xref": "x",
                "y": 0,
                "yref": "paper",
                "yanchor": "top",
                "yshift": -4,
                "textangle": 0 if self.upright else -90,
                **self._chip(label.colour),
                "borderpad": 1,
                "showarrow": False,
            }
            for position, label in enumerate(self.columns.below)
            if label.text
        ]

    def _chip(self, colour: Pair | None) -> dict[str, Any]:
        if colour is None:
            return {"font": {"size": FONT}}
        return {"font": {"size": FONT, "color": TEXT.on(self.theme)}, "bgcolor": colour.on(self.theme)}

    def _last_row(self, below: int) -> Iterator[dict[str, Any]]:
        """The name of the model, and the direction in which it reads: so far from the edge that a saved picture has room for it.

        A browser saves it in a face of its own, which may be a tenth wider, while the place of the text stays what it was.
        """
        arrow = "◀ reads from right to left" if self.backward else "reads from left to right ▶"
        sides = ("right", "left") if self.backward else ("left", "right")
        for text, side in zip((f"<b>{safe(shorten(self.name))}</b>", arrow), sides, strict=True):
            yield {
                "text": text,
                "x": 0 if side == "left" else 1,
                "xref": "paper",
                "xanchor": side,
                "xshift": 0 if side == "left" else -_SPARE,
                "y": 0,
                "yref": "paper",
                "yanchor": "top",
                "yshift": _ROW - below,
                "font": {"size": FONT},
                "showarrow": False,
            }


def _length(labels: list[str]) -> int:
    """Pixels that the longest label takes on its side: some 7 a letter, twice that a wide one."""
    return 7 * max(sum(2 if east_asian_width(letter) in "WF" else 1 for letter in label) for label in labels)
