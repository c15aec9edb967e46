"""What every task offers to the trainer, the checkpoints and the command line."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from seqmodels.cells import CELLS, Cell, find_cell
from seqmodels.corpora import Columns, Contents, CorpusError, Subset, TextFile
from seqmodels.decoding import LEAST_TOKEN, SpanOdds
from seqmodels.fields import REQUIRED, SHARE, Range, check, scale, setting
from seqmodels.initialization import SCHEMES, TORCH, initialize
from seqmodels.models import SequenceModel
from seqmodels.recurrence import Recurrent
from seqmodels.text import Unit
from seqmodels.training import ShareableObjective, TrainConfig
from seqmodels.vocab import Vocabulary

Predicts = Literal["tags", "next token", "answer"]
Splits = tuple[list[Any], list[Any]]  # train and dev

ALL_FOUND = Columns()
MOST_UNKNOWN = 0.3  # of a text, from 0 to 1, until a score says little
_SIZES = Range(1, 1024)  # of an embedding


def _tags(task: Any) -> bool:
    return bool(task.predicts == "tags")


def _forgets(cell: Cell) -> bool:
    return cell.forget_block is not None


def _times(cell: Cell) -> bool:
    return bool(cell.time_biases)


USUAL = TrainConfig()
TEMPERATURES = 0.5, 4.0  # the least and the most that a model is calibrated with


@dataclass(frozen=True)
class ModelConfig:
    """A network: the same for all cells of a task, so that only the gates differ. Sizes are in units."""

    cell: str
    hidden_size: int = setting(
        REQUIRED,
        "Memory units",
        "How many numbers the network remembers from step to step.",
        valid=Range(1, 2048),
        steps=(4, 512, 4),
    )
    layers: int = setting(1, "Layers", "Each layer reads what the one below puts out.", valid=Range(1, 8), steps=(1, 4, 1))
    dropout: float = setting(
        0.0,
        "Dropout",
        "The share of features left out at random while training, against overfitting.",
        valid=SHARE,
        steps=(0.0, 0.9, 0.05),
    )
    activation: str = setting(
        "tanh",
        "Activation",
        "What new content goes through: tanh and sigmoid are bounded, relu is not.",
        choices=lambda cell: {name: name for name in cell.activations},
        cells=lambda cell: len(cell.activations) > 1,
    )
    bidirectional: bool = setting(
        True,
        "Directions",
        "Both: a second memory reads the sentence from its end.",
        choices={True: "both", False: "forward only"},
        tasks=_tags,
    )
    transitions: bool = setting(
        False,
        "Tags are judged",
        "One by one, or as a sentence: the network then also learns which tag follows which (a conditional random field).",
        choices={False: "one by one", True: "as a sentence"},
        tasks=_tags,
    )
    word_size: int = setting(100, "Word embedding", "Numbers that stand for a word.", valid=_SIZES, steps=(4, 512, 4), tasks=_tags)
    character_size: int = setting(
        32, "Character embedding", "Numbers that stand for a character.", valid=_SIZES, steps=(4, 256, 4), tasks=_tags
    )
    spelling_size: int = setting(
        128, "Spelling features", "Numbers that sum up the characters of a word.", valid=_SIZES, steps=(4, 512, 4), tasks=_tags
    )
    embedding_size: int | None = setting(  # with one, the output layer has weights of its own
        None,
        "Embedding size",
        "Numbers that stand for a word or character. Empty: as many as the memory has.",
        none="as the memory",
        valid=_SIZES,
        steps=(4, 512, 4),
        tasks=lambda task: task.predicts == "next token",
    )
    initialization: str = setting(
        TORCH, "Initial recurrent weights", "How the matrices from memory to memory begin.", choices=SCHEMES
    )
    gain: float = setting(
        1.0,
        "Gain",
        "Scales those matrices: above 1 signals tend to grow, below 1 to fade.",
        valid=Range(0, 100, open_below=True),
        slider=scale(-1, 1),
        when=lambda values: values["initialization"] != TORCH,
    )
    forget_bias: float | None = setting(
        None,
        "Forget-gate bias",
        "Added to the forget gate: 1 or more lets it begin by keeping.",
        none="none",
        valid=Range(-100, 100),
        steps=(-10.0, 10.0, 0.5),
        cells=_forgets,
    )
    chrono: int | None = setting(
        None,
        "Longest memory at the start, steps",
        "Draws the gates' biases so that the units begin by keeping for 1 up to so many steps: chrono initialization.",
        none="as the weights have it",
        valid=Range(3, 100_000),
        steps=(3, 1000, 1),
        cells=_times,
    )

    def __post_init__(self) -> None:
        cell = find_cell(self.cell, self.activation)
        check(self)
        for name, value, able in (("forget_bias", self.forget_bias, _forgets), ("chrono", self.chrono, _times)):
            if value is not None and not able(cell):
                others = " or ".join(other for other in CELLS if able(CELLS[other]))
                raise ValueError(f"cell {self.cell!r} has no such gate with a bias: leave {name} out, or choose {others}")

    def initialize(self, recurrent: Recurrent) -> None:
        """Set the recurrent weights as the config says."""
        initialize(recurrent, self.initialization, self.gain, self.forget_bias, self.chrono)


ENOUGH = 2000  # items to learn from, with which the settings for watching show something
MOST_TIMES = 8  # as many epochs, where there are fewer
LEAST_DEV = 200  # sentences to check with, however few there are to learn from
_COUNT: dict[str, Any] = {"valid": Range(1), "steps": (1, 100_000, 100)}


@dataclass(frozen=True)
class DataConfig:
    """What to train on. Without a source, the task's first. A number of sentences counts paragraphs for language models."""

    source: str | None = None
    dev_share: float = setting(
        0.15,
        "Held-out share",
        "The share of your file that is kept to check with.",
        valid=Range(0.05, 0.5),
        steps=(0.05, 0.5, 0.05),
        when=lambda values: values["source"] == "file",
    )
    sentences: int | None = setting(
        None, "{items} to learn from", "How many, drawn by the seed. Few show overfitting.", none="all", **_COUNT
    )
    length: int | None = setting(
        None,
        "Sequence length, steps",
        "How far back the memory must reach.",
        none="the task's own",
        valid=Range(1),
        steps=(2, 1000, 10),
        tasks=lambda task: "generated" in task.sources,
    )
    dev_sentences: int | None = setting(  # None: all, or where `sentences` is given a fifth of it, and at least LEAST_DEV
        None, "{items} to check with", "How many the scores are taken on.", none="as usual", **_COUNT
    )
    seed: int = setting(1, "Data seed", "Draws the data: the same seed, the same data.", valid=Range(0), steps=(0, 10_000, 1))
    columns: Columns = field(default_factory=Columns)  # of a file of your own

    def __post_init__(self) -> None:
        check(self)

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

    def training_for(self, items: int | None) -> TrainConfig:
        """The training for so many items to learn from: of few, more epochs, or there are hardly any steps to learn in."""
        usual = self.sentences or ENOUGH
        if items is None or items >= usual:
            return self.training
        epochs = math.ceil(self.training.epochs * min(MOST_TIMES, usual / items))
        patience = self.training.patience
        return replace(self.training, epochs=epochs, patience=None if patience is None else max(patience, math.ceil(epochs / 4)))


