"""Recurrent cells as gates. The law that joins them stands here, once, and all that is known of a cell stands in its class.

Glossary, used by every other file:

    memory       what a unit carries from one token to the next: c for LSTM, h for the others
    mu           keep: the share of the old memory that stays, one number a unit
    lam          write: the share of the candidate that is added, one number a unit
    candidate    F: the new content
    output_gate  how much of the memory LSTM shows; absent in the other cells
    output       what the next layer and the next step read, h

A cell is a formula without weights. It is given two projections in blocks of rows, x = W x_t + b and h = U h_{t-1} + c, in the
layout of torch's layers, so that weights trained by torch's fused kernels can be read as gates. Nothing here imports torch: the
formulas are methods of the tensors that come in, and a page can show what a cell is before torch is loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Gates:
    """What a cell decides at a step. Each (..., hidden)."""

    mu: Tensor
    lam: Tensor
    candidate: Tensor
    output_gate: Tensor | None = None


@dataclass(frozen=True)
class Formulas:
    """A cell as people read it: x is the word, h the output one word before, and the gates are sigmoids."""

    mu: str
    lam: str
    candidate: str
    memory: str = "h"
    output: str = "h"


def update(memory: Tensor, gates: Gates) -> Tensor:
    """The law: memory_t = mu_t * memory_{t-1} + lam_t * F_t, elementwise."""
    return gates.mu * memory + gates.lam * gates.candidate


class Cell(ABC):
    """The gates of one step as a function of the input x_t and the previous output h_{t-1}.

    Because nothing else enters, all gates of a sequence are one batched formula once every h is known. A cell registered in CELLS
    can be trained, traced, drawn and saved like the others.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    formulas: ClassVar[Formulas]
    where: ClassVar[str]  # one sentence: the part of the mu-lambda square that its gates can reach
    label_at: ClassVar[tuple[float, float] | None] = None  # (mu, lam) of its name in the square, if it must lie there
    source: ClassVar[str]
    blocks: ClassVar[tuple[str, ...]]  # of rows in W and U, in their order
    candidate_block: ClassVar[str] = "n"  # the block that makes the candidate
    kernel: str | None = None  # the layer in torch.nn that runs it fused; None: the loop of seqmodels.recurrence
    forget_block: ClassVar[str | None] = None  # the block whose bias opens the gate that keeps
    # blocks whose bias sets how long a unit keeps: 1 where it opens the gate that keeps, -1 where the one that writes
    time_biases: ClassVar[Mapping[str, int]] = MappingProxyType({})
    activations: ClassVar[tuple[str, ...]] = ("tanh",)  # of the candidate
    fixed_gates: ClassVar[bool] = False  # mu and lam are constants
    reads_output: ClassVar[bool] = True  # False: gates and candidate see x alone, and all are known before the first step
    memory_is_output: ClassVar[bool] = True

    def __init__(self, activation: str = "tanh") -> None:
        if activation not in self.activations:
            raise ValueError(f"cell {self.name!r} has no activation {activation!r}: choose {' or '.join(self.activations)}")
        self.activation = activation

    @property
    def kernel_options(self) -> dict[str, str]:
        """What torch's layer is told beyond its sizes."""
        return {}

    @abstractmethod
    def gates(self, x: Tensor, h: Tensor) -> Gates:
        """x and h (..., blocks * hidden), the projections of the input and of the previous output -> gates (..., hidden)."""

    def read_out(self, memory: Tensor, gates: Gates) -> Tensor:
        """memory (..., hidden) -> output (..., hidden)."""
        return memory

    def show(self, memory: Tensor) -> Tensor:
        """What stands beside a memory that no step has made: its output with nothing held back. (..., hidden) both."""
        one = memory.new_ones(memory.shape)
        return self.read_out(memory, Gates(one, one, memory, output_gate=one))


class Elman(Cell):
    """The plain network of most textbooks. mu=0, lam=1, F=tanh(W x + b + U h + c), or relu, or sigmoid. Elman 1990.

    With relu and identity initialization: Le, Jaitly, Hinton 2015. torch has no kernel with a sigmoid.
    """

    name = "elman"
    title = "Elman"
    formulas = Formulas("0", "1", "tanh(W x + U h + b)")
    where = "Keep 0, write 1, always: one point. Its memory hides inside the new content F, which reads the memory before."
    label_at = (0.0, 1.0)
    source = "Elman 1990"
    blocks = ("n",)
    kernel: str | None = "RNN"
    activations = ("tanh", "relu", "sigmoid")
    fixed_gates = True

    def __init__(self, activation: str = "tanh") -> None:
        super().__init__(activation)
        if activation == "sigmoid":
            self.kernel = None

    @property
    def kernel_options(self) -> dict[str, str]:
        return {"nonlinearity": self.activation}

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        total = x + h
        candidate: Tensor = getattr(total, self.activation)()
        return Gates(mu=total.new_zeros(total.shape), lam=total.new_ones(total.shape), candidate=candidate)


class Residual(Cell):
    """The ungated sum h_t = h_{t-1} + F. mu=1, lam=1, F=tanh(W x + b + U h + c). The plain network of Rao & McMahan 2019."""

    name = "residual"
    title = "Ungated sum"
    formulas = Formulas("1", "1", "tanh(W x + U h + b)")
    where = "Keep 1, write 1, always: the point (1, 1). It adds at every word, and lets go of nothing."
    label_at = (1.0, 1.0)
    source = "Rao & McMahan 2019, chapter 7"
    blocks = ("n",)
    fixed_gates = True

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        candidate = (x + h).tanh()
        one = candidate.new_ones(candidate.shape)
        return Gates(mu=one, lam=one, candidate=candidate)


