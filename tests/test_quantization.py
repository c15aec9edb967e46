"""Large matrices are stored in eight bits: close to what they were, the same each time, and refused where they are damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from docs import eight_bits
from seqmodels import checkpoints, quantization
from seqmodels.checkpoints import FLOATING_FORMAT, FORMAT, CheckpointError
from seqmodels.data import files_dataset
from seqmodels.quantization import pack, quantize, restore, unpack
from seqmodels.runs import trainer
from seqmodels.runs.settings import from_flat
from seqmodels.tensorfiles import read_tensors, write_tensors
from tests.conftest import save_tiny
from tests.running import finish, interrupted, make

MATRIX = torch.randn(300, 200, generator=torch.Generator().manual_seed(1))  # as large as one in eight bits must be
Tensors = dict[str, torch.Tensor]


@pytest.fixture
def small_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Matrices of any size go into eight bits."""
    monkeypatch.setattr(quantization, "LARGE", 1)


@pytest.fixture
def eight(tmp_path: Path, small_too: None) -> Path:
    """A small model in eight bits."""
    save_tiny(path := tmp_path / "pos-gru.safetensors", "pos", "gru")
    return path


def kinds(path: Path) -> set[torch.dtype]:
    """The types of a file's matrices."""
    return {value.dtype for value in read_tensors(path)[0].values() if value.dim() == 2}


