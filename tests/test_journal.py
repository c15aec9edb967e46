"""The server's log: a line an event that a program can read, and never a word of a visitor's."""

from __future__ import annotations

import io
import json
import logging
import shlex
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pages.common import page
from seqmodels import journal

SECRET = "what a visitor typed"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[journal.Form], Callable[[], list[str]]]]:
    """Opens a journal, and gives what reads its lines."""
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    written = io.StringIO()

    def opened(form: journal.Form) -> Callable[[], list[str]]:
        monkeypatch.setattr("sys.stderr", written)
        journal.open_journal(form, "one")
        return lambda: written.getvalue().splitlines()

    yield opened
    logging.captureWarnings(False)
    root.handlers[:], root.level = before[0], before[1]
    logging.getLogger("seqmodels.journal").setLevel(logging.NOTSET)


def parsed(line: str) -> dict[str, Any]:
    """Of logfmt."""
    return dict(part.split("=", 1) for part in shlex.split(line))


def test_an_event_is_one_line_of_json(lines: Any) -> None:
    read = lines("json")
    journal.note("page_served", page="Tagging", ms=1.5, again=None)
    (line,) = map(json.loads, read())
    assert line.pop("time").endswith("Z")
    assert line == {"event": "page_served", "page": "Tagging", "ms": 1.5, "again": None, "replica": "one"}


def test_or_of_logfmt_whatever_is_in_it(lines: Any) -> None:
    read = lines("text")
    journal.note("odd", page='a "b" = c\nd', empty="", ms=1.5)
    (line,) = map(parsed, read())
    assert (line["page"], line["empty"], line["ms"], line["replica"]) == (r'a "b" = c\nd', "", "1.5", "one")


def test_without_one_nothing_is_written(lines: Any) -> None:
    read = lines("off")
    assert not journal.is_open()
    journal.note("page_served", page="Tagging")
    assert read() == []


def test_of_what_libraries_log_only_place_and_type_are_written(lines: Any) -> None:
    library = logging.getLogger("streamlit.made_up")
    library.propagate = False
    library.addHandler(logging.StreamHandler(io.StringIO()))
    read = lines("json")
    journal.take_in("streamlit")
    try:
        raise KeyError(SECRET)
    except KeyError:
        library.exception("it failed for %s", SECRET)
    library.warning(f"again for {SECRET}")
    library.info("so many sessions")
    warnings.warn(SECRET, stacklevel=1)
    first, second, third = map(json.loads, read())
    assert (first["event"], first["logger"], first["level"], first["type"]) == ("logged", "streamlit.made_up", "error", "KeyError")
    assert first["raised"].startswith("test_journal.py:")
    assert (second["level"], third["logger"]) == ("warning", "py.warnings")
    assert SECRET not in "".join(read())


@pytest.mark.parametrize(("error", "noted"), [(KeyError(SECRET), "KeyError"), (MemoryError(SECRET), "MemoryError")])
def test_a_page_that_fails_is_told_by_type_and_place(lines: Any, error: Exception, noted: str) -> None:
    read = lines("json")
    with pytest.raises(type(error)) as raised:
        raise error
    assert SECRET not in page.explain(raised.value)
    (line,) = map(json.loads, read())
    assert (line["event"], line["type"]) == ("page_failed", noted)
    assert line["place"].startswith("tests/test_journal.py:")
    assert SECRET not in "".join(read())


def test_what_a_visitor_did_wrong_is_no_failure(lines: Any) -> None:
    read = lines("json")
    page.explain(ValueError(SECRET))
    assert read() == []
