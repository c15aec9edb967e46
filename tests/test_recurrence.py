"""Layers of every cell against the law step by step; directions, padding, state, gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from seqmodels.cells import CELLS, GRU, Cell, Gates, find_cell
from seqmodels.recurrence import LoopLayer, Recurrent, Weights, make_layer, scan, unroll, walk

EVERY = [(name, activation) for name, cell in CELLS.items() for activation in cell.activations]
KERNELS = [(name, activation) for name, activation in EVERY if find_cell(name, activation).kernel]


@pytest.mark.parametrize(("name", "activation"), EVERY)
@given(
    inputs=st.integers(1, 5),
    hidden=st.integers(1, 5),
    time=st.integers(1, 7),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    training=st.booleans(),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=25, deadline=None)
def test_a_layer_is_the_law_unrolled(
    name: str, activation: str, inputs: int, hidden: int, time: int, layers: int, bidirectional: bool, training: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    recurrent = Recurrent(name, inputs, hidden, layers=layers, bidirectional=bidirectional, activation=activation)
    x = torch.randn(time, inputs)
    with torch.inference_mode(not training):  # what is only read may go through other kernels
        outputs, _ = recurrent.layer_outputs(x.unsqueeze(0))
    read = x
    for layer in range(layers):
        directions = [False, True] if bidirectional else [False]
        unrolled = [
            unroll(recurrent.cell, recurrent.weights(layer, reverse=reverse), read, reverse=reverse) for reverse in directions
        ]
        read = torch.cat([output for _, output in unrolled], dim=-1)
        torch.testing.assert_close(outputs[layer][0], read, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "activation"), KERNELS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_the_loop_with_the_gates_and_weights_of_a_torch_layer_is_that_layer(
    name: str, activation: str, bidirectional: bool, packed: bool
) -> None:
    torch.manual_seed(0)
    cell = find_cell(name, activation)
    theirs, ours = make_layer(cell, 3, 4, bidirectional=bidirectional), LoopLayer(cell, 3, 4, bidirectional=bidirectional)
    ours.load_state_dict(theirs.state_dict())  # the same names and shapes
    x, h = torch.randn(3, 7, 3), torch.randn(2 if bidirectional else 1, 3, 4)
    start = h if cell.memory_is_output else (h, torch.randn_like(h))
    read = pack_padded_sequence(x, torch.tensor([5, 2, 7]), batch_first=True, enforce_sorted=False) if packed else x
    torch.testing.assert_close(ours(read, start), theirs(read, start))
    torch.testing.assert_close(ours(read), theirs(read))


def losses(cell: Cell, layer: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """A loss over outputs and end state of a layer, and the same through the plain loop of `walk`."""
    outputs, end = layer(x)
    memory = end if isinstance(end, Tensor) else end[-1]
    by_hand = [walk(cell, Weights.of(layer), row) for row in x]
    plain = sum(step.output.pow(2).sum() for steps in by_hand for step in steps) + sum(steps[-1].memory.sum() for steps in by_hand)
    assert isinstance(plain, Tensor)
    return outputs.pow(2).sum() + memory.sum(), plain


@pytest.mark.parametrize(("name", "activation"), EVERY)
def test_gradients_are_those_of_autograd_through_the_plain_loop(name: str, activation: str) -> None:
    torch.manual_seed(0)
    cell = find_cell(name, activation)
    layer = LoopLayer(cell, 3, 4).double()
    x = torch.randn(2, 9, 3, dtype=torch.float64, requires_grad=True)
    wanted = [x, *(value for value in layer.parameters() if value.numel())]
    for ours, plain in zip(*(torch.autograd.grad(loss, wanted) for loss in losses(cell, layer, x)), strict=True):
        torch.testing.assert_close(ours, plain)


def test_a_scan_has_the_gradients_of_its_sum() -> None:
    torch.manual_seed(0)
    mu, written, start = (torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((6, 2, 3), (6, 2, 3), (2, 3)))
    assert torch.autograd.gradcheck(scan, (mu, written, start))


@pytest.mark.parametrize("steps", [1, 100, 2000])
def test_mingru_step_by_step_is_mingru_at_once(steps: int) -> None:
    torch.manual_seed(0)
    layer = Recurrent("mingru", 3, 4)
    x = torch.randn(1, steps, 3)
    state, outputs = None, []
    for step in x.split(1, dim=1):
        output, state = layer(step, state=state)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, dim=1), layer(x)[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_a_batch_changes_no_output(name: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, 4, layers=2, bidirectional=bidirectional).eval()
    lengths = torch.tensor([5, 2, 7])
    batch = torch.randn(3, 7, 3)
    together, ends = recurrent(batch, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, end = recurrent(batch[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0])
        assert (together[row, length:] == 0).all()
        for part, expected in zip(ends, end, strict=True):
            torch.testing.assert_close(part[:, :, row], expected[:, :, 0])


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("texts", [1, 2])
@pytest.mark.parametrize("hidden", [4, 400])
def test_a_text_read_in_two_parts_is_the_text_read_at_once(name: str, training: bool, texts: int, hidden: int) -> None:
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, hidden, layers=2).eval()
    x = torch.randn(texts, 9, 3)
    whole, end = recurrent(x)
    with torch.inference_mode(not training):
        first, state = recurrent(x[:, :4])
        second, end_in_parts = recurrent(x[:, 4:], state=state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    for part, expected in zip(end_in_parts, end, strict=True):
        torch.testing.assert_close(part, expected)


class Lazy(GRU):
    """One that keeps half of what it would let go of."""

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        gates = super().gates(x, h)
        return Gates(mu=(1 + gates.mu) / 2, lam=gates.lam / 2, candidate=gates.candidate)


def test_a_cell_of_ones_own_with_the_name_of_another_is_read_by_its_own_gates() -> None:
    torch.manual_seed(0)
    recurrent = Recurrent("gru", 3, 4)
    recurrent.cell = Lazy()
    recurrent.kernels[0] = LoopLayer(recurrent.cell, 3, 4)
    x = torch.randn(1, 6, 3)
    with torch.inference_mode():
        torch.testing.assert_close(recurrent(x)[0][0], unroll(recurrent.cell, recurrent.weights(0), x[0])[1])


@pytest.mark.parametrize("name", CELLS)
def test_a_hook_at_a_layer_sees_a_single_sequence(name: str) -> None:
    recurrent, seen = Recurrent(name, 3, 4), list[Tensor]()
    recurrent.kernels[0].register_forward_hook(lambda _layer, _inputs, result: seen.append(result[0]))
    with torch.inference_mode():
        outputs, _ = recurrent(torch.randn(1, 5, 3))
    torch.testing.assert_close(seen, [outputs])


@pytest.mark.parametrize("shape", [(1, 1, 2, 4), (1, 2, 1, 4), (1, 1, 1, 3)])
def test_a_state_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with torch.inference_mode(), pytest.raises(RuntimeError, match="Expected hidden size"):
        Recurrent("gru", 3, 4)(torch.randn(1, 5, 3), state=(torch.randn(shape),))


@pytest.mark.parametrize("name", ["gated", "gated_forget"])
def test_what_gates_that_are_nearly_closed_let_through_adds_up_to_what_it_is(name: str) -> None:
    recurrent = Recurrent(name, 1, 4)
    for weight in recurrent.parameters():
        nn.init.zeros_(weight)
    with torch.inference_mode():
        bias = recurrent.weights(0).input_bias.view(-1, 4)
        bias[:] = torch.tensor([20.0, -16.0, 1.0])[-len(bias) :, None]  # keeps all, writes 1e-7, a candidate of 0.76
        outputs, _ = recurrent(torch.zeros(1, 5000, 1))
    torch.testing.assert_close(outputs[0, -1], torch.full((4,), 5000 * 1.125e-7 * 0.76159), rtol=0.01, atol=0)


@pytest.mark.filterwarnings("ignore:The tensor attributes")  # torch's own, of its own layers
@pytest.mark.parametrize("name", CELLS)
def test_a_network_that_is_only_read_can_be_exported(name: str) -> None:
    recurrent = Recurrent(name, 3, 4).eval()
    x = torch.randn(1, 5, 3)
    with torch.no_grad():
        exported = torch.export.export(recurrent, (x,))
        torch.testing.assert_close(exported.module()(x)[0], recurrent(x)[0])


@pytest.mark.parametrize("name", CELLS)
def test_weights_that_are_no_numbers_come_out_as_such_without_a_warning(name: str) -> None:
    recurrent = Recurrent(name, 3, 4, bidirectional=True)
    for weight in recurrent.parameters():
        nn.init.constant_(weight, torch.inf)
    with torch.inference_mode():
        outputs, _ = recurrent(torch.tensor([[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]]))
    assert outputs.isnan().any()


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.kernel is None])
def test_the_loop_refuses_a_gradient_of_its_weights_gradient(cell: str) -> None:
    recurrent = Recurrent(cell, 2, 3)
    weights = [weight for weight in recurrent.parameters() if weight.numel()]  # a cell that does not read its output has no U
    outputs, _ = recurrent(torch.randn(1, 4, 2))
    gradients = torch.autograd.grad(outputs.pow(2).sum(), weights, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        sum((gradient.pow(2).sum() for gradient in gradients), torch.zeros(())).backward()


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.kernel is None])
def test_the_loop_can_be_differentiated_once_and_says_so(name: str) -> None:
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, 4)
    x = torch.randn(2, 5, 3, requires_grad=True)
    outputs, _ = recurrent(x)
    [by_x] = torch.autograd.grad(outputs.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        by_x.square().sum().backward()


@pytest.mark.parametrize("name", CELLS)
def test_an_empty_sequence_is_refused_as_torch_refuses_it(name: str) -> None:
    with pytest.raises(RuntimeError, match="sequence length to be larger than 0"):
        Recurrent(name, 3, 4)(torch.zeros(2, 0, 3))


@pytest.mark.parametrize(("name", "activation"), EVERY)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_step_on_its_own_is_the_layers(name: str, activation: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, 4, layers=2, bidirectional=bidirectional, activation=activation).eval()
    _, state = recurrent(torch.randn(5, 6, 3))
    x = torch.randn(5, 1, 3)
    for start in (None, state):
        by_kernel = recurrent.layer_outputs(x, state=start)
        with torch.inference_mode():  # without gradients it takes another way
            torch.testing.assert_close(recurrent.layer_outputs(x, state=start), by_kernel)


@pytest.mark.parametrize(("name", "activation"), EVERY)
@pytest.mark.parametrize("reverse", [False, True])
def test_one_direction_of_a_layer_is_a_network_of_its_own(name: str, activation: str, reverse: bool) -> None:
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, 4, bidirectional=True, activation=activation).eval()
    alone = recurrent.one_way(reverse=reverse)
    assert not alone.training
    x = torch.randn(2, 7, 3)
    side = recurrent(x)[0].split(4, dim=-1)[reverse]
    torch.testing.assert_close(alone(x.flip(1))[0].flip(1) if reverse else alone(x)[0], side)
    for part, whole in zip(alone.parameters(), list(recurrent.parameters())[4 * reverse :], strict=False):
        assert part.data_ptr() == whole.data_ptr(), "shared"
