"""The numbers of the Gradient lab against computations that share no code with them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seqmodels.cells import CELLS
from seqmodels.labs.gradients import GradientFlow, gradient_flow, norms
from seqmodels.labs.networks import SCHEMES, RandomNetwork
from seqmodels.labs.spectrum import spectrum

SMALL = RandomNetwork(length=12, hidden_size=6, forget_bias=1.5, seed=3)
PLAIN = RandomNetwork(length=40, hidden_size=16)


def by_hand(name: str, network: RandomNetwork) -> list[float]:
    """|d loss / d memory_t| for each t: each memory in turn is a leaf, and the steps after it are textbook formulas."""
    weights = network.weights(name)
    blocks = len(CELLS[name].blocks)
    projected = (network.inputs() @ weights.input.T + weights.input_bias).unflatten(1, (blocks, -1))  # (length, blocks, hidden)
    matrices = weights.hidden.unflatten(0, (blocks, -1)) if len(weights.hidden) else None  # (blocks, hidden, hidden)
    act = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}[network.activation]

    def step(x: Tensor, h: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        recurrent = x if matrices is None else x + torch.einsum("bij,j->bi", matrices, h)
        if name == "elman":
            h = act(recurrent[0])
        elif name == "residual":
            h = h + torch.tanh(recurrent[0])
        elif name == "gated":
            h = h + torch.sigmoid(recurrent[0]) * torch.tanh(recurrent[1])
        elif name == "gated_forget":
            h = torch.sigmoid(recurrent[0]) * h + torch.sigmoid(recurrent[1]) * torch.tanh(recurrent[2])
        elif name == "gru":
            assert matrices is not None
            r, z = torch.sigmoid(recurrent[0]), torch.sigmoid(recurrent[1])
            h = z * h + (1 - z) * torch.tanh(x[2] + r * (matrices[2] @ h))
        elif name == "lstm":
            i, f, g, o = recurrent
            memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(memory), memory
        else:
            z = torch.sigmoid(recurrent[0])
            h = (1 - z) * h + z * recurrent[1]
        return h, h

    found = []
    for leaf in range(network.length):
        h = memory = torch.zeros(network.hidden_size, dtype=torch.double)
        for t in range(network.length):
            before = h, memory
            h, memory = step(projected[t], *before)
            if t == leaf:
                memory = memory.detach().requires_grad_()
                # what the memory shows at its own step hangs on it too
                shown = (
                    torch.sigmoid(projected[t][3] + matrices[3] @ before[0]) if matrices is not None and name == "lstm" else None
                )
                h = memory if shown is None else shown.detach() * torch.tanh(memory)
                start = memory
        (h @ network.direction()).backward()
        assert start.grad is not None
        found.append(float(start.grad.norm()))
    return found


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("scheme", ["normal", "non_normal"])
def test_the_gradient_of_each_memory_is_that_of_autograd_with_the_memory_as_a_leaf(name: str, scheme: str) -> None:
    network = replace(SMALL, scheme=scheme)
    assert gradient_flow(name, network).gradient == pytest.approx(by_hand(name, network), rel=1e-9)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_elman_has_the_activation_that_is_asked_for_and_the_others_keep_their_own(activation: str) -> None:
    network = replace(SMALL, activation=activation)
    assert gradient_flow("elman", network).gradient == pytest.approx(by_hand("elman", network), rel=1e-9)
    np.testing.assert_array_equal(gradient_flow("gru", network).gradient, gradient_flow("gru", SMALL).gradient)


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.kernel])
def test_the_first_gradient_is_that_of_torchs_own_layer(name: str) -> None:
    weights, cell = SMALL.weights(name), CELLS[name]
    assert cell.kernel is not None
    layer = getattr(nn, cell.kernel)(weights.input.shape[1], SMALL.hidden_size, dtype=torch.double)
    values = (weights.input, weights.hidden, weights.input_bias, weights.hidden_bias)
    layer.load_state_dict(dict(zip(layer.state_dict(), values, strict=True)))
    inputs = SMALL.inputs()
    _, state = layer(inputs[:1])
    h, memory = state if isinstance(state, tuple) else (state, state)
    memory = memory.detach().requires_grad_()
    if cell.memory_is_output:
        outputs, _ = layer(inputs[1:], memory)
    else:
        shown = (h / torch.tanh(memory)).detach()  # the output gate
        outputs, _ = layer(inputs[1:], (shown * torch.tanh(memory), memory))
    (outputs[-1] @ SMALL.direction()).backward()
    assert memory.grad is not None
    assert gradient_flow(name, SMALL).gradient[0] == pytest.approx(float(memory.grad.norm()), rel=1e-9)


@pytest.mark.parametrize("name", CELLS)
def test_the_law_carries_the_product_of_mu_and_the_rest_is_the_rest(name: str) -> None:
    flow = gradient_flow(name, SMALL)
    assert flow.law[-1] == pytest.approx(flow.gradient[-1])
    assert flow.rest[-1] == 0
    assert (flow.gradient <= flow.law + flow.rest + 1e-12).all()
    assert (flow.gradient >= np.abs(flow.law - flow.rest) - 1e-12).all()
    if name == "elman":
        assert not flow.law[:-1].any()
    if name in ("residual", "gated"):
        assert flow.law == pytest.approx(np.full(SMALL.length, flow.gradient[-1]))
    if name == "mingru":
        assert flow.rest == pytest.approx(np.zeros(SMALL.length), abs=1e-12), "its gates see no memory: there is no other way"


@pytest.mark.parametrize(("activation", "gain"), [("tanh", 0.9), ("relu", 0.9), ("sigmoid", 3.6)])
@pytest.mark.parametrize("size", [0.0, 0.3, 2.0])
def test_below_the_limit_the_gradient_vanishes_at_least_as_fast_as_the_bound(activation: str, gain: float, size: float) -> None:
    network = replace(PLAIN, activation=activation, gain=gain, input_size=size, scheme="orthogonal")
    found = spectrum(network)
    assert found.side == -1
    bound = (found.largest / found.limit) ** np.arange(network.length)
    assert (gradient_flow("elman", network).gradient[::-1] <= bound * (1 + 1e-9)).all()


def test_without_input_a_plain_network_is_linear_and_its_gradient_is_that_of_powers_of_u() -> None:
    network = replace(PLAIN, input_size=0.0, scheme="non_normal", gain=0.95)
    u, v = network.recurrent_matrix().numpy(), network.direction().numpy()
    powers = [np.linalg.norm(np.linalg.matrix_power(u.T, back) @ v) for back in range(network.length)]
    assert gradient_flow("elman", network).gradient[::-1] == pytest.approx(powers, rel=1e-9)


def test_a_non_normal_matrix_has_the_eigenvalues_of_an_orthogonal_one_and_grows_first() -> None:
    normal, other = (replace(PLAIN, input_size=0.0, gain=0.95, scheme=scheme) for scheme in ("orthogonal", "non_normal"))
    for network in (normal, other):
        assert np.abs(spectrum(network).eigenvalues) == pytest.approx(np.full(16, 0.95), abs=1e-5)
    assert spectrum(normal).non_normality < 1e-6
    assert spectrum(other).largest == pytest.approx(0.95 * (1 + math.sqrt(2)))
    assert spectrum(other).non_normality > 0.5
    assert gradient_flow("elman", normal).gradient.argmax() == PLAIN.length - 1
    assert gradient_flow("elman", other).gradient.max() > 3


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_cell_has_the_same_u_for_its_candidate(scheme: str) -> None:
    network = replace(SMALL, scheme=scheme)
    for name, cell in CELLS.items():
        if cell.reads_output:
            block = network.weights(name).hidden.split(6)[cell.blocks.index(cell.candidate_block)]
            assert torch.equal(block, network.recurrent_matrix())


def test_a_network_hangs_on_its_settings_alone() -> None:
    torch.manual_seed(1)
    first = gradient_flow("lstm", SMALL)
    torch.manual_seed(2)
    np.testing.assert_array_equal(gradient_flow("lstm", SMALL).gradient, first.gradient)
    assert (gradient_flow("lstm", replace(SMALL, seed=4)).gradient != first.gradient).any()


def test_a_gradient_of_1e_250_is_told_from_zero() -> None:
    flow = gradient_flow("elman", RandomNetwork(length=251, hidden_size=4, scheme="identity", gain=0.1, input_size=0.0))
    assert flow.gradient[0] == pytest.approx(1e-250, rel=1e-9)
    assert flow.factor == pytest.approx(0.1)
    vanished = gradient_flow("elman", RandomNetwork(length=500, hidden_size=4, scheme="identity", gain=0.1, input_size=0.0))
    assert vanished.gradient[0] == 0
    assert math.isnan(vanished.factor)


def test_norms_hold_where_squares_do_not() -> None:
    rows = np.array([[3e-200, 4e-200], [3e200, 4e200], [0.0, 0.0], [np.inf, 1.0], [3.0, 4.0]])
    assert norms(rows) == pytest.approx([5e-200, 5e200, 0, np.inf, 5])


def test_the_factor_is_the_geometric_mean_of_the_steps() -> None:
    flow = GradientFlow("elman", np.array([8.0, 1.0, 1.0, 1.0]), np.zeros(4), np.zeros(4), None)
    assert flow.factor == pytest.approx(2)


@pytest.mark.parametrize("wrong", [{"length": 501}, {"length": 0}, {"hidden_size": 130}, {"hidden_size": 7}, {"scheme": "zeros"}])
def test_what_would_take_too_long_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"give|choose"):
        replace(SMALL, **wrong)
