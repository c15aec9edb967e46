"""The lesson's places in their order, steps and then exercises, and the one where the visitor is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st

from pages.common import address, inputs
from pages.common.lesson import progress
from pages.common.lesson.exercises import EXERCISES, Exercise
from pages.common.lesson.steps import STEPS, Step

Place = Step | Exercise
Opener = Callable[[str, Mapping[str, Any], str, str | None], None]  # draws a link: the page's path, values, label and icon

KEY = "lesson"  # of the address
PLACES: dict[str, Place] = {  # by what an address calls them
    **{str(number): step for number, step in enumerate(STEPS, start=1)},
    **{f"exercise-{number}": exercise for number, exercise in enumerate(EXERCISES, start=1)},
}


def current() -> str:
    """What the address calls the place where the visitor is; empty outside the lesson."""
    return inputs.stated("Lesson", ["", *PLACES], key=KEY)


def complete(path: str, *, beside: Collection[str]) -> None:
    """An address that names a place on this page and nothing but `beside`, as one types it, opens it as the place sets it."""
    here = PLACES.get(st.query_params.get(KEY, ""))
    if here and here.path == path:
        address.complete(here.values, beside=beside)


def values(name: str) -> dict[str, Any]:
    """The inputs of a place's page, with the place itself."""
    return {**PLACES[name].values, KEY: name}


def check(kind: str, result: Any) -> None:
    """Whether what a page shows solves the exercise that the visitor is at. `kind` says what it is: see Exercise."""
    here = PLACES.get(address.kept(KEY) or "")
    if isinstance(here, Exercise) and here.kind == kind and here.reached(result):
        progress.solve(here.key)
