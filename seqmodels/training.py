"""The training loop: a generator of reports. It never prints, draws, or opens a file."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. Adam (Kingma & Ba 2015); clipping by global norm (Pascanu et al. 2013)."""

    epochs: int = 20
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    warmup: float = 0.05  # share of all steps over which the rate rises; then it falls to zero along a cosine
    clip_norm: float | None = 1.0
    patience: int | None = 5  # epochs without a better dev score, counted from the best so far; None never stops
    seed: int = 1

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("learning_rate", 0), ("seed", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least {low}")
        if self.clip_norm is not None and self.clip_norm <= 0:
            raise ValueError(f"clip_norm is {self.clip_norm}: give a positive number, or none to leave gradients as they are")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience is {self.patience}: give at least 1 epoch, or none to never stop early")


class Objective(Protocol):
    """What a task asks of a model: losses to descend, a dev score to watch."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a greater dev score is the better one."""
        ...

    @property
    def steps(self) -> int:
        """Updates an epoch."""
        ...

    def losses(self, model: nn.Module, epoch: int) -> Iterator[tuple[Tensor, int]]:
        """The mean loss of each batch and its number of tokens. The order depends on the epoch and torch's seed alone."""
        ...

    def score(self, model: nn.Module) -> float:
        """The dev score."""
        ...

    def settings(self) -> dict[str, float]:
        """The recipe's figures that are the task's own, for the record."""
        ...


@dataclass(frozen=True)
class Step:
    """One update, of `steps` in its epoch. `norm` is the global gradient norm before clipping."""

    epoch: int
    step: int
    steps: int
    loss: float
    norm: float
    clipped: bool
    learning_rate: float
    tokens: int


@dataclass(frozen=True)
class Epoch:
    """One pass over the train split. Loss in nats a token; `stopped` says why this epoch was the last, or is None."""

    epoch: int
    loss: float
    clipped_share: float
    score: float
    best_score: float
    best_epoch: int
    stopped: str | None


Report = Step | Epoch


@dataclass
class TrainState:
    """Everything a later `fit` needs to go on as if it had never stopped: tensors by name, and figures."""

    epoch: int = 0  # epochs done
    best_score: float | None = None
    best_epoch: int = 0
    finished: bool = False
    optimizer: dict[str, Tensor] = field(default_factory=dict)
    best_weights: dict[str, Tensor] = field(default_factory=dict)


class DivergedError(ValueError):
    """The loss or the gradient is no longer a finite number."""


def fit(model: nn.Module, objective: Objective, config: TrainConfig, state: TrainState | None = None) -> Iterator[Report]:
    """Train in place, yielding a report after each step and epoch; at the end the model holds its best weights.

    `state` is updated before each `Epoch` is yielded, so a caller who saves it with the model's weights then can resume: the same
    seed gives the same weights, interrupted or not. Raises DivergedError when a loss or gradient is not finite.
    """
    state = TrainState() if state is None else state
    optimizer = torch.optim.Adam(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, decoupled_weight_decay=True, fused=True
    )
    _restore_optimizer(model, optimizer, state.optimizer)
    total = config.epochs * objective.steps
    for epoch in range(state.epoch + 1, config.epochs + 1):
        if state.finished:
            break
        torch.manual_seed(config.seed * 1_000_003 + epoch)  # each epoch's noise follows from seed and epoch alone
        model.train()
        loss_sum, tokens_seen, clipped_steps = 0.0, 0, 0
        for step, (loss, tokens) in enumerate(objective.losses(model, epoch), start=1):
            rate = config.learning_rate * _schedule((epoch - 1) * objective.steps + step, total, config.warmup)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            loss.backward()
            norm = float(nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm or math.inf))
            value = loss.item()
            if not math.isfinite(value) or not math.isfinite(norm):
                raise DivergedError(
                    f"epoch {epoch}, step {step}: loss {value}, gradient norm {norm}: "
                    f"lower the learning rate ({config.learning_rate}) or clip the gradient (clip_norm {config.clip_norm})"
                )
            optimizer.step()
            clipped = config.clip_norm is not None and norm > config.clip_norm
            clipped_steps += clipped
            loss_sum += value * tokens
            tokens_seen += tokens
            yield Step(epoch, step, objective.steps, value, norm, clipped, rate, tokens)
        model.eval()
        score = objective.score(model)
        if _better(score, state.best_score, higher=objective.higher_is_better):
            state.best_score, state.best_epoch = score, epoch
            state.best_weights = {name: value.clone() for name, value in model.state_dict().items()}
        state.epoch = epoch
        state.optimizer = _optimizer_tensors(model, optimizer)
        stopped = None
        if epoch == config.epochs:
            stopped = "all epochs done"
        elif config.patience is not None and epoch - state.best_epoch >= config.patience:
            stopped = f"no better dev score in {config.patience} epochs"
        state.finished = stopped is not None
        assert state.best_score is not None
        yield Epoch(
            epoch=epoch,
            loss=loss_sum / max(tokens_seen, 1),
            clipped_share=clipped_steps / max(objective.steps, 1),
            score=score,
            best_score=state.best_score,
            best_epoch=state.best_epoch,
            stopped=stopped,
        )
    if state.best_weights:
        model.load_state_dict(copy.deepcopy(state.best_weights))
    model.eval()


def _schedule(step: int, total: int, warmup: float) -> float:
    """Factor on the learning rate: a linear rise, then half a cosine to zero (Loshchilov & Hutter 2017)."""
    rise = max(1, round(warmup * total))
    if step <= rise:
        return step / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))


def _better(score: float, best: float | None, *, higher: bool) -> bool:
    return best is None or (score > best if higher else score < best)


def _optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's moments by parameter name: plain tensors, so they can be saved without pickle."""
    return {
        f"{name}/{moment}": value.clone()
        for name, parameter in model.named_parameters()
        for moment, value in optimizer.state.get(parameter, {}).items()
    }


def _restore_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, moment = key.rsplit("/", 1)
        optimizer.state[parameters[name]][moment] = value.clone()
