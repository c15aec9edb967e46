"""What happens, a line an event, for whoever runs the server: as JSON or as logfmt. Never what a visitor has typed or named.

note("run_started", task="pos", cell="gru")    # {"time": "2026-11-27T06:12:01.204Z", "event": "run_started", "task": "pos", ...}

Events go through the standard library's logging. What other libraries log may quote a visitor, so of that only the logger, the
level, the place and the type of an exception are written.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from seqmodels.installation import app_folder

Form = Literal["off", "text", "json"]

_LOG = logging.getLogger("seqmodels.journal")
_FIELDS = "fields"  # of a record: those of the event


def note(event: str, **fields: str | int | float | bool | None) -> None:
    """Write an event down. Where there is no journal, nothing is done."""
    _LOG.info(event, extra={_FIELDS: fields})


def failed(error: Exception) -> None:
    """Write down that a page failed: by which type of error, and where. Its message may quote a visitor, and is left out."""
    note("page_failed", type=type(error).__name__, place=_place_of(error))


def is_open() -> bool:
    """Whether events are written down."""
    return _LOG.isEnabledFor(logging.INFO)


def open_journal(form: Form, replica: str) -> None:
    """From now on this process writes its events on standard error; `replica` is what it is called there."""
    if form == "off":
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(form, replica))
    handler.addFilter(lambda record: record.name == _LOG.name or record.levelno >= logging.WARNING)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    _LOG.setLevel(logging.INFO)


def take_in(*libraries: str) -> None:
    """Have what these libraries log written as lines too, by which ever handlers they wrote it before."""
    for name in (*libraries, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in libraries:
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True


def _place_of(error: BaseException) -> str:
    """Where it was raised, as file:line: the last line of the app's or the library's on the way there."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for folder in (app_folder(), Path(__file__).parent.parent):
            if Path(frame.filename).is_relative_to(folder):
                return f"{Path(frame.filename).relative_to(folder).as_posix()}:{frame.lineno}"
    return "elsewhere"


class Lines(logging.Formatter):
    """A record as one line."""

    def __init__(self, form: Form, replica: str) -> None:
        super().__init__()
        self._write = _as_json if form == "json" else _as_text
        self._replica = replica

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self._write({"time": time, **_fields_of(record), "replica": self._replica})


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    if record.name == _LOG.name:
        return {"event": record.msg, **getattr(record, _FIELDS)}
    kind = record.exc_info[0] if record.exc_info else None
    fields = {
        "event": "logged",
        "level": record.levelname.lower(),
        "logger": record.name,
        "place": f"{record.module}:{record.lineno}",
    }
    if record.exc_info and kind is not None:
        frames = traceback.extract_tb(record.exc_info[2])
        fields |= {
            "type": kind.__name__,
            "raised": f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "elsewhere",
        }
    return fields


def _as_json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=True, allow_nan=False)


def _as_text(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in fields.items())


def _value(value: Any) -> str:
    """As logfmt has it: quoted where a space, a quote or what cannot be seen would break the line."""
    text = value if isinstance(value, str) else json.dumps(value)
    plain = text.isascii() and text.isprintable() and text and not set(text) & set(' "=')
    return text if plain else json.dumps(text)
