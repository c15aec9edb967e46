"""Small models of names, with random weights."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import torch

from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint, CheckpointInfo
from seqmodels.corpora import Name
from seqmodels.tasks import find_task

LANGUAGES = ("Italian", "Japanese", "Russian")
NAMES = [
    Name(text, language)
    for language, texts in zip(LANGUAGES, ("Rossi Bianchi De luca", "Sato Suzuki Tanaka", "Ivanov Petrov Ivanova"), strict=True)
    for text in texts.replace("De ", "De_").split()
]
NAMES = [replace(name, text=name.text.replace("_", " ")) for name in NAMES] * 2


def save_names(path: Path, cell: str, *, layers: int = 1, seed: int = 1) -> Path:
    """A checkpoint of the task."""
    task = find_task("names")
    config = replace(task.model, cell=cell, hidden_size=8, layers=layers)
    vocabulary = task.vocabulary(NAMES)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = task.build(config, vocabulary)
    info = CheckpointInfo(
        task="names",
        cell=cell,
        config=asdict(config),
        parameters=sum(value.numel() for value in model.parameters()),
        corpus=("names",),
        corpus_hash="0" * 64,
        recipe={},
        seed=1,
        epochs=1,
        scores={"dev": {"bits_per_character": 3.0}, "test": {"bits_per_character": 3.0}},
        temperature=1.0,
        versions=checkpoints.versions(),
    )
    checkpoints.save(path, model, vocabulary, info, dtype=torch.float32)
    return path


def names_model(folder: Path, cell: str, *, layers: int = 1, language: str = "Russian") -> Checkpoint:
    """The same, loaded, and begun with a language."""
    name = f"names-{cell}" if layers == 1 else f"names-{cell}-{layers}"
    return checkpoints.load(save_names(folder / f"{name}{checkpoints.SUFFIX}", cell, layers=layers)).given(language)
