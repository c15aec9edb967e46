"""Text in, tags and words out."""

import copy
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import to_iob2
from seqmodels.inference import (
    NextWords,
    Sampling,
    TaggedToken,
    Tagging,
    adjusted,
    candidates,
    continue_text,
    differences,
    language,
    next_words,
    score_prompt,
    tag,
)
from seqmodels.known import KnownWords
from seqmodels.text import EOS, INVISIBLE, UNK
from seqmodels.traces import intervene, tag_and_trace, trace
from seqmodels.vocab import TaggerBatch, TaggerVocab

AWKWARD = [
    "<b>bold</b><script>alert(1)</script>",
    "שלום עולם, this is mixed",
    "😀👩‍🚀🇩🇪 !!!",
    "bell\x07 null\x00 tab\t end",
    "a" * 5000,
    "word " * 2000,
    "line one\nline two\r\nline three\n\npart two",
]
AS_IT_IS = Sampling(temperature=1.0)
DISTRIBUTION = NextWords((UNK, EOS, "the", "<b>", '"'), np.log(np.array([0.3, 0.2, 0.25, 0.15, 0.1], dtype=np.float32)))


@pytest.mark.parametrize("source", AWKWARD)
@pytest.mark.parametrize("name", ["pos-gru", "ner-lstm", "ner-elman"])
def test_any_text_is_tagged_whole_at_its_own_offsets(tiny: dict[str, Checkpoint], name: str, source: str) -> None:
    tagging = tag(tiny[name], source)
    covered = 0
    for token in tagging.tokens:
        assert source[token.start : token.end] == token.text
        assert not INVISIBLE.sub("", source[covered : token.start]).strip()
        covered = token.end
    assert not INVISIBLE.sub("", source[covered:]).strip()
    assert [end for _, end in tagging.sentences[:-1]] == [start for start, _ in tagging.sentences[1:]]
    assert tagging.sentences[-1][1] == len(tagging.tokens)


@pytest.mark.parametrize("source", ["", "  \n\t "])
def test_a_text_without_words_is_refused_with_what_to_do(tiny: dict[str, Checkpoint], source: str) -> None:
    with pytest.raises(ValueError, match="type a sentence"):
        tag(tiny["pos-gru"], source)


def test_probabilities_and_alternatives_belong_together(tiny: dict[str, Checkpoint]) -> None:
    for name in ("pos-gru", "ner-gru"):
        for token in tag(tiny[name], "John Smith lives in Berlin.").tokens:
            shares = [share for _, share in token.alternatives]
            assert len(shares) == 3
            assert shares == sorted(shares, reverse=True)
            assert 0 < sum(shares) <= 1 + 1e-6
            assert token.probability == pytest.approx(dict(token.alternatives).get(token.tag, token.probability))


def test_entities_are_the_spans_of_a_valid_iob2_sequence(tiny: dict[str, Checkpoint]) -> None:
    source = "John Smith of the United States lives in Berlin. He works for Siemens."
    tagging = tag(tiny["ner-lstm"], source)
    for first, last in tagging.sentences:
        tags = [token.tag for token in tagging.tokens[first:last]]
        assert to_iob2(tags) == tags
    assert len(tagging.entities) == sum(token.tag.startswith("B-") for token in tagging.tokens) > 0
    for entity in tagging.entities:
        assert source[entity.start : entity.end] == entity.text
        inside = [token.probability for token in tagging.tokens if entity.start <= token.start < entity.end]
        assert entity.probability == pytest.approx(tiny["ner-lstm"].info.span_odds.probability(inside))


