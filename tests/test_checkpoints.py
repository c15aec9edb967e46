"""A checkpoint explains itself, survives a round trip, and fails loudly when it is damaged or not what was asked for."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from seqmodels import checkpoints, tensorfiles
from seqmodels.checkpoints import Checkpoint, CheckpointError
from seqmodels.inference import next_words, tag

TEXT = "The old man lives in Berlin ."


def rewrite(path: Path, change: dict[str, object] | None, drop_weight: bool = False) -> None:
    """The same file with another description, or without one of its weights."""
    with safetensors.safe_open(path, framework="pt") as file:
        described = json.loads(file.metadata()["seqmodels"])
    tensors = safetensors.torch.load_file(path)
    if drop_weight:
        tensors.popitem()
    described |= change or {}
    safetensors.torch.save_file(tensors, path, {"seqmodels": json.dumps(described)})


@pytest.mark.parametrize("name", ["pos-gru", "lm-gru", "names-gru"])
def test_a_model_is_loaded_without_the_compiler_of_torch(name: str) -> None:
    """Its import takes longer than all else that a first answer waits for, and much memory."""
    script = (
        "import sys; from seqmodels import checkpoints; checkpoints.load(sys.argv[1]); sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, name], check=True, cwd=Path(__file__).parent.parent)


@pytest.fixture
def copy(tiny_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "pos-gru.safetensors"
    path.write_bytes((tiny_folder / path.name).read_bytes())
    return path


def test_files_are_read_one_at_a_time_however_many_ask(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, inside, most = checkpoints.read_header, [], [0]

    def counted(path: Path) -> tensorfiles.Header:
        inside.append(path)
        most.append(len(inside))
        time.sleep(0.02)
        try:
            return read(path)
        finally:
            inside.pop()

    monkeypatch.setattr(checkpoints, "read_header", counted)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda ask: ask(copy), [checkpoints.load, checkpoints.read_info, checkpoints.look] * 3))
    assert (max(most), len(most)) == (1, 10)


def test_save_then_load_gives_the_same_predictions(tiny: dict[str, Checkpoint], tmp_path: Path) -> None:
    for name, before in tiny.items():
        path = tmp_path / f"{name}.safetensors"
        checkpoints.save(path, before.model, before.vocabulary, before.info)
        after = checkpoints.load(path)
        assert after.info == before.info
        if before.info.task == "lm":
            assert (next_words(after, TEXT).log_probabilities == next_words(before, TEXT).log_probabilities).all()
        else:
            assert tag(after, TEXT) == tag(before, TEXT)


def test_a_checkpoint_is_found_by_its_name(tiny_checkpoints: Path) -> None:
    assert checkpoints.load("ner-lstm").path == tiny_checkpoints / "ner-lstm.safetensors"


def test_saving_leaves_no_partial_file_behind(copy: Path) -> None:
    loaded = checkpoints.load(copy)
    checkpoints.save(copy, loaded.model, loaded.vocabulary, loaded.info)
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, -1])
def test_a_truncated_file_is_named_as_damaged(copy: Path, keep: float) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(CheckpointError, match="damaged or cut short"):
        checkpoints.load(copy)


def test_a_file_of_another_format_version_says_so(copy: Path) -> None:
    rewrite(copy, {"format": 99})
    with pytest.raises(CheckpointError, match="has format 99, this version reads 1 and 2"):
        checkpoints.load(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"cell": "gru", "hidden_size": -3}},
        {"config": {"cell": "lstm", "hidden_size": 8}},
        {"task": "chess"},
        {"config": {"size": 1}},
        {"cell": None, "config": None},
        {"vocabulary": {"words": ["<unk>"]}},
        {"vocabulary": None},
    ],
)
def test_a_damaged_description_is_refused(copy: Path, change: dict[str, object]) -> None:
    rewrite(copy, change)
    with pytest.raises(CheckpointError, match="damaged description"):
        checkpoints.load(copy)


def test_weights_that_do_not_fit_the_description_are_refused(copy: Path) -> None:
    rewrite(copy, {"config": {"cell": "gru", "hidden_size": 9}})
    with pytest.raises(CheckpointError, match="does not hold the model it describes"):
        checkpoints.load(copy)


def test_a_missing_weight_is_refused(copy: Path) -> None:
    rewrite(copy, None, drop_weight=True)
    with pytest.raises(CheckpointError, match="does not hold the model it describes"):
        checkpoints.load(copy)


def test_others_may_read_a_file_if_the_umask_lets_them(copy: Path) -> None:
    tensorfiles.write_tensors(copy, *tensorfiles.read_tensors(copy))
    (copy.parent / "any").touch()
    assert copy.stat().st_mode == (copy.parent / "any").stat().st_mode


def test_weights_that_are_not_finite_are_refused(copy: Path) -> None:
    tensors, metadata = tensorfiles.read_tensors(copy)
    tensors["head.bias"][0] = torch.nan
    tensorfiles.write_tensors(copy, tensors, metadata)
    with pytest.raises(CheckpointError, match="not finite"):
        checkpoints.load(copy)


def test_a_safetensors_file_of_another_program_is_no_checkpoint(copy: Path) -> None:
    safetensors.torch.save_file({"x": torch.zeros(1)}, copy)
    with pytest.raises(CheckpointError, match="no seqmodels checkpoint"):
        checkpoints.load(copy)


@pytest.mark.parametrize("wanted", [{"cell": "lstm"}, {"task": "ner"}])
def test_a_checkpoint_for_another_cell_or_task_is_refused_by_name(copy: Path, wanted: dict[str, str]) -> None:
    with pytest.raises(CheckpointError, match=rf"saved for .*not '{next(iter(wanted.values()))}'"):
        checkpoints.load(copy, **wanted)


def test_a_missing_checkpoint_says_how_to_list_those_here(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="seqmodels checkpoints"):
        checkpoints.load(tmp_path / "pos-gru.safetensors")


def test_listing_goes_on_past_a_damaged_file(copy: Path, tiny_folder: Path) -> None:
    (copy.parent / "ner-elman.safetensors").write_bytes(b"no")
    listed = {found.name: found for found in checkpoints.list_checkpoints(copy.parent)}
    assert listed["pos-gru"].info is not None
    assert listed["ner-elman"].info is None
    assert "damaged" in (listed["ner-elman"].problem or "")
