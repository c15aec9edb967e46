"""Tokens to ids, sentences to tensors."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqmodels.text import EOS, UNK
from seqmodels.vocab import LONGEST_SPELLING, CharacterVocab, LanguageVocab, TaggerVocab, Vocab, pad

SENTENCES = [["The", "dog", "barks"], ["the", "dog"], ["A", "cat"]]


def test_ids_run_from_the_most_frequent_word_with_ties_by_spelling() -> None:
    assert Vocab.build(["b", "a", "c", "c"]).tokens == (UNK, "c", "a", "b")


def test_an_unknown_token_gets_the_id_of_unk() -> None:
    vocab = Vocab.build(["a"])
    assert vocab.ids(["a", "z"]) == [1, vocab.unk]


def test_a_token_is_looked_up_in_its_normal_form() -> None:
    vocab = Vocab.build(["cafe\u0301", "John\u200b", "\u200b"])
    assert set(vocab.tokens) == {UNK, "café", "John"}
    assert vocab.ids(["cafe\u0301", "café", "\ufeffJohn"]) == [vocab.id("café"), vocab.id("café"), vocab.id("John")]
    assert "cafe\u0301" in vocab
    assert "\u200b" not in vocab


def test_quotes_and_dashes_of_a_phone_are_those_of_a_typewriter_where_no_others_are_known() -> None:
    plain, own = Vocab([UNK, '"', "n't", "--", "..."]), Vocab([UNK, '"', "“", "n’t"])
    assert plain.ids(["“", "”", "„", "n’t", "—", "…", "‹"]) == [1, 1, 1, 2, 3, 4, plain.unk]
    assert own.ids(["“", "”", "n’t"]) == [2, 1, 3]
    assert "”" in plain


def test_a_list_made_before_normal_forms_is_found_by_them_too() -> None:
    vocab = Vocab([UNK, "e\u0301", "é", "o\u0308"])
    assert vocab.ids(["e\u0301", "é", "o\u0308", "ö"]) == [1, 2, 3, 3]
    assert "ö" in vocab


def test_a_word_is_spelled_in_its_normal_form() -> None:
    vocab = TaggerVocab.build([["Zoë", "Zoë", "Zoë", "John"]], ["X"])
    batch = vocab.encode([["Zoë", "Zoe\u0308", "Zo\u00ade\u0308"], ["John", "John\u200b", "Zoe"]])
    assert batch.spelling.tolist() == [[0, 0, 0], [1, 1, 2]]
    assert batch.words[0].tolist() == [vocab.words.id("zoë")] * 3
    assert batch.characters[0, :5].tolist() == vocab.alphabet.ids(["<w>", "Z", "o", "ë", "</w>"])


def test_a_letter_and_its_accent_are_one_character_with_the_place_of_both() -> None:
    read = CharacterVocab.read("\ufeffe\u0301 \n\u200bx\n\u200b\ny")
    assert [(token.text, token.start, token.end) for token in read] == [
        ("e\u0301", 1, 3),
        (" ", 3, 5),
        ("x", 6, 7),
        (EOS, 7, 10),
        ("y", 10, 11),
    ]
    assert CharacterVocab.build([["é"]], minimum=1).words.ids(["e\u0301"]) == [2]


@pytest.mark.parametrize("tokens", [[UNK, "a", "a"], ["a"]])
def test_a_vocabulary_without_unk_or_with_a_token_twice_is_refused(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocab(tokens)


def test_a_tagger_batch_points_each_word_at_its_spelling() -> None:
    vocab = TaggerVocab.build(SENTENCES * 3, ["X"])
    batch = vocab.encode(SENTENCES)
    assert batch.words.shape == batch.spelling.shape == (3, 3)
    assert batch.lengths is not None
    assert batch.lengths.tolist() == [3, 2, 2]
    assert batch.words[0, 0] == batch.words[1, 0], "words are read in lower case"
    assert not torch.equal(batch.characters[batch.spelling[0, 0]], batch.characters[batch.spelling[1, 0]]), "spelling is not"
    assert batch.spelling[0, 1] == batch.spelling[1, 1], "a word that comes twice is spelled once"


def test_of_a_very_long_word_both_ends_are_read() -> None:
    vocab = TaggerVocab.build([["a" * 9, "b" * 9]], ["X"])
    spelled = vocab.encode([["a" * 500 + "b" * 500]]).characters[0].tolist()
    assert len(spelled) == LONGEST_SPELLING + 2
    assert spelled[1] == vocab.alphabet.id("a")
    assert spelled[-2] == vocab.alphabet.id("b")


def test_a_language_stream_ends_each_paragraph() -> None:
    vocab = LanguageVocab.build([["we", "go"]] * 4)
    assert [vocab.words.tokens[index] for index in vocab.stream([["we", "run"], ["go"]])] == ["we", UNK, EOS, "go", EOS]


@pytest.mark.parametrize(
    ("text", "minimum", "known"),
    [
        ("a a a a b b b", 4, {"a", "b"}),  # four times leave 57 % known, three all
        ("a a a a a a a b b b", 4, {"a"}),  # 70 % are enough
        ("a a b c d", 3, {"a", "b", "c", "d"}),
        ("a b c d", 10, {"a", "b", "c", "d"}),
    ],
)
def test_a_small_text_keeps_words_that_are_seen_fewer_times(text: str, minimum: int, known: set[str]) -> None:
    vocab = Vocab.build(text.split(), minimum=minimum)
    assert set(vocab.tokens) - {UNK} == known
    assert vocab.unknown_share(text.split()) <= 0.3


def test_a_text_with_nothing_to_read_makes_no_vocabulary() -> None:
    for tokens in ([], [UNK, UNK, EOS]):
        with pytest.raises(ValueError, match="give a text with words in it"):
            Vocab.build(tokens, minimum=4, special=(UNK, EOS))


def test_the_unknown_share_is_that_of_tokens_not_of_kinds() -> None:
    assert Vocab([UNK, "a"]).unknown_share(["a", "a", "b", "a"]) == 0.25
    assert Vocab([UNK, "a"]).unknown_share([]) == 0


@given(st.lists(st.lists(st.integers(1, 99), max_size=6), min_size=1, max_size=6), st.integers(-5, 0))
def test_rows_are_padded_to_the_longest_of_them(rows: list[list[int]], filler: int) -> None:
    longest = max(map(len, rows))
    assert pad(rows, filler).tolist() == [row + [filler] * (longest - len(row)) for row in rows]
