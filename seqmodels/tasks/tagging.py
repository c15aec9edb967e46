"""Part-of-speech tags and entities: one tag a token, from both sides of the sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqmodels.corpora import (
    ENTITY_TAGS,
    OUTSIDE,
    UPOS,
    Columns,
    Contents,
    CorpusError,
    Sentence,
    Subset,
    TextFile,
    keep_some,
    load_sentences,
    read_own_entities,
    read_own_parts_of_speech,
    split,
)
from seqmodels.decoding import LEAST_TOKEN, SpanOdds, log_odds, scheme, spans
from seqmodels.metrics import accuracy, entity_scores
from seqmodels.models import Tagger
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
from seqmodels.tasks.batching import batches, pieces, windows
from seqmodels.training import ALL_ROWS, BatchLoss, DevScore, Tensors, TrainConfig
from seqmodels.vectors import GLOVE, word_vectors
from seqmodels.vocab import TaggerBatch, TaggerVocab, pad

TRAINING_BATCH = 32  # sentences
LONGEST_TRAINED = 160  # tokens; a batch of such sentences needs at most half a gigabyte, and the corpora have none longer
TYPICAL = 17  # tokens of a sentence of the treebank, on average
POOL = 40  # batches whose sentences are sorted by length together
FEWEST_SPANS = 100  # found in the dev split, until two numbers can be fitted to them
UNSCORED = -100  # cross_entropy's default ignore_index


def _first_upper(word: str) -> str:
    return word[:1].upper() + word[1:]  # str.capitalize would make iPhone Iphone


# which shares of the sentences in another case are in which
CASES: dict[Callable[[str], str], float] = {str.lower: 0.7, str.upper: 0.18, _first_upper: 0.12}
# the spelling features take most of the time of a small tagger: half of them, half the time, and a tenth of a point
_SMALL = ModelConfig(cell="gru", hidden_size=96, dropout=0.3, character_size=16, spelling_size=64)


class TagTask(Task):
    """Universal part-of-speech tags, English Web Treebank, and free texts of more genres to train on.

    The finer tags of both are learned beside them, as a second view.
    """

    name = "pos"
    title = "Part of speech"
    page_title = "Parts of speech"
    noun = "a tagger"
    example = "pos-gru"
    predicts = "tags"
    below = "its tag"
    probe = "The old man the boats, and they record a new record."
    file_format = "CoNLL-U, or columns with a universal tag in one"
    corpus_note = "tagged by people"
    shipped = True
    vocabulary_class = TaggerVocab
    corpora: ClassVar[tuple[str, ...]] = ("ewt", "gum")
    metric = "accuracy"
    higher_is_better = True
    model = ModelConfig(cell="gru", hidden_size=192, dropout=0.4)
    training = TrainConfig(epochs=10, learning_rate=3e-3, average=0.999, patience=4)
    demo = DemoConfig(_SMALL, TrainConfig(epochs=4, learning_rate=5e-3, patience=2))
    sources: ClassVar[tuple[str, ...]] = ("ewt", "all", "silver", "file")
    tags: ClassVar[tuple[str, ...]] = UPOS
    vectors: ClassVar[str | None] = GLOVE  # what its models read of each word besides what they learn
    casing_noise: ClassVar[float] = 0.08  # share of the sentences that are learned from in another case
    more: ClassVar[tuple[tuple[str, str], ...]] = (("gum", "train"),)  # to train on besides the first of the corpora: their splits

    def load(self, split: str, keep: Subset | None = None) -> list[Sentence]:
        sentences = load_sentences(self.corpora[0], split)
        if split == "train":
            more = (sentence for name, part in self.more for sentence in load_sentences(name, part))
            sentences = [*self.with_second_tags(sentences), *more]
        return keep_some(sentences, keep)

    def with_second_tags(self, sentences: list[Sentence]) -> list[Sentence]:
        """The sentences to train on, with what is learned beside their tags."""
        return sentences

    def load_corpus(self, name: str, split: str, keep: Subset | None = None) -> list[Sentence]:
        return keep_some(load_sentences(name, split), keep)

    def read(
        self, path: Path | TextFile, columns: Columns = ALL_FOUND, known: Sequence[str] | None = None, *, training: bool = False
    ) -> Contents[Sentence]:
        return read_own_parts_of_speech(path, columns, training=training)

    def split_own(self, items: list[Sentence], config: DataConfig, name: str) -> Splits:
        train, dev = split(items, config.dev_share, config.seed, name)
        train = keep_some(train, config.train_subset)
        known = set(self.tags_for(train))
        checked = [sentence for sentence in dev if known.issuperset(sentence.tags)]
        if not checked:
            raise CorpusError(f"{name}: no sentence to check with has only tags of those to learn from: learn from more of them")
        return train, checked

    def workload(self, config: DataConfig, batch_size: int | None, words: Sequence[str]) -> Workload:
        tokens = TYPICAL * min(config.sentences or MOST_ITEMS, MOST_ITEMS)
        sentence = Sentence(tuple(words), (self.tags[0],) * len(words))
        return Workload([sentence], tokens, LONGEST_TRAINED * (batch_size or TRAINING_BATCH))

    def vocabulary(self, train: list[Sentence]) -> TaggerVocab:
        words = (sentence.words for sentence in train)
        vectors = None if self.vectors is None else word_vectors(self.vectors)
        return TaggerVocab.build(words, self.tags_for(train), vectors=vectors)

    def tags_for(self, train: list[Sentence]) -> tuple[str, ...]:
        return self.tags

    def build(self, config: ModelConfig, vocabulary: TaggerVocab) -> Tagger:
        tagger = Tagger(
            len(vocabulary.words),
            len(vocabulary.alphabet),
            len(vocabulary.tags),
            config.cell,
            config.hidden_size,
            layers=config.layers,
            word_size=config.word_size,
            character_size=config.character_size,
            spelling_size=config.spelling_size,
            dropout=config.dropout,
            activation=config.activation,
            bidirectional=config.bidirectional,
            vectors=vocabulary.vectors,
        )
        config.initialize(tagger.recurrent)
        return tagger

    def objective(
        self, model: Tagger, vocabulary: TaggerVocab, train: list[Sentence], dev: list[Sentence], training: TrainConfig = USUAL
    ) -> TaggingObjective:
        return TaggingObjective(self, model, vocabulary, train, dev, training.batch_size or TRAINING_BATCH)

    def evaluate(self, model: Tagger, vocabulary: TaggerVocab, items: list[Sentence]) -> Scores:
        probabilities = tag_probabilities(model, vocabulary, [sentence.words for sentence in items])
        tokens = sum(len(sentence.words) for sentence in items)
        return Scores(len(items), tokens, self.metrics_of(vocabulary, items, probabilities), self.facts(vocabulary, items))

    def facts(self, vocabulary: TaggerVocab, items: list[Sentence]) -> dict[str, float]:
        """Of an unknown word a tagger still reads the spelling."""
        listed = (vocabulary.listed(word) for sentence in items for word in sentence.words)
        return {"unknown_share": vocabulary.words.unknown_share(listed)}

    def baseline(self, vocabulary: TaggerVocab, train: list[Sentence], dev: list[Sentence]) -> float:
        (commonest, _), *_ = Counter(tag for sentence in train for tag in sentence.tags).most_common(1)
        gold = [sentence.tags for sentence in dev]
        return self.metrics(gold, [[commonest] * len(tags) for tags in gold])[self.metric]

    def calibrate(self, model: Tagger, vocabulary: TaggerVocab, dev: list[Sentence]) -> SpanOdds:
        return calibrate(model, vocabulary, dev)

    def metrics_of(
        self, vocabulary: TaggerVocab, items: list[Sentence], probabilities: list[NDArray[np.float32]]
    ) -> dict[str, float]:
        """The scores of the best tags under the probabilities (tokens, tags) of each sentence."""
        rules = scheme(vocabulary.tags)
        guesses = [[vocabulary.tags[tag] for tag in rules.best(alone)] for alone in probabilities]
        return self.metrics([sentence.tags for sentence in items], guesses)

    def metrics(self, gold: list[tuple[str, ...]], predicted: list[list[str]]) -> dict[str, float]:
        return {"accuracy": accuracy(gold, predicted)}


class EntityTask(TagTask):
    """Persons, organizations and places, Universal NER over the same treebank.

    Two more teachers help: the treebank's parts of speech beside the entities, and three more entity corpora to train on.
    """

    name = "ner"
    title = page_title = "Entities"
    aliases = ("Names",)
    below = "the entity it is part of, if any"
    probe = "John Smith flew from Berlin to New York to work for Siemens."
    file_format = "columns with an entity tag in one: IOB, IOBES or BILOU"
    corpora: ClassVar[tuple[str, ...]] = ("uner", "ewt", "wikigold", "wnut17", "btc")
    metric = "f1"
    model = ModelConfig(cell="gru", hidden_size=192, dropout=0.4)
    training = TrainConfig(epochs=8, learning_rate=3e-3, average=0.999, patience=4)
    demo = DemoConfig(_SMALL, TrainConfig(epochs=5, learning_rate=5e-3, patience=2))
    sources: ClassVar[tuple[str, ...]] = ("uner", "all", "silver", "file")
    tags: ClassVar[tuple[str, ...]] = ENTITY_TAGS
    more = (("wikigold", "train"), ("wnut17", "train"), ("wnut17", "dev"), ("wnut17", "test"), ("btc", "train"))

    def with_second_tags(self, sentences: list[Sentence]) -> list[Sentence]:
        parts_of_speech = {sentence.words: sentence.tags for sentence in load_sentences("ewt", "train")}
        return [replace(sentence, auxiliary=parts_of_speech.get(sentence.words)) for sentence in sentences]

    def read(
        self, path: Path | TextFile, columns: Columns = ALL_FOUND, known: Sequence[str] | None = None, *, training: bool = False
    ) -> Contents[Sentence]:
        types = None if known is None else sorted({tag[2:] for tag in known if tag != OUTSIDE})
        return read_own_entities(path, columns, types, training=training)

    def tags_for(self, train: list[Sentence]) -> tuple[str, ...]:
        """Those of the shipped models, unless the sentences have entities of other types."""
        own = {tag for sentence in train for tag in sentence.tags}
        kinds = sorted({tag[2:] for tag in own if tag != OUTSIDE})
        return self.tags if own <= set(self.tags) else (OUTSIDE, *(f"{prefix}-{kind}" for kind in kinds for prefix in "BI"))

    def facts(self, vocabulary: TaggerVocab, items: list[Sentence]) -> dict[str, float]:
        return {"gold_entities": sum(len(spans(sentence.tags)) for sentence in items), **super().facts(vocabulary, items)}

    def metrics(self, gold: list[tuple[str, ...]], predicted: list[list[str]]) -> dict[str, float]:
        precision, recall, f1 = entity_scores(gold, predicted)
        return {"precision": precision, "recall": recall, "f1": f1}


@dataclass
class TaggingObjective:
    """Cross-entropy over the tags, plus half of that over the second tags where a sentence has them.

    A sentence of more than LONGEST_TRAINED words is learned from in parts, so that no batch is padded to its length.
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
            mean=F.cross_entropy(model.head(outputs).flatten(0, 1), gold.flatten()),
            tokens=sum(len(sentence.words) for sentence in sentences),
            auxiliary=self._second_loss(model, outputs, sentences),
            auxiliary_tokens=sum(len(sentence.words) for sentence in sentences if sentence.auxiliary),
        )

    def score(self, model: Tagger) -> DevScore:
        found = tag_probabilities(model, self.vocabulary, [sentence.words for sentence in self.dev])
        metrics = self.task.metrics_of(self.vocabulary, self.dev, found)
        gold = [self._tag_ids[tag] for sentence in self.dev for tag in sentence.tags]
        sure = np.concatenate(found)[np.arange(len(gold)), gold]  # the probability of each right tag
        return DevScore(metrics[self.task.metric], float(-np.log(np.maximum(sure, np.finfo(np.float32).tiny)).mean()))

    def settings(self) -> dict[str, float]:
        return {
            "batch_size": self.batch_size,
            "auxiliary_weight": self.auxiliary_weight if self.second_tags else 0.0,
            "word_dropout": self.word_dropout,
            "casing_noise": self.task.casing_noise,
        }

    def _recased(self, words: tuple[str, ...]) -> Sequence[str]:
        """The words, or at random all of them in another case."""
        drawn = torch.rand(()).item()
        share = 0.0
        for recase, part in CASES.items():
            share += part * self.task.casing_noise
            if drawn < share:
                return [recase(word) for word in words]
        return words

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


