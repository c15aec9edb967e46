"""Taggings as files: every token is there, and other readers get back what was written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from seqmodels import export, inference
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import read_conllu
from seqmodels.inference import Tagging

TEXT = 'John "J" Smith, of Berlin; don\'t go.\nA second line, with =1+1 and\ttabs. 😀 שלום <b>'


@pytest.fixture
def both(tiny: dict[str, Checkpoint]) -> list[Tagging]:
    return [inference.tag(tiny["pos-gru"], TEXT), inference.tag(tiny["pos-lstm"], TEXT)]


def test_csv_holds_every_token_and_every_models_tag(both: list[Tagging]) -> None:
    rows = list(csv.DictReader(io.StringIO(export.to_csv(both), newline="")))
    assert [row["text"] for row in rows] == [token.text for token in both[0].tokens]
    assert all(TEXT[int(row["start"]) : int(row["end"])] == row["text"] for row in rows)
    for tagging in both:
        assert [row[f"{tagging.cell}_tag"] for row in rows] == [token.tag for token in tagging.tokens]


def test_rows_number_the_sentences(both: list[Tagging]) -> None:
    numbers = [row["sentence"] for row in export.token_rows(both)]
    assert numbers == sorted(numbers)
    assert numbers.count(1) == both[0].sentences[0][1]
    assert numbers[-1] == len(both[0].sentences)


def test_json_holds_tokens_and_entities_by_cell(tiny: dict[str, Checkpoint]) -> None:
    tagging = inference.tag(tiny["ner-gru"], TEXT)
    written = json.loads(export.to_json([tagging]))
    assert (written["text"], written["task"]) == (TEXT, "ner")
    assert written["cells"]["gru"] == export.to_dict(tagging)
    assert set(written["cells"]["gru"]["tokens"][0]) == {"text", "start", "end", "tag", "probability", "alternatives"}
    assert [entity["text"] for entity in written["cells"]["gru"]["entities"]] == [entity.text for entity in tagging.entities]


def test_our_reader_gets_back_the_words_and_tags_of_a_conllu_file(both: list[Tagging], tmp_path: Path) -> None:
    path = tmp_path / "tagged.conllu"
    path.write_text(export.to_conllu(both[0]), encoding="utf-8")
    read = read_conllu(path)
    assert [word for sentence in read for word in sentence.words] == [token.text for token in both[0].tokens]
    assert [tag for sentence in read for tag in sentence.tags] == [token.tag for token in both[0].tokens]


def test_conllu_has_ten_columns_and_says_where_no_space_follows(both: list[Tagging]) -> None:
    rows = [line.split("\t") for line in export.to_conllu(both[0]).splitlines() if line and not line.startswith("#")]
    assert {len(row) for row in rows} == {10}
    glued = [row[1] for row in rows if "SpaceAfter=No" in row[9]]
    assert glued[:2] == ['"', "J"]


def test_conllu_of_entities_puts_them_into_misc(tiny: dict[str, Checkpoint]) -> None:
    tagging = inference.tag(tiny["ner-lstm"], TEXT)
    rows = [line.split("\t") for line in export.to_conllu(tagging).splitlines() if line and not line.startswith("#")]
    assert [row[9].split("|")[0] for row in rows] == [f"NER={token.tag}" for token in tagging.tokens]
    assert {row[3] for row in rows} == {"_"}


def test_a_control_character_cannot_break_a_conllu_line(tiny: dict[str, Checkpoint]) -> None:
    written = export.to_conllu(inference.tag(tiny["pos-gru"], "one\x85two a\x1cb \x00 c\u2028d"))
    for line in written.splitlines():
        assert not line or line.startswith("#") or line.count("\t") == 9


def test_taggings_of_different_texts_are_refused(tiny: dict[str, Checkpoint]) -> None:
    texts = [inference.tag(tiny["pos-gru"], text) for text in ("one", "two")]
    for write in (export.to_csv, export.to_json):
        with pytest.raises(ValueError, match="different texts"):
            write(texts)
        with pytest.raises(ValueError, match="at least one"):
            write([])
