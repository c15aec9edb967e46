"""A file from someone else becomes sentences, or one line that says what is wrong with it and where."""

import io
import zipfile
from itertools import combinations
from pathlib import Path

import pytest

from seqmodels.corpora import (
    CorpusError,
    Sentence,
    Subset,
    TextFile,
    keep_some,
    open_upload,
    read_own_entities,
    split,
    split_text,
)
from seqmodels.data import load_dataset
from seqmodels.tasks import TASKS, DataConfig, TagTask, tasks_that_predict

LANGUAGE = tasks_that_predict("next token")
TAGGING = tasks_that_predict("tags")

POS = "The\tDET\nman\tNOUN\nsails\tVERB\n\nHe\tPRON\nsails\tVERB\n\n" * 4
IOB1 = "John I-PER\nSmith I-PER\nlives O\nin O\nBerlin I-LOC\n\nHe O\nsails O\n\n" * 4
PLAIN = "The state of the union is strong.\n\nThe people know it.\n\n" * 4
CONLLU = "".join(f"{n}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_\n" for n, word, tag in ((1, "He", "PRON"), (2, "sails", "VERB")))
GOOD = {"pos": POS, "ner": IOB1, "lm": PLAIN, "char": PLAIN}
OWN = DataConfig(source="file")


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.txt", b"0" * 10_000_000)
    return packed.getvalue()


def own(task: str, content: str | bytes, name: str = "own.txt") -> tuple[list[Sentence], list[Sentence]]:
    raw = content.encode() if isinstance(content, str) else content
    data = load_dataset(task, OWN, open_upload(raw, name))
    return data.train, data.dev


# what: (content, what the error says); each for every task
BAD_FOR_ALL = {
    "empty": (b"", "is empty"),
    "only blank": (b" \n\n\t\n", "is empty"),
    "too large": (b"a b\n" * (5 * 2**20 // 4 + 1), "at most 5 MB"),
    "zip": (zipped(), "zip archive.*was not opened"),
    "empty zip": (b"PK\x05\x06" + b"\x00" * 18, "zip archive"),
    "gzip": (b"\x1f\x8b\x08\x00rest", "gzip archive"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "PDF document"),
    "picture": (b"\x89PNG\r\n\x1a\n", "a picture"),
    "UTF-16": (PLAIN.encode("utf-16"), "UTF-16.*save the file as UTF-8"),
    "UTF-16 without mark": (PLAIN.encode("utf-16-le"), "UTF-16.*save the file as UTF-8"),
    "UTF-16 the other way": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), "UTF-16.*save the file as UTF-8"),
    "UTF-32": (PLAIN.encode("utf-32"), "UTF-32.*save the file as UTF-8"),
    "Latin-1": ("ok ok\ncaf\xe9 X\n".encode("latin-1"), r"line 2: not UTF-8 text \(the byte 0xe9\): save the file as UTF-8"),
    "Latin-1 of an old Mac": ("ok ok\rcaf\xe9 X\r".encode("latin-1"), "line 2: not UTF-8"),
    "binary": (b"The DET\nm\x00n NOUN\n", r"line 2: holds the byte 0x00"),
    "control": (b"The DET\n\nman\x1b[2J NOUN\n", r"line 3: holds the byte 0x1b"),
    "only a byte order mark": (b"\xef\xbb\xbf\n", "is empty"),
}
BAD = {
    "no tag among three columns": ("pos", "The article x\n", "line 1: 'x' in column 3: expected a word and a universal tag"),
    "one column": ("pos", "The DET\nman\n", "line 2: 1 column:"),
    "unknown tag": ("pos", "The DET\nman NN\n", "line 2: 'NN' in column 2: expected a universal tag"),
    "no word": ("pos", "The\tDET\n\tNOUN\n", "line 2: the word before 'NOUN' is empty"),
    "CoNLL-U cut short": ("pos", CONLLU + "\n1\tHe\t_\tPRON\t_\n", "line 4: 5 columns: CoNLL-U has 10"),
    "one sentence": ("pos", "The DET\nman NOUN\n", "one sentence only: give at least two with a blank line between them"),
    "no blank lines": ("pos", "man NOUN\n" * 2000, "line 1: 2,000 words in one sentence"),
    "columns without end": ("pos", "man NOUN " * 6000, "line 1: 12,000 columns"),
    "a long tag": ("pos", f"man {'N' * 5000}\n", r"line 1: 'N{40}\.\.\.'"),
    "huge line": ("pos", "The DET\n" + "a" * 200_000, "line 2: 1 column:"),
    "no entity column": ("ner", "John Smith\nlives here\n", "line 1: no column of entity tags"),
    "a damaged line": ("ner", IOB1 * 3 + "Berlin\n", "line 109: 1 column:"),
    "only O": ("ner", "He O\nsails O\n\nHe O\n", "every tag is O"),
    "too many types": ("ner", "".join(f"x B-T{n}\n\n" for n in range(40)), "40 types of entities"),
    "all alone": ("ner", "a B-PER\n\nb B-LOC\n", "too few sentences to check with"),
    "one word": ("lm", "word", "the text has 1 tokens"),
}


