"""What is known of a setting besides its type and default: a form is drawn from it, and its value is checked by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

REQUIRED = MISSING
_KEY = "setting"  # of a dataclass field's metadata


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included unless said otherwise; never an infinite one."""

    least: float = -math.inf
    most: float = math.inf
    open_below: bool = False
    open_above: bool = False

    def __contains__(self, value: float) -> bool:
        above = self.least < value if self.open_below else self.least <= value
        below = value < self.most if self.open_above or math.isinf(self.most) else value <= self.most
        return above and below

    def __str__(self) -> str:
        ends = [
            (self.least, "above" if self.open_below else "at least"),
            (self.most, "below" if self.open_above else "at most"),
        ]
        words = [f"{word} {end:g}" if end < 1e6 else f"{word} {end}" for end, word in ends if math.isfinite(end)]
        return " and ".join(words)


SHARE = Range(0, 1, open_above=True)


def scale(lowest: int, highest: int) -> tuple[float, ...]:
    """A logarithmic scale from one power of ten to another."""
    steps = [float(f"{digit}e{power}") for power in range(lowest, highest) for digit in (1, 2, 3, 5)]
    return (*steps, float(f"1e{highest}"))


@dataclass(frozen=True)
class Setting:
    """A setting to people. What is not given here is as its type says.

    An input offers the numbers of `steps` (from, to, by), those of `slider`, or the `choices` with their names; `none` is what an
    empty one means. `label` and `help` may name {items}: what a number of the task's data counts.
    """

    label: str
    help: str | Mapping[str, str]  # or by what the task predicts
    default: Any = None
    valid: Range | None = None
    steps: tuple[float, float, float] | None = None
    slider: tuple[float, ...] = ()
    choices: Mapping[Any, str] | Callable[[Any], Mapping[Any, str]] | None = None  # or of a cell
    longest: int | None = None  # characters
    none: str | None = None
    tasks: Callable[[Any], bool] = lambda task: True  # to which it applies
    cells: Callable[[Any], bool] = lambda cell: True  # to which it applies; the others have its default
    when: Callable[[Mapping[str, Any]], bool] = lambda values: True  # other settings by name


def setting(default: Any, label: str, help: str | Mapping[str, str], **known: Any) -> Any:
    """A field of a dataclass with a Setting in its metadata; the default may be REQUIRED."""
    return field(default=default, metadata={_KEY: Setting(label, help, default, **known)})


def described(config: Any) -> dict[str, Setting]:
    """Those of a dataclass by the names of its fields."""
    return {field.name: field.metadata[_KEY] for field in fields(config) if _KEY in field.metadata}


def check(config: Any) -> None:
    """ValueError names a field of a dataclass that is not one of its choices, or outside of its valid range."""
    for name, known in described(config).items():
        value = getattr(config, name)
        if isinstance(value, str) and isinstance(known.choices, Mapping) and value not in known.choices:
            names = [str(choice) for choice in known.choices if choice is not None]
            raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(names)}")
        if isinstance(value, int | float) and known.valid is not None and value not in known.valid:
            raise ValueError(f"{name} is {value}: it must be {known.valid}{'' if known.none is None else ', or none'}")
