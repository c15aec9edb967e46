"""Networks that search for the gates of a puzzle, and cells as circuits."""

from __future__ import annotations

import itertools
from typing import ClassVar

import pytest
import torch
from torch import nn

from seqmodels.cells import CELLS, Cell, Formulas, Gates
from seqmodels.labs import search as searching
from seqmodels.labs.circuit import Circuit, circuit
from seqmodels.labs.hand import Signal
from seqmodels.labs.puzzles import PUZZLES, unseen
from seqmodels.labs.search import Found, Network, Progress, rows, search, untrained
from seqmodels.viz.circuit import circuit as picture

SIGNAL = Signal.read("0 1 0.5 0 0 0.7")


class Odd(Cell):
    """A stranger's cell, with a gate times a gate, and a memory that it shows through both."""

    name, title, where, source = "odd", "Odd", "Anywhere.", "nobody"
    formulas = Formulas("a ∘ e", "1 − a", "tanh(W x + U h + b)", memory="m", output="e ∘ tanh(m)")
    blocks: ClassVar[tuple[str, ...]] = ("a", "e", "n")
    memory_is_output = False

    def gates(self, x: torch.Tensor, h: torch.Tensor) -> Gates:
        a, e, n = (x + h).chunk(3, dim=-1)
        return Gates(a.sigmoid() * e.sigmoid(), 1 - a.sigmoid(), n.tanh(), output_gate=e.sigmoid())

    def read_out(self, memory: torch.Tensor, gates: Gates) -> torch.Tensor:
        assert gates.output_gate is not None
        return gates.output_gate * memory.tanh()


class Riddle(Odd):
    """A cell whose formulas nobody can parse."""

    name = "riddle"
    formulas = Formulas("softmax[a]", "1 − a", "something else", memory="m", output="?")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "EPOCHS", 3)
    monkeypatch.setattr(searching, "SIGNALS", 256)


@pytest.mark.parametrize("cell", CELLS)
def test_a_search_ends_with_a_network_of_the_cell_that_is_the_same_each_time(cell: str) -> None:
    def once() -> tuple[list[Progress], Found]:
        *progress, found = search(PUZZLES["counter"], cell, 2)
        assert isinstance(found, Found)
        return [one for one in progress if isinstance(one, Progress)], found

    (progress, found), (_, again) = once(), once()
    assert [one.share for one in progress] == pytest.approx([1 / 3, 2 / 3, 1])
    assert 0 <= found.unseen <= 1
    assert found.network.answers(found.network.read(SIGNAL)) == again.network.answers(again.network.read(SIGNAL))


@pytest.mark.parametrize("cell", CELLS)
def test_a_network_alone_answers_as_it_did_beside_the_others(cell: str) -> None:
    networks = searching._Networks(cell, 2, seed=5)
    inputs = torch.tensor([SIGNAL.values])
    with torch.no_grad():
        together = networks(inputs)[0]  # (steps, networks)
    for number in (0, 7):
        network = networks.network(number)
        assert network.answers(network.read(SIGNAL)) == pytest.approx(together[:, number].tolist(), abs=1e-5)


def test_training_leaves_networks_apart() -> None:
    *_, found = search(PUZZLES["latch"], "gru", 1)
    assert isinstance(found, Found)
    networks = searching._Networks("gru", 1, seed=1)
    hidden = networks.recurrent.weights(0).hidden
    networks(torch.tensor([SIGNAL.values])).sum().backward()
    assert hidden.grad is not None
    own = torch.eye(searching.NETWORKS, dtype=torch.bool).repeat(3, 1)
    assert not hidden.grad[~own].any()
    assert not hidden.detach()[~own].any()
    assert hidden.grad[own].any()


def test_the_score_is_measured_on_the_unseen_signals() -> None:
    puzzle = PUZZLES["average"]
    *_, found = search(puzzle, "gated_forget")
    assert isinstance(found, Found)
    signals, targets = unseen(puzzle)
    answers = torch.tensor([found.network.answers(found.network.read(signal)) for signal in signals], dtype=torch.float64)
    assert found.error == pytest.approx((answers - targets).abs().mean().item(), rel=1e-4)
    assert found.unseen == puzzle.right(answers, targets).double().mean().item()


@pytest.mark.parametrize(("cell", "units"), [("gur", 1), ("gru", 0), ("gru", 99)])
def test_a_search_for_what_is_not_there_is_refused(cell: str, units: int) -> None:
    with pytest.raises(ValueError, match=r"choose|give"):
        next(search(PUZZLES["latch"], cell, units))


def circuits(network: Network) -> list[Circuit]:
    read = network.read(SIGNAL)
    steps = itertools.pairwise([None, *read])
    return [circuit(network.cell, network.weights, x, *pair) for x, pair in zip(SIGNAL.values, steps, strict=True) if pair[1]]  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", [*CELLS, "odd"])
def test_the_formulas_of_a_cell_give_its_own_numbers(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "odd", Odd())
    network = untrained(cell)
    for found, step in zip(circuits(network), network.read(SIGNAL), strict=True):
        roots = {found.mu: step.gates.mu, found.lam: step.gates.lam, found.candidate: step.gates.candidate}
        for root, value in (roots | ({found.output: step.output} if found.output else {})).items():
            assert "formula" not in {node.kind for node in root.walk()}
            assert root.value == pytest.approx(value.item(), abs=1e-5)
        assert found.mu.value * found.before + found.lam.value * found.candidate.value == pytest.approx(found.memory, abs=1e-5)
    assert picture(found).layout.annotations


def test_the_numbers_in_lstms_wires_equal_those_of_torch() -> None:
    network = untrained("lstm")
    layer = nn.LSTM(1, 1, batch_first=True)
    with torch.no_grad():
        for name, values in zip(
            ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), vars(network.weights).values(), strict=True
        ):
            getattr(layer, name).copy_(values)
        outputs, _ = layer(torch.tensor(SIGNAL.values).reshape(1, -1, 1))
    assert [found.output.value for found in circuits(network) if found.output] == pytest.approx(outputs[0, :, 0].tolist(), abs=1e-5)


def test_a_formula_that_cannot_be_parsed_is_drawn_as_one_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "riddle", Riddle())
    found = circuits(untrained("riddle"))[2]
    assert [found.mu.kind, found.lam.kind, found.candidate.kind] == ["formula", "minus", "formula"]
    assert "softmax[a]" in {note.text for note in picture(found).layout.annotations}


def test_a_gate_that_is_read_twice_is_drawn_once() -> None:
    drawn = picture(circuits(untrained("gru"))[1])
    assert [note.text for note in drawn.layout.annotations].count("<i>z</i>") == 1


def test_the_weights_are_told_by_block() -> None:
    told = rows(untrained("mingru"))
    assert {block: list(values) for block, values in told.items()} == {"z": ["W", "b"], "n": ["W", "b"]}
    assert list(rows(untrained("lstm"))["g"]) == ["W", "U", "b"]
