"""A file of any size is tagged as its text is, in pieces; broken off anywhere, it ends as if nothing had happened."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from seqmodels import export, load, streaming, tag
from seqmodels.checkpoints import Checkpoint
from seqmodels.cli import main
from seqmodels.corpora import CorpusError

TEXT = (
    "John Smith flew to Berlin on Monday. Dr. Anna Lee, of Siemens,\r\nwent with him to\nNew York!\n\n"
    "A heading without a mark\n\n\n  \nThe café in Zoë's street — 'closed' — was sold. “Why?” he asked.\r\n\r\nHe left it.\n"
)
FORMS = sorted(streaming.FORMATS)


@pytest.fixture(scope="module")
def model() -> Checkpoint:
    return load("ner-gru")


def whole(model: Checkpoint, content: str, form: str) -> str:
    """What a text's own tagging is written as."""
    tagging = tag(model, content)
    return {
        "conllu": lambda: export.to_conllu(tagging),
        "csv": lambda: export.to_csv([tagging]),
        "jsonl": lambda: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in export.sentence_rows(tagging)),
    }[form]()


def read(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [60, 150, 1 << 16])
def test_a_file_is_tagged_as_its_text_whatever_the_pieces(model, form, piece, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", piece)
    monkeypatch.setattr(streaming, "_READ", 7)  # bytes: characters are cut too
    content = TEXT * 3
    *_, last = streaming.tag_file(model, io.BytesIO(content.encode()), tmp_path / "out", form)
    assert (last.bytes, last.characters) == (len(content.encode()), len(content))
    assert read(tmp_path / "out") == whole(model, content, form)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_positions_are_those_in_the_whole_text(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    monkeypatch.setattr(streaming, "_READ", 50)
    content = TEXT * 4
    list(streaming.tag_file(model, io.BytesIO(content.encode()), tmp_path / "out.jsonl", "jsonl"))
    rows = [json.loads(line) for line in read(tmp_path / "out.jsonl").splitlines()]
    assert [row["sentence"] for row in rows] == list(range(len(rows)))
    for row in rows:
        assert content[row["start"] : row["end"]] == row["text"]
        for part in row["tokens"] + row["entities"]:
            assert content[part["start"] : part["end"]] == part["text"]
    assert {(found["text"], found["label"]) for row in rows for found in row["entities"]} >= {
        ("John Smith", "PER"),
        ("Berlin", "LOC"),
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_broken_off_anywhere_it_goes_on_to_the_same_end(model, form, pieces, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    monkeypatch.setattr(streaming, "_READ", 50)
    content, output = TEXT * 3, tmp_path / "out"
    begun = streaming.tag_file(model, io.BytesIO(content.encode()), output, form)
    for _ in range(pieces):
        next(begun)
    begun.close()
    assert not output.exists()
    if pieces:
        with (tmp_path / "out.partial").open("ab") as file:
            file.write(b"half a li")  # of what came after the last note
    first = next(streaming.tag_file(model, io.BytesIO(content.encode()), output, form))
    list(streaming.tag_file(model, io.BytesIO(content.encode()), output, form))
    assert first.bytes > 0
    assert read(output) == whole(model, content, form)


def test_what_was_begun_with_another_text_or_format_is_not_gone_on_with(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    monkeypatch.setattr(streaming, "_READ", 50)
    output = tmp_path / "out"
    begun = streaming.tag_file(model, io.BytesIO(TEXT.encode()), output, "csv")
    next(begun)
    begun.close()
    kept = read(tmp_path / "out.partial")
    with pytest.raises(ValueError, match=r"begun with ner-gru ner csv, not ner-gru ner jsonl: finish that first"):
        list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), output, "jsonl"))
    with pytest.raises(ValueError, match=r"not the text that was begun with: give that again, or delete .*out\.progress"):
        list(streaming.tag_file(model, io.BytesIO(b"Another text. " * 50), output, "csv"))
    assert read(tmp_path / "out.partial") == kept
    list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), output, "csv"))
    assert read(output) == whole(model, TEXT, "csv")


@pytest.mark.parametrize("notes", ["", "{", "[1]", '{"written": 5}', '{"written": 1000000, "progress": {}}'])
def test_damaged_notes_begin_anew(model, notes, tmp_path):
    (tmp_path / "out.progress").write_text(notes)
    (tmp_path / "out.partial").write_text("something")
    list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), tmp_path / "out", "csv"))
    assert read(tmp_path / "out") == whole(model, TEXT, "csv")


def test_a_text_without_an_end_of_a_sentence_is_cut_between_words(model, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 100)
    content = "word " * 200 + "x" * 500
    rows = "".join(lines for lines, _ in streaming.tag_stream(model, io.BytesIO(content.encode()), "csv"))
    words = [line.split(",")[2] for line in rows.splitlines()[1:]]
    assert words.count("word") == 200
    assert "".join(word for word in words if word != "word") == "x" * 500


def test_what_is_no_text_in_utf8_says_so(model, tmp_path):
    for content, message in [
        ("One.\nTwo: é".encode("latin-1"), "own.txt, line 2: not UTF-8 text"),
        ("Dogs bark.".encode("utf-16"), "own.txt is saved as UTF-16"),
        (b"PK\x03\x04...", "own.txt is a zip archive"),
        (b"One.\nTwo\x00", "own.txt, line 2: holds the byte 0x00"),
    ]:
        with pytest.raises(CorpusError, match=message):
            list(streaming.tag_file(model, io.BytesIO(content), tmp_path / "out", "csv", name="own.txt"))


def test_the_command_writes_a_file_or_to_standard_output(model, tmp_path, capsysbinary):
    source, output = tmp_path / "in.txt", tmp_path / "out.csv"
    source.write_bytes(TEXT.encode())
    command = ["tag", "--task", "ner", "--cell", "gru", "--input", str(source)]
    assert main([*command, "--output", str(output)]) == 0
    assert f"wrote {output}".encode() in capsysbinary.readouterr().out
    assert read(output) == whole(model, TEXT, "csv")
    assert main([*command, "--format", "jsonl"]) == 0
    assert capsysbinary.readouterr().out.decode() == whole(model, TEXT, "jsonl")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either a text, or a file as --input"),
        (["A text.", "--input", "in.txt"], "give either a text, or a file as --input"),
        (["A text.", "--format", "csv"], "--output and --format go with --input"),
        (["--input", "in.txt", "--format", "xml"], "unknown format 'xml': choose one of conllu, jsonl, csv"),
        (["--input", "in.txt", "--json"], "give --format jsonl"),
        (["--input", "no.txt"], "no.txt: cannot be read (No such file or directory): give the path"),
        (["--input", "in.txt", "--output", "nowhere/out.csv"], "nowhere"),
    ],
)
def test_a_wrong_command_says_what_to_give(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("Dogs bark.")
    assert main(["tag", "--task", "pos", "--cell", "gru", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
