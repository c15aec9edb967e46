"""Tasks: corpus, model, loss and metric in one record each."""

from __future__ import annotations

from seqmodels.tasks.base import Scores, Task, Vocabulary
from seqmodels.tasks.language import LanguageTask
from seqmodels.tasks.tagging import EntityTask, TagTask

__all__ = ["TAGGING", "TASKS", "LanguageTask", "Scores", "TagTask", "Task", "Vocabulary", "find_task"]

TASKS: dict[str, Task] = {task.name: task for task in (TagTask(), EntityTask(), LanguageTask())}
TAGGING = tuple(name for name, task in TASKS.items() if isinstance(task, TagTask))


def find_task(name: str) -> Task:
    """The task of that name; ValueError names the choices."""
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}: choose one of {', '.join(TASKS)}")
    return TASKS[name]
