"""The taggers as components of a spaCy pipeline.

    nlp = spacy.blank("en")
    nlp.add_pipe("seqmodels_tagger", config={"model": "pos-gru"})
    nlp.add_pipe("seqmodels_ner", config={"model": "ner-gru"})

spaCy finds both by their entry points where the package is installed; elsewhere `import seqmodels.spacy_pipes` makes them known.
"""

from __future__ import annotations

import tempfile
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

import torch
from spacy import util
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from seqmodels import checkpoints, text
from seqmodels.checkpoints import Checkpoint, MissingCheckpointError
from seqmodels.decoding import spans
from seqmodels.inference.encoding import as_tagger, finite
from seqmodels.tasks.tagging_probabilities import tag_probabilities

TAGGER, NER = "seqmodels_tagger", "seqmodels_ner"
SPACE = "SPACE"  # spaCy's part of speech of white space; what is invisible has it too
PROBABILITY = "probability"  # of a token's part of speech or of an entity, as `token._.probability`

_FILE = f"model{checkpoints.SUFFIX}"  # in the folder of a saved component


class TaggingPipe(Pipe):
    """One of our taggers over spaCy's tokens, sentence by sentence: those of the document, else those that `tag` finds.

    `model` is the name of a checkpoint, such as 'pos-gru', or its path. A saved component holds its model. ValueError if the model
    gives other tags, or on a document no finite numbers.
    """

    def __init__(self, name: str, model: str) -> None:
        self.name = name
        self._checkpoint: Checkpoint | None = None
        try:
            self._use(checkpoints.load(model))
        except MissingCheckpointError as missing:  # a saved pipeline is first made, and then given its model
            warnings.warn(f"{name} has no model until one is read from disk: {missing}", stacklevel=3)

    def __call__(self, doc: Doc) -> Doc:
        """Annotate a document in place."""
        for annotated in self.pipe([doc]):
            return annotated
        return doc  # an error handler of the user's has taken the error

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate documents in place. The sentences of a batch are read side by side."""
        handle = self.get_error_handler()
        for docs in util.minibatch(stream, size=batch_size):
            try:
                self._annotate(docs)
            except Exception as error:
                handle(self.name, self, docs, error)
            else:
                yield from docs

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the model in a folder."""
        used = self.checkpoint
        checkpoints.save(Path(path) / _FILE, used.model, used.vocabulary, used.info)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Take the model that was saved in a folder."""
        self._use(checkpoints.load(Path(path) / _FILE))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            self.to_disk(folder)
            return (Path(folder) / _FILE).read_bytes()

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / _FILE).write_bytes(data)
            return self.from_disk(folder)

    @property
    def checkpoint(self) -> Checkpoint:
        """The model in use."""
        if self._checkpoint is None:
            raise ValueError(f"{self.name} has no model: add it with the name of one that is here, or read a saved one from disk")
        return self._checkpoint

    @property
    def labels(self) -> tuple[str, ...]:
        """What it may say: parts of speech, or types of entities. Nothing without a model."""
        tags = () if self._checkpoint is None else self._checkpoint.targets
        return tuple(dict.fromkeys(tag[2:] for tag in tags if tag.startswith("B-"))) if _of_spans(tags) else tags

    @abstractmethod
    def score(self, examples: Iterable[Example], **settings: Any) -> dict[str, Any]: ...

    @abstractmethod
    def _gives(self, tags: Sequence[str]) -> bool:
        """Whether tags are of this component's kind."""

    @abstractmethod
    def _set(self, doc: Doc, words: Sequence[Token], tags: Sequence[str], probabilities: Sequence[float]) -> None:
        """Annotate a document whose words, in the order of the text, have these tags."""

    def _use(self, checkpoint: Checkpoint) -> None:
        as_tagger(checkpoint)
        if not self._gives(checkpoint.targets):
            other = NER if isinstance(self, TaggerPipe) else TAGGER
            raise ValueError(f"{checkpoint.name} gives tags of another kind, such as {checkpoint.targets[-1]}: add {other} for it")
        self._checkpoint = checkpoint

    def _annotate(self, docs: Sequence[Doc]) -> None:
        model, vocabulary = as_tagger(self.checkpoint)
        rules = model.rules(vocabulary.tags)
        by_doc = [_sentences(doc) for doc in docs]
        texts = [[token.text for token in sentence] for sentences in by_doc for sentence in sentences]
        alone = tag_probabilities(model, vocabulary, texts)
        marginals = rules.marginals(alone)
        for shares in marginals:
            finite(self.checkpoint, torch.from_numpy(shares))
        found = zip(rules.best(alone), marginals, strict=True)
        for doc, sentences in zip(docs, by_doc, strict=True):
            words, tags, probabilities = [], [], []
            for sentence in sentences:
                for token, best, share in zip(sentence, *next(found), strict=True):
                    words.append(token)
                    tags.append(vocabulary.tags[best])
                    probabilities.append(float(share[best]))
            self._set(doc, words, tags, probabilities)


