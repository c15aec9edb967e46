"""Random networks, of which a lab turns one knob at a time: each drawn from its seed alone, in float64.

Every cell of a setting has the same U for its candidate, W x of the same size in every block, and no biases but the forget gate's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqmodels import initialization
from seqmodels.cells import CELLS, Cell, find_cell
from seqmodels.recurrence import Weights

NON_NORMAL = "non_normal"
SCHEMES = initialization.SCHEMES | {NON_NORMAL: "non-normal"}
ACTIVATIONS = CELLS["elman"].activations
LONGEST, LARGEST = 500, 128  # steps, units: an answer while a slider moves

_INPUTS = 8  # numbers that the network reads at a step
_FEED = 2.0  # in a non-normal U: how strongly half of the directions feed the other half, next to the eigenvalues


@dataclass(frozen=True)
class RandomNetwork:
    """What is drawn. ValueError for what a page should not compute."""

    length: int = 200
    hidden_size: int = 64  # even
    scheme: str = "normal"  # one of SCHEMES
    gain: float = 1.0
    activation: str = "tanh"  # of the cells that have a choice; the others keep their own
    forget_bias: float = 0.0  # of the cells with a gate to forget
    input_size: float = 1.0  # the standard deviation of W x, in each unit
    seed: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.length <= LONGEST and 2 <= self.hidden_size <= LARGEST and self.hidden_size % 2 == 0):
            raise ValueError(
                f"length {self.length} and hidden size {self.hidden_size}: give at most {LONGEST} steps and an even number of "
                f"units, at most {LARGEST}"
            )
        if self.scheme not in SCHEMES:
            raise ValueError(f"unknown initialization {self.scheme!r}: choose one of {', '.join(SCHEMES)}")

    def cell(self, name: str) -> Cell:
        """The cell of that name, with the activation if it has that choice."""
        return find_cell(name, self.activation if self.activation in CELLS[name].activations else CELLS[name].activation)

    def recurrent_matrix(self) -> Tensor:
        """U of the candidate, the same in each cell, (hidden, hidden)."""
        return self._draw(self._generator("U"))

    def weights(self, name: str) -> Weights:
        """Those of a cell."""
        cell, units = self.cell(name), self.hidden_size
        draw = self._generator("other blocks")
        blocks = [self.recurrent_matrix() if block == cell.candidate_block else self._draw(draw) for block in cell.blocks]
        rows = len(cell.blocks) * units
        by_input = torch.randn(rows, _INPUTS, generator=self._generator("W"), dtype=torch.double) * _INPUTS**-0.5
        biases = torch.zeros(len(cell.blocks), units, dtype=torch.double)
        if cell.forget_block is not None:
            biases[cell.blocks.index(cell.forget_block)] = self.forget_bias
        hidden = torch.cat(blocks)[: rows if cell.reads_output else 0]
        return Weights(by_input, hidden, biases.flatten(), hidden.new_zeros(len(hidden)))

    def inputs(self) -> Tensor:
        """(length, inputs); the first steps of a longer sequence are those of a shorter one."""
        return self.input_size * torch.randn(self.length, _INPUTS, generator=self._generator("x"), dtype=torch.double)

    def direction(self) -> Tensor:
        """Of length 1, (hidden,): the loss is the last output along it."""
        drawn = torch.randn(self.hidden_size, generator=self._generator("loss"), dtype=torch.double)
        return drawn / drawn.norm()

    def _draw(self, generator: torch.Generator) -> Tensor:
        matrix = torch.empty(self.hidden_size, self.hidden_size, dtype=torch.double)
        if self.scheme == NON_NORMAL:
            return self.gain * _non_normal(matrix, generator)
        with torch.no_grad():
            initialization.fill(matrix, self.scheme, self.gain, generator)
        return matrix

    def _generator(self, part: str) -> torch.Generator:
        """One for each part of what is drawn, so that none depends on the size of another."""
        parts = ("U", "other blocks", "W", "x", "loss")
        return torch.Generator().manual_seed(len(parts) * self.seed + parts.index(part))


def _non_normal(matrix: Tensor, generator: torch.Generator) -> Tensor:
    """U = P [[Q, 2 Q], [0, Q]] P^T, P and Q orthogonal: every eigenvalue has size 1, the largest singular value is 1 + sqrt(2).

    Half of the directions feed the other half and get nothing back, so U^k grows as k does. Ganguli, Huh & Sompolinsky 2008.
    """
    half = len(matrix) // 2
    inner = torch.nn.init.orthogonal_(matrix.new_empty(half, half), generator=generator)
    basis = torch.nn.init.orthogonal_(matrix, generator=generator)
    upper, lower = torch.cat([inner, _FEED * inner], 1), torch.cat([torch.zeros_like(inner), inner], 1)
    return basis @ torch.cat([upper, lower]) @ basis.t()
