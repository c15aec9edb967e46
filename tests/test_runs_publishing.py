"""Models of one's own: a run that has ended becomes one, and so does a file from elsewhere."""

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.numpy

from pages.common import loading
from pages.training import current
from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint
from seqmodels.cli import main
from seqmodels.inference import tag
from seqmodels.runs import delete, publishing, store
from seqmodels.runs.publishing import import_checkpoint, may_remove, own_folder, own_path, publish, remove_own
from tests.paging import TRAINING, linked, said, sound
from tests.running import KEY, SENTENCE, files, finish, fork, is_now, kill_all, make, tagging, wait_until


@pytest.fixture(autouse=True)
def _apart(own_folders: Path) -> Iterator[None]:
    yield
    kill_all()


def test_a_finished_run_becomes_a_checkpoint_that_tags_and_outlives_it() -> None:
    run = tagging()
    finish(run)
    path = publish(run, KEY, "my-tagger")
    delete(run, KEY)
    assert [one.name for one in checkpoints.list_checkpoints(own_folder())] == ["my-tagger"]
    assert [token.text for token in tag(checkpoints.load(path), SENTENCE).tokens] == SENTENCE.split()


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".", "A", "a b", "x" * 100, "a.b", "-a", "é"])
def test_a_checkpoint_takes_no_name_that_could_be_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        own_path(name)
    with pytest.raises(ValueError, match="cannot be called"):
        import_checkpoint(b"", name)
    assert not (tmp_path / "own").exists()


def test_a_checkpoint_never_takes_the_place_of_a_shipped_one(tiny_checkpoints: Path) -> None:
    with pytest.raises(ValueError, match="another name"):
        own_path("pos-gru")


def test_a_checkpoint_that_has_the_name_of_a_cell_since_a_later_version_stays_yours(own_folders: Path) -> None:
    name = "mingru"  # short for a shipped model, and the name of none
    path = own_folder() / f"{name}{checkpoints.SUFFIX}"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("fixtures") / "pos.safetensors", path)
    page = linked(TRAINING)
    page.session_state[current.TAB] = "Your models"
    assert f"**{name}**" in said(sound(page.run()))
    assert checkpoints.load(name).path == path
    with pytest.raises(ValueError, match="already"):
        import_checkpoint(path.read_bytes(), name)
    assert not may_remove(name, "other")
    path.with_suffix(".owner").write_text(store.owner_of(KEY))
    remove_own(name, KEY)
    assert not path.exists()
    with pytest.raises(ValueError, match="name of a shipped"):
        own_path(name)


def test_only_an_ended_run_with_weights_can_be_published_and_only_by_its_owner() -> None:
    going = make(epochs=1000, sentences=4000)
    fork(going)
    wait_until(is_now(going, "running"))
    with pytest.raises(ValueError, match="still goes on"):
        publish(going, KEY, "mine")
    with pytest.raises(ValueError, match="someone else"):
        publish(going, "other", "mine")
    with pytest.raises(ValueError, match="no weights yet"):
        publish(make(), KEY, "mine")


def test_a_checkpoint_brought_from_elsewhere_is_kept_once_it_loads(tiny_folder: Path, tmp_path: Path) -> None:
    content = (tiny_folder / "ner-lstm.safetensors").read_bytes()
    path = import_checkpoint(content, "brought")
    assert path.read_bytes() == content
    deep = safetensors.numpy.save({}, {"seqmodels": "[" * 100_000})
    for damaged in (b"", b"nonsense", content[:-50], content[:8] + b"x" + content[9:], b"PK\x03\x04" + content, deep):
        with pytest.raises(ValueError, match="the file") as raised:
            import_checkpoint(damaged, "damaged")
        assert str(tmp_path) not in str(raised.value)
    assert files(tmp_path / "own") == {"brought.safetensors"}


def test_a_checkpoint_larger_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path) -> None:
    monkeypatch.setenv("SEQMODELS_CHECKPOINT_MB", "0.01")
    with pytest.raises(ValueError, match=r"the file has 0\.1 MB: give at most 0\.01 MB"):
        import_checkpoint((tiny_folder / "ner-lstm.safetensors").read_bytes(), "large")


