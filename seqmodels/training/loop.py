"""The loop itself."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch
from torch import nn

from seqmodels.training.config import LiveSettings, TrainConfig
from seqmodels.training.machine import ALONE, Losses, Machine
from seqmodels.training.objective import DevScore, Objective
from seqmodels.training.optimization import Clipped, clip, make_optimizer, optimizer_tensors, rate_factor, restore_optimizer
from seqmodels.training.reports import DivergedError, Epoch, Report, Step
from seqmodels.training.state import TrainState
from seqmodels.training.weights import flaw, holding

_TOO_LARGE = "earlier updates made the weights too large"


def fit(
    model: nn.Module, objective: Objective, config: TrainConfig, state: TrainState | None = None, machine: Machine = ALONE
) -> Iterator[Report]:
    """Train in place, yielding a report after each step and epoch; at the end the model holds its best weights.

    At every report `state` and the model's weights are all that is needed to go on in another process, to the same weights bit for
    bit. Between two reports the caller may read the model, draw from torch's generator, which stands where it stood before, and
    change `state.live`. Raises DivergedError when a loss or gradient is not finite, a dev figure no number, or an epoch leaves
    weights that no network can compute with; the state and the weights are then those of the last report.

    The model is on the machine's device. Where several processes train it, each calls this with the same arguments and yields the
    same reports, and the state is enough to go on after whole epochs: within one, each has the hidden state of its own rows alone.
    """
    state = TrainState() if state is None else state
    if state.live is None:
        state.live = config.live()
    optimizer = make_optimizer(model, config)
    restore_optimizer(model, optimizer, state.optimizer)
    state.average = {name: value.to(model.get_parameter(name).device) for name, value in state.average.items()}
    losses = machine.losses(model, objective)
    while state.epoch < config.epochs and not state.finished:
        yield from _steps(model, optimizer, losses, config, state)
        started = time.monotonic()
        model.eval()
        with holding(model, state.average):
            report = _close_epoch(model, objective, config, state, machine)
        state.spend(started)
        yield report
    kept = state.best_weights if config.restore_best else state.average
    model.load_state_dict(kept or {}, strict=False)
    model.eval()


def _steps(
    model: nn.Module, optimizer: torch.optim.Optimizer, losses: Losses, config: TrainConfig, state: TrainState
) -> Iterator[Step]:
    """The rest of the epoch that the state stands in."""
    objective, epoch = losses.objective, state.epoch + 1
    seed = config.seed * 1_000_003 + epoch
    with torch.random.fork_rng(devices=[]):  # the process may draw for others too
        # each epoch's chance follows from seed and epoch alone; drawn again after a resume, the order is the same
        torch.manual_seed(seed)
        losses.begin(seed)
        batches = objective.batches()
        if state.rng is None:
            state.rng = torch.get_rng_state()
    for batch in batches[state.step :]:
        started = time.monotonic()
        live = _live(state)
        model.train()
        step = state.step + 1
        rate = live.learning_rate * rate_factor(state.epoch * objective.steps + step, config.epochs * objective.steps, config)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(state.rng)
            loss = losses(batch, state.hidden_state)
            rng = torch.get_rng_state()
        loss.total.backward()
        clipped = clip(model, live.clip)
        value = loss.mean.item()
        _check_finite(value, clipped, f"epoch {epoch}, step {step}", live)
        optimizer.step()
        state.optimizer = optimizer_tensors(model, optimizer)
        state.step = step
        if config.average:
            _average(model, state, config.average, steps=state.epoch * objective.steps + step)
        state.loss_sum += value * loss.tokens
        state.tokens += loss.tokens
        state.clipped_steps += clipped.clipped
        state.hidden_state = loss.hidden_state
        state.rng = rng
        state.spend(started)
        yield Step(epoch, step, objective.steps, value, clipped.before, clipped.after, clipped.clipped, rate, loss.tokens)


@torch.no_grad()
def _average(model: nn.Module, state: TrainState, share: float, *, steps: int) -> None:
    """Take the weights into their average. The first steps count for less of it, as they would be too much of so few."""
    weights = dict(model.named_parameters())
    if not state.average:
        state.average = {name: weight.detach().clone() for name, weight in weights.items()}
    kept = min(share, steps / (steps + 10))
    for name, average in state.average.items():
        average.lerp_(weights[name], 1 - kept)


def _close_epoch(model: nn.Module, objective: Objective, config: TrainConfig, state: TrainState, machine: Machine) -> Epoch:
    """Score the model, keep its weights if they are the best so far, and decide whether to go on."""
    epoch = state.epoch + 1
    problem = flaw(model.state_dict())
    if problem:
        raise DivergedError(f"epoch {epoch} ends with {problem}: {_prevention(_live(state))}")
    dev = machine.score(model, objective)
    watched, higher = _watched(dev, objective, config)
    for name, figure in (("metric", dev.metric), ("loss", dev.loss)):
        if figure is not None and math.isnan(figure):
            happened = f"the dev {name} is not a number: {_TOO_LARGE}"
            raise DivergedError(f"epoch {epoch}: {happened}: {_prevention(_live(state))}")
    if _better(watched, state.best_watched, config.least_improvement, higher=higher):
        state.best_score, state.best_watched, state.best_epoch = dev.metric, watched, epoch
        state.best_weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
    assert state.best_score is not None
    loss, clipped_share = state.loss_sum / max(state.tokens, 1), state.clipped_steps / max(state.step, 1)
    state.close_epoch(epoch)
    waited = epoch - state.best_epoch
    stopped = _reason_to_stop(epoch, waited, config, _live(state))
    state.finished = stopped is not None
    return Epoch(epoch, loss, dev.loss, clipped_share, dev.metric, state.best_score, state.best_epoch, waited, stopped)


def _watched(dev: DevScore, objective: Objective, config: TrainConfig) -> tuple[float, bool]:
    """The figure that decides which epoch is the best, and whether higher is better."""
    if config.watch == "metric":
        return dev.metric, objective.higher_is_better
    if dev.loss is None:
        raise ValueError("watch is 'loss', and this task has no dev loss: watch the metric")
    return dev.loss, False


def _better(figure: float, best: float | None, by: float, *, higher: bool) -> bool:
    if best is None:
        return True
    return figure > best + by if higher else figure < best - by


def _reason_to_stop(epoch: int, waited: int, config: TrainConfig, live: LiveSettings) -> str | None:
    if epoch >= config.epochs:
        return "all epochs done"
    if live.patience is not None and waited >= live.patience:
        what = "dev score" if config.watch == "metric" else "dev loss"
        return f"no better {what} in {waited} {'epoch' if waited == 1 else 'epochs'}"
    return None


def _check_finite(loss: float, clipped: Clipped, where: str, live: LiveSettings) -> None:
    if not math.isfinite(loss):
        happened = f"the loss is {loss}: {_TOO_LARGE}"
    elif not math.isfinite(clipped.before):
        happened = f"the gradient exploded: its norm is {clipped.before}, at a loss of {loss:.3g}"
    else:
        return
    raise DivergedError(f"{where}: {happened}: {_prevention(live)}")


def _prevention(live: LiveSettings) -> str:
    if live.clip is None:
        return f"clip the gradient (it is not clipped now), or lower the learning rate ({live.learning_rate:g})"
    how = f"by {live.clip.kind} at {live.clip.threshold:g}"
    return f"lower the learning rate ({live.learning_rate:g}), or clip the gradient lower (now {how})"


def _live(state: TrainState) -> LiveSettings:
    assert state.live is not None
    return state.live
