"""How the recurrent matrices begin."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqmodels.recurrence import Recurrent

TORCH = "torch"  # leave all as torch draws it: uniform over +-1/sqrt(hidden)
SCHEMES = {TORCH: "torch's own", "normal": "Gaussian", "orthogonal": "orthogonal", "identity": "identity"}


@torch.no_grad()
def initialize(recurrent: Recurrent, scheme: str = TORCH, gain: float = 1.0, forget_bias: float | None = None) -> None:
    """Set each gate's recurrent matrix U (hidden, hidden), in every layer and direction, and its biases to zero.

    normal      U ~ N(0, gain^2 / hidden), so the spectral radius is near the gain (Ginibre 1965)
    orthogonal  every singular value is the gain (Saxe et al. 2014)
    identity    gain * I, which with relu keeps the memory as it is (Le, Jaitly, Hinton 2015)

    `forget_bias` is added to the bias of the forget gate, so that it begins open (Gers et al. 2000; Jozefowicz et al. 2015).
    """
    for layer in range(recurrent.layers):
        for reverse in (False, True) if recurrent.bidirectional else (False,):
            weights = recurrent.weights(layer, reverse=reverse)
            if scheme != TORCH:
                for block in weights.hidden.split(recurrent.hidden_size) if len(weights.hidden) else ():
                    _fill(block, scheme, gain)
                nn.init.zeros_(weights.input_bias)
                nn.init.zeros_(weights.hidden_bias)
            if forget_bias is not None:
                assert recurrent.cell.forget_block is not None
                first = recurrent.cell.blocks.index(recurrent.cell.forget_block) * recurrent.hidden_size
                weights.input_bias[first : first + recurrent.hidden_size] += forget_bias


def _fill(block: Tensor, scheme: str, gain: float) -> None:
    if scheme == "normal":
        nn.init.normal_(block, std=gain * block.shape[1] ** -0.5)
    elif scheme == "orthogonal":
        nn.init.orthogonal_(block, gain)
    elif scheme == "identity":
        nn.init.eye_(block).mul_(gain)
    else:
        raise ValueError(f"unknown initialization {scheme!r}: choose one of {', '.join(SCHEMES)}")
