"""Taggings and traces as files: every token and number is there, and other readers get back what was written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqmodels import export, inference
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import read_conllu
from seqmodels.inference import Tagging
from seqmodels.traces import LayerTrace, Trace, trace

TEXT = 'John "J" Smith, of Berlin; don\'t go.\nA second line, with =1+1 and\ttabs. 😀 שלום <b>'


@pytest.fixture
def both(tiny: dict[str, Checkpoint]) -> list[Tagging]:
    return [inference.tag(tiny["pos-gru"], TEXT), inference.tag(tiny["pos-lstm"], TEXT)]


def test_csv_holds_every_token_and_every_models_tag(both: list[Tagging]) -> None:
    rows = list(csv.DictReader(io.StringIO(export.to_csv(both), newline="")))
    assert [int(row["position"]) for row in rows] == list(range(len(both[0].tokens)))
    assert [row["token"] for row in rows] == [token.text for token in both[0].tokens]
    assert all(TEXT[int(row["start"]) : int(row["end"])] == row["token"] for row in rows)
    for tagging in both:
        assert [row[f"{tagging.cell}_tag"] for row in rows] == [token.tag for token in tagging.tokens]


def test_rows_number_the_sentences(both: list[Tagging]) -> None:
    numbers = [row["sentence"] for row in export.token_rows(both)]
    assert numbers == sorted(numbers)
    assert numbers.count(0) == both[0].sentences[0][1]
    assert numbers[-1] == len(both[0].sentences) - 1


def test_rows_of_sentences_and_of_tokens_count_alike(both: list[Tagging]) -> None:
    before = {"tokens": 7, "sentences": 2, "characters": 50}
    inside = [
        (token["position"], row["sentence"], token["text"], token["start"], token["end"], token["tag"])
        for row in export.sentence_rows(both[0], **before)
        for token in row["tokens"]
    ]
    columns = ("position", "sentence", "token", "start", "end", "gru_tag")
    assert inside == [tuple(row[column] for column in columns) for row in export.token_rows(both, **before)]
    assert inside[0][:2] == (7, 2)


def test_json_holds_tokens_and_entities_by_model(tiny: dict[str, Checkpoint]) -> None:
    tagging = inference.tag(tiny["ner-gru"], TEXT)
    written = json.loads(export.to_json([tagging]))
    assert (written["text"], written["task"]) == (TEXT, "ner")
    assert written["models"]["gru"] == export.to_dict(tagging)
    assert set(written["models"]["gru"]["tokens"][0]) == {"text", "start", "end", "tag", "probability", "alternatives"}
    assert [entity["text"] for entity in written["models"]["gru"]["entities"]] == [entity.text for entity in tagging.entities]


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


def test_rows_are_written_under_the_names_of_their_columns() -> None:
    written = export.rows_to_csv([{"token": 'a "b", c', "mu": 0.5}, {"token": "שלום", "mu": 1.0}])
    assert written == 'token,mu\r\n"a ""b"", c",0.5\r\nשלום,1.0\r\n'
    with pytest.raises(ValueError, match="at least one row"):
        export.rows_to_csv([])


# the name in a file -> in a trace
FIELDS = {name: name for name in ("mu", "lam", "candidate", "memory", "output")} | {"reveal": "output_gate"}


def from_json(written: str) -> Trace:
    """A trace as docs/trace_format.md describes the JSON."""
    found = json.loads(written)
    assert list(found) == ["format", "task", "cell", "tokens", "layers"]
    assert found["format"] == 1
    layers = []
    for layer in found["layers"]:
        arrays: dict[str, Any] = {field: np.array(layer.pop(name), np.float32) for name, field in FIELDS.items() if name in layer}
        layers.append(LayerTrace(**layer, **arrays))  # nothing else may be in it
    return Trace(found["task"], found["cell"], tuple(found["tokens"]), tuple(layers))


def from_npz(written: bytes) -> Trace:
    """A trace as docs/trace_format.md describes the archive."""
    with np.load(io.BytesIO(written), allow_pickle=False) as found:
        arrays: dict[tuple[int, str], dict[str, np.ndarray]] = {}
        for entry in found.files:
            number, _, rest = entry.partition("/")
            direction, _, name = rest.partition("/")
            if name:
                arrays.setdefault((int(number), direction), {})[FIELDS[name]] = found[entry]
        assert int(found["format"]) == 1
        layers = tuple(LayerTrace(layer, direction, **parts) for (layer, direction), parts in arrays.items())
        return Trace(str(found["task"]), str(found["cell"]), tuple(json.loads(str(found["tokens"]))), layers)


def differences(one: Trace, other: Trace) -> float:
    """The largest difference of any number; everything else must be the same."""
    assert (one.task, one.cell, one.tokens) == (other.task, other.cell, other.tokens)
    largest = 0.0
    for layer, same in zip(one.layers, other.layers, strict=True):
        assert (layer.layer, layer.direction) == (same.layer, same.direction)
        for name in FIELDS.values():
            values, found = getattr(layer, name), getattr(same, name)
            assert (values is None) == (found is None)
            if values is not None:
                assert (found.dtype, found.shape) == (np.float32, values.shape)
                largest = max(largest, float(np.abs(values - found).max()))
    return largest


def test_a_trace_comes_back_from_its_archive_to_the_last_bit(tiny: dict[str, Checkpoint]) -> None:
    for checkpoint in tiny.values():
        traced = trace(checkpoint, TEXT)
        assert differences(traced, from_npz(export.trace_npz(traced))) == 0


def test_a_trace_comes_back_from_its_json_to_eight_decimals(tiny: dict[str, Checkpoint]) -> None:
    for checkpoint in tiny.values():
        traced = trace(checkpoint, TEXT)
        assert differences(traced, from_json(export.trace_json(traced))) <= 1e-8


def of_words(*words: str) -> Trace:
    """A trace in three layers of values that tell their place."""
    shape = (len(words), 2)
    values = [np.arange(2 * len(words), dtype=np.float32).reshape(shape) + 100 * number for number in range(6)]
    sides = [(layer, direction) for layer in range(3) for direction in ("forward", "backward")]
    return Trace("ner", "lstm", words, tuple(LayerTrace(layer, direction, *values) for layer, direction in sides))


@pytest.mark.parametrize("words", [("nul\x00", "\x00"), ("ends ", "\n", "\u2028"), ("😀", "שלום", '"', "\\", "<b>"), ("one",)])
def test_any_words_and_every_layer_come_back_from_either_file(words: tuple[str, ...]) -> None:
    traced = of_words(*words)
    assert differences(traced, from_npz(export.trace_npz(traced))) == 0
    assert differences(traced, from_json(export.trace_json(traced))) == 0


def test_the_example_in_the_documents_is_a_trace_that_obeys_the_law() -> None:
    described = (Path(__file__).parent.parent / "docs" / "trace_format.md").read_text(encoding="utf-8")
    example = json.loads(described.split("```json")[1].split("```")[0])
    traced = from_json(json.dumps({"format": 1, "task": "lm", "cell": "gru", **example}))
    for layer in traced.layers:
        before = np.concatenate([np.zeros_like(layer.memory[:1]), layer.memory[:-1]])
        np.testing.assert_allclose(layer.mu * before + layer.lam * layer.candidate, layer.memory, atol=1e-6)
    assert all(f"| `{name}` |" in described for name in FIELDS)


def test_one_very_long_word_does_not_make_the_others_take_its_room() -> None:
    with np.load(io.BytesIO(export.trace_npz(of_words("x" * 10_000, *["y"] * 200))), allow_pickle=False) as found:
        assert found["tokens"].nbytes < 100_000


def test_the_ledger_of_a_layer_is_json_of_the_products_written_out(tiny: dict[str, Checkpoint]) -> None:
    layer = trace(tiny["pos-lstm"], "The old man the boats.").layer(0, "backward")
    written = json.loads(json.dumps(export.ledger_dict(layer, 2)))
    assert list(written) == ["norms", "at", "shares"]
    assert list(export.ledger_dict(layer)) == ["norms"]
    tokens = len(layer.mu)
    for token in range(tokens):
        share, shares = np.ones_like(layer.mu[0]), np.zeros_like(layer.mu)
        for word in range(token, tokens):  # it has read the words from the right, so back from the last that it read
            shares[word] = share * layer.lam[word] * layer.candidate[word]
            share = share * layer.mu[word]
        np.testing.assert_allclose(written["norms"][token], np.linalg.norm(shares, axis=1), atol=1e-6)
        if token == written["at"]:
            np.testing.assert_allclose(written["shares"], shares, atol=1e-6)
            np.testing.assert_allclose(np.sum(written["shares"], axis=0), layer.memory[2], atol=1e-4)


def test_a_ledger_too_large_to_write_is_refused_with_what_may_be_given() -> None:
    gates = np.zeros((export.LONGEST_LEDGER + 1, 1), np.float32)
    with pytest.raises(ValueError, match="2,001 tokens, and a ledger in full takes at most 2,000: give a part"):
        export.ledger_dict(LayerTrace(0, "forward", gates, gates, gates, gates, gates))
