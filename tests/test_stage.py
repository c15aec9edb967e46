"""What a visitor types first: famous names, headlines, commands, small letters. A sentence counts if all of it is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqmodels import checkpoints, text
from seqmodels.cards.reading import tags_of
from seqmodels.decoding import Span, spans

STAGE = Path(__file__).parent / "fixtures" / "stage"
MARKED = re.compile(r"\[(?P<label>[A-Z]+) (?P<entity>[^\]]+)\]|(?P<word>\S+)")
TAGGED = re.compile(r"(?P<word>\S+?)(?:/(?P<tag>[A-Z]+))?(?:\s|$)")


def entities() -> Iterator[tuple[list[str], set[Span]]]:
    """The words of each sentence, as those of one that is typed, and the entities in it, marked as in [PER Ada Lovelace]."""
    for line in (STAGE / "entities.txt").read_text(encoding="utf-8").splitlines():
        words: list[str] = []
        found = set()
        for part in MARKED.finditer(line):
            inside = text.words(part["entity"] or part["word"])
            if part["label"]:
                found.add(Span(len(words), len(words) + len(inside) - 1, part["label"]))
            words += inside
        yield words, found


def parts_of_speech(name: str) -> Iterator[tuple[list[str], list[str | None]]]:
    """The words of each sentence and their tags, as in Turn/VERB; None where two would do."""
    for line in (STAGE / name).read_text(encoding="utf-8").splitlines():
        parts = list(TAGGED.finditer(line))
        yield [part["word"] for part in parts], [part["tag"] for part in parts]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_nine_sentences_of_ten_have_their_entities(cell: str) -> None:
    sentences, wanted = zip(*entities(), strict=True)
    guesses, _ = tags_of(checkpoints.load(f"ner-{cell}"), sentences)
    right = [set(spans(tags)) == found for tags, found in zip(guesses, wanted, strict=True)]
    assert sum(right) >= 0.9 * len(right)


@pytest.mark.parametrize(
    ("name", "least"), [("parts_of_speech.txt", 0.94), ("parts_of_speech_unseen.txt", 0.9), ("parts_of_speech_new.txt", 0.9)]
)
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_so_many_sentences_have_their_parts_of_speech(cell: str, name: str, least: float) -> None:
    sentences, wanted = zip(*parts_of_speech(name), strict=True)
    guesses, _ = tags_of(checkpoints.load(f"pos-{cell}"), sentences)
    right = [
        all(tag in (None, said) for tag, said in zip(tags, found, strict=True)) for tags, found in zip(wanted, guesses, strict=True)
    ]
    assert sum(right) >= least * len(right)
