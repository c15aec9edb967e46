"""No output can break the tag scheme; the best sequence is truly the best."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import decoding
from seqmodels.corpora import ENTITY_TAGS, UPOS, to_iob2
from seqmodels.decoding import LEAST_TOKEN, Rules, Span, SpanOdds, spans


def random_probabilities(tokens: int, tags: int, seed: int, sharpness: float = 2.0) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(tokens, tags)) * sharpness
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def legal(tags: list[str]) -> bool:
    return to_iob2(tags) == tags


@given(tokens=st.integers(1, 40), seed=st.integers(0, 10_000), sharpness=st.floats(0.1, 60))
@settings(deadline=None)
def test_every_decoded_sequence_is_valid_iob2(tokens: int, seed: int, sharpness: float) -> None:
    probabilities = random_probabilities(tokens, len(ENTITY_TAGS), seed, sharpness)
    (best,) = Rules(ENTITY_TAGS).best([probabilities])
    assert legal([ENTITY_TAGS[tag] for tag in best])


@given(tokens=st.integers(1, 4), seed=st.integers(0, 10_000), learned=st.booleans())
@settings(max_examples=25, deadline=None)
def test_best_and_marginals_agree_with_counting_every_legal_sequence(tokens: int, seed: int, learned: bool) -> None:
    tags = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    first, last, *between = np.random.default_rng(seed).normal(size=(2 + len(tags), len(tags))) * learned
    rules = Rules(tags).learned(first, np.array(between), last) if learned else Rules(tags)
    probabilities = random_probabilities(tokens, len(tags), seed)
    weights = {
        path: float(
            np.prod([probabilities[step, tag] for step, tag in enumerate(path)])
            * np.exp(first[path[0]] + sum(between[before][after] for before, after in itertools.pairwise(path)) + last[path[-1]])
        )
        for path in itertools.product(range(len(tags)), repeat=tokens)
        if legal([tags[tag] for tag in path])
    }
    (best,), (shares,) = rules.best([probabilities]), rules.marginals([probabilities])
    assert tuple(best) == max(weights, key=lambda path: weights[path])
    counted = np.zeros((tokens, len(tags)))
    for path, weight in weights.items():
        for step, tag in enumerate(path):
            counted[step, tag] += weight / sum(weights.values())
    np.testing.assert_allclose(shares, counted, atol=1e-6)


@given(tokens=st.integers(1, 40), seed=st.integers(0, 10_000), sharpness=st.floats(0.1, 60), strength=st.floats(0, 1000))
@settings(deadline=None)
def test_however_strong_what_was_learned_the_tags_are_legal_and_have_probabilities(
    tokens: int, seed: int, sharpness: float, strength: float
) -> None:
    first, last, *between = np.random.default_rng(seed).normal(size=(2 + len(ENTITY_TAGS), len(ENTITY_TAGS))) * strength
    rules = Rules(ENTITY_TAGS).learned(first, np.array(between), last)
    probabilities = random_probabilities(tokens, len(ENTITY_TAGS), seed, sharpness)
    (best,), (shares,) = rules.best([probabilities]), rules.marginals([probabilities])
    assert legal([ENTITY_TAGS[tag] for tag in best])
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_certain_but_illegal_scores_still_decode_to_a_legal_sequence() -> None:
    rules = Rules(ENTITY_TAGS)
    certain = np.zeros((3, len(ENTITY_TAGS)), np.float32)
    certain[:, ENTITY_TAGS.index("I-PER")] = 1
    (best,), (shares,) = rules.best([certain]), rules.marginals([certain])
    assert legal([ENTITY_TAGS[tag] for tag in best])
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_tags_without_a_scheme_are_the_most_probable_ones() -> None:
    probabilities = random_probabilities(12, len(UPOS), 0)
    (best,), (shares,) = Rules(UPOS).best([probabilities]), Rules(UPOS).marginals([probabilities])
    assert best == probabilities.argmax(axis=1).tolist()
    np.testing.assert_array_equal(shares, probabilities)


@pytest.mark.parametrize("learned", [False, True])
def test_sentences_of_all_lengths_that_are_judged_at_once_are_judged_as_each_alone(
    monkeypatch: pytest.MonkeyPatch, learned: bool
) -> None:
    first, last, *between = np.random.default_rng(3).normal(size=(2 + len(ENTITY_TAGS), len(ENTITY_TAGS)))
    rules = Rules(ENTITY_TAGS).learned(first, np.array(between), last) if learned else Rules(ENTITY_TAGS)
    lengths = [7, 1, 30, 30, 2, 1, 90, 8, 13]
    sentences = [random_probabilities(length, len(ENTITY_TAGS), seed) for seed, length in enumerate(lengths)]
    alone = [(rules.best([one])[0], rules.marginals([one])[0]) for one in sentences]
    for room in (1, 700, 10**6):
        monkeypatch.setattr(decoding, "_ROOM", room)
        for best, shares, expected in zip(rules.best(sentences), rules.marginals(sentences), alone, strict=True):
            assert best == expected[0]
            np.testing.assert_allclose(shares, expected[1], rtol=1e-12)
    assert rules.best([]) == rules.marginals([]) == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["O", "O"], []),
        (["B-PER", "I-PER", "O", "B-LOC"], [Span(0, 1, "PER"), Span(3, 3, "LOC")]),
        (["B-PER", "B-PER", "I-PER"], [Span(0, 0, "PER"), Span(1, 2, "PER")]),
        (["I-PER", "I-PER", "I-LOC"], [Span(0, 1, "PER"), Span(2, 2, "LOC")]),
        (["B-PER", "E-PER", "S-LOC", "I-LOC"], [Span(0, 1, "PER"), Span(2, 2, "LOC"), Span(3, 3, "LOC")]),
        (["B-PER", "L-PER", "U-PER", "U-PER"], [Span(0, 1, "PER"), Span(2, 2, "PER"), Span(3, 3, "PER")]),
        (["B", "I", "_", "NOUN"], [Span(0, 1, "")]),
    ],
)
def test_spans_are_the_entities_of_a_sequence(tags: list[str], expected: list[Span]) -> None:
    assert spans(tags) == expected


def test_an_inside_tag_without_one_that_opens_it_is_named() -> None:
    with pytest.raises(ValueError, match="'I-LOC' and no 'B-LOC'"):
        Rules(("O", "B-PER", "I-PER", "I-LOC"))


def test_an_entity_is_as_probable_as_its_least_certain_token_unless_odds_say_otherwise() -> None:
    assert LEAST_TOKEN.probability([0.9, 0.3, 1.0]) == pytest.approx(0.3)
    assert SpanOdds(0.5, -1.0).probability([0.8]) == pytest.approx(1 / (1 + np.exp(1 - 0.5 * np.log(4))))
    for sure in (0.0, 1.0, 1e-30):
        assert 0 < SpanOdds(10, -10).probability([sure]) <= 1
