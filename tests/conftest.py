"""What all tests share."""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
import streamlit as st
import torch
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.context import ContextProxy, StreamlitCookies

from seqmodels import checkpoints
from seqmodels.cells import CELLS
from seqmodels.checkpoints import CheckpointInfo
from seqmodels.tasks import TASKS, TagTask
from seqmodels.tasks.base import ModelConfig
from seqmodels.viz.figure import Whole
from seqmodels.vocab import LanguageVocab, TaggerVocab, Vocabulary

torch.set_num_threads(1)

needs_corpora = pytest.mark.skipif(
    not os.environ.get("SEQMODELS_DATA"), reason="reads the real corpora: set SEQMODELS_DATA to their folder"
)

SHIPPED = ("pos", "ner", "lm")  # the tasks of the checkpoints in the repository, and their cells
SHIPPED_CELLS = ("elman", "gru", "lstm")
# each cell once, and each task with a cell of either kind: fused and looped, memory shown and hidden
MODELS = [*(("pos", cell) for cell in CELLS), ("ner", "gru"), ("lm", "lstm"), ("lm", "gated_forget")]

TINY_SENTENCES = [
    sentence.split()
    for sentence in (
        "The old man the boats .",
        "John Smith lives in Berlin and works for Siemens .",
        "The state of the union is strong , and the people of the United States know it .",
    )
]
TINY_SCORES = {
    "pos": {"accuracy": 91.25},
    "ner": {"precision": 61.5, "recall": 58.25, "f1": 59.83},
    "lm": {"perplexity": 143.5},
}


def thorough_but(values: Iterable[Any], *always: Any) -> list[Any]:
    """Values to parametrize a test with: all but those named `always` are for `make test-all` alone."""
    return [value if value in always else _thorough(value) for value in values]


def _thorough(value: Any) -> Any:
    parts = value if isinstance(value, tuple) else (value,)
    return pytest.param(*parts, marks=pytest.mark.thorough)


@pytest.fixture(scope="session", autouse=True)
def _no_models_of_ones_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What whoever runs the tests has trained is not looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(tmp_path_factory.mktemp("own")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _checked_pictures() -> Iterator[None]:
    """Plotly checks every property of a picture that is sent here, which `viz.figure.Whole` spares the app."""
    send = Whole.to_dict
    templates: list[Any] = []  # checked already: all pictures share one, and it takes a quarter of the time

    def checked(figure: Whole) -> dict[str, Any]:
        whole = vars(figure).get("_whole")
        if whole is not None:
            known = any(whole["layout"]["template"] is template for template in templates)
            go.Figure({**whole, "layout": {**whole["layout"], "template": "none"}} if known else whole)
            if not known:
                templates.append(whole["layout"]["template"])
        return send(figure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Whole, "to_dict", checked)
        yield


@pytest.fixture(scope="session", autouse=True)
def _packages_are_scanned_once() -> Iterator[None]:
    """Streamlit's AppTest looks for components in all installed packages, half a second for each page, as a server does once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_cookies() -> Iterator[None]:
    """A page without a browser has none; AppTest would give it one of any name, which is no text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContextProxy, "cookies", property(lambda _: StreamlitCookies({})))
        yield


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one for `runs` and one for models of one's `own`; only who holds the key of a run or a model may change it."""
    monkeypatch.setenv("SEQMODELS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(tmp_path / "own"))
    monkeypatch.delenv("SEQMODELS_SINGLE_USER", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def fresh_cache() -> Iterator[None]:
    """The pages have cached nothing yet. They know a result by the time of its file, so the tests of one module may share it."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small checkpoints with random weights, {pos, ner, lm} x all cells. Copy it to change it."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for task in SHIPPED:
        for cell in CELLS:
            save_tiny(folder / f"{task}-{cell}{checkpoints.SUFFIX}", task, cell)
    return folder


@pytest.fixture(scope="session")
def nine_folder(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with those of the tasks and cells that ship."""
    folder = tmp_path_factory.mktemp("nine")
    for name in (f"{task}-{cell}{checkpoints.SUFFIX}" for task in SHIPPED for cell in SHIPPED_CELLS):
        shutil.copy2(tiny_folder / name, folder / name)
    return folder


@pytest.fixture
def tiny_checkpoints(nine_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The nine, in the folder that the library, the command line and the pages look in."""
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(nine_folder))
    return nine_folder


@pytest.fixture
def all_tiny_checkpoints(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with those of all cells."""
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tiny_folder))
    return tiny_folder


def save_tiny(path: Path, task_name: str, cell: str) -> None:
    """A small model with random weights."""
    task = TASKS[task_name]
    config = replace(task.model, cell=cell, hidden_size=8)
    vocabulary: Vocabulary = LanguageVocab.build(TINY_SENTENCES, minimum=1)
    if isinstance(task, TagTask):
        vocabulary = TaggerVocab.build(TINY_SENTENCES, task.tags, minimum=1)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = task.build(config, vocabulary)
    info = CheckpointInfo(
        task=task_name,
        cell=cell,
        config=asdict(config),
        parameters=sum(value.numel() for value in model.parameters()),
        corpus=task.corpora,
        corpus_hash="0" * 64,
        recipe=asdict(task.training),
        seed=1,
        epochs=3,
        scores={"dev": TINY_SCORES.get(task_name, {"perplexity": 50.0}), "test": TINY_SCORES.get(task_name, {"perplexity": 50.0})},
        temperature=1.0,
        versions=checkpoints.versions(),
    )
    checkpoints.save(path, model, vocabulary, info)


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> dict[str, checkpoints.Checkpoint]:
    """Those of all cells, loaded, by name."""
    return {path.stem: checkpoints.load(path) for path in sorted(tiny_folder.glob(f"*{checkpoints.SUFFIX}"))}


@pytest.fixture(scope="session")
def deep(tiny: dict[str, checkpoints.Checkpoint]) -> dict[str, checkpoints.Checkpoint]:
    """The same with two recurrent layers and other random weights."""
    return {name: _deepen(checkpoint) for name, checkpoint in tiny.items()}


def _deepen(checkpoint: checkpoints.Checkpoint) -> checkpoints.Checkpoint:
    config = replace(ModelConfig(**checkpoint.info.config), layers=2)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = TASKS[checkpoint.info.task].build(config, checkpoint.vocabulary)
    return replace(checkpoint, model=model.eval().requires_grad_(False))
