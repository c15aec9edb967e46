"""Small trainings of every kind of objective, in one process or as one of several: `torchrun tests/sharing.py FILE`."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from seqmodels.corpora import Name, Sentence
from seqmodels.tasks import TASKS
from seqmodels.tasks.base import ModelConfig
from seqmodels.training import ALONE, Clipping, Machine, TrainConfig, fit, joined

WORDS = [f"w{number}" for number in range(2600)]  # so many that a language model samples its losses
BATCH = 8  # of 41 items: one is left for the last batch, and one process has none of it


@dataclass(frozen=True)
class Case:
    """A training by its task, cell and what else is not as usual."""

    task: str
    cell: str
    training: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    items: int = 41

    @property
    def name(self) -> str:
        return " ".join(map(str, (self.task, self.cell, *self.training, *self.model, self.items)))


CASES = [
    Case("pos", "gru", {"average": 0.9}),
    Case("pos", "gated_forget", {"clip": Clipping("value", 0.01)}),
    Case("pos", "mingru", {"clip": None, "optimizer": "sgd"}),
    Case("ner", "lstm"),
    Case("lm", "gru", {"restarts": 0.4}),
    Case("lm", "gated", {"watch": "loss"}, items=2),  # of one stream: a process has nothing to do
    Case("char", "lstm", {"optimizer": "adamw"}),
    Case("names", "gru"),
    *(Case(task, "gru") for task in ("latch", "recall", "adding", "copy", "order", "brackets", "agreement")),
]


def items_of(case: Case) -> list[Any]:
    chance, task = random.Random(3), case.task
    if task in ("pos", "ner"):
        tags = ("NOUN", "VERB", "DET") if task == "pos" else ("O", "B-PER", "B-LOC")
        found = []
        for number in range(case.items):
            words = tuple(chance.choices(WORDS[:200], k=chance.randint(1, 12)))
            second = tuple(chance.choices(("NN", "VB"), k=len(words))) if number % 11 == 0 else None
            found.append(Sentence(words, tuple(chance.choices(tags, k=len(words))), second))
        return found
    if task == "lm":
        return [chance.choices(WORDS, k=20) for _ in range(case.items)] + ([WORDS] * 4 if case.items > 2 else [])
    if task == "char":
        return [list("the people of the united states ")] * case.items
    if task == "names":
        lengths = [chance.randint(2, 9) for _ in range(case.items)]
        return [Name("".join(chance.choices("abcde", k=length)), chance.choice(("Dutch", "Russian"))) for length in lengths]
    return list(TASKS[task].split("train", 12, case.items))  # type: ignore[attr-defined]


def train(case: Case, machine: Machine = ALONE, dropout: float = 0.0) -> Iterator[dict[str, Any]]:
    """Its reports, and at last a weight's sum."""
    task, items = TASKS[case.task], items_of(case)
    config = replace(TrainConfig(epochs=2, learning_rate=0.01, patience=None, batch_size=BATCH), **case.training)
    torch.manual_seed(3)
    vocabulary = task.vocabulary(items)
    model = task.build(
        ModelConfig(**{"cell": case.cell, "hidden_size": 8, "dropout": dropout, "layers": 2, **case.model}), vocabulary
    )
    objective = task.objective(model, vocabulary, items, items[:20], config)
    yield from map(asdict, fit(model, objective, config, machine=machine))
    yield {"weights": [value.double().sum().item() for value in model.state_dict().values()]}


def main() -> None:
    torch.set_num_threads(1)
    with joined() as machine:
        found = {case.name: list(train(case, machine)) for case in CASES}
        found["dropout"] = list(train(CASES[0], machine, dropout=0.5))
        Path(f"{sys.argv[1]}.{machine.rank}").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
