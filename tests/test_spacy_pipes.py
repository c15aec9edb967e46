"""The taggers inside a spaCy pipeline say what they say outside of it, are scored by spaCy's own Scorer, and travel with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import spacy
import torch
from spacy import util
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from seqmodels import load, spacy_pipes, tag
from seqmodels.checkpoints import CheckpointError
from seqmodels.text import normal

TEXTS = [
    "John Smith flew from Berlin to New York. He works for Siemens.",
    "Dogs bark.",
    "",
    "  \n ",
    "Prices of wine\n\nJohn Smith lives in New\nYork\r\n\r\nThe old man the boats",
    "\ufeffJohn Smith lives in New \u200b York. He works for Sie\u00admens, too.",
    "The old man the boats, and they record a new record.",
]


@pytest.fixture(scope="module")
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("seqmodels_tagger", config={"model": "pos-gru"})
    nlp.add_pipe("seqmodels_ner", config={"model": "ner-gru"})
    return nlp


def noted(doc: Doc) -> tuple[object, ...]:
    tokens = [(token.pos_, token._.probability) for token in doc]
    return tokens, [(entity.text, entity.label_, entity._.probability) for entity in doc.ents]


@pytest.mark.parametrize("text", [text for text in TEXTS if text.strip()])
def test_a_document_has_the_tags_and_entities_of_its_text(nlp: Language, text: str) -> None:
    doc = nlp(text)
    tagged, entities = tag(load("pos-gru"), text), tag(load("ner-gru"), text)
    words = [token for token in doc if token.pos_ != "SPACE"]
    assert [token.pos_ for token in words] == [token.tag for token in tagged.tokens]
    assert [token._.probability for token in words] == pytest.approx([token.probability for token in tagged.tokens], abs=1e-5)
    found = [(normal(" ".join(entity.text.split())), entity.label_) for entity in doc.ents]
    assert found == [(normal(" ".join(entity.text.split())), entity.label) for entity in entities.entities]
    assert [entity._.probability for entity in doc.ents] == pytest.approx([e.probability for e in entities.entities], abs=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_a_stream_of_documents_is_annotated_as_each_alone(nlp: Language, batch_size: int) -> None:
    streamed = list(nlp.pipe(TEXTS, batch_size=batch_size))
    assert [doc.text for doc in streamed] == TEXTS
    for doc, text in zip(streamed, TEXTS, strict=True):
        alone = nlp(text)
        assert [token.pos_ for token in doc] == [token.pos_ for token in alone]
        assert [str(entity) for entity in doc.ents] == [str(entity) for entity in alone.ents]


def test_white_space_is_no_word_and_may_stand_inside_an_entity(nlp: Language) -> None:
    doc = nlp("She moved to New\nYork  with John Smith.")
    assert [token.pos_ for token in doc if token.is_space] == ["SPACE", "SPACE"]
    assert ("New\nYork", "LOC") in [(entity.text, entity.label_) for entity in doc.ents]


def test_sentences_of_the_document_are_read_apart_and_none_are_noted(nlp: Language) -> None:
    doc = nlp(TEXTS[0])
    assert not doc.has_annotation("SENT_START")
    one, other = "We saw John Smith".split(), "in Berlin .".split()
    joined = Doc(nlp.vocab, words=one + other, sent_starts=[True, False, False, False, True, False, False])
    for _, pipe in nlp.pipeline:
        joined = pipe(joined)
    apart = [nlp.get_pipe("seqmodels_tagger")(Doc(nlp.vocab, words=words)) for words in (one, other)]
    assert [token.pos_ for token in joined] == [token.pos_ for doc in apart for token in doc]


def test_a_model_whose_memory_overflows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = spacy_pipes.TaggerPipe("tagger", "pos-gru")
    model = pipe.checkpoint.model

    def overflow(*_: object, **__: object) -> torch.Tensor:
        return torch.full((2, len(pipe.checkpoint.targets)), float("nan"))

    monkeypatch.setattr(model, "score", overflow)
    with pytest.raises(ValueError, match="numbers that are not finite"):
        pipe(spacy.blank("en")("Dogs bark"))


def test_spacys_own_scorer_scores_them(nlp: Language) -> None:
    gold = Doc(nlp.vocab, words="John lives in Berlin .".split(), pos="PROPN VERB ADP PROPN X".split())
    gold.set_ents([spacy.tokens.Span(gold, 0, 1, label="PER"), spacy.tokens.Span(gold, 3, 5, label="LOC")])
    predicted = Doc(nlp.vocab, words=[token.text for token in gold])
    for _, pipe in nlp.pipeline:
        predicted = pipe(predicted)
    scores = Scorer(nlp).score([Example(predicted, gold)])
    assert scores["pos_acc"] == pytest.approx(4 / 5)
    assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == (0.5, 0.5, 0.5)
    assert scores["ents_per_type"]["PER"]["f"] == 1


@pytest.mark.parametrize("through", ["disk", "bytes"])
def test_a_saved_pipeline_brings_its_models_along(nlp: Language, through: str, tmp_path: Path, monkeypatch) -> None:
    expected = noted(nlp(TEXTS[0]))
    nlp.to_disk(tmp_path / "pipeline")
    config, content = nlp.config, nlp.to_bytes()
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path / "none"))
    monkeypatch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(tmp_path / "none"))
    from_config = util.get_lang_class("en").from_config
    restore = {"disk": lambda: spacy.load(tmp_path / "pipeline"), "bytes": lambda: from_config(config).from_bytes(content)}
    with pytest.warns(UserWarning, match="has no model until"):
        restored = restore[through]()
    assert noted(restored(TEXTS[0])) == expected


def test_a_component_without_a_model_says_so(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    with pytest.warns(UserWarning, match="no checkpoint"):
        nlp.add_pipe("seqmodels_tagger", config={"model": "pos-gur"})
    with pytest.raises(ValueError, match="seqmodels_tagger has no model"):
        nlp("Dogs bark.")


@pytest.mark.parametrize(
    ("component", "model", "message"),
    [
        ("seqmodels_tagger", "ner-gru", "add seqmodels_ner"),
        ("seqmodels_ner", "pos-gru", "add seqmodels_tagger"),
        ("seqmodels_ner", "lm-gru", "language model"),
    ],
)
def test_a_model_of_another_kind_is_refused(component: str, model: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spacy.blank("en").add_pipe(component, config={"model": model})


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"no model")
    with pytest.raises(CheckpointError, match="damaged"):
        spacy.blank("en").add_pipe("seqmodels_tagger", config={"model": str(path)})


def test_an_error_handler_of_the_users_takes_what_fails_and_the_rest_goes_on(nlp: Language, monkeypatch) -> None:
    failed: list[str] = []
    pipe = spacy_pipes.TaggerPipe("tagger", "pos-gru")
    annotate = spacy_pipes.TaggingPipe._annotate

    def fail_on_dogs(self: spacy_pipes.TaggingPipe, docs: list[Doc]) -> None:
        if any("Dogs" in doc.text for doc in docs):
            raise ValueError("no dogs")
        annotate(self, docs)

    monkeypatch.setattr(spacy_pipes.TaggingPipe, "_annotate", fail_on_dogs)

    def take(name: str, component: object, docs: list[Doc], error: Exception) -> None:
        failed.append(str(error))

    pipe.set_error_handler(take)  # type: ignore[arg-type]  # typed as if it could only raise
    docs = [nlp.make_doc(text) for text in TEXTS]
    assert [doc.text for doc in pipe.pipe(docs, batch_size=1)] == [text for text in TEXTS if "Dogs" not in text]
    assert failed == ["no dogs"]


def test_a_token_that_is_blocked_becomes_no_entity(nlp: Language) -> None:
    doc = nlp.make_doc("John Smith works in Berlin and Paris.")
    doc.set_ents([], blocked=[doc[4:5]])
    for _ in range(2):
        doc = nlp.get_pipe("seqmodels_ner")(doc)
        assert [entity.text for entity in doc.ents] == ["John Smith", "Paris"]


def test_entities_that_are_there_already_stay() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "CITY", "pattern": "Berlin"}, {"label": "JOB", "pattern": "works"}])  # type: ignore[attr-defined]
    nlp.add_pipe("seqmodels_ner", config={"model": "ner-gru"})
    doc = nlp("John Smith works in Berlin.")
    assert [(entity.text, entity.label_) for entity in doc.ents] == [("John Smith", "PER"), ("works", "JOB"), ("Berlin", "CITY")]