@torch.inference_mode()
def tag_probabilities(
    model: Tagger,
    vocabulary: TaggerVocab,
    sentences: Sequence[Sequence[str]],
    *,
    encode: Callable[[Sequence[Sequence[str]]], TaggerBatch] | None = None,
) -> list[NDArray[np.float32]]:
    """Each sentence's tag probabilities (tokens, tags), in the order given. A very long sentence is read in pieces.

    `encode` stands in for that of the vocabulary.
    """
    encode = vocabulary.encode if encode is None else encode
    if model.training:  # to look is cheap, and to set is not: there are many modules
        model.eval()
    parts = [(words, piece) for words in sentences for piece in pieces(len(words))]
    found: dict[int, NDArray[np.float32]] = {}
    for indices in batches([piece.length for _, piece in parts]):
        read = [words[piece.read] for words, piece in map(parts.__getitem__, indices)]
        probabilities = torch.softmax(model(encode(read)), dim=-1).numpy(force=True)
        for row, index in zip(probabilities, indices, strict=True):
            found[index] = row[parts[index][1].kept].copy()  # the batch itself may go
    each = iter(range(len(parts)))
    return [np.concatenate([found[next(each)] for _ in pieces(len(words))]) for words in sentences]


def calibrate(model: Tagger, vocabulary: TaggerVocab, dev: list[Sentence]) -> SpanOdds:
    """Set the temperature that makes the dev tags most likely; then the odds that make it most likely which entities are right."""
    model.temperature = 1.0
    tag_ids = {tag: index for index, tag in enumerate(vocabulary.tags)}
    found = [
        np.log(np.maximum(alone, 1e-12)) for alone in tag_probabilities(model, vocabulary, [sentence.words for sentence in dev])
    ]
    logs = torch.tensor(np.concatenate(found))
    gold = torch.tensor([tag_ids[tag] for sentence in dev for tag in sentence.tags])
    candidates = np.geomspace(*TEMPERATURES, 141)
    losses = [F.cross_entropy(logs / temperature, gold).item() for temperature in candidates]
    model.temperature = round(float(candidates[int(np.argmin(losses))]), 3)
    shares = [torch.softmax(torch.from_numpy(alone) / model.temperature, dim=1).numpy() for alone in found]
    return span_odds(vocabulary, dev, shares)


def span_odds(vocabulary: TaggerVocab, dev: list[Sentence], shares: list[NDArray[np.float32]]) -> SpanOdds:
    """Those of the entities found with these probabilities. Too few, or all of them right or wrong, change nothing."""
    rules = scheme(vocabulary.tags)
    odds, right = [], []
    for sentence, alone in zip(dev, shares, strict=True):
        best, sure = rules.best(alone), rules.marginals(alone)
        gold = set(spans(sentence.tags))
        for span in spans([vocabulary.tags[tag] for tag in best]):
            odds.append(log_odds(min(sure[at, best[at]] for at in range(span.first, span.last + 1))))
            right.append(span in gold)
    if len(right) < FEWEST_SPANS or len(set(right)) < 2:
        return LEAST_TOKEN
    from scipy.optimize import minimize  # takes half a second to import

    seen, truth = np.array(odds), np.array(right, dtype=float)

    def loss(values: NDArray[np.float64]) -> float:
        logits = values[0] * seen + values[1]
        return float(np.mean(np.logaddexp(0, logits) - truth * logits))

    scale, shift = minimize(loss, (1.0, 0.0), bounds=((0, 10), (-10, 10))).x
    return SpanOdds(round(float(scale), 3), round(float(shift), 3))
