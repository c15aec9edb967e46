"""Corpora: what the readers make of good and bad files."""

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.corpora import (
    ENTITY_TAGS,
    CorpusError,
    Sentence,
    read_conllu,
    read_documents,
    read_entities,
    read_paragraphs,
    read_tweets,
    to_iob2,
)


@pytest.fixture
def write(tmp_path):
    def write(text, name="file.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def row(number, word, upos, xpos="_"):
    return f"{number}\t{word}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t_\n"


# CoNLL-U


def test_words_and_universal_tags_are_columns_two_and_four(write):
    path = write("# text = Dogs bark\n" + row(1, "Dogs", "NOUN") + row(2, "bark", "VERB") + "\n" + row(1, "Hi", "INTJ"))
    assert read_conllu(path) == [Sentence(("Dogs", "bark"), ("NOUN", "VERB")), Sentence(("Hi",), ("INTJ",))]


def test_multiword_tokens_and_empty_nodes_are_no_tokens(write):
    lines = row("1-2", "don't", "_") + row(1, "do", "AUX") + row(2, "n't", "PART") + row("2.1", "go", "VERB")
    assert read_conllu(write(lines)) == [Sentence(("do", "n't"), ("AUX", "PART"))]


def test_finer_tags_come_along_where_every_token_of_the_sentence_has_one(write):
    path = write(
        row(1, "dogs", "NOUN", "NNS") + row(2, "bark", "VERB", "VBP") + "\n" + row(1, "dogs", "NOUN", "NNS") + row(2, "!", "PUNCT")
    )
    assert [sentence.auxiliary for sentence in read_conllu(path)] == [("NNS", "VBP"), None]


def test_a_number_sign_is_a_word_where_a_tab_follows(write):
    assert read_conllu(write("# sent_id = 1\n" + row(1, "#", "SYM"))) == [Sentence(("#",), ("SYM",))]


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_endings_byte_order_mark_and_missing_last_blank_line_change_nothing(write, ending):
    text = "\ufeff" + (row(1, "Yes", "INTJ") + "\n\n" + row(1, "No", "INTJ")).replace("\n", ending)
    assert [sentence.words for sentence in read_conllu(write(text))] == [("Yes",), ("No",)]


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (row(1, "a", "DET") + "2\tcat\tNOUN\n", 2, "3 columns: CoNLL-U has 10"),
        ("1 a _ DET _ _ _ _ _ _\n", 1, "1 column: CoNLL-U has 10, separated by tabs"),
        ("# a comment\n\n" + row(1, "cat", "NN"), 3, "'NN' in column 4: expected a universal tag: ADJ, ADP"),
        (row("one", "cat", "NOUN"), 1, "token number 'one': expected 1, 2, 3"),
        (row(1, " ", "NOUN"), 1, "the word in column 2 is empty"),
        (b"\n" + row(1, "caf\xe9", "NOUN").encode("latin-1"), 2, "not UTF-8 text"),
    ],
)
def test_a_malformed_conllu_file_is_named_with_line_and_what_was_expected(write, text, line, expected):
    path = write(text)
    with pytest.raises(CorpusError, match=re.escape(f"{path}, line {line}: {expected}")):
        read_conllu(path)


@pytest.mark.parametrize("read", [read_conllu, read_entities, read_paragraphs, read_tweets])
@pytest.mark.parametrize("text", ["", "\n\n", "  \n"])
def test_a_file_without_sentences_is_refused(write, read, text):
    path = write(text)
    with pytest.raises(CorpusError, match=f"{re.escape(str(path))} is empty: give a text file"):
        read(path)


@pytest.mark.parametrize("read", [read_conllu, read_entities, read_paragraphs])
def test_a_missing_file_and_a_folder_cannot_be_read(tmp_path, read):
    with pytest.raises(CorpusError, match=r"absent: cannot be read \(No such file"):
        read(tmp_path / "absent")
    with pytest.raises(CorpusError, match=r"cannot be read \(Is a directory\)"):
        read(tmp_path)


# Entities


def test_iob1_opens_an_entity_where_its_type_first_stands(write):
    path = write("Mad I-ORG\nCapsule I-ORG\nMarkets B-ORG\nin O\nYork I-LOC\nAnn I-PER\n")
    assert read_entities(path)[0].tags == ("B-ORG", "I-ORG", "B-ORG", "O", "B-LOC", "B-PER")


def test_iob2_stays_as_it_is(write):
    path = write("Ann\tB-PER\nLee\tI-PER\nBob\tB-PER\nof\tO\nOslo\tB-LOC\n")
    assert read_entities(path) == [Sentence(("Ann", "Lee", "Bob", "of", "Oslo"), ("B-PER", "I-PER", "B-PER", "O", "B-LOC"))]


