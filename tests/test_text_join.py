"""Tokens to readable text and back."""

import pytest

from seqmodels.text import EOS, extend, join, words


@pytest.mark.parametrize(
    "text",
    [
        "My fellow Americans, the state of our Union is strong.",
        "It isn't theirs: they're sure we'll say it's the people's, and I'd agree (as we've said).",
        'He said "we must act," and then "now"; they left.',
        "The well-being of twenty-first century trade--and of peace—costs $5,000 or 10% a year!",
        "Why [laughter]? Because the States' rights and/or duties are #1.",
    ],
)
def test_join_undoes_the_tokenizer_on_ordinary_prose(text: str) -> None:
    assert join(words(text)) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ((), ""),
        (("$", "5", "and", "5", "%"), "$5 and 5%"),
        (("(", '"', "do", "n't", '"', ")"), '("don\'t")'),
        (("“", "so", "”", "it", "’s"), "“so” it’s"),
        (("We", "DO", "N'T"), "We DON'T"),
    ],
)
def test_join_puts_spaces_only_where_a_reader_expects_them(tokens: tuple[str, ...], text: str) -> None:
    assert join(tokens) == text


def test_an_end_of_paragraph_becomes_one_blank_line() -> None:
    assert join(["The", "end", ".", EOS, "We", "begin"]) == "The end.\n\nWe begin"
    assert join(["a", EOS, EOS, "b"]) == "a\n\nb"


def test_a_quote_left_open_does_not_reach_into_the_next_paragraph() -> None:
    assert join(["say", '"', "so", EOS, '"', "no", '"']) == 'say "so\n\n"no"'


@pytest.mark.parametrize(
    ("text", "tokens", "longer"),
    [
        ("", ["The"], "The"),
        ("we do", ["n't"], "we don't"),
        ("the House", [",", "and"], "the House, and"),
        ("ends in a space ", ["here"], "ends in a space here"),
        ("two  spaces kept", ["."], "two  spaces kept."),
        ('they said "peace', ['"', "then"], 'they said "peace" then'),
        ("A paragraph.", [EOS], "A paragraph.\n\n"),
        ("A paragraph.\n\n", ["Another"], "A paragraph.\n\nAnother"),
    ],
)
def test_extend_keeps_what_was_typed_and_spaces_what_is_added(text: str, tokens: list[str], longer: str) -> None:
    assert extend(text, tokens) == longer


def test_words_taken_one_at_a_time_read_as_words_taken_together() -> None:
    taken = ["do", "n't", "(", "yet", ")", "pay", "$", "5", ".", EOS, '"', "We", '"']
    text = "They"
    for word in taken:
        text = extend(text, [word])
    assert text == extend("They", taken)
