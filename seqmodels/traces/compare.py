"""What can be held against each other.

Unit 17 of one cell has nothing to do with unit 17 of another: cells are compared in numbers that mean the same in all of them. Two
texts in one cell have their units in common, so there the units themselves are compared, word by aligned word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from seqmodels.traces.behaviour import half_life, quantile, regimes
from seqmodels.traces.contributions import retention
from seqmodels.traces.layers import Array, LayerTrace


class Aligned(NamedTuple):
    """A token of the first text and the one of the second that stands for it; None where a text has no such."""

    first: int | None
    second: int | None


@dataclass(frozen=True)
class Summary:
    """A cell over a text in numbers that mean the same in every cell."""

    keep: float  # mean mu
    write: float  # mean lam
    half_life: float  # tokens; the median over the units
    turnover: float  # mean over the tokens but the first read, which replaces nothing
    regimes: Array  # (regimes,): the mean share of the units in each of REGIMES


Curve = Callable[[LayerTrace, int], Array]


def normalized_distance(first: Array, second: Array) -> Array:
    """Values (n, units) -> (n,): |a - b| / (|a| + |b|), L2 norms over the units: 0 the same, 1 opposite or one of them nothing."""
    size = np.linalg.norm(first, axis=1) + np.linalg.norm(second, axis=1)
    between = np.linalg.norm(first - second, axis=1)
    return np.divide(between, size, out=np.zeros_like(between), where=size > 0)


def turnover(layer: LayerTrace) -> Array:
    """(tokens,): the `normalized_distance` of each memory from the one it found: 1 at the first token read.

    It looks at the memory alone, so it holds for a cell without gates too.
    """
    return normalized_distance(layer.memory, layer.previous())


# name -> (tokens,) of a layer and the selected token: shares from 0 to 1, whatever the cell
CURVES: dict[str, Curve] = {
    "mean keep": lambda layer, token: layer.mu.mean(axis=1),
    "mean write": lambda layer, token: layer.lam.mean(axis=1),
    "retained": retention,
    "turnover": lambda layer, token: turnover(layer),
}


def curve(layer: LayerTrace, name: str, token: int) -> Array:
    """(tokens,): one of CURVES, a share from 0 to 1 at every token."""
    if name not in CURVES:
        raise ValueError(f"unknown curve {name!r}: choose one of {', '.join(CURVES)}")
    return CURVES[name](layer, token)


def summary(layer: LayerTrace) -> Summary:
    """A layer over a whole text."""
    later = layer.as_read(turnover(layer))[1:]
    return Summary(
        keep=float(layer.mu.mean()),
        write=float(layer.lam.mean()),
        half_life=quantile(half_life(layer.mu), 0.5),
        turnover=float(later.mean()) if len(later) else float("nan"),
        regimes=regimes(layer).mean(axis=0),
    )


def align(first: Sequence[str], second: Sequence[str]) -> tuple[Aligned, ...]:
    """Every token of both texts once, in order, the same words beside each other; of words replaced, the nth beside the nth."""
    columns: list[Aligned] = []
    for _, start, end, other_start, other_end in SequenceMatcher(None, first, second).get_opcodes():
        columns += (Aligned(*pair) for pair in zip_longest(range(start, end), range(other_start, other_end)))
    return tuple(columns)


def difference(first: Array, second: Array, columns: Sequence[Aligned]) -> Array:
    """Two texts' values (tokens, units) -> first - second (columns, units); NaN where a word has no counterpart."""
    found = np.full((len(columns), first.shape[1]), np.nan, np.float32)
    at, ours, theirs = _pairs(columns)
    found[at] = first[ours] - second[theirs]
    return found


def distance(first: Array, second: Array, columns: Sequence[Aligned]) -> Array:
    """(columns,): the `normalized_distance` of two texts' values (tokens, units); NaN where a word has no counterpart."""
    found = np.full(len(columns), np.nan, np.float32)
    at, ours, theirs = _pairs(columns)
    found[at] = normalized_distance(first[ours], second[theirs])
    return found


def _pairs(columns: Sequence[Aligned]) -> tuple[list[int], list[int], list[int]]:
    """The columns that have a token of both texts: their numbers, the tokens of the first and those of the second."""
    both = [(column, one, other) for column, (one, other) in enumerate(columns) if one is not None and other is not None]
    at, ours, theirs = ([row[part] for row in both] for part in range(3))
    return at, ours, theirs
