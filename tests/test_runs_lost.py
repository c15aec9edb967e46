"""What a run says where the disk fails it: plain words without a path of the server's, and whatever can be kept is kept."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqmodels import checkpoints
from seqmodels.runs import StorageError, delete, find_run, list_all, read_history, rename, start, status, store
from tests.running import KEY, assert_same_model, finish, interrupted, make, tagging

pytestmark = pytest.mark.usefixtures("own_folders")


def flip(path: Path, place: int) -> None:
    """One bit of a file, counted from its end in bytes."""
    content = bytearray(path.read_bytes())
    content[-place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EROFS, "the disk is read-only"), (errno.EACCES, "not allowed"), (errno.EIO, "Input/output error")]
)
def test_what_the_disk_does_not_take_is_told_without_a_path(number: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make()
    opened = os.open

    def refuse(path: Any, *arguments: Any, **_: Any) -> None:
        raise OSError(number, os.strerror(number), str(path))

    def only_read(path: Any, flags: int, *arguments: Any, **more: Any) -> int:
        return opened(path, flags, *arguments, **more) if flags & os.O_ACCMODE == os.O_RDONLY else refuse(path)  # type: ignore[func-returns-value,return-value]

    monkeypatch.setattr(os, "open", only_read)
    monkeypatch.setattr(store, "write_whole", refuse)
    attempts: dict[str, Callable[[], object]] = {
        "deleted": lambda: delete(run, KEY),
        "saved": lambda: start(run, KEY),
        "the name cannot be saved": lambda: rename(run, KEY, "x"),
    }
    for what, attempt in attempts.items():
        with pytest.raises(StorageError, match=f"{what}.*{reason}") as told:
            attempt()
        assert str(store.root()) not in str(told.value)
    assert find_run(run.id) == run


def test_a_run_goes_on_without_the_events_that_were_lost() -> None:
    run, whole = interrupted(make()), make()
    (run.folder / "events.jsonl").unlink()
    for one in (run, whole):
        finish(one)
        assert status(one).name == "finished", status(one).progress.message
    assert [epoch["epoch"] for epoch in read_history(run).epochs] == [2, 3, 4]
    assert_same_model(run.folder / store.BEST, whole.folder / store.BEST)


@pytest.mark.parametrize("place", [1, 1000])
def test_a_flipped_bit_of_a_saved_state_is_seen(place: int) -> None:
    run = interrupted(make())
    flip(run.folder / store.LAST, place)
    finish(run)
    message = status(run).progress.message
    assert "last.safetensors is damaged (its content is not what was saved" in message
    assert "best weights so far can still be used" in message
    assert str(store.root()) not in message


@pytest.mark.parametrize("name", [store.LAST, store.BEST, store.OWN_FILE, store.CONFIG])
def test_a_damaged_file_of_a_run_is_named_without_its_path(name: str) -> None:
    run = interrupted(tagging())
    (run.folder / name).write_bytes(b"\xff{")
    if name == store.CONFIG:
        with pytest.raises(ValueError, match=r"config.json is damaged") as error:
            find_run(run.id)
        message = str(error.value)
    else:
        finish(run)
        message = status(run).progress.message
        assert status(run).name == "failed"
    assert "damaged" in message
    assert str(store.root()) not in message
    assert "delete it" not in message


def test_a_flipped_bit_of_a_checkpoint_is_seen() -> None:
    run = make(epochs=1)
    finish(run)
    flip(run.folder / store.BEST, 1)
    with pytest.raises(checkpoints.CheckpointError, match="checksum"):
        checkpoints.load(run.folder / store.BEST)


@pytest.mark.timeout(120)  # what is waited for in vain must not hold up all tests
@pytest.mark.parametrize("make_other", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_is_no_file_is_never_waited_for(make_other: Callable[[Path], None]) -> None:
    run = interrupted(tagging())
    names = (store.CONFIG, store.STATUS, store.LAST, store.BEST, store.OWN_FILE, store.LOCK, store.LOG, "events.jsonl")
    for number, name in enumerate(names):
        copy = store.root() / f"{number:016x}"
        shutil.copytree(run.folder, copy)
        (copy / name).unlink(missing_ok=True)
        make_other(copy / name)
        (found,) = (one for one in list_all() if one.folder == copy)
        read_history(found)
        assert (f"{name} cannot be read (it is no regular file)" == found.problem) == (name == store.CONFIG)
        assert (f"{name} cannot be read (it is no regular file)" == status(found).problem) == (name == store.STATUS)
        if name in (store.STATUS, store.LOCK, store.LOG):
            with pytest.raises(StorageError, match="it is no regular file"):
                start(found, KEY)
        elif name in (store.LAST, store.OWN_FILE):
            finish(found)
            assert status(found).name == "failed", "it cannot go on"
        assert store.remove(found)
    assert list_all() == [run]
