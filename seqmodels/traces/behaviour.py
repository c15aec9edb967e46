"""What a unit is like: how long it remembers, how often its gates are wide open or shut, what it does with its memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmodels.traces.layers import Array, LayerTrace

OPEN, SHUT = 0.9, 0.1  # a gate above and below is saturated (Karpathy, Johnson, Li 2015)
HIGH = 0.5  # from here a gate is open rather than shut
CLUSTERED = 300  # tokens that a clustering looks at; distances over more cost seconds and move few units


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


@dataclass(frozen=True)
class Band:
    """Over the units, at each token: the mean, and the values that 10 and 90 % of the units stay below. Each (tokens,)."""

    mean: Array
    low: Array
    high: Array


def half_life(mu: Array) -> NDArray[np.float64]:
    """mu (tokens, ...) -> (...): tokens until half of a memory is left: ln 2 / -ln(geometric mean of mu over the tokens).

    0 where a gate shuts altogether at some token, infinite where it never lets anything go.
    """
    with np.errstate(divide="ignore"):
        return half_life_of(np.log(mu.astype(np.float64)).mean(axis=0))


def half_life_of(log_mu: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same from the mean of ln mu over the tokens."""
    with np.errstate(divide="ignore"):
        return np.log(2) / np.abs(log_mu)  # abs: the logarithm of a gate that is always 1 may be minus zero


def quantile(tokens: NDArray[np.floating[Any]], share: float) -> float:
    """The half-life that this share of the units stay below; it is that of a unit, so that zero and infinity need no mean."""
    return float(np.quantile(tokens, share, method="inverted_cdf"))


def moves(values: NDArray[np.floating[Any]]) -> bool:
    """Whether a gate differs from unit to unit or from token to token; some cells hold one at a constant."""
    return bool(values.min() < values.max())


def saturation(gate: Array) -> Saturation:
    """gate (tokens, units) -> how often it is wide open and shut."""
    return Saturation((gate > OPEN).mean(axis=0, dtype=np.float32), (gate < SHUT).mean(axis=0, dtype=np.float32))


def unit_regimes(layer: LayerTrace) -> NDArray[np.intp]:
    """(tokens, units): which of REGIMES each unit is in, by its number."""
    keeps, writes = layer.mu >= HIGH, layer.lam >= HIGH
    return np.select([(keeps == regime.keeps) & (writes == regime.writes) for regime in REGIMES], range(len(REGIMES)))


def regimes(layer: LayerTrace) -> Array:
    """(tokens, regimes): the share of the units in each of REGIMES at each token; a row sums to 1."""
    found = unit_regimes(layer)
    return np.stack([(found == number).mean(axis=1, dtype=np.float32) for number in range(len(REGIMES))], axis=1)


def band(values: Array) -> Band:
    """values (tokens, units) -> its mean and 10-90 % band over the units."""
    low, high = np.quantile(values, [0.1, 0.9], axis=1)
    return Band(values.mean(axis=1), low.astype(np.float32), high.astype(np.float32))


def most_changed(layer: LayerTrace, token: int, count: int) -> NDArray[np.intp]:
    """The units whose memory changes most at a token, up or down, the most first."""
    layer.check(token)
    return _highest_first(np.abs(layer.memory[token] - layer.previous()[token]))[:count]


def liveliest(layer: LayerTrace) -> int:
    """The unit whose keep and write move most from token to token, by their standard deviations."""
    return int((layer.mu.std(axis=0) + layer.lam.std(axis=0)).argmax())


def unit_order(layer: LayerTrace, by: str, token: int = 0) -> NDArray[np.intp]:
    """The units from top to bottom.

    By 'mean' keep or by 'half-life', the highest first; by 'cluster', like beside like; by 'activity', the largest memory at
    `token` first; by 'unit', as they are. Clusters: average linkage over each unit's keep, write and memory, leaves ordered so that
    neighbours are alike (Bar-Joseph et al. 2001).
    """
    if by not in ORDERS:
        raise ValueError(f"unknown order {by!r}: choose one of {', '.join(ORDERS)}")
    return ORDERS[by](layer, token)


def _highest_first(values: NDArray[Any]) -> NDArray[np.intp]:
    return np.argsort(-values, kind="stable")


def _by_cluster(layer: LayerTrace, token: int) -> NDArray[np.intp]:
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist

    step = -(-len(layer.mu) // CLUSTERED)
    units = np.concatenate([layer.mu[::step], layer.lam[::step], layer.memory[::step]]).T  # (units, 3 * tokens)
    if len(units) < 2 or not np.ptp(units, axis=0).any():
        return np.arange(len(units))  # nothing tells the units apart
    return leaves_list(linkage(pdist(units), "average", optimal_ordering=True)).astype(np.intp)


ORDERS: dict[str, Callable[[LayerTrace, int], NDArray[np.intp]]] = {
    "mean": lambda layer, token: _highest_first(layer.mu.mean(axis=0)),
    "half-life": lambda layer, token: _highest_first(half_life(layer.mu)),
    "cluster": _by_cluster,
    "activity": lambda layer, token: _highest_first(np.abs(layer.memory[token])),
    "unit": lambda layer, token: np.arange(layer.mu.shape[1]),
}
