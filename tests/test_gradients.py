"""What the gates carry is the product of mu; the gradient beside it is the one that torch's own cells have."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import encode
from seqmodels.recurrence import Weights
from seqmodels.traces import gradient_path, rate, trace

TEXT = "The old man the boats in Berlin, and nobody minds!"
TORCH = {"elman": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}
SIDES = [(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward")]


def torchs_cell(name: str, weights: Weights) -> nn.RNNCellBase:
    cell = TORCH[name](weights.input.shape[1], weights.hidden.shape[1]).double()
    named = {"weight_ih": weights.input, "weight_hh": weights.hidden, "bias_ih": weights.input_bias, "bias_hh": weights.hidden_bias}
    cell.load_state_dict(named)
    return cell.requires_grad_(False)


def run_on(cell: nn.RNNCellBase, inputs: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The memory after the inputs, and the output as a function of it: in an LSTM, through its output gate there."""
    if not isinstance(cell, nn.LSTMCell):
        h = torch.zeros(cell.hidden_size, dtype=torch.float64)
        for x in inputs:
            h = cell(x, h)
        return h, lambda memory: memory
    h = c = torch.zeros(cell.hidden_size, dtype=torch.float64)
    for x in inputs:
        h, c = cell(x, (h, c))
    reveal = h / torch.tanh(c)
    return c, lambda memory: reveal * torch.tanh(memory)


def gradient_by_torch(cell: nn.RNNCellBase, inputs: Tensor, source: int) -> float:
    """The Frobenius norm of d (memory after all inputs) / d (memory after `source`)."""
    start, output_of = run_on(cell, inputs[: source + 1])

    def rest(memory: Tensor) -> Tensor:
        output = output_of(memory)
        for x in inputs[source + 1 :]:
            if isinstance(cell, nn.LSTMCell):
                output, memory = cell(x, (output, memory))
            else:
                output = memory = cell(x, output)
        return memory

    return float(torch.autograd.functional.jacobian(rest, start).norm())


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize(("layer", "direction"), SIDES)
def test_the_gradient_is_that_of_torchs_own_cell_run_step_by_step(
    deep: dict[str, Checkpoint], name: str, layer: int, direction: str
) -> None:
    checkpoint, token, backward = deep[f"pos-{name}"], 6, direction == "backward"
    path = gradient_path(checkpoint, trace(checkpoint, TEXT), token, layer=layer, direction=direction)
    cell = torchs_cell(name, checkpoint.model.recurrent.weights(layer, reverse=backward))
    encoded = encode(checkpoint, TEXT)
    read = (encoded.outputs[layer - 1] if layer else encoded.inputs).clone().double()
    inputs = read.flip(0)[: len(read) - token] if backward else read[: token + 1]
    assert path.sources == (tuple(range(len(read) - 1, token - 1, -1)) if backward else tuple(range(token + 1)))
    expected = [gradient_by_torch(cell, inputs, step) for step in range(len(inputs))]
    np.testing.assert_allclose(path.gradient, np.array(expected) / np.sqrt(checkpoint.model.recurrent.hidden_size), rtol=1e-4)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("layer", "direction"), SIDES)
def test_the_gates_carry_the_product_of_mu(deep: dict[str, Checkpoint], name: str, layer: int, direction: str) -> None:
    checkpoint, token = deep[f"ner-{name}"], 5
    path = gradient_path(checkpoint, trace(checkpoint, TEXT), token, layer=layer, direction=direction)
    mu = trace(checkpoint, TEXT).layer(layer, direction).mu.astype(np.float64)
    for source, kept in zip(path.sources, path.gates, strict=True):
        after = range(source + 1, token + 1) if direction == "forward" else range(token, source)
        product = np.ones(mu.shape[1])
        for read in after:
            product = product * mu[read]
        assert kept == pytest.approx(np.sqrt((product**2).mean()), rel=1e-5)


def test_both_are_shares_of_what_the_chosen_word_has(tiny: dict[str, Checkpoint]) -> None:
    for checkpoint in tiny.values():
        path = gradient_path(checkpoint, trace(checkpoint, TEXT), 4, layer=0, direction="forward")
        assert path.gates[-1] == path.gradient[-1] == 1


def test_elmans_gates_carry_nothing_and_yet_a_gradient_flows(tiny: dict[str, Checkpoint]) -> None:
    path = gradient_path(tiny["lm-elman"], trace(tiny["lm-elman"], TEXT), 6, layer=0, direction="forward")
    assert (path.gates[:-1] == 0).all()
    assert (path.gradient > 0).all()


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_looking_less_far_back_leaves_the_rest_as_it_was(tiny: dict[str, Checkpoint], name: str, direction: str) -> None:
    def path(furthest: int):
        return gradient_path(
            tiny[f"pos-{name}"], trace(tiny[f"pos-{name}"], TEXT), 5, layer=0, direction=direction, furthest=furthest
        )

    whole, part = path(60), path(3)
    assert part.sources == whole.sources[-3:]
    np.testing.assert_allclose(part.gates, whole.gates[-3:], rtol=1e-6)
    np.testing.assert_allclose(part.gradient, whole.gradient[-3:], rtol=1e-5)


def test_what_there_is_not_is_answered_with_what_there_is(tiny: dict[str, Checkpoint]) -> None:
    checkpoint = tiny["lm-gru"]
    with pytest.raises(ValueError, match="0 forward"):
        gradient_path(checkpoint, trace(checkpoint, TEXT), 2, layer=0, direction="backward")
    with pytest.raises(ValueError, match="no token 99: give a number from 0 to"):
        gradient_path(checkpoint, trace(checkpoint, TEXT), 99, layer=0, direction="forward")
    with pytest.raises(ValueError, match="furthest is 0"):
        gradient_path(checkpoint, trace(checkpoint, TEXT), 2, layer=0, direction="forward", furthest=0)


def test_the_rate_a_word_is_the_geometric_mean() -> None:
    assert rate(np.array([1 / 8, 1 / 4, 1 / 2, 1])) == pytest.approx(0.5)
    assert rate(np.array([0.4, 0.5, 0.8, 1])) ** 3 == pytest.approx(0.4)
    assert rate(np.array([0.0, 0, 1])) == 0
    assert rate(np.ones(1)) == 1
