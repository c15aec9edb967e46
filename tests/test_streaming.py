"""A file of any size is tagged as its text is, in pieces; broken off anywhere, it ends as if nothing had happened."""

from __future__ import annotations

import copy
import io
import json
import os
import resource
import threading
from pathlib import Path

import pytest
import torch

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


def break_off(model: Checkpoint, content: str, output: Path, form: str, pieces: int = 1) -> streaming.Progress:
    """Tag so many pieces of a text, from where it was broken off before: how far it was then."""
    begun = streaming.tag_file(model, io.BytesIO(content.encode()), output, form)
    before = next(begun)
    for _ in range(pieces):
        next(begun)
    begun.close()
    return before


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
    break_off(model, content, output, form, pieces)
    assert not output.exists()
    if pieces:
        with (tmp_path / "out.partial").open("ab") as file:
            file.write(b"half a li")  # of what came after the last note
    assert (break_off(model, content, output, form).sentences > 0) == (pieces > 0)
    list(streaming.tag_file(model, io.BytesIO(content.encode()), output, form))
    assert read(output) == whole(model, content, form)


@pytest.mark.parametrize("form", FORMS)
def test_a_piece_that_the_disk_does_not_take_is_written_by_the_next_call(model, form, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 2000)  # characters, of which more is made than a buffer takes
    content, output = TEXT * 40, tmp_path / "out"
    expected = whole(model, content, form)
    begun = streaming.tag_file(model, io.BytesIO(content.encode()), output, form)
    used, allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(expected.encode()) // 2, allowed))
    try:
        with pytest.raises(OSError, match="large"):
            list(begun)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (used, allowed))
    list(streaming.tag_file(model, io.BytesIO(content.encode()), output, form))
    assert read(output) == expected


def test_stopped_while_a_piece_is_written_it_is_written_by_the_next_call(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    content, output = TEXT * 3, tmp_path / "out"
    pieces = streaming.tag_stream

    def stopped(*given, **named):
        for number, (lines, progress) in enumerate(pieces(*given, **named)):
            yield Stopping(lines) if number == 2 else lines, progress

    class Stopping(str):
        def encode(self, *_: str) -> bytes:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(streaming, "tag_stream", stopped)
        with pytest.raises(KeyboardInterrupt):
            list(streaming.tag_file(model, io.BytesIO(content.encode()), output, "csv"))
    list(streaming.tag_file(model, io.BytesIO(content.encode()), output, "csv"))
    assert read(output) == whole(model, content, "csv")


def test_killed_once_all_is_done_the_same_call_does_it_again(model, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda path, **_: os._exit(9) if path.name == "out.progress" else None)
        pid = os.fork()
        if not pid:
            list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), tmp_path / "out", "csv"))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.progress"]
    list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), tmp_path / "out", "csv"))
    assert read(tmp_path / "out") == whole(model, TEXT, "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_others_may_read_a_file_if_the_umask_lets_them(model, tmp_path):
    list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), tmp_path / "out", "csv"))
    (tmp_path / "any").touch()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_what_was_begun_with_another_text_or_format_is_not_gone_on_with(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    monkeypatch.setattr(streaming, "_READ", 50)
    output = tmp_path / "out"
    break_off(model, TEXT, output, "csv")
    kept = read(tmp_path / "out.partial")
    with pytest.raises(ValueError, match=r"begun with ner-gru ner csv, not ner-gru ner jsonl: finish that first"):
        list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), output, "jsonl"))
    with pytest.raises(ValueError, match=r"not the text that was begun with: give that again, or delete .*out\.progress"):
        list(streaming.tag_file(model, io.BytesIO(b"Another text. " * 50), output, "csv"))
    assert read(tmp_path / "out.partial") == kept
    list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), output, "csv"))
    assert read(output) == whole(model, TEXT, "csv")


@pytest.mark.parametrize(
    "notes",
    [
        None,
        "",
        "{",
        "[1]",
        "my own notes",
        '{"written": 5}',
        '{"written": 1e400, "progress": {}}',
        '{"written": -5, "progress": 3}',
    ],
)
def test_files_of_something_else_beside_the_output_are_left_alone(model, notes, tmp_path):
    refused(model, {"out.partial": "something", **({} if notes is None else {"out.progress": notes})}, tmp_path)


def test_notes_of_something_else_are_left_alone_and_alone(model, tmp_path):
    refused(model, {"out.progress": "my own notes"}, tmp_path)


