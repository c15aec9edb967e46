"""Heatmaps and lines: everything a cell holds, units x tokens under the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist

from seqmodels.traces import half_life
from seqmodels.viz import legends, palette
from seqmodels.viz.frame import WHOLE, Focus, Frame, rgba
from seqmodels.viz.palette import LAM, LAM_INK, MU, MU_INK, TEXT, Pair, Theme

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Trace

Array = NDArray[np.float32]

_CLUSTERED = 300  # tokens that a clustering looks at; distances over more cost seconds and move few units


@dataclass(frozen=True)
class Measure:
    """Something a cell holds at every token and unit: how it is named and coloured, everywhere.

    A gate is a share from 0 to 1, and 0 is the bare page. A signed value has a colour for either side, and the page between.
    """

    field: str  # of LayerTrace
    symbol: str
    title: str
    colour: Pair
    ink: Pair  # of its name
    negative: Pair | None = None

    @property
    def name(self) -> str:
        return f"{self.title} {self.symbol}"

    def of(self, layer: LayerTrace) -> Array | None:
        """(tokens, units), or None if the cell has no such."""
        values: Array | None = getattr(layer, self.field)
        return values

    def reach(self, values: Array) -> float:
        """The value at the full colour: 1, or more where a memory without bounds grows beyond it."""
        return max(1.0, float(np.abs(values).max(initial=0)))

    def stops(self, theme: Theme) -> list[tuple[float, str]]:
        """A plotly colour scale; zero is the bare page, which is neutral on either theme."""
        full = self.colour.on(theme)
        if self.negative is None:
            return [(share, rgba(full, share)) for share in (0.0, 1.0)]
        least = self.negative.on(theme)
        return [(0.0, least), (0.5, rgba(least, 0)), (0.5, rgba(full, 0)), (1.0, full)]

    def css(self) -> tuple[str, ...]:
        """The same along a bar in HTML."""
        return (self.negative.css if self.negative else "transparent", *(["transparent"] if self.negative else []), self.colour.css)


def _signed(field: str, symbol: str, title: str) -> Measure:
    return Measure(field, symbol, title, palette.POSITIVE, TEXT, palette.NEGATIVE)


KEEP = Measure("mu", "μ", "keep", MU, MU_INK)
WRITE = Measure("lam", "λ", "write", LAM, LAM_INK)
REVEAL = Measure("reveal", "o", "reveal", palette.REVEAL, palette.REVEAL_INK)
MEASURES = {
    measure.title: measure
    for measure in (
        KEEP,
        WRITE,
        _signed("candidate", "F", "new content"),
        _signed("memory", "m", "memory"),
        _signed("output", "h", "output"),
        REVEAL,
    )
}


@dataclass(frozen=True)
class Band:
    """Over the units, at each token: the mean, and the values that 10 and 90 % of the units stay below. Each (tokens,)."""

    mean: Array
    low: Array
    high: Array


def band(values: Array) -> Band:
    """values (tokens, units) -> its mean and 10-90 % band over the units."""
    low, high = np.quantile(values, [0.1, 0.9], axis=1)
    return Band(values.mean(axis=1), low.astype(np.float32), high.astype(np.float32))


Order = Callable[["LayerTrace", int], NDArray[np.intp]]


def _highest_first(values: NDArray[Any]) -> NDArray[np.intp]:
    return np.argsort(-values, kind="stable")


def _by_cluster(layer: LayerTrace, token: int) -> NDArray[np.intp]:
    step = -(-len(layer.mu) // _CLUSTERED)
    units = np.concatenate([layer.mu[::step], layer.lam[::step], layer.memory[::step]]).T  # (units, 3 * tokens)
    if len(units) < 2 or not np.ptp(units, axis=0).any():
        return np.arange(len(units))  # nothing tells the units apart
    return leaves_list(linkage(pdist(units), "average", optimal_ordering=True)).astype(np.intp)


ORDERS: dict[str, Order] = {
    "mean": lambda layer, token: _highest_first(layer.mu.mean(axis=0)),
    "half-life": lambda layer, token: _highest_first(half_life(layer.mu)),
    "cluster": _by_cluster,
    "activity": lambda layer, token: _highest_first(np.abs(layer.memory[token])),
    "unit": lambda layer, token: np.arange(layer.mu.shape[1]),
}


def unit_order(layer: LayerTrace, by: str, token: int = 0) -> NDArray[np.intp]:
    """The units from top to bottom.

    By 'mean' keep or by 'half-life', the highest first; by 'cluster', like beside like; by 'activity', the largest memory at
    `token` first; by 'unit', as they are. Clusters: average linkage over each unit's keep, write and memory, leaves ordered so that
    neighbours are alike (Bar-Joseph et al. 2001).
    """
    if by not in ORDERS:
        raise ValueError(f"unknown order {by!r}: choose one of {', '.join(ORDERS)}")
    return ORDERS[by](layer, token)


def heatmaps(
    traced: Trace, focus: Focus = WHOLE, *, order: NDArray[np.intp] | None = None, show: Sequence[Measure] = (KEEP, WRITE)
) -> go.Figure:
    """Units x tokens, a map for each measure that the cell has; a row is the same unit in all of them.

    `order` lists the units from top to bottom; by mean keep, unless given.
    """
    layer = focus.drawn(traced)
    if order is None:
        order = unit_order(focus.whole(traced), "mean")
    drawn = _present(layer, show)
    frame = Frame(traced, focus, panels=len(drawn), height=min(max(len(order), 150), 260))
    rows = np.arange(len(order))
    for number, (measure, values) in enumerate(drawn):
        reach = measure.reach(values)
        frame.add(
            number,
            go.Heatmap(
                z=np.round(values.T[order], 4),
                zmin=-reach if measure.negative else 0,
                zmax=reach,
                colorscale=measure.stops(focus.theme),
                showscale=False,
                hovertemplate=f"<b>%{{x}}</b><br>unit %{{y}}<br>{measure.name} = %{{z:.3f}}<extra></extra>",
            ),
        )
        # the numbers aren't drawn, there is no room; the hover takes a unit's name from them
        axis = {"range": [len(order) - 0.5, -0.5], "tickvals": rows, "ticktext": order.astype(str), "showticklabels": False}
        zoom = {"fixedrange": False, **({"matches": "y"} if number else {})}  # the buttons zoom into the units of all maps at once
        frame.y_axis(number, measure.name, measure.ink, **axis, **zoom)
    figure = frame.figure()
    if focus.unit is not None:
        row = int(np.flatnonzero(order == focus.unit)[0])
        for number in range(len(drawn)):
            figure.add_hrect(
                row - 0.5, row + 0.5, yref=f"y{number + 1}" if number else "y", line={"color": TEXT.on(focus.theme), "width": 1}
            )
    return figure


def lines(traced: Trace, focus: Focus = WHOLE, *, show: Sequence[Measure] = (KEEP, WRITE)) -> go.Figure:
    """The mean of each measure over the units, token by token, in a band that holds the middle 80 % of them.

    With a unit selected, that unit's own line on top.
    """
    layer = focus.drawn(traced)
    drawn = _present(layer, show)
    frame = Frame(traced, focus, panels=len(drawn), height=170)
    positions = np.arange(len(layer.mu))
    for number, (measure, values) in enumerate(drawn):
        middle, colour = band(values), measure.colour.on(focus.theme)
        outline = go.Scatter(
            x=np.concatenate([positions, positions[::-1]]),
            y=np.round(np.concatenate([middle.high, middle.low[::-1]]), 4),
            fill="toself",
            fillcolor=rgba(colour, 0.18),
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
                f"<b>%{{x}}</b><br>{measure.name}, mean = %{{y:.3f}}"
                "<br>10 % of the units below %{customdata[0]:.3f}<br>90 % below %{customdata[1]:.3f}<extra></extra>"
            ),
        )
        frame.add(number, outline, mean)
        if focus.unit is not None:
            frame.add(number, _one_unit(values[:, focus.unit], f"unit {focus.unit}: {measure.name}", focus.theme))
        reach = measure.reach(values)
        scale = {"range": [-1.06 * reach, 1.06 * reach], "nticks": 5} if measure.negative else {"range": [-0.03, 1.03], "nticks": 3}
        frame.y_axis(number, measure.name, measure.ink, showgrid=True, zeroline=bool(measure.negative), **scale)
    return frame.figure()


def rows(traced: Trace, focus: Focus = WHOLE, show: Sequence[Measure] = (KEEP, WRITE)) -> list[dict[str, Any]]:
    """What the maps are drawn from: a row for each token and unit."""
    layer, words = focus.drawn(traced), focus.columns(traced).words
    drawn = _present(layer, show)
    return [
        {"cell": traced.source, "position": position, "token": words[column], "unit": unit}
        | {measure.field: float(values[column, unit]) for measure, values in drawn}
        for column, position in enumerate(focus.positions(traced))
        for unit in range(layer.mu.shape[1])
    ]


def legend(show: Sequence[Measure], note: str = "") -> str:
    """The colour bars of these measures, and a note beside them."""
    ends = {True: ("−", "+"), False: ("0", "1")}
    bars = [legends.bar(measure.name, measure.ink, measure.css(), ends[measure.negative is not None]) for measure in show]
    return legends.legend(bars, note)


def _present(layer: LayerTrace, show: Sequence[Measure]) -> list[tuple[Measure, Array]]:
    """Those of the measures that this cell has, each (tokens, units)."""
    return [(measure, values) for measure in show if (values := measure.of(layer)) is not None]


def _one_unit(values: Array, name: str, theme: Theme) -> go.Scatter:
    return go.Scatter(
        x=np.arange(len(values)),
        y=np.round(values, 4),
        mode="lines+markers",
        line={"color": TEXT.on(theme), "width": 1.5, "dash": "dot"},
        marker={"color": TEXT.on(theme), "size": 4},
        hovertemplate=f"<b>%{{x}}</b><br>{name} = %{{y:.3f}}<extra></extra>",
    )
