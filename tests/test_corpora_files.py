"""One reader for every file of a user's: `evaluate`, `train` and uploads read the same, and say what they read."""

import json
import os
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path

import conllu
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqmodels.cli import main
from seqmodels.corpora import Columns, CorpusError, FileReport, Sentence, TextFile, open_upload, to_iob2
from seqmodels.corpora.conllu import read_conllu
from seqmodels.corpora.entities import match_types, scheme_of
from seqmodels.corpora.readers import read_own_entities
from seqmodels.data import Dataset, files_dataset, load_dataset
from seqmodels.tasks import TASKS, DataConfig
from tests.conftest import needs_corpora

FILES = Path(__file__).with_name("fixtures") / "files"
OWN = DataConfig(source="file", dev_share=0.3)
ENTITIES = {  # name: entities by their type as read, tokens, words of the first sentence
    "full_type_names.txt": ({"PER": 20, "LOC": 20}, 110, "John Smith lives in Berlin ."),
    "short_types.txt": ({"PER": 20, "LOC": 20}, 110, "John Smith lives in Berlin ."),
    "ids_from_0.tsv": ({"PER": 20, "LOC": 20}, 110, "John Smith lives in Berlin ."),
    "ids_from_1.tsv": ({"PER": 20, "LOC": 20}, 110, "John Smith lives in Berlin ."),
    "iobes_4col.txt": ({"PER": 20, "LOC": 20}, 110, "John Smith lives in Berlin ."),
    "cr_line_ends.txt": ({"PER": 20, "LOC": 20}, 110, "John Smith lives in Berlin ."),
    "two_tag_columns.tsv": ({"ORG": 3}, 12, "University of Berlin opened"),
    "nbsp_in_word_4col.txt": ({"LOC": 3}, 33, "It cost 10\u00a0000 euros in Berlin last May said he ."),
}


