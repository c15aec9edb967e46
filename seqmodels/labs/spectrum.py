"""What a recurrent matrix says of a gradient beforehand: eigenvalues, singular values, and the bound of Pascanu et al. 2013.

Of a plain network, h_t = act(W x_t + U h_{t-1}), a step back multiplies the gradient by U^T diag(act'). With gamma the greatest
slope of the activation and sigma the largest singular value of U, its length grows at most by gamma * sigma: below 1 it is certain
to vanish. Above 1 it can explode and need not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmodels.labs.networks import RandomNetwork

GREATEST_SLOPE = {"tanh": 1.0, "relu": 1.0, "sigmoid": 0.25}

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Spectrum:
    """Of U (hidden, hidden)."""

    eigenvalues: NDArray[np.complex128]  # (hidden,)
    singular_values: NDArray[np.float64]  # (hidden,), the largest first
    gamma: float  # the greatest slope of the activation

    @property
    def radius(self) -> float:
        """The size of the largest eigenvalue."""
        return float(np.abs(self.eigenvalues).max())

    @property
    def largest(self) -> float:
        """The largest singular value: by how much U stretches a vector at most."""
        return float(self.singular_values[0])

    @property
    def limit(self) -> float:
        """1 / gamma: of a plain network with a largest singular value below it, the gradient vanishes."""
        return 1 / self.gamma

    @property
    def side(self) -> int:
        """-1 where the largest singular value is below the limit, 0 at it, 1 above it."""
        apart = self.largest / self.limit - 1
        return 0 if abs(apart) < _ROUNDING else int(np.sign(apart))

    @property
    def non_normality(self) -> float:
        """From 0, of a normal matrix, to 1: the part of U's Frobenius norm that its eigenvalues leave out. Henrici 1962."""
        total, seen = float((self.singular_values**2).sum()), float((np.abs(self.eigenvalues) ** 2).sum())
        return float(np.sqrt(max(total - seen, 0.0) / total)) if total else 0.0


def spectrum(network: RandomNetwork) -> Spectrum:
    """Of the U that the candidate of every cell has."""
    matrix = network.recurrent_matrix().numpy()
    return Spectrum(
        np.linalg.eigvals(matrix).astype(complex), np.linalg.svd(matrix, compute_uv=False), GREATEST_SLOPE[network.activation]
    )
