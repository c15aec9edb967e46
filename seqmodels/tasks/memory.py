"""What tasks share that are made up to test memory alone: the answer depends on something long past."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqmodels.corpora import Columns, Contents, Subset, TextFile, keep_some
from seqmodels.models import SequenceReader
from seqmodels.tasks.base import ALL_FOUND, USUAL, DataConfig, ModelConfig, Scores, Splits, Task, Workload
from seqmodels.training import ALL_ROWS, BatchLoss, DevScore, Tensors, TrainConfig
from seqmodels.vocab import SequenceVocab

EVALUATION_BATCH = 250
LONGEST = 1000  # steps

_SEEDS = {"train": 1, "dev": 2, "test": 3}
_OBJECT = 1400  # bytes of an Example without its numbers
_SIZES = {"train": 4000, "dev": 500, "test": 500}


@dataclass(frozen=True)
class Example:
    """A sequence (time, inputs) and its answer, a number or the id of a symbol; or an answer at every step."""

    inputs: Tensor
    target: Tensor  # () or (time,)


class MemoryTask(Task):
    """Sequences of one length, generated from a seed.

    Answers are (batch, outputs), targets (batch,); or, where every step is answered, (batch, time, outputs) and (batch, time).
    """

    noun = "a model of a memory task, which reads no text"
    example = "recall-gru"
    predicts = "answer"
    items = "Sequences"
    corpora: ClassVar[tuple[str, ...]] = ()
    sources: ClassVar[tuple[str, ...]] = ("generated",)
    vocabulary_class = SequenceVocab
    idea: ClassVar[str]  # what is asked, in one sentence
    distance: ClassVar[str]  # what a length counts
    length: ClassVar[int]  # unless another is asked for
    batch: ClassVar[int] = 32
    vocabulary_of_all: ClassVar[SequenceVocab]

    @abstractmethod
    def generate(self, count: int, length: int, seed: int) -> list[Example]:
        """So many sequences of so many steps; the same seed gives the same ones."""

    @abstractmethod
    def spell(self, example: Example) -> tuple[list[str], list[str]]:
        """A sequence to read: what each step says, and the answer."""

    @abstractmethod
    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The mean loss, ()."""

    @abstractmethod
    def metrics(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        """How good the answers are."""

    @abstractmethod
    def constant(self, targets: Tensor) -> Tensor:
        """The answer (outputs,) or (time, outputs) that suits them best as the same for all."""

    def memoryless(self, train: list[Example], dev: list[Example]) -> tuple[float, dict[str, float]]:
        """The loss and the metrics on dev of the answer that suits train best without reading a sequence."""
        answer, targets = self.constant(_targets(train)), _targets(dev)
        answers = answer.expand(len(dev), *answer.shape)
        return self.loss(answers, targets).item(), self.metrics(answers, targets)

    def baseline(self, vocabulary: SequenceVocab, train: list[Example], dev: list[Example]) -> float:
        return self.memoryless(train, dev)[1][self.metric]

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

    def test(self, config: DataConfig) -> list[Example]:
        return self.split("test", config.length or self.length, seed=config.seed)

    def workload(self, config: DataConfig, batch_size: int | None, words: Sequence[str]) -> Workload:
        length, learned = config.length or self.length, config.sentences or _SIZES["train"]
        count = learned + (config.dev_sentences or _SIZES["dev"])
        # while they are made: a symbol's id, then as one of so many in whole numbers and in others; then an object for each
        data = count * (length * (8 + 12 * self.vocabulary_of_all.inputs) + _OBJECT)
        at_once = length * max(batch_size or self.batch, EVALUATION_BATCH)
        return Workload([], learned * length, at_once, data)

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
            every_step=vocabulary.every_step,
        )
        config.initialize(model.recurrent)
        return model

    def objective(
        self,
        model: nn.Module,
        vocabulary: SequenceVocab,
        train: list[Example],
        dev: list[Example],
        training: TrainConfig = USUAL,
    ) -> MemoryObjective:
        return MemoryObjective(self, train, dev, training.batch_size or self.batch)

    def evaluate(self, model: nn.Module, vocabulary: SequenceVocab, items: list[Example]) -> Scores:
        answers = answers_of(model, items)
        steps = sum(len(item.inputs) for item in items)
        return Scores(len(items), steps, self.metrics(answers, _targets(items)))


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

    def width(self, batch: Tensor) -> int:
        return len(batch)

    def loss(self, model: nn.Module, batch: Tensor, hidden_state: Tensors, rows: slice = ALL_ROWS) -> BatchLoss:
        items = [self.train[index] for index in batch[rows].tolist()]
        inputs = torch.stack([item.inputs for item in items])  # (rows, time, inputs)
        answers = model(inputs)
        return BatchLoss(self.task.loss(answers, _targets(items).to(answers.device)), inputs.shape[0] * inputs.shape[1])

    def score(self, model: nn.Module) -> DevScore:
        answers, targets = answers_of(model, self.dev), _targets(self.dev)
        return DevScore(self.task.metrics(answers, targets)[self.task.metric], self.task.loss(answers, targets).item())

    def settings(self) -> dict[str, float]:
        return {"batch_size": self.batch_size, "length": len(self.train[0].inputs)}


@torch.inference_mode()
def answers_of(model: nn.Module, items: list[Example]) -> Tensor:
    """The model's answers to all of the items."""
    model.eval()
    pieces = (items[start : start + EVALUATION_BATCH] for start in range(0, len(items), EVALUATION_BATCH))
    return torch.cat([model(torch.stack([item.inputs for item in piece])).cpu() for piece in pieces])


def _targets(items: list[Example]) -> Tensor:
    return torch.stack([item.target for item in items])


def check_length(length: int, least: int = 1) -> None:
    """ValueError unless a sequence can have that length."""
    if not least <= length <= LONGEST:
        raise ValueError(f"length is {length}: give a number of steps from {least} to {LONGEST}")
