"""How much runs may take: set by the environment, for a whole server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeVar

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Limits:
    """`at_once` processes, `minutes` of training a run, `kept` runs, `upload_megabytes` a file."""

    at_once: int
    minutes: float
    kept: int
    upload_megabytes: float

    @classmethod
    def of_environment(cls) -> Limits:
        """SEQMODELS_RUNS_AT_ONCE (one for each two cores), SEQMODELS_RUN_MINUTES, SEQMODELS_RUNS_KEPT, SEQMODELS_UPLOAD_MB."""
        return cls(
            at_once=_setting("SEQMODELS_RUNS_AT_ONCE", max(1, _cores() // 2)),
            minutes=_setting("SEQMODELS_RUN_MINUTES", 60.0),
            kept=_setting("SEQMODELS_RUNS_KEPT", 50),
            upload_megabytes=_setting("SEQMODELS_UPLOAD_MB", 5.0),
        )


def single_user() -> bool:
    """Whether everyone who sees the app owns every run."""
    return os.environ.get("SEQMODELS_SINGLE_USER", "") not in ("", "0")


def _setting(name: str, default: _Number) -> _Number:
    given = os.environ.get(name)
    if not given:
        return default
    try:
        value = type(default)(given)
    except ValueError:
        value = type(default)(0)
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} is {given!r}: give a number above 0, or unset it for {default}")
    return value


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