def test_a_loose_inside_tag_opens_an_entity(write):
    assert read_entities(write("in\tO\nNew\tI-LOC\nYork\tI-LOC\n\nAnn\tB-PER\nOslo\tI-LOC\n"))[0].tags == ("O", "B-LOC", "I-LOC")
    assert to_iob2(["B-PER", "I-LOC", "I-LOC"]) == ["B-PER", "B-LOC", "I-LOC"]


def test_a_leading_column_that_counts_is_no_word(write):
    path = write("# sent_id = 1\n1\tAnn\tB-PER\t-\tx\n2\tsings\tO\t-\tx\n\n1\tHi\tO\t-\tx\n")
    assert read_entities(path) == [Sentence(("Ann", "sings"), ("B-PER", "O")), Sentence(("Hi",), ("O",))]


def test_conll_2003_has_words_first_and_entities_last_and_document_marks(write):
    path = write("-DOCSTART- -X- -X- O\n\nU.N. NNP I-NP I-ORG\nofficial NN I-NP O\nEkeus NNP I-NP I-PER\nheads VBZ I-VP O\n")
    assert read_entities(path) == [Sentence(("U.N.", "official", "Ekeus", "heads"), ("B-ORG", "O", "B-PER", "O"))]


def test_a_number_sign_that_opens_a_sentence_is_a_word_where_a_tag_follows(write):
    for columns in ("O", "NN I-NP O"):
        path = write(f"# newdoc\n# text = # 1 O\n# {columns}\n1 {columns}\n\n# {columns}\n2 {columns}\n")
        assert [sentence.words for sentence in read_entities(path)] == [("#", "1"), ("#", "2")]


def test_types_that_are_renamed_nowhere_are_outside(write):
    path = write("It\tB-product\n\u00d7\tI-product\nAnn\tB-person\nOslo\tB-OTH\nstray\tB-O\n")
    assert read_entities(path, rename={"person": "PER"})[0].tags == ("O", "O", "B-PER", "O", "O")


def test_neighbours_of_two_types_with_one_new_name_stay_two_entities(write):
    path = write("Acme I-corporation\nBeatles I-group\nlive O\n")
    assert read_entities(path, rename={"corporation": "ORG", "group": "ORG"})[0].tags == ("B-ORG", "B-ORG", "O")


def test_an_invisible_word_outside_of_entities_is_dropped(write):
    assert read_entities(write("Hi\tO\n \tO\nAnn\tB-PER\n")) == [Sentence(("Hi", "Ann"), ("O", "B-PER"))]


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("Ann B-PER\n" * 19 + "Lee\n", 20, "1 column: expected a word and a tag such as O, B-PER or I-LOC"),
        ("Ann B-PER\n" * 19 + "Lee X-PER\n", 20, "'X-PER' in column 2: expected a word and a tag"),
        ("Ann\tB-PER\n\n" * 19 + "\tB-PER\n", 39, "the word before 'B-PER' is empty"),
        ("\nAnn\tperson\nLee\tperson\n", 2, "no column of entity tags: expected a word and a tag"),
        ("just some\nplain text\n", 1, "no column of entity tags: expected a word and a tag"),
        (b"Ann B-PER\nLe\xe9 I-PER\n", 2, "not UTF-8 text"),
    ],
)
def test_a_malformed_entity_file_is_named_with_line_and_what_was_expected(write, text, line, expected):
    path = write(text)
    with pytest.raises(CorpusError, match=re.escape(f"{path}, line {line}: {expected}")):
        read_entities(path)


def valid(tags):
    """IOB2: an I-X stands after B-X or I-X alone."""
    return all(
        not tag.startswith("I-") or (before != "O" and before[2:] == tag[2:])
        for before, tag in zip(["O", *tags], tags, strict=False)
    )


@settings(deadline=None)
@given(st.lists(st.sampled_from([*ENTITY_TAGS, "B-MISC", "I-MISC"])))
def test_iob2_is_always_valid_keeps_every_type_and_stays_itself(tags):
    fixed = to_iob2(tags)
    assert valid(fixed)
    assert to_iob2(fixed) == fixed
    assert [tag[1:] for tag in fixed] == [tag[1:] for tag in tags]
    assert not valid(tags) or fixed == tags


