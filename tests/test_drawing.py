"""Drafts of a sentence: which is kept, where it ends, and that each of them reads on from what it has written itself."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import GeneratedToken, Sampling, continue_text, next_words
from seqmodels.inference.drawing import LONGEST_DRAFT, draw
from seqmodels.text import EOS, UNK
from seqmodels.vocab import LanguageVocab, Vocab

NEXT = {  # how likely each word is after another
    EOS: {"Go": 0.5, "We": 0.5},
    "Go": {"home": 0.9, "far": 0.1},
    "home": {".": 0.9, "again": 0.1},
    "far": {"away": 0.2, "again": 0.2, "home": 0.2, ".": 0.4},
    "away": {".": 1.0},
    "again": {".": 1.0},
    "We": {"go": 0.2, "run": 0.2, "walk": 0.2, "stay": 0.4},
    **{word: {"home": 0.3, "far": 0.3, "away": 0.2, "again": 0.2} for word in ("go", "run", "walk", "stay")},
    ".": {"Go": 0.3, "We": 0.3, EOS: 0.4},
}
WORDS = LanguageVocab(Vocab([UNK, *NEXT]))
Text = tuple[int, ...]


class Chain:
    """A language model that knows the last word only. A place is the text read so far."""

    def __init__(self) -> None:
        self.reads: list[list[Text]] = []

    def __call__(self, rows: list[list[int]], after: list[Text | None]) -> tuple[Tensor, list[Text]]:
        texts = [(place or ()) + tuple(row) for row, place in zip(rows, after, strict=True)]
        self.reads.append(texts)
        logits = torch.full((len(texts), len(WORDS.words)), -math.inf)
        for row, text in enumerate(texts):
            for word, probability in NEXT[WORDS.words.tokens[text[-1]]].items():
                logits[row, WORDS.words.id(word)] = math.log(probability)
        return logits, texts


def written(prompt: str = "", *, most: int = 30, chain: Chain | None = None, **settings: float) -> list[GeneratedToken]:
    sampling = Sampling(**{"temperature": 1.0, "top_p": 1.0, "careful": False, **settings})  # type: ignore[arg-type]
    ids = [WORDS.eos, *WORDS.words.ids(prompt.split())]
    return list(draw(WORDS, chain or Chain(), ids, max_tokens=most, sampling=sampling))


def sentences(tokens: list[GeneratedToken]) -> list[list[GeneratedToken]]:
    """Those that have ended; the end of a paragraph belongs to the sentence after it."""
    found: list[list[GeneratedToken]] = [[]]
    for token in tokens:
        found[-1].append(token)
        if token.text == ".":
            found.append([])
    return found[:-1]


def likelihood(sentence: list[GeneratedToken]) -> float:
    """For its length."""
    return sum(math.log(token.probability) for token in sentence) / math.sqrt(len(sentence))


def test_of_many_drafts_the_likeliest_for_its_length_is_kept() -> None:
    for seed in range(5):
        first = sentences(written(seed=seed, drafts=20))[0]
        assert [token.text for token in first] == ["Go", "home", "."]


@pytest.mark.parametrize("drafts", [2, 8])
def test_with_more_drafts_sentences_are_likelier(drafts: int) -> None:
    alone, best = (
        np.mean([likelihood(one) for seed in range(40) for one in sentences(written(seed=seed, drafts=count))])
        for count in (1, drafts)
    )
    assert best > alone + 0.1


@pytest.mark.parametrize("drafts", [1, 3, 8])
@pytest.mark.parametrize("seed", range(5))
def test_a_word_has_the_probability_that_it_has_after_all_before_it(seed: int, drafts: int) -> None:
    before = EOS
    for token in written(seed=seed, drafts=drafts):
        assert token.probability == pytest.approx(NEXT[before][token.text])
        before = token.text


@pytest.mark.parametrize("seed", range(5))
def test_each_draft_reads_on_from_its_own_words(seed: int) -> None:
    chain = Chain()
    written(seed=seed, drafts=8, chain=chain)
    assert max(map(len, chain.reads)) > 2
    for text in (text for texts in chain.reads for text in texts):
        words = [WORDS.words.tokens[index] for index in text]
        assert all(after in NEXT[before] for before, after in pairwise(words)), words


@pytest.mark.parametrize("most", [0, 1, 2, 7, 23])
def test_with_one_draft_so_many_words_are_written(most: int) -> None:
    assert len(written(most=most, drafts=1)) == most


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 23])
@pytest.mark.parametrize("seed", range(5))
def test_with_more_drafts_the_last_sentence_that_has_room_is_the_last(most: int, seed: int) -> None:
    drawn = [token.text for token in written(most=most, seed=seed, drafts=8)]
    assert drawn[-1:] == ["."] if most > 2 else len(drawn) == most
    assert most - 3 <= len(drawn) <= most  # "Go home ." would have had room


def follow(following: dict[str, str], *, most: int, careful: bool = True) -> list[GeneratedToken]:
    """A text in which one word almost surely follows the other."""
    vocabulary = LanguageVocab(Vocab([UNK, *following]))

    def read(rows: list[list[int]], after: list[int | None]) -> tuple[Tensor, list[int]]:
        logits = torch.zeros(len(rows), len(vocabulary.words))
        for row, words in zip(logits, rows, strict=True):
            row[vocabulary.words.id(following[vocabulary.words.tokens[words[-1]]])] = 30
        return logits, [0] * len(rows)

    return list(draw(vocabulary, read, [vocabulary.eos], max_tokens=most, sampling=Sampling(careful=careful, drafts=4)))


@pytest.mark.parametrize("most", [8, 9, 10])
@pytest.mark.parametrize("careful", [True, False])
def test_a_text_that_ends_within_speech_closes_it(careful: bool, most: int) -> None:
    drawn = follow({EOS: '"', '"': "Go", "Go": "home", "home": ".", ".": "Go"}, most=most, careful=careful)
    spoken = ['"', *["Go", "home", "."] * ((most - (2 if careful else 1)) // 3)]
    assert [token.text for token in drawn] == ([*spoken, '"'] if careful else spoken)
    assert not careful or drawn[-1].probability < 1e-9, "what the model thought of it"


@pytest.mark.parametrize(("first", "second", "ends"), [('"', "(", [")", '"']), ("(", '"', ['"', ")"])])
@pytest.mark.parametrize("most", [5, 6, 7, 8, 9])
def test_all_that_is_open_is_closed_where_there_is_room(first: str, second: str, ends: list[str], most: int) -> None:
    drawn = follow({EOS: first, first: second, second: "Go", "Go": "home", "home": ".", ".": "Go", ")": "Go"}, most=most)
    assert [token.text for token in drawn] == [first, second, "Go", "home", ".", *ends][:most]


def test_the_end_of_a_paragraph_is_no_sentence_of_its_own() -> None:
    begin = [written("Go home .", seed=seed, drafts=8)[0].text for seed in range(40)]
    assert begin.count(EOS) < 20  # alone it would be likelier than any sentence


def test_where_each_text_has_a_condition_the_first_end_of_a_paragraph_is_the_end() -> None:
    conditioned = LanguageVocab(WORDS.words, conditions=("calm", "loud"))
    for seed in range(20):
        sampling = Sampling(1.0, top_p=1.0, careful=False, seed=seed)
        drawn = [token.text for token in draw(conditioned, Chain(), [WORDS.eos], max_tokens=200, sampling=sampling)]
        assert drawn.index(EOS) == len(drawn) - 1


def test_a_sentence_that_does_not_end_is_written_in_parts() -> None:
    vocabulary = LanguageVocab(Vocab([UNK, EOS, "la", "lu"]))

    def read(rows: list[list[int]], after: list[int | None]) -> tuple[Tensor, list[int]]:
        longest.append(len(rows))
        return torch.tensor([[-9e9, -9e9, 0.0, 0.0]] * len(rows)), [0] * len(rows)

    longest: list[int] = []
    sampling = Sampling(careful=False, drafts=4)
    drawn = list(draw(vocabulary, read, [vocabulary.eos], max_tokens=2 * LONGEST_DRAFT, sampling=sampling))
    assert len(drawn) == 2 * LONGEST_DRAFT
    assert longest.count(1) == 2
    assert max(longest) == 4


def test_with_one_draft_a_word_stands_as_soon_as_it_is_drawn() -> None:
    chain = Chain()
    sampling = Sampling(drafts=1)
    assert len(list(islice(draw(WORDS, chain, [WORDS.eos], max_tokens=30, sampling=sampling), 3))) == 3
    assert [len(texts) for texts in chain.reads] == [1, 1, 1]


def test_the_most_probable_words_are_written_once() -> None:
    chain = Chain()
    drafted, drawn = written(temperature=0, drafts=8, chain=chain), written(temperature=0, drafts=1)
    assert drafted == drawn[: len(drafted)]
    assert drafted[-1].text == "."
    assert all(len(texts) == 1 for texts in chain.reads)


def test_of_one_word_to_choose_from_there_is_one_draft() -> None:
    chain = Chain()
    written(top_k=1, drafts=8, chain=chain)
    assert all(len(texts) == 1 for texts in chain.reads)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_the_words_of_a_kept_draft_have_the_models_own_probabilities(tiny: dict[str, Checkpoint], cell: str) -> None:
    checkpoint, text = tiny[f"lm-{cell}"], "The state"
    for token in continue_text(checkpoint, text, max_tokens=12, sampling=Sampling(drafts=5)):
        after = next_words(checkpoint, text)
        expected = float(np.exp(after.log_probabilities[after.words.index(token.text)]))
        assert token.probability == pytest.approx(expected, rel=1e-4)
        text = text + "\n\n" if token.text == EOS else f"{text} {token.text}"
