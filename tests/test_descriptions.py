"""A description that is wrong in any place is refused in a sentence, through every door, and nothing else happens."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch

from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint, CheckpointError
from seqmodels.inference import tag
from seqmodels.runs.publishing import import_checkpoint
from seqmodels.traces import trace

WRONG: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    3,
    2.5,
    -1e308,
    10**400,
    "",
    "no",
    "NaN",
    "\x00",
    "é" * 500,
    [],
    [1],
    ["a", "a"],
    {},
    {"a": None},
    [[[]]],
)


def header_of(path: Path) -> dict[str, Any]:
    with safetensors.safe_open(path, framework="pt") as file:
        found: dict[str, Any] = json.loads(file.metadata()["seqmodels"])
    return found


def write(path: Path, described: object, tensors: dict[str, torch.Tensor]) -> Path:
    text = described if isinstance(described, str) else json.dumps(described)
    safetensors.torch.save_file(tensors, path, {"seqmodels": text})
    return path


def problem_of(path: Path) -> str:
    """What is said of a file, the same by each door that reads no weights."""
    with pytest.raises(CheckpointError) as raised:
        checkpoints.read_info(path)
    said = str(raised.value)
    assert checkpoints.look(path).problem == said
    assert said in [one.problem for one in checkpoints.list_checkpoints(path.parent)]
    with pytest.raises(CheckpointError):
        checkpoints.load(path)
    with pytest.raises(ValueError, match="the file"):
        import_checkpoint(path.read_bytes(), "brought")
    assert "\n" not in said
    assert len(said) < 500
    return said


@pytest.fixture(autouse=True)
def _apart(own_folders: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("config.bidirectional", "no", "config.bidirectional: 'no': it should be a valid boolean"),
        ("config.bidirectional", 1, "config.bidirectional: 1"),
        ("config.hidden_size", "8", "config.hidden_size: '8': it should be a valid integer"),
        ("config.hidden_size", 8.5, "config.hidden_size"),
        ("config.hidden_size", 4096, "hidden_size is 4096: it must be at least 1 and at most 2048"),
        ("config.dropout", 1, "dropout is 1"),
        ("config.activation", 7, "config.activation: 7: it should be a valid string"),
        ("config.mystery", 7, "config.mystery: no such field is known"),
        ("vocabulary.tags", [1, 2], "vocabulary: tags.0: 1 is no token"),
        ("vocabulary.tags", [], "vocabulary: tags: .* one tag or more"),
        ("vocabulary.tags", ["O", "O"], "none twice"),
        ("vocabulary.tags", ["O", "I-X"], "'I-X' and no 'B-X'"),
        ("vocabulary.tags", "NOUN", "vocabulary: tags: it is missing, or no list"),
        ("vocabulary.words", ["<pad>", "<unk>", 5], "vocabulary: words.2: 5"),
        ("vocabulary.words", ["<pad>", "<unk>", ""], "vocabulary: words.2: ''"),
        ("vocabulary.words", ["<pad>", "a"], "vocabulary: words: it has no '<unk>'"),
        ("vocabulary.words", ["<pad>", "<unk>", "<unk>"], "vocabulary: words: .*twice"),
        ("vocabulary.alphabet", ["<pad>", "<unk>"], "vocabulary: alphabet: it has no '<w>'"),
        ("parameters", -5, "parameters: -5 must be at least 0"),
        ("parameters", 10**400, "parameters: .* must be"),
        ("epochs", "3", "epochs: '3': it should be a valid integer"),
        ("epochs", True, "epochs: True"),
        ("corpus", "ewt", "corpus: 'ewt': "),
        ("corpus", [1], "corpus.0: 1: "),
        ("corpus_hash", 1, "corpus_hash: 1: "),
        ("recipe", [], "recipe: "),
        ("versions", {"torch": 2}, "versions.torch: 2: it should be a valid string"),
        ("scores", {"dev": {"accuracy": "high"}}, "scores.dev.accuracy: 'high': it should be a valid number"),
        ("scores", {"dev": 90.0}, "scores.dev: 90.0"),
        ("temperature", 1e-300, "temperature: 1e-300 must be at least 0.01 and at most 100"),
        ("temperature", 0, "temperature: 0"),
        ("temperature", "1", "temperature: '1'"),
        ("task", ["pos"], "task: "),
        ("cell", "lstm", "cell: it is 'lstm', and that of the network 'gru'"),
        ("mystery", 1, "mystery: no such field is known"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tiny_folder: Path, tmp_path: Path, place: str, value: object, said: str) -> None:
    described = header_of(tiny_folder / "pos-gru.safetensors")
    *parents, last = place.split(".")
    inner = described
    for name in parents:
        inner = inner[name]
    inner[last] = value
    path = write(tmp_path / "changed.safetensors", described, safetensors.torch.load_file(tiny_folder / "pos-gru.safetensors"))
    with pytest.raises(CheckpointError, match=rf"damaged description \(.*{said}.*\): fetch it again or retrain"):
        checkpoints.read_info(path)
    assert place.split(".")[-1] in problem_of(path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_score_that_is_no_finite_number_is_refused(tiny_folder: Path, tmp_path: Path, number: str) -> None:
    path = tiny_folder / "pos-gru.safetensors"
    described = {**header_of(path), "scores": {"dev": {"accuracy": "HERE"}}}
    text = json.dumps(described).replace('"HERE"', number)
    problem_of(write(tmp_path / "changed.safetensors", text, safetensors.torch.load_file(path)))


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Each place in nested values; of a list, its first items."""
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value[:3])) if isinstance(value, list) else []
    return [found for key, inner in items for found in ((*place, key), *places(inner, (*place, key)))]