def evaluated(capsys: pytest.CaptureFixture[str], task: str, file: Path, *options: str) -> dict:
    assert main(["evaluate", "--task", task, "--cell", "gru", "--corpus", str(file), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def uploaded(task: str, file: Path, columns: Columns | None = None) -> Dataset:
    config = DataConfig(source="file", dev_share=0.3, columns=columns or Columns())
    return load_dataset(task, config, open_upload(file.read_bytes(), file.name))


def counted(sentences: list[Sentence]) -> Counter[str]:
    return Counter(tag[2:] for sentence in sentences for tag in sentence.tags if tag.startswith("B-"))


def ner(text: str, columns: Columns | None = None, known: tuple[str, ...] | None = None) -> tuple[list[Sentence], FileReport]:
    contents = TASKS["ner"].read(TextFile("own.txt", text), columns or Columns(), known)
    return contents.items, contents.report


def pos(text: str, columns: Columns | None = None) -> tuple[list[Sentence], FileReport]:
    contents = TASKS["pos"].read(TextFile("own.txt", text), columns or Columns())
    return contents.items, contents.report


# ---- the same through every door


@pytest.mark.parametrize(("name", "entities", "tokens", "first"), [(name, *right) for name, right in ENTITIES.items()])
def test_a_file_has_its_right_entities_through_every_door(
    capsys: pytest.CaptureFixture[str], name: str, entities: dict[str, int], tokens: int, first: str
) -> None:
    scores = evaluated(capsys, "ner", FILES / name)
    assert (scores["f1"], scores["tokens"]) == (100.0, tokens)
    trained, own = files_dataset("ner", FILES / name, FILES / name), uploaded("ner", FILES / name)
    for sentences in (trained.train, trained.dev, own.train + own.dev):
        assert counted(sentences) == entities
        assert tuple(first.split(" ")) in {sentence.words for sentence in sentences}
    said = scores["read"]
    assert (said["tokens"], sum(said["types"].values())) == (tokens, sum(entities.values()))
    assert [report.how for report in (*trained.reports, *own.reports)] == [FileReport(**{**said, "notes": ()}).how] * 3


def test_the_inner_layer_is_read_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    file = FILES / "two_tag_columns.tsv"
    (note,) = evaluated(capsys, "ner", file)["read"]["notes"]
    assert note == "tags stand in column 4 too: set the tag column (--tag-column 4) to read them"
    assert evaluated(capsys, "ner", file, "--tag-column", "4")["read"]["types"] == {"LOC": 3}
    assert counted(uploaded("ner", file, Columns(tag_column=4)).train) == {"LOC": 2}
    assert counted(files_dataset("ner", file, file, Columns(tag_column=4)).train) == {"LOC": 3}


def test_a_model_keeps_the_types_of_its_file_and_scores_in_evaluate_what_it_scored_in_its_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, output = FILES / "own_types.txt", tmp_path / "own.safetensors"
    small = ["--epochs", "2", "--hidden-size", "16", "--output", str(output), "--corpus", str(file), "--dev", str(file)]
    assert main(["train", "--task", "ner", "--cell", "gru", *small]) == 0
    printed = capsys.readouterr().out
    assert printed.count("Gene 300, Disease 300") == 2
    scored = re.search(r"^dev: .*\bf1 ([\d.]+)", printed, re.MULTILINE)
    assert scored is not None
    found = evaluated(capsys, "ner", file, "--checkpoint", str(output))
    assert found["f1"] == float(scored[1]) > 50
    assert counted(uploaded("ner", file).train).keys() == {"Gene", "Disease"}


def test_types_that_the_model_does_not_know_are_refused_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(FILES / "own_types.txt")
    assert main(["evaluate", "--task", "ner", "--cell", "gru", "--corpus", file]) == 2
    said = capsys.readouterr().err
    assert all(part in said for part in (file, "Gene (300), Disease (300)", "LOC, ORG, PER", "--types Gene=LOC"))
    read = evaluated(capsys, "ner", Path(file), "--types", "Gene=ORG,Disease=O")["read"]
    assert (read["read_as"], read["ignored"]) == ({"Gene": "ORG"}, {"Disease": 300})


@pytest.mark.parametrize("task", ["lm", "char"])
def test_lines_are_paragraphs_where_no_blank_one_is_between_them_through_every_door(task: str) -> None:
    file = FILES / "lines_no_blank.txt"
    lines = file.read_text().splitlines()
    scored, trained, own = TASKS[task].read(file), files_dataset(task, file, file), uploaded(task, file)
    assert scored.items == trained.train == trained.dev == [TASKS[task].tokens(line) for line in lines]  # type: ignore[attr-defined]
    assert sorted(own.train + own.dev) == sorted(scored.items)
    for report in (scored.report, *trained.reports, *own.reports):
        assert report.notes == ("each line is a paragraph, for no blank line is between them",)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("comment_without_space.conllu", [("Dogs", "bark")]),
        ("hash_first_word_pos.txt", [("#", "1", "fan"), ("He", "ran")]),
    ],
)
def test_a_number_sign_opens_a_comment_or_is_a_word_as_the_format_has_it(
    capsys: pytest.CaptureFixture[str], name: str, words: list[tuple[str, ...]]
) -> None:
    file = FILES / name
    assert [sentence.words for sentence in TASKS["pos"].read(file).items] == words
    assert evaluated(capsys, "pos", file)["tokens"] == sum(map(len, words))
    assert [sentence.words for sentence in files_dataset("pos", file, file).train] == words
    twice = open_upload(file.read_bytes() + b"\n" + file.read_bytes(), name)
    own = load_dataset("pos", OWN, twice)
    assert sorted(sentence.words for sentence in own.train + own.dev) == sorted(words * 2)


@pytest.mark.parametrize("task", ["pos", "ner"])
def test_words_that_are_withheld_are_refused(task: str, tmp_path: Path) -> None:
    file = FILES / "withheld_words.conllu"
    content = file.read_bytes() if task == "pos" else b"1\t_\tO\n2\t_\tB-PER\n\n" * 3
    path = tmp_path / "withheld"
    path.write_bytes(content)
    doors = (
        lambda: TASKS[task].read(path),
        lambda: files_dataset(task, path, path),
        lambda: load_dataset(task, OWN, open_upload(content, "withheld")),
    )
    for door in doors:
        with pytest.raises(CorpusError, match=r"withheld: (\d) of \1 words are _, as in corpora whose texts are withheld"):
            door()


