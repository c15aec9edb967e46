"""Every SEQMODELS_* variable: what it sets, its type and range, and what holds where it is not set.

    environment().run_minutes

They are read anew wherever one has changed, as a test or a notebook may do. The command line imports this late: pydantic-settings
takes a sixth of a second.
"""

from __future__ import annotations

import difflib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from seqmodels.installation import app_folder
from seqmodels.journal import Form

PREFIX = "SEQMODELS_"


def _placed(path: Path) -> Path:
    return path.expanduser().absolute()


def _existing(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError("it is no folder")
    return path


def _listed(names: object) -> object:
    return tuple(filter(None, (name.strip() for name in names.split(",")))) if isinstance(names, str) else names


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Folder = Annotated[Path, AfterValidator(_placed)]
ExistingFolder = Annotated[Path, AfterValidator(_placed), AfterValidator(_existing)]
Number = Annotated[int, Field(gt=0, le=10**9)]
Amount = Annotated[float, Field(gt=0, le=10**9)]


def _of(description: str, make: Any, shown: str) -> Any:
    """A field whose default is worked out, and what to call it."""
    return Field(default_factory=make, description=description, json_schema_extra={"shown": shown})


class Environment(BaseSettings):
    """The variables by their names in lower case, without the prefix."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    data: ExistingFolder | None = Field(default=None, description="where corpora are looked for first")
    cache: Folder = _of(
        "where fetched corpora are kept", lambda: platformdirs.user_cache_path("seqmodels"), "the system's place for caches"
    )
    checkpoints: Folder = _of("where the shipped models lie", lambda: app_folder() / "checkpoints", "`checkpoints/`")
    own_checkpoints: Folder = _of(
        "where models made of runs, or uploaded, lie",
        lambda: platformdirs.user_data_path("seqmodels") / "checkpoints",
        "a folder among your data",
    )
    runs: Folder = _of("where the runs lie", lambda: platformdirs.user_data_path("seqmodels") / "runs", "a folder among your data")
    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = _of(
        "names, with commas, under which browsers may ask for the app", tuple, "this machine's own; any where it is open to others"
    )
    single_user: bool = Field(default=False, description="1: whoever sees the app may command every run; else only who started it")
    runs_at_once: Annotated[int, Field(gt=0, le=1000)] = _of(  # a file each
        "runs that train at a time, those started together as one; others wait",
        lambda: max(1, _cores() // 2),
        "one for each two cores",
    )
    runs_on: Literal["local", "ray"] = Field(
        default="local", description="`ray`: runs train on the Ray cluster that `RAY_ADDRESS` names (docs/cluster.md)"
    )
    runs_waiting: Number = Field(default=24, description="runs that may wait for their turn")
    runs_waiting_each: Number = Field(default=6, description="runs of one visitor that may wait")
    run_minutes: Amount = Field(default=60.0, description="after so long a run stops, keeping its best")
    run_memory_mb: Amount = Field(default=2000.0, description="memory that a run may take")
    run_disk_mb: Amount = Field(default=500.0, description="room on the disk that a run may take")
    runs_kept: Number = Field(default=200, description="runs that are kept in all; those of others go only if nobody can miss them")
    runs_each: Number = Field(default=20, description="runs of one visitor that are kept; their oldest go first")
    run_days: Amount = Field(default=7.0, description="after so many days a run that nobody can miss may go for another visitor's")
    text_characters: Number = Field(default=200_000, description="characters that a text on a page may have; the rest is cut off")
    models_mb: Amount = Field(default=400.0, description="memory for the weights of models; those used last stay")
    results_mb: Amount = Field(default=200.0, description="memory for what they said of texts; what was asked for last stays")
    upload_mb: Amount = Field(default=5.0, description="largest corpus file")
    checkpoint_mb: Amount = Field(default=50.0, description="largest model file that the app takes")
    uploads_mb: Amount = Field(default=500.0, description="memory for the files that visitors have brought; more are refused")
    models_kept: Number = Field(default=100, description="models of runs, or uploaded, that are kept in all")
    models_each: Number = Field(default=10, description="those of one visitor; any number where `SEQMODELS_SINGLE_USER` is 1")
    models_days: Amount = Field(
        default=30.0,
        description="a visitor's model unused for so long makes room; none where `SEQMODELS_SINGLE_USER` is 1",
    )
    log: Form = Field(default="off", description="`json` or `text`: the server writes a line an event on standard error")
    replica: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")] = _of(
        "what this server is called in its log and health", socket.gethostname, "the machine's name"
    )


_HELD: ContextVar[Environment | None] = ContextVar("held", default=None)


def environment() -> Environment:
    """What the variables say now, or said at the start of `held`. ValueError names the first that is wrong, and what it may be."""
    if (found := _HELD.get()) is not None:
        return found
    here = None
    with suppress(OSError):  # the folder may have been deleted
        here = Path.cwd()
    return _read(tuple(map(os.environ.get, _READ)), here)


@contextmanager
def held() -> Iterator[None]:
    """Read the variables once, for all that this thread asks meanwhile: a page asks two hundred times, at 0.2 ms each."""
    token = _HELD.set(environment())
    try:
        yield
    finally:
        _HELD.reset(token)


@lru_cache(maxsize=8)
def _read(values: tuple[str | None, ...], here: Path | None) -> Environment:
    """As long as the variables, and the folder that paths are relative to, are the same."""
    try:
        return Environment()
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = variable(str(first["loc"][0]))
        what = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        raise ValueError(f"{name} is {os.environ.get(name, '')!r}: {what}. Correct it, or unset it") from None


def variable(field: str) -> str:
    """The variable that sets a field."""
    return PREFIX + field.upper()


# what a default is worked out of, besides our own: the user's folders
_READ = (*map(variable, Environment.model_fields), "HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")


@dataclass(frozen=True)
class Entry:
    """A variable, its value now, whether the environment or the default gives it, what it sets, and its default in words."""

    variable: str
    value: Any
    source: str
    description: str
    default: str


def entries() -> list[Entry]:
    """All variables. ValueError as of `environment`."""
    found = environment()
    return [
        Entry(
            variable=variable(name),
            value=getattr(found, name),
            source="environment" if os.environ.get(variable(name)) else "default",
            description=field.description or "",
            default=_shown(field.default, field.json_schema_extra),
        )
        for name, field in Environment.model_fields.items()
    ]


def unknown() -> dict[str, str | None]:
    """The variables with our prefix that set nothing, and the one that was probably meant."""
    known = [variable(name) for name in Environment.model_fields]
    strange = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return {name: next(iter(difflib.get_close_matches(name, known, n=1)), None) for name in strange}


def _shown(default: Any, extra: Any) -> str:
    if isinstance(extra, dict):
        return str(extra["shown"])
    if isinstance(default, bool):
        return str(int(default))
    return "none" if default is None else default if isinstance(default, str) else f"{default:g}"
