"""The files of the cards: one for each checkpoint, and one for each task on how its checkpoints differ.

A card names the SHA-256 of the checkpoint that it is of, so that a card of an earlier one is known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from seqmodels.cells import CELLS
from seqmodels.environment import environment
from seqmodels.fields import Count, Finite, Range, validated
from seqmodels.files import write_whole
from seqmodels.installation import CHECKPOINT_SUFFIX

BINS = 15  # of a calibration: as many answers in each, by how sure the model was
FORMAT = 1
FREQUENCY = "frequency"

Share = Annotated[float, Range(0, 1)]
Kind = TypeVar("Kind")


class CardError(ValueError):
    """A card's file cannot be read."""


@dataclass(frozen=True)
class Tally:
    """A tag, or a type of entity: how often it was right, given by the model, and given by people."""

    label: str
    gold: Count
    predicted: Count
    right: Count

    @property
    def precision(self) -> float:
        """In percent; 0 of none."""
        return 100 * self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """In percent; 0 of none."""
        return 100 * self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """In percent: the harmonic mean of the two."""
        both = self.gold + self.predicted
        return 200 * self.right / both if both else 0.0


@dataclass(frozen=True)
class Band:
    """The words of a text between two ranks by frequency, or of one language: how many, their surprise in nats, and how many were
    expected most.
    """

    label: str
    tokens: Count
    nats: Finite
    right: Count


@dataclass(frozen=True)
class Confusion:
    """How many of each row's kind, as people say, the model took for each column's kind."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[Count, ...], ...]


@dataclass(frozen=True)
class Bin:
    """Answers of which the model was about as sure: their mean probability, and how many were right."""

    count: Count
    confidence: Share
    right: Count


@dataclass(frozen=True)
class Calibration:
    """Whether the answers given with 80 % are right in 80 of 100: BINS bins of as many answers each."""

    of: str  # what an answer is, in the plural
    bins: tuple[Bin, ...]

    @property
    def error(self) -> float:
        """Expected calibration error (Guo et al. 2017) in points: the mean distance of probability and share of right ones."""
        answers = sum(one.count for one in self.bins)
        return 100 * sum(abs(one.confidence * one.count - one.right) for one in self.bins) / max(answers, 1)


@dataclass(frozen=True)
class Result:
    """A checkpoint on one split of its task's corpus."""

    sentences: Count
    tokens: Count
    scores: dict[str, Finite]
    tallies: tuple[Tally, ...] = ()
    confusion: Confusion | None = None
    bands: tuple[Band, ...] = ()
    banded_by: str = FREQUENCY  # or what the initial memory of the model stands for, such as its language
    calibrations: tuple[Calibration, ...] = ()


@dataclass(frozen=True)
class Example:
    """A sentence of the dev split, and the words in it that it is an example for."""

    text: str
    word: str


@dataclass(frozen=True)
class Error:
    """What the model takes for what, how often on dev, and where for example."""

    gold: str
    predicted: str
    count: Count
    example: Example | None


@dataclass(frozen=True)
class Speed:
    """Words a second of the processor's time on one thread: the median of some rounds.

    A rival took its turn in each round; `ratio` is the median of how many times as fast as the rival the model was.
    """

    words: Finite
    rounds: Count
    what: str  # is done with a word
    machine: str
    rival: str = ""
    ratio: Finite | None = None


@dataclass(frozen=True)
class Card:
    """All that is known and measured of a checkpoint. `seconds` of training are None where its file does not tell them."""

    name: str
    sha256: str
    task: str
    task_title: str
    cell: str
    predicts: str
    unit: str
    bytes: Count
    parameters: Count
    seconds: Finite | None
    seed: Count
    epochs: Count
    corpora: tuple[str, ...]
    licence: str
    config: dict[str, Any]
    recipe: dict[str, Any]
    versions: dict[str, str]
    metric: str
    results: dict[str, Result]  # by split
    errors: tuple[Error, ...]
    speed: Speed
    format: int = FORMAT


@dataclass(frozen=True)
class Guess:
    """What one model says at a word. The probability is that of its tag; of a language model, that of the word that came."""

    said: str
    probability: Share


@dataclass(frozen=True)
class Difference:
    """A word of the dev split at which models differ. A language model has read the text; `word` came next."""

    text: str
    word: str
    start: Count  # of the word in the text, in characters
    gold: str
    guesses: dict[str, Guess]  # by model

    def between(self, first: str, second: str) -> bool:
        """Whether these two models say different things."""
        return {first, second} <= self.guesses.keys() and self.guesses[first].said != self.guesses[second].said


