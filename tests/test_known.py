"""Words that a tagger has read before: the tags are those of a network that reads all of them anew."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from seqmodels import checkpoints, known
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.encoding import as_tagger
from seqmodels.known import Floats, KnownWords
from seqmodels.models import Tagger
from seqmodels.recurrence import Recurrent
from seqmodels.tasks.tagging_probabilities import tag_probabilities

SENTENCES = ["The old man the boats .", "boats", "The old old man knows Berlin , and the unheard-of Zzyzx .", "man the boats ."]


@pytest.mark.parametrize("name", CELLS)
@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    hidden=st.integers(1, 5),
    bidirectional=st.booleans(),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=25, deadline=None)
def test_sequences_read_side_by_side_from_projections_are_read_as_each_alone(
    name: str, lengths: list[int], hidden: int, bidirectional: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    recurrent = Recurrent(name, 3, hidden, bidirectional=bidirectional)
    inputs = torch.randn(5, 3)
    sequences = [torch.randint(5, (length,)) for length in lengths]
    each = [recurrent(inputs[steps].unsqueeze(0))[0][0] for steps in sequences]
    with torch.inference_mode():
        assert recurrent.takes_projected
        outputs = recurrent.read_projected(recurrent.project(inputs), [steps.tolist() for steps in sequences])
    torch.testing.assert_close(outputs, torch.cat(each).detach(), atol=1e-5, rtol=1e-5)


def anew(checkpoint: Checkpoint, sentences: list[str]) -> list[Floats]:
    """What a network of the same weights says that keeps nothing."""
    model, vocabulary = as_tagger(checkpoint)
    other = copy.deepcopy(model)
    other.known = None
    return tag_probabilities(other, vocabulary, [sentence.split() for sentence in sentences])


def read(checkpoint: Checkpoint, sentences: list[str]) -> list[Floats]:
    return tag_probabilities(*as_tagger(checkpoint), [sentence.split() for sentence in sentences])


def assert_same(ours: list[Floats], theirs: list[Floats]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_words_that_come_again_change_nothing(tiny: dict[str, Checkpoint], cell: str) -> None:
    checkpoint = tiny[f"pos-{cell}"]
    wanted = anew(checkpoint, SENTENCES)
    for _ in range(2):
        assert_same(read(checkpoint, SENTENCES), wanted)
        assert_same([shares for sentence in SENTENCES for shares in read(checkpoint, [sentence])], wanted)


def in_place(model: Tagger) -> None:
    with torch.no_grad():
        for _ in range(7):  # as often as all its weights together while it was loaded, or otherwise
            model.word_embedding.weight.mul_(1.5)


def replaced(model: Tagger) -> None:
    model.word_embedding.weight = nn.Parameter(5 * model.word_embedding.weight, requires_grad=False)


def other_data(model: Tagger) -> None:
    model.word_embedding.weight.data = 5 * model.word_embedding.weight.data


def other_module(model: Tagger) -> None:
    model.word_embedding = nn.Embedding.from_pretrained(5 * model.word_embedding.weight.data)


def trained_in_steps(model: Tagger) -> None:
    for weight in model.parameters():
        weight.requires_grad_(True).grad = torch.ones_like(weight)
    torch.optim.AdamW(model.parameters(), lr=0.1, fused=True).step()


def with_dropout(model: Tagger) -> None:
    model.dropout.train()


def another_forward(model: Tagger) -> None:
    forward = model.forward
    vars(model)["forward"] = lambda batch: 3 * forward(batch)


CHANGES = [in_place, replaced, other_data, other_module, trained_in_steps, with_dropout, another_forward]


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_that_is_changed_is_read_as_it_is(tiny: dict[str, Checkpoint], change: Callable[[Tagger], None]) -> None:
    model, vocabulary = as_tagger(copy.deepcopy(tiny["pos-gru"]))
    sentences = [sentence.split() for sentence in SENTENCES]
    before = tag_probabilities(model, vocabulary, sentences)
    change(model)
    torch.manual_seed(0)
    after = tag_probabilities(model, vocabulary, sentences)
    model.known = None
    model.spelling.kept = None
    torch.manual_seed(0)
    assert_same(after, tag_probabilities(model, vocabulary, sentences))
    assert abs(before[0] - after[0]).max() > 1e-3


def test_a_model_may_be_loaded_or_copied_where_nothing_is_differentiated(tiny: dict[str, Checkpoint], tiny_folder: Path) -> None:
    path = tiny_folder / "pos-gru.safetensors"
    with torch.inference_mode():
        inside = checkpoints.load(path)
        copied = copy.deepcopy(tiny["pos-gru"])
    wanted = read(tiny["pos-gru"], SENTENCES)
    assert_same(read(inside, SENTENCES), wanted)
    assert_same(read(copied, SENTENCES), wanted)


def test_who_looks_on_sees_all_words(tiny: dict[str, Checkpoint]) -> None:
    model, vocabulary = as_tagger(copy.deepcopy(tiny["pos-lstm"]))
    seen: list[Tensor] = []
    model.word_embedding.register_forward_hook(lambda _layer, _inputs, result: seen.append(result))
    for _ in range(2):
        tag_probabilities(model, vocabulary, [["The", "boats", "."]])
    assert [len(words[0]) for words in seen] == [3, 3]


def test_who_looks_on_at_all_modules_does_too(tiny: dict[str, Checkpoint]) -> None:
    seen: list[nn.Module] = []
    hook = register_module_forward_hook(lambda module, _inputs, _result: seen.append(module))
    try:
        read(tiny["pos-lstm"], ["The boats ."])
    finally:
        hook.remove()
    assert tiny["pos-lstm"].model in seen


def test_a_copy_knows_no_words(tiny: dict[str, Checkpoint]) -> None:
    model, _ = as_tagger(tiny["pos-gru"])
    read(tiny["pos-gru"], SENTENCES)
    fresh = copy.deepcopy(model)
    fresh.known = KnownWords()
    assert len(pickle.dumps(model)) == len(pickle.dumps(fresh))


def test_a_model_that_is_trained_on_keeps_nothing(tiny: dict[str, Checkpoint]) -> None:
    model, _ = as_tagger(copy.deepcopy(tiny["pos-gru"]))
    assert model.known is not None
    assert model.train().known is None


def test_only_words_that_are_not_known_are_read_and_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MOST", 3)
    kept, asked = KnownWords(), list[list[str]]()

    def lengths(words: list[str]) -> Floats:
        asked.append(words)
        return np.array([[len(word)] for word in words], np.float32)

    for words in (["a", "bb"], ["bb", "ccc"], ["dddd", "a"], ["a", "bb"], ["eeeee", "f", "gg"], ["a", "ccc"]):
        assert kept.rows(words, lengths).tolist() == [[len(word)] for word in words]
    # four are too many, so those become the old ones; a and bb are then read from them and stay
    assert asked == [["a", "bb"], ["ccc"], ["dddd"], ["eeeee", "f", "gg"], ["ccc"]]


def test_a_very_long_word_is_not_kept() -> None:
    kept, asked = KnownWords(), list[list[str]]()

    def ones(words: list[str]) -> Floats:
        asked.append(words)
        return np.ones((len(words), 1), np.float32)

    for _ in range(2):
        kept.rows(["a", "b" * 1000], ones)
    assert asked == [["a", "b" * 1000], ["b" * 1000]]


def test_many_threads_that_read_other_words_get_the_rows_of_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MOST", 20)
    kept = KnownWords()

    def numbers(words: list[str]) -> Floats:
        return np.array([[float(word)] for word in words], np.float32)

    def all_right(start: int) -> bool:
        return all(
            kept.rows([str(word) for word in words], numbers)[:, 0].tolist() == list(words)
            for words in (range(at % 50, at % 50 + 15) for at in range(start, start + 300))
        )

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(all_right, range(8)))