@pytest.fixture
def sized(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A checkpoint, where one visitor may have two, and all together four."""
    monkeypatch.setenv("SEQMODELS_MODELS_EACH", "2")
    monkeypatch.setenv("SEQMODELS_MODELS_KEPT", "4")
    return (tiny_folder / "pos-gru.safetensors").read_bytes()


def test_one_visitor_leaves_room_for_others(sized: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        import_checkpoint(sized, name, KEY)
    with pytest.raises(ValueError, match="2 checkpoints of yours are kept here, as many as one visitor may have"):
        import_checkpoint(sized, "three", KEY)
    import_checkpoint(sized, "three", "another")
    remove_own("two", KEY)
    import_checkpoint(sized, "two", KEY)
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    import_checkpoint(sized, "four", KEY)
    with pytest.raises(ValueError, match="4 checkpoints are kept here, and no more fit"):
        import_checkpoint(sized, "five", KEY)


def idle(name: str, days: float) -> None:
    """Let nobody have used a checkpoint for so many days."""
    then = time.time() - days * 24 * 3600
    for path in own_folder().glob(f"{name}.*"):
        os.utime(path, (then, then))


def test_what_nobody_uses_makes_room_and_a_use_keeps_it(sized: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in {"old": KEY, "used": KEY, "placed": ""}.items():
        import_checkpoint(sized, name, key)
    for name in ("old", "used", "placed"):
        idle(name, 31)
    publishing.note_use(own_path("used"))
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    import_checkpoint(sized, "new", "another")
    assert len(publishing.kept()) == 4, "whoever is alone decides themselves"
    remove_own("new", "another")
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "0")
    import_checkpoint(sized, "new", "another")
    assert files(own_folder()) == {f"{name}.{end}" for name in ("used", "new") for end in ("safetensors", "owner")} | {
        "placed.safetensors"
    }


def test_a_page_that_reads_with_a_model_has_used_it(sized: bytes) -> None:
    import_checkpoint(sized, "mine", KEY)
    idle("mine", 31)
    assert [one.name for one in publishing.unused()] == ["mine"]
    assert loading.checkpoint("mine").name == "mine"
    assert publishing.unused() == []


def test_the_command_lists_what_is_unused_and_deletes_it_only_when_told(sized: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    for name, days in (("fresh", 0), ("old", 40)):
        import_checkpoint(sized, name, KEY)
        idle(name, days)
    assert main(["models"]) == 0
    listed = capsys.readouterr()
    assert re.search(r"old .* 40\.0 .* unused", listed.out)
    assert "1 of 2 are unused" in listed.err
    assert len(publishing.kept()) == 2
    assert main(["models", "--prune", "--json"]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)["models"]}
    assert [name for name, one in told.items() if one["deleted"]] == ["old"]
    assert told["old"]["owner"] == store.owner_of(KEY)
    assert files(own_folder()) == {"fresh.safetensors", "fresh.owner"}
    assert main(["models", "--prune", "--days", "0"]) == 0
    assert files(own_folder()) == set()


def test_a_small_file_that_describes_a_huge_network_is_refused_unmade(tiny: dict[str, Checkpoint], tmp_path: Path) -> None:
    made = tiny["ner-lstm"]
    info = replace(made.info, config={**made.info.config, "hidden_size": 2048, "layers": 8})
    checkpoints.save(tmp_path / "huge.safetensors", made.model, made.vocabulary, info)
    with pytest.raises(ValueError, match="does not hold the model it describes"):
        import_checkpoint((tmp_path / "huge.safetensors").read_bytes(), "huge")


def test_a_name_that_is_taken_is_refused_and_what_is_there_stays(tiny_folder: Path) -> None:
    path = import_checkpoint((tiny_folder / "ner-lstm.safetensors").read_bytes(), "brought")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="already"):
        import_checkpoint((tiny_folder / "pos-gru.safetensors").read_bytes(), "brought")
    assert path.read_bytes() == before


def test_only_who_made_a_checkpoint_may_delete_it(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (tiny_folder / "ner-lstm.safetensors").read_bytes()
    import_checkpoint(content, "brought", KEY)
    assert not may_remove("brought", "other")
    with pytest.raises(ValueError, match="someone else's"):
        remove_own("brought", "other")
    remove_own("brought", KEY)
    assert files(own_folder()) == set()
    import_checkpoint(content, "brought", KEY)
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    remove_own("brought", "other")
    assert checkpoints.list_checkpoints(own_folder()) == []


def test_ones_own_checkpoint_is_found_by_its_name(tiny_folder: Path) -> None:
    path = import_checkpoint((tiny_folder / "ner-lstm.safetensors").read_bytes(), "brought")
    assert checkpoints.load("brought").path == path


@pytest.mark.parametrize("names", [("mine", "mine"), ("mine", "other")])
def test_of_two_that_are_added_at_once_to_one_place_the_second_is_refused(
    names: tuple[str, str], tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQMODELS_MODELS_KEPT", "1")
    look, both = checkpoints.load, threading.Barrier(2)

    def slowly(path: Path, **promised: str) -> checkpoints.Checkpoint:  # a warm-up of a test before may ask too
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # until both have found the place free, if they do
        return look(path, **promised)

    def add(name: str) -> str:
        try:
            return import_checkpoint(content, name, KEY).stem
        except ValueError as error:
            return str(error)

    content = (tiny_folder / "pos-gru.safetensors").read_bytes()
    monkeypatch.setattr(checkpoints, "load", slowly)
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(add, names))
    assert sum(one in names for one in told) == 1, told
    assert any("already" in one or "no more fit" in one for one in told)
