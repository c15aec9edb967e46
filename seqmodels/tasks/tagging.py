"""Part-of-speech tags and entities: one tag a token, from both sides of the sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from seqmodels.corpora import ENTITY_TAGS, UPOS, Sentence, load_sentences, read_conllu, read_entities
from seqmodels.decoding import scheme
from seqmodels.metrics import accuracy, entity_scores
from seqmodels.models import Tagger
from seqmodels.tasks.base import ModelConfig, Scores, Task, Vocabulary
from seqmodels.training import TrainConfig
from seqmodels.vocab import TaggerVocab, pad

EVALUATION_BATCH = 64
UNSCORED = -100  # cross_entropy's default ignore_index


class TagTask(Task):
    """Universal part-of-speech tags, English Web Treebank. The treebank's finer tags are learned beside them, as a second view."""

    name = "pos"
    title = "Part of speech"
    corpora: ClassVar[tuple[str, ...]] = ("ewt",)
    metric = "accuracy"
    higher_is_better = True
    model = ModelConfig(cell="gru", hidden_size=192, dropout=0.4)
    training = TrainConfig(epochs=10, learning_rate=3e-3, patience=4)
    tags: ClassVar[tuple[str, ...]] = UPOS

    def load(self, split: str) -> list[Sentence]:
        return load_sentences("ewt", split)

    def read(self, path: Path) -> list[Sentence]:
        return read_conllu(path)

    def vocabulary(self, train: list[Sentence]) -> TaggerVocab:
        return TaggerVocab.build((sentence.words for sentence in train), self.tags)

    def build(self, config: ModelConfig, vocabulary: Vocabulary) -> Tagger:
        assert isinstance(vocabulary, TaggerVocab)
        return Tagger(
            len(vocabulary.words),
            len(vocabulary.alphabet),
            len(vocabulary.tags),
            config.cell,
            config.hidden_size,
            layers=config.layers,
            dropout=config.dropout,
            activation=config.activation,
        )

    def objective(self, model: nn.Module, vocabulary: Vocabulary, train: list[Sentence], dev: list[Sentence]) -> TaggingObjective:
        assert isinstance(model, Tagger) and isinstance(vocabulary, TaggerVocab)
        return TaggingObjective(self, model, vocabulary, train, dev)

    def evaluate(self, model: nn.Module, vocabulary: Vocabulary, items: list[Sentence]) -> Scores:
        assert isinstance(model, Tagger) and isinstance(vocabulary, TaggerVocab)
        rules = scheme(vocabulary.tags)
        guesses = [
            [vocabulary.tags[tag] for tag in rules.best(probabilities)]
            for probabilities in tag_probabilities(model, vocabulary, [sentence.words for sentence in items])
        ]
        return Scores(len(items), sum(len(s.words) for s in items), self.figures([s.tags for s in items], guesses))

    def figures(self, gold: list[tuple[str, ...]], predicted: list[list[str]]) -> dict[str, float]:
        return {"accuracy": accuracy(gold, predicted)}


class EntityTask(TagTask):
    """Persons, organizations and places, Universal NER over the same treebank.

    Two more teachers help: the treebank's parts of speech beside the entities, and three more entity corpora to train on.
    """

    name = "ner"
    title = "Entities"
    corpora: ClassVar[tuple[str, ...]] = ("uner", "ewt", "wikigold", "wnut17", "btc")
    metric = "f1"
    model = ModelConfig(cell="gru", hidden_size=192, dropout=0.4)
    training = TrainConfig(epochs=7, learning_rate=3e-3, patience=4)
    tags: ClassVar[tuple[str, ...]] = ENTITY_TAGS
    more = (("wikigold", "train"), ("wnut17", "train"), ("wnut17", "dev"), ("wnut17", "test"), ("btc", "train"))

    def load(self, split: str) -> list[Sentence]:
        sentences = load_sentences("uner", split)
        if split != "train":
            return sentences
        parts_of_speech = {sentence.words: sentence.tags for sentence in load_sentences("ewt", "train")}
        taught = [replace(sentence, auxiliary=parts_of_speech.get(sentence.words)) for sentence in sentences]
        return taught + [sentence for name, part in self.more for sentence in load_sentences(name, part)]

    def read(self, path: Path) -> list[Sentence]:
        return read_entities(path)

    def figures(self, gold: list[tuple[str, ...]], predicted: list[list[str]]) -> dict[str, float]:
        precision, recall, f1 = entity_scores(gold, predicted)
        return {"precision": precision, "recall": recall, "f1": f1}


