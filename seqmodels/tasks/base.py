"""What every task offers to the trainer, the checkpoints and the command line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from seqmodels.cells import CELLS, find_cell
from seqmodels.corpora import CorpusError, Subset, TextFile
from seqmodels.initialization import SCHEMES, TORCH, initialize
from seqmodels.models import SequenceModel
from seqmodels.recurrence import Recurrent
from seqmodels.text import Unit
from seqmodels.training import Objective, TrainConfig
from seqmodels.vocab import Vocabulary

Predicts = Literal["tags", "next token", "answer"]
Splits = tuple[list[Any], list[Any]]  # train and dev

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
    forget_bias: float | None = None  # added to that of the forget gate

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
        if self.forget_bias is not None and CELLS[self.cell].forget_block is None:
            able = " or ".join(name for name, cell in CELLS.items() if cell.forget_block)
            raise ValueError(f"cell {self.cell!r} has no forget gate with a bias: leave forget_bias out, or choose {able}")
        if self.forget_bias is not None and not -100 <= self.forget_bias <= 100:
            raise ValueError(f"forget_bias is {self.forget_bias}: it must be from -100 to 100")

    def initialize(self, recurrent: Recurrent) -> None:
        """Set the recurrent weights as the config says."""
        initialize(recurrent, self.initialization, self.gain, self.forget_bias)


LEAST_DEV = 200  # sentences to check with, however few there are to learn from
DEV_SHARES = (0.05, 0.5)


@dataclass(frozen=True)
class DataConfig:
    """What to train on. Without a source, the task's first. A number of sentences counts paragraphs for language models."""

    source: str | None = None
    sentences: int | None = None  # to learn from, drawn by the seed; None: all
    dev_sentences: int | None = None  # to check with; None: all, or where `sentences` is given a fifth of it, and at least 200
    dev_share: float = 0.15  # of your own file
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
class DemoConfig:
    """Settings for watching a training: it shows something within seconds, and ends within minutes on one core."""

    model: ModelConfig
    training: TrainConfig
    sentences: int | None = None  # to learn from; None: all
    dev_sentences: int | None = None


@dataclass(frozen=True)
class Scores:
    """A model on a corpus; `metrics` holds accuracy, or precision, recall and f1, or perplexity, ..."""

    sentences: int
    tokens: int
    metrics: dict[str, float]


class Task(ABC):
    """Corpus, model, loss and metric, and the words that pages and messages use.

    A task is stateless: corpora come in as lists, models go out as modules. One that is registered in TASKS can be trained, scored,
    saved and looked into like the others.
    """

    name: ClassVar[str]
    title: ClassVar[str]  # of a model of it
    page_title: ClassVar[str]  # of a choice on a page
    aliases: ClassVar[tuple[str, ...]] = ()  # earlier page titles, which links may still hold
    noun: ClassVar[str]  # what its models are, such as "a tagger"
    example: ClassVar[str]  # the name of one
    predicts: ClassVar[Predicts]
    unit: ClassVar[Unit] = "word"  # what its models read one by one
    below: ClassVar[str] = ""  # what stands under each word among the pictures of its gates
    probe: ClassVar[str] = ""  # a text to watch while it is trained, or how a sample begins; empty: it reads no text
    items: ClassVar[str] = "Sentences"  # what a number of its data counts
    file_format: ClassVar[str] = ""  # what a file to train on looks like
    corpus_note: ClassVar[str] = ""  # who made the answers in its corpora
    loss_unit: ClassVar[str] = "nats a token"
    corpora: ClassVar[tuple[str, ...]]  # the first is the one it is scored on
    sources: ClassVar[tuple[str, ...]]  # what it can be trained on, the most natural first: see seqmodels.data
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool]
    model: ClassVar[ModelConfig]
    training: ClassVar[TrainConfig]
    demo: ClassVar[DemoConfig]
    shipped: ClassVar[bool] = False  # whether its models come with the repository
    vocabulary_class: ClassVar[type[Vocabulary]]

    @abstractmethod
    def load(self, split: str, keep: Subset | None = None) -> list[Any]:
        """The sentences or paragraphs of a split of the task's own corpus, or some of them."""

    @abstractmethod
    def read(self, path: Path | TextFile) -> list[Any]:
        """The sentences or paragraphs of a user's file, to score a model of this task on, or to train one."""

    def split_file(self, file: TextFile, config: DataConfig) -> Splits:
        """The same as train and dev data of a new model, which may learn what no shipped one knows."""
        raise CorpusError(f"{self.page_title} learns from no file: choose one of its own sources")

    def generated(self, config: DataConfig) -> Splits:
        """Train and dev data of the source 'generated'."""
        raise CorpusError(f"{self.page_title} makes no data of its own: choose another source")

    def described(self, config: DataConfig) -> str:
        """What generated data are called in a checkpoint."""
        return f"{self.name}, seed {config.seed}"

    @abstractmethod
    def vocabulary(self, train: list[Any]) -> Vocabulary:
        """What a model may read, from its train split."""

    @abstractmethod
    def build(self, config: ModelConfig, vocabulary: Any) -> SequenceModel:
        """A fresh model. The vocabulary is of the task's `vocabulary_class`."""

    @abstractmethod
    def objective(
        self, model: Any, vocabulary: Any, train: list[Any], dev: list[Any], *, batch_size: int | None = None
    ) -> Objective:
        """Losses over the train split, and the score on the dev split. Without a batch size, the task's own."""

    @abstractmethod
    def evaluate(self, model: Any, vocabulary: Any, items: list[Any]) -> Scores:
        """The scores of a model on gold tokens."""

    def calibrate(self, model: Any, vocabulary: Any, dev: list[Any]) -> float:
        """The temperature that divides a trained model's logits, so that its probabilities are true; 1 changes nothing."""
        return 1.0