class Gated(Cell):
    """The sum through a switch, h_t = h_{t-1} + lam F. mu=1, lam=i, F=tanh(W x + b + U h + c). Rao & McMahan 2019."""

    name = "gated"
    title = "Gated sum"
    formulas = Formulas("1", "i", "tanh(W x + U h + b)")
    where = "Keep is always 1: the right edge, μ = 1. A unit chooses when to write, and can never let go."
    label_at = (1.0, 0.58)  # anywhere on that side; not at the height of GRU's
    source = "Rao & McMahan 2019, chapter 7"
    blocks = ("i", "n")
    time_biases = MappingProxyType({"i": -1})

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        i, n = (x + h).chunk(2, dim=-1)
        return Gates(mu=i.new_ones(i.shape), lam=i.sigmoid(), candidate=n.tanh())


class GatedForget(Cell):
    """A switch on both parts of the sum, h_t = mu h_{t-1} + lam F. mu=f, lam=i, F=tanh(W x + b + U h + c). Rao & McMahan 2019."""

    name = "gated_forget"
    title = "Forgetting sum"
    formulas = Formulas("f", "i", "tanh(W x + U h + b)")
    where = "Two free gates: anywhere in the square, as LSTM, but whatever it remembers it also shows."
    source = "Rao & McMahan 2019, chapter 7"
    blocks = ("f", "i", "n")
    forget_block = "f"
    time_biases = MappingProxyType({"f": 1, "i": -1})

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        total = x + h
        hidden = total.shape[-1] // 3
        mu, lam = total[..., : 2 * hidden].sigmoid().chunk(2, dim=-1)
        return Gates(mu=mu, lam=lam, candidate=total[..., 2 * hidden :].tanh())


class GRU(Cell):
    """Gated recurrent unit. mu=z, lam=1-z, F=n. Cho et al. 2014; reset after the product, as torch."""

    name = "gru"
    title = "GRU"
    formulas = Formulas("z", "1 − z", "tanh(W x + r ∘ (U h + b))")
    where = "One gate for both: to write, a unit must let go of as much. The line λ = 1 − μ."
    label_at = (0.5, 0.5)
    source = "Cho et al. 2014"
    blocks = ("r", "z", "n")
    kernel = "GRU"
    time_biases = MappingProxyType({"z": 1})

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        r_x, z_x, n_x = x.chunk(3, dim=-1)
        r_h, z_h, n_h = h.chunk(3, dim=-1)
        r = (r_x + r_h).sigmoid()
        z = (z_x + z_h).sigmoid()
        n = (n_x + r * n_h).tanh()
        return Gates(mu=z, lam=1 - z, candidate=n)


class LSTM(Cell):
    """Long short-term memory. mu=f, lam=i, F=g, output=o*tanh(c). Hochreiter & Schmidhuber 1997; Gers et al. 2000."""

    name = "lstm"
    title = "LSTM"
    formulas = Formulas("f", "i", "tanh(W x + U h + b)", memory="c", output="o ∘ tanh(c)")
    where = "Two free gates: a unit may keep and write at once, and so count, or do neither, and so erase."
    source = "Hochreiter & Schmidhuber 1997; Gers et al. 2000"
    blocks = ("i", "f", "g", "o")
    candidate_block = "g"
    kernel = "LSTM"
    forget_block = "f"
    time_biases = MappingProxyType({"f": 1, "i": -1})
    memory_is_output = False

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        i, f, g, o = (x + h).chunk(4, dim=-1)
        return Gates(mu=f.sigmoid(), lam=i.sigmoid(), candidate=g.tanh(), output_gate=o.sigmoid())

    def read_out(self, memory: Tensor, gates: Gates) -> Tensor:
        assert gates.output_gate is not None
        return gates.output_gate * memory.tanh()


class MinGRU(Cell):
    """A GRU whose gate and candidate see x alone, so that a sequence needs no loop of products. mu=1-z, lam=z, F=W x + b.

    Feng et al. 2024.
    """

    name = "mingru"
    title = "minGRU"
    formulas = Formulas("1 − z", "z", "W x + b")
    where = "GRU's line, λ = 1 − μ, with a gate that sees only the word, and not the memory it decides about."
    source = "Feng et al. 2024"
    blocks = ("z", "n")
    time_biases = MappingProxyType({"z": -1})
    reads_output = False

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        z, n = x.chunk(2, dim=-1)
        lam = z.sigmoid()
        return Gates(mu=1 - lam, lam=lam, candidate=n)


CELLS: dict[str, Cell] = {cell.name: cell for cell in (Elman(), Residual(), Gated(), GatedForget(), GRU(), LSTM(), MinGRU())}


def find_cell(name: str, activation: str = "tanh") -> Cell:
    """The cell of that name, whose candidate goes through that activation. ValueError names the choices."""
    if name not in CELLS:
        raise ValueError(f"unknown cell {name!r}: choose one of {', '.join(CELLS)}")
    return CELLS[name] if activation == CELLS[name].activation else type(CELLS[name])(activation)
