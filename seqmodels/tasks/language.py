"""Language modelling on State of the Union addresses: the next word, or the next character."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmodels import text as text_module
from seqmodels.corpora import Columns, Contents, Subset, TextFile, keep_some, load_texts, read_own_texts, split_text
from seqmodels.decoding import LEAST_TOKEN, SpanOdds
from seqmodels.metrics import perplexity
from seqmodels.models import LanguageModel
from seqmodels.tasks.base import (
    ALL_FOUND,
    MOST_ITEMS,
    TEMPERATURES,
    USUAL,
    DataConfig,
    DemoConfig,
    ModelConfig,
    Scores,
    Splits,
    Task,
    Workload,
)
from seqmodels.training import ALL_ROWS, BatchLoss, DevScore, ShareableObjective, Tensors, TrainConfig
from seqmodels.vocab import CharacterVocab, LanguageBatch, LanguageVocab

Paragraph = list[str]

EVALUATION_CHUNK = 512  # tokens at a time; the state is carried over, so the size changes nothing
SCORED_TOGETHER = 2048  # tokens at most, whose logits are in memory at a time
CALIBRATED_BY = 50_000  # tokens; more would change a temperature by less than half a percent
CLOSE = 0.03  # a step of Newton's method, as a share, after which the next would be smaller than that
MOST_STEPS = 8
UNSCORED = -100  # cross_entropy's default ignore_index


class LanguageTask(Task):
    """Paragraphs follow each other in one stream, and the memory is carried from each to the next."""

    name = "lm"
    title = page_title = "Language model"
    noun = "a language model"
    example = "lm-gru"
    predicts = "next token"
    below = "its surprisal in bits"
    probe = "The people of the United States"
    items = "Paragraphs"
    file_format = "plain text, a blank line between paragraphs"
    corpus_note = "plain text"
    shipped = True
    corpora: ClassVar[tuple[str, ...]] = ("sotu",)
    metric = "perplexity"
    higher_is_better = False
    model = ModelConfig(cell="gru", hidden_size=320, dropout=0.3)
    training = TrainConfig(epochs=14, learning_rate=3e-3, weight_decay=4e-6, average=0.999, restarts=0.4, patience=3)
    demo = DemoConfig(
        replace(model, hidden_size=160, dropout=0.2), TrainConfig(epochs=5, learning_rate=5e-3, restarts=0.4, patience=2), 2000, 100
    )
    sources: ClassVar[tuple[str, ...]] = ("sotu", "fairytales", "file")
    vocabulary_class: ClassVar[type[LanguageVocab]] = LanguageVocab
    streams: ClassVar[int] = 64  # of the training text side by side; the batch size
    window: ClassVar[int] = 35  # tokens that the gradient goes back
    typical: ClassVar[int] = 90  # tokens of a paragraph, about
    context: ClassVar[int] = 1000  # tokens at least that a text to score is read on for, before an empty memory

    def load(self, split: str, keep: Subset | None = None) -> list[Paragraph]:
        return self.load_corpus(self.corpora[0], split, keep)

    def load_corpus(self, name: str, split: str, keep: Subset | None = None) -> list[Paragraph]:
        return [self.tokens(text) for text in keep_some(load_texts(name, split), keep)]

    def read(
        self, path: Path | TextFile, columns: Columns = ALL_FOUND, known: Sequence[str] | None = None, *, training: bool = False
    ) -> Contents[Paragraph]:
        if columns != ALL_FOUND:
            raise ValueError(f"task {self.name!r} reads plain text, which has no columns or types: leave those options out")
        found = read_own_texts(path)
        paragraphs = [self.tokens(text) for text in found.items]
        return Contents(paragraphs, replace(found.report, tokens=sum(map(len, paragraphs))))

    def split_own(self, items: list[Paragraph], config: DataConfig, name: str) -> Splits:
        train, dev = split_text(items, config.dev_share, config.seed, name)
        return keep_some(train, config.train_subset), dev

    def tokens(self, text: str) -> Paragraph:
        """What the model reads of a paragraph."""
        return text_module.words(text)

    def workload(self, config: DataConfig, batch_size: int | None, words: Sequence[str]) -> Workload:
        tokens = self.typical * min(config.sentences or MOST_ITEMS, MOST_ITEMS)
        return Workload([self.spelled(words)], tokens, self.window * (batch_size or self.streams))

    def spelled(self, words: Sequence[str]) -> Paragraph:
        """A paragraph of these words, without a tokenizer's care."""
        return list(words)

    def vocabulary(self, train: list[Paragraph]) -> LanguageVocab:
        return self.vocabulary_class.build(train)

    def build(self, config: ModelConfig, vocabulary: LanguageVocab) -> LanguageModel:
        model = LanguageModel(
            len(vocabulary.words),
            config.cell,
            config.hidden_size,
            layers=config.layers,
            dropout=config.dropout,
            activation=config.activation,
            embedding_size=config.embedding_size,
            conditions=len(vocabulary.conditions),
        )
        config.initialize(model.recurrent)
        return model

    def objective(
        self,
        model: nn.Module,
        vocabulary: LanguageVocab,
        train: list[Paragraph],
        dev: list[Paragraph],
        training: TrainConfig = USUAL,
    ) -> ShareableObjective:
        streams = training.batch_size or self.streams
        return LanguageObjective(self, vocabulary, vocabulary.stream(train), dev, streams, self.window, training.restarts)

    def evaluate(self, model: LanguageModel, vocabulary: LanguageVocab, items: list[Paragraph]) -> Scores:
        """Over words, `<unk>` and `<eos>`, from a first `<eos>` on."""
        nats, tokens = self.surprise(model, vocabulary, items)
        return Scores(len(items), tokens, self.metrics(nats, tokens), self.facts(vocabulary, items))

    def facts(self, vocabulary: LanguageVocab, items: list[Paragraph]) -> dict[str, float]:
        """Of the text's own words: an `<eos>` is none."""
        return {"unknown_share": vocabulary.words.unknown_share(word for words in items for word in words)}

    def metrics(self, nats: float, tokens: int) -> dict[str, float]:
        return {"perplexity": perplexity(nats, tokens)}

    def baseline(self, vocabulary: LanguageVocab, train: list[Any], dev: list[Any]) -> float | None:
        """Each token by its share of the train split."""
        learned, came = vocabulary.stream(train), vocabulary.stream(dev)
        shares = learned.bincount(minlength=len(vocabulary.words)).float() + 1  # one more of each, so that none is impossible
        nats = -(shares / shares.sum()).log()[came].sum().item()
        return self.metrics(nats, len(came))[self.metric]

    @torch.inference_mode()
    def surprise(self, model: LanguageModel, vocabulary: LanguageVocab, items: list[Any]) -> tuple[float, int]:
        """The negative log-probability of all tokens, in nats, and how many they are."""
        nats, tokens = 0.0, 0
        for logits, targets in self.predictions(model, vocabulary, items):
            nats += F.cross_entropy(logits, targets, reduction="sum").item()
            tokens += len(targets)
        return nats, tokens

    def dev_score(self, model: LanguageModel, vocabulary: LanguageVocab, items: list[Any]) -> DevScore:
        """The metric, and the loss in nats a token."""
        nats, tokens = self.surprise(model, vocabulary, items)
        return DevScore(self.metrics(nats, tokens)[self.metric], nats / max(tokens, 1))

    def calibrate(self, model: LanguageModel, vocabulary: LanguageVocab, dev: list[Any]) -> SpanOdds:
        """Set the temperature that makes the dev text most likely, by Newton's method: the loss is convex in its inverse."""
        model.temperature = 1.0
        least, most = TEMPERATURES
        for _ in range(MOST_STEPS):
            before, scale = model.temperature, self._likelier_scale(model, vocabulary, dev)
            model.temperature = round(min(most, max(least, before / scale)), 4)
            if abs(model.temperature - before) < CLOSE * before:
                break
        return LEAST_TOKEN

    @torch.inference_mode()
    def _likelier_scale(self, model: LanguageModel, vocabulary: LanguageVocab, dev: list[Any]) -> float:
        """What to multiply the logits by, from half to twice: one step of Newton's method.

        The slope of the loss is by how much the expected logit is above that of the token that came; its curvature is the variance.
        """
        slope, curvature, read = 0.0, 0.0, 0
        for logits, came in self.predictions(model, vocabulary, dev):
            weighted = logits.softmax(dim=-1).mul_(logits)
            expected = weighted.sum(dim=-1)
            slope += (expected - logits.gather(-1, came.unsqueeze(-1)).squeeze(-1)).sum().item()
            curvature += (weighted.mul_(logits).sum(dim=-1) - expected.square()).sum().item()
            read += len(came)
            if read >= CALIBRATED_BY:
                break
        return min(2.0, max(0.5, 1 - slope / curvature)) if curvature > 0 else 1.0

    @torch.inference_mode()
    def predictions(
        self, model: LanguageModel, vocabulary: LanguageVocab, items: list[Paragraph]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Part by part, the logits (tokens, vocabulary) of each token and the ids (tokens,) of what came."""
        model.eval()
        targets = vocabulary.stream(items)
        inputs = torch.cat([torch.tensor([vocabulary.eos]), targets[:-1]])
        # side by side: step after step would take a loop many times as long
        streams = min(max(1, len(targets) // self.context), SCORED_TOGETHER // 8)
        missing = -len(targets) % streams  # the last stream is filled up
        inputs = F.pad(inputs, (0, missing)).view(streams, -1)
        targets = F.pad(targets, (0, missing), value=UNSCORED).view(streams, -1)
        state, size = None, SCORED_TOGETHER // streams
        for start in range(0, inputs.shape[1], size):
            chunk = slice(start, start + size)
            logits, state = model(inputs[:, chunk], state)
            logits, came = logits.flatten(0, 1), targets[:, chunk].flatten().to(logits.device)
            scored = came != UNSCORED
            yield (logits, came) if scored.all() else (logits[scored], came[scored])


class TalesTask(LanguageTask):
    """The same on seventeen books of fairy tales: simpler sentences, and words that a visitor would begin with."""

    name = "tales"
    title = "Language model of fairy tales"
    page_title = "Fairy tales"
    example = "tales-gru"
    probe = "Once upon a time"
    corpora = ("fairytales",)
    sources = ("fairytales", "file")


class CharacterTask(LanguageTask):
    """The same over characters: some ninety in place of fourteen thousand words, so a small network learns while you watch."""

    name = "char"
    title = "Character language model"
    page_title = "Characters"
    unit = "character"
    probe = "The people "
    loss_unit = "nats a character"
    shipped = False
    metric = "bits_per_character"
    model = ModelConfig(cell="gru", hidden_size=160, embedding_size=32)
    training = TrainConfig(epochs=10, learning_rate=5e-3, patience=3)
    demo = DemoConfig(model, training, 800, 60)
    vocabulary_class = CharacterVocab
    streams = 32
    window = 64
    typical = 450

    def tokens(self, text: str) -> Paragraph:
        return list(text_module.normal(text))

    def spelled(self, words: Sequence[str]) -> Paragraph:
        return list(" ".join(words))

    def metrics(self, nats: float, tokens: int) -> dict[str, float]:
        return {"bits_per_character": nats / math.log(2) / max(tokens, 1), **super().metrics(nats, tokens)}


def with_unknown(stream: Tensor, unk: int) -> Tensor:
    """ids (tokens,) -> the same with `<unk>` for one in ten of the tokens seen once, where a small text has none of its own.

    A network that never reads `<unk>` finds a new word impossible: of a letter of thirty words, the perplexity was 27, not 16.
    """
    if (stream == unk).any():
        return stream
    once = (stream.bincount()[stream] == 1).nonzero().squeeze(1)[::10]
    return stream.index_fill(0, once, unk)


@dataclass
class LanguageObjective:
    """Truncated backpropagation over parallel streams of one long text.

    The memory runs on from window to window, but for a share of them, `restarts`, that are read from an empty one. A cell that
    forgets nothing would else add up tens of thousands of steps, and learn nothing from them (docs/recipes.md).
    """

    task: LanguageTask
    vocabulary: LanguageVocab
    stream: Tensor  # (tokens,)
    dev: list[Paragraph]
    streams: int
    window: int
    restarts: float = 0.0
    frequent: int = 1500  # see LanguageModel.sampled_loss
    sampled: int = 500
    higher_is_better: bool = False

    def __post_init__(self) -> None:
        if len(self.stream) < 2:
            raise ValueError("the training text has fewer than two tokens: give a longer one")
        self.stream = with_unknown(self.stream, self.vocabulary.words.unk)
        self.streams = max(1, min(self.streams, (len(self.stream) - 1) // self.window))

    @property
    def length(self) -> int:
        """Tokens of each stream."""
        return (len(self.stream) - 1) // self.streams

    @property
    def steps(self) -> int:
        return math.ceil(self.length / self.window)

    def batches(self) -> range:
        """Where each window starts; in the order of the text, since the memory runs on."""
        return range(0, self.length, self.window)

    def width(self, batch: int) -> int:
        return self.streams

    def loss(self, model: LanguageModel, batch: int, hidden_state: Tensors, rows: slice = ALL_ROWS) -> BatchLoss:
        window = slice(batch, min(batch + self.window, self.length))
        read = self.streams * self.length
        inputs = self.stream[:read].view(self.streams, self.length)[rows, window]
        came = self.stream[1 : read + 1].view(self.streams, self.length)[:, window]
        targets = came[rows].flatten()
        state = tuple(hidden_state[name] for name in sorted(hidden_state)) or None  # (layers, directions, rows, hidden)
        if state and self.restarts:
            kept = (torch.rand(self.streams, 1) >= self.restarts).float()[rows]
            state = tuple(kept.to(part.device) * part for part in state)
        outputs, state = model.states(LanguageBatch(inputs), state)
        return BatchLoss(
            mean=model.sampled_loss(
                outputs.flatten(0, 1), targets, among=came.flatten(), frequent=self.frequent, sampled=self.sampled
            ),
            tokens=len(targets),
            hidden_state={f"memory{number}": part.detach() for number, part in enumerate(state)},
        )

    def score(self, model: LanguageModel) -> DevScore:
        return self.task.dev_score(model, self.vocabulary, self.dev)

    def settings(self) -> dict[str, float]:
        return {"streams": self.streams, "window": self.window, "frequent": self.frequent, "sampled": self.sampled}
