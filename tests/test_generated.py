"""Tasks of memory: their answers against a plain reading of each sequence, and the losses that need no memory."""

from __future__ import annotations

import math

import pytest
import torch

from seqmodels.tasks import TASKS, DataConfig, MemoryTask, ModelConfig
from seqmodels.tasks.generated import COPIED, DEEPEST, AgreementTask

MEMORY = [name for name, task in TASKS.items() if isinstance(task, MemoryTask)]


def task_of(name: str) -> MemoryTask:
    task = TASKS[name]
    assert isinstance(task, MemoryTask)
    return task


def sequences(name: str, length: int, count: int = 300) -> list[tuple[list[str], list[str]]]:
    task = task_of(name)
    return [task.spell(example) for example in task.split("dev", length, count)]


def test_the_bit_to_recall_stands_first_and_nowhere_else() -> None:
    for read, (answer,) in sequences("latch", 20):
        assert read[0] == answer
        assert not set(read[1:]) & {"A", "B"}


def test_ten_symbols_are_copied_after_the_silence() -> None:
    for read, answers in sequences("copy", 7):
        assert len(read) == len(answers) == 7 + 2 * COPIED
        assert answers[-COPIED:] == read[:COPIED]
        assert set(answers[:-COPIED]) == {"·"}
        assert read.index("?") == len(read) - COPIED - 1


@pytest.mark.parametrize("length", [10, 100])
def test_the_order_is_that_of_the_two_letters(length: int) -> None:
    for read, (answer,) in sequences("order", length):
        places = [place for place, letter in enumerate(read) if letter in "AB"]
        assert "".join(read[place] for place in places) == answer
        assert length / 10 <= places[0] < length / 5
        assert 4 * length / 10 <= places[1] < length / 2


def test_brackets_are_counted() -> None:
    for read, (answer,) in sequences("brackets", 60):
        depths = [read[:end].count("(") - read[:end].count(")") for end in range(len(read) + 1)]
        assert min(depths) >= 0
        assert max(depths) <= DEEPEST
        assert depths[-1] == int(answer)


@pytest.mark.parametrize("length", [1, 5, 12])
def test_the_verb_agrees_with_the_subject_and_not_with_the_noun_before_it(length: int) -> None:
    found = sequences("agreement", length)
    for read, (answer,) in found:
        assert read[0] == "the"
        assert (answer == "are") == (read[1] in AgreementTask.many)
        assert len(read) == length + 2
        assert read[-1] in (*AgreementTask.ones, *AgreementTask.many)
    nearest = [(read[-1] in AgreementTask.many) == (answer == "are") for read, (answer,) in found]
    if length > 1:
        assert 0.4 < sum(nearest) / len(nearest) < 0.6


@pytest.mark.parametrize(
    ("name", "length", "loss"),
    [("latch", 10, math.log(2)), ("adding", 30, 1 / 6), ("order", 20, math.log(4)), ("copy", 15, 10 * math.log(8) / (15 + 20))],
)
def test_the_loss_without_a_memory_is_that_of_the_literature(name: str, length: int, loss: float) -> None:
    task = task_of(name)
    found, _ = task.memoryless(task.split("train", length, 4000), task.split("dev", length, 2000))
    assert found == pytest.approx(loss, rel=0.06)


@pytest.mark.parametrize("name", MEMORY)
def test_the_splits_share_no_draws_and_the_same_seed_gives_the_same(name: str) -> None:
    task = task_of(name)
    train, dev = task.generated(DataConfig(length=12, sentences=20, dev_sentences=20))
    assert not all(torch.equal(one.inputs, other.inputs) for one, other in zip(train, dev, strict=True))
    again, _ = task.generated(DataConfig(length=12, sentences=20, dev_sentences=20))
    assert all(torch.equal(one.inputs, other.inputs) for one, other in zip(train, again, strict=True))
    assert len(task.test(DataConfig(length=12))[0].inputs) == len(train[0].inputs)


@pytest.mark.parametrize("name", MEMORY)
def test_a_model_answers_where_there_is_something_to_answer(name: str) -> None:
    task = task_of(name)
    items = task.split("dev", 10, 4)
    model = task.build(ModelConfig("gru", 4), task.vocabulary(items))
    answers = model(torch.stack([item.inputs for item in items]))
    targets = torch.stack([item.target for item in items])
    assert answers.shape[: targets.dim()] == targets.shape
    assert task.loss(answers, targets).isfinite()
