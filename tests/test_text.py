"""Tokens and where they stand in the user's own string."""

from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels import text

AWKWARD = "  Don't\tpanic!\n\n\nשלום עולם 😀👩‍🚀 <b>x</b>\x00\x07 \u2028 end  "


def assert_covers(source: str, tokens: list[text.Token]) -> None:
    """Every token is the text at its offsets, and only white space lies between tokens."""
    covered = 0
    for token in tokens:
        assert source[token.start : token.end] == token.text
        assert not source[covered : token.start].strip()
        covered = token.end
    assert not source[covered:].strip()


@given(st.text(max_size=200))
@settings(deadline=None)
def test_tokens_leave_out_nothing_but_white_space(source: str) -> None:
    assert_covers(source, text.tokenize(source))


@given(st.text(max_size=200))
@settings(deadline=None)
def test_sentences_leave_out_nothing_but_white_space(source: str) -> None:
    found = text.sentences(source)
    assert all(found), "no sentence is empty"
    assert_covers(source, [token for sentence in found for token in sentence])


def test_awkward_text_keeps_its_offsets() -> None:
    found = [token for sentence in text.sentences(AWKWARD) for token in sentence]
    assert [AWKWARD[token.start : token.end] for token in found] == [token.text for token in found]
    assert {"Do", "n't", "😀", "שלום", "end"} <= {token.text for token in found}


def test_a_line_break_and_a_full_stop_end_a_sentence() -> None:
    assert [[token.text for token in part] for part in text.sentences("One two\nthree. Four")] == [
        ["One", "two"],
        ["three", "."],
        ["Four"],
    ]


def test_empty_text_has_no_tokens_and_no_sentences() -> None:
    assert text.tokenize(" \n\t ") == []
    assert text.sentences(" \n\t ") == []
