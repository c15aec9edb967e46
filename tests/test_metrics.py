"""Our scores against outside scorers."""

import math
import random
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as default_mode
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from seqmodels.corpora import ENTITY_TAGS, to_iob2
from seqmodels.metrics import accuracy, entity_scores, perplexity

TagPairs = list[tuple[str, str]]

tag_pairs = st.lists(st.lists(st.tuples(*[st.sampled_from(ENTITY_TAGS)] * 2), min_size=1, max_size=12), min_size=1, max_size=6)


def valid(sentences: list[TagPairs]) -> tuple[list[list[str]], list[list[str]]]:
    """Gold and guessed tags, each made a valid IOB2 sequence."""
    gold, guessed = ([to_iob2([pair[side] for pair in pairs]) for pairs in sentences] for side in (0, 1))
    return gold, guessed


@given(tag_pairs)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_entity_scores_agree_with_seqeval_on_any_iob2_sequences(sentences: list[TagPairs]) -> None:
    gold, guessed = valid(sentences)
    *theirs, _ = precision_recall_fscore_support(gold, guessed, average="micro", mode="strict", scheme=IOB2, zero_division=0)
    assert entity_scores(gold, guessed) == pytest.approx([100 * figure for figure in theirs])


def malformed(draw: random.Random, prefixes: str) -> list[str]:
    """Tags in no valid order, most of them of an entity."""
    kinds = ("PER", "LOC", "MISC-X")
    return [draw.choice(("O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in kinds))) for _ in range(draw.randint(1, 14))]


def as_seqeval_reads(tags: list[str]) -> list[str]:
    """Its default mode knows E and S, and not that BILOU calls them L and U."""
    return [{"L": "E", "U": "S"}.get(tag[0], tag[0]) + tag[1:] for tag in tags]


@pytest.mark.parametrize("prefixes", ["BI", "I", "BIES", "BILU", "ES"])
def test_entities_of_malformed_tags_are_those_of_seqevals_default_mode(prefixes: str) -> None:
    draw = random.Random(prefixes)
    for _ in range(300):
        gold, guessed = [], []
        for _ in range(draw.randint(1, 4)):
            gold.append(malformed(draw, prefixes))
            guessed.append([tag if draw.random() < 0.7 else draw.choice(gold[-1]) for tag in gold[-1]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a score without entities, which is 0
            *theirs, _ = default_mode(*([as_seqeval_reads(tags) for tags in side] for side in (gold, guessed)), average="micro")
        assert entity_scores(gold, guessed) == pytest.approx([100 * figure for figure in theirs], abs=1e-9)


@given(tag_pairs)
def test_accuracy_agrees_with_seqeval(sentences: list[TagPairs]) -> None:
    gold, guessed = valid(sentences)
    assert accuracy(gold, guessed) == pytest.approx(100 * accuracy_score(gold, guessed))


@given(tag_pairs)
def test_a_perfect_guess_scores_100_where_there_is_an_entity_to_find(sentences: list[TagPairs]) -> None:
    gold, _ = valid(sentences)
    expected = 100.0 if any(tag != "O" for tags in gold for tag in tags) else 0.0
    assert entity_scores(gold, gold) == (expected, expected, expected)


def test_a_span_with_a_wrong_border_or_type_earns_nothing() -> None:
    gold = [["B-PER", "I-PER", "O"], ["B-LOC"]]
    assert entity_scores(gold, [["B-PER", "O", "O"], ["B-ORG"]]) == (0.0, 0.0, 0.0)
    assert entity_scores(gold, [["B-PER", "I-PER", "O"], ["B-ORG"]]) == (50.0, 50.0, 50.0)


def test_a_uniform_guess_over_n_words_has_perplexity_n() -> None:
    assert perplexity(7 * math.log(50), 7) == pytest.approx(50)


def test_a_hopeless_model_has_infinite_perplexity_not_an_error() -> None:
    assert perplexity(1e6, 1) == math.inf
