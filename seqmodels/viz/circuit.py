"""A cell as a node diagram: its formulas drawn as parts and wires, with the numbers of one step on them.

Above all runs the memory, from left to right: times keep, plus what is written. Below stands how the gates are made of the input
and of the last output. The layout follows from the tree of each formula, so that a new cell gets a diagram too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from seqmodels.labs.circuit import Circuit, Node
from seqmodels.viz.figure import PlotlyTrace, ground, hover, picture, plotly_trace
from seqmodels.viz.format import number
from seqmodels.viz.palette import BACKGROUND, LAM, MU, MUTED, POSITIVE, REVEAL, SURFACE, TEXT, Pair, Theme, safe

_ROW, _MOST = 84, 480  # pixels between two rows of parts, and of all rows at most
_INPUTS = -0.3  # the row of what the gates are made of: lower, for its boxes are high
_SYMBOLS = {"plus": "+", "minus": "−", "times": "×", "gate": "σ"}


@dataclass(frozen=True)
class _Part:
    """A circle or box of the diagram."""

    x: float
    y: float
    text: str
    hover: str
    colour: Pair
    box: bool = False
    name: str = ""  # beside it


@dataclass(frozen=True)
class _Wire:
    start: tuple[float, float]
    end: tuple[float, float]
    value: float
    colour: Pair
    far: bool = False  # its number stands near its end, since other wires leave where it begins


@dataclass
class _Drawing:
    """Parts and wires, each at (column, row); columns are taken from left to right, rows count up from the inputs."""

    parts: list[_Part] = field(default_factory=list)
    wires: list[_Wire] = field(default_factory=list)
    gates: dict[str, tuple[float, float]] = field(default_factory=dict)  # where a gate that is read twice stands
    columns: int = 0

    def column(self) -> float:
        self.columns += 1
        return float(self.columns - 1)

    def tree(self, node: Node, colour: Pair) -> tuple[float, float, bool]:
        """Draw a formula from its leaves upwards; where its root stands, and whether that is drawn elsewhere."""
        if node.kind == "gate" and node.label in self.gates:
            return *self.gates[node.label], True
        below = [(self.tree(child, colour), child) for child in node.inputs if not _inside(node, child)]
        own = [place[0] for place, _ in below if not place[2]]
        x = sum(own) / len(own) if own else self.column()
        y = max((max(place[1], 0.0) for place, _ in below), default=-1.0) + 1
        if node.kind == "affine":
            y = _INPUTS
        for (from_x, from_y, elsewhere), child in below:
            self.wire((from_x, from_y), (x, y), child.value, colour, far=elsewhere)
        self.parts.append(_part(node, x, y, colour))
        if node.kind == "gate":
            self.gates[node.label] = x, y
        return x, y, False

    def root(self, node: Node, colour: Pair) -> tuple[tuple[float, float], float, bool]:
        """The same; where it stands, the column in which its wire goes up, and whether it is drawn elsewhere."""
        x, y, elsewhere = self.tree(node, colour)
        return (x, y), self.column() if elsewhere else x, elsewhere

    def wire(self, start: tuple[float, float], end: tuple[float, float], value: float, colour: Pair, *, far: bool = False) -> None:
        self.wires.append(_Wire(start, end, value, colour, far))

    def operation(self, x: float, y: float, symbol: str, says: str, colour: Pair) -> tuple[float, float]:
        self.parts.append(_Part(x, y, symbol, hover(safe(says)), colour))
        return x, y

    def end(self, x: float, y: float, text: str, says: str) -> tuple[float, float]:
        self.parts.append(_Part(x, y, text, hover(says), POSITIVE, box=True))
        return x, y

    def read_out(self, node: Node, memory: tuple[float, float]) -> tuple[float, float]:
        """An output formula, from the memory to the right: what it reads besides hangs below. Where its root stands."""
        through = next((child for child in node.inputs if _reads_memory(child)), None)
        if node.kind == "memory" or through is None:
            return memory
        x, y = self.read_out(through, memory)
        others = [child for child in node.inputs if child is not through]
        places = [self.tree(child, REVEAL) for child in others]
        self.columns = max(self.columns, int(x) + 2)
        place = max([x + 1, *(there[0] for there in places)]), y
        self.wire((x, y), place, through.value, POSITIVE)
        for (from_x, from_y, elsewhere), child in zip(places, others, strict=True):
            self.wire((from_x, from_y), place, child.value, REVEAL, far=elsewhere)
        self.parts.append(_part(node, *place, REVEAL))
        return place


def _inside(node: Node, child: Node) -> bool:
    """Whether a number is written into the part that reads it, as in '1 −'."""
    return child.kind == "number" and any(other.kind != "number" for other in node.inputs)


def _reads_memory(node: Node) -> bool:
    return any(one.kind == "memory" for one in node.walk())


def _part(node: Node, x: float, y: float, colour: Pair) -> _Part:
    """How a node looks."""
    value = number(node.value)
    if node.kind == "affine":
        return _Part(x, y, node.label.replace(" + ", "<br>+ "), hover(f"{node.label} = {value}"), MUTED, box=True)
    if node.kind in ("number", "formula"):
        says = value if node.label == value or node.kind == "formula" else f"{node.label} = {value}"
        return _Part(x, y, safe(node.label), hover(safe(says)), colour, box=True)
    if node.kind == "gate":
        return _Part(x, y, "σ", hover(f"{safe(node.label)} = σ({number(node.inputs[0].value)}) = {value}"), colour, name=node.label)
    values = [number(child.value) for child in node.inputs]
    symbol = _SYMBOLS.get(node.kind, node.label)
    says = f"{symbol}({values[0]})" if node.kind == "function" else f" {symbol} ".join(values)
    if _inside(node, node.inputs[0]):
        symbol = f"{node.inputs[0].label} {symbol}"
    return _Part(x, y, safe(symbol), hover(safe(f"{says} = {value}")), colour)


def circuit(found: Circuit, theme: Theme = "light") -> go.Figure:
    """The node diagram of a cell at one step."""
    drawing = _Drawing()
    mu, mu_column, mu_far = drawing.root(found.mu, MU)
    lam, lam_column, lam_far = drawing.root(found.lam, LAM)
    content, content_column, content_far = drawing.root(found.candidate, TEXT)
    top = max(mu[1], lam[1], content[1], 0.0) + 2  # the row of the memory
    kept, written = found.mu.value * found.before, found.lam.value * found.candidate.value
    middle = (lam_column + content_column) / 2
    parts = number(found.mu.value), number(found.before), number(found.lam.value), number(found.candidate.value)
    keep = drawing.operation(mu_column, top, "×", f"{parts[0]} × {parts[1]} = {number(kept)}", MU)
    write = drawing.operation(middle, top - 1, "×", f"{parts[2]} × {parts[3]} = {number(written)}", LAM)
    plus = drawing.operation(middle, top, "+", f"{number(kept)} + {number(written)} = {number(found.memory)}", POSITIVE)
    for start, end, value, colour, far in (
        (mu, keep, found.mu.value, MU, mu_far),
        (lam, write, found.lam.value, LAM, lam_far),
        (content, write, found.candidate.value, TEXT, content_far),
        (write, plus, written, LAM, False),
        (keep, plus, kept, MU, False),
    ):
        drawing.wire(start, end, value, colour, far=far)
    name = found.memory_name
    before = drawing.end(-1.0, top, f"{name}<sub>t−1</sub>", f"memory before: {parts[1]}")
    drawing.wire(before, keep, found.before, POSITIVE)
    drawing.columns = max(drawing.columns, int(middle) + 2)
    memory = drawing.end(drawing.column(), top, f"{name}<sub>t</sub>", f"memory: {number(found.memory)}")
    drawing.wire(plus, memory, found.memory, POSITIVE)
    if found.output is not None:
        last = drawing.read_out(found.output, memory)
        drawing.columns = max(drawing.columns, int(last[0]) + 1)
        shown = drawing.end(drawing.column(), top, "output", f"output: {number(found.output.value)}")
        drawing.wire(last, shown, found.output.value, REVEAL)
    return _figure(drawing, top, theme)


def _figure(drawing: _Drawing, top: float, theme: Theme) -> go.Figure:
    axis = {"visible": False, "fixedrange": True}
    wires = [
        plotly_trace(
            "scatter",
            x=[wire.start[0], wire.end[0]],
            y=[wire.start[1], wire.end[1]],
            mode="lines",
            line={"color": wire.colour.on(theme), "width": 3},
            hoverinfo="skip",
        )
        for wire in drawing.wires
    ]
    return picture(
        [*wires, _circles(drawing, theme)],
        {
            "xaxis": {**axis, "range": [-1.5, drawing.columns - 0.4]},
            "yaxis": {**axis, "range": [-0.9, top + 0.4]},
            "annotations": [*_boxes(drawing, theme), *_names(drawing, theme), *_numbers(drawing, theme)],
            "height": min(int(_ROW * (top + 1.3)), _MOST),
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            **ground(theme),
        },
    )


def _circles(drawing: _Drawing, theme: Theme) -> PlotlyTrace:
    circles = [part for part in drawing.parts if not part.box]
    return plotly_trace(
        "scatter",
        x=[part.x for part in circles],
        y=[part.y for part in circles],
        mode="markers+text",
        marker={
            "size": 40,
            "color": SURFACE.on(theme),
            "opacity": 1,
            "line": {"width": 2.5, "color": [part.colour.on(theme) for part in circles]},
        },
        text=[part.text for part in circles],
        textfont={"size": [15 if len(part.text) > 1 else 22 for part in circles], "color": TEXT.on(theme)},
        hovertemplate=[part.hover for part in circles],
    )


def _boxes(drawing: _Drawing, theme: Theme) -> list[dict[str, Any]]:
    return [
        {
            "x": part.x,
            "y": part.y,
            "text": part.text,
            "hovertext": part.hover.removesuffix("<extra></extra>"),
            "showarrow": False,
            "font": {"size": 15, "color": TEXT.on(theme)},
            "bgcolor": SURFACE.on(theme),
            "bordercolor": part.colour.on(theme),
            "borderwidth": 2,
            "borderpad": 4,
        }
        for part in drawing.parts
        if part.box
    ]


def _names(drawing: _Drawing, theme: Theme) -> list[dict[str, Any]]:
    """The letter of each gate, beside it."""
    look = {"showarrow": False, "xanchor": "left", "xshift": 24}
    return [
        {
            **look,
            "x": part.x,
            "y": part.y,
            "text": f"<i>{safe(part.name)}</i>",
            "font": {"size": 18, "color": part.colour.on(theme)},
        }
        for part in drawing.parts
        if part.name
    ]


def _numbers(drawing: _Drawing, theme: Theme) -> list[dict[str, Any]]:
    """What runs along each wire: over a flat one, beside one that goes straight up, and else on it, nearer to its end."""
    notes = []
    for wire in drawing.wires:
        flat, upright = (wire.start[axis] == wire.end[axis] for axis in (1, 0))
        share = 0.6 if wire.far or upright else 0.5
        x, y = (start + share * (end - start) for start, end in zip(wire.start, wire.end, strict=True))
        look: dict[str, Any] = {"bgcolor": BACKGROUND.on(theme), "borderpad": 1}
        if flat:
            look = {"yshift": 14}
        elif upright:
            look = {"xanchor": "left", "xshift": 5}
        notes.append({"x": x, "y": y, "text": number(wire.value), "showarrow": False, "font": {"size": 14}, **look})
    return notes