@dataclass
class TaggingObjective:
    """Cross-entropy over the tags, plus half of that over the second tags where a sentence has them.

    Rare words are dropped to `<unk>` at random, the rarer the more often (Kiperwasser & Goldberg 2016), so that the network learns
    to rely on spelling for words it will not know.
    """

    task: TagTask
    model: Tagger
    vocabulary: TaggerVocab
    train: list[Sentence]
    dev: list[Sentence]
    batch_size: int = 32
    auxiliary_weight: float = 0.5
    word_dropout: float = 0.25
    higher_is_better: bool = True
    second_tags: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        seen = sorted({tag for sentence in self.train for tag in sentence.auxiliary or ()})
        self.second_tags = {tag: index for index, tag in enumerate(seen)}
        if self.second_tags:
            self.model.add_auxiliary_head(len(self.second_tags))
        self._tag_ids = {tag: index for index, tag in enumerate(self.vocabulary.tags)}
        counts = Counter(word.lower() for sentence in self.train for word in sentence.words)
        tokens = self.vocabulary.words.tokens
        rates = [self.word_dropout / (self.word_dropout + counts[token]) if counts[token] else 0.0 for token in tokens]
        self._drop_rates = torch.tensor(rates)

    @property
    def steps(self) -> int:
        return -(-len(self.train) // self.batch_size)

    def losses(self, model: nn.Module, epoch: int) -> Iterator[tuple[Tensor, int]]:
        assert isinstance(model, Tagger)
        for indices in self._batches():
            yield self._loss(model, [self.train[index] for index in indices])

    def score(self, model: nn.Module) -> float:
        return self.task.evaluate(model, self.vocabulary, self.dev).figures[self.task.metric]

    def settings(self) -> dict[str, float]:
        return {
            "batch_size": self.batch_size,
            "auxiliary_weight": self.auxiliary_weight if self.second_tags else 0.0,
            "word_dropout": self.word_dropout,
        }

    def _batches(self) -> list[list[int]]:
        """Sentences of like length together, in random order: little padding, and no two epochs alike."""
        size = self.batch_size
        order = torch.randperm(len(self.train)).tolist()
        batches = []
        for start in range(0, len(order), 40 * size):
            pool = sorted(order[start : start + 40 * size], key=lambda index: len(self.train[index].words))
            batches += [pool[first : first + size] for first in range(0, len(pool), size)]
        return [batches[index] for index in torch.randperm(len(batches)).tolist()]

    def _loss(self, model: Tagger, sentences: Sequence[Sentence]) -> tuple[Tensor, int]:
        batch = self.vocabulary.batch([sentence.words for sentence in sentences])
        dropped = torch.rand(batch.words.shape) < self._drop_rates[batch.words]
        batch = replace(batch, words=batch.words.masked_fill(dropped, self.vocabulary.words.unk))
        outputs = model.dropout(model.outputs(batch)[-1])  # (batch, time, output_size)
        gold = pad([[self._tag_ids[tag] for tag in sentence.tags] for sentence in sentences], UNSCORED)
        loss = F.cross_entropy(model.head(outputs).flatten(0, 1), gold.flatten())
        if any(sentence.auxiliary for sentence in sentences):
            assert model.auxiliary_head is not None
            rows = [
                [self.second_tags[tag] for tag in sentence.auxiliary] if sentence.auxiliary else [UNSCORED] * len(sentence.words)
                for sentence in sentences
            ]
            second = F.cross_entropy(model.auxiliary_head(outputs).flatten(0, 1), pad(rows, UNSCORED).flatten())
            loss = loss + self.auxiliary_weight * second
        return loss, sum(len(sentence.words) for sentence in sentences)


@torch.inference_mode()
def tag_probabilities(
    model: Tagger, vocabulary: TaggerVocab, sentences: Sequence[Sequence[str]], temperature: float = 1.0
) -> list[NDArray[np.float32]]:
    """Each sentence's tag probabilities (tokens, tags), in the order given; sentences of like length share a batch."""
    model.eval()
    order = sorted(range(len(sentences)), key=lambda index: len(sentences[index]))
    found: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(sentences)
    for start in range(0, len(order), EVALUATION_BATCH):
        indices = order[start : start + EVALUATION_BATCH]
        scores = model(vocabulary.batch([sentences[index] for index in indices]))
        probabilities = torch.softmax(scores / temperature, dim=-1).numpy()
        for row, index in enumerate(indices):
            found[index] = probabilities[row, : len(sentences[index])]
    return found


def calibrate(model: Tagger, vocabulary: TaggerVocab, dev: list[Sentence]) -> float:
    """The temperature that makes the dev tags most likely (Guo et al. 2017): one number, which changes no decision."""
    tag_ids = {tag: index for index, tag in enumerate(vocabulary.tags)}
    found = tag_probabilities(model, vocabulary, [sentence.words for sentence in dev])
    logs = torch.from_numpy(np.concatenate(found)).clamp_min(1e-12).log()
    gold = torch.tensor([tag_ids[tag] for sentence in dev for tag in sentence.tags])
    candidates = np.geomspace(0.5, 4, 141)
    losses = [F.cross_entropy(logs / temperature, gold).item() for temperature in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 3)
