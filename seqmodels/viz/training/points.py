"""A run's rows as the points of a line. What is sent stays small; a figure that is no number is a gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Points = list[list[float | None]]
MOST = 400  # points of a line


def thin(rows: Rows, figure: Callable[[Rows], float | None], most: int = MOST) -> Points:
    """At most so many points: each stands for a group of rows, at the place of its last.

    The size of the groups is a power of two, so that while a line grows its older points stay where they are.
    """
    size = 1
    while len(rows) > most * size:
        size *= 2
    groups = (rows[start : start + size] for start in range(0, len(rows), size))
    return [[rounded(group[-1]["x"]), rounded(figure(group))] for group in groups]


def mean(name: str) -> Callable[[Rows], float | None]:
    """The mean of a figure over a group; none if it has no number there."""

    def of(rows: Rows) -> float | None:
        values = numbers(rows, name)
        return sum(values) / len(values) if values else None

    return of


def highest(name: str) -> Callable[[Rows], float | None]:
    """The greatest value of a figure over a group; none if it has no number there."""
    return lambda rows: max(numbers(rows, name), default=None)


def numbers(rows: Rows, name: str) -> list[float]:
    return [row[name] for row in rows if row.get(name) is not None]


def rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def in_percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def positive(points: Points) -> Points:
    """A logarithmic scale knows no zero: a gap instead."""
    return [[x, value if value is not None and value > 0 else None] for x, value in points]