def test_models_of_one_vocabulary_have_a_text_encoded_once(tiny: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[TaggerVocab] = []
    encode = TaggerVocab.encode

    def noted(self: TaggerVocab, sentences: Sequence[Sequence[str]]) -> TaggerBatch:
        encoded.append(self)
        return encode(self, sentences)

    monkeypatch.setattr(TaggerVocab, "encode", noted)
    for name in ("pos-elman", "pos-gru", "pos-lstm", "ner-gru"):
        monkeypatch.setattr(tiny[name].model, "known", KnownWords())
    for cell in ("elman", "gru", "lstm"):
        tag(tiny[f"pos-{cell}"], "Nobody has read this before.")
    assert len(encoded) == 1
    tag(tiny["ner-gru"], "Nobody has read this before.")
    assert encoded[1:] == [tiny["ner-gru"].vocabulary]


def test_a_sentence_is_tagged_the_same_alone_and_among_others(tiny: dict[str, Checkpoint]) -> None:
    alone = tag(tiny["pos-lstm"], "The boats go home.").tokens
    among = tag(tiny["pos-lstm"], "Go.\n\nThe boats go home.\nWho knows whether the old man lives in Berlin at all?").tokens
    assert [token.tag for token in among[2:7]] == [token.tag for token in alone]
    for one, other in zip(among[2:7], alone, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-6)


@given(st.text(st.sampled_from("Johné ïa.Ünü\u1e0b\u0323\ud55c\u212b"), min_size=1, max_size=60))
@settings(deadline=None)
def test_a_text_has_the_same_tags_in_each_normal_form(tiny: dict[str, Checkpoint], source: str) -> None:
    if not source.strip():
        return
    composed, apart = (tag(tiny["pos-gru"], unicodedata.normalize(form, source)) for form in ("NFC", "NFD"))
    assert [token.alternatives for token in composed.tokens] == [token.alternatives for token in apart.tokens]


def test_the_same_seed_gives_the_same_words_and_another_seed_others(tiny: dict[str, Checkpoint]) -> None:
    def drawn(seed: int, drafts: int = 8) -> list[str]:
        return [token.text for token in continue_text(tiny["lm-gru"], "The state of", sampling=Sampling(seed=seed, drafts=drafts))]

    assert drawn(7) == drawn(7)
    assert len(drawn(7, drafts=1)) == 40
    assert drawn(7) != drawn(8)


def test_words_are_drawn_as_if_the_prompt_and_they_had_been_read_at_once(tiny: dict[str, Checkpoint]) -> None:
    checkpoint = tiny["lm-lstm"]
    greedy = Sampling(temperature=0, careful=False)
    prompt = "The state"
    for token in continue_text(checkpoint, prompt, max_tokens=6, sampling=greedy):
        after = next_words(checkpoint, prompt)
        expected = adjusted(after.log_probabilities, greedy, never=after.words.index("<unk>")).argmax()
        assert token.text == after.words[expected]
        assert token.probability == pytest.approx(float(np.exp(after.log_probabilities[expected])), rel=1e-4)
        if token.text == "<eos>":
            break
        prompt += f" {token.text}"


def test_unk_is_never_drawn(tiny: dict[str, Checkpoint]) -> None:
    words = [token.text for token in continue_text(tiny["lm-elman"], "", max_tokens=300, sampling=Sampling(temperature=3))]
    assert "<unk>" not in words


def test_the_next_word_distribution_sums_to_one_over_the_whole_vocabulary(tiny: dict[str, Checkpoint]) -> None:
    after = next_words(tiny["lm-gru"], "The")
    assert len(after.words) == len(after.log_probabilities)
    assert np.exp(after.log_probabilities).sum() == pytest.approx(1, abs=1e-5)


def test_surprisal_in_bits_and_perplexity_say_the_same(tiny: dict[str, Checkpoint]) -> None:
    scored = score_prompt(tiny["lm-gru"], "The state of the zebra")
    assert 2 ** np.mean([token.surprisal for token in scored.tokens]) == pytest.approx(scored.perplexity, rel=1e-5)
    assert [token.known for token in scored.tokens] == [True, True, True, True, False]
    first = next_words(tiny["lm-gru"], "")
    assert scored.tokens[0].surprisal == pytest.approx(-first.log_probabilities[first.words.index("The")] / np.log(2), rel=1e-5)


def test_an_empty_prompt_has_no_words_to_score_and_can_be_continued(tiny: dict[str, Checkpoint]) -> None:
    assert score_prompt(tiny["lm-gru"], " ").tokens == ()
    assert len(list(continue_text(tiny["lm-gru"], "", max_tokens=3))) == 3


@given(seed=st.integers(0, 1000), temperature=st.floats(0.05, 5), top_k=st.integers(0, 12), top_p=st.floats(0.01, 1))
@settings(deadline=None)
def test_an_adjusted_distribution_keeps_the_best_words_in_order(seed: int, temperature: float, top_k: int, top_p: float) -> None:
    scores = np.random.default_rng(seed).normal(size=10).astype(np.float32)
    logs = scores - np.log(np.exp(scores).sum())
    shares = adjusted(logs, Sampling(temperature=temperature, top_k=top_k, top_p=top_p), never=3)
    assert shares.sum() == pytest.approx(1)
    assert shares[3] == 0
    kept = np.flatnonzero(shares)
    assert len(kept) <= (top_k or 9)
    ranked = [index for index in np.argsort(-logs) if index != 3]
    assert set(kept) == set(ranked[: len(kept)])


def test_the_least_temperature_takes_the_most_probable_word() -> None:
    least = adjusted(DISTRIBUTION.log_probabilities, Sampling(temperature=5e-324, top_p=1))
    assert least.tolist() == [1, 0, 0, 0, 0]


def test_top_p_keeps_the_fewest_words_that_hold_the_share() -> None:
    logs = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    assert np.flatnonzero(adjusted(logs, Sampling(temperature=1, top_p=0.79))).tolist() == [0, 1]
    assert np.flatnonzero(adjusted(logs, Sampling(temperature=1, top_p=0.81))).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "bad",
    [
        {"temperature": -1},
        {"temperature": float("nan")},
        {"top_k": -1},
        {"top_p": 0},
        {"top_p": 1.5},
        {"seed": -1},
        {"drafts": 0},
        {"drafts": 21},
    ],
)
def test_a_sampling_setting_out_of_range_is_named(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Sampling(**bad)  # type: ignore[arg-type]


def test_a_tagger_is_no_language_model_nor_the_other_way_round(tiny: dict[str, Checkpoint]) -> None:
    with pytest.raises(ValueError, match="pick a tagger"):
        tag(tiny["lm-gru"], "Hello")
    with pytest.raises(ValueError, match="pick a language model"):
        next_words(tiny["pos-gru"], "Hello")


@pytest.mark.parametrize("cell", ["gru", "elman"])
def test_numbers_that_are_not_finite_are_refused_by_name(tiny: dict[str, Checkpoint], cell: str) -> None:
    huge = {}
    for task in ("pos", "ner", "lm"):
        model = copy.deepcopy(tiny[f"{task}-{cell}"].model)
        for weights in model.parameters():
            weights.mul_(3e38)
        huge[task] = replace(tiny[f"{task}-{cell}"], model=model)
    attempts: list[Callable[[], object]] = [
        lambda: tag(huge["pos"], "The boats."),
        lambda: tag(huge["ner"], "The boats."),
        lambda: tag_and_trace(huge["ner"], "The boats."),
        lambda: trace(huge["pos"], "The boats."),
        lambda: intervene(huge["pos"], "The boats."),
        lambda: next_words(huge["lm"], "The state"),
        lambda: score_prompt(huge["lm"], "The state"),
        lambda: list(continue_text(huge["lm"], "The state")),
        lambda: intervene(huge["lm"], "The state"),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match=r"gives numbers that are not finite.*pick another"):
            attempt()


def tagged(*sentences: str) -> Tagging:
    """A text whose words are their own tags."""
    words = [sentence.split() for sentence in sentences]
    ends = np.cumsum([len(sentence) for sentence in words]).tolist()
    tokens = tuple(TaggedToken(word, 0, 0, word, 1.0, ((word, 1.0),)) for sentence in words for word in sentence)
    return Tagging("", "pos", "gru", tokens, (), tuple(zip([0, *ends], ends, strict=False)))


def test_taggings_of_one_text_differ_where_any_two_do() -> None:
    assert differences([tagged("a b", "c d"), tagged("a x", "c d"), tagged("a b", "c y")]) == [1, 3]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 50))
