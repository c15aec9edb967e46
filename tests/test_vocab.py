"""Tokens to ids, sentences to tensors."""

import pytest
import torch

from seqmodels.text import EOS, UNK
from seqmodels.vocab import LONGEST_SPELLING, LanguageVocab, TaggerVocab, Vocab

SENTENCES = [["The", "dog", "barks"], ["the", "dog"], ["A", "cat"]]


def test_ids_run_from_the_most_frequent_word_with_ties_by_spelling() -> None:
    assert Vocab.build(["b", "a", "c", "c"]).tokens == (UNK, "c", "a", "b")


def test_an_unknown_token_gets_the_id_of_unk() -> None:
    vocab = Vocab.build(["a"])
    assert vocab.ids(["a", "z"]) == [1, vocab.unk]


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
