"""A careful writer makes no slip that a rule can name, whatever the network would like; the model's probabilities stay its own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from seqmodels import Sampling, continue_text, load, next_words
from seqmodels.inference import candidates
from seqmodels.inference.careful import CarefulWriter
from seqmodels.text import EOS, UNK, words
from seqmodels.vocab import LanguageVocab, Vocab

TOKENS = (
    "The the A a An an He he It it Paris apple unit hour one FBI dog dogs is was do can not n't 's said Yes 7 % . , ; : ! ? \" ( ) "
    "[ ] ¶ -- “ ” and or again near nearer power her"
).split()
VOCABULARY = LanguageVocab(Vocab([UNK, EOS, *TOKENS]))


def spoiling(text: str) -> set[str]:
    """The words that would spoil a text if they came next; | ends a paragraph."""
    ids = [VOCABULARY.words.id(token) for token in text.replace("|", EOS).split()]
    mask = CarefulWriter(VOCABULARY, ids).spoiling()
    return {VOCABULARY.words.tokens[index] for index in np.flatnonzero(mask)}


def allowed(text: str) -> set[str]:
    return set(VOCABULARY.words.tokens) - spoiling(text)


@pytest.mark.parametrize("text", ["", "The dog is .", "He said", 'He said , "', "The ( dog"])
def test_what_is_unknown_or_of_odd_signs_is_never_written(text: str) -> None:
    assert {UNK, "[", "]", "¶"} <= spoiling(text)


@pytest.mark.parametrize("text", ["", "|", "He is . |", "The dog is .", 'He said , "', "The dog ("])
def test_no_mark_and_no_short_form_begins_anything(text: str) -> None:
    assert {",", ";", ":", ".", "!", ")", "”", "%", "n't", "'s"} <= spoiling(text)


@pytest.mark.parametrize(("text", "may"), [("", False), ("The dog is .", False), ("The dog is !", True), ("He said ,", True)])
def test_a_sentence_begins_with_a_capital(text: str, may: bool) -> None:
    assert ("he" in allowed(text)) == may
    assert "He" in allowed(text)


@pytest.mark.parametrize(
    ("text", "again"), [("the", "the The"), ("The", "the The"), ("dog ,", ", . ;"), ("dog .", ". ! ,"), ("dog --", "-- ,")]
)
def test_nothing_stands_twice_in_a_row(text: str, again: str) -> None:
    assert set(again.split()) <= spoiling(f"He is {text}")


@pytest.mark.parametrize(
    ("word", "may"), [("dog", False), ("Paris", False), ("power", False), ("her", False), ("again", True), ("nearer", True)]
)
@pytest.mark.parametrize("join", ["and", "or"])
def test_a_word_is_not_joined_to_itself_unless_that_is_usual(word: str, join: str, may: bool) -> None:
    assert (word in allowed(f"He said {word} {join}")) == may
    assert {"dogs", "apple"} <= allowed(f"He said {word} {join}")


@pytest.mark.parametrize(
    ("article", "may", "may_not"),
    [("a", "dog unit hour one FBI Paris", "apple it"), ("an", "apple it unit hour FBI one", "dog Paris")],
)
def test_an_article_fits_the_word_after_it(article: str, may: str, may_not: str) -> None:
    assert set(may.split()) <= allowed(f"He is {article}")
    assert set(may_not.split()) <= spoiling(f"He is {article}")


@pytest.mark.parametrize(("text", "may"), [("He do", True), ("He is", True), ("He can", False), ("The dog", False)])
def test_a_short_not_stands_after_a_verb_that_has_one(text: str, may: bool) -> None:
    assert ("n't" in allowed(text)) == may


def test_brackets_open_once_close_once_and_not_at_once() -> None:
    assert ")" in spoiling("The dog")
    assert ")" in spoiling("The dog (")
    assert {")", "apple"} <= allowed("The dog ( is")
    assert {"(", "“", "”", EOS} <= spoiling("The dog ( is")
    assert ")" in spoiling("The dog ( is ) .")
    assert "”" in allowed("“ The dog is .") - allowed("The dog is .")
    assert allowed("The dog ( " + "is it " * 13) == {")"}


def test_a_quotation_is_not_empty_and_is_closed_before_the_paragraph_ends() -> None:
    assert '"' in spoiling('He said , "')
    assert '"' in allowed('He said , " Yes ,')
    assert EOS in spoiling('He said , " Yes .')
    assert EOS in allowed('He said , " Yes . "')
    assert allowed('" Yes' + " it is" * 31 + " .") == {'"'}


@pytest.mark.parametrize(
    ("text", "may"), [("", False), ("The dog", False), ("He is ,", False), ("He is .", True), ("He is . |", False)]
)
def test_a_paragraph_ends_where_a_sentence_does(text: str, may: bool) -> None:
    assert (EOS in allowed(text)) == may


def test_six_words_stand_in_one_order_only_once() -> None:
    assert "dogs" in spoiling("He said it was the dogs . He said it was the")
    assert "dogs" in allowed("He said it was the dogs . It said it was the")


def test_in_a_list_of_small_words_none_needs_a_capital() -> None:
    vocabulary = LanguageVocab(Vocab([UNK, EOS, *"the dog is a . ,".split()]))
    assert not CarefulWriter(vocabulary, [1]).spoiling()[vocabulary.words.id("the")]


def test_a_text_in_other_letters_is_written_like_any_other() -> None:
    hindi = "मैं हिन्दी में लिखता हूँ ।".split()
    vocabulary = LanguageVocab(Vocab([UNK, EOS, *hindi]))
    spoilt = CarefulWriter(vocabulary, [1]).spoiling()
    assert not any(spoilt[vocabulary.words.id(word)] for word in hindi[:-1])


def test_what_is_written_most_is_not_odd() -> None:
    tags = LanguageVocab(Vocab([UNK, EOS, "#", *(f"word{number}" for number in range(200)), "¶", "<b>"]))
    emoji = LanguageVocab(Vocab([UNK, EOS, "🙂", "🚀", "❤"]))
    for vocabulary, token, odd in (
        (tags, "#", False),
        (tags, "¶", True),
        (tags, "<b>", True),
        (emoji, "🚀", False),
        (emoji, UNK, True),
    ):
        assert CarefulWriter(vocabulary, [1]).spoiling()[vocabulary.words.id(token)] == odd


def test_a_paragraph_without_marks_ends_after_any_word() -> None:
    vocabulary = LanguageVocab(Vocab([UNK, EOS, *"mary had a little lamb ,".split()]))
    for text, may in (("", False), ("mary had", True), ("mary ,", False)):
        assert CarefulWriter(vocabulary, [1, *vocabulary.words.ids(text.split())]).spoiling()[vocabulary.eos] != may


def test_a_sign_that_nothing_closes_is_no_bracket() -> None:
    vocabulary = LanguageVocab(Vocab([UNK, EOS, *"Er sagt : „ Ja “ .".split()]))
    ids = [1, *vocabulary.words.ids("Er sagt : „ Ja".split())]
    assert not CarefulWriter(vocabulary, ids).spoiling()[vocabulary.words.id("“")]
    ids += vocabulary.words.ids("“ .".split())
    assert not CarefulWriter(vocabulary, ids).spoiling()[vocabulary.eos]


def test_some_word_is_always_left() -> None:
    for tokens in ([], [","], ["dog"], ["¶"]):
        vocabulary = LanguageVocab(Vocab([UNK, EOS, *tokens]))
        writer = CarefulWriter(vocabulary, [1])
        for index in [*range(len(tokens) + 2)] * 3:
            assert not writer.spoiling().all()
            writer.read(index)


@pytest.mark.parametrize("text", ["", "He said it was the dogs . He said it", 'He said , " The ( dog', "The dog is ."])
def test_branches_go_on_from_a_text_without_a_trace_in_it_or_each_other(text: str) -> None:
    ids = [VOCABULARY.words.id(token) for token in text.split()]
    writer = CarefulWriter(VOCABULARY, ids)
    one, other = writer.branch(), writer.branch()
    for branch, more in ((one, "was the dogs ( is ) ."), (other, '" Yes , it was the apple')):
        for length, token in enumerate(more.split(), 1):
            branch.read(VOCABULARY.words.id(token))
            read = [*ids, *VOCABULARY.words.ids(more.split()[:length])]
            assert (branch.spoiling() == CarefulWriter(VOCABULARY, read).spoiling()).all()
    assert (writer.spoiling() == CarefulWriter(VOCABULARY, ids).spoiling()).all()


@pytest.mark.parametrize(("drafts", "seed"), [(1, 0), (1, 1), (4, 2), (4, 3)])
@pytest.mark.parametrize("prompt", ["", "My fellow Americans,", 'He said, "The'])
def test_even_a_wild_draw_makes_none_of_these_slips(prompt: str, drafts: int, seed: int) -> None:
    sampling = Sampling(temperature=1.5, top_p=1.0, seed=seed, drafts=drafts)
    drawn = [token.text for token in continue_text(load("lm-gru"), prompt, max_tokens=200, sampling=sampling)]
    marks, ends = set(", ; : . ! ? )".split()), {".", "!", "?"}
    for before, after in pairwise([EOS, *words(prompt), *drawn]):
        assert after != UNK
        assert not (before.isalpha() and before.lower() == after.lower())
        closes = after == ")" and before in ends  # a sentence in brackets
        assert closes or not (before in marks - {")"} | {EOS, "("} and after in marks), (before, after)
        assert after != EOS or before in ends | {")", '"', "”"}
        assert not (before in {EOS, "."} and after[0].islower())
        assert not (before.lower() == "a" and after[0] in "aei" and after.islower()) or after.startswith("eu")
    assert max(drawn.count("(") - drawn.count(")"), 0) <= 1


def test_the_models_own_probabilities_are_shown_and_only_the_drawing_is_careful() -> None:
    distribution = next_words(load("lm-gru"), "My fellow Americans")
    careful, free = (candidates(distribution, Sampling(1.0, 0, 1.0, careful=careful), count=5000) for careful in (True, False))
    models = {word.word: word.model for word in free.words}
    assert all(models[word.word] == word.model for word in careful.words if word.word in models)
    assert careful.choices < free.choices
    drawn = {word.word: word.drawn for word in careful.words}
    assert drawn.get(EOS, 0) == 0 < models[EOS]