@settings(deadline=None)
@given(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b", "B-c", "I-c", "B-d", "I-d"]), min_size=1))
def test_whatever_tags_a_file_has_the_sentence_is_valid_iob2_over_three_types(tmp_path_factory, tags):
    path = tmp_path_factory.mktemp("tags") / "file.conll"
    path.write_text("".join(f"word\t{tag}\n" for tag in tags))
    (sentence,) = read_entities(path, rename={"a": "PER", "b": "LOC", "c": "ORG"})
    assert len(sentence.tags) == len(sentence.words) == len(tags)
    assert set(sentence.tags) <= set(ENTITY_TAGS)
    assert valid(sentence.tags)


# Tweets


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@/B-PER ann17/B-PER sings/O", "@ann17/O sings/O"),
        ("RT/O @/O ann17/B-PER :/O", "RT/O @ann17/O :/O"),
        ("@/B-PER ann/B-PER @/I-PER bob/I-PER says/O", "@ann/O @bob/O says/O"),
        ("@/O Facts/B-PER Ann/I-PER Lee/I-PER Bob/B-PER", "@Facts/O Ann/O Lee/O Bob/B-PER"),
        ("Ann/B-PER @/I-PER ann/I-PER sings/O", "Ann/B-PER @ann/O sings/O"),
        ("lunch/O @/O Oslo/B-LOC Station/I-LOC", "lunch/O @/O Oslo/B-LOC Station/I-LOC"),
        ("@/B-LOC OsloCafe/B-LOC !/O", "@OsloCafe/O !/O"),
        ("done/O @/O 19/O .30/O @/O http://t.co/a/O", "done/O @/O 19/O .30/O @/O http://t.co/a/O"),
        ("@/O @/B-PER ann/B-PER", "@/O @ann/O"),
        ("meet/O me/O @/O", "meet/O me/O @/O"),
    ],
)
def test_a_user_name_is_one_token_outside_of_entities_and_a_place_after_at_is_a_place(write, before, after):
    lines = [pair.rpartition("/") for pair in before.split()]
    (sentence,) = read_tweets(write("".join(f"{word}\t{tag}\n" for word, _, tag in lines)))
    assert [f"{word}/{tag}" for word, tag in zip(sentence.words, sentence.tags, strict=True)] == after.split()


def documents(words: Sequence[str], *mentions: tuple[str, int, int]) -> str:
    """One document of a sentence, and who is mentioned in it: type, first word, and the one after the last."""
    entities = [[{"type": kind, "sent_id": 0, "pos": [first, end], "name": "-"}] for kind, first, end in mentions]
    return json.dumps([{"title": "-", "sents": [words], "vertexSet": entities, "labels": []}])


def test_documents_are_read_by_what_they_mention(write):
    words = ["On", "\xa0", "May", "1", "Ada", "Lovelace", "Street", "in", "\xa0", "London", "was", "renamed"]
    text = documents(words, ("TIME", 2, 4), ("PER", 4, 6), ("LOC", 4, 7), ("LOC", 8, 10), ("MISC", 10, 11), ("PER", 1, 2))
    (sentence,) = read_documents(write(text))
    assert sentence.words == tuple(filter(str.strip, words))
    assert sentence.tags == ("O", "O", "O", "B-LOC", "I-LOC", "I-LOC", "O", "B-LOC", "O", "O")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("{}", "it should be a valid array"),
        ("[1]", "0: 1: it should be"),
        ('[{"sents": [["A"]]}]', "0.vertexSet: it is missing"),
        ('[{"sents": ["Paris is"], "vertexSet": []}]', "0.sents.0: 'Paris is': it should be a valid array"),
        ('[{"sents": [[1]], "vertexSet": []}]', "0.sents.0.0: 1: it should be a valid string"),
        (r'[{"sents": [["\ud800"]], "vertexSet": []}]', "it is not JSON"),
        (documents(["A"], ("PER", 0, 2)), "words 0 to 2 of sentence 0 are not there"),
        (documents(["A"], ("PER", 0, 10**30)), "of sentence 0 are not there"),
        (documents(["A"], ("PER", -1, 1)), "0.vertexSet.0.0.pos.0: -1 must be at least 0"),
        (documents(["A"], ("PER", 0, 1)).replace('"sent_id": 0', '"sent_id": 7'), "of sentence 7 are not there"),
    ],
)
def test_other_json_is_no_document(write, text, problem):
    with pytest.raises(CorpusError, match=rf"file\.txt: these are no documents as those of Re-DocRED .*{re.escape(problem)}"):
        read_documents(write(text))


@pytest.mark.parametrize("text", ["[]", documents([]), documents([" "])])
def test_documents_without_a_sentence_are_told(write, text):
    with pytest.raises(CorpusError, match=r"file\.txt: there is no sentence in it"):
        read_documents(write(text))


# Plain text


def test_paragraphs_are_separated_by_blank_lines_and_white_space_is_folded(write):
    path = write("Fellow-Citizens\n of  the\tSenate:\n\n \t\nI meet you.\r\n\r\nBye")
    assert read_paragraphs(path) == [["Fellow", "-", "Citizens", "of", "the", "Senate", ":"], ["I", "meet", "you", "."], ["Bye"]]
