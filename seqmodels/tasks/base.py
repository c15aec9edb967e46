"""What every task offers to the trainer, the checkpoints and the command line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from seqmodels.training import Objective, TrainConfig
from seqmodels.vocab import LanguageVocab, TaggerVocab

Vocabulary = TaggerVocab | LanguageVocab


@dataclass(frozen=True)
class ModelConfig:
    """The size of a network: the same for the three cells of a task, so that only the gates differ."""

    cell: str
    hidden_size: int
    layers: int = 1
    dropout: float = 0.0
    activation: str = "tanh"

    def __post_init__(self) -> None:
        if self.hidden_size < 1 or self.layers < 1:
            raise ValueError(f"hidden_size is {self.hidden_size} and layers is {self.layers}: both must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}: it must be at least 0 and below 1")


@dataclass(frozen=True)
class Scores:
    """A model on a corpus; `figures` holds accuracy, or precision, recall and f1, or perplexity."""

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

    @abstractmethod
    def load(self, split: str) -> list[Any]:
        """The sentences or paragraphs of a split of the task's own corpus."""

    @abstractmethod
    def read(self, path: Path) -> list[Any]:
        """The sentences or paragraphs of a user's file."""

    @abstractmethod
    def vocabulary(self, train: list[Any]) -> Vocabulary:
        """What a model may read, from its train split."""

    @abstractmethod
    def build(self, config: ModelConfig, vocabulary: Vocabulary) -> nn.Module:
        """A fresh model."""

    @abstractmethod
    def objective(self, model: nn.Module, vocabulary: Vocabulary, train: list[Any], dev: list[Any]) -> Objective:
        """Losses over the train split, and the score on the dev split."""

    @abstractmethod
    def evaluate(self, model: nn.Module, vocabulary: Vocabulary, items: list[Any]) -> Scores:
        """The scores of a model on gold tokens."""
