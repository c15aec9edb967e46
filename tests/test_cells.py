"""The law, and the cells as gates, against torch's own cells."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqmodels.cells import CELLS, Gates, Weights, find_cell, update

STEP_CELLS = {"elman": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def weights_of(step: nn.RNNCellBase) -> Weights:
    return Weights(step.weight_ih, step.weight_hh, step.bias_ih, step.bias_hh)


@pytest.mark.parametrize("name", CELLS)
@given(inputs=st.integers(1, 6), hidden=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_step_of_the_law_is_a_step_of_torchs_cell(name: str, inputs: int, hidden: int, seed: int) -> None:
    torch.manual_seed(seed)
    step = STEP_CELLS[name](inputs, hidden)
    x, h, memory = torch.randn(3, inputs), torch.randn(3, hidden), torch.randn(3, hidden)
    cell = CELLS[name]
    if cell.memory_is_output:
        memory = h
    gates = cell.gates(weights_of(step), x, h)
    new_memory = update(memory, gates)
    if name == "lstm":
        expected_output, expected_memory = step(x, (h, memory))
    else:
        expected_output = expected_memory = step(x, h)
    torch.testing.assert_close(new_memory, expected_memory, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(cell.read_out(new_memory, gates), expected_output, atol=1e-6, rtol=1e-5)


def test_relu_elman_is_torchs_relu_cell() -> None:
    torch.manual_seed(0)
    step = nn.RNNCell(3, 4, nonlinearity="relu")
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    cell = find_cell("elman", "relu")
    torch.testing.assert_close(update(h, cell.gates(weights_of(step), x, h)), step(x, h))


def test_elman_keeps_nothing_and_writes_all_and_gru_shares_one_gate_between_both() -> None:
    torch.manual_seed(0)
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    elman = CELLS["elman"].gates(weights_of(nn.RNNCell(3, 4)), x, h)
    assert (elman.mu == 0).all()
    assert (elman.lam == 1).all()
    gru = CELLS["gru"].gates(weights_of(nn.GRUCell(3, 4)), x, h)
    torch.testing.assert_close(gru.mu + gru.lam, torch.ones(2, 4))


def test_only_lstm_reveals_its_memory_through_a_gate() -> None:
    torch.manual_seed(0)
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    revealing = {name for name, cell in CELLS.items() if cell.gates(weights_of(STEP_CELLS[name](3, 4)), x, h).reveal is not None}
    assert revealing == {"lstm"}


def test_the_law_keeps_by_mu_and_writes_by_lam() -> None:
    gates = Gates(mu=torch.tensor([1.0, 0.0, 0.5]), lam=torch.tensor([0.0, 1.0, 0.25]), candidate=torch.tensor([9.0, 8.0, 4.0]))
    assert update(torch.tensor([2.0, 2.0, 2.0]), gates).tolist() == [2.0, 8.0, 2.0]


@pytest.mark.parametrize(("name", "activation"), [("gur", "tanh"), ("gru", "relu"), ("elman", "sine")])
def test_an_unknown_cell_or_activation_is_named_with_the_choices(name: str, activation: str) -> None:
    with pytest.raises(ValueError, match=r"elman"):
        find_cell(name, activation)
