"""What is worked out of a model, kept for all visitors until the model's file changes or what is newer needs the room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from pages.common.shelf import Shelf
from seqmodels.environment import environment

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
OfModel = Callable[Concatenate[str, Arguments], Result]


def cached_by_model(function: OfModel[Arguments, Result]) -> OfModel[Arguments, Result]:
    """Keep the results of a function of a model's name and of other values that can be hashed.

    What is kept is shared between visitors, so it must not be changed. All such functions share SEQMODELS_RESULTS_MB.
    """

    @wraps(function)
    def of_model(name: str, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        key = (function.__module__, function.__qualname__, name, stamp(name), args, tuple(sorted(kwargs.items())))
        found: Result = _results().get(key, partial(function, name, *args, **kwargs))
        return found

    return of_model


@st.cache_resource(show_spinner=False)
def _results() -> Shelf[Any]:
    return Shelf(lambda: environment().results_mb * 2**20)


GIVEN = "@"  # between the name of a model and the condition that it starts from, as in names-gru@Russian
_SEEN: ContextVar[dict[str, tuple[Path, int]] | None] = ContextVar("seen", default=None)  # by name, what `look` has found


@contextmanager
def one_look() -> Iterator[None]:
    """Look once for the file of each model, for all that this thread asks meanwhile: a page asks sixty times."""
    token = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(token)


def file_of(name: str) -> Path:
    """The file of the model of that name, whatever it starts from."""
    return look(name)[0]


def stamp(name: str) -> int:
    """When the model's file was last written, so that a retrained model replaces the old one."""
    return look(name)[1]


def look(name: str) -> tuple[Path, int]:
    """Both: its file, and when that was last written."""
    from seqmodels import checkpoints

    seen = _SEEN.get()
    if seen is not None and name in seen:
        return seen[name]
    path = checkpoints.find(name.partition(GIVEN)[0])
    found = path, written(path)
    if seen is not None:
        seen[name] = found
    return found


def written(path: Path) -> int:
    """When a file was last written, in nanoseconds; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
