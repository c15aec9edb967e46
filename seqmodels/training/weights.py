"""Whether weights can be used, and a model with others for a while."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

LARGEST_WEIGHT = 1e6  # sums of products of two, and the squares of those, are still far from the largest number of float32


def flaw(weights: Mapping[str, Tensor]) -> str | None:
    """Why a network with these weights cannot be used, or None: one of them is no finite number, or far too large."""
    each = [value.abs().amax().float() for value in weights.values() if value.numel()]
    largest = torch.stack(each).amax().item() if each else 0.0
    if not math.isfinite(largest):  # the greatest of numbers is no number where one of them is none
        return "weights that are not finite numbers"
    if largest > LARGEST_WEIGHT:
        return f"weights as large as {largest:.2g}: above {LARGEST_WEIGHT:g}, what a network computes may overflow"
    return None


@contextmanager
def holding(model: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """The model with these of its weights, and with its own again afterwards."""
    own = {name: value.clone() for name, value in model.state_dict().items() if name in weights}
    model.load_state_dict(dict(weights), strict=False)
    try:
        yield
    finally:
        model.load_state_dict(own, strict=False)