@dataclass(frozen=True)
class Pair:
    """Two models on the words of the dev split: at how many they differ, and which of them is right there."""

    first: str
    second: str
    words: Count
    differ: Count
    first_right: Count
    second_right: Count


@dataclass(frozen=True)
class TaskCard:
    """What the checkpoints of a task have in common, and where they differ. `models` maps their names to the SHA-256 of each."""

    task: str
    title: str
    aliases: tuple[str, ...]
    place: Count  # among the tasks
    predicts: str
    unit: str
    metric: str
    higher_is_better: bool
    source: str  # of the sentences that are quoted, with its licence
    models: dict[str, str]
    pairs: tuple[Pair, ...]
    differences: tuple[Difference, ...]
    format: int = FORMAT


def cards_folder(checkpoints: Path | None = None) -> Path:
    """Where the cards of a folder of checkpoints are: beside them. Without one, of the shipped ones."""
    return (checkpoints or environment().checkpoints) / "cards"


def card_path(name: str, checkpoints: Path | None = None) -> Path:
    """The file of a checkpoint's card."""
    return cards_folder(checkpoints) / f"{name}.json"


def task_card_path(task: str, checkpoints: Path | None = None) -> Path:
    """The file of a task's."""
    return cards_folder(checkpoints) / "tasks" / f"{task}.json"


def read_card(path: Path) -> Card:
    """The card in a file. CardError if it is none."""
    return _read(Card, path)


def read_task_card(path: Path) -> TaskCard:
    """What a file says of a task's checkpoints. CardError if it does not."""
    return _read(TaskCard, path)


def read_cards(checkpoints: Path | None = None, damaged: list[str] | None = None) -> list[Card]:
    """The cards of all checkpoints that are in the folder, by cell, then name.

    With a list of what is `damaged`, a card that cannot be read is told there and left out.
    """
    cells = list(CELLS)
    paths = (card_path(name, checkpoints) for name in checkpoint_names(checkpoints))
    found = _read_all(read_card, (path for path in paths if path.exists()), damaged)
    return sorted(found, key=lambda card: (cells.index(card.cell) if card.cell in cells else len(cells), card.name))


def read_task_cards(checkpoints: Path | None = None, damaged: list[str] | None = None) -> list[TaskCard]:
    """Those of all tasks, in the order of the tasks; `damaged` as of `read_cards`."""
    found = _read_all(read_task_card, sorted(task_card_path("", checkpoints).parent.glob("*.json")), damaged)
    return sorted(found, key=lambda card: card.place)


def checkpoint_names(checkpoints: Path | None = None) -> list[str]:
    """The checkpoints in the folder, whether or not they have a card."""
    return sorted(path.stem for path in (checkpoints or environment().checkpoints).glob(f"*{CHECKPOINT_SUFFIX}"))


def is_current(name: str, sha256: str, checkpoints: Path | None = None) -> bool:
    """Whether the checkpoint of that name is the one with this SHA-256."""
    path = (checkpoints or environment().checkpoints) / f"{name}{CHECKPOINT_SUFFIX}"
    return path.exists() and sha256_of(path) == sha256


def sha256_of(path: Path) -> str:
    """Of a whole file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(card: Card | TaskCard, checkpoints: Path | None = None) -> Path:
    """Write it beside the checkpoints. A kill leaves the old file or the new one."""
    path = card_path(card.name, checkpoints) if isinstance(card, Card) else task_card_path(card.task, checkpoints)
    write_text(path, f"{_lines(asdict(card))}\n")
    return path


def write_text(path: Path, text: str) -> None:
    """A file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())


def _read_all(read: Callable[[Path], Kind], paths: Iterable[Path], damaged: list[str] | None) -> Iterator[Kind]:
    for path in paths:
        try:
            yield read(path)
        except CardError as problem:
            if damaged is None:
                raise
            damaged.append(str(problem))


def _read(kind: type[Kind], path: Path) -> Kind:
    try:
        return validated(kind, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CardError(f"the card {path.name} cannot be read ({error}): make it anew with python -m seqmodels cards") from None


def _lines(value: Any, depth: int = 3, indent: str = "") -> str:
    """JSON with a line for each small thing, so that a change of one is a change of one line."""
    inner = f"{indent} "
    if depth and isinstance(value, Mapping) and value:
        rows = [f"{inner}{json.dumps(name, ensure_ascii=False)}: {_lines(part, depth - 1, inner)}" for name, part in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if depth and isinstance(value, list | tuple) and value and isinstance(value[0], Mapping | list | tuple):
        return "[\n" + ",\n".join(f"{inner}{_lines(part, depth - 1, inner)}" for part in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
