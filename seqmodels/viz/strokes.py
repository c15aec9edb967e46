"""Lines that a picture draws beside each other, told apart by colour and by dash; the same in the picture and its legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from seqmodels.viz import legends
from seqmodels.viz.palette import Pair, Theme


@dataclass(frozen=True)
class Stroke:
    """A kind of line, and what it shows."""

    name: str
    colour: Pair
    dash: Literal["solid", "dash", "dot"] = "solid"

    def on(self, theme: Theme) -> dict[str, Any]:
        """What plotly's Scatter is to know of it."""
        colour = self.colour.on(theme)
        return {
            "mode": "lines+markers",
            "line": {"color": colour, "width": 2.5, "dash": self.dash},
            "marker": {"color": colour, "size": 6},
        }


def legend(strokes: Sequence[Stroke], note: str = "") -> str:
    """The lines of a picture as HTML for either theme, and a note beside them."""
    return legends.legend((legends.line(stroke.name, stroke.colour, stroke.dash) for stroke in strokes), note)
