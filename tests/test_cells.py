"""The law, and the cells as gates: against torch's own cells, and against each other."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from seqmodels.cells import CELLS, Gates, find_cell, update
from seqmodels.recurrence import Recurrent, Weights, gates_of

STEP_CELLS = {"elman": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def weights_of(step: nn.RNNCellBase) -> Weights:
    return Weights(step.weight_ih, step.weight_hh, step.bias_ih, step.bias_hh)


def gates(name: str) -> Gates:
    """Those of a layer of random weights, for random inputs."""
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, 4)
    return gates_of(recurrent.cell, recurrent.weights(0), torch.randn(50, 3), torch.randn(50, 4))


@pytest.mark.parametrize("name", STEP_CELLS)
@given(inputs=st.integers(1, 6), hidden=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_step_of_the_law_is_a_step_of_torchs_cell(name: str, inputs: int, hidden: int, seed: int) -> None:
    torch.manual_seed(seed)
    step = STEP_CELLS[name](inputs, hidden)
    x, h, memory = torch.randn(3, inputs), torch.randn(3, hidden), torch.randn(3, hidden)
    cell = CELLS[name]
    if cell.memory_is_output:
        memory = h
    found = gates_of(cell, weights_of(step), x, h)
    new_memory = update(memory, found)
    if name == "lstm":
        expected_output, expected_memory = step(x, (h, memory))
    else:
        expected_output = expected_memory = step(x, h)
    torch.testing.assert_close(new_memory, expected_memory, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(cell.read_out(new_memory, found), expected_output, atol=1e-6, rtol=1e-5)


def test_relu_elman_is_torchs_relu_cell() -> None:
    torch.manual_seed(0)
    step = nn.RNNCell(3, 4, nonlinearity="relu")
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    torch.testing.assert_close(update(h, gates_of(find_cell("elman", "relu"), weights_of(step), x, h)), step(x, h))


@pytest.mark.parametrize(
    ("name", "mu", "lam"),
    [
        ("elman", lambda gates: 0, lambda gates: 1),
        ("residual", lambda gates: 1, lambda gates: 1),
        ("gated", lambda gates: 1, lambda gates: gates.lam),
        ("gru", lambda gates: 1 - gates.lam, lambda gates: gates.lam),
        ("mingru", lambda gates: 1 - gates.lam, lambda gates: gates.lam),
    ],
)
def test_a_cell_lives_where_it_says_in_the_square(name: str, mu, lam) -> None:
    found = gates(name)
    for gate, expected in ((found.mu, mu(found)), (found.lam, lam(found))):
        torch.testing.assert_close(gate, torch.as_tensor(expected, dtype=gate.dtype).expand_as(gate))


@pytest.mark.parametrize("name", CELLS)
def test_gates_are_shares_and_a_cell_says_whether_they_move_and_whether_its_memory_is_hidden(name: str) -> None:
    cell, found = CELLS[name], gates(name)
    for gate in (found.mu, found.lam):
        assert ((gate >= 0) & (gate <= 1)).all()
    assert cell.fixed_gates == bool(found.mu.std() == 0 and found.lam.std() == 0)
    assert cell.memory_is_output == (found.output_gate is None)


def without(weights: Weights, block: int, hidden: int, bias: float) -> tuple[Tensor, ...]:
    """The weights with one block made constant: no product, and that bias."""
    rows = slice(block * hidden, (block + 1) * hidden)
    parts = [value.detach().clone() for value in (weights.input, weights.hidden, weights.input_bias, weights.hidden_bias)]
    for part in parts:
        part[rows] = 0
    parts[2][rows] = bias
    return tuple(parts)


@pytest.mark.parametrize(("name", "simpler"), [("gated", "residual"), ("gated_forget", "gated")])
@given(time=st.integers(1, 20), seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_a_cell_with_its_first_gate_held_open_is_the_step_before_it_in_the_chapter(
    name: str, simpler: str, time: int, seed: int
) -> None:
    torch.manual_seed(seed)
    hidden = 5
    full, less = Recurrent(name, 3, hidden), Recurrent(simpler, 3, hidden)
    constant = without(full.weights(0), 0, hidden, bias=50.0)
    with torch.no_grad():
        for weights, rows in ((full.weights(0), slice(None)), (less.weights(0), slice(hidden, None))):
            for target, source in zip(
                (weights.input, weights.hidden, weights.input_bias, weights.hidden_bias), constant, strict=True
            ):
                target.copy_(source[rows])
    x = torch.randn(2, time, 3)
    torch.testing.assert_close(full(x)[0], less(x)[0])


def test_the_law_keeps_by_mu_and_writes_by_lam() -> None:
    chosen = Gates(mu=torch.tensor([1.0, 0.0, 0.5]), lam=torch.tensor([0.0, 1.0, 0.25]), candidate=torch.tensor([9.0, 8.0, 4.0]))
    assert update(torch.tensor([2.0, 2.0, 2.0]), chosen).tolist() == [2.0, 8.0, 2.0]


@pytest.mark.parametrize(("name", "activation"), [("gur", "tanh"), ("gru", "relu"), ("elman", "sine")])
def test_an_unknown_cell_or_activation_is_named_with_the_choices(name: str, activation: str) -> None:
    with pytest.raises(ValueError, match=r"elman|tanh"):
        find_cell(name, activation)


def test_cells_are_known_before_torch_is_loaded() -> None:
    code = "import sys; from seqmodels.cells import CELLS; print(len(CELLS), 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(len(CELLS)), "False"]
