"""What a unit is like: how long it remembers, how often its gates are wide open or shut, what it does with its memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmodels.traces.layers import Array, LayerTrace

OPEN, SHUT = 0.9, 0.1  # a gate above and below is saturated (Karpathy, Johnson, Li 2015)
HIGH = 0.5  # from here a gate is open rather than shut


class Regime(NamedTuple):
    """What a unit does at a step, by which of its gates are high."""

    name: str
    keeps: bool  # mu is high
    writes: bool  # lam is high


REGIMES = (
    Regime("keep", keeps=True, writes=False),
    Regime("accumulate", keeps=True, writes=True),
    Regime("overwrite", keeps=False, writes=True),
    Regime("erase", keeps=False, writes=False),
)


@dataclass(frozen=True)
class Saturation:
    """Of one gate, by unit: the share of steps at which it is above OPEN, and below SHUT. Each (units,)."""

    open: Array
    shut: Array


def half_life(mu: Array) -> NDArray[np.float64]:
    """mu (tokens, ...) -> (...): tokens until half of a memory is left: ln 2 / -ln(geometric mean of mu over the tokens).

    0 where a gate shuts altogether at some token, infinite where it never lets anything go.
    """
    with np.errstate(divide="ignore"):
        rate = -np.log(mu.astype(np.float64)).mean(axis=0)
        return np.log(2) / np.abs(rate)  # abs: the rate of a gate that is always 1 is minus zero


def saturation(gate: Array) -> Saturation:
    """gate (tokens, units) -> how often it is wide open and shut."""
    return Saturation((gate > OPEN).mean(axis=0, dtype=np.float32), (gate < SHUT).mean(axis=0, dtype=np.float32))


def regimes(layer: LayerTrace) -> Array:
    """(tokens, regimes): the share of the units in each of REGIMES at each token; a row sums to 1."""
    keeps, writes = layer.mu >= HIGH, layer.lam >= HIGH
    shares = [((keeps == regime.keeps) & (writes == regime.writes)).mean(axis=1, dtype=np.float32) for regime in REGIMES]
    return np.stack(shares, axis=1)
