"""A network that learns which tag follows which: its loss, what it can learn by that, and its file."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from seqmodels.corpora import ENTITY_TAGS, UPOS, Sentence
from seqmodels.decoding import scheme, spans
from seqmodels.inference import tag
from seqmodels.inference.encoding import as_tagger
from seqmodels.tasks import TagTask
from seqmodels.tasks.base import ModelConfig
from seqmodels.tasks.tagging import MOST_FOLLOWED
from seqmodels.tasks.tagging_probabilities import calibrate, nats, tag_probabilities
from seqmodels.training import TrainConfig, fit
from seqmodels.transitions import Transitions
from seqmodels.vocab import TaggerVocab
from tests.conftest import TINY_SENTENCES
from tests.test_tasks import made

TAGS = 3


@pytest.fixture
def transitions() -> Transitions:
    torch.manual_seed(2)
    made = Transitions(TAGS)
    for scores in made.parameters():
        nn.init.normal_(scores)
    return made


def score(transitions: Transitions, logits: torch.Tensor, tags: tuple[int, ...]) -> float:
    """Of a sequence of tags, term by term."""
    between = sum(float(transitions.between[pair]) for pair in itertools.pairwise(tags))
    ends = float(transitions.first[tags[0]] + transitions.last[tags[-1]])
    return ends + between + sum(float(logits[step, one]) for step, one in enumerate(tags))


@pytest.mark.parametrize("temperature", [1.0, 1.7])
@pytest.mark.parametrize("tokens", [1, 2, 4])
@torch.no_grad()
def test_the_loss_is_that_of_counting_every_sequence(transitions: Transitions, tokens: int, temperature: float) -> None:
    logits, gold = torch.randn(1, tokens, TAGS), torch.randint(TAGS, (1, tokens))
    scores = [score(transitions, logits[0], tags) / temperature for tags in itertools.product(range(TAGS), repeat=tokens)]
    true = score(transitions, logits[0], tuple(gold[0].tolist())) / temperature
    found = transitions.loss(logits, gold, torch.tensor([tokens]), temperature)
    assert found.item() == pytest.approx(np.logaddexp.reduce(scores) - true, abs=1e-5)


@torch.no_grad()
def test_what_stands_behind_a_sentence_changes_nothing(transitions: Transitions) -> None:
    logits, gold, lengths = torch.randn(2, 5, TAGS), torch.randint(TAGS, (2, 5)), torch.tensor([3, 5])
    padded = gold.clone()
    padded[0, 3:] = -100
    alone = [transitions.loss(logits[[row], :tokens], gold[[row], :tokens], lengths[[row]]) for row, tokens in enumerate((3, 5))]
    torch.testing.assert_close(transitions.loss(logits, padded, lengths), sum(alone))


@pytest.mark.parametrize("known", [True, False])
def test_a_network_learns_that_a_tag_depends_on_the_one_before(known: bool) -> None:
    """Of two words that are the same one is a noun, the other a verb, and nothing says which: the second follows from the first."""
    sentences = [Sentence(("run", "run"), tags) for tags in (("NOUN", "VERB"), ("VERB", "NOUN"))] * 16
    task = TagTask()
    vocabulary = TaggerVocab.build((sentence.words for sentence in sentences), UPOS)
    torch.manual_seed(0)
    model = task.build(ModelConfig("gru", hidden_size=8, transitions=known), vocabulary)
    training = TrainConfig(epochs=120, learning_rate=0.05, watch="loss")
    for _ in fit(model, task.objective(model, vocabulary, sentences, sentences), training):
        pass
    found = tag_probabilities(model, vocabulary, [sentence.words for sentence in sentences])
    chance = math.log(2) / 2 if known else math.log(2)  # one choice of two for both words, or for each
    assert nats(model, vocabulary, sentences, found) == pytest.approx([chance], abs=0.03)
    rules = model.rules(vocabulary.tags)
    if known:
        assert {rules.tags[one] for one in rules.best(found)[0]} == {"NOUN", "VERB"}


@pytest.mark.parametrize("corpus", ["other", ""])
def test_what_another_corpus_calls_otherwise_is_not_learned_of_all(corpus: str) -> None:
    """Three sentences of four call a run a noun. Are they of another corpus, the fourth is what counts."""
    ours, other = [Sentence(("run",), (tag,), corpus=name) for tag, name in (("VERB", ""), ("NOUN", corpus))]
    task = TagTask()
    vocabulary = TaggerVocab.build([["run"]], UPOS, minimum=1)
    torch.manual_seed(0)
    model = task.build(ModelConfig("gru", hidden_size=8, dropout=0.0), vocabulary)
    training = TrainConfig(epochs=150, learning_rate=0.1, restore_best=False)
    for _ in fit(model, task.objective(model, vocabulary, [ours, *[other] * 3] * 8, [ours]), training):
        pass
    (shares,) = tag_probabilities(model, vocabulary, [["run"]])
    assert shares[0, UPOS.index("VERB")] == pytest.approx(1 if corpus else 1 / 4, abs=0.1)


def test_a_file_keeps_them_and_its_tags_are_judged_by_them(tmp_path: Path) -> None:
    vocabulary = TaggerVocab.build(TINY_SENTENCES, ENTITY_TAGS, minimum=1)
    loaded = made("ner", tmp_path / "own.safetensors", vocabulary, cell="gru", transitions=True)
    model, _ = as_tagger(loaded)
    assert model.transitions is not None
    text = "John Smith lives in Berlin ."
    person = ENTITY_TAGS.index("B-PER"), ENTITY_TAGS.index("I-PER")
    model.transitions.first[person[0]] = 20.0
    model.transitions.between[person] = model.transitions.between[person[1], person[1]] = 20.0
    (entity,) = tag(loaded, text).entities
    assert (entity.text, entity.label) == (text, "PER")
    assert entity.probability > 0.99


def test_scores_that_are_no_numbers_are_told_as_such(tmp_path: Path) -> None:
    vocabulary = TaggerVocab.build(TINY_SENTENCES, ENTITY_TAGS, minimum=1)
    loaded = made("ner", tmp_path / "own.safetensors", vocabulary, cell="gru", transitions=True)
    model, _ = as_tagger(loaded)
    assert model.transitions is not None
    model.transitions.between[0, 0] = math.nan
    with pytest.raises(ValueError, match="own gives numbers that are not finite"):
        tag(loaded, "John Smith lives in Berlin .")


def test_too_many_tags_to_learn_which_follows_which_are_told_before_there_is_a_network() -> None:
    tags = tuple(f"T{number}" for number in range(MOST_FOLLOWED + 1))
    task = TagTask()
    allowed, too_many = (TaggerVocab.build(TINY_SENTENCES, some, minimum=1) for some in (tags[1:], tags))
    config = ModelConfig("gru", hidden_size=4, transitions=True)
    assert len(task.build(config, allowed).output_bias) == MOST_FOLLOWED
    with pytest.raises(ValueError, match="there are 202 tags, and 201 at most are judged as a sentence"):
        task.build(config, too_many)


def test_without_transitions_the_scheme_alone_decides(tmp_path: Path) -> None:
    vocabulary = TaggerVocab.build(TINY_SENTENCES, ENTITY_TAGS, minimum=1)
    model, _ = as_tagger(made("ner", tmp_path / "own.safetensors", vocabulary, cell="gru", transitions=False))
    assert model.rules(ENTITY_TAGS) is scheme(ENTITY_TAGS)


def test_to_calibrate_makes_whole_sentences_as_likely_as_a_temperature_can(tmp_path: Path) -> None:
    vocabulary = TaggerVocab.build(TINY_SENTENCES, ENTITY_TAGS, minimum=1)
    model, _ = as_tagger(made("ner", tmp_path / "own.safetensors", vocabulary, cell="gru", transitions=True))
    assert model.transitions is not None
    model.transitions.between[0, 0] = 6.0  # too sure that nothing follows nothing
    dev = [Sentence(tuple(words), ("O",) * (len(words) - 1) + ("B-LOC",)) for words in TINY_SENTENCES]
    calibrate(model, vocabulary, dev)
    chosen, model.temperature = model.temperature, 1.0
    found = tag_probabilities(model, vocabulary, TINY_SENTENCES)
    below, there, above = nats(model, vocabulary, dev, found, [chosen * factor for factor in (0.95, 1, 1.05)])
    assert there < min(below, above)
    assert 1.0 < chosen < 4.0


def test_no_tags_break_the_scheme_whatever_was_learned(tmp_path: Path) -> None:
    vocabulary = TaggerVocab.build(TINY_SENTENCES, ENTITY_TAGS, minimum=1)
    loaded = made("ner", tmp_path / "own.safetensors", vocabulary, cell="gru", transitions=True)
    model, _ = as_tagger(loaded)
    assert model.transitions is not None
    model.transitions.between[ENTITY_TAGS.index("O"), ENTITY_TAGS.index("I-ORG")] = 1e30
    tags = [token.tag for token in tag(loaded, " ".join(TINY_SENTENCES[1])).tokens]
    assert all(tags[span.first].startswith("B-") for span in spans(tags))
    assert all(0 <= token.probability <= 1 for token in tag(loaded, "Berlin").tokens)
