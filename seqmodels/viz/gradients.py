"""What the gates carry against the truth: the product of mu beside the gradient, word by word back from the selected one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from seqmodels.viz.figure import FONT, PlotlyTrace, hover, plotly_trace, rule
from seqmodels.viz.format import part, power
from seqmodels.viz.frame import WHOLE, WORD, Focus, Frame
from seqmodels.viz.legends import Stroke
from seqmodels.viz.palette import LINE, MU, MUTED, TEXT, Theme

if TYPE_CHECKING:
    from seqmodels.traces import GradientPath, Trace

GATES = Stroke("what the gates carry: the product of μ", MU)
GRADIENT = Stroke("what truly arrives: the gradient", TEXT, "dash")

_LOWEST = -16  # powers of ten; what is smaller stands at the edge of the picture
_MOST_TICKS, _FEW = 6, 2
_HEIGHT = 210


@dataclass(frozen=True)
class Decades:
    """A logarithmic axis from 10^low to 10^high; with `zero`, exact zeros have a place of their own below it."""

    low: int
    high: int
    zero: bool

    @property
    def bottom(self) -> float:
        """Where a zero stands, as a power of ten."""
        return self.low - 0.12 * (self.high - self.low)

    def axis(self) -> dict[str, Any]:
        """What plotly is to know of it."""
        margin = 0.05 * (self.high - self.low)
        ticks = self._ticks() | ({10**self.bottom: "0"} if self.zero else {})
        bounds = [(self.bottom if self.zero else self.low) - margin, self.high + margin]
        return {"type": "log", "range": bounds, "tickvals": list(ticks), "ticktext": list(ticks.values())}

    def rules(self, theme: Theme) -> list[dict[str, Any]]:
        """The line over the place of zero, which is below any power of ten."""
        edge = 10 ** (self.low - 0.06 * (self.high - self.low))
        return [rule(y=edge, line={"color": MUTED.on(theme), "width": 1, "dash": "dot"}, layer="below")] if self.zero else []

    def _ticks(self) -> dict[float, str]:
        """The name of each value that has a line: powers of ten, and where those are few, 2 and 5 times as well."""
        if self.high - self.low <= _FEW:
            steps = [factor * 10.0**exponent for exponent in range(self.low, self.high) for factor in (1, 2, 5)]
            return {value: f"{value:.3g}" for value in (*steps, 10.0**self.high)}
        apart = ceil((self.high - self.low) / _MOST_TICKS)
        return {10.0**exponent: power(exponent) for exponent in range(self.high, self.low - 1, -apart)}


def decades(paths: Sequence[GradientPath]) -> Decades:
    """One axis for several cells, so that they can be compared."""
    values = np.concatenate([values for path in paths for values in (path.gates, path.gradient)])
    seen = values[(values > 0) & np.isfinite(values)]
    low = max(floor(log10(seen.min())), _LOWEST)
    return Decades(min(low, -1), max(ceil(log10(seen.max())), 0), bool((values == 0).any()))


def around(path: GradientPath, focus: Focus, traced: Trace) -> Focus:
    """The focus on the words that the path leads over: those on screen, if all of them are, else just its own."""
    first, last = min(path.sources), max(path.sources)
    on_screen = focus.positions(traced)
    return focus if first in on_screen and last in on_screen else replace(focus, window=slice(first, last + 1))


def gradient_path(traced: Trace, path: GradientPath, focus: Focus = WHOLE, *, axis: Decades | None = None) -> go.Figure:
    """Both as lines over the words, on a logarithmic axis: 1 at the selected word, and smaller (or larger) the further back."""
    focus = around(path, replace(focus, token=path.sources[-1]), traced)
    axis = axis or decades([path])
    frame = Frame(traced, focus, panels=1, height=_HEIGHT)
    columns = np.array(path.sources) - focus.positions(traced).start
    for stroke, values in ((GATES, path.gates), (GRADIENT, path.gradient)):
        frame.add(0, *_line(columns, values, stroke, axis, focus))
        frame.key.append(stroke.key(focus.theme))
    frame.y_axis(0, "share of a change", showgrid=True, **axis.axis())
    frame.shapes += [*axis.rules(focus.theme), rule(y=1, line={"color": LINE.on(focus.theme), "width": 2}, layer="below")]
    return frame.figure()


def rows(traced: Trace, path: GradientPath) -> list[dict[str, Any]]:
    """What the lines are drawn from: a row for each word of the path."""
    last = len(path.sources) - 1
    return [
        {"cell": traced.label, "position": source, "token": traced.tokens[source], "words_back": last - step}
        | {"gates": float(path.gates[step]), "gradient": float(path.gradient[step])}
        for step, source in enumerate(path.sources)
    ]


def _line(columns: NDArray[np.intp], values: NDArray[Any], stroke: Stroke, axis: Decades, focus: Focus) -> list[PlotlyTrace]:
    """The points, joined; one that is too small stands at the edge as a triangle, and an exact zero as a '0', joined to none."""
    low = 10.0**axis.low
    back = len(values) - 1 - np.arange(len(values))
    texts = [f"{stroke.name}<br>from {number} words back: {part(value)}" for number, value in zip(back, values, strict=True)]
    style, zero = stroke.on(focus.theme), values == 0
    style["marker"] = {**style["marker"], "symbol": np.where(values < low, "triangle-down-open", "circle").tolist()}
    points = np.where(zero, np.nan, np.clip(values, low, 10.0**axis.high))  # a gradient that overflows is at the upper edge
    line = plotly_trace(
        "scatter", x=columns, y=points, text=texts, hovertemplate=hover(WORD, "%{text}"), connectgaps=False, **style
    )
    if not zero.any():
        return [line]
    at_zero = plotly_trace(
        "scatter",
        x=columns[zero],
        y=np.full(int(zero.sum()), 10**axis.bottom),
        text=["0"] * int(zero.sum()),
        customdata=np.array(texts)[zero],
        mode="text",
        textfont={"size": FONT + 2, "color": stroke.colour.on(focus.theme)},
        hovertemplate=hover(WORD, "%{customdata}"),
    )
    return [line, at_zero]
