"""The exercises: a goal that is checked on what the page shows, with hints.

A page calls `lesson.check(kind, result)` with what it shows, in any run. These kinds there are:

    taggings       Tagging: the readings of one text, one a model
    scene          Gates: what is read, and what is selected in it
    units          Units: the words of the visitor's, if it is these that units are to follow, and r of the unit that does so best
    interventions  Gates, Surgery: what is held, and the runs of each model without and with that
    training       Training: the status of the run on screen, and its history
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pages.common.lesson.steps import GATES, KEYS, TAGGING, TRAINING, UNITS

if TYPE_CHECKING:
    from seqmodels.inference import Tagging
    from seqmodels.runs import History, Status
    from seqmodels.traces import Clamp, Intervention

WIPED = 0.2  # mean keep of a model's units at a word, at most
CLEAR = 0.4  # of r
QUICK = 10.0  # seconds of training


@dataclass(frozen=True)
class Exercise:
    """Texts are Markdown. `values` are inputs of the page by their keys, in the words of an address."""

    key: str  # by which progress is kept
    title: str
    goal: str
    hints: tuple[str, ...]
    reward: str  # what has been seen, once it is done
    path: str
    values: Mapping[str, Any]
    kind: str  # of the page's results
    reached: Callable[[Any], bool]  # whether such a result is what the goal asks for


def two_jobs(taggings: list[Tagging], *, cell: str) -> bool:
    """One word, spelled alike, is a noun and a verb to that cell."""
    tags: dict[str, set[str]] = {}
    for tagging in taggings:
        if tagging.cell == cell:
            for token in tagging.tokens:
                tags.setdefault(token.text.lower(), set()).add(token.tag)
    return any({"NOUN", "VERB"} <= found for found in tags.values())


def disagree(taggings: list[Tagging]) -> bool:
    """GRU and LSTM find other entities."""
    found = {
        tagging.cell: {(entity.start, entity.end, entity.label) for entity in tagging.entities}
        for tagging in taggings
        if tagging.of_spans and not tagging.model
    }
    return {"gru", "lstm"} <= found.keys() and found["gru"] != found["lstm"]


def wiped(scene: Any, *, cell: str) -> bool:
    """The language model of that cell lets go of most at the selected word."""
    return scene.task == "lm" and any(
        reading.cell == cell and reading.layer.mu[reading.token].mean() < WIPED for reading in scene.readings
    )


def followed(result: tuple[Sequence[str], float]) -> bool:
    """A unit follows words that the visitor has chosen."""
    wanted, strongest = result
    return bool(wanted) and abs(strongest) >= CLEAR


def cut(result: tuple[Sequence[Clamp], Sequence[tuple[Intervention, Intervention]]]) -> bool:
    """The intervention changes the tag of a word at which nothing was held."""
    clamps, runs = result
    for before, after in runs:
        if before.tagging is not None and after.tagging is not None:
            both = zip(before.tagging.tokens, after.tagging.tokens, strict=True)
            changed = [at for at, (old, new) in enumerate(both) if old.tag != new.tag]
            if any(all(not _holds(clamp, at) for clamp in clamps) for at in changed):
                return True
    return False


def _holds(clamp: Clamp, token: int) -> bool:
    return (clamp.first or 0) <= token and (clamp.last is None or token <= clamp.last)


def exploded(result: tuple[Status, History]) -> bool:
    """The run has ended because a number was no longer finite, soon enough."""
    status, history = result
    diverged = any(mark["kind"] == "failed" and mark.get("diverged") for mark in history.marks)
    return status.name == "failed" and diverged and status.progress.seconds < QUICK


EXERCISES = (
    Exercise(
        "two-jobs",
        "One word, two jobs",
        "Write a sentence in which GRU takes **one word, spelled alike, once for a noun and once for a verb**.",
        (
            "Many short words do both: *play*, *visit*, *watch*, *fish*.",
            "Put *to* or *they* before the one, and *the* before the other.",
        ),
        "The word is one input; the memory beside it told which is meant.",
        TAGGING,
        {"text": "Dogs bark at the old house.", "task": "pos", "cells": ["elman", "gru", "lstm"]},
        "taggings",
        partial(two_jobs, cell="gru"),
    ),
    Exercise(
        "disagree",
        "GRU and LSTM disagree",
        "Find a sentence in which **GRU and LSTM disagree on a name**: where it ends, or what it is of.",
        (
            "Names with several parts are hard, and so are names of one thing that hold the name of another.",
            "A place that gives an organization its name, such as a university, a bank or a club; or a first name few have.",
        ),
        "Two nets with one recipe, and scores a hair apart, still err in different places.",
        TAGGING,
        {"text": "John Smith lives in Berlin.", "task": "ner", "cells": ["gru", "lstm"]},
        "taggings",
        disagree,
    ),
    Exercise(
        "wiped",
        "The word that wipes the slate",
        "Find a word at which the language model's GRU **keeps less than a fifth of its memory**, in the mean over its "
        "units, and select it.",
        (
            "The picture's line is that mean at each word: where does it dip? At *cabinet* it nearly gets there.",
            "Nouns and names dip more than *of*, *and* and *the*. Try a sentence that begins with a first name.",
        ),
        "A word that says much leaves little need of what was before it.",
        GATES,
        {"view": "Heatmaps", "text": KEYS, "task": "lm", "cells": ["gru"], "gates": ["keep"], "style": "lines", "token": "6"},
        "scene",
        partial(wiped, cell="gru"),
    ),
    Exercise(
        "followed",
        "A unit for a word",
        "One unit here follows quotations. Choose *words of yours*, and find some **that a unit follows with r beyond ±0.4**.",
        (
            "A unit learns of what comes often, and has to be told. Names and rare words are too few.",
            "Which word of English is the most frequent of all?",
        ),
        "After such a word the memory is not as after any other, in one unit at least: the next word has to be of a certain kind.",
        UNITS,
        {"that": "words of yours"},
        "units",
        followed,
    ),
    Exercise(
        "cut",
        "Cut the thread",
        "Hold a gate at one word so that **the tag of another word changes**.",
        (
            "*Intervene* has *Amnesia here*: keep is 0 at the selected word. Then move on with the arrow keys.",
            "The end of a long name hangs on its beginning: cut inside *Church of England*.",
        ),
        "That word's tag did hang on what the memory carried past the cut.",
        GATES,
        {
            "view": "Surgery",
            "text": "The Church of England is old.",
            "task": "ner",
            "cells": ["gru", "lstm"],
            "token": "1",
            "clamps": "none",
        },
        "interventions",
        cut,
    ),
    Exercise(
        "exploded",
        "Make it explode, quickly",
        "Start a run that **explodes in under ten seconds** of training.",
        (
            "*It explodes*, a ready-made run, does so, if perhaps too late. Beside its name, under *More*, *Use these settings* "
            "puts its settings into the form below.",
            "What holds its first steps back is the warm-up, in which the learning rate rises slowly. In the form, under *More* "
            "of the optimizer, it can be set to 0.",
        ),
        "The run's last words say which number was the first to be no number.",
        TRAINING,
        {},
        "training",
        exploded,
    ),
)