# ---- which column


SHAPES = {
    "CoNLL-2003": (
        "-DOCSTART- -X- -X- O\n\nU.N. NNP I-NP I-ORG\nofficial NN I-NP O\nEkeus NNP I-NP I-PER\nheads VBZ I-VP O\n",
        (1, 4, "IOB1"),
        "U.N./B-ORG official Ekeus/B-PER heads",
    ),
    "WikiNEuRal's CoNLL-2003": ("0\t-DOCSTART-\tO\n\n0\tEU\tB-ORG\n1\tsaid\tO\n", (2, 3, "IOB2"), "EU/B-ORG said"),
    "CoNLL-2003, an O alone as chunk": ("-DOCSTART- O\n\nEU B-NP B-ORG\nsaid O O\n\n", (1, 3, "IOB2"), "EU/B-ORG said"),
    "CoNLL-2002": (
        "El DA O\nAbogado NC B-PER\ndel SP I-PER\nEstado NC I-PER\n",
        (1, 3, "IOB2"),
        "El Abogado/B-PER del/I-PER Estado/I-PER",
    ),
    "WikiNEuRal": ("0\tBerlin\tB-LOC\n1\tis\tO\n\n0\t42\tO\n1\truns\tO\n", (2, 3, "IOB2"), "Berlin/B-LOC is"),
    "ids that run on": ("17\tBerlin\tB-LOC\n18\tis\tO\n\n19\tIt\tO\n20\truns\tO\n", (2, 3, "IOB2"), "Berlin/B-LOC is"),
    "an id of the sentence first": (
        "s1\t1\tIn\tO\ns1\t2\tRome\tB-LOC\n\ns2\t1\tHe\tO\n",
        (3, 4, "IOB2"),
        "In Rome/B-LOC",
    ),
    "GermEval": (
        "#\thttp://de.wikipedia.org/wiki/Bonn [2009-10-17]\n1\tUni\tB-ORG\tO\n2\tBonn\tI-ORG\tB-LOC\n\n"
        "#\thttp://de.wikipedia.org/wiki/Ulm [2009-10-17]\n1\tUlmer\tB-LOCderiv\tO\n",
        (2, 3, "IOB2"),
        "Uni/B-ORG Bonn/I-ORG",
    ),
    "WNUT17": ("&\tO\nEmpire\tB-location\n\n#\tO\nState\tB-group\n", (1, 2, "IOB2"), "& Empire/B-LOC"),
    "ids with marks": ("[1]\tIn\tO\n[2]\tRome\tB-LOC\n", (2, 3, "IOB2"), "In Rome/B-LOC"),
    "UNER": (
        "# text = Where is Iguazu?\n1\tWhere\tO\t-\tann\n2\tIguazu\tB-LOC\t-\tann\n",
        (2, 3, "IOB2"),
        "Where Iguazu/B-LOC",
    ),
    "MIT movie": ("O\twhat\nB-Actor\tbrad\nI-Actor\tpitt\n\nO\twho\nO\tis\n", (2, 1, "IOB2"), "what brad/B-Actor pitt/I-Actor"),
    "numbered, tag first": ("0\tO\twhat\n1\tB-PER\tBrad\n\n0\tO\twho\n", (3, 2, "IOB2"), "what Brad/B-PER"),
    "CoNLL-2000, chunks alone": ("He PRP B-NP\nran VBD B-VP\n", (1, 3, "IOB2"), "He/B-NP ran/B-VP"),
    "ranges and empty nodes": (
        "1-2\tdel\t_\n1\tde\tO\n2\tel\tO\n2.1\tse\t_\n3\tRio\tB-LOC\n",
        (2, 3, "IOB2"),
        "de el Rio/B-LOC",
    ),
    "BILOU": (
        "New B-LOC\nYork I-LOC\nCity L-LOC\nand O\nAnn U-PER\n",
        (1, 2, "BILOU"),
        "New/B-LOC York/I-LOC City/I-LOC and Ann/B-PER",
    ),
    "BMES": (
        "北 B-LOC\n京 E-LOC\n市 O\n王 S-PER\n上 B-LOC\n海 M-LOC\n市 E-LOC\n",
        (1, 2, "BMES"),
        "北/B-LOC 京/I-LOC 市 王/B-PER 上/B-LOC 海/I-LOC 市/I-LOC",
    ),
    "BMEWO": ("New B-LOC\nYork M-LOC\nCity E-LOC\nAnn W-PER\n", (1, 2, "BMES"), "New/B-LOC York/I-LOC City/I-LOC Ann/B-PER"),
    "lower case": ("-docstart- o\n\nnew b-loc\nyork i-loc\nand o\no o\n", (1, 2, "IOB2"), "new/B-LOC york/I-LOC and o"),
    "lower prefixes": ("Ann b-PER\nLee i-PER\nsat O\n", (1, 2, "IOB2"), "Ann/B-PER Lee/I-PER sat"),
    "underscores": ("Ann\tNNP\tB_PER\nLee\tNNP\tI_PER\nsat\tVBD\tO\n", (1, 3, "IOB2"), "Ann/B-PER Lee/I-PER sat"),
    "trailing blanks": ("Ann B-PER \t\nsat O \t \n", (1, 2, "IOB2"), "Ann/B-PER sat"),
    "OntoNotes": ("Ann B-PERSON\nin O\nRome B-GPE\n", (1, 2, "IOB2"), "Ann/B-PER in Rome/B-GPE"),
}


