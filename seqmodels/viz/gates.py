"""Heatmaps and lines: everything a cell holds, units x tokens under the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.traces import band, unit_order
from seqmodels.viz import keys, palette
from seqmodels.viz.figure import hover, picks, plotly_trace, rgba
from seqmodels.viz.frame import WHOLE, WORD, Focus, Frame, token_rows
from seqmodels.viz.legends import bar
from seqmodels.viz.palette import LAM, LAM_INK, MU, MU_INK, TEXT, Pair, Theme

if TYPE_CHECKING:
    from seqmodels.traces import LayerTrace, Trace

Array = NDArray[np.float32]

_BAND = 0.18  # of the colour of a line, for the band around it


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

    @property
    def column(self) -> str:
        """Its name in files, which keep the names that they have always had."""
        return "reveal" if self.field == "output_gate" else self.field

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

    def blocks(self, theme: Theme) -> list[str]:
        """The scale in a few colours."""
        shares = (0.1, 0.4, 0.7, 1.0)
        full = [rgba(self.colour.on(theme), share) for share in shares]
        if self.negative is None:
            return full
        return [*(rgba(self.negative.on(theme), share) for share in reversed(shares)), *full]

    def css(self) -> tuple[str, ...]:
        """The same along a bar in HTML."""
        return (*([self.negative.css] if self.negative else []), "transparent", self.colour.css)


def _signed(field: str, symbol: str, title: str) -> Measure:
    return Measure(field, symbol, title, palette.POSITIVE, TEXT, palette.NEGATIVE)


KEEP = Measure("mu", "μ", "keep", MU, MU_INK)
WRITE = Measure("lam", "λ", "write", LAM, LAM_INK)
REVEAL = Measure("output_gate", "o", "reveal", palette.REVEAL, palette.REVEAL_INK)
CONTENT = _signed("candidate", "F", "new content")
MEMORY = _signed("memory", "m", "memory")
OUTPUT = _signed("output", "h", "output")
MEASURES = {measure.title: measure for measure in (KEEP, WRITE, CONTENT, MEMORY, OUTPUT, REVEAL)}


def heatmaps(
    traced: Trace, focus: Focus = WHOLE, *, order: NDArray[np.intp] | None = None, show: Sequence[Measure] = (KEEP, WRITE)
) -> go.Figure:
    """Units x tokens, a map for each measure that the cell has; a row is the same unit in all of them.

    `order` lists the units from top to bottom; by mean keep, unless given.
    """
    layer = focus.drawn(traced)
    if order is None:
        order = unit_order(focus.whole(traced), "mean")
    drawn = present(layer, show)
    frame = Frame(traced, focus, panels=len(drawn), height=min(max(len(order), 120), 160))
    for panel, (measure, values) in enumerate(drawn):
        text = hover(WORD, "unit %{y}", f"{measure.name} = %{{z:.3f}}")
        add_map(frame, panel, values.T[order], measure, text, meta=picks(row={"unit": order}))
        zoom = {"fixedrange": False, **({"matches": "y"} if panel else {})}  # the buttons zoom into the units of all maps at once
        frame.row_axis(panel, measure.name, order, measure.ink, **zoom)
        if focus.unit is not None:
            frame.outline_row(panel, int(np.flatnonzero(order == focus.unit)[0]))
    return frame.figure()


def lines(traced: Trace, focus: Focus = WHOLE, *, show: Sequence[Measure] = (KEEP, WRITE)) -> go.Figure:
    """The mean of each measure over the units, token by token, in a band that holds the middle 80 % of them.

    With a unit selected, that unit's own line on top.
    """
    layer = focus.drawn(traced)
    drawn = present(layer, show)
    frame = Frame(traced, focus, panels=len(drawn), height=170)
    positions = np.arange(len(layer.mu))
    for panel, (measure, values) in enumerate(drawn):
        middle, colour = band(values), measure.colour.on(focus.theme)
        outline = plotly_trace(
            "scatter",
            x=np.concatenate([positions, positions[::-1]]),
            y=np.round(np.concatenate([middle.high, middle.low[::-1]]), 4),
            fill="toself",
            fillcolor=rgba(colour, _BAND),
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
        )
        frame.add(panel, outline)
        ends = ("10 % of the units below %{customdata[0]:.3f}", "90 % below %{customdata[1]:.3f}")
        text = hover(WORD, f"{measure.name}, mean = %{{y:.3f}}", *ends)
        frame.key.append(keys.line(f"{measure.name}, mean", colour))
        frame.line(panel, middle.mean, colour, text, customdata=np.round(np.stack([middle.low, middle.high], axis=1), 4))
        if focus.unit is not None:
            text = hover(WORD, f"unit {focus.unit}: {measure.name} = %{{y:.3f}}")
            frame.line(panel, values[:, focus.unit], TEXT.on(focus.theme), text, thin=True)
        reach = measure.reach(values)
        scale = {"range": [-1.06 * reach, 1.06 * reach], "nticks": 5} if measure.negative else {"range": [-0.03, 1.03], "nticks": 3}
        frame.y_axis(panel, measure.name, measure.ink, showgrid=True, zeroline=bool(measure.negative), **scale)
    frame.key.append(keys.area("the middle 80 % of the units", rgba(drawn[0][0].colour.on(focus.theme), _BAND)))
    return frame.figure()


def add_map(
    frame: Frame,
    panel: int,
    values: Array,
    measure: Measure,
    text: str,
    *,
    reach: float | None = None,
    name: str = "",
    ends: tuple[str, str] | None = None,
    **settings: Any,
) -> None:
    """values (rows, tokens) of a measure as a heatmap, on its own scale; in the key by its name, unless it has another here."""
    reach = measure.reach(values) if reach is None else reach
    low = -reach if measure.negative else 0
    frame.key.append(keys.scale(name or measure.name, measure.blocks(frame.theme), ends or (keys.short(low), keys.short(reach))))
    frame.heatmap(panel, values, scale=measure.stops(frame.theme), low=low, high=reach, hover=text, **settings)


def rows(traced: Trace, focus: Focus = WHOLE, show: Sequence[Measure] = (KEEP, WRITE)) -> list[dict[str, Any]]:
    """What the maps are drawn from: a row for each token and unit."""
    layer = focus.drawn(traced)
    values = {measure.column: values for measure, values in present(layer, show)}
    return token_rows(traced, focus, values, range(layer.mu.shape[1]))


def bars(show: Sequence[Measure]) -> list[str]:
    """The colour bars of these measures, for a legend."""
    return [bar(measure.name, measure.ink, measure.css(), ("−", "+") if measure.negative else ("0", "1")) for measure in show]


def present(layer: LayerTrace, show: Sequence[Measure]) -> list[tuple[Measure, Array]]:
    """Those of the measures that this cell has, each (tokens, units)."""
    return [(measure, values) for measure in show if (values := measure.of(layer)) is not None]
