"""How the recurrent matrices begin."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqmodels.recurrence import Recurrent, Weights

TORCH = "torch"  # leave all as torch draws it: uniform over +-1/sqrt(hidden)
SCHEMES = {TORCH: "torch's own", "normal": "Gaussian", "orthogonal": "orthogonal", "identity": "identity"}


@torch.no_grad()
def initialize(
    recurrent: Recurrent, scheme: str = TORCH, gain: float = 1.0, forget_bias: float | None = None, chrono: int | None = None
) -> None:
    """Set each gate's recurrent matrix U (hidden, hidden), in every layer and direction, and its biases to zero.

    normal      U ~ N(0, gain^2 / hidden), so the spectral radius is near the gain (Ginibre 1965)
    orthogonal  every singular value is the gain (Saxe et al. 2014)
    identity    gain * I, which with relu keeps the memory as it is (Le, Jaitly, Hinton 2015)

    `forget_bias` is added to the bias of the forget gate, so that it begins open (Gers et al. 2000; Jozefowicz et al. 2015).
    `chrono`, at least 3, is the longest time in steps that units begin by remembering: the bias of a gate that keeps is
    log U[1, chrono - 1], that of one that writes the negative of it (Tallec & Ollivier 2018).
    """
    for layer in range(recurrent.layers):
        for reverse in (False, True) if recurrent.bidirectional else (False,):
            weights = recurrent.weights(layer, reverse=reverse)
            if scheme != TORCH:
                for block in weights.hidden.split(recurrent.hidden_size) if len(weights.hidden) else ():
                    fill(block, scheme, gain)
                nn.init.zeros_(weights.input_bias)
                nn.init.zeros_(weights.hidden_bias)
            if chrono is not None:
                _set_times(recurrent, weights, chrono)
            if forget_bias is not None:
                assert recurrent.cell.forget_block is not None
                first = recurrent.cell.blocks.index(recurrent.cell.forget_block) * recurrent.hidden_size
                weights.input_bias[first : first + recurrent.hidden_size] += forget_bias


def _set_times(recurrent: Recurrent, weights: Weights, longest: int) -> None:
    """One time for each unit, for all its gates."""
    bias = torch.empty(recurrent.hidden_size).uniform_(1, longest - 1).log()
    for number, block in enumerate(recurrent.cell.blocks):
        rows = slice(number * recurrent.hidden_size, (number + 1) * recurrent.hidden_size)
        if block in recurrent.cell.time_biases:
            weights.input_bias[rows] = recurrent.cell.time_biases[block] * bias
            weights.hidden_bias[rows] = 0  # no rows where the cell does not read its output


def fill(matrix: Tensor, scheme: str, gain: float = 1.0, generator: torch.Generator | None = None) -> None:
    """Draw a recurrent matrix (hidden, hidden) in place; torch's own scheme times the gain too."""
    if scheme == TORCH:
        bound = gain * matrix.shape[1] ** -0.5
        nn.init.uniform_(matrix, -bound, bound, generator)
    elif scheme == "normal":
        nn.init.normal_(matrix, std=gain * matrix.shape[1] ** -0.5, generator=generator)
    elif scheme == "orthogonal":
        nn.init.orthogonal_(matrix, gain, generator)
    elif scheme == "identity":
        nn.init.eye_(matrix).mul_(gain)
    else:
        raise ValueError(f"unknown initialization {scheme!r}: choose one of {', '.join(SCHEMES)}")
