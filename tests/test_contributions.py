"""The contributions sum to the memory, and to the logit where it says so; each share is what a loop over the law makes it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import encode
from seqmodels.recurrence import Recurrent
from seqmodels.traces import (
    LayerTrace,
    attribute,
    contribution_norms,
    contributions,
    law_error,
    retention,
    trace,
    trace_layers,
    unit_retention,
)

TEXT = "The old man the boats in Berlin, and nobody minds!"
SUMS = 1e-4  # of float32


def random_trace(cell: str, *, time: int, hidden: int, layers: int, bidirectional: bool, seed: int) -> list[LayerTrace]:
    torch.manual_seed(seed)
    recurrent = Recurrent(cell, 5, hidden, layers=layers, bidirectional=bidirectional)
    with torch.inference_mode():
        inputs = 2 * torch.randn(1, time, 5)
        outputs, _ = recurrent.layer_outputs(inputs)
        return trace_layers(recurrent, inputs[0], [output[0] for output in outputs])


def by_hand(layer: LayerTrace, token: int) -> np.ndarray:
    """The contributions to a token as the sum is written: a product of mu for every word, one factor after the other."""
    order = list(range(len(layer.mu)))
    if layer.direction == "backward":
        order.reverse()
    read = order[: order.index(token) + 1]
    shares = np.zeros_like(layer.mu, dtype=np.float64)
    for position, source in enumerate(read):
        share = layer.lam[source].astype(np.float64) * layer.candidate[source]
        for later in read[position + 1 :]:
            share = share * layer.mu[later]
        shares[source] = share
    return shares


@pytest.mark.parametrize("cell", CELLS)
@given(
    time=st.integers(1, 12),
    hidden=st.integers(1, 8),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    seed=st.integers(0, 10_000),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_what_the_words_wrote_is_the_product_written_out_and_sums_to_the_memory(
    cell: str, time: int, hidden: int, layers: int, bidirectional: bool, seed: int, data: st.DataObject
) -> None:
    token = data.draw(st.integers(0, time - 1))
    for layer in random_trace(cell, time=time, hidden=hidden, layers=layers, bidirectional=bidirectional, seed=seed):
        shares = contributions(layer, token)
        np.testing.assert_allclose(shares.sum(axis=0), layer.memory[token], atol=SUMS)
        np.testing.assert_allclose(shares, by_hand(layer, token), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_the_table_of_norms_holds_the_norm_of_every_share(cell: str) -> None:
    for layer in random_trace(cell, time=7, hidden=6, layers=2, bidirectional=True, seed=4):
        norms = contribution_norms(layer)
        for token in range(7):
            np.testing.assert_allclose(norms[token], np.linalg.norm(by_hand(layer, token), axis=1), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_what_a_word_wrote_is_kept_as_the_contributions_say(cell: str) -> None:
    for layer in random_trace(cell, time=8, hidden=6, layers=1, bidirectional=True, seed=5):
        left = unit_retention(layer, 3)
        for token in range(8):
            np.testing.assert_allclose(left[token] * layer.written[3], by_hand(layer, token)[3], atol=1e-6)
        share = retention(layer, 3)
        assert share[3] == pytest.approx(1)
        assert (share <= 1 + 1e-6).all()
        unread = slice(4, None) if layer.backward else slice(None, 3)
        assert not share[unread].any()


def test_a_word_that_writes_nothing_leaves_nothing() -> None:
    silent = np.zeros((4, 3), np.float32)
    kept = np.full((4, 3), 0.9, np.float32)
    assert not retention(LayerTrace(0, "forward", kept, silent, silent, silent, silent), 1).any()


@pytest.mark.parametrize("cell", CELLS)
def test_a_memory_is_what_it_carries_and_what_it_writes(cell: str) -> None:
    for layer in random_trace(cell, time=6, hidden=4, layers=1, bidirectional=True, seed=6):
        np.testing.assert_allclose(layer.mu * layer.previous() + layer.written, layer.memory, atol=1e-6)
        assert law_error(layer).max() <= 1e-5


def test_elman_writes_every_memory_anew() -> None:
    for layer in random_trace("elman", time=6, hidden=4, layers=1, bidirectional=True, seed=6):
        assert retention(layer, 2).tolist() == [0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("token", [-1, 4])
def test_a_token_that_is_not_there_is_answered_with_those_that_are(token: int) -> None:
    (layer,) = random_trace("gru", time=4, hidden=2, layers=1, bidirectional=False, seed=1)
    with pytest.raises(ValueError, match="give a number from 0 to 3"):
        contributions(layer, token)


def logits(checkpoint: Checkpoint, text: str) -> np.ndarray:
    """From the fused kernels and the output layer, with no trace between."""
    with torch.inference_mode():
        output = encode(checkpoint, text).outputs[-1]
        model = checkpoint.model
        return model.logits(output).double().numpy()


def test_what_the_words_gave_sums_to_the_networks_own_logit(tiny: dict[str, Checkpoint]) -> None:
    for checkpoint in tiny.values():
        traced, expected = trace(checkpoint, TEXT), logits(checkpoint, TEXT)
        for token in (0, 4, len(traced.tokens) - 1):
            for number, target in enumerate(checkpoint.targets):
                found = attribute(checkpoint, traced, token, target)
                assert found.total.sum() + found.bias == pytest.approx(found.logit, abs=1e-3)
                assert found.logit == pytest.approx(expected[token, number], abs=1e-4)
                assert found.exact == (checkpoint.info.cell != "lstm")
            assert attribute(checkpoint, traced, token).target == checkpoint.targets[int(expected[token].argmax())]


def test_a_word_gives_through_a_direction_only_what_that_direction_has_read(tiny: dict[str, Checkpoint]) -> None:
    for name in ("pos-gru", "ner-lstm"):
        found = attribute(tiny[name], trace(tiny[name], TEXT), 4)
        assert not found.gave["forward"][5:].any()
        assert not found.gave["backward"][:4].any()


def test_taking_away_what_a_word_gave_is_what_the_logit_loses(tiny: dict[str, Checkpoint]) -> None:
    """Where it is exact: the logit of the memory without a word's share is lower by just what the word gave."""
    checkpoint = tiny["pos-gru"]
    traced = trace(checkpoint, TEXT)
    found = attribute(checkpoint, traced, 4)
    head = checkpoint.model.head
    for word in range(len(traced.tokens)):
        rest = np.concatenate([layer.memory[4] - by_hand(layer, 4)[word] for layer in traced.layers])
        with torch.inference_mode():
            without = head(torch.from_numpy(rest).float())[checkpoint.targets.index(found.target)]
        assert found.logit - float(without) == pytest.approx(found.total[word], abs=1e-4)


def test_an_unknown_target_is_answered_with_a_choice(tiny: dict[str, Checkpoint]) -> None:
    with pytest.raises(ValueError, match="pos-gru does not know 'NONSENSE': choose one of"):
        attribute(tiny["pos-gru"], trace(tiny["pos-gru"], TEXT), 0, "NONSENSE")
