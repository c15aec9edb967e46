"""What a task can be trained on: its corpora, sentences that the bundled tagger has tagged, or a file of one's own."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seqmodels import checkpoints, text
from seqmodels.corpora import (
    CorpusError,
    CorpusStatus,
    Sentence,
    Subset,
    TextFile,
    corpus_hash,
    file_hash,
    keep_some,
    load_sentences,
    load_texts,
    read_texts,
    split,
    split_text,
    status,
)
from seqmodels.corpora.uploads import check_sentences
from seqmodels.decoding import scheme
from seqmodels.models import Tagger
from seqmodels.tasks import LanguageTask, MemoryTask, TagTask, Task, find_task
from seqmodels.tasks.tagging import tag_probabilities
from seqmodels.vocab import TaggerVocab

SILVER_SENTENCES = 3000  # to train on, unless another number is asked for
SILVER_LENGTHS = range(4, 61)  # words
SILVER_NOTE = (
    "State of the Union sentences, tagged by the bundled tagger: machine-made, good for watching training, no measure of truth"
)
LEAST_DEV = 200  # sentences to check with, however few there are to learn from
DEV_SHARES = (0.05, 0.5)


@dataclass(frozen=True)
class Source:
    """A choice of data for a task; `here` says whether it can be had without asking a network."""

    name: str
    title: str
    note: str
    here: bool


@dataclass(frozen=True)
class DataConfig:
    """What to train on. Without a source, the task's first. A number of sentences counts paragraphs for language models."""

    source: str | None = None
    sentences: int | None = None  # to learn from, drawn by the seed; None: all
    dev_sentences: int | None = None  # to check with; None: all, or where `sentences` is given a fifth of it, and at least 200
    dev_share: float = 0.15  # of a file of one's own
    length: int | None = None  # steps of a memory task's sequences; None: the task's own
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("sentences", "dev_sentences", "length"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}: give at least 1, or leave it out")
        least, most = DEV_SHARES
        if not least <= self.dev_share <= most:
            raise ValueError(f"dev_share is {self.dev_share}: give a share from {least} to {most}")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: give a whole number from 0")

    @property
    def train_subset(self) -> Subset | None:
        return None if self.sentences is None else Subset(self.sentences, self.seed)

    @property
    def dev_subset(self) -> Subset | None:
        if self.dev_sentences is not None:
            return Subset(self.dev_sentences, self.seed)
        return None if self.sentences is None else Subset(max(LEAST_DEV, self.sentences // 5), self.seed)


@dataclass(frozen=True)
class Data:
    """Sentences, paragraphs or sequences to learn from and to check with, and where they come from."""

    train: list[Any]
    dev: list[Any]
    source: str
    corpus: tuple[str, ...]  # for the checkpoint
    corpus_hash: str


def sources(task: str) -> tuple[Source, ...]:
    """What the task can be trained on, the most natural first."""
    found = find_task(task)
    corpora = {one.name: one for one in status()} if found.corpora else {}  # a look at them reads all their files
    return tuple(_describe(found, name, corpora) for name in found.sources)


def data_for(task: str, config: DataConfig | None = None, own: TextFile | None = None) -> Data:
    """Train and dev data. The same config gives the same data.

    `own` is a file of one's own, as `open_upload` gives it. CorpusError says why there is none.
    """
    found, config = find_task(task), config or DataConfig()
    source = config.source or found.sources[0]
    if source not in found.sources:
        raise ValueError(f"task {task!r} has no data source {source!r}: choose one of {', '.join(found.sources)}")
    if (own is not None) != (source == "file"):
        raise ValueError("a file of one's own goes with the source 'file': give both or neither")
    loaders: dict[str, Callable[[Task, DataConfig], Data]] = {"all": _whole_recipe, "silver": _silver, "generated": _generated}
    if own is not None:
        return _own(found, config, own)
    return loaders.get(source, _corpus)(found, config)


def _describe(task: Task, name: str, corpora: Mapping[str, CorpusStatus]) -> Source:
    if name == "file":
        forms = {"pos": "CoNLL-U, or a word and its universal tag a line", "ner": "a word and its IOB tag a line"}
        return Source(name, "A file of your own", forms.get(task.name, "plain text, a blank line between paragraphs"), True)
    if name == "generated":
        return Source(name, "Made up", "sequences drawn by the seed", True)
    here = {corpus: one.place != "absent" for corpus, one in corpora.items()}
    if name == "silver":
        return Source(name, "Silver", SILVER_NOTE, here["sotu"] and _tagger_file(task.name).exists())
    if name == "all":
        return Source(name, "All corpora of the shipped model", ", ".join(task.corpora), all(here[one] for one in task.corpora))
    return Source(name, corpora[name].title, "tagged by people" if isinstance(task, TagTask) else "plain text", here[name])


def _corpus(task: Task, config: DataConfig) -> Data:
    """One corpus, with its own dev split."""
    name = config.source or task.sources[0]
    if (name,) == task.corpora:
        train, dev = task.load("train", config.train_subset), task.load("dev", config.dev_subset)
    else:
        train = keep_some(load_sentences(name, "train"), config.train_subset)
        dev = keep_some(load_sentences(name, "dev"), config.dev_subset)
    return Data(train, dev, name, (name,), _hash(config, corpus_hash(name)))


def _whole_recipe(task: Task, config: DataConfig) -> Data:
    train, dev = task.load("train", config.train_subset), task.load("dev", config.dev_subset)
    return Data(train, dev, "all", task.corpora, _hash(config, *map(corpus_hash, task.corpora)))


def _own(task: Task, config: DataConfig, file: TextFile) -> Data:
    train, dev = _split_own(task, config, file)
    digest = hashlib.sha256(file.text.encode()).hexdigest()
    return Data(train, keep_some(dev, config.dev_subset), "file", (file.name,), _hash(config, digest))


def _split_own(task: Task, config: DataConfig, file: TextFile) -> tuple[list[Any], list[Any]]:
    """What is learned from, and all that it can be checked with."""
    if isinstance(task, LanguageTask):
        texts, more = split_text(_paragraphs(task, file), config.dev_share, config.seed, str(file))
        return keep_some(texts, config.train_subset), more
    assert isinstance(task, TagTask)
    check_sentences(file)
    train, dev = split(task.read_own(file), config.dev_share, config.seed, str(file))
    train = keep_some(train, config.train_subset)
    known = set(task.tags_for(train))
    checked = [sentence for sentence in dev if known.issuperset(sentence.tags)]
    if not checked:
        raise CorpusError(f"{file}: no sentence to check with has only tags of those to learn from: learn from more of them")
    return train, checked


def _paragraphs(task: LanguageTask, file: TextFile) -> list[list[str]]:
    """Those of the file; its lines where no blank line parts it."""
    parted = len(read_texts(file)) > 1
    return task.read(file if parted else TextFile(file.name, file.text.strip().replace("\n", "\n\n")))


def _generated(task: Task, config: DataConfig) -> Data:
    assert isinstance(task, MemoryTask)
    length = config.length or task.length
    train = task.split("train", length, config.sentences, config.seed)
    dev = task.split("dev", length, config.dev_sentences, config.seed)
    return Data(train, dev, "generated", (f"{task.name}, {length} steps",), _hash(config, task.name))


def _silver(task: Task, config: DataConfig) -> Data:
    """State of the Union sentences with the bundled tagger's tags."""
    file = _tagger_file(task.name)
    tagger = checkpoints.load(file, task=task.name)
    model, vocabulary = tagger.model, tagger.vocabulary
    assert isinstance(model, Tagger) and isinstance(vocabulary, TaggerVocab)
    rules = scheme(vocabulary.tags)
    count = config.sentences or SILVER_SENTENCES
    counts = {"train": count, "dev": config.dev_sentences or max(LEAST_DEV, count // 5)}
    parts: dict[str, list[Sentence]] = {}
    for part, wanted in counts.items():
        words = _sentences(part, Subset(wanted, config.seed))
        tagged = zip(words, tag_probabilities(model, vocabulary, words), strict=True)
        parts[part] = [
            Sentence(tuple(one), tuple(vocabulary.tags[tag] for tag in rules.best(probabilities))) for one, probabilities in tagged
        ]
    names = ("sotu", f"tagged by {tagger.name}")
    return Data(parts["train"], parts["dev"], "silver", names, _hash(config, corpus_hash("sotu"), file_hash(file)))


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
    """The bundled tagger: with a gated cell, since those are the best."""
    files = [checkpoints.path_of(task, cell) for cell in ("gru", "lstm")]
    return next((file for file in files if file.exists()), files[0])


def _hash(config: DataConfig, *digests: str) -> str:
    """One SHA-256 over what the data are made of, and how."""
    settings = json.dumps(asdict(config), sort_keys=True)
    return hashlib.sha256("\n".join((*digests, settings)).encode()).hexdigest()
