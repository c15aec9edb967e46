"""How long a gate keeps: a bias, the share it keeps at each step, and the steps until half of a memory is left."""

from __future__ import annotations

import math


def keep_of(bias: float) -> float:
    """What a gate keeps at a step when its input says nothing: sigmoid(bias)."""
    return 1 / (1 + math.exp(-bias))


def half_life(keep: float) -> float:
    """Steps until half of a memory is left, ln 2 / -ln keep: infinite for 1, 0 for 0."""
    if not 0 <= keep <= 1:
        raise ValueError(f"keep is {keep}: give a share from 0 to 1")
    if keep in (0, 1):
        return math.inf if keep else 0.0
    return math.log(2) / -math.log(keep)
