"""The lesson: a walk through the pages in steps, each with a prediction to make before its picture is shown, then exercises.

Where someone is in it stands in the address of every page; what was predicted and solved stays in the session and in the browser.
"""

from pages.common.lesson.bar import bar, label, show_solved
from pages.common.lesson.exercises import EXERCISES, Exercise
from pages.common.lesson.places import KEY, PLACES, Opener, check, complete, current, values
from pages.common.lesson.progress import restart, solved, went
from pages.common.lesson.steps import STEPS, Step

__all__ = [
    "EXERCISES",
    "KEY",
    "PLACES",
    "STEPS",
    "Exercise",
    "Opener",
    "Step",
    "bar",
    "check",
    "complete",
    "current",
    "label",
    "restart",
    "show_solved",
    "solved",
    "values",
    "went",
]
