"""What is worked out of a model is kept until its file changes."""

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from pages.common import loading
from pages.common.caching import cached_by_model, one_look, stamp
from pages.common.shelf import Shelf, size_of
from seqmodels import checkpoints
from seqmodels.inference import tag
from seqmodels.traces import tag_and_trace

calls: list[tuple[str, str, int]] = []


@cached_by_model
def first(name: str, text: str, count: int) -> list[str]:
    calls.append((name, text, count))
    return [text] * count


@cached_by_model
def second(name: str, text: str, count: int) -> str:
    return f"{name} {text} {count}"


@pytest.mark.usefixtures("fresh_cache")
def test_it_is_worked_out_once_for_each_model_file_and_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    file = tmp_path / "pos-gru.safetensors"
    file.write_bytes(b"")
    assert first("pos-gru", "a", 2) is first("pos-gru", "a", 2)
    assert len(calls) == 1
    first("pos-gru", "b", 2)
    first("pos-lstm", "a", 2)
    assert len(calls) == 3
    os.utime(file, ns=(1, 1))
    first("pos-gru", "a", 2)
    assert len(calls) == 4
    assert second("pos-gru", "a", 2) == "pos-gru a 2", "another function has a cache of its own"


@pytest.mark.usefixtures("fresh_cache")
def test_that_a_model_works_is_known_when_it_has_been_let_go(tiny_checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_MODELS_MB", "0.000001")
    found = loading.available("pos", "ner")
    monkeypatch.setattr(checkpoints, "load", lambda *arguments, **promised: pytest.fail("it is loaded again"))
    assert found
    assert loading.available("pos", "ner") == found


def test_a_run_of_a_page_looks_once_for_a_model_and_the_next_one_anew(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy2(tiny_folder / "pos-gru.safetensors", tmp_path))
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    with one_look():
        before = stamp("pos-gru")
        os.utime(path, ns=(before + 10**9, before + 10**9))
        assert stamp("pos-gru") == before
    assert stamp("pos-gru") == before + 10**9
    with one_look():
        assert stamp("pos-gru") == before + 10**9


@pytest.mark.usefixtures("fresh_cache")
def test_the_warm_up_stays_with_the_folder_that_it_began_with(
    tiny_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = checkpoints.load

    def load_elsewhere(path: Path, **promised: str) -> checkpoints.Checkpoint:
        monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
        return load(path, **promised)

    monkeypatch.setattr(checkpoints, "load", load_elsewhere)
    loading._load_all()
    assert loading.available("pos", "ner") == [], "an empty folder"
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tiny_checkpoints))
    assert loading.available("pos", "ner") == loading.shipped("pos", "ner") != []


def test_a_page_may_draw_a_picture_as_soon_as_its_menu_is_there() -> None:
    """plotly fails while pandas is being imported, on whatever thread: that is over before the warm-up goes on behind the page."""
    script = (
        "import sys, threading; from pages.common import loading; threading.Thread.start = lambda self: None; "
        "loading.warm_up(); sys.exit('pandas' not in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=Path(__file__).parent.parent)


def filled(shelf: Shelf[np.ndarray], *names: str, megabytes: float = 1) -> None:
    for name in names:
        shelf.get(name, lambda: np.zeros(round(megabytes * 2**20), np.uint8))


def test_a_shelf_holds_what_was_used_last_up_to_its_bytes() -> None:
    shelf: Shelf[np.ndarray] = Shelf(lambda: 3.5 * 2**20)
    filled(shelf, "a", "b", "c", "a", "d")
    assert len(shelf) == 3
    assert shelf.get("a", lambda: pytest.fail("it was used after b")).nbytes == 2**20
    assert 3 * 2**20 < shelf.weight < 3.5 * 2**20
    filled(shelf, "huge", megabytes=4)
    assert len(shelf) == 3, "what does not fit is made, and nothing goes for it"
    filled(shelf, "large", megabytes=3)
    assert len(shelf) == 1


def test_many_who_ask_at_once_have_a_value_made_once_and_an_error_is_not_kept() -> None:
    shelf: Shelf[int] = Shelf(lambda: 1000)
    together, made = threading.Barrier(8), count(1)

    def ask() -> int:
        together.wait()
        return shelf.get("one", lambda: next(made))

    with ThreadPoolExecutor(8) as pool:
        assert {one.result() for one in [pool.submit(ask) for _ in range(8)]} == {1}
    with pytest.raises(ZeroDivisionError):
        shelf.get("wrong", lambda: 1 // 0)
    assert shelf.get("wrong", lambda: 7) == 7


@pytest.mark.usefixtures("fresh_cache")
def test_all_that_models_said_shares_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RESULTS_MB", "1")
    calls.clear()
    for number in range(100):
        first("pos-gru", str(number) * 20_000, 1)
    first("pos-gru", "99" * 20_000, 1)
    assert len(calls) == 100
    first("pos-gru", "0" * 20_000, 1)
    assert len(calls) == 101, "hundred texts of forty kB are no MB"


@pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")
@pytest.mark.parametrize("task", ["pos", "ner"])
def test_a_tagging_knows_about_what_it_weighs(task: str) -> None:
    found = tag(checkpoints.load(f"{task}-gru"), "Angela Merkel met the old man in Berlin, where few boats are kept. " * 5)
    parts = sum(size_of(getattr(found, field.name)) for field in fields(found))
    assert size_of(found) == found.nbytes == pytest.approx(parts, rel=0.5)


def test_a_long_list_is_weighed_by_some_of_its_items() -> None:
    @dataclass(frozen=True)
    class Word:
        text: str
        values: tuple[float, ...]

    def words(count: int) -> list[Word]:
        return [Word(f"word {number}", (number / 7, number / 3)) for number in range(count)]

    assert size_of(words(20_000)) == pytest.approx(200 * size_of(words(100)), rel=0.1)
    assert size_of(np.zeros((1000, 100))) == pytest.approx(800_000, rel=0.01)
    array = np.zeros(1000)
    assert size_of([array, array]) < 2 * array.nbytes
    assert size_of({name: np.zeros(1000) for name in "abcdefgh"}) > 8 * array.nbytes


@pytest.mark.usefixtures("tiny_checkpoints")
def test_a_reading_is_weighed_with_all_its_numbers() -> None:
    reading = tag_and_trace(checkpoints.load("pos-gru"), "The old man the boats. " * 20)
    (forward, backward) = reading[1].layers
    numbers = [value.nbytes for layer in (forward, backward) for value in vars(layer).values() if isinstance(value, np.ndarray)]
    assert sum(numbers) < size_of(reading) < 2 * sum(numbers) + 200_000
