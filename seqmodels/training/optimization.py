"""One update: the optimizer, its rate, and the gradient's clipping."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from seqmodels.training.config import SCHEDULES, Clipping, TrainConfig
from seqmodels.training.objective import Tensors

_OPTIMIZERS: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimizer of that name, over all weights."""
    # torch's fused SGD takes no weight that had no gradient yet, as those of second tags before the first sentence that has such
    own = {"momentum": config.momentum, "foreach": True} if config.optimizer == "sgd" else {"fused": True}
    kind = _OPTIMIZERS[config.optimizer]
    return kind(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, **own)


def moments(config: TrainConfig) -> int:
    """How many numbers the optimizer keeps of each weight."""
    return (1 if config.momentum else 0) if config.optimizer == "sgd" else 2


def rate_factor(step: int, steps: int, config: TrainConfig) -> float:
    """Factor on the learning rate at a step of the whole training: a linear rise, then the schedule."""
    rise = max(1, round(config.warmup * steps))
    if step <= rise:
        return step / rise
    return SCHEDULES[config.schedule](step - rise, max(1, steps - rise))


@dataclass(frozen=True)
class Clipped:
    """The global norm of the gradient before and after clipping."""

    before: float
    after: float
    clipped: bool


def clip(model: nn.Module, clipping: Clipping | None) -> Clipped:
    """Clip the gradient in place."""
    parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
    norm = _norm(parameters)
    before = float(norm)
    if clipping is None or not math.isfinite(before):
        return Clipped(before, before, False)
    if clipping.kind == "norm":
        nn.utils.clip_grads_with_norm_(parameters, clipping.threshold, norm)
        return Clipped(before, min(before, clipping.threshold), before > clipping.threshold)
    clipped = bool(_norm(parameters, math.inf) > clipping.threshold)  # the greatest number in it
    if clipped:
        nn.utils.clip_grad_value_(parameters, clipping.threshold)
    return Clipped(before, float(_norm(parameters)) if clipped else before, clipped)


def optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """The moments by parameter name, not copied: plain tensors, so they can be saved without pickle."""
    return {
        f"{name}/{moment}": value
        for name, parameter in model.named_parameters()
        for moment, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, torch.Tensor)  # momentum 0 leaves a None
    }


def restore_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Copy moments in."""
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, moment = key.rsplit("/", 1)
        optimizer.state[parameters[name]][moment] = value.clone().to(parameters[name].device)


def _norm(parameters: list[nn.Parameter], kind: float = 2.0) -> torch.Tensor:
    return nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None], kind)
