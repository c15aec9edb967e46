"""Let small networks find the gates of a puzzle: one layer of a cell, and a linear answer at every step, from random signals.

Many networks are trained side by side, as one layer whose recurrent matrices are block-diagonal: for so few units the loop's steps
cost the same, and of many starts one is lucky.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from seqmodels.cells import Cell, find_cell
from seqmodels.labs.hand import Signal
from seqmodels.labs.puzzles import Puzzle, unseen
from seqmodels.recurrence import Recurrent, Step, Weights, walk
from seqmodels.training import BatchLoss, DevScore, Epoch, Tensors, TrainConfig, fit

NETWORKS = 32  # that are trained side by side
SIGNALS, BATCH, EPOCHS = 1024, 128, 40
MOST_UNITS = 3
_RATE, _SPREAD = 0.1, 2.0  # of the first weights, from -spread to spread
_TRAIN, _DEV = 1, 2  # seeds of the signals


@dataclass(frozen=True)
class Network:
    """A network that reads a signal, a number a step."""

    cell: Cell
    weights: Weights
    answer: Tensor  # (units,)
    answer_bias: float

    def read(self, signal: Signal) -> list[Step]:
        """What each of its units does at every step."""
        inputs = torch.tensor(signal.values, dtype=self.weights.input.dtype).unsqueeze(1)  # (steps, 1)
        with torch.no_grad():
            return walk(self.cell, self.weights, inputs)

    def answers(self, steps: Sequence[Step]) -> tuple[float, ...]:
        """What it says at each step."""
        return tuple(float(step.output @ self.answer) + self.answer_bias for step in steps)


@dataclass(frozen=True)
class Found:
    """The best network of a search, and how good it is."""

    network: Network
    updates: int
    unseen: float  # the share of the signals that no search was trained on which it answers right at every step
    error: float  # its mean absolute error there


@dataclass(frozen=True)
class Progress:
    """Where a search stands."""

    share: float  # of its updates
    error: float  # of the best network so far: the root of its mean squared error on held-out signals


class _Networks(nn.Module):
    """The networks side by side. signals (batch, steps) -> answers (batch, steps, networks)."""

    def __init__(self, cell: str, units: int, seed: int) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(seed)  # its own: a server draws for others meanwhile
        self.units = units
        size = NETWORKS * units
        self.recurrent = Recurrent(cell, 1, size)
        weights = self.recurrent.weights(0)
        with torch.no_grad():
            for values in (weights.input, weights.hidden, weights.input_bias, weights.hidden_bias):
                values.uniform_(-_SPREAD, _SPREAD, generator=chance)
        if len(weights.hidden):
            network = torch.arange(size) // units
            own = (network.unsqueeze(1) == network).float().repeat(len(weights.hidden) // size, 1)
            with torch.no_grad():
                weights.hidden.mul_(own)
                weights.input_bias.zero_()
            weights.input_bias.requires_grad_(False)  # one bias a block, as the formulas have it
            weights.hidden.register_hook(lambda gradient: gradient * own)
        self.answer = nn.Parameter(torch.empty(NETWORKS, units).uniform_(-_SPREAD, _SPREAD, generator=chance))
        self.answer_bias = nn.Parameter(torch.zeros(NETWORKS))

    def forward(self, signals: Tensor) -> Tensor:
        outputs, _ = self.recurrent(signals.unsqueeze(-1))  # (batch, steps, networks * units)
        return (outputs.unflatten(-1, (NETWORKS, self.units)) * self.answer).sum(-1) + self.answer_bias

    def network(self, number: int) -> Network:
        """One of them, on its own."""
        mine = slice(number * self.units, (number + 1) * self.units)

        def part(values: Tensor) -> Tensor:
            blocks = values.detach().unflatten(0, (-1, NETWORKS * self.units))[:, mine]
            return (blocks[..., mine] if values is weights.hidden else blocks).flatten(0, 1).clone()

        weights = self.recurrent.weights(0)
        alone = Weights(*(part(values) for values in (weights.input, weights.hidden, weights.input_bias, weights.hidden_bias)))
        return Network(self.recurrent.cell, alone, self.answer[number].detach().clone(), self.answer_bias[number].item())


class _Objective:
    higher_is_better = False

    def __init__(self, puzzle: Puzzle, seed: int) -> None:
        self.inputs, self.targets = _data(puzzle, puzzle.signals(SIGNALS, _TRAIN))
        self.dev = _data(puzzle, puzzle.signals(SIGNALS // 4, _DEV))
        self.steps = -(-SIGNALS // BATCH)
        self._chance = torch.Generator().manual_seed(seed)  # its own: a server draws for others meanwhile

    def batches(self) -> Sequence[Tensor]:
        return torch.randperm(SIGNALS, generator=self._chance).split(BATCH)

    def loss(self, model: _Networks, batch: Tensor, hidden_state: Tensors) -> BatchLoss:
        error = model(self.inputs[batch]) - self.targets[batch].unsqueeze(-1)
        return BatchLoss(error.square().mean((0, 1)).sum(), batch.numel())  # a sum: no network's gradient knows of another

    @torch.no_grad()
    def errors(self, model: _Networks) -> Tensor:
        """The mean squared error of each network on held-out signals."""
        inputs, targets = self.dev
        return (model(inputs) - targets.unsqueeze(-1)).square().mean((0, 1))

    def score(self, model: _Networks) -> DevScore:
        return DevScore(self.errors(model).min().item())

    def settings(self) -> dict[str, float]:
        return {}


def search(puzzle: Puzzle, cell: str, units: int = 1, seed: int = 1) -> Iterator[Progress | Found]:
    """Train networks of a cell with so many units each, and end with the best: the same for the same arguments. Some seconds.

    ValueError for an unknown cell or an odd number of units; DivergedError where a loss is no number.
    """
    find_cell(cell)
    if not 1 <= units <= MOST_UNITS:
        raise ValueError(f"units is {units}: give 1 to {MOST_UNITS}")
    networks = _Networks(cell, units, seed)
    objective = _Objective(puzzle, seed)
    config = TrainConfig(learning_rate=_RATE, epochs=EPOCHS, patience=None, clip=None, seed=seed)
    for report in fit(networks, objective, config):
        if isinstance(report, Epoch):
            yield Progress(report.epoch / EPOCHS, report.best_score**0.5)
    number = int(objective.errors(networks).argmin())
    signals, targets = unseen(puzzle)
    with torch.no_grad():
        answers = networks(_inputs(signals))[..., number].double()
    right = puzzle.right(answers, targets).double().mean().item()
    error = (answers - targets).abs().mean().item()
    yield Found(networks.network(number), EPOCHS * objective.steps, right, error)


def untrained(cell: str, seed: int = 1) -> Network:
    """A network of one unit as a search might begin with it, its weights rounded so that one can follow the numbers."""
    network = _Networks(cell, 1, seed).network(0)
    weights = network.weights
    parts = (weights.input, weights.hidden, weights.input_bias, weights.hidden_bias)
    return replace(network, weights=Weights(*(values.mul(10).round().div(10) for values in parts)))


def rows(network: Network) -> dict[str, dict[str, float]]:
    """Of a network of one unit: of each block of rows its weight on the input (W), on the last output (U), and its bias (b)."""
    weights = network.weights
    found = {}
    for row, block in enumerate(network.cell.blocks):
        found[block] = {"W": weights.input[row, 0].item()}
        bias = weights.input_bias[row]
        if len(weights.hidden):
            found[block]["U"] = weights.hidden[row, 0].item()
            bias = bias + weights.hidden_bias[row]
        found[block]["b"] = bias.item()
    return found


def _data(puzzle: Puzzle, signals: Sequence[Signal]) -> tuple[Tensor, Tensor]:
    return _inputs(signals), puzzle.targets(signals).float()


def _inputs(signals: Sequence[Signal]) -> Tensor:
    return torch.tensor([signal.values for signal in signals])  # (signals, steps)
