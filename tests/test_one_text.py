"""Texts that look the same are read the same, through every door: the library, the command line, the pages."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint
from seqmodels.cli import main
from seqmodels.inference import Entity, TaggedToken, score_prompt, tag
from seqmodels.text import normal
from seqmodels.traces import tag_and_trace, trace
from tests.paging import TAGGING, opened, said, sound

FILES = Path(__file__).parent / "fixtures" / "files"
PLAIN = {  # what each file looks like to a reader, and its entities
    "bom_stdin.txt": ("John lives in Berlin.\n", {"John": "PER", "Berlin": "LOC"}),
    "nfc.txt": ("Beyoncé and Zoë visited Málaga.\n", {"Beyoncé": "PER", "Zoë": "PER", "Málaga": "LOC"}),
    "nfd.txt": ("Beyoncé and Zoë visited Málaga.\n", {"Beyoncé": "PER", "Zoë": "PER", "Málaga": "LOC"}),
    "zero_width.txt": ("John lives in Berlin.\n", {"John": "PER", "Berlin": "LOC"}),
    "hard_wrapped.txt": (
        "She moved from New York to San Francisco with John Smith last year.\n",
        {"New York": "LOC", "San Francisco": "LOC", "John Smith": "PER"},
    ),
}

of_each = pytest.mark.parametrize("name", PLAIN)


@pytest.fixture(scope="module")
def ner() -> Checkpoint:
    return checkpoints.load("ner-gru")


def source(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


def plain(entity: str) -> str:
    """As a reader sees it."""
    return " ".join(normal(entity).split())


@of_each
def test_a_text_has_the_tags_of_the_plain_text(ner: Checkpoint, name: str) -> None:
    looks, entities = PLAIN[name]
    for model in (ner, checkpoints.load("pos-gru")):
        found, expected = tag(model, source(name)), tag(model, looks)
        assert [token.alternatives for token in found.tokens] == [token.alternatives for token in expected.tokens]
        assert found.sentences == expected.sentences
    for found in (tag(ner, source(name)), tag_and_trace(ner, source(name))[0]):
        assert {plain(entity.text): entity.label for entity in found.entities} == entities
        parts: tuple[Entity | TaggedToken, ...] = (*found.entities, *found.tokens)
        assert all(source(name)[part.start : part.end] == part.text for part in parts)


@of_each
def test_a_text_has_the_gates_and_the_surprisal_of_the_plain_text(ner: Checkpoint, name: str) -> None:
    looks, _ = PLAIN[name]
    for found, expected in zip(trace(ner, source(name)).layers, trace(ner, looks).layers, strict=True):
        for array, values in found.arrays().items():
            assert np.array_equal(values, expected.arrays()[array])
    scored, wanted = (score_prompt(checkpoints.load("lm-gru"), text).tokens for text in (source(name), looks))
    assert [token.surprisal for token in scored] == [token.surprisal for token in wanted]


@of_each
@pytest.mark.parametrize("by_dash", [True, False])
def test_the_command_line_finds_the_entities(
    name: str, by_dash: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_dash:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((FILES / name).read_bytes()), encoding="ascii"))
    assert main(["tag", "-" if by_dash else source(name), "--task", "ner", "--cell", "gru", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["entities"]
    assert {plain(entity["text"]): entity["label"] for entity in found} == PLAIN[name][1]
    assert all(source(name)[entity["start"] : entity["end"]] == entity["text"] for entity in found)


@of_each
def test_the_tagging_page_finds_the_entities(name: str) -> None:
    page = opened(TAGGING, task="Entities", cells="GRU")
    sound(page.text_area[0].set_value(source(name)).run())
    for entity, label in PLAIN[name][1].items():
        assert f"**{entity}** {label}" in plain(said(page))


def test_offsets_are_the_same_through_every_door(
    ner: Checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\ufeffDear Sir,\r\n\r\nJohn Smith lives\r\nin New\r\nYork.\r\r\nHe met Zoe\u0308 there.\rBye\r\n"
    file = tmp_path / "letter.txt"
    file.write_bytes(text.encode())
    expected = [(entity.text, entity.start, entity.end) for entity in tag(ner, text).entities]
    assert {"John Smith", "New\r\nYork"} <= {entity for entity, _, _ in expected}
    for argument in (text, "-"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="ascii"))
        assert main(["tag", argument, "--task", "ner", "--cell", "gru", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["entities"]
        assert [(entity["text"], entity["start"], entity["end"]) for entity in found] == expected
    assert main(["tag", "--input", str(file), "--task", "ner", "--cell", "gru", "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(entity["text"], entity["start"], entity["end"]) for row in rows for entity in row["entities"]] == expected
