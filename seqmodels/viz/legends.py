"""Legends as HTML for either theme: entries beside each other, each a sample of a colour and what it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seqmodels.viz import keys
from seqmodels.viz.palette import Pair, Theme, safe
from seqmodels.viz.style import styled

_SYMBOLS = {
    "circle": "●", "cross": "✚", "triangle-up": "▲", "x": "✖", "square": "■", "diamond": "◆", "star": "★", "triangle-down": "▼"
}  # fmt: skip


@dataclass(frozen=True)
class Stroke:
    """A kind of line, and what it shows; the same in the picture and in its legend."""

    name: str
    colour: Pair
    dash: str = "solid"  # plotly's word: solid, dash or dot

    def on(self, theme: Theme) -> dict[str, Any]:
        """What plotly's Scatter is to know of it."""
        colour = self.colour.on(theme)
        line = {"color": colour, "width": 2.5, "dash": self.dash}
        return {"mode": "lines+markers", "line": line, "marker": {"color": colour, "size": 6}}

    def key(self, theme: Theme) -> keys.Entry:
        """Its entry in the key of a picture."""
        return keys.line(self.name, self.colour.on(theme), self.dash)

    @property
    def entry(self) -> str:
        """The entry of a legend."""
        return line(self.name, self.colour, self.dash)


def legend(entries: Iterable[str], note: str = "") -> str:
    """Entries, each made by a function below, and a note after them."""
    items = "".join(f'<span role="listitem">{entry}</span>' for entry in entries)
    after = f'<span class="sm-note" role="listitem">{safe(note)}</span>' if note else ""
    return styled("legend", f'<div class="sm-legend" role="list">{items}{after}</div>')


def bar(name: str, ink: Pair, stops: Sequence[str], ends: tuple[str, str]) -> str:
    """A scale of colours: its name, the CSS colours along it, and what its two ends are."""
    low, high = map(safe, ends)
    sample = f'<i class="sm-bar" style="--c:linear-gradient(90deg,{",".join(stops)})"></i>'
    return f'<b style="color:{ink.css}">{safe(name)}</b>&ensp;{low} {sample} {high}'


def line(name: str, colour: Pair, dash: str = "solid") -> str:
    """A line of a figure; `dash` is plotly's word for it."""
    style = {"solid": "solid", "dash": "dashed", "dot": "dotted"}[dash]
    return f'<i class="sm-line" style="border-top:3px {style} {colour.css}"></i> {safe(name)}'


def marker(name: str, colour: Pair, symbol: str) -> str:
    """A point of a figure; `symbol` is plotly's word for its shape."""
    return f'<span style="color:{colour.css}" aria-hidden="true">{_SYMBOLS[symbol]}</span> {safe(name)}'


def patch(name: str, colour: Pair, stripe: Pair | None = None, text: str = "") -> str:
    """A filled area, striped where it has a second colour, and a few words on it."""
    striped = stripe and f"repeating-linear-gradient(135deg,{colour.css} 0 4px,{stripe.css} 4px 8px)"
    return f'<i style="--c:{striped or colour.css}"></i> <b>{safe(name)}</b>&ensp;{safe(text)}'


def chip(name: str, colour: Pair, meaning: str, *, title: str = "", absent: bool = False) -> str:
    """A tag on its colour, and what it means. One that is absent steps back; `title` is shown on hover."""
    kind = "sm-chip sm-absent" if absent else "sm-chip"
    return f'<span class="{kind}" title="{safe(title)}" style="--c:{colour.css}"><b>{safe(name)}</b> {safe(meaning)}</span>'


def shade(colour: Pair, meaning: str) -> str:
    """How a colour goes from pale to full, and what that means."""
    return f'<i class="sm-shade" style="--c:{colour.css}"></i> {safe(meaning)}'
