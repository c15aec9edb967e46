"""What is worked out of a model is kept until its file changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pages.common.caching import cached_by_model

calls: list[tuple[str, str, int]] = []


@cached_by_model(max_entries=4)
def first(name: str, text: str, count: int) -> list[str]:
    calls.append((name, text, count))
    return [text] * count


@cached_by_model(max_entries=4)
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


def test_a_page_may_draw_a_picture_as_soon_as_its_menu_is_there() -> None:
    """plotly fails while pandas is being imported, on whatever thread: that is over before the warm-up goes on behind the page."""
    script = (
        "import sys, threading; from pages.common import loading; threading.Thread.start = lambda self: None; "
        "loading.warm_up(); sys.exit('pandas' not in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=Path(__file__).parent.parent)
