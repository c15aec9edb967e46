"""A cell as a circuit: what its class says in `Cell.formulas`, parsed, and the numbers on its wires for one unit at one step."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from seqmodels.cells import Cell
from seqmodels.recurrence import Step, Weights

Kind = Literal["number", "affine", "gate", "function", "times", "plus", "minus", "memory", "formula"]

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "tanh": math.tanh,
    "σ": lambda value: 0.5 * (1 + math.tanh(value / 2)),
    "relu": lambda value: max(value, 0.0),
}
_AFFINE = ("W x", "U h", "b")
_TOKEN = re.compile(r"\s*(W x|U h|[^\W\d_]+|\d+(?:\.\d+)?|[+−∘()])")


@dataclass(frozen=True)
class Node:
    """A part of a formula and its value.

    `label` is a number's text, a function's name, a gate's letter, or the terms of an affine sum.
    """

    kind: Kind
    label: str
    value: float
    inputs: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This and all that it is computed from."""
        yield self
        for node in self.inputs:
            yield from node.walk()


@dataclass(frozen=True)
class Circuit:
    """memory = mu * before + lam * candidate, and what is read of it. `output` is None where it is the memory itself."""

    mu: Node
    lam: Node
    candidate: Node
    before: float
    memory: float
    output: Node | None = None
    memory_name: str = "h"


@dataclass(frozen=True)
class _Unit:
    """One unit of a cell at one step: the projections (blocks,) that its formulas speak of, and its memory."""

    cell: Cell
    x: dict[str, float]  # W x + b of each block
    h: dict[str, float]  # U h + c; zero where the cell does not read its output
    memory: float

    def affine(self, terms: str, block: str) -> Node:
        """A sum such as 'W x + U h + b' of a block, each projection with its own bias. ValueError if there is no such block."""
        if block not in self.x:
            raise ValueError(f"cell {self.cell.name!r} has no block {block!r}")
        value = (self.x[block] if "W x" in terms else 0.0) + (self.h[block] if "U h" in terms else 0.0)
        return Node("affine", terms, value)

    def gate(self, block: str) -> Node:
        """The sigmoid of a block."""
        total = self.affine("W x + U h + b" if self.cell.reads_output else "W x + b", block)
        return Node("gate", block, FUNCTIONS["σ"](total.value), (total,))


class _Parser:
    """sum = product (('+' | '−') product)*; product = part ('∘' part)*; part = a number, a name, f(sum) or (sum)."""

    def __init__(self, formula: str, unit: _Unit) -> None:
        self.unit, self.at = unit, 0
        self.tokens = _TOKEN.findall(formula)
        if "".join(self.tokens).replace(" ", "") != formula.replace(" ", ""):
            raise ValueError(f"{formula!r} is not a formula of sums, products and functions")

    def whole(self) -> Node:
        node = self.sum()
        if self.at < len(self.tokens):
            raise ValueError(f"{self.tokens[self.at]!r} is in the wrong place of the formula")
        return node

    def take(self, *wanted: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def sum(self) -> Node:
        terms: list[str] = []  # of the affine part
        node: Node | None = None
        sign: str | None = "+"
        while sign:
            if sign == "+" and (term := self.take(*_AFFINE)):
                terms.append(term)
            else:
                part = self.product()
                if node is None:
                    node = part
                else:
                    value = node.value + part.value if sign == "+" else node.value - part.value
                    node = Node("plus" if sign == "+" else "minus", sign, value, (node, part))
            sign = self.take("+", "−")
        if not terms:
            assert node is not None
            return node
        total = self.unit.affine(" + ".join(terms), self.unit.cell.candidate_block)
        return total if node is None else Node("plus", "+", total.value + node.value, (total, node))

    def product(self) -> Node:
        node = self.part()
        while self.take("∘"):
            other = self.part()
            node = Node("times", "×", node.value * other.value, (node, other))
        return node

    def part(self) -> Node:
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        self.at += 1
        if token == "(":
            return self.closed()
        if token in self.unit.cell.blocks:
            return self.unit.gate(token)
        if token in FUNCTIONS and self.take("("):
            inside = self.closed()
            return Node("function", token, FUNCTIONS[token](inside.value), (inside,))
        if token == self.unit.cell.formulas.memory:
            return Node("memory", token, self.unit.memory)
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return Node("number", token, float(token))
        raise ValueError(f"{token!r} is neither a block of the cell, a function nor a number")

    def closed(self) -> Node:
        node = self.sum()
        if not self.take(")"):
            raise ValueError("a bracket is not closed")
        return node


def _node(formula: str, unit: _Unit, value: float) -> Node:
    """A formula as a tree; where it can't be read, or doesn't give the cell's own value, as one box."""
    try:
        node = _Parser(formula, unit).whole()
    except ValueError:
        return Node("formula", formula, value)
    return node if math.isclose(node.value, value, abs_tol=1e-5) else Node("formula", formula, value)


def circuit(cell: Cell, weights: Weights, x: float, before: Step | None, step: Step) -> Circuit:
    """One unit of a cell that reads one number x: its weights (blocks, 1), and the steps before (None: none) and now."""
    names = cell.blocks
    previous = before.output.item() if before else 0.0
    from_input = weights.input[:, 0] * x + weights.input_bias
    from_output = weights.hidden[:, 0] * previous + weights.hidden_bias if len(weights.hidden) else torch.zeros(len(names))
    memory = step.memory.item()
    unit = _Unit(
        cell,
        dict(zip(names, from_input.tolist(), strict=True)),
        dict(zip(names, from_output.tolist(), strict=True)),
        memory,
    )
    shown, gates = cell.formulas, step.gates
    return Circuit(
        mu=_node(shown.mu, unit, gates.mu.item()),
        lam=_node(shown.lam, unit, gates.lam.item()),
        candidate=_node(shown.candidate, unit, gates.candidate.item()),
        before=before.memory.item() if before else 0.0,
        memory=memory,
        output=None if cell.memory_is_output else _node(shown.output, unit, step.output.item()),
        memory_name=shown.memory,
    )


def by_hand(mu: float, lam: float, candidate: float, before: float, memory: float) -> Circuit:
    """The law alone, with gates that are set and not computed."""
    return Circuit(Node("number", "μ", mu), Node("number", "λ", lam), Node("number", "F", candidate), before, memory)
