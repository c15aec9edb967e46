"""Word vectors are found by what a word means the same as, are never trained, and are in no checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from seqmodels import checkpoints, load, tag, vectors
from seqmodels.checkpoints import CheckpointError
from seqmodels.models import Tagger
from seqmodels.tasks import TASKS, ModelConfig
from seqmodels.vectors import GLOVE, VectorsError, save_vectors, word_vectors
from seqmodels.vocab import TaggerVocab
from tests.test_training_resume import make

WORDS = ["the", "paris", "not", "zurich", "born", "known", '"']
VALUES = torch.randn(7, 100, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def own_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small file in the place of the shipped one."""
    monkeypatch.setattr(vectors, "app_folder", lambda: tmp_path)
    word_vectors.cache_clear()
    path = vectors.path_of("small")
    save_vectors(path, WORDS, VALUES)
    monkeypatch.setattr(TASKS["pos"], "vectors", "small", raising=False)
    yield path
    word_vectors.cache_clear()


def test_eight_bits_are_close_to_what_was_saved(own_vectors: Path) -> None:
    found = word_vectors("small")
    assert found.size == 100
    assert torch.allclose(found.look_up(torch.arange(7)), VALUES, atol=float(VALUES.abs().max()) / 200)
    assert not found.look_up(torch.tensor([found.none])).any()


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("the", "the"), ("The", "the"), ("PARIS", "paris"), ("n't", "not"), ("n’t", "not"), ("Zürich", "zurich"),
        ("Zu\u0308rich", "zurich"), ("(Paris)", "paris"), ("Paris\u200b", "paris"), ("well-known", "known"), ("“", '"'),
        ("``", '"'), ("new-born", "born"), ("1999", None), ("qwxz", None), ("", None), ("-", None),
    ],
)  # fmt: skip
def test_a_word_is_looked_up_in_lower_case_and_then_in_other_forms(own_vectors: Path, word: str, meant: str | None) -> None:
    found = word_vectors("small")
    assert found.ids([word]) == [found.none if meant is None else WORDS.index(meant)]


def test_a_tagger_reads_them_beside_what_it_learns_and_keeps_none_of_them(own_vectors: Path, tmp_path: Path) -> None:
    training = make("pos")
    assert isinstance(training.model, Tagger)
    assert training.objective.vocabulary.vectors is word_vectors("small")  # type: ignore[attr-defined]
    batch = training.objective.vocabulary.encode([["Paris", "qwxz"], ["the"]])  # type: ignore[attr-defined]
    assert batch.vectors.tolist() == [[1, 7], [0, 7]]
    features, _ = training.model.embed(batch)
    assert torch.equal(features[..., -100:], word_vectors("small").look_up(batch.vectors))
    assert not [name for name, _ in training.model.named_parameters() if "vectors" in name]


def test_a_checkpoint_names_them_and_reads_them_again(own_vectors: Path, tmp_path: Path, tiny) -> None:
    training, path = make("pos"), tmp_path / "own.safetensors"
    vocabulary = training.objective.vocabulary  # type: ignore[attr-defined]
    info = replace(tiny["pos-gru"].info, config=asdict(ModelConfig("gru", 4, dropout=0.3)))
    checkpoints.save(path, training.model, vocabulary, info)
    loaded = load(path)
    assert isinstance(loaded.vocabulary, TaggerVocab)
    assert loaded.vocabulary.vectors is word_vectors("small")
    expected = tag(loaded, "Paris is the place").tokens
    assert "vectors" not in " ".join(safetensors.torch.load_file(path))
    word_vectors.cache_clear()
    assert tag(load(path), "Paris is the place").tokens == expected
    own_vectors.unlink()
    word_vectors.cache_clear()
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(caught.value) == f"{path} needs another file: no word vectors 'small' in checkpoints/vectors: fetch the file again"


@pytest.mark.parametrize("content", [b"", b"no vectors", None])
def test_a_damaged_file_says_so(own_vectors: Path, content: bytes | None) -> None:
    if content is None:
        safetensors.torch.save_file({"values": torch.zeros(3, 2), "scales": torch.ones(3)}, own_vectors, {"words": "a\nb\nc"})
    else:
        own_vectors.write_bytes(content)
    with pytest.raises(VectorsError, match=r"small.safetensors is damaged .*: fetch it again"):
        word_vectors("small")


@pytest.mark.parametrize(
    "parts",
    [
        {"values": torch.zeros(3, dtype=torch.int8), "scales": torch.ones(3)},
        {"values": torch.zeros(3, 2, dtype=torch.int8), "scales": torch.ones(3, 1)},
        {"values": torch.zeros(3, 2, dtype=torch.int8), "scales": torch.tensor([1, float("nan"), 1])},
        {"values": torch.zeros(3, 2, dtype=torch.int8), "scales": torch.ones(3, dtype=torch.int32)},
    ],
)
def test_a_file_of_other_shapes_or_numbers_is_damaged(own_vectors: Path, parts: dict[str, torch.Tensor]) -> None:
    safetensors.torch.save_file(parts, own_vectors, {"words": "a\nb\nc"})
    with pytest.raises(VectorsError, match=r"small.safetensors is damaged .*: fetch it again"):
        word_vectors("small")


@pytest.mark.parametrize("name", ["none", "../pos-gru", "", "x" * 500])
def test_a_name_that_there_is_no_file_of_is_refused(name: str) -> None:
    with pytest.raises(VectorsError, match="no word vectors"):
        word_vectors(name)


def test_the_shipped_ones_are_near_where_the_words_are() -> None:
    found = word_vectors(GLOVE)
    king, queen, cabbage = (found.look_up(torch.tensor(found.ids([word]))) for word in ("King", "queen", "cabbage"))
    assert torch.cosine_similarity(king, queen) > 0.7 > 0.4 > torch.cosine_similarity(king, cabbage)
