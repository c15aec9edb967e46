"""Next-word language modelling on State of the Union addresses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmodels.corpora import load_paragraphs, read_paragraphs
from seqmodels.metrics import perplexity
from seqmodels.models import LanguageModel
from seqmodels.tasks.base import ModelConfig, Scores, Task, Vocabulary
from seqmodels.training import TrainConfig
from seqmodels.vocab import LanguageVocab

Paragraph = list[str]

EVALUATION_CHUNK = 512  # tokens at a time; the state is carried over, so the size changes nothing


class LanguageTask(Task):
    """Paragraphs follow each other in one stream, and the memory is carried from each to the next."""

    name = "lm"
    title = "Language model"
    corpora = ("sotu",)
    metric = "perplexity"
    higher_is_better = False
    model = ModelConfig(cell="gru", hidden_size=256, dropout=0.2)
    training = TrainConfig(epochs=5, learning_rate=3e-3, patience=3)

    def load(self, split: str) -> list[Paragraph]:
        return load_paragraphs("sotu", split)

    def read(self, path: Path) -> list[Paragraph]:
        return read_paragraphs(path)

    def vocabulary(self, train: list[Paragraph]) -> LanguageVocab:
        return LanguageVocab.build(train)

    def build(self, config: ModelConfig, vocabulary: Vocabulary) -> LanguageModel:
        return LanguageModel(
            len(vocabulary.words),
            config.cell,
            config.hidden_size,
            layers=config.layers,
            dropout=config.dropout,
            activation=config.activation,
        )

    def objective(
        self, model: nn.Module, vocabulary: Vocabulary, train: list[Paragraph], dev: list[Paragraph]
    ) -> LanguageObjective:
        assert isinstance(vocabulary, LanguageVocab)
        return LanguageObjective(self, vocabulary, vocabulary.stream(train), dev)

    @torch.inference_mode()
    def evaluate(self, model: nn.Module, vocabulary: Vocabulary, items: list[Paragraph]) -> Scores:
        """Perplexity over words, `<unk>` and `<eos>`, from a first `<eos>` on."""
        assert isinstance(model, LanguageModel) and isinstance(vocabulary, LanguageVocab)
        model.eval()
        targets = vocabulary.stream(items)
        inputs = torch.cat([torch.tensor([vocabulary.eos]), targets[:-1]])
        nats, state = 0.0, None
        for start in range(0, len(targets), EVALUATION_CHUNK):
            chunk = slice(start, start + EVALUATION_CHUNK)
            logits, state = model(inputs[chunk].unsqueeze(0), state)
            nats += F.cross_entropy(logits[0], targets[chunk], reduction="sum").item()
        return Scores(len(items), len(targets), {"perplexity": perplexity(nats, len(targets))})


@dataclass
class LanguageObjective:
    """Truncated backpropagation over parallel streams of one long text."""

    task: LanguageTask
    vocabulary: LanguageVocab
    stream: Tensor  # (tokens,)
    dev: list[Paragraph]
    streams: int = 64
    window: int = 35
    frequent: int = 1500  # see LanguageModel.sampled_loss
    sampled: int = 500
    higher_is_better: bool = False

    def __post_init__(self) -> None:
        if len(self.stream) < 2:
            raise ValueError("the training text has fewer than two tokens: give a longer one")
        self.streams = max(1, min(self.streams, (len(self.stream) - 1) // self.window))

    @property
    def steps(self) -> int:
        return math.ceil(((len(self.stream) - 1) // self.streams) / self.window)

    def losses(self, model: nn.Module, epoch: int) -> Iterator[tuple[Tensor, int]]:
        assert isinstance(model, LanguageModel)
        length = (len(self.stream) - 1) // self.streams
        inputs = self.stream[: self.streams * length].view(self.streams, length)
        targets = self.stream[1 : self.streams * length + 1].view(self.streams, length)
        state = None
        for start in range(0, length, self.window):
            window = slice(start, start + self.window)
            outputs, state = model.states(inputs[:, window], state)
            state = tuple(part.detach() for part in state)
            wanted = targets[:, window].flatten()
            yield model.sampled_loss(outputs.flatten(0, 1), wanted, frequent=self.frequent, sampled=self.sampled), len(wanted)

    def score(self, model: nn.Module) -> float:
        return self.task.evaluate(model, self.vocabulary, self.dev).figures["perplexity"]

    def settings(self) -> dict[str, float]:
        return {"streams": self.streams, "window": self.window, "frequent": self.frequent, "sampled": self.sampled}
