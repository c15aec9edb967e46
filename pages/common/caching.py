"""What is worked out of a model, kept for all visitors until the model's file changes or what is newer needs the room."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from pages.common.shelf import Shelf
from seqmodels.environment import environment, held

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
OfModel = Callable[Concatenate[str, Arguments], Result]

GIVEN = "@"  # between the name of a model and the condition that it starts from, as in names-gru@Russian
_SEEN: ContextVar[dict[Hashable, Any] | None] = ContextVar("seen", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """See the environment and the models once, for all that this thread asks meanwhile: a page asks sixty times for a file."""
    token = _SEEN.set({})
    try:
        with held():
            yield
    finally:
        _SEEN.reset(token)


def seen_once(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Keep what a function finds as long as one look lasts; what it gives is shared, so it must not be changed."""

    @wraps(function)
    def seen(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        known = _SEEN.get()
        if known is None:
            return function(*args, **kwargs)
        key = (function, args, tuple(sorted(kwargs.items())))
        if key not in known:
            known[key] = function(*args, **kwargs)
        found: Result = known[key]
        return found

    return seen


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


@seen_once
@st.cache_resource(show_spinner=False)
def _results() -> Shelf[Any]:
    return Shelf(lambda: environment().results_mb * 2**20)


def file_of(name: str) -> Path:
    """The file of the model of that name, whatever it starts from."""
    return look(name)[0]


def stamp(name: str) -> int:
    """When the model's file was last written, so that a retrained model replaces the old one."""
    return look(name)[1]


@seen_once
def look(name: str) -> tuple[Path, int]:
    """Both: its file, and when that was last written."""
    from seqmodels import checkpoints

    path = checkpoints.find(name.partition(GIVEN)[0])
    return path, written(path)


def written(path: Path) -> int:
    """When a file was last written, in nanoseconds; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