@pytest.mark.parametrize(("text", "how", "first"), SHAPES.values(), ids=list(SHAPES))
def test_a_public_shape_is_read_as_it_is_meant(text: str, how: tuple[int, int, str], first: str) -> None:
    sentences, report = ner(text)
    assert (report.word_column, report.tag_column, report.scheme) == how
    assert report.first_sentence == first
    assert len(sentences) == report.sentences


def test_tags_in_another_spelling_are_told() -> None:
    _, report = ner("Ann b-PER\nLee i-PER\nsat O\nup O\n")
    assert report.notes == ("tags are spelled in a way of their own: b-PER is read as B-PER, and the others alike",)
    sentences, report = pos("Dogs noun\nbark verb\n\nX noun\nx verb\n")
    assert (sentences[1], len(report.notes)) == (Sentence(("X", "x"), ("NOUN", "VERB")), 1)


def test_a_blank_line_after_each_word_is_told_and_line_ends_with_a_second_cr_are_none() -> None:
    text = "Ann B-PER\nLee I-PER\nsat O\n\nBob B-PER\nran O\n"
    _, report = ner(text.replace("\n", "\n\n"))
    assert "each sentence is a single word: blank lines are expected between sentences, not between words" in report.notes
    for ends in ("\n", "\r\n", "\r", "\r\r\n"):
        file = open_upload(text.replace("\n", ends).encode(), "own.txt")
        assert [sentence.words for sentence in TASKS["ner"].read(file).items] == [("Ann", "Lee", "sat"), ("Bob", "ran")]
    mixed = "Ann B-PER\rLee I-PER\r\r\nBob B-PER\r"  # CR after the words, and CR LF for the empty line
    assert len(TASKS["ner"].read(open_upload(mixed.encode(), "own.txt")).items) == 2


@pytest.mark.parametrize("task", ["lm", "char"])
def test_a_text_of_invisible_characters_alone_is_refused(task: str) -> None:
    with pytest.raises(CorpusError, match=r"own\.txt: holds no paragraphs"):
        TASKS[task].read(TextFile("own.txt", "\u200b\u200b\n\n\ufeff\n"))
    assert len(TASKS[task].read(TextFile("own.txt", "a b\n\n\u200b\n\nc d\n")).items) == 2


