"""Fused kernels against the law step by step; layers, directions, padding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.cells import CELLS
from seqmodels.recurrence import Recurrent, unroll


@pytest.mark.parametrize(("name", "activation"), [*((name, "tanh") for name in CELLS), ("elman", "relu")])
@given(
    inputs=st.integers(1, 5),
    hidden=st.integers(1, 5),
    time=st.integers(1, 7),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=15, deadline=None)
def test_the_fused_kernels_are_the_law_unrolled(
    name: str, activation: str, inputs: int, hidden: int, time: int, layers: int, bidirectional: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    recurrent = Recurrent(name, inputs, hidden, layers=layers, bidirectional=bidirectional, activation=activation)
    x = torch.randn(time, inputs)
    outputs, _ = recurrent.layer_outputs(x.unsqueeze(0))
    read = x
    for layer in range(layers):
        directions = [False, True] if bidirectional else [False]
        unrolled = [
            unroll(recurrent.cell, recurrent.weights(layer, reverse=reverse), read, reverse=reverse) for reverse in directions
        ]
        read = torch.cat([output for _, output in unrolled], dim=-1)
        torch.testing.assert_close(outputs[layer][0], read, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_a_batch_changes_no_output(name: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, 4, layers=2, bidirectional=bidirectional).eval()
    lengths = torch.tensor([5, 2, 7])
    batch = torch.randn(3, 7, 3)
    together, _ = recurrent(batch, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, _ = recurrent(batch[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0])
        assert (together[row, length:] == 0).all()


@pytest.mark.parametrize("name", CELLS)
def test_a_text_read_in_two_parts_is_the_text_read_at_once(name: str) -> None:
    torch.manual_seed(0)
    recurrent = Recurrent(name, 3, 4, layers=2).eval()
    x = torch.randn(2, 9, 3)
    whole, end = recurrent(x)
    first, state = recurrent(x[:, :4])
    second, end_in_parts = recurrent(x[:, 4:], state=state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    for part, expected in zip(end_in_parts, end, strict=True):
        torch.testing.assert_close(part, expected)