def refused(model: Checkpoint, beside: dict[str, str], folder: Path) -> None:
    """With such files beside the output nothing is written, and nothing changed."""
    for name, content in beside.items():
        (folder / name).write_text(content)
    with pytest.raises(ValueError, match=r"out\.partial.*(delete it|to begin anew)"):
        list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), folder / "out", "csv"))
    assert {path.name: read(path) for path in folder.iterdir()} == beside


def test_a_partial_file_that_lost_its_end_is_not_gone_on_with(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    break_off(model, TEXT, tmp_path / "out", "csv")
    os.truncate(tmp_path / "out.partial", 10)
    with pytest.raises(ValueError, match=r"out\.partial has lost its end: delete it and .*out\.progress to begin anew"):
        next(streaming.tag_file(model, io.BytesIO(TEXT.encode()), tmp_path / "out", "csv"))


def test_another_model_of_the_same_name_does_not_go_on(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    break_off(model, TEXT, tmp_path / "out", "csv")
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.model.head.bias += 1
    with pytest.raises(ValueError, match="begun with ner-gru ner csv, not another model of that name"):
        next(streaming.tag_file(other, io.BytesIO(TEXT.encode()), tmp_path / "out", "csv"))


def test_two_do_not_write_one_file(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 80)
    first = streaming.tag_file(model, io.BytesIO(TEXT.encode()), tmp_path / "out", "csv")
    next(first)
    with pytest.raises(ValueError, match=r"another process is writing .*out: wait for it"):
        next(streaming.tag_file(model, io.BytesIO(b"Another text."), tmp_path / "out", "csv"))
    list(first)
    assert read(tmp_path / "out") == whole(model, TEXT, "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_sentence_longer_than_a_piece_is_cut_where_it_was_when_it_is_gone_on_with(model, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", 100)
    monkeypatch.setattr(streaming, "_READ", 70)
    content = "John Smith went from Berlin to New York and from there to the old town of Paris and on, " * 12
    list(streaming.tag_file(model, io.BytesIO(content.encode()), tmp_path / "unbroken", "csv"))
    for _ in range(9):
        break_off(model, content, tmp_path / "broken", "csv")
    list(streaming.tag_file(model, io.BytesIO(content.encode()), tmp_path / "broken", "csv"))
    assert read(tmp_path / "broken") == read(tmp_path / "unbroken")


def test_a_link_stays_and_what_it_leads_to_is_written(model, tmp_path):
    (tmp_path / "link").symlink_to("target")
    list(streaming.tag_file(model, io.BytesIO(TEXT.encode()), tmp_path / "link", "csv"))
    assert (tmp_path / "link").is_symlink()
    assert read(tmp_path / "target") == whole(model, TEXT, "csv")


def test_a_text_that_is_refused_leaves_nothing_behind(model, tmp_path):
    with pytest.raises(CorpusError):
        list(streaming.tag_file(model, io.BytesIO(b"One.\nTwo\x00"), tmp_path / "out", "csv"))
    assert not list(tmp_path.iterdir())


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
        (["--input", "in.txt", "--output", "nowhere/out.csv"], "nowhere: make it, or give another"),
        (["--input", "in.txt", "--output", "."], "is a folder: give the name of a file in it"),
        (["--input", "in.txt", "--output", "in.txt"], "in.txt is the text itself: give another file"),
        (["--input", "in.txt", "--output", "./link.txt"], "link.txt is the text itself: give another file"),
    ],
)
def test_a_wrong_command_says_what_to_give(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("Dogs bark.")
    (tmp_path / "link.txt").symlink_to("in.txt")
    assert main(["tag", "--task", "pos", "--cell", "gru", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert (tmp_path / "in.txt").read_text() == "Dogs bark."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "link.txt"]


def test_what_is_no_file_is_written_to_and_stays(model, tmp_path):
    (tmp_path / "in.txt").write_text(TEXT, newline="")
    os.mkfifo(tmp_path / "pipe")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(read(tmp_path / "pipe")))
    reader.start()
    named = ["--input", str(tmp_path / "in.txt"), "--output", str(tmp_path / "pipe"), "--format", "csv"]
    assert main(["tag", "--task", "ner", "--cell", "gru", *named]) == 0
    reader.join()
    assert got == [whole(model, TEXT, "csv")]
    assert (tmp_path / "pipe").is_fifo()