def test_windows_hold_every_token_once_and_none_is_too_long(lengths: list[int], longest: int) -> None:
    found = tagged(*("a " * length for length in lengths)).windows(longest)
    assert [position for first, last in found for position in range(first, last)] == list(range(sum(lengths)))
    assert all(0 < last - first <= longest for first, last in found)


def test_windows_end_where_sentences_end() -> None:
    assert tagged("a a a a", "b b b b", "c c c c").windows(8) == [(0, 8), (8, 12)]


def test_entities_are_told_from_other_tags_even_where_none_is_found(tiny: dict[str, Checkpoint]) -> None:
    assert tag(tiny["ner-gru"], ".").of_spans
    assert not tag(tiny["pos-gru"], "Ada met Bob.").of_spans


def test_an_unknown_word_is_never_a_candidate_however_likely() -> None:
    found = candidates(DISTRIBUTION, AS_IT_IS)
    assert found.names == ["the", EOS, "<b>", '"']
    assert found.unknown == pytest.approx(0.3)
    assert sum(candidate.drawn for candidate in found.words) == pytest.approx(1)


def test_candidates_carry_the_models_probability_and_the_one_under_the_settings() -> None:
    first, *_ = candidates(DISTRIBUTION, Sampling(temperature=1.0, top_k=2)).words
    assert first.model == pytest.approx(0.25)
    assert first.drawn == pytest.approx(0.25 / 0.45)


def test_what_the_settings_cut_off_stays_visible_below_what_can_be_drawn() -> None:
    found = candidates(DISTRIBUTION, Sampling(temperature=1.0, top_k=2))
    assert found.choices == 2
    assert [candidate.drawn > 0 for candidate in found.words] == [True, True, False, False]
    assert found.words[2].model > found.words[3].model > 0


def test_at_temperature_zero_one_word_takes_all() -> None:
    found = candidates(DISTRIBUTION, Sampling(temperature=0))
    assert (found.choices, found.words[0].word, found.words[0].drawn) == (1, "the", 1)


def test_only_so_many_candidates_are_listed(tiny: dict[str, Checkpoint]) -> None:
    assert len(candidates(next_words(tiny["lm-gru"], "The"), AS_IT_IS, count=5).words) == 5


@pytest.mark.parametrize("name", ["lm-lstm", "lm-gru"])
def test_a_long_prompt_is_read_in_pieces_that_change_nothing(
    tiny: dict[str, Checkpoint], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = "The state of the union is strong , and the people know it . " * 9
    whole = next_words(tiny[name], prompt), score_prompt(tiny[name], prompt)
    monkeypatch.setattr(language, "EVALUATION_CHUNK", 7)
    cut = next_words(tiny[name], prompt), score_prompt(tiny[name], prompt)
    np.testing.assert_allclose(cut[0].log_probabilities, whole[0].log_probabilities, atol=1e-5)
    in_pieces, at_once = ([token.surprisal for token in scored.tokens] for _, scored in (cut, whole))
    np.testing.assert_allclose(in_pieces, at_once, atol=1e-4)
