"""Other systems on the same test splits: the figures that README's table of scores gives, and how they were got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rival:
    """A system, its figures by task, each in the metric of that task, and how they were got."""

    system: str
    figures: Mapping[str, float]
    how: str


_SCORED = "Scored here on gold tokens of the test split, as ours are"
RIVALS = (
    Rival(
        "spaCy 3.8 tagger / ner, CPU defaults, trained on the treebank's train split",
        {"pos": 94.47, "ner": 61.8},
        f"Trained by spaCy's own command with its default settings for a CPU; ours learn from more corpora too. {_SCORED}.",
    ),
    Rival(
        "spaCy `en_core_web_sm` 3.8, its own training data, labels mapped",
        {"pos": 92.84, "ner": 56.6},
        f"As it is published; it was trained on OntoNotes, whose conventions differ, and its labels are mapped to ours. {_SCORED}.",
    ),
    Rival(
        "a plain 2-layer bidirectional GRU with a character CNN, untuned",
        {"pos": 94.72, "ner": 66.7},
        f"A network of the usual kind, trained on the train files of the task with the first settings tried. {_SCORED}.",
    ),
)
