"""Part-of-speech tags and entities: one tag a token, from both sides of the sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

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
from seqmodels.decoding import Rules, SpanOdds, spans
from seqmodels.metrics import accuracy, entity_scores
from seqmodels.models import Tagger
from seqmodels.tasks.base import (
    ALL_FOUND,
    MOST_ITEMS,
    USUAL,
    DataConfig,
    DemoConfig,
    ModelConfig,
    Scores,
    Splits,
    Task,
    Workload,
)
from seqmodels.tasks.tagging_objective import LONGEST_TRAINED, TRAINING_BATCH, TaggingObjective
from seqmodels.tasks.tagging_probabilities import calibrate, tag_probabilities
from seqmodels.training import TrainConfig
from seqmodels.vectors import GLOVE, word_vectors
from seqmodels.vocab import MOST_TYPES, TaggerVocab

MOST_FOLLOWED = 2 * MOST_TYPES + 1  # tags judged as a sentence: the work at each token grows with their square
TYPICAL = 17  # tokens of a sentence of the treebank, on average
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
    corpora: ClassVar[tuple[str, ...]] = ("ewt", "gum", "headlines")
    metric = "accuracy"
    higher_is_better = True
    model = ModelConfig(cell="gru", hidden_size=192, dropout=0.4)
    training = TrainConfig(epochs=12, learning_rate=3e-3, average=0.999, patience=4)
    demo = DemoConfig(_SMALL, TrainConfig(epochs=4, learning_rate=5e-3, patience=2))
    sources: ClassVar[tuple[str, ...]] = ("ewt", "all", "silver", "file")
    tags: ClassVar[tuple[str, ...]] = UPOS
    vectors: ClassVar[str | None] = GLOVE  # what its models read of each word besides what they learn
    casing_noise: ClassVar[float] = 0.08  # share of the sentences that are learned from in another case
    title_noise: ClassVar[float] = 0.1  # and of those that are as a title, as headlines are
    # to train on besides the first of the corpora: their splits
    more: ClassVar[tuple[tuple[str, str], ...]] = (("gum", "train"), ("headlines", "train"))
    corrected: ClassVar[frozenset[str]] = frozenset()  # the corpora among those that may mean something else by a tag

    def load(self, split: str, keep: Subset | None = None) -> list[Sentence]:
        sentences = load_sentences(self.corpora[0], split)
        if split == "train":
            more = (
                replace(sentence, corpus=name if name in self.corrected else "")
                for name, part in self.more
                for sentence in load_sentences(name, part)
            )
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
        if config.transitions and len(vocabulary.tags) > MOST_FOLLOWED:
            raise ValueError(
                f"transitions: there are {len(vocabulary.tags):,} tags, and {MOST_FOLLOWED} at most are judged as a sentence: "
                "have them judged one by one"
            )
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
            transitions=config.transitions,
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
        figures = self.metrics_of(model.rules(vocabulary.tags), items, probabilities)
        return Scores(len(items), tokens, figures, self.facts(vocabulary, items))

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

    def metrics_of(self, rules: Rules, items: list[Sentence], probabilities: list[NDArray[np.float32]]) -> dict[str, float]:
        """The scores of the best tags under the probabilities (tokens, tags) of each sentence."""
        guesses = [[rules.tags[tag] for tag in best] for best in rules.best(probabilities)]
        return self.metrics([sentence.tags for sentence in items], guesses)

    def metrics(self, gold: list[tuple[str, ...]], predicted: list[list[str]]) -> dict[str, float]:
        return {"accuracy": accuracy(gold, predicted)}


class EntityTask(TagTask):
    """Persons, organizations and places, Universal NER over the same treebank.

    More teachers help: the treebank's parts of speech beside the entities, five more entity corpora to train on, and sentences that
    are made of famous names.
    """

    name = "ner"
    title = page_title = "Entities"
    aliases = ("Names",)
    below = "the entity it is part of, if any"
    probe = "John Smith flew from Berlin to New York to work for Siemens."
    file_format = "columns with an entity tag in one: IOB, IOBES or BILOU"
    corpora: ClassVar[tuple[str, ...]] = ("uner", "ewt", "wikigold", "wnut17", "btc", "crossner", "redocred", "famous")
    metric = "f1"
    model = ModelConfig(cell="gru", hidden_size=192, dropout=0.4, transitions=True)
    training = TrainConfig(epochs=8, learning_rate=3e-3, average=0.999, patience=4)
    demo = DemoConfig(_SMALL, TrainConfig(epochs=5, learning_rate=5e-3, patience=2))
    sources: ClassVar[tuple[str, ...]] = ("uner", "all", "silver", "file")
    tags: ClassVar[tuple[str, ...]] = ENTITY_TAGS
    title_noise = 0.0
    more = (
        *(("wikigold", "train"), ("wnut17", "train"), ("wnut17", "dev"), ("wnut17", "test"), ("btc", "train")),
        *(("crossner", "train"), ("crossner", "dev"), ("crossner", "test")),
        *(("redocred", "dev"), ("redocred", "test")),
        ("famous", "train"),
    )
    corrected = frozenset({"wikigold", "wnut17", "btc", "crossner", "redocred"})

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
