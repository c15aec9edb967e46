"""Small checkpoints with cards of their own, measured on a few sentences."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from seqmodels.cards.measuring import make_cards
from seqmodels.corpora import Sentence
from seqmodels.tasks import TASKS
from tests.conftest import TINY_SENTENCES

CELLS = ("gru", "lstm")
_TAGS = {
    "pos": ["DET ADJ NOUN DET NOUN PUNCT", "PROPN PROPN VERB ADP PROPN CCONJ VERB ADP PROPN PUNCT"],
    "ner": ["O O O O O O", "B-PER I-PER O O B-LOC O O O B-ORG O"],
}
SENTENCES: dict[str, list[Any]] = {
    task: [Sentence(tuple(words), tuple(tags.split())) for words, tags in zip(TINY_SENTENCES, rows, strict=False)]
    for task, rows in _TAGS.items()
} | {"lm": TINY_SENTENCES}


def make(checkpoints: Path, folder: Path) -> Path:
    """A folder with copies of some of the small checkpoints, and their cards."""
    with pytest.MonkeyPatch.context() as patch:
        for name, items in SENTENCES.items():
            for cell in CELLS:
                shutil.copy2(checkpoints / f"{name}-{cell}.safetensors", folder)
            patch.setattr(type(TASKS[name]), "load", lambda self, split, keep=None, items=items: items)
        list(make_cards(folder))
    return folder