@dataclass(frozen=True)
class Scores:
    """A model on a corpus: `metrics` holds accuracy, or precision, recall and f1, or perplexity, ...

    `facts` are what gives them a meaning: `unknown_share`, from 0 to 1, of the words or characters of the text that are not in the
    vocabulary, and `gold_entities`, how many there were to find.
    """

    sentences: int
    tokens: int
    metrics: dict[str, float]
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        """All of them, as a checkpoint keeps them."""
        return {**self.metrics, **self.facts}


@dataclass(frozen=True)
class Workload:
    """What a training has to do with, roughly, before anything of it is read."""

    items: list[Any]  # to make a vocabulary of, as large as the training's own
    tokens: int  # of an epoch
    at_once: int  # tokens of a step
    data: int = 0  # bytes of memory that generated data take, at most


MOST_ITEMS = 20_000  # sentences or paragraphs, about, that the corpora have


def caution(figures: Mapping[str, float]) -> str | None:
    """What to tell of a score whose text is largely unknown to the model."""
    share = figures.get("unknown_share", 0.0)
    if share <= MOST_UNKNOWN:
        return None
    return f"{share:.0%} of the text is unknown to the model: the score says little of how well it reads such texts"


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
    condition: ClassVar[str] = ""  # what the initial memory of its models stands for, such as a language; empty: it is zero
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

    def load_corpus(self, name: str, split: str, keep: Subset | None = None) -> list[Any]:
        """The same of any corpus that stands among its sources."""
        raise CorpusError(f"{self.page_title} learns from no corpus {name!r}: choose one of its own sources")

    def test(self, config: DataConfig) -> list[Any]:
        """What a model that learned from such data is scored on in the end."""
        return self.load("test")

    @abstractmethod
    def read(
        self,
        path: Path | TextFile,
        columns: Columns = ALL_FOUND,
        known: Sequence[str] | None = None,
        *,
        training: bool = False,
    ) -> Contents[Any]:
        """The sentences or paragraphs of a user's file, and how it was read.

        `known` are the tags of the model to score; without them a new model may learn what no shipped one knows. `training` refuses
        what nothing could be learned from.
        """

    def split_own(self, items: list[Any], config: DataConfig, name: str) -> Splits:
        """What `read` gives as train and dev data of a new model; errors call the file by its name."""
        raise CorpusError(f"{self.page_title} learns from no file: choose one of its own sources")

    def generated(self, config: DataConfig) -> Splits:
        """Train and dev data of the source 'generated'."""
        raise CorpusError(f"{self.page_title} makes no data of its own: choose another source")

    def described(self, config: DataConfig) -> str:
        """What generated data are called in a checkpoint."""
        return f"{self.name}, seed {config.seed}"

    @abstractmethod
    def workload(self, config: DataConfig, batch_size: int | None, words: Sequence[str]) -> Workload:
        """For an estimate. `words` stand for those of the text: the user's own, or as many different ones as corpora have."""

    def tags_for(self, train: list[Any]) -> tuple[str, ...]:
        """The tags of a model that learns from these sentences; none where it gives no tags."""
        return ()

    @abstractmethod
    def vocabulary(self, train: list[Any]) -> Vocabulary:
        """What a model may read, from its train split."""

    @abstractmethod
    def build(self, config: ModelConfig, vocabulary: Any) -> SequenceModel:
        """A fresh model. The vocabulary is of the task's `vocabulary_class`."""

    @abstractmethod
    def objective(
        self, model: Any, vocabulary: Any, train: list[Any], dev: list[Any], training: TrainConfig = USUAL
    ) -> ShareableObjective:
        """Losses over the train split, and the score on the dev split. `training` is asked for what is of the losses, such as
        the batch size.
        """

    @abstractmethod
    def evaluate(self, model: Any, vocabulary: Any, items: list[Any]) -> Scores:
        """The scores of a model on gold tokens."""

    def facts(self, vocabulary: Any, items: list[Any]) -> dict[str, float]:
        """What a score on them is to be seen beside: see Scores."""
        return {}

    def baseline(self, vocabulary: Any, train: list[Any], dev: list[Any]) -> float | None:
        """The score on the dev split of the best answer that reads nothing, such as the commonest tag for every word."""
        return None

    def beats(self, score: float, baseline: float) -> bool:
        """Whether a score is better than a baseline by more than chance: by a fiftieth of what there is to gain."""
        return score > baseline + 0.02 * (100 - baseline) if self.higher_is_better else score < 0.98 * baseline

    def calibrate(self, model: Any, vocabulary: Any, dev: list[Any]) -> SpanOdds:
        """Make a trained model's probabilities true by the dev split: its temperature is set, and the odds of entities returned.

        No decision changes. What is loaded has the temperature of its checkpoint; one to train has 1.
        """
        return LEAST_TOKEN
