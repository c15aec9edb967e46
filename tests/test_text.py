"""Tokens and where they stand in the user's own string."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import text
from seqmodels.vocab import CharacterVocab

AWKWARD = "  Don't\tpanic!\n\n\nשלום עולם 😀👩‍🚀 <b>x</b>\x00\x07 \u2028 end  "

# a text as typed, with more marks, invisible characters and line ends than chance would give
ANY = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aeE \n\r.\u0301\u0323\u0338=\u200b\u00ad\ufeff\ufe0f\u034f\u3164\u1112\u1161\u11ab\uac00\u0958\u2126"),
    ),
    max_size=200,
)


def assert_covers(source: str, tokens: list[text.Token]) -> None:
    """Every token is the text at its offsets, and only what no reader sees lies between tokens."""
    covered = 0
    for token in tokens:
        assert source[token.start : token.end] == token.text
        assert covered <= token.start < token.end
        assert not seen(source[covered : token.start])
        covered = token.end
    assert not seen(source[covered:])


def seen(between: str) -> str:
    return text.INVISIBLE.sub("", between).strip()


@given(ANY)
@settings(deadline=None)
def test_tokens_leave_out_nothing_but_what_is_unseen(source: str) -> None:
    assert_covers(source, text.tokenize(source))


@given(ANY)
@settings(deadline=None)
def test_sentences_leave_out_nothing_but_what_is_unseen(source: str) -> None:
    found = text.sentences(source)
    assert all(found), "no sentence is empty"
    assert_covers(source, [token for sentence in found for token in sentence])


@pytest.mark.parametrize("read", [text.tokenize, text.sentences, CharacterVocab.read])
def test_half_a_character_is_refused_with_its_place(read) -> None:
    with pytest.raises(ValueError, match=r"lone surrogate, U\+D83D\) at place 5:"):
        read("John \ud83d lives")


@pytest.mark.parametrize("hidden", ["\u00ad", "\u034f", "\u200d", "\ufe0f", "\ufeff", "\u3164", "\U000e0100"])
def test_what_is_unseen_is_not_read(hidden: str) -> None:
    assert text.normal(f"Jo{hidden}hn") == "John"
    assert text.words(f"{hidden}John {hidden} Smith") == ["John", "Smith"]


def test_awkward_text_keeps_its_offsets() -> None:
    found = [token for sentence in text.sentences(AWKWARD) for token in sentence]
    assert [AWKWARD[token.start : token.end] for token in found] == [token.text for token in found]
    assert {"Do", "n't", "😀", "שלום", "end"} <= {token.text for token in found}


@given(ANY)
@settings(deadline=None)
def test_the_cleaned_text_is_the_normal_form_and_each_character_of_it_has_its_place(source: str) -> None:
    clean, starts, ends = text.cleaned(source)
    assert clean == text.normal(source) == text.normal(clean)
    assert len(clean) == len(starts) == len(ends)
    assert [*starts] == sorted(starts)
    for form in ("NFC", "NFD"):
        assert text.cleaned(unicodedata.normalize(form, source))[0] == clean


@given(ANY)
@settings(deadline=None)
def test_a_text_has_the_same_tokens_in_each_normal_form(source: str) -> None:
    composed, apart = (text.words(unicodedata.normalize(form, source)) for form in ("NFC", "NFD"))
    assert [*map(text.normal, composed)] == [*map(text.normal, apart)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("e\u0301te\u0301", [("e\u0301te\u0301", 0, 5)]),
        ("\ufeffJohn\u200b sat\u00ad.", [("John", 1, 5), ("sat", 7, 10), (".", 11, 12)]),
        ("co\u00adope\u00adrate", [("co\u00adope\u00adrate", 0, 11)]),
        ("e\u200b\u0301!", [("e\u200b\u0301", 0, 3), ("!", 3, 4)]),
        ("\u1112\u1161\u11ab !", [("\u1112\u1161\u11ab", 0, 3), ("!", 4, 5)]),
        ("\u202bשלום\u202c", [("שלום", 1, 5)]),
        ("\u200b \ufeff", []),
    ],
)
def test_what_is_unseen_is_part_of_a_token_only_inside_it(source: str, found: list[tuple[str, int, int]]) -> None:
    assert [(token.text, token.start, token.end) for token in text.tokenize(source)] == found


def test_many_marks_on_one_letter_are_read_in_parts() -> None:
    source = "e" + "\u0327\u0301" * 20_000 + " end"  # NFC of all at once takes seconds, and of ten times as many minutes
    form, starts, ends = text.cleaned(source)
    assert form == text.normal(source)
    assert form.startswith(unicodedata.normalize("NFC", source[:31]))
    assert (starts[0], ends[0]) == (0, 31)
    assert [source[start:end] for start, end in zip(starts[-3:], ends[-3:], strict=True)] == list("end")


@pytest.mark.parametrize("gap", [" ", "\n", "\r\n", "\r\r\n", "\r", "\u2028", "  \n\t", "\f", "\n\u200b"])
def test_a_single_line_break_is_a_space(gap: str) -> None:
    assert lines(f"He went to New{gap}York{gap}. The end") == ["He went to New York .", "The end"]


@pytest.mark.parametrize("gap", ["\n\n", "\r\n\r\n", "\r\r", "\r\r\n\r\r\n", "\n \t\n", "\n\u200b\n", "\u2029", "\n\n\n\n"])
def test_a_blank_line_ends_a_sentence(gap: str) -> None:
    assert lines(f"One two{gap}three. Four") == ["One two", "three .", "Four"]


def test_closing_punctuation_ends_a_sentence_after_all_that_belongs_to_it() -> None:
    assert lines('He said "Go!!" Then he\nwent?!\n"Good." she') == ['He said " Go ! ! "', 'Then he went ? ! "', 'Good . "', "she"]


@given(st.lists(st.sampled_from(["New", "York", '"Go!"', "(a.)", "it's", "end."]), max_size=20), st.data())
@settings(deadline=None)
def test_a_text_has_the_same_sentences_however_it_is_wrapped(words: list[str], data: st.DataObject) -> None:
    gaps = [data.draw(st.sampled_from([" ", "\n", "\r\n", "  ", "\t"])) for _ in words]
    assert lines("".join(word + gap for word, gap in zip(words, gaps, strict=True))) == lines(" ".join(words))


@pytest.mark.parametrize("word", ["a", "(", "😀", "中文。", "a.b/", "e\u0301"])
def test_a_run_without_white_space_is_read_however_long(word: str) -> None:
    source = f"before {word * 20_000} after"
    found = text.tokenize(source)
    assert_covers(source, found)
    assert (found[0].text, found[-1].text) == ("before", "after")
    assert max(token.end - token.start for token in found) <= 1000


def lines(source: str) -> list[str]:
    return [" ".join(token.text for token in sentence) for sentence in text.sentences(source)]


def test_empty_text_has_no_tokens_and_no_sentences() -> None:
    assert text.tokenize(" \n\t ") == []
    assert text.sentences(" \n\t ") == []