@pytest.mark.parametrize("name", ["pos-gru", "ner-lstm", "lm-elman"])
def test_no_change_of_a_description_raises_anything_but_a_checkpoint_error(tiny_folder: Path, tmp_path: Path, name: str) -> None:
    source = tiny_folder / f"{name}.safetensors"
    tensors, draw = safetensors.torch.load_file(source), random.Random(name)
    refused = 0
    for number in range(250):
        described = header_of(source)
        place = draw.choice(places(described))
        inner: Any = described
        for key in place[:-1]:
            inner = inner[key]
        if draw.random() < 0.15:
            inner.pop(place[-1])
        else:
            inner[place[-1]] = draw.choice(WRONG)
        path = write(tmp_path / "changed.safetensors", described, tensors)
        try:
            loaded = checkpoints.load(path)
        except CheckpointError:
            refused += 1
            with pytest.raises(CheckpointError, match="the file"):
                import_checkpoint(path.read_bytes(), "brought")
        else:
            trace(loaded, "She sings .")
            if loaded.task.predicts == "tags":
                tag(loaded, "She sings .")
            import_checkpoint(path.read_bytes(), f"brought-{number}").unlink()
        assert (checkpoints.look(path).info is None) == bool(checkpoints.list_checkpoints(tmp_path)[0].problem)
    assert refused > 100


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.full((1,), 3e38), "weights as large as 3e\\+38"),
        (torch.full((1,), torch.inf), "not finite"),
        (torch.full((1,), torch.nan), "not finite"),
        (torch.zeros(1, dtype=torch.int32), "no type of weights"),
        (torch.zeros(1, dtype=torch.bool), "no type of weights"),
        (torch.zeros(1, dtype=torch.complex64), "no type of weights"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(tiny_folder: Path, tmp_path: Path, value: torch.Tensor, said: str) -> None:
    source = tiny_folder / "pos-gru.safetensors"
    tensors = safetensors.torch.load_file(source)
    bias = tensors["head.bias"].to(value.dtype)
    bias[:1] = value
    path = write(tmp_path / "changed.safetensors", header_of(source), {**tensors, "head.bias": bias})
    with pytest.raises(CheckpointError, match=said):
        checkpoints.load(path)


def test_weights_of_any_floating_type_are_read(tiny: dict[str, Checkpoint], tiny_folder: Path, tmp_path: Path) -> None:
    source = tiny_folder / "pos-gru.safetensors"
    tensors = safetensors.torch.load_file(source)
    kinds = (torch.float16, torch.float32, torch.float64, torch.bfloat16)
    mixed = {name: value.to(kinds[number % 4]) for number, (name, value) in enumerate(tensors.items())}
    loaded = checkpoints.load(write(tmp_path / "mixed.safetensors", header_of(source), mixed))
    assert {value.dtype for value in loaded.model.state_dict().values()} == {torch.float32}
    assert [token.text for token in tag(loaded, "She sings .").tokens] == ["She", "sings", "."]
