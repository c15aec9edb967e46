"""Sentences that come with the package: made of patterns and lists of names, or written for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from seqmodels import corpora
from seqmodels.corpora import CORPORA, ENTITY_TAGS, CorpusError, PackageTexts, TextFile, load_sentences
from seqmodels.corpora.conllu import UPOS
from seqmodels.corpora.patterns import TAGGED_TIMES, TIMES, read_patterns, read_tagged_patterns
from seqmodels.decoding import spans
from seqmodels.text import join, words

NAMES = """\
## person PER
Ada Lovelace
Will Smith

## city LOC
St. Louis
## prize O
Booker Prize
"""


def made(patterns: str, names: str = NAMES) -> list[corpora.Sentence]:
    return read_patterns(TextFile("made.txt", f"{names}## patterns\n{patterns}\n"))


def test_names_are_put_into_the_slots_with_their_tags() -> None:
    first, *more = made("{person}'s flat in {city} (near {city}) paid for the {prize}.")
    assert " ".join(first.words[1:]) in {
        f"{surname} 's flat in St. Louis ( near St. Louis ) paid for the Booker Prize ." for surname in ("Lovelace", "Smith")
    }
    person, place = ["B-PER", "I-PER"], ["B-LOC", "I-LOC"]
    assert [*first.tags] == [*person, *["O"] * 3, *place, *["O"] * 2, *place, *["O"] * 7]
    assert len(more) == TIMES - 1


def test_words_are_those_of_the_sentence_as_it_would_be_typed() -> None:
    for sentence in made("Don't ask {person}, he's in {city}!"):
        assert words(join(sentence.words)) == [*sentence.words]


def test_no_name_comes_again_before_all_have_come() -> None:
    found = [sentence.words[0] for sentence in made("{person} slept.")]
    assert [sorted(found[place : place + 2]) for place in range(0, TIMES, 2)] == [["Ada", "Will"]] * (TIMES // 2)


def test_the_same_sentences_come_each_time_and_one_without_a_slot_once() -> None:
    assert made("Stocks fall.\n{person} left {city}.") == made("Stocks fall.\n{person} left {city}.")
    assert made("Stocks fall.")[0].tags == ("O",) * 3
    assert len(made("Stocks fall.")) == 1


WORDS = """\
## person PROPN
Ada Lovelace
## verb VERB
close
## noun NOUN
door
"""


def tagged(patterns: str, words: str = WORDS) -> list[str]:
    found = read_tagged_patterns(TextFile("made.txt", f"{words}{patterns}\n"))
    return [" ".join(f"{word}/{tag}" for word, tag in zip(one.words, one.tags, strict=True)) for one in found]


def test_words_are_put_into_the_slots_with_their_part_of_speech() -> None:
    found = tagged("## sentences\n{verb} the/DET {noun} ,/PUNCT {person} ./PUNCT\nand/CCONJ or/CCONJ 1/2/NUM ./PUNCT")
    assert found[:TAGGED_TIMES] == ["Close/VERB the/DET door/NOUN ,/PUNCT Ada/PROPN Lovelace/PROPN ./PUNCT"] * TAGGED_TIMES
    assert found[TAGGED_TIMES:] == ["And/CCONJ or/CCONJ 1/2/NUM ./PUNCT"]


def test_the_words_of_a_headline_have_capitals_and_in_every_other_one_small_words_do_not() -> None:
    found = tagged("## headlines\n{person} to/PART {verb} the/DET {noun} she/PRON found/VERB\nfire/NOUN in/ADP Rome/PROPN")
    assert found[0] == "Ada/PROPN Lovelace/PROPN To/PART Close/VERB The/DET Door/NOUN She/PRON Found/VERB"
    assert found[1] == "Ada/PROPN Lovelace/PROPN to/PART Close/VERB the/DET Door/NOUN She/PRON Found/VERB"
    assert len(set(found)) == 3
    assert len(found) == TAGGED_TIMES + 1


def test_what_is_written_keeps_its_capitals() -> None:
    written = ["turn/VERB left/ADV", "Fire/NOUN in/ADP Rome/PROPN"]
    assert tagged("## as written\n" + "\n".join(written)) == written


@pytest.mark.parametrize(
    ("read", "text", "problem"),
    [
        (read_patterns, "", "there are no patterns in it"),
        (read_patterns, NAMES, "there are no patterns in it"),
        (read_patterns, "Ada Lovelace\n" + NAMES, "line 1 belongs to no list"),
        (read_patterns, "## person\nAda Lovelace\n## patterns\n{person}", "'## person' begins no list"),
        (read_patterns, "## person HERO\nAda Lovelace\n## patterns\n{person}", "'## person HERO' begins no list"),
        (read_patterns, "## person PER\n\n## patterns\n{person}", "'## person PER' begins no list"),
        (read_patterns, NAMES + "## city LOC\nParis\n## patterns\n{city}", "there are two lists of 'city'"),
        (
            read_patterns,
            NAMES + "## patterns\n{person} met {robot}.",
            "'{person} met {robot}.' has a slot for 'robot', which no list is of",
        ),
        (read_tagged_patterns, WORDS, "there are no patterns in it: put them below '## sentences'"),
        (
            read_tagged_patterns,
            "## person PER\nAda\n## sentences\n{person}",
            "'## person PER' begins no list: write one such as '## person",
        ),
        (read_tagged_patterns, WORDS + "## patterns\n{person}", "'## patterns' begins no list"),
        (read_tagged_patterns, WORDS + "## sentences\n{person} left/VERB {city}", "has a slot for 'city', which no list is of"),
        (
            read_tagged_patterns,
            WORDS + "## sentences\n{person} left",
            "'left' in the pattern '{person} left' is no slot and has no tag",
        ),
        (
            read_tagged_patterns,
            WORDS + "## headlines\n{person} left/VBD",
            "'left/VBD' in the pattern '{person} left/VBD' is no slot and has no tag",
        ),
        (read_tagged_patterns, WORDS + "## headlines\n{person}'s/PART flat/NOUN", "is no slot and has no tag"),
    ],
)
def test_a_file_of_another_form_is_told_what_is_wrong(
    read: Callable[[TextFile], list[corpora.Sentence]], text: str, problem: str
) -> None:
    with pytest.raises(CorpusError) as raised:
        read(TextFile("made.txt", text))
    assert str(raised.value).startswith("made.txt: ")
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("name", "size", "tags"),
    [("famous", (4_459, 40_696), set(ENTITY_TAGS)), ("headlines", (9_059, 94_850), set(UPOS))],
)
def test_they_come_with_the_package(name: str, size: tuple[int, int], tags: set[str]) -> None:
    package = CORPORA[name].splits["train"]
    assert isinstance(package, PackageTexts)
    assert corpora.corpus_hash(name) == package.sha256
    assert package.size == sum(path.stat().st_size for path in corpora.fetch(name))
    sentences = load_sentences(name, "train")
    assert (len(sentences), sum(len(sentence.words) for sentence in sentences)) == size
    assert {tag for sentence in sentences for tag in sentence.tags} == tags


def test_sentences_and_headlines_of_patterns_begin_with_a_capital() -> None:
    patterns, _, written = map(read_tagged_patterns, corpora.fetch("headlines"))
    assert all(sentence.words[0][0].isupper() or sentence.words[0][0].isdigit() for sentence in patterns)
    assert any(sentence.words[0][0].islower() for sentence in written)


def test_famous_names_are_among_those_that_are_made() -> None:
    sentences = load_sentences("famous", "train")
    named = Counter(" ".join(sentence.words[span.first : span.last + 1]) for sentence in sentences for span in spans(sentence.tags))
    assert {"Elon Musk", "The Beatles", "Amazon", "Ada Lovelace", "Paris Saint - Germain"} <= set(named)
