"""The gates of a trace obey the law, and its outputs are the fused kernels'."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import encode, tag
from seqmodels.recurrence import Recurrent
from seqmodels.traces import BACKWARD, LayerTrace, tag_and_trace, trace, trace_layers

TOLERANCE = 1e-5
TORCH = {name: getattr(nn, cell.kernel) for name, cell in CELLS.items() if cell.kernel}
TEXT = "The old man the boats in Berlin, and nobody dosn't 😀 mind!"


def law_error(layer: LayerTrace) -> float:
    # spelled out here: the trace's own idea of the memory before a token is under test too
    start = np.zeros_like(layer.memory[:1]) if layer.start is None else layer.start[None]
    if layer.direction == BACKWARD:
        previous = np.concatenate([layer.memory[1:], start])
    else:
        previous = np.concatenate([start, layer.memory[:-1]])
    np.testing.assert_array_equal(layer.previous(), previous)
    return float(np.abs(layer.memory - (layer.mu * previous + layer.lam * layer.candidate)).max())


@pytest.mark.parametrize("name", TORCH)
@given(
    inputs=st.integers(1, 6),
    hidden=st.integers(1, 8),
    time=st.integers(1, 12),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=20, deadline=None)
def test_gates_recovered_from_torchs_weights_obey_the_law_and_give_torchs_output(
    name: str, inputs: int, hidden: int, time: int, layers: int, bidirectional: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    theirs = TORCH[name](inputs, hidden, num_layers=layers, bidirectional=bidirectional, batch_first=True)
    ours = Recurrent(name, inputs, hidden, layers=layers, bidirectional=bidirectional)
    for layer, kernel in enumerate(ours.kernels):
        for suffix in ["", "_reverse"] if bidirectional else [""]:
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(kernel, f"{part}_l0{suffix}").data.copy_(getattr(theirs, f"{part}_l{layer}{suffix}").data)
    x = torch.randn(1, time, inputs)
    with torch.inference_mode():
        expected = theirs(x)[0][0].numpy()
        outputs, _ = ours.layer_outputs(x)
        traced = trace_layers(ours, x[0], [output[0] for output in outputs])
    assert len(traced) == layers * (2 if bidirectional else 1)
    for layer_trace in traced:
        assert layer_trace.mu.shape == (time, hidden)
        assert law_error(layer_trace) <= TOLERANCE
    last = np.concatenate([layer_trace.output for layer_trace in traced if layer_trace.layer == layers - 1], axis=1)
    np.testing.assert_allclose(last, expected, atol=TOLERANCE)


def test_traces_of_checkpoints_obey_the_law_and_give_the_kernels_output(tiny: dict[str, Checkpoint]) -> None:
    for checkpoint in tiny.values():
        traced = trace(checkpoint, TEXT)
        outputs = encode(checkpoint, TEXT).outputs
        for layer in {found.layer for found in traced.layers}:
            sides = [found for found in traced.layers if found.layer == layer]
            np.testing.assert_allclose(
                np.concatenate([side.output for side in sides], axis=1), outputs[layer].numpy(), atol=TOLERANCE
            )
            assert all(law_error(side) <= TOLERANCE for side in sides)


def test_a_language_models_trace_begins_with_its_start_symbol(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["lm-lstm"], "We go home")
    assert traced.tokens == ("<eos>", "We", "go", "home")
    assert {layer.direction for layer in traced.layers} == {"forward"}
    assert all(layer.output_gate is not None for layer in traced.layers)


def test_one_pass_for_tags_and_gates_gives_the_same_as_two(tiny: dict[str, Checkpoint]) -> None:
    sentence = "The old man lives in Berlin"
    for name in ("pos-elman", "pos-lstm", "ner-gru"):
        tagging, traced = tag_and_trace(tiny[name], sentence)
        assert [token.tag for token in tagging.tokens] == [token.tag for token in tag(tiny[name], sentence).tokens]
        for both, alone in zip(traced.layers, trace(tiny[name], sentence).layers, strict=True):
            np.testing.assert_array_equal(both.memory, alone.memory)


def test_elman_keeps_nothing_in_its_gates_and_yet_remembers(tiny: dict[str, Checkpoint]) -> None:
    checkpoint = tiny["lm-elman"]
    first = trace(checkpoint, "The boats go home").layers[0]
    other = trace(checkpoint, "We boats go home").layers[0]
    assert (first.mu == 0).all()
    assert (first.lam == 1).all()
    assert np.abs(first.memory[-1] - other.memory[-1]).max() > 0, "an early word still changes the last memory, inside F"


def test_an_unknown_layer_is_answered_with_those_there_are(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-gru"], "We go")
    with pytest.raises(ValueError, match="0 forward, 0 backward"):
        traced.layer(7, "forward")
