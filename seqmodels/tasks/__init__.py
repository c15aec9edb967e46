"""Tasks: corpus, model, loss and metric in one record each."""

from __future__ import annotations

from seqmodels.tasks.base import DataConfig, DemoConfig, ModelConfig, Predicts, Scores, Task, caution
from seqmodels.tasks.generated import AddingTask, AgreementTask, BracketsTask, CopyTask, LatchTask, OrderTask, RecallTask
from seqmodels.tasks.language import CharacterTask, LanguageTask, TalesTask
from seqmodels.tasks.memory import MemoryTask
from seqmodels.tasks.names import NamesTask
from seqmodels.tasks.tagging import EntityTask, TagTask

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        TagTask(),
        EntityTask(),
        LanguageTask(),
        TalesTask(),
        NamesTask(),
        CharacterTask(),
        LatchTask(),
        RecallTask(),
        AddingTask(),
        CopyTask(),
        OrderTask(),
        BracketsTask(),
        AgreementTask(),
    )
}


def find_task(name: str) -> Task:
    """The task of that name; ValueError names the choices."""
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}: choose one of {', '.join(TASKS)}")
    return TASKS[name]


def tasks_that_predict(kind: Predicts) -> tuple[str, ...]:
    """The names of the tasks whose models give tags, a next token, or one answer for a whole sequence."""
    return tuple(name for name, task in TASKS.items() if task.predicts == kind)
