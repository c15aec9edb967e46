"""What is known of a value besides its type: a form is drawn from it, and what a user or a file gives is checked by it."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError
    from pydantic.annotated_handlers import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

Kind = TypeVar("Kind")

REQUIRED = MISSING
_KEY = "setting"  # of a dataclass field's metadata
_LONGEST = 60  # characters of a field's name, which may be a file's own


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included unless said otherwise; never an infinite one.

    It is the `valid` of a setting, or stands beside the type of a field that `validated` checks: Annotated[int, Range(1)].
    """

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
        return " and ".join(words) or "a finite number"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: float) -> float:
        if value not in self:
            raise ValueError(f"{reprlib.repr(value)} must be {self}")
        return value


@dataclass(frozen=True)
class Longest:
    """Texts of at most so many characters. It stands beside the type of a field that `validated` checks."""

    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: str) -> str:
        if len(value) > self.most:
            raise ValueError(f"{reprlib.repr(value)} has {len(value):,} characters: it must have at most {self.most}")
        return value


SHARE = Range(0, 1, open_above=True)
Count = Annotated[int, Range(0, 2**53)]
Finite = Annotated[float, Range()]
Short = Annotated[str, Longest(200)]


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


def validated(kind: type[Kind], values: Any, where: str = "") -> Kind:
    """A dataclass from what a file's JSON held, each value of its field's type as it is: no text is taken for a number.

    ValueError names the first field that is missing, unknown, of another type, or outside of its range; `where` they all are.
    """
    return parsed(kind, json.dumps(values), where)


def parsed(kind: type[Kind], content: str | bytes, where: str = "", *, extra: Literal["forbid", "ignore"] = "forbid") -> Kind:
    """The same from JSON as a file holds it, of which nothing is believed. Fields that are not known may be ignored."""
    from pydantic import ValidationError

    try:
        adapter: TypeAdapter[Kind] = _adapter(cast(Any, kind))
        return adapter.validate_json(content, strict=True, extra=extra)
    except ValidationError as error:
        raise ValueError(_first(error, where)) from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _first(error: ValidationError, where: str) -> str:
    """The first of a check's errors: its field, and what is wrong with it."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part)[:_LONGEST] for part in (*([where] if where else []), *first["loc"]))
    if first["type"].startswith("missing"):
        what = "it is missing"
    elif first["type"] == "unexpected_keyword_argument":
        what = "no such field is known"
    elif first["type"] == "value_error":
        what = first["msg"].removeprefix("Value error, ")
    elif first["type"] == "json_invalid":  # its input is the whole file
        what = first["msg"].replace("Invalid JSON", "it is not JSON")
    else:
        what = f"{reprlib.repr(first['input'])}: {first['msg'].replace('Input should', 'it should')}"
    return f"{field}: {what}" if field else what
