"""Tasks whose sequences are drawn at random, each with one thing to remember. A length of `T` puts it about T steps back."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from seqmodels.tasks.base import DemoConfig, ModelConfig
from seqmodels.tasks.memory import Example, MemoryTask, check_length
from seqmodels.training import TrainConfig
from seqmodels.vocab import SequenceVocab

RIGHT_WITHIN = 0.04  # an error of the sum below it is right, as in Hochreiter & Schmidhuber 1997
COPIED = 10  # symbols to write down
DEEPEST = 8  # brackets open at once

_MODEL = ModelConfig(cell="gru", hidden_size=64)


class AddingTask(MemoryTask):
    """Numbers from 0 to 1, two of them marked, one in each half: name the sum of the two. Always answering 1 errs by 1/6.

    Hochreiter & Schmidhuber 1997.
    """

    name = "adding"
    title = page_title = "Adding problem"
    idea = "Two of the numbers are marked: what is their sum?"
    distance = "numbers"
    loss_unit = "mean squared error"
    metric = "mse"
    higher_is_better = False
    model = _MODEL
    training = TrainConfig(epochs=15, learning_rate=5e-3, schedule="constant", patience=None)
    demo = DemoConfig(model, training)
    length = 50
    vocabulary_of_all = SequenceVocab(inputs=2, outputs=1)

    def generate(self, count: int, length: int, seed: int) -> list[Example]:
        check_length(length, least=2)
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

    def spell(self, example: Example) -> tuple[list[str], list[str]]:
        return [f"{value:.2f}{'*' if mark else ''}" for value, mark in example.inputs.tolist()], [f"{example.target:.2f}"]

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Squared error."""
        return F.mse_loss(answers.squeeze(1), targets)

    def constant(self, targets: Tensor) -> Tensor:
        return targets.mean(0, keepdim=True)

    def metrics(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        error = answers.squeeze(1) - targets
        return {"mse": error.square().mean().item(), "accuracy": 100 * (error.abs() < RIGHT_WITHIN).float().mean().item()}


class SymbolTask(MemoryTask):
    """Sequences of symbols, and as answer one of some symbols."""

    loss_unit = "nats a sequence"
    metric = "accuracy"
    higher_is_better = True
    model = _MODEL
    training = TrainConfig(epochs=15, learning_rate=3e-3, schedule="constant", patience=None)
    demo = DemoConfig(model, training)
    length = 30
    symbols: ClassVar[tuple[str, ...]]  # that are read
    answers: ClassVar[tuple[str, ...]]
    every_step: ClassVar[bool] = False

    @property
    def vocabulary_of_all(self) -> SequenceVocab:  # type: ignore[override]
        return SequenceVocab(len(self.symbols), len(self.answers), self.every_step)

    @abstractmethod
    def draw(self, count: int, length: int, chance: Generator) -> tuple[Tensor, Tensor]:
        """Ids of symbols (count, time), and of answers (count,) or (count, time)."""

    def generate(self, count: int, length: int, seed: int) -> list[Example]:
        check_length(length)
        symbols, targets = self.draw(count, length, torch.Generator().manual_seed(seed))
        inputs = F.one_hot(symbols, len(self.symbols)).float()  # (count, time, inputs)
        return [Example(*pair) for pair in zip(inputs, targets, strict=True)]

    def spell(self, example: Example) -> tuple[list[str], list[str]]:
        read = [self.symbols[index] for index in example.inputs.argmax(1).tolist()]
        return read, [self.answers[index] for index in example.target.reshape(-1).tolist()]

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, the mean over what is answered."""
        return F.cross_entropy(answers.flatten(0, -2), targets.flatten())

    def constant(self, targets: Tensor) -> Tensor:
        """As logits: an answer that never came is all but excluded."""
        return F.one_hot(targets, len(self.answers)).float().mean(0).clamp(min=1e-9).log()

    def metrics(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        return {"accuracy": 100 * (answers.argmax(dim=-1) == targets).float().mean().item()}


class RecallTask(SymbolTask):
    """A symbol, then fillers drawn at random: name the symbol. Guessing is right one time in eight."""

    name = "recall"
    title = page_title = "Recall of the first symbol"
    idea = "Which of eight symbols stood at the beginning?"
    distance = "fillers"
    symbols = (*"ABCDEFGH", *"stuvwxyz")
    answers = symbols[:8]

    def draw(self, count: int, length: int, chance: Generator) -> tuple[Tensor, Tensor]:
        kinds, fillers = len(self.answers), len(self.symbols)
        first = torch.randint(0, kinds, (count, 1), generator=chance)
        rest = torch.randint(kinds, fillers, (count, length), generator=chance)
        return torch.cat([first, rest], dim=1), first.squeeze(1)


class LatchTask(RecallTask):
    """The same with two symbols, a single bit to keep. Guessing is right every other time. Bengio, Simard & Frasconi 1994."""

    name = "latch"
    title = page_title = "Recall of one bit"
    idea = "Did it begin with A or with B?"
    symbols = (*"AB", *"uvwxyz")
    answers = symbols[:2]


class CopyTask(SymbolTask):
    """Ten symbols, T blanks, then a sign to write the ten down, in order. Arjovsky, Shah & Bengio 2016.

    Every step is answered, the others with a blank. Without a memory the loss is 10 ln 8 / (T + 20).
    """

    name = "copy"
    title = page_title = "Copying"
    idea = "Ten symbols, a long silence, then a sign: write down the ten."
    distance = "silent steps"
    loss_unit = "nats a step"
    symbols = (*"ABCDEFGH", "·", "?")
    answers = (*"ABCDEFGH", "·")
    every_step = True

    def draw(self, count: int, length: int, chance: Generator) -> tuple[Tensor, Tensor]:
        blank, sign = len(self.answers) - 1, len(self.symbols) - 1
        wanted = torch.randint(0, blank, (count, COPIED), generator=chance)
        symbols = torch.full((count, length + 2 * COPIED), blank)
        targets = torch.full((count, length + 2 * COPIED), blank)
        symbols[:, :COPIED] = targets[:, -COPIED:] = wanted
        symbols[:, -COPIED - 1] = sign
        return symbols, targets

    def metrics(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        """Of the ten symbols alone: the blanks are easy."""
        return super().metrics(answers[:, -COPIED:], targets[:, -COPIED:])


class OrderTask(SymbolTask):
    """Fillers, and among them two times A or B, one early and one in the middle: in which order? Pascanu et al. 2013.

    The first stands between 10 and 20 % of the length, the second between 40 and 50 %. Guessing is right one time in four.
    """

    name = "order"
    title = page_title = "Temporal order"
    idea = "Two of the letters are A or B: which, and in which order?"
    distance = "letters"
    symbols = (*"AB", *"cdef")
    answers = ("AA", "AB", "BA", "BB")

    def draw(self, count: int, length: int, chance: Generator) -> tuple[Tensor, Tensor]:
        check_length(length, least=3)
        symbols = torch.randint(2, len(self.symbols), (count, length), generator=chance)
        chosen = torch.randint(0, 2, (count, 2), generator=chance)
        for which, tenth in enumerate((1, 4)):
            first = tenth * length // 10
            places = torch.randint(first, max(first + 1, (tenth + 1) * length // 10), (count,), generator=chance)
            symbols[torch.arange(count), places] = chosen[:, which]
        return symbols, 2 * chosen[:, 0] + chosen[:, 1]


class BracketsTask(SymbolTask):
    """Brackets that open and close, and dots between: how many are still open at the end? A walk of Dyck-1, at most eight deep."""

    name = "brackets"
    title = page_title = "Brackets"
    idea = "How many brackets are still open at the end?"
    distance = "signs"
    symbols = ("(", ")", "·")
    answers = tuple(map(str, range(DEEPEST + 1)))

    def draw(self, count: int, length: int, chance: Generator) -> tuple[Tensor, Tensor]:
        depth = torch.zeros(count, dtype=torch.long)
        signs = torch.randint(0, len(self.symbols), (count, length), generator=chance)
        opening, closing = (self.symbols.index(sign) for sign in "()")
        for step in signs.unbind(1):
            # what can't be closed is opened, and the other way round
            step[(step == closing) & (depth == 0)] = opening
            step[(step == opening) & (depth == DEEPEST)] = closing
            depth += (step == opening).long() - (step == closing).long()
        return signs, depth


class AgreementTask(SymbolTask):
    """A subject, one or many, then phrases with nouns of either number: is or are? Linzen, Dupoux & Goldberg 2016.

    The phrases follow a template; nouns in them are one or many at random, so that the nearest one says nothing of the verb.
    """

    name = "agreement"
    title = page_title = "Agreement"
    idea = "A subject, then many words with nouns of their own: is or are?"
    distance = "words after the subject"
    places = ("to", "near", "behind", "under")
    describing = ("old", "new", "red", "small")
    ones = ("key", "cabinet", "door", "box", "window", "picture")
    many = ("keys", "cabinets", "doors", "boxes", "windows", "pictures")
    symbols = ("the", *ones, *many, *places, *describing)
    answers = ("is", "are")
    template: ClassVar[tuple[tuple[str, ...], ...]] = (places, ("the",), describing, (*ones, *many))  # over and over

    def draw(self, count: int, length: int, chance: Generator) -> tuple[Tensor, Tensor]:
        number = torch.randint(0, 2, (count,), generator=chance)
        nouns = torch.tensor([self._ids(self.ones), self._ids(self.many)])  # (2, nouns)
        subject = nouns[number, torch.randint(0, len(self.ones), (count,), generator=chance)]
        columns = [torch.full((count,), self.symbols.index("the")), subject]
        for step in range(length):
            # cut off at its beginning, so that a phrase is whole where the verb comes
            choice = torch.tensor(self._ids(self.template[(step - length) % len(self.template)]))
            columns.append(choice[torch.randint(0, len(choice), (count,), generator=chance)])
        return torch.stack(columns, dim=1), number

    def _ids(self, words: tuple[str, ...]) -> list[int]:
        return [self.symbols.index(word) for word in words]
