"""Surnames letter by letter, each begun from the memory that stands for its language (Rao & McMahan 2019, chapter 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from seqmodels.corpora import Columns, Contents, CorpusError, Name, Subset, TextFile, keep_some, load_names
from seqmodels.decoding import SpanOdds
from seqmodels.models import LanguageModel
from seqmodels.tasks.base import ALL_FOUND, USUAL, DataConfig, DemoConfig, ModelConfig, Scores, Splits, Workload
from seqmodels.tasks.language import UNSCORED, CharacterTask
from seqmodels.training import ALL_ROWS, BatchLoss, DevScore, Tensors, TrainConfig
from seqmodels.vocab import LanguageBatch, LanguageVocab, NamesVocab, pad

BATCH = 64  # names
EVALUATED = 512  # names at once
NO_FILE = "names come with their languages in a corpus of their own: leave the file out"


class NamesTask(CharacterTask):
    """Each name is a sequence of its own: the memory is not carried from one to the next."""

    name = "names"
    title = "Language model of surnames"
    page_title = "Surnames"
    example = "names-gru"
    condition = "language"
    probe = "M"
    items = "Names"
    corpus_note = "each with its language"
    shipped = True
    corpora = ("names",)
    sources: ClassVar[tuple[str, ...]] = ("names",)
    model = ModelConfig(cell="gru", hidden_size=128, dropout=0.2, embedding_size=32)
    training = TrainConfig(epochs=16, learning_rate=5e-3, average=0.99, patience=5)
    demo = DemoConfig(model, TrainConfig(epochs=10, learning_rate=5e-3, patience=3))
    streams = BATCH
    typical = 9
    vocabulary_class = NamesVocab

    def load_corpus(self, name: str, split: str, keep: Subset | None = None) -> list[Any]:
        return keep_some(load_names(name, split), keep)

    def read(
        self, path: Path | TextFile, columns: Columns = ALL_FOUND, known: Sequence[str] | None = None, *, training: bool = False
    ) -> Contents[Any]:
        raise CorpusError(f"task {self.name!r} reads no file of yours: {NO_FILE}")

    def split_own(self, items: list[Any], config: DataConfig, name: str) -> Splits:
        raise CorpusError(f"task {self.name!r} learns from no file of yours: {NO_FILE}")

    def workload(self, config: DataConfig, batch_size: int | None, words: Sequence[str]) -> Workload:
        usual = super().workload(config, batch_size, words)
        return replace(usual, items=[Name(word, "English") for word in words])

    def vocabulary(self, train: list[Any]) -> NamesVocab:
        return NamesVocab.of((name.text for name in train), tuple(sorted({name.language for name in train})))

    def objective(
        self, model: Any, vocabulary: LanguageVocab, train: list[Any], dev: list[Any], training: TrainConfig = USUAL
    ) -> NamesObjective:
        return NamesObjective(self, vocabulary, train, self.known(vocabulary, dev), training.batch_size or self.streams)

    def known(self, vocabulary: LanguageVocab, names: list[Any]) -> list[Any]:
        """Those in a language that the model has learned from: of few names some languages have none. CorpusError if none is."""
        found = [name for name in names if name.language in vocabulary.conditions]
        if names and not found:
            raise CorpusError("no name to check with is in a language of those to learn from: learn from more of them")
        return found

    def evaluate(self, model: LanguageModel, vocabulary: LanguageVocab, items: list[Any]) -> Scores:
        """Over the letters and ends of names, in the languages that the model knows."""
        return super().evaluate(model, vocabulary, self.known(vocabulary, items))

    def calibrate(self, model: LanguageModel, vocabulary: LanguageVocab, dev: list[Any]) -> SpanOdds:
        return super().calibrate(model, vocabulary, self.known(vocabulary, dev))

    def conditions_of(self, items: list[Any]) -> list[tuple[str, int]]:
        """The language of each name, and how many tokens of it are scored: its letters and the end."""
        return [(name.language, len(self.tokens(name.text)) + 1) for name in items]

    def facts(self, vocabulary: LanguageVocab, items: list[Any]) -> dict[str, float]:
        return super().facts(vocabulary, [self.tokens(name.text) for name in items])

    def baseline(self, vocabulary: LanguageVocab, train: list[Any], dev: list[Any]) -> float | None:
        texts = [[self.tokens(name.text) for name in names] for names in (train, self.known(vocabulary, dev))]
        return super().baseline(vocabulary, *texts)

    @torch.inference_mode()
    def predictions(self, model: LanguageModel, vocabulary: LanguageVocab, items: list[Any]) -> Iterator[tuple[Tensor, Tensor]]:
        model.eval()
        for start in range(0, len(items), EVALUATED):
            outputs, targets = self.read_names(model, vocabulary, items[start : start + EVALUATED])
            yield model.logits(outputs), targets

    def read_names(self, model: LanguageModel, vocabulary: LanguageVocab, names: Sequence[Name]) -> tuple[Tensor, Tensor]:
        """What the output layer reads at each letter of some names, (letters, output_size), and the ids that came, (letters,).

        An `<eos>` stands before each name and is to be expected after it. What pads the shorter ones is left out.
        """
        spelt = [[vocabulary.eos, *vocabulary.words.ids(self.tokens(name.text)), vocabulary.eos] for name in names]
        conditions = torch.tensor([vocabulary.conditions.index(name.language) for name in names])
        read = LanguageBatch(pad([ids[:-1] for ids in spelt]))  # padding comes last, so it reaches no letter
        outputs, _ = model.states(read, model.initial_state(conditions))
        targets = pad([ids[1:] for ids in spelt], UNSCORED).to(outputs.device)
        scored = targets != UNSCORED
        return outputs[scored], targets[scored]


@dataclass
class NamesObjective:
    """Cross-entropy over the letters of names. A language of few names is drawn from more often than it has names.

    Its share of an epoch goes with a power of its number of names: 1 would be as they come (half of them Russian), 0 all languages
    alike. An epoch draws as many names as there are, each about as often as the share of its language says.

    Bits per character of a GRU on dev, over all names and in the mean of the languages: 2.69 and 2.90 with 1,
    2.72 and 2.90 with 0.75, 2.78 and 2.88 with 0.5.
    """

    task: NamesTask
    vocabulary: LanguageVocab
    train: list[Name]
    dev: list[Name]
    batch_size: int = BATCH
    power: float = 0.75
    higher_is_better: bool = False
    _draws: Tensor = field(init=False)  # (names,): how often each is drawn an epoch

    def __post_init__(self) -> None:
        languages = torch.tensor([self.vocabulary.conditions.index(name.language) for name in self.train])
        counts = languages.bincount()[languages].double()
        draws = counts ** (self.power - 1)
        self._draws = draws * len(draws) / draws.sum()

    @property
    def steps(self) -> int:
        return -(-len(self.train) // self.batch_size)

    def batches(self) -> list[list[int]]:
        """Systematic sampling: a name that is due 1.4 times comes once or twice."""
        order = torch.randperm(len(self.train))
        marks = torch.arange(len(order), dtype=torch.double) + torch.rand((), dtype=torch.double)
        places = torch.searchsorted(self._draws[order].cumsum(0), marks).clamp_max(len(order) - 1)
        drawn = order[places][torch.randperm(len(order))].tolist()
        return [drawn[start : start + self.batch_size] for start in range(0, len(drawn), self.batch_size)]

    def width(self, batch: list[int]) -> int:
        return len(batch)

    def loss(self, model: LanguageModel, batch: list[int], hidden_state: Tensors, rows: slice = ALL_ROWS) -> BatchLoss:
        outputs, targets = self.task.read_names(model, self.vocabulary, [self.train[index] for index in batch[rows]])
        return BatchLoss(mean=F.cross_entropy(model.logits(outputs), targets), tokens=len(targets))

    def score(self, model: LanguageModel) -> DevScore:
        return self.task.dev_score(model, self.vocabulary, self.dev)

    def settings(self) -> dict[str, float]:
        return {"batch_size": self.batch_size, "power": self.power}
