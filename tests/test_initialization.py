"""How recurrent matrices begin, in every layer, direction and gate."""

import pytest
import torch

from seqmodels.cells import CELLS
from seqmodels.initialization import SCHEMES, TORCH, initialize
from seqmodels.recurrence import Recurrent, gates_of

HIDDEN = 32
# mingru has no recurrent matrix
RECURRENT = [name for name, cell in CELLS.items() if cell.reads_output]


def matrices(cell: str, scheme: str, gain: float = 1.0) -> list[torch.Tensor]:
    """Every gate's recurrent matrix of two layers in both directions."""
    torch.manual_seed(0)
    recurrent = Recurrent(cell, 5, HIDDEN, layers=2, bidirectional=True)
    initialize(recurrent, scheme, gain)
    return [
        block.detach()
        for layer in range(2)
        for reverse in (False, True)
        for block in recurrent.weights(layer, reverse=reverse).hidden.split(HIDDEN)
    ]


@pytest.mark.parametrize("cell", RECURRENT)
def test_orthogonal_matrices_have_the_gain_as_every_singular_value(cell: str) -> None:
    for matrix in matrices(cell, "orthogonal", 1.5):
        torch.testing.assert_close(matrix.T @ matrix, 2.25 * torch.eye(HIDDEN), atol=1e-4, rtol=0)


@pytest.mark.parametrize("cell", RECURRENT)
def test_identity_is_the_gain_on_the_diagonal(cell: str) -> None:
    for matrix in matrices(cell, "identity", 0.5):
        assert torch.equal(matrix, 0.5 * torch.eye(HIDDEN))


@pytest.mark.parametrize("cell", RECURRENT)
def test_normal_matrices_have_a_spectral_radius_near_the_gain(cell: str) -> None:
    radii = [float(torch.linalg.eigvals(matrix).abs().max()) for matrix in matrices(cell, "normal", 2.0)]
    assert sum(radii) / len(radii) == pytest.approx(2.0, rel=0.2)


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != TORCH])
def test_all_but_torchs_own_begin_without_bias(scheme: str) -> None:
    recurrent = Recurrent("lstm", 5, HIDDEN)
    initialize(recurrent, scheme)
    assert not recurrent.weights(0).input_bias.any()
    assert not recurrent.weights(0).hidden_bias.any()


def test_torchs_own_changes_nothing() -> None:
    torch.manual_seed(0)
    drawn = Recurrent("gru", 5, HIDDEN)
    torch.manual_seed(0)
    initialized = Recurrent("gru", 5, HIDDEN)
    initialize(initialized, TORCH)
    for name, value in drawn.state_dict().items():
        assert torch.equal(value, initialized.state_dict()[name])


def test_a_forget_bias_opens_the_forget_gate_and_no_other() -> None:
    recurrent = Recurrent("lstm", 5, HIDDEN)
    initialize(recurrent, "identity", forget_bias=20.0)
    gates = gates_of(recurrent.cell, recurrent.weights(0), torch.zeros(5), torch.zeros(HIDDEN))
    assert gates.output_gate is not None
    torch.testing.assert_close(gates.mu, torch.ones(HIDDEN))
    torch.testing.assert_close(gates.lam, torch.full((HIDDEN,), 0.5))
    torch.testing.assert_close(gates.output_gate, torch.full((HIDDEN,), 0.5))


def test_relu_with_identity_carries_a_memory_over_any_distance_unchanged() -> None:
    recurrent = Recurrent("elman", 1, HIDDEN, activation="relu")
    initialize(recurrent, "identity")
    memory = torch.rand(1, 1, 1, HIDDEN)
    outputs, _ = recurrent(torch.zeros(1, 200, 1), state=(memory,))
    assert torch.equal(outputs[0, -1], memory.flatten())


def test_an_unknown_scheme_names_the_choices() -> None:
    with pytest.raises(ValueError, match="torch, normal, orthogonal, identity"):
        initialize(Recurrent("gru", 2, 2), "zeros")


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.time_biases])
def test_chrono_biases_let_units_keep_for_as_long_as_asked(cell: str) -> None:
    """Without an input and with nothing remembered, keep is t / (1 + t) for a time t of the unit."""
    longest = 200
    recurrent = Recurrent(cell, 3, 400)
    initialize(recurrent, "normal", 1.0, chrono=longest)
    gates = gates_of(recurrent.cell, recurrent.weights(0), torch.zeros(3), torch.zeros(400))
    leaks = gates.lam if (gates.mu == 1).all() else 1 - gates.mu  # a sum without a forget gate writes as rarely
    times = 1 / leaks.detach() - 1
    assert times.min() >= 1 - 1e-3
    assert times.max() <= longest - 1 + 0.5
    assert times.mean() == pytest.approx(longest / 2, rel=0.15)