def assert_same_tensors(one: Path, other: Path) -> None:
    first, second = read_tensors(one)[0], read_tensors(other)[0]
    assert first.keys() == second.keys()
    assert all(value.dtype == second[name].dtype and torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize("size", [1e-7, 0.01, 1, 1e5])
def test_a_number_is_restored_to_half_a_step_of_its_row_and_never_changes_again(size: float) -> None:
    rows = size * MATRIX.view(15_000, 4) * torch.logspace(-3, 1, 15_000).unsqueeze(1)
    rows[7] = 0
    values, scales = quantize(rows)
    restored = restore(values, scales)
    assert ((restored - rows).abs() <= 0.501 * scales.float().unsqueeze(1)).all()
    assert not restored[7].any()
    again = quantize(restored)
    assert torch.equal(again[0], values)
    assert torch.equal(again[1], scales)


def test_only_large_matrices_of_finite_numbers_are_in_eight_bits() -> None:
    wild = MATRIX.clone()
    wild[0, 0] = torch.nan
    given = {"large": MATRIX, "small": MATRIX[:, 1:], "flat": MATRIX.flatten(), "deep": MATRIX.view(30, 20, 100), "wild": wild}
    packed = pack(given)
    assert packed["large"].dtype == torch.int8
    assert {name for name in packed if name not in given} == {"large.scales"}
    assert {packed[name].dtype for name in ("small", "flat", "deep")} == {torch.float16}
    assert torch.equal(unpack(packed)["small"], MATRIX[:, 1:].half().float())
    assert unpack(packed)["wild"].isnan().sum() == 1
    assert {value.dtype for value in pack({"large": MATRIX}, torch.float16).values()} == {torch.float16}


def test_a_model_in_eight_bits_is_saved_again_with_the_same_tensors(eight: Path, tmp_path: Path) -> None:
    assert kinds(eight) == {torch.int8}
    loaded = checkpoints.load(eight)
    assert loaded.info.format == FORMAT
    checkpoints.save(again := tmp_path / "again.safetensors", loaded.model, loaded.vocabulary, loaded.info)
    assert_same_tensors(again, eight)


def test_a_file_of_the_earlier_format_keeps_its_weights_when_it_is_loaded_and_saved(tmp_path: Path, small_too: None) -> None:
    save_tiny(path := tmp_path / "made.safetensors", "pos", "gru")
    made = checkpoints.load(path)
    checkpoints.save(path, made.model, made.vocabulary, replace(made.info, format=FLOATING_FORMAT))
    assert kinds(path) == {torch.float16}
    stored, loaded = read_tensors(path)[0], checkpoints.load(path)
    assert all(torch.equal(value.float(), loaded.model.state_dict()[name]) for name, value in stored.items())
    checkpoints.save(again := tmp_path / "again.safetensors", loaded.model, loaded.vocabulary, loaded.info)
    assert_same_tensors(again, path)


def test_the_scores_in_a_file_are_those_of_its_weights(tmp_path: Path, small_too: None) -> None:
    text, output = tmp_path / "text.txt", tmp_path / "own.safetensors"
    text.write_text("the old man saw a dog and the dog saw him\n\n" * 8)
    settings = from_flat({"task": "lm", "cell": "gru", "hidden_size": "8", "epochs": "2"})
    list(trainer.train(settings, dataset := files_dataset("lm", text, text), output))
    loaded = checkpoints.load(output)
    assert kinds(output) == {torch.int8}
    assert loaded.task.evaluate(loaded.model, loaded.vocabulary, dataset.dev).figures == loaded.info.scores["dev"]


@pytest.mark.usefixtures("own_folders", "small_too")
def test_the_best_weights_of_a_run_are_in_eight_bits_once_they_are_scored() -> None:
    run = interrupted(make(epochs=2))
    best = run.folder / "best.safetensors"
    assert kinds(best) == {torch.float16}
    assert checkpoints.read_info(best).format == FLOATING_FORMAT
    finish(run)
    assert kinds(best) == {torch.int8}
    assert checkpoints.read_info(best).format == FORMAT


@pytest.mark.usefixtures("own_folders", "small_too")
def test_a_file_is_rewritten_with_the_scores_of_its_new_weights() -> None:
    path = interrupted(make()).folder / "best.safetensors"
    eight_bits.main([str(path)])
    assert kinds(path) == {torch.int8}
    loaded = checkpoints.load(path)
    assert loaded.task.evaluate(loaded.model, loaded.vocabulary, loaded.task.load("dev")).figures == loaded.info.scores["dev"]
    content = path.read_bytes()
    eight_bits.main([str(path)])
    assert path.read_bytes() == content


def _scales(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({"head.weight.scales": change(tensors["head.weight.scales"])})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda tensors: tensors.pop("head.weight.scales"), "head.weight is in eight bits, and there is no head.weight.scales"),
        (lambda tensors: tensors.pop("head.weight"), "it has no head.weight"),
        (lambda tensors: tensors.update({"more.scales": torch.ones(3)}), "the network has no more.scales"),
        (lambda tensors: tensors.update({"head.weight": tensors["head.weight"].half()}), "it has scales, and is no matrix of int8"),
        (lambda tensors: tensors.update({"head.bias": tensors["head.bias"].to(torch.int8)}), "head.bias is in eight bits"),
        (_scales(lambda scales: scales[1:]), "head.weight.scales is of 16, and in the network of 17"),
        (_scales(lambda scales: scales.unsqueeze(1)), "head.weight.scales is of 17 x 1, and in the network of 17"),
        (_scales(lambda scales: scales.to(torch.int32)), "its scales are not finite numbers from 0 on"),
        (_scales(lambda scales: scales * torch.inf), "its scales are not finite numbers from 0 on"),
        (_scales(lambda scales: scales * torch.nan), "its scales are not finite numbers from 0 on"),
        (_scales(lambda scales: -scales), "its scales are not finite numbers from 0 on"),
        (_scales(lambda scales: scales * 1e30), "weights as large as"),
    ],
)  # fmt: skip
def test_damaged_eight_bits_are_refused(eight: Path, damage: Callable[[Tensors], object], said: str) -> None:
    tensors, metadata = read_tensors(eight)
    damage(tensors)
    write_tensors(eight, tensors, metadata)
    with pytest.raises(CheckpointError, match=r"fetch it again or retrain") as caught:
        checkpoints.load(eight)
    assert said in str(caught.value)