@pytest.mark.parametrize("task", GOOD)
@pytest.mark.parametrize(("content", "told"), BAD_FOR_ALL.values(), ids=list(BAD_FOR_ALL))
def test_what_is_no_text_is_named_as_what_it_is(task: str, content: bytes, told: str) -> None:
    with pytest.raises(CorpusError, match=rf"(?s)\Aown\.txt.*{told}") as caught:
        own(task, content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("task", GOOD)
@pytest.mark.parametrize(("content", "told"), [bad for what, bad in BAD_FOR_ALL.items() if what != "too large"])
def test_a_file_is_refused_by_its_path_as_an_upload_is(task: str, content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=rf"(?s)own\.txt.*{told}"):
        TASKS[task].read(path)


@pytest.mark.parametrize(("task", "content", "told"), BAD.values(), ids=list(BAD))
def test_text_of_the_wrong_form_is_named_with_its_line(task: str, content: str, told: str) -> None:
    with pytest.raises(CorpusError, match=rf"\Aown\.txt.*{told}") as caught:
        own(task, content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("task", GOOD)
@pytest.mark.parametrize("change", ["as it is", "Windows line ends", "old Mac line ends", "byte order mark", "no last line end"])
def test_a_file_reads_the_same_however_it_was_saved(task: str, change: str) -> None:
    content = GOOD[task].encode()
    changed = {
        "as it is": content,
        "Windows line ends": content.replace(b"\n", b"\r\n"),
        "old Mac line ends": content.replace(b"\n", b"\r"),
        "byte order mark": b"\xef\xbb\xbf" + content,
        "no last line end": content.rstrip(b"\n"),
    }[change]
    assert own(task, changed) == own(task, content)


def test_columns_are_separated_by_tabs_or_spaces() -> None:
    assert own("pos", POS) == own("pos", POS.replace("\t", "   "))
    assert own("ner", IOB1) == own("ner", IOB1.replace(" ", "\t"))


def test_parts_of_speech_come_from_conllu_or_from_columns() -> None:
    from_conllu = own("pos", (CONLLU + "\n") * 8)
    from_columns = own("pos", "He PRON\nsails VERB\n\n" * 8)
    from_more_columns = own("pos", ((CONLLU + "\n") * 8).replace("\t", " "))
    assert from_conllu == from_columns == from_more_columns


def test_iob1_and_iob2_are_the_same_entities() -> None:
    iob2 = IOB1.replace("John I-PER", "John B-PER").replace("I-LOC", "B-LOC")
    assert own("ner", IOB1) == own("ner", iob2)
    assert own("ner", IOB1)[0][0].tags == ("B-PER", "I-PER", "O", "O", "B-LOC")


def test_entities_of_ones_own_types_can_be_learned() -> None:
    content = "aspirin B-Drug\nhelps O\nJohn I-person\n\n" * 6
    train, _ = own("ner", content)
    assert train[0].tags == ("B-Drug", "O", "B-PER")
    assert TASKS["ner"].vocabulary(train).targets == ("O", "B-Drug", "I-Drug", "B-PER", "I-PER")


def test_usual_entities_keep_the_tags_of_the_shipped_models() -> None:
    train, _ = own("ner", IOB1)
    assert TASKS["ner"].vocabulary(train).targets == TASKS["ner"].tags  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\Users\\me\\passwd", "/tmp/passwd", "pass\nwd", "\x1b]0;passwd"])
def test_of_a_path_only_the_last_part_is_shown(name: str) -> None:
    with pytest.raises(CorpusError) as caught:
        open_upload(b"", name)
    shown = str(caught.value).removesuffix(" is empty: give a text file")
    assert shown.endswith("passwd")
    assert "/" not in shown
    assert "\\" not in shown
    assert shown.isprintable()


def test_a_file_without_a_name_has_one() -> None:
    assert open_upload(b"text", " /\n").name == "the file"
    assert len(open_upload(b"text", "x" * 5000).name) == 60


def test_the_largest_upload_is_a_setting() -> None:
    with pytest.raises(CorpusError, match="at most 1 MB"):
        open_upload(b"a b\n" * 500_000, "own.txt", largest=2**20)


# ---- splitting


@pytest.mark.parametrize("count", [2, 3, 7, 100])
@pytest.mark.parametrize("share", [0.05, 0.15, 0.5])
def test_every_sentence_is_in_one_part_and_neither_is_empty(count: int, share: float) -> None:
    sentences = [Sentence((str(number),), ("X",)) for number in range(count)]
    train, dev = split(sentences, share, 1, "own")
    assert train
    assert dev
    assert sorted(train + dev, key=sentences.index) == sentences
    assert abs(len(dev) - share * count) <= 1


def test_a_split_follows_from_its_seed() -> None:
    sentences = [Sentence((str(number),), ("X",)) for number in range(50)]
    assert split(sentences, 0.2, 1, "own") == split(sentences, 0.2, 1, "own")
    assert split(sentences, 0.2, 1, "own") != split(sentences, 0.2, 2, "own")


def test_dev_asks_for_no_tag_that_train_has_not_seen() -> None:
    sentences = [Sentence((str(number),), (f"B-T{number}" if number % 5 == 0 else "O",)) for number in range(50)]
    for seed in range(10):
        train, dev = split(sentences, 0.3, seed, "own")
        assert {tag for sentence in dev for tag in sentence.tags} <= {tag for sentence in train for tag in sentence.tags}
        assert len(train) + len(dev) == 50


def test_of_one_paragraph_the_end_is_dev() -> None:
    assert split_text([list("abcdefghij")], 0.2, 1, "own") == ([list("abcdefgh")], [list("ij")])


@pytest.mark.parametrize("task", [name for name in LANGUAGE if "file" in TASKS[name].sources])
def test_lines_are_paragraphs_where_no_blank_line_parts_them(task: str) -> None:
    train, dev = own(task, "one line\nanother line\na third line\n")
    assert len(train) + len(dev) == 3


def test_a_subset_keeps_the_order_and_follows_from_its_seed() -> None:
    items = list(range(100))
    kept = keep_some(items, Subset(10, 3))
    assert kept == sorted(kept) == keep_some(items, Subset(10, 3)) != keep_some(items, Subset(10, 4))
    assert keep_some(items, None) == keep_some(items, Subset(1000)) == items


@pytest.mark.parametrize("task", TAGGING)
def test_a_subset_of_ones_own_file_is_smaller(task: str) -> None:
    data = load_dataset(task, DataConfig(source="file", sentences=2, dev_sentences=1), open_upload(GOOD[task].encode(), "own"))
    assert (len(data.train), len(data.dev)) == (2, 1)


def test_a_subset_asks_for_no_tag_that_its_model_has_not() -> None:
    kinds = ["PER", "LOC", "ORG", "SHIP", "DISH"]
    content = "".join(f"Word{number} B-{kinds[number % 5]}\nsails O\n\n" for number in range(60))
    task = TASKS["ner"]
    assert isinstance(task, TagTask)
    for seed in range(10):
        data = load_dataset("ner", DataConfig(source="file", sentences=2, seed=seed), open_upload(content.encode(), "own"))
        assert len(data.train) == 2
        known = set(task.vocabulary(data.train).tags)
        assert all(known.issuperset(sentence.tags) for sentence in data.dev)


def test_a_subset_that_nothing_can_be_checked_with_is_refused() -> None:
    pairs = combinations(["PER", "LOC", "SHIP", "DISH", "TUNE"], 2)
    content = "".join(f"One B-{one}\nother B-{other}\n\n" for one, other in pairs) * 2
    with pytest.raises(CorpusError, match=r"\Aown: .*learn from more of them"):
        load_dataset("ner", DataConfig(source="file", sentences=1), open_upload(content.encode(), "own"))


def test_no_entities_in_a_text_file_object_are_named_by_its_name() -> None:
    with pytest.raises(CorpusError, match=r"\Alist\.txt"):
        read_own_entities(TextFile("list.txt", "a O\n"))
