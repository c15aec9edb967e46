"""What a tagger learns from a batch of sentences, and how it is scored on those held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from seqmodels.corpora import Sentence
from seqmodels.models import Tagger
from seqmodels.tasks.batching import windows
from seqmodels.tasks.tagging_probabilities import nats, tag_probabilities
from seqmodels.text import first_upper
from seqmodels.training import ALL_ROWS, BatchLoss, DevScore, Tensors
from seqmodels.vocab import TaggerVocab, pad

if TYPE_CHECKING:
    from seqmodels.tasks.tagging import TagTask

TRAINING_BATCH = 32  # sentences
LONGEST_TRAINED = 160  # tokens; a batch of such sentences needs at most half a gigabyte, and the corpora have none longer
POOL = 40  # batches whose sentences are sorted by length together
UNSCORED = -100  # cross_entropy's default ignore_index


# which shares of the sentences in another case are in which
CASES: dict[Callable[[str], str], float] = {str.lower: 0.7, str.upper: 0.18, first_upper: 0.12}


@dataclass
class TaggingObjective:
    """Cross-entropy over the tags, or over sequences of tags, plus half of that over the second tags where a sentence has them.

    A sentence of more than LONGEST_TRAINED words is learned from in parts, so that no batch is padded to its length.
    Sentences of another corpus are scored with a correction that is its own (Daumé 2007), so that what it calls otherwise is not
    learned of all.
    Some sentences are read in small letters, in capitals or as a title, so that the network learns to do without its usual hint.
    Rare words are dropped to `<unk>` at random, the rarer the more often (Kiperwasser & Goldberg 2016), so that the network learns
    to rely on spelling for words it will not know.
    """

    task: TagTask
    model: Tagger
    vocabulary: TaggerVocab
    train: list[Sentence]
    dev: list[Sentence]
    batch_size: int = TRAINING_BATCH
    auxiliary_weight: float = 0.5
    word_dropout: float = 0.25
    higher_is_better: bool = True
    second_tags: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.train = [part for sentence in self.train for part in _parts(sentence)]
        seen = sorted({tag for sentence in self.train for tag in sentence.auxiliary or ()})
        self.second_tags = {tag: index for index, tag in enumerate(seen)}
        if self.second_tags:
            self.model.add_auxiliary_head(len(self.second_tags))
        corpora = sorted({sentence.corpus for sentence in self.train} - {""})
        self._corpora = {name: number for number, name in enumerate(["", *corpora])}
        if corpora:
            self.model.add_corrections(len(corpora))
        self._tag_ids = {tag: index for index, tag in enumerate(self.vocabulary.tags)}
        counts = Counter(self.vocabulary.listed(word) for sentence in self.train for word in sentence.words)
        tokens = self.vocabulary.words.tokens
        rates = [self.word_dropout / (self.word_dropout + counts[token]) if counts[token] else 0.0 for token in tokens]
        self._drop_rates = torch.tensor(rates)

    @property
    def steps(self) -> int:
        return -(-len(self.train) // self.batch_size)

    def batches(self) -> list[list[int]]:
        """Sentences of like length together, in random order: little padding, and no two epochs alike."""
        size = self.batch_size
        order = torch.randperm(len(self.train)).tolist()
        batches = []
        for start in range(0, len(order), POOL * size):
            pool = sorted(order[start : start + POOL * size], key=lambda index: len(self.train[index].words))
            batches += [pool[first : first + size] for first in range(0, len(pool), size)]
        return [batches[index] for index in torch.randperm(len(batches)).tolist()]

    def width(self, batch: list[int]) -> int:
        return len(batch)

    def loss(self, model: Tagger, batch: list[int], hidden_state: Tensors, rows: slice = ALL_ROWS) -> BatchLoss:
        sentences = [self.train[index] for index in batch]
        words = [self._recased(sentence.words) for sentence in sentences]
        drawn = torch.rand(len(words), max(map(len, words)))
        sentences, words, drawn = sentences[rows], words[rows], drawn[rows]
        read = self.vocabulary.encode(words)
        dropped = drawn[:, : read.words.shape[1]] < self._drop_rates[read.words]
        read = replace(read, words=read.words.masked_fill(dropped, self.vocabulary.words.unk))
        outputs, _ = model.states(read)  # (rows, time, output_size)
        gold = pad([[self._tag_ids[tag] for tag in sentence.tags] for sentence in sentences], UNSCORED).to(outputs.device)
        return BatchLoss(
            mean=self._first_loss(model, outputs, gold, sentences),
            tokens=sum(len(sentence.words) for sentence in sentences),
            auxiliary=self._second_loss(model, outputs, sentences),
            auxiliary_tokens=sum(len(sentence.words) for sentence in sentences if sentence.auxiliary),
        )

    def score(self, model: Tagger) -> DevScore:
        found = tag_probabilities(model, self.vocabulary, [sentence.words for sentence in self.dev])
        metrics = self.task.metrics_of(model.rules(self.vocabulary.tags), self.dev, found)
        return DevScore(metrics[self.task.metric], *nats(model, self.vocabulary, self.dev, found))

    def settings(self) -> dict[str, float]:
        return {
            "batch_size": self.batch_size,
            "auxiliary_weight": self.auxiliary_weight if self.second_tags else 0.0,
            "word_dropout": self.word_dropout,
            "casing_noise": self.task.casing_noise,
            "title_noise": self.task.title_noise,
        }

    def _recased(self, words: tuple[str, ...]) -> Sequence[str]:
        """The words, or at random all of them in another case."""
        drawn = torch.rand(()).item()
        share = 0.0
        for recase, part in CASES.items():
            share += part * self.task.casing_noise
            if drawn < share:
                return [recase(word) for word in words]
        return [first_upper(word) for word in words] if drawn < share + self.task.title_noise else words

    def _first_loss(self, model: Tagger, outputs: Tensor, gold: Tensor, sentences: Sequence[Sentence]) -> Tensor:
        logits = model.head(outputs)
        if model.corrections is not None:
            none = torch.zeros_like(model.corrections[:1])
            rows = torch.tensor([self._corpora[sentence.corpus] for sentence in sentences], device=outputs.device)
            logits = logits + torch.bmm(outputs, torch.cat([none, model.corrections])[rows])
        if model.transitions is None:
            return F.cross_entropy(logits.flatten(0, 1), gold.flatten())
        lengths = (gold != UNSCORED).sum(dim=1)
        return model.transitions.loss(logits, gold, lengths) / lengths.sum()

    def _second_loss(self, model: Tagger, outputs: Tensor, sentences: Sequence[Sentence]) -> Tensor | None:
        """The weighted loss over the second tags, where a sentence has them."""
        if not any(sentence.auxiliary for sentence in sentences):
            return None
        assert model.auxiliary_head is not None
        rows = [
            [self.second_tags[tag] for tag in sentence.auxiliary] if sentence.auxiliary else [UNSCORED] * len(sentence.words)
            for sentence in sentences
        ]
        gold = pad(rows, UNSCORED).to(outputs.device)
        second = F.cross_entropy(model.auxiliary_head(outputs).flatten(0, 1), gold.flatten())
        return self.auxiliary_weight * second


def _parts(sentence: Sentence) -> list[Sentence]:
    if len(sentence.words) <= LONGEST_TRAINED:
        return [sentence]
    second = sentence.auxiliary
    return [
        replace(sentence, words=sentence.words[part], tags=sentence.tags[part], auxiliary=second and second[part])
        for part in windows(len(sentence.words), LONGEST_TRAINED)
    ]
