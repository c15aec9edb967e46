"""A description that is wrong in any place is refused in a sentence, through every door, and nothing else happens."""

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch

from seqmodels import checkpoints, quantization
from seqmodels.checkpoints import Checkpoint, CheckpointError
from seqmodels.inference import continue_text, next_words, score_prompt, tag
from seqmodels.runs.publishing import import_checkpoint
from seqmodels.tensorfiles import LARGEST_HEADER, read_tensors
from seqmodels.traces import trace
from seqmodels.vocab import LanguageVocab, Vocab
from tests.conftest import save_tiny
from tests.damaging_checkpoints import damaged


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


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["pos-gru", "ner-lstm", "lm-elman", "char-gru"])
def test_a_thousand_damaged_files_are_read_or_refused_in_a_short_sentence(
    tiny_folder: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization, "LARGE", 1)  # so the last is in eight bits
    source = tiny_folder / f"{name}.safetensors"
    if not source.exists():
        task, _, cell = name.partition("-")
        save_tiny(source := tmp_path / "whole.safetensors", task, cell)
    path = tmp_path / "damaged" / "changed.safetensors"
    path.parent.mkdir()
    refused = 0
    for number, content in enumerate(damaged(source.read_bytes(), 250, seed=len(name))):
        path.write_bytes(content)
        listed = checkpoints.look(path)
        assert (listed.info is None) == (listed.problem is not None)
        try:
            loaded = checkpoints.load(path)
        except CheckpointError as error:
            refused += 1
            said = str(error).replace(str(path), "")
            assert "\n" not in said
            assert len(said) < checkpoints.LONGEST_REASON + 120
        else:
            use(loaded)
        if number % 10 == 0:
            keep(content, f"brought-{number}")
    assert refused > 100


def use(loaded: Checkpoint) -> None:
    """Whatever passes the check can be used: what it cannot do on this text it says."""
    with contextlib.suppress(ValueError):
        trace(loaded, "She sings .")
        if loaded.task.predicts == "tags":
            tag(loaded, "She sings .")
        else:
            next_words(loaded, "She sings")
            score_prompt(loaded, "She sings .")
            list(continue_text(loaded, "She", max_tokens=3))


def keep(content: bytes, name: str) -> None:
    """The same by an upload."""
    with contextlib.suppress(CheckpointError):
        import_checkpoint(content, name).unlink()


def test_a_header_of_many_megabytes_is_refused_unread(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.safetensors"
    safetensors.torch.save_file({"x": torch.zeros(1)}, path, {"seqmodels": "[" + "[]," * LARGEST_HEADER + "[]]"})
    monkeypatch.setattr(safetensors, "safe_open", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(CheckpointError, match=r"its header has 12\.0 MB, and 4 MB at most are read"):
        checkpoints.read_info(path)


def test_no_model_is_saved_whose_header_could_not_be_read(tiny: dict[str, Checkpoint], tmp_path: Path) -> None:
    model = tiny["lm-gru"]
    words = Vocab.build([f"{number:0999}" for number in range(3000)], special=("<unk>", "<eos>"))
    with pytest.raises(CheckpointError, match="Train on fewer words"):
        checkpoints.save(tmp_path / "large.safetensors", model.model, LanguageVocab(words), model.info)
    assert not list(tmp_path.iterdir())


def test_weights_of_other_sizes_are_refused_before_any_is_read(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_folder / "pos-gru.safetensors"
    described = header_of(source)
    described["config"]["hidden_size"] = 9
    path = write(tmp_path / "changed.safetensors", described, safetensors.torch.load_file(source))
    monkeypatch.setattr(checkpoints, "read_tensors", lambda *_: pytest.fail("it was read"))
    with pytest.raises(CheckpointError, match=r"\(recurrent\.\S+ is of 24 x \d+, and in the network of 27 x \d+\)"):
        checkpoints.load(path)


def test_weights_are_read_of_one_file_at_a_time(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, met = threading.Barrier(2), []

    def read(path: Path) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
            met.append(path)
        return read_tensors(path)

    monkeypatch.setattr(checkpoints, "read_tensors", read)
    with ThreadPoolExecutor(2) as threads:
        loaded = list(threads.map(checkpoints.load, [tiny_folder / "pos-gru.safetensors"] * 2))
    assert len(loaded) == 2
    assert not met


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ([f"B-{number}" for number in range(5000)], "1,000 at most"),
        ([f"{place}-{number}" for number in range(101) for place in "BI"], "101 types of entities, and 100 at most"),
        (["B-" + "x" * 500], "100 at most are a tag"),
    ],
)
def test_tags_that_are_too_many_or_too_long_are_refused(tiny_folder: Path, tmp_path: Path, tags: list[str], said: str) -> None:
    source = tiny_folder / "pos-gru.safetensors"
    described = header_of(source)
    described["vocabulary"]["tags"] = tags
    assert said in problem_of(write(tmp_path / "changed.safetensors", described, safetensors.torch.load_file(source)))


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
