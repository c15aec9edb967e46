"""Tasks made up to test memory alone: an answer at the end that depends on something long past. Hochreiter & Schmidhuber 1997."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmodels.corpora import Columns, Contents, Subset, TextFile, keep_some
from seqmodels.models import SequenceReader
from seqmodels.tasks.base import ALL_FOUND, DataConfig, DemoConfig, ModelConfig, Scores, Splits, Task
from seqmodels.training import BatchLoss, DevScore, Tensors, TrainConfig
from seqmodels.vocab import SequenceVocab

SYMBOLS = 8  # to be recalled; as many others are the fillers
RIGHT_WITHIN = 0.04  # an error of the sum below it is right, as in the paper
EVALUATION_BATCH = 250
LONGEST = 1000  # steps

_SEEDS = {"train": 1, "dev": 2, "test": 3}
_SIZES = {"train": 4000, "dev": 500, "test": 500}


@dataclass(frozen=True)
class Example:
    """A sequence (time, inputs) and its answer: a number, or the id of a symbol."""

    inputs: Tensor
    target: Tensor  # ()


class MemoryTask(Task):
    """Sequences of one length, generated from a seed."""

    noun = "a model of a memory task, which reads no text"
    example = "recall-gru"
    predicts = "answer"
    items = "Sequences"
    corpora: ClassVar[tuple[str, ...]] = ()
    sources: ClassVar[tuple[str, ...]] = ("generated",)
    vocabulary_class = SequenceVocab
    length: ClassVar[int]  # steps, unless another is asked for
    batch: ClassVar[int] = 32
    vocabulary_of_all: ClassVar[SequenceVocab]

    @abstractmethod
    def generate(self, count: int, length: int, seed: int) -> list[Example]:
        """So many sequences of so many steps; the same seed gives the same ones."""

    @abstractmethod
    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """answers (batch, outputs), targets (batch,) -> the mean loss."""

    @abstractmethod
    def metrics(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        """How good the answers are."""

    @abstractmethod
    def constant(self, targets: Tensor) -> Tensor:
        """targets (batch,) -> the answer (outputs,) that suits them best as the same for all."""

    def baseline(self, vocabulary: SequenceVocab, train: list[Example], dev: list[Example]) -> float:
        answer = self.constant(_targets(train))
        return self.metrics(answer.expand(len(dev), -1), _targets(dev))[self.metric]

    def load(self, split: str, keep: Subset | None = None) -> list[Example]:
        return keep_some(self.split(split, self.length), keep)

    def split(self, split: str, length: int, count: int | None = None, seed: int = 1) -> list[Example]:
        """A split at another length, or from another seed; no two splits share their draws."""
        if split not in _SEEDS:
            raise ValueError(f"unknown split {split!r}: choose one of {', '.join(_SEEDS)}")
        return self.generate(_SIZES[split] if count is None else count, length, len(_SEEDS) * seed + _SEEDS[split])

    def read(
        self, path: Path | TextFile, columns: Columns = ALL_FOUND, known: Sequence[str] | None = None, *, training: bool = False
    ) -> Contents[Example]:
        raise ValueError(f"task {self.name!r} makes its own sequences: it reads no file")

    def described(self, config: DataConfig) -> str:
        return f"{self.name}, {config.length or self.length} steps"

    def generated(self, config: DataConfig) -> Splits:
        length = config.length or self.length
        train = self.split("train", length, config.sentences, config.seed)
        return train, self.split("dev", length, config.dev_sentences, config.seed)

    def vocabulary(self, train: list[Example]) -> SequenceVocab:
        return self.vocabulary_of_all

    def build(self, config: ModelConfig, vocabulary: SequenceVocab) -> SequenceReader:
        model = SequenceReader(
            vocabulary.inputs,
            vocabulary.outputs,
            config.cell,
            config.hidden_size,
            layers=config.layers,
            dropout=config.dropout,
            activation=config.activation,
        )
        config.initialize(model.recurrent)
        return model

    def objective(
        self,
        model: nn.Module,
        vocabulary: SequenceVocab,
        train: list[Example],
        dev: list[Example],
        *,
        batch_size: int | None = None,
    ) -> MemoryObjective:
        return MemoryObjective(self, train, dev, batch_size or self.batch)

    def evaluate(self, model: nn.Module, vocabulary: SequenceVocab, items: list[Example]) -> Scores:
        answers = answers_of(model, items)
        steps = sum(len(item.inputs) for item in items)
        return Scores(len(items), steps, self.metrics(answers, _targets(items)))


class AddingTask(MemoryTask):
    """Numbers from 0 to 1, two of them marked, one in each half: name the sum of the two. Always answering 1 errs by 1/6."""

    name = "adding"
    title = page_title = "Adding problem"
    loss_unit = "mean squared error"
    metric = "mse"
    higher_is_better = False
    model = ModelConfig(cell="gru", hidden_size=64)
    training = TrainConfig(epochs=15, learning_rate=5e-3, schedule="constant", patience=None)
    demo = DemoConfig(model, training)
    length = 50
    vocabulary_of_all = SequenceVocab(inputs=2, outputs=1)

    def generate(self, count: int, length: int, seed: int) -> list[Example]:
        _check(length, least=2)
        draw = torch.Generator().manual_seed(seed)
        values = torch.rand(count, length, generator=draw)
        half = length // 2
        first = torch.randint(0, half, (count,), generator=draw)
        second = torch.randint(half, length, (count,), generator=draw)
        rows = torch.arange(count)
        marks = torch.zeros(count, length)
        marks[rows, first] = marks[rows, second] = 1.0
        inputs = torch.stack([values, marks], dim=2)  # (count, length, 2)
        return [Example(*pair) for pair in zip(inputs, (values * marks).sum(1), strict=True)]

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Squared error."""
        return F.mse_loss(answers.squeeze(1), targets)

    def constant(self, targets: Tensor) -> Tensor:
        return targets.mean(0, keepdim=True)

    def metrics(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        error = answers.squeeze(1) - targets
        return {"mse": error.square().mean().item(), "accuracy": 100 * (error.abs() < RIGHT_WITHIN).float().mean().item()}


class RecallTask(MemoryTask):
    """A symbol, then fillers drawn at random: name the symbol. Guessing is right one time in eight."""

    name = "recall"
    title = page_title = "Recall of the first symbol"
    loss_unit = "nats a sequence"
    metric = "accuracy"
    higher_is_better = True
    model = ModelConfig(cell="gru", hidden_size=64)
    training = TrainConfig(epochs=15, learning_rate=3e-3, schedule="constant", patience=None)
    demo = DemoConfig(model, training)
    length = 30
    vocabulary_of_all = SequenceVocab(inputs=2 * SYMBOLS, outputs=SYMBOLS)

    def generate(self, count: int, length: int, seed: int) -> list[Example]:
        _check(length, least=1)
        draw = torch.Generator().manual_seed(seed)
        symbols = torch.randint(0, SYMBOLS, (count, 1), generator=draw)
        fillers = torch.randint(SYMBOLS, 2 * SYMBOLS, (count, length), generator=draw)
        inputs = F.one_hot(torch.cat([symbols, fillers], dim=1), 2 * SYMBOLS).float()  # (count, 1 + length, inputs)
        return [Example(*pair) for pair in zip(inputs, symbols.squeeze(1), strict=True)]

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(answers, targets)

    def constant(self, targets: Tensor) -> Tensor:
        return targets.bincount(minlength=SYMBOLS).float()

    def metrics(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        return {"accuracy": 100 * (answers.argmax(dim=1) == targets).float().mean().item()}


@dataclass
class MemoryObjective:
    """The loss of the answers, over the train sequences in random order."""

    task: MemoryTask
    train: list[Example]
    dev: list[Example]
    batch_size: int

    @property
    def higher_is_better(self) -> bool:
        return self.task.higher_is_better

    @property
    def steps(self) -> int:
        return -(-len(self.train) // self.batch_size)

    def batches(self) -> Sequence[Tensor]:
        return torch.randperm(len(self.train)).split(self.batch_size)

    def loss(self, model: nn.Module, batch: Tensor, hidden_state: Tensors) -> BatchLoss:
        items = [self.train[index] for index in batch.tolist()]
        inputs = torch.stack([item.inputs for item in items])  # (batch, time, inputs)
        return BatchLoss(self.task.loss(model(inputs), _targets(items)), inputs.shape[0] * inputs.shape[1])

    def score(self, model: nn.Module) -> DevScore:
        answers, targets = answers_of(model, self.dev), _targets(self.dev)
        return DevScore(self.task.metrics(answers, targets)[self.task.metric], self.task.loss(answers, targets).item())

    def settings(self) -> dict[str, float]:
        return {"batch_size": self.batch_size, "length": len(self.train[0].inputs)}


@torch.inference_mode()
def answers_of(model: nn.Module, items: list[Example]) -> Tensor:
    """The model's answers (items, outputs)."""
    model.eval()
    pieces = (items[start : start + EVALUATION_BATCH] for start in range(0, len(items), EVALUATION_BATCH))
    return torch.cat([model(torch.stack([item.inputs for item in piece])) for piece in pieces])


def _targets(items: list[Example]) -> Tensor:
    return torch.stack([item.target for item in items])


def _check(length: int, least: int) -> None:
    if not least <= length <= LONGEST:
        raise ValueError(f"length is {length}: give a number of steps from {least} to {LONGEST}")