def test_a_heading_is_named_as_what_it_may_be() -> None:
    rows = "\n".join(["Ann\tB-PER", "sat\tO", "down\tO"] * 5)
    with pytest.raises(CorpusError, match=r"line 1: 'label' in column 2: expected .*; a heading of the columns is none: delete it"):
        ner(f"token\tlabel\n{rows}\n")
    with pytest.raises(CorpusError, match=r"line 16: 'label' in column 2: expected [^;]*$"):
        ner(f"{rows}\ntoken\tlabel\n")


def test_a_long_file_without_a_blank_line_is_told_to_be_one_sentence() -> None:
    note = "all 120 words are one sentence: a blank line is expected after each sentence"
    assert ner("Ann B-PER\nsat O\ndown O\n" * 40)[1].notes == (note,)
    assert ner("Ann B-PER\nsat O\ndown O\n" * 20)[1].notes == ()
    assert ner("Ann B-PER\nsat O\ndown O\n\n" * 40)[1].notes == ()


def test_of_a_type_that_a_model_lacks_is_told_how_it_can_be_read() -> None:
    file = TextFile("own.txt", "Ann B-PER\nin O\nRome B-town_or_so\n")
    note = "to the model, town_or_so is no type: --types town_or_so=NAME reads it as one of LOC, ORG, PER"
    assert read_own_entities(file, known=("LOC", "ORG", "PER")).report.notes == (note,)
    for types in ("town_or_so=O", "town_or_so=LOC"):
        assert read_own_entities(file, Columns(types=types), known=("LOC", "ORG", "PER")).report.notes == ()
    assert read_own_entities(file, known=("PER",), training=True).report.notes == ()


def test_of_many_columns_of_tags_the_first_are_named() -> None:
    (note,) = ner("Ann B-PER O sat O ran O up B-LOC\n" + "x B-PER B-LOC B-LOC B-LOC B-LOC B-LOC B-LOC B-LOC\n" * 20)[1].notes
    assert note == "tags stand in column 3 and 4 and 5 and 4 more too: set the tag column (--tag-column 3) to read them"


def test_no_break_spaces_are_part_of_a_word_and_other_white_space_is_none() -> None:
    (sentence,), _ = ner("a\u00a0b\u2009c   B-PER\n\u00a0d\tO\ne f\tO\n")
    assert sentence.words == ("a\u00a0b\u2009c", "\u00a0d", "e f")


def test_a_comment_stands_before_a_sentence_and_has_no_tag() -> None:
    sentences, _ = ner("# one\n# two words O\n#hash\n# O\nAnn B-PER\n# O\n\n# three\n#4 B-LOC\nx O\n")
    assert [sentence.words for sentence in sentences] == [("#", "Ann", "#"), ("#4", "x")]
    with pytest.raises(CorpusError, match="line 12: 'comment' in column 2: expected a word and a tag"):
        ner("Ann B-PER\n" * 11 + "# comment here\nLee B-PER\n")


