"""Data to train on, as one record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqmodels.corpora import TextFile, corpus_hash, file_hash
from seqmodels.data import DataConfig, data_for
from seqmodels.tasks import find_task
from seqmodels.tasks.tagging import calibrate as calibrate_tagger

PROBES = {
    "pos": "The old man the boats, and they record a new record.",
    "ner": "John Smith flew from Berlin to New York to work for Siemens.",
    "lm": "The people of the United States",
    "char": "The people ",
}


@dataclass(frozen=True)
class Dataset:
    """Sentences, paragraphs or sequences to train on, and those to score on by split; `names` and `hash` say what they are."""

    train: list[Any]
    held_out: Mapping[str, list[Any]]
    names: tuple[str, ...]
    hash: str

    @property
    def dev(self) -> list[Any]:
        return self.held_out["dev"]


def load_dataset(task: str, config: DataConfig | None = None, file: TextFile | None = None) -> Dataset:
    data = data_for(task, config, file)
    return Dataset(data.train, {"dev": data.dev}, data.corpus, data.corpus_hash)


def recipe_dataset(task: str) -> Dataset:
    found = find_task(task)
    held_out: dict[str, list[Any]] = {split: found.load(split) for split in ("dev", "test")}
    return Dataset(found.load("train"), held_out, found.corpora, _joined_hash(*map(corpus_hash, found.corpora)))


def files_dataset(task: str, train: Path, dev: Path) -> Dataset:
    found = find_task(task)
    digest = _joined_hash(file_hash(train), file_hash(dev))
    return Dataset(found.read(train), {"dev": found.read(dev)}, (train.name, dev.name), digest)


def calibrate(task: str, model: Any, vocabulary: Any, dev: list[Any]) -> float:
    return calibrate_tagger(model, vocabulary, dev) if task in ("pos", "ner") else 1.0


def _joined_hash(*digests: str) -> str:
    return hashlib.sha256("".join(digests).encode()).hexdigest()
