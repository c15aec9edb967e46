"""One step of the law, with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seqmodels.cells import Gates, update
from seqmodels.traces.layers import Array, LayerTrace


@dataclass(frozen=True)
class Step:
    """memory = mu * before + lam * candidate at one token, each (units,); `error` is how far the two sides are apart."""

    mu: Array
    before: Array
    lam: Array
    candidate: Array
    memory: Array
    error: Array
    output: Array
    reveal: Array | None  # LSTM's output gate

    @property
    def change(self) -> Array:
        return self.memory - self.before


def step(layer: LayerTrace, token: int) -> Step:
    """The update that a layer makes at a token. For a backward layer, the memory before is that of the token to the right."""
    tokens = len(layer.mu)
    if not 0 <= token < tokens:
        raise ValueError(f"there is no token {token}: give a number from 0 to {tokens - 1}")
    before = layer.previous()[token]
    gates: list[Any] = [layer.mu[token], layer.lam[token], layer.candidate[token]]
    made: Any = update(cast(Any, before), Gates(*gates))
    mu, lam, candidate = gates
    return Step(
        mu=mu,
        before=before,
        lam=lam,
        candidate=candidate,
        memory=layer.memory[token],
        error=np.abs(layer.memory[token] - made),
        output=layer.output[token],
        reveal=None if layer.reveal is None else layer.reveal[token],
    )


def most_changed(layer: LayerTrace, token: int, count: int) -> NDArray[np.intp]:
    """The units whose memory changes most at a token, up or down, the most first."""
    return np.argsort(-np.abs(step(layer, token).change), kind="stable")[:count]
