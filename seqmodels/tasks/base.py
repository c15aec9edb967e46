"""What every task offers to the trainer, the checkpoints and the command line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from seqmodels.cells import find_cell
from seqmodels.corpora import Subset, TextFile
from seqmodels.initialization import FORGET_BLOCK, SCHEMES, TORCH, initialize
from seqmodels.recurrence import Recurrent
from seqmodels.training import Objective, TrainConfig
from seqmodels.vocab import LanguageVocab, SequenceVocab, TaggerVocab

Vocabulary = TaggerVocab | LanguageVocab | SequenceVocab

_LARGEST = {"hidden_size": 2048, "layers": 8} | dict.fromkeys(
    ("word_size", "character_size", "spelling_size", "embedding_size"), 1024
)


@dataclass(frozen=True)
class ModelConfig:
    """A network: the same for all cells of a task, so that only the gates differ. Sizes are in units."""

    cell: str
    hidden_size: int
    layers: int = 1
    dropout: float = 0.0
    activation: str = "tanh"
    bidirectional: bool = True  # of taggers; every other model reads forward only
    word_size: int = 100  # the three embeddings of taggers
    character_size: int = 32
    spelling_size: int = 128
    embedding_size: int | None = None  # of language models; None: as large as the memory, and shared with the output layer
    initialization: str = TORCH  # of the recurrent matrices, see seqmodels.initialization
    gain: float = 1.0
    forget_bias: float | None = None  # added to that of LSTM's forget gate

    def __post_init__(self) -> None:
        find_cell(self.cell, self.activation)
        for name, largest in _LARGEST.items():
            size = getattr(self, name)
            if size is not None and not 1 <= size <= largest:
                raise ValueError(f"{name} is {size}: it must be from 1 to {largest}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}: it must be at least 0 and below 1")
        if self.initialization not in SCHEMES:
            raise ValueError(f"unknown initialization {self.initialization!r}: choose one of {', '.join(SCHEMES)}")
        if not 0 < self.gain <= 100:
            raise ValueError(f"gain is {self.gain}: it must be above 0 and at most 100")
        if self.forget_bias is not None and self.cell not in FORGET_BLOCK:
            raise ValueError(f"cell {self.cell!r} has no forget gate with a bias: leave forget_bias out, or choose lstm")
        if self.forget_bias is not None and not -100 <= self.forget_bias <= 100:
            raise ValueError(f"forget_bias is {self.forget_bias}: it must be from -100 to 100")

    def initialize(self, recurrent: Recurrent) -> None:
        """Set the recurrent weights as the config says."""
        initialize(recurrent, self.initialization, self.gain, self.forget_bias)


@dataclass(frozen=True)
class Live:
    """Settings for watching a training: it shows something within seconds, and ends within minutes on one core."""

    model: ModelConfig
    training: TrainConfig
    sentences: int | None = None  # to learn from; None: all
    dev_sentences: int | None = None


@dataclass(frozen=True)
class Scores:
    """A model on a corpus; `figures` holds accuracy, or precision, recall and f1, or perplexity, ..."""

    sentences: int
    tokens: int
    figures: dict[str, float]


class Task(ABC):
    """A task is stateless: corpora come in as lists, models go out as modules."""

    name: ClassVar[str]
    title: ClassVar[str]
    corpora: ClassVar[tuple[str, ...]]  # the first is the one it is scored on
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool]
    model: ClassVar[ModelConfig]
    training: ClassVar[TrainConfig]
    live: ClassVar[Live]
    sources: ClassVar[tuple[str, ...]]  # what it can be trained on, the most natural first: see seqmodels.data

    @abstractmethod
    def load(self, split: str, keep: Subset | None = None) -> list[Any]:
        """The sentences or paragraphs of a split of the task's own corpus, or some of them."""

    @abstractmethod
    def read(self, path: Path | TextFile) -> list[Any]:
        """The sentences or paragraphs of a user's file, to score a model of this task on, or to train one."""

    def read_own(self, file: TextFile) -> list[Any]:
        """The same to train a new model, which may learn what no shipped one knows."""
        return self.read(file)

    @abstractmethod
    def vocabulary(self, train: list[Any]) -> Vocabulary:
        """What a model may read, from its train split."""

    @abstractmethod
    def build(self, config: ModelConfig, vocabulary: Vocabulary) -> nn.Module:
        """A fresh model."""

    @abstractmethod
    def objective(
        self, model: nn.Module, vocabulary: Vocabulary, train: list[Any], dev: list[Any], *, batch_size: int | None = None
    ) -> Objective:
        """Losses over the train split, and the score on the dev split. Without a batch size, the task's own."""

    @abstractmethod
    def evaluate(self, model: nn.Module, vocabulary: Vocabulary, items: list[Any]) -> Scores:
        """The scores of a model on gold tokens."""
