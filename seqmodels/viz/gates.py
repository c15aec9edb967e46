"""Gates as pictures: keep, write and reveal of every unit at every token, and their mean with a band.

Everything here takes numpy arrays that are tokens x units, as a trace gives them, and draws units x tokens under the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol
from unicodedata import east_asian_width

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist

from seqmodels.viz.palette import LAM, LAM_INK, LINE, MU, MU_INK, MUTED, TEXT, Pair, Theme, safe, shorten

Array = NDArray[np.float32]

COLUMN = 14  # pixels a token needs, so that labels of FONT pixels, turned on their side, don't touch
FONT = 12
MARGIN_LEFT, MARGIN_RIGHT = 48, 8  # pixels; the left one holds a gate's name and the numbers of a line

_HORIZONTAL = 7  # up to so many words stand upright even on a phone
_CLUSTERED = 300  # tokens that a clustering looks at; distances over more cost seconds and move few units
_GAP = 12  # pixels between two maps
_ROW = 20  # pixels of a line of labels


@dataclass(frozen=True)
class Gate:
    """How a gate is named and coloured, everywhere."""

    field: str  # of LayerGates
    symbol: str
    title: str
    colour: Pair
    ink: Pair  # of its name

    def stops(self, theme: Theme) -> list[tuple[float, str]]:
        """0 is the bare page, which is neutral on either theme; 1 is the full colour."""
        return [(share, _rgba(self.colour.on(theme), share)) for share in (0.0, 1.0)]


KEEP = Gate("mu", "μ", "keep", MU, MU_INK)
WRITE = Gate("lam", "λ", "write", LAM, LAM_INK)
REVEAL = Gate("reveal", "o", "reveal", Pair("#2E7D4F", "#7FCFA0"), Pair("#2A6E47", "#7FCFA0"))
GATES = {gate.title: gate for gate in (KEEP, WRITE, REVEAL)}


class Traced(Protocol):
    """What a picture needs of a layer's trace; `seqmodels.traces.LayerTrace` has it, and more."""

    @property
    def layer(self) -> int: ...
    @property
    def direction(self) -> str: ...
    @property
    def mu(self) -> Array: ...
    @property
    def lam(self) -> Array: ...
    @property
    def reveal(self) -> Array | None: ...


@dataclass(frozen=True)
class LayerGates:
    """The gates of one layer and direction, each (tokens, units) in the order of the text; reveal is LSTM's alone."""

    layer: int
    direction: str
    mu: Array
    lam: Array
    reveal: Array | None = None

    @classmethod
    def of(cls, traced: Traced) -> LayerGates:
        """The gates alone, without the rest of a trace: less than half of its memory."""
        return cls(traced.layer, traced.direction, _compact(traced.mu), _compact(traced.lam), traced.reveal)

    @property
    def backward(self) -> bool:
        return self.direction == "backward"

    def window(self, tokens: slice) -> LayerGates:
        """The gates of some of the tokens."""
        reveal = None if self.reveal is None else self.reveal[tokens]
        return LayerGates(self.layer, self.direction, self.mu[tokens], self.lam[tokens], reveal)

    def drawn(self, show: Sequence[Gate]) -> list[tuple[Gate, Array]]:
        """Those of the gates that this cell has, each (tokens, units)."""
        return [(gate, values) for gate in show if (values := getattr(self, gate.field)) is not None]


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
class Reading:
    """How a model read a text: its tokens, and the gates of every layer and direction."""

    columns: Columns
    layers: tuple[LayerGates, ...]

    def find(self, layer: int, direction: str) -> LayerGates | None:
        """The gates of a layer and direction, or None if this model has no such layer."""
        return next((found for found in self.layers if (found.layer, found.direction) == (layer, direction)), None)


@dataclass(frozen=True)
class Band:
    """Over the units, at each token: the mean, and the values that 10 and 90 % of the units stay below. Each (tokens,)."""

    mean: Array
    low: Array
    high: Array


def band(gate: Array) -> Band:
    """gate (tokens, units) -> its mean and 10-90 % band over the units."""
    low, high = np.quantile(gate, [0.1, 0.9], axis=1)
    return Band(gate.mean(axis=1), low.astype(np.float32), high.astype(np.float32))


def _by_mean(gates: LayerGates) -> NDArray[np.intp]:
    return np.argsort(-gates.mu.mean(axis=0), kind="stable")