def test_columns_can_be_named() -> None:
    text = "1 Ann x B-PER\n2 Lee y O\n\n"
    assert ner(text, Columns(word_column=3))[0][0].words == ("x", "y")
    assert pos("a b NOUN\nc d VERB\n", Columns(word_column=2, tag_column=3))[0] == [Sentence(("b", "d"), ("NOUN", "VERB"))]


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"word_column": 0}, "word_column is 0: it must be at least 1"),
        ({"word_column": 2, "tag_column": 2}, "both 2"),
        ({"types": "a"}, "types are 'a': give them as in a=PER,b=LOC,c=O"),
        ({"types": "PER=b=c"}, "types are 'PER=b=c': give them as in a=PER,b=LOC,c=O"),
        ({"types": "a=PER,a=LOC"}, "types name 'a' twice"),
        ({"tag_column": 7}, "own.txt: its rows have 3 columns: there is no tag column 7"),
        ({"tag_column": 2}, "own.txt: the tag column 2 holds 'x': expected a word and a tag"),
        ({"word_column": 9}, "own.txt, line 1: 3 columns: expected a word and a tag"),
        ({"types": "a=b," * 99}, "types have 396 characters: give at most 300"),
        ({"types": "person=PER"}, r"own.txt has no type 'person' to read as 'PER': its types are PER"),
    ],
)
def test_a_wrong_column_or_type_is_named(columns: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ner("Ann x B-PER\nLee x O\n", Columns(**columns))


def test_conllu_has_ten_columns_to_choose_from() -> None:
    text = "1\tDogs\tdog\tNOUN\t_\t_\t_\t_\t_\t_\n"
    assert pos(text, Columns(word_column=3))[0] == [Sentence(("dog",), ("NOUN",))]
    with pytest.raises(CorpusError, match="the tag column is 11: CoNLL-U has 10"):
        pos(text, Columns(tag_column=11))


def test_only_the_damaged_line_is_named() -> None:
    conllu_row = "{}\tDogs\t_\t{}\t_\t_\t_\t_\t_\t_\n"
    good = "".join(conllu_row.format(number, "NOUN") for number in range(1, 20))
    with pytest.raises(CorpusError, match=r"own.txt, line 1: 2 columns: CoNLL-U has 10"):
        pos("Dogs\tNOUN\n" + good)
    with pytest.raises(CorpusError, match=r"own.txt, line 20: 'NN' in column 4: expected a universal tag"):
        pos(good + conllu_row.format(20, "NN"))


PIECES = ("#", "_", "1", "1-2", "2.1", "Ann", "\u00a0", "O", "B-PER", "I-NP", "NOUN", "=", "", "-DOCSTART-")
ROWS = st.lists(st.lists(st.sampled_from(PIECES), max_size=10), max_size=9)


@settings(deadline=None, max_examples=300)
@given(ROWS, st.sampled_from("\t "), st.sampled_from(["pos", "ner"]))
def test_whatever_is_in_a_file_it_is_read_whole_or_refused(rows: list[list[str]], separator: str, task: str) -> None:
    with suppress(CorpusError):
        contents = TASKS[task].read(TextFile("own.txt", "\n".join(map(separator.join, rows))))
        assert contents.report.sentences == len(contents.items) > 0
        assert all(len(sentence.words) == len(sentence.tags) > 0 for sentence in contents.items)


def test_where_no_column_holds_universal_tags_one_of_another_kind_is_named() -> None:
    with pytest.raises(CorpusError, match=r"own\.txt, line 2: 'CONJ' in column 2: expected a word and a universal tag"):
        pos("The DET\nand CONJ\n. .\n\n")


def test_all_numbers_are_no_words() -> None:
    with pytest.raises(CorpusError, match="all 6 words are numbers, such as '1': set the word column"):
        ner("1 B-PER\n2 O\n\n" * 3)


def test_many_words_without_a_form_are_told() -> None:
    _, report = ner("Ann B-PER\n" * 9 + "_ O\n")
    assert report.notes == ("1 of 10 words are _: their texts may be withheld, and the scores mean little",)


def test_sentences_without_all_their_tags_are_left_out_and_told() -> None:
    row = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t_\n"
    text = row.format(1, "Dogs", "NOUN") + row.format(2, "bark", "_") + "\n" + row.format(1, "Cats", "NOUN")
    sentences, report = pos(text)
    assert sentences == [Sentence(("Cats",), ("NOUN",))]
    assert report.notes == ("words without a part of speech: 1; their sentences, 2 tokens, are left out",)


def test_sentences_that_run_together_are_told() -> None:
    row = "{}\tDogs\t_\tNOUN\t_\t_\t_\t_\t_\t_\n"
    _, report = pos((row.format(1) + row.format(2)) * 2 + "\n" + row.format(1))
    assert report.notes == ("token numbers begin again within a sentence, 1 times: a blank line may be missing",)


def test_a_refusal_of_unknown_types_names_another_column_of_tags() -> None:
    with pytest.raises(CorpusError, match=r"has artist \(3\), the model .*--types artist=LOC; tags stand in column 3 too"):
        ner("Ann B-artist B-PER\nsings O O\n\n" * 3, known=TASKS["ner"].tags)  # type: ignore[attr-defined]


def test_long_sentences_are_read_and_told_and_refused_for_training_alone() -> None:
    whole = TextFile("own.txt", "man NOUN\nsails VERB\n" * 700)
    assert TASKS["pos"].read(whole).report.notes == ("1,400 words in one sentence: a blank line is expected after each sentence",)
    with pytest.raises(CorpusError, match=r"own\.txt, line 1: 1,400 words in one sentence: put a blank line after each sentence"):
        TASKS["pos"].read(whole, training=True)
    mostly_short = TextFile("own.txt", whole.text + "\n" + "man NOUN\nsails VERB\n\n" * 800)
    assert len(TASKS["pos"].read(mostly_short, training=True).items) == 801


# ---- types


@pytest.mark.parametrize(
    ("found", "known", "matched"),
    [
        (("person", "location", "corporation", "group", "product"), ("LOC", "ORG", "PER"), "PER LOC ORG ORG -"),
        (("PERSON", "GPE", "FAC", "ORG", "NORP"), ("LOC", "ORG", "PER"), "PER LOC LOC ORG -"),
        (("geo-loc", "company", "sportsteam", "Other"), ("LOC", "ORG", "PER"), "LOC ORG ORG -"),
        (("PER", "LOC", "ORG"), ("GPE", "ORGANIZATION", "PERSON"), "PERSON GPE ORGANIZATION"),
        (("LOC", "GPE", "city"), ("FAC", "GPE", "LOC"), "LOC GPE LOC"),
        (("location",), ("FAC", "GPE"), "-"),
        (("gene", "DISEASE"), ("Disease", "Gene"), "Gene Disease"),
        (("gene", "Gene", "GENE"), ("Gene", "gene"), "gene Gene Gene"),
        (("O",), ("LOC", "ORG", "PER"), "-"),
        (("GPE_LOC", "GPE_ORG", "DRV", "LOCderiv"), ("LOC", "ORG", "PER"), "LOC ORG - -"),  # NorNE, GermEval
        (("person-actor", "location-GPE", "organization-company", "product-car"), ("LOC", "ORG", "PER"), "PER LOC ORG -"),
        (("/location/city", "org.team", "gene-person"), ("LOC", "ORG", "PER"), "LOC ORG -"),
    ],
)
def test_types_are_matched_by_name_then_by_synonym_then_by_the_wider_type(
    found: tuple[str, ...], known: tuple[str, ...], matched: str
) -> None:
    expected = {kind: name for kind, name in zip(found, matched.split(), strict=True) if name != "-"}
    assert match_types(found, known, {}) == expected


def test_what_is_ignored_is_told_with_its_count() -> None:
    sentences, report = ner("Ann B-person\nLee I-person\niPad B-product\nX B-product\n", known=TASKS["ner"].tags)  # type: ignore[attr-defined]
    assert sentences[0].tags == ("B-PER", "I-PER", "O", "O")
    assert (report.read_as, report.ignored) == ({"person": "PER"}, {"product": 2})
    assert report.mapping == "person as PER (1); as no entity: product 2"


def test_dev_is_read_with_the_types_of_train(tmp_path: Path) -> None:
    train, dev = tmp_path / "train.txt", tmp_path / "dev.txt"
    train.write_text("tp53 B-Gene\nAnn B-person\n\n" * 4)
    dev.write_text("myc B-GENE\nBob B-PER\nflu B-Disease\n\n")
    data = files_dataset("ner", train, dev)
    assert data.dev[0].tags == ("B-Gene", "B-PER", "O")
    assert data.reports[1].ignored == {"Disease": 1}
    other = files_dataset("ner", train, dev, Columns(types="Gene=Protein"))
    assert counted(other.train) == {"Protein": 4, "PER": 4}
    assert other.hash != data.hash


# ---- schemes


SPANS = st.lists(st.tuples(st.sampled_from(["PER", "LOC", None]), st.integers(1, 4)), max_size=6)


def written(spans: list[tuple[str | None, int]], scheme: str) -> list[str]:
    """The tags of entities and of tokens outside, by the book."""
    single, last, inside = {"IOBES": ("S", "E", "I"), "BILOU": ("U", "L", "I"), "BMES": ("S", "E", "M")}.get(scheme, ("", "I", "I"))
    tags: list[str] = []
    before: str | None = None
    for kind, length in spans:
        first = "B" if scheme != "IOB1" or kind == before else "I"
        alone = single if scheme not in ("IOB1", "IOB2") else first
        prefixes = [alone] if length == 1 else [first, *inside * (length - 2), last]
        tags += [f"{prefix}-{kind}" if kind else "O" for prefix in prefixes]
        before = kind
    return tags


@settings(deadline=None)
@given(SPANS, st.sampled_from(["IOBES", "BILOU", "BMES", "IOB1", "IOB2"]))
def test_every_scheme_says_the_same_as_iob2(spans: list[tuple[str | None, int]], scheme: str) -> None:
    assert to_iob2(written(spans, scheme)) == written(spans, "IOB2")


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("PER", "LOC"))]), max_size=12))
def test_malformed_tags_are_the_entities_that_seqeval_reads(tags: list[str]) -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    assert get_entities(to_iob2(tags)) == get_entities(tags)


