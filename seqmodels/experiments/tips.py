"""The chapter's practical advice, put to the test on real text: one thing varied at a time, three seeds each.

Gates against none, GRU against LSTM, Adam against SGD, clipping, early stopping; and three slips of evaluation, each with its cost:
patience that compares with the epoch before, dropout left on, names that stand in train and in test.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

from torch import nn

from seqmodels.cells import CELLS
from seqmodels.corpora import Name, load_name_lists
from seqmodels.data import Dataset
from seqmodels.experiments.record import Factor
from seqmodels.experiments.trials import Experiment, Trial
from seqmodels.experiments.verdicts import SEEN, SEEN_SHARE, UNSEEN, WITH_DROPOUT
from seqmodels.runs.settings import demo_settings
from seqmodels.runs.trainer import TrainingSetup

SEEDS = (1, 2, 3)
TESTED = 300  # paragraphs of the speeches, sentences of the treebank
RATES = {"adam": (0.005, 0.01, 0.02), "sgd": (0.3, 1.0, 3.0)}
CLIPPED = (("elman", "tanh"), ("elman", "relu"), ("gru", "tanh"))

_CHAR = {"task": "char", "hidden_size": 96, "sentences": 300, "dev_sentences": 60, "epochs": 4, "patience": None}
_POS = {"task": "pos", "sentences": 1500, "dev_sentences": 300, "epochs": 4, "patience": None}
_CLIPPED = {**_CHAR, "optimizer": "sgd", "schedule": "constant", "learning_rate": 1.0}
_STOPPED = {
    **_CHAR, "sentences": 20, "dev_sentences": 20, "hidden_size": 256, "batch_size": 8, "schedule": "constant", "epochs": 30,
    "watch": "loss", "restore_best": False,
}  # fmt: skip
_NAMES = {"task": "names", "epochs": 4, "patience": None}


class _DropoutLeftOn(nn.Dropout):
    """Leaves features out whether or not the model is told that it is being tested."""

    def train(self, mode: bool = True) -> _DropoutLeftOn:
        super().train(True)
        return self


@dataclass(frozen=True)
class DropoutTrial(Trial):
    """Scored as it should be, and with the dropout left on."""

    def score(self, setup: TrainingSetup, items: list[Any]) -> dict[str, float]:
        figures = super().score(setup, items)
        proper = setup.model.dropout
        setup.model.dropout = _DropoutLeftOn(proper.p)
        try:
            return {**figures, WITH_DROPOUT: super().score(setup, items)[self.task.metric]}
        finally:
            setup.model.dropout = proper


@dataclass(frozen=True)
class DoublesTrial(Trial):
    """Surnames split line by line, doubles and all: those of test are scored apart by whether they stand in train too."""

    def dataset(self) -> Dataset:
        train, dev, _ = self._splits()
        return Dataset(train, {"dev": dev}, ("names, split line by line",), self.name)

    def test(self) -> list[Name]:
        return self._splits()[2]

    def score(self, setup: TrainingSetup, items: list[Any]) -> dict[str, float]:
        known = set(self._splits()[0])
        seen = [name for name in items if name in known]
        unseen = [name for name in items if name not in known]
        found = {SEEN: seen, UNSEEN: unseen}
        parts = {part: super(DoublesTrial, self).score(setup, names)[self.task.metric] for part, names in found.items()}
        return {**super().score(setup, items), **parts, SEEN_SHARE: len(seen) / len(items)}

    def _splits(self) -> tuple[list[Name], list[Name], list[Name]]:
        return _split_by_line(self.settings.training.seed)


@lru_cache(maxsize=1)
def _split_by_line(seed: int) -> tuple[list[Name], list[Name], list[Name]]:
    """70, 15 and 15 % of the lines, drawn by the seed, as the book's notebook draws them."""
    lists = load_name_lists("names", "train", once=False)
    names = [Name(name, language) for language, found in lists.items() for name in found]
    random.Random(seed).shuffle(names)
    first, second = round(0.7 * len(names)), round(0.85 * len(names))
    return names[:first], names[first:second], names[second:]


def trials(toy: bool) -> Sequence[Trial]:
    """All trainings, by tip."""
    seeds = (1,) if toy else SEEDS
    found: list[Trial] = []

    def add(kind: type[Trial], tip: str, base: dict[str, Any], seed: int, test_each_epoch: bool = False, **varied: Factor) -> None:
        values = {name: value if value != "off" else None for name, value in varied.items()}
        settings = demo_settings(str(base["task"]), {**base, **values, "seed": seed})
        factors: dict[str, Factor] = {"tip": tip, "task": settings.task, **varied, "seed": seed}
        tested = None if kind is DoublesTrial else TESTED
        if toy:
            few = replace(settings.data, sentences=40, dev_sentences=10) if kind is not DoublesTrial else settings.data
            short = replace(settings.training, epochs=1)
            small = replace(settings.model, hidden_size=8)
            settings, tested = replace(settings, data=few, training=short, model=small), 10
        found.append(kind(factors, settings, tested=tested, test_each_epoch=test_each_epoch))

    for seed, cell in product(seeds, CELLS):
        add(Trial, "gates", _CHAR, seed, cell=cell)
        add(DropoutTrial, "gates", _POS, seed, cell=cell)
    for seed, (optimizer, rates) in product(seeds, RATES.items()):
        for rate in rates:
            add(Trial, "optimizer", {**_CHAR, "cell": "gru"}, seed, optimizer=optimizer, learning_rate=rate)
    for seed, (cell, activation), clip in product(seeds, CLIPPED, ("norm", "off")):
        add(Trial, "clipping", _CLIPPED, seed, cell=cell, activation=activation, clip=clip)
    for seed in seeds:
        add(Trial, "stopping", {**_STOPPED, "cell": "gru"}, seed, test_each_epoch=True)
        add(DoublesTrial, "doubles", {**_NAMES, "cell": "gru"}, seed)
    return found


EXPERIMENT = Experiment(
    name="tips",
    title="The five tips, tested",
    recipe="Small networks, so that each training can be repeated on the Training page. Characters: 96 units, 300 paragraphs of "
    "State of the Union speeches, 4 epochs, scored on 300 paragraphs of the test split. Parts of speech: 96 units a direction, "
    "1,500 sentences of the English Web Treebank, 4 epochs, scored on 300 sentences of its test split. Surnames: 4 epochs. Three "
    "seeds each; where nothing else is said, Adam at 0.005 with a cosine schedule, the gradient norm clipped at 1, and the weights "
    "of the best epoch by the dev score.",
    trials=trials,
)
