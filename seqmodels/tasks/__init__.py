"""Tasks: corpus, model, loss and metric in one record each."""

from __future__ import annotations

from seqmodels.tasks.base import Live, ModelConfig, Scores, Task, Vocabulary
from seqmodels.tasks.language import CharacterTask, LanguageTask
from seqmodels.tasks.memory import AddingTask, MemoryTask, RecallTask
from seqmodels.tasks.tagging import EntityTask, TagTask

__all__ = [
    "LANGUAGE",
    "MEMORY",
    "SHIPPED",
    "TAGGING",
    "TASKS",
    "CharacterTask",
    "LanguageTask",
    "Live",
    "MemoryTask",
    "ModelConfig",
    "Scores",
    "TagTask",
    "Task",
    "Vocabulary",
    "find_task",
]

TASKS: dict[str, Task] = {
    task.name: task for task in (TagTask(), EntityTask(), LanguageTask(), CharacterTask(), AddingTask(), RecallTask())
}
TAGGING = tuple(name for name, task in TASKS.items() if isinstance(task, TagTask))
LANGUAGE = tuple(name for name, task in TASKS.items() if isinstance(task, LanguageTask))
MEMORY = tuple(name for name, task in TASKS.items() if isinstance(task, MemoryTask))
SHIPPED = ("pos", "ner", "lm")  # there is a checkpoint of each with each cell


def find_task(name: str) -> Task:
    """The task of that name; ValueError names the choices."""
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}: choose one of {', '.join(TASKS)}")
    return TASKS[name]