class TaggerPipe(TaggingPipe):
    """Sets each token's `pos`, and the probability of it as `token._.probability`; white space is SPACE."""

    def score(self, examples: Iterable[Example], **settings: Any) -> dict[str, Any]:
        """The accuracy, as `pos_acc`."""
        return Scorer.score_token_attr(examples, "pos", **settings)

    def _gives(self, tags: Sequence[str]) -> bool:
        return not _of_spans(tags)

    def _set(self, doc: Doc, words: Sequence[Token], tags: Sequence[str], probabilities: Sequence[float]) -> None:
        for token in doc:
            if not _is_word(token):
                token.pos_ = SPACE
        for token, tag, probability in zip(words, tags, probabilities, strict=True):
            token.pos_ = tag
            token._.set(PROBABILITY, probability)


class EntityPipe(TaggingPipe):
    """Adds to `doc.ents`, with the probability of each as `span._.probability`.

    What is there already stays, tokens that are blocked too, as by spaCy's ner.
    """

    def score(self, examples: Iterable[Example], **settings: Any) -> dict[str, Any]:
        """Precision, recall and F1 of exact spans, as `ents_p`, `ents_r`, `ents_f` and `ents_per_type`."""
        return get_ner_prf(examples)

    def _gives(self, tags: Sequence[str]) -> bool:
        return _of_spans(tags)

    def _set(self, doc: Doc, words: Sequence[Token], tags: Sequence[str], probabilities: Sequence[float]) -> None:
        entities, odds = list(doc.ents), self.checkpoint.info.span_odds
        blocked = [doc[token.i : token.i + 1] for token in doc if token.ent_iob_ == "B" and not token.ent_type]
        taken = {token.i for entity in (*entities, *blocked) for token in entity}
        for found in spans(tags):
            # white space between two of its words is part of it, as in "New\nYork"
            entity = Span(doc, words[found.first].i, words[found.last].i + 1, label=found.label)
            if not taken.isdisjoint(range(entity.start, entity.end)):
                continue
            entity._.set(PROBABILITY, odds.probability(probabilities[found.first : found.last + 1]))
            entities.append(entity)
        doc.set_ents(entities, blocked=blocked)


@Language.factory(TAGGER, assigns=["token.pos"], default_config={"model": "pos-gru"}, default_score_weights={"pos_acc": 1.0})
def make_tagger(nlp: Language, name: str, model: str) -> TaggerPipe:
    """The component for parts of speech."""
    return TaggerPipe(name, model)


@Language.factory(
    NER,
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={"model": "ner-gru"},
    default_score_weights={"ents_f": 1.0},
)
def make_ner(nlp: Language, name: str, model: str) -> EntityPipe:
    """The component for entities."""
    return EntityPipe(name, model)


for _extended in (Token, Span):
    if not _extended.has_extension(PROBABILITY):
        _extended.set_extension(PROBABILITY, default=None)


def _sentences(doc: Doc) -> list[list[Token]]:
    """The document's words by sentence, without white space and without empty sentences. Nothing is noted in the document."""
    if doc.has_annotation("SENT_START"):
        by_sentence = ([token for token in sentence if _is_word(token)] for sentence in doc.sents)
        return [sentence for sentence in by_sentence if sentence]
    words = [token for token in doc if _is_word(token)]
    closing = text.closing_marks()
    read = (
        (text.Token(token.text, token.idx, token.idx + len(token)), text.normal(token.text) in closing, token.is_punct)
        for token in words
    )
    left = iter(words)
    return [list(islice(left, len(sentence))) for sentence in text.divided(doc.text, read)]


def _is_word(token: Token) -> bool:
    return bool(text.normal(token.text).strip())


def _of_spans(tags: Sequence[str]) -> bool:
    return any(tag.startswith("B-") for tag in tags)
