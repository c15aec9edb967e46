"""What is worked out of a model, kept for all visitors until the model's file changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import streamlit as st

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
OfModel = Callable[Concatenate[str, Arguments], Result]


def cached_by_model(
    *, max_entries: int, ttl: str | None = None
) -> Callable[[OfModel[Arguments, Result]], OfModel[Arguments, Result]]:
    """Keep the results of a function of a model's name and of other values that can be hashed.

    What is kept is shared between visitors, so it must not be changed.
    """

    def decorate(function: OfModel[Arguments, Result]) -> OfModel[Arguments, Result]:
        def kept(name: str, stamp: int, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            return function(name, *args, **kwargs)

        kept.__module__, kept.__qualname__ = function.__module__, function.__qualname__  # by which Streamlit tells caches apart
        cached = st.cache_resource(show_spinner=False, max_entries=max_entries, ttl=ttl)(kept)

        @wraps(function)
        def of_model(name: str, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            return cached(name, stamp(name), *args, **kwargs)

        return of_model

    return decorate


GIVEN = "@"  # between the name of a model and the condition that it starts from, as in names-gru@Russian


def file_of(name: str) -> Path:
    """The file of the model of that name, whatever it starts from."""
    from seqmodels import checkpoints

    return checkpoints.find(name.partition(GIVEN)[0])


def stamp(name: str) -> int:
    """When the file was last written, in nanoseconds, so that a retrained model replaces the old one; 0 if there is none."""
    try:
        return file_of(name).stat().st_mtime_ns
    except OSError:
        return 0
