"""The key of a picture, drawn in it so that a saved picture has it too: scales of colours, lines and areas, as plotly's text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seqmodels.viz.palette import safe

ROW = 17  # pixels of a row of the key
_LONGEST = 40  # characters of a row: some 240 pixels
_BLOCK, _DASHES = "█", {"solid": "━━", "dash": "╍╍", "dot": "┈┈"}


@dataclass(frozen=True)
class Entry:
    """A sample and what it stands for."""

    text: str  # as plotly reads it
    length: int  # of what is seen, in characters


def scale(name: str, colours: Sequence[str], ends: tuple[str, str]) -> Entry:
    """A scale of colours from one end to the other."""
    low, high = ends
    sample = "".join(_inked(_BLOCK, colour) for colour in colours)
    return Entry(f"{safe(name)}: {low} {sample} {high}", len(f"{name}: {low}  {high}") + len(colours))


def line(name: str, colour: str, dash: str = "solid") -> Entry:
    """A line; `dash` is plotly's word for it."""
    return Entry(f"{_inked(_DASHES[dash], colour)} {safe(name)}", len(name) + 3)


def area(name: str, *colours: str) -> Entry:
    """A filled area, or one with stripes."""
    return Entry(f"{''.join(_inked(_BLOCK, colour) for colour in colours)} {safe(name)}", len(name) + 1 + len(colours))


def short(value: float) -> str:
    """An end of a scale: '0', '−1', '15.1'."""
    return f"{value:.3g}".replace("-", "−")


def rows(entries: Iterable[Entry]) -> list[str]:
    """The key in rows, each as long as there is room for."""
    found: list[list[Entry]] = []
    for entry in dict.fromkeys(entries):
        if found and sum(other.length + 3 for other in found[-1]) + entry.length <= _LONGEST:
            found[-1].append(entry)
        else:
            found.append([entry])
    return ["   ".join(entry.text for entry in row) for row in found]


def notes(texts: Sequence[str], below: int, size: int) -> list[dict[str, Any]]:
    """The rows as annotations, the first so many pixels below the panels."""
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 0, "yref": "paper", "yanchor": "top", "showarrow": False}
    return [{**place, "text": text, "yshift": -below - ROW * row, "font": {"size": size}} for row, text in enumerate(texts)]


def _inked(text: str, colour: str) -> str:
    return f'<span style="color:{colour}">{text}</span>'
