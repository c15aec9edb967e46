"""Recurrent cells as gates. The law that joins them stands here, once.

Glossary, used by every other file:

    memory     what a unit carries from one token to the next: h for Elman and GRU, c for LSTM
    mu         keep: the share of the old memory that stays, one number a unit
    lam        write: the share of the candidate that is added, one number a unit
    candidate  F: the new content
    reveal     LSTM's output gate: how much of the memory is shown; absent in the other cells
    output     what the next layer and the next step read, h

A cell is a formula without state of its own. Its weights come in torch's layout (`Weights`), so weights trained by torch's fused
kernels can be read as gates, and a test can hold both against each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Gates:
    """What a cell decides at a step. Each (..., hidden)."""

    mu: Tensor
    lam: Tensor
    candidate: Tensor
    reveal: Tensor | None = None

    def at(self, step: int) -> Gates:
        """The gates of one step of a sequence (time, hidden)."""
        return Gates(self.mu[step], self.lam[step], self.candidate[step], None if self.reveal is None else self.reveal[step])


@dataclass(frozen=True)
class Weights:
    """One layer and direction in torch's layout; `blocks` is 1 (Elman), 3 (GRU: r, z, n) or 4 (LSTM: i, f, g, o)."""

    input: Tensor  # (blocks * hidden, input)
    hidden: Tensor  # (blocks * hidden, hidden)
    input_bias: Tensor  # (blocks * hidden,)
    hidden_bias: Tensor  # (blocks * hidden,)


def update(memory: Tensor, gates: Gates) -> Tensor:
    """The law: memory_t = mu_t * memory_{t-1} + lam_t * F_t, elementwise."""
    return gates.mu * memory + gates.lam * gates.candidate


class Cell(ABC):
    """The gates of one step as a function of the input x_t and the previous output h_{t-1}.

    Because nothing else enters, a whole sequence of gates is one batched product once every h is known.
    """

    name: ClassVar[str]
    blocks: ClassVar[int]
    kernel: ClassVar[Callable[..., nn.RNNBase]]  # the fused kernel that runs a layer of it
    memory_is_output: ClassVar[bool] = True
    kernel_options: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def gates(self, weights: Weights, x: Tensor, h: Tensor) -> Gates:
        """x (..., input), h (..., hidden) -> gates (..., hidden)."""

    def read_out(self, memory: Tensor, gates: Gates) -> Tensor:
        """memory (..., hidden) -> output (..., hidden)."""
        return memory


class Elman(Cell):
    """Plain recurrent network. mu=0, lam=1, F=tanh(W x + b + U h + c). Elman 1990."""

    name = "elman"
    blocks = 1
    kernel = nn.RNN
    kernel_options: ClassVar[dict[str, str]] = {"nonlinearity": "tanh"}

    def gates(self, weights: Weights, x: Tensor, h: Tensor) -> Gates:
        candidate = self.activation(
            F.linear(x, weights.input, weights.input_bias) + F.linear(h, weights.hidden, weights.hidden_bias)
        )
        return Gates(mu=torch.zeros_like(candidate), lam=torch.ones_like(candidate), candidate=candidate)

    def activation(self, content: Tensor) -> Tensor:
        return torch.tanh(content)


class ReluElman(Elman):
    """Elman with relu in place of tanh. With identity initialization: Le, Jaitly, Hinton 2015."""

    kernel_options: ClassVar[dict[str, str]] = {"nonlinearity": "relu"}

    def activation(self, content: Tensor) -> Tensor:
        return torch.relu(content)


class GRU(Cell):
    """Gated recurrent unit. mu=z, lam=1-z, F=n. Cho et al. 2014; reset after the product, as torch."""

    name = "gru"
    blocks = 3
    kernel = nn.GRU

    def gates(self, weights: Weights, x: Tensor, h: Tensor) -> Gates:
        r_x, z_x, n_x = F.linear(x, weights.input, weights.input_bias).chunk(3, dim=-1)
        r_h, z_h, n_h = F.linear(h, weights.hidden, weights.hidden_bias).chunk(3, dim=-1)
        r = torch.sigmoid(r_x + r_h)
        z = torch.sigmoid(z_x + z_h)
        n = torch.tanh(n_x + r * n_h)
        return Gates(mu=z, lam=1 - z, candidate=n)


class LSTM(Cell):
    """Long short-term memory. mu=f, lam=i, F=g, reveal=o, output=o*tanh(c). Hochreiter & Schmidhuber 1997; Gers et al. 2000."""

    name = "lstm"
    blocks = 4
    kernel = nn.LSTM
    memory_is_output = False

    def gates(self, weights: Weights, x: Tensor, h: Tensor) -> Gates:
        both = F.linear(x, weights.input, weights.input_bias) + F.linear(h, weights.hidden, weights.hidden_bias)
        i, f, g, o = both.chunk(4, dim=-1)
        return Gates(mu=torch.sigmoid(f), lam=torch.sigmoid(i), candidate=torch.tanh(g), reveal=torch.sigmoid(o))

    def read_out(self, memory: Tensor, gates: Gates) -> Tensor:
        assert gates.reveal is not None
        return gates.reveal * torch.tanh(memory)


CELLS: dict[str, Cell] = {cell.name: cell for cell in (Elman(), GRU(), LSTM())}


def find_cell(name: str, activation: str = "tanh") -> Cell:
    """The cell of that name; only `elman` takes activation 'relu'. ValueError names the choices."""
    if name not in CELLS:
        raise ValueError(f"unknown cell {name!r}: choose one of {', '.join(CELLS)}")
    if activation == "tanh":
        return CELLS[name]
    if activation == "relu" and name == "elman":
        return ReluElman()
    raise ValueError(f"cell {name!r} has no activation {activation!r}: elman takes tanh or relu, the others tanh")