@pytest.mark.parametrize("scheme", ["IOBES", "BILOU", "BMES", "IOB1", "IOB2"])
def test_the_scheme_is_named(scheme: str) -> None:
    spans = [("PER", 3), ("PER", 1), (None, 1), ("LOC", 2), (None, 2)]
    assert scheme_of([written(spans, scheme)]) == (scheme, 0)


def test_stray_inside_tags_are_told() -> None:
    _, report = ner("Ann B-PER\nsaw O\nBob I-PER\n")
    assert report.scheme == "IOB2"
    assert report.notes == ("entities begin with I- in place of B- 1 times: read as if with B-",)


# ---- CoNLL-U, against the package that others read it with


def tokens_of(text: str) -> list[list[str]]:
    return [[token["form"] for token in sentence if isinstance(token["id"], int)] for sentence in conllu.parse(text)]


ROW = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t_\n"
LEGAL = [
    "# newdoc\n#sent_id = 1\n# text = #1\n" + ROW.format(1, "#1", "SYM") + ROW.format(2, "fan", "NOUN"),
    ROW.format("1-2", "don't", "_") + ROW.format(1, "do", "AUX") + ROW.format(2, "n't", "PART") + ROW.format("2.1", "go", "VERB"),
    ROW.format("0.1", "he", "PRON")
    + ROW.format(1, "10\u00a0000", "NUM")
    + ROW.format(2, "10 000", "NUM")
    + ROW.format(3, "_", "PUNCT"),
    "#\n##\n#x\ty\n" + ROW.format(1, "#", "SYM") + ROW.format(2, "\u3000", "PUNCT"),
    ROW.format(1, "\u00a0", "PUNCT") + ROW.format(2, "# a", "X").replace("\t_\n", "\t4:nsubj|8.1:obj\n"),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(LEGAL), min_size=1, max_size=8))
def test_conllu_has_the_tokens_that_the_conllu_package_reads(parts: list[str]) -> None:
    text = "\n".join(parts)
    assert [list(sentence.words) for sentence in read_conllu(TextFile("own", text))] == tokens_of(text)


@needs_corpora
@pytest.mark.parametrize("part", ["dev", "test"])
def test_a_treebank_has_the_tokens_that_the_conllu_package_reads(part: str) -> None:
    file = Path(os.environ["SEQMODELS_DATA"], "ud-english-ewt", f"en_ewt-ud-{part}.conllu")
    assert [list(sentence.words) for sentence in TASKS["pos"].read(file).items] == tokens_of(file.read_text(encoding="utf-8"))


@needs_corpora
def test_a_public_file_scores_as_its_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, "ner", Path(os.environ["SEQMODELS_DATA"], "wnut17", "emerging.test.annotated"))
    assert found["f1"] == pytest.approx(67.1, abs=0.3)
    assert found["read"]["ignored"].keys() == {"product", "creative-work"}