def _by_cluster(gates: LayerGates) -> NDArray[np.intp]:
    step = -(-len(gates.mu) // _CLUSTERED)
    units = np.concatenate([gates.mu[::step], gates.lam[::step]]).T  # (units, 2 * tokens)
    if len(units) < 2 or not np.ptp(units, axis=0).any():
        return np.arange(len(units))  # nothing tells the units apart
    return leaves_list(linkage(pdist(units), "average", optimal_ordering=True)).astype(np.intp)


def _as_they_are(gates: LayerGates) -> NDArray[np.intp]:
    return np.arange(gates.mu.shape[1])


ORDERS = {"mean": _by_mean, "cluster": _by_cluster, "unit": _as_they_are}


def unit_order(gates: LayerGates, by: str) -> NDArray[np.intp]:
    """The units from top to bottom: by 'mean' keep, the highest first; by 'cluster', like beside like; by 'unit', as they are.

    Clusters: average linkage over each unit's keep and write, leaves ordered so that neighbours are alike (Bar-Joseph et al. 2001).
    """
    if by not in ORDERS:
        raise ValueError(f"unknown order {by!r}: choose one of {', '.join(ORDERS)}")
    return ORDERS[by](gates)


def windows(tokens: int, size: int) -> list[slice]:
    """Parts of at most `size` tokens and of nearly equal length, so that no last part is a stub."""
    parts = max(1, -(-tokens // size))
    bounds = [round(part * tokens / parts) for part in range(parts + 1)]
    return [slice(first, last) for first, last in pairwise(bounds)]


def heatmaps(
    gates: LayerGates, columns: Columns, order: NDArray[np.intp], *, show: Sequence[Gate] = (KEEP, WRITE), theme: Theme = "light"
) -> go.Figure:
    """Units x tokens, a map for each gate that the cell has, on one scale from 0 to 1; a row is the same unit in all of them."""
    drawn = gates.drawn(show)
    height = min(max(len(order), 150), 260)
    frame = _Frame(columns, len(drawn), height, theme, backward=gates.backward)
    rows = np.arange(len(order))
    for number, (gate, values) in enumerate(drawn):
        frame.trace(
            number,
            go.Heatmap(
                z=np.round(values.T[order], 4),
                zmin=0,
                zmax=1,
                colorscale=gate.stops(theme),
                showscale=False,
                hovertemplate=f"<b>%{{x}}</b><br>unit %{{y}}<br>{gate.title} {gate.symbol} = %{{z:.3f}}<extra></extra>",
            ),
        )
        # the numbers aren't drawn, there is no room; the hover takes a unit's name from them
        axis = {"range": [len(order) - 0.5, -0.5], "tickvals": rows, "ticktext": order.astype(str), "showticklabels": False}
        frame.y_axis(number, gate, **axis)
    return frame.figure()


def lines(gates: LayerGates, columns: Columns, *, show: Sequence[Gate] = (KEEP, WRITE), theme: Theme = "light") -> go.Figure:
    """The mean of each gate over the units, token by token, in a band that holds the middle 80 % of them."""
    drawn = gates.drawn(show)
    frame = _Frame(columns, len(drawn), 170, theme, backward=gates.backward)
    positions = np.arange(len(columns.words))
    for number, (gate, values) in enumerate(drawn):
        middle, colour = band(values), gate.colour.on(theme)
        outline = go.Scatter(
            x=np.concatenate([positions, positions[::-1]]),
            y=np.round(np.concatenate([middle.high, middle.low[::-1]]), 4),
            fill="toself",
            fillcolor=_rgba(colour, 0.18),
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
        )
        mean = go.Scatter(
            x=positions,
            y=np.round(middle.mean, 4),
            customdata=np.round(np.stack([middle.low, middle.high], axis=1), 4),
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"color": colour, "size": 6},
            hovertemplate=(
                f"<b>%{{x}}</b><br>{gate.title} {gate.symbol}, mean = %{{y:.3f}}"
                "<br>10 % of the units below %{customdata[0]:.3f}<br>90 % below %{customdata[1]:.3f}<extra></extra>"
            ),
        )
        frame.trace(number, outline)
        frame.trace(number, mean)
        frame.y_axis(number, gate, range=[-0.03, 1.03], tickvals=[0, 0.5, 1], showgrid=True)
    return frame.figure()


def legend(show: Sequence[Gate], note: str) -> str:
    """The colour bars that all pictures share, and a note beside them, as HTML for either theme."""
    bars = "".join(
        f'<span style="white-space:nowrap"><b style="color:{gate.ink.css}">{gate.title} {gate.symbol}</b>&ensp;0 '
        f'<span style="display:inline-block;vertical-align:-.1em;width:7rem;height:.9rem;border:1px solid {LINE.css};'
        f'border-radius:3px;background:linear-gradient(90deg,transparent,{gate.colour.css})"></span> 1</span>'
        for gate in show
    )
    style = f"display:flex;flex-wrap:wrap;gap:.25rem 2rem;color:{MUTED.css};font-size:.95rem"
    return f'<div style="{style}">{bars}<span>{safe(note)}</span></div>'


def side_by_side(key: str, columns: int) -> str:
    """Style for the container of that key: pictures of so many tokens beside each other while their words are legible.

    Else under each other; and if even one has no room, as on a phone, it scrolls.
    """
    needed = MARGIN_LEFT + MARGIN_RIGHT + COLUMN * columns
    return f"""<style>
.st-key-{key} {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, {needed}px), 1fr)); gap: 1rem 1.5rem; }}
.st-key-{key} .stElementContainer:has(.stPlotlyChart) {{ overflow-x: auto; }}
.st-key-{key} .stElementContainer:has(.stPlotlyChart) > * {{ min-width: {needed}px; }}
.st-key-{key} .xtick text {{ fill: {TEXT.css} !important; }}
</style>"""


class _Frame:
    """Stacked panels over one row of words: what heatmaps and lines share."""

    def __init__(self, columns: Columns, panels: int, height: int, theme: Theme, *, backward: bool) -> None:
        self.columns, self.theme, self.panels, self.height, self.backward = columns, theme, panels, height, backward
        self.words = [shorten(word, 18) for word in columns.words]
        self.upright = len(self.words) <= _HORIZONTAL
        self.traces: list[Any] = []
        self.axes: dict[str, Any] = {}

    def trace(self, panel: int, trace: Any) -> None:
        trace.update(xaxis="x", yaxis=f"y{panel + 1}" if panel else "y")
        self.traces.append(trace)

    def y_axis(self, panel: int, gate: Gate, **settings: Any) -> None:
        total = self.panels * self.height + (self.panels - 1) * _GAP
        top = total - panel * (self.height + _GAP)
        line = LINE.on(self.theme)
        self.axes[f"yaxis{panel + 1}" if panel else "yaxis"] = {
            "domain": [(top - self.height) / total, top / total],
            "title": {
                "text": f"{gate.title} {gate.symbol}",
                "font": {"color": gate.ink.on(self.theme), "size": 14},
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

    def figure(self) -> go.Figure:
        total = self.panels * self.height + (self.panels - 1) * _GAP
        above, below = self._above(), self._below()
        x_axis = {
            "range": [-0.5, len(self.words) - 0.5],
            "tickvals": np.arange(len(self.words)),
            "ticktext": [safe(word) for word in self.words],
            "tickangle": 0 if self.upright else -90,
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
        return go.Figure(
            self.traces,
            {
                "xaxis": x_axis,
                **self.axes,
                "annotations": [*self._labels(), self._arrow(total, below)],
                "height": above + total + below,
                "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": above, "b": below, "pad": 0},
                "paper_bgcolor": "rgba(0,0,0,0)",
                "plot_bgcolor": "rgba(0,0,0,0)",
                "hovermode": "closest",
                "hoverlabel": {"font": {"size": 14}},
                "modebar": {"bgcolor": "rgba(0,0,0,0)"},
                "dragmode": False,
                "showlegend": False,
            },
        )

    def _above(self) -> int:
        return _ROW + 6 if self.upright else _length(self.words) + 10

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

    def _arrow(self, total: int, below: int) -> dict[str, Any]:
        return {
            "text": "◀ reads from right to left" if self.backward else "reads from left to right ▶",
            "x": 0 if self.backward else 1,
            "xref": "paper",
            "xanchor": "left" if self.backward else "right",
            "y": -below / total,
            "yref": "paper",
            "yanchor": "bottom",
            "font": {"size": FONT},
            "showarrow": False,
        }


def _length(labels: list[str]) -> int:
    """Pixels that the longest label takes on its side: some 7 a letter, twice that a wide one."""
    return 7 * max(sum(2 if east_asian_width(letter) in "WF" else 1 for letter in label) for label in labels)


def _compact(gate: Array) -> Array:
    """A gate that never moves, as Elman's, takes the memory of one number."""
    return np.broadcast_to(gate[:1, :1].copy(), gate.shape) if gate.size and (gate == gate[0, 0]).all() else gate


def _rgba(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
