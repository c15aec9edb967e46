"""A file of the visitor's among the settings: looked at as soon as it is here, with how it was read, and what may be said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import files, inputs
from seqmodels import runs
from seqmodels.corpora import Columns, CorpusError, FileReport, read_own_texts
from seqmodels.runs import Upload

if TYPE_CHECKING:
    from pages.training.form import Form
    from seqmodels.tasks import DataConfig

KEY = "training-file"


def draw(form: Form) -> None:
    """The upload, what is in it, and the settings of its columns."""
    from seqmodels.runs.settings import from_flat

    help = "Plain text in UTF-8. It stays in the run's folder on this server and is deleted with the run."
    brought = files.choose("Your file", key=KEY, help=help)
    told, details = st.container(gap="xsmall"), st.container()
    if form.task.predicts == "tags":
        with st.expander("How it is read"):
            details = st.container(gap="xsmall")
            for name in vars(Columns()):
                form.input(name)
    if brought is None:
        return
    with told:
        try:
            settings = from_flat(form.values)
        except ValueError:
            return  # said beside the button that starts the run
        read = _examine(settings.task, settings.data, brought.name, brought.content)
        if isinstance(read, str):
            st.warning(inputs.plain(read))
            return
        found, report, form.items = read
        st.caption(f":material/check: {inputs.plain(f'{found}. Read as {report.how}.')}")
        mapping = f"types: {report.mapping}" if report.mapping else ""
        for note in filter(None, (mapping, *report.notes)):
            st.caption(f":material/info: {inputs.plain(note[:1].upper() + note[1:])}.")
    with details:
        _show(report)


def sentence(problem: ValueError) -> str:
    """What is wrong, to be shown."""
    if isinstance(problem, CorpusError):  # begins with the file's name, which stays as it is
        return f"This file cannot be used: {problem}"
    return inputs.as_sentence(problem)


@st.cache_data(show_spinner=False, max_entries=32)  # a large file takes seconds, and each click draws the page anew
def _examine(task_name: str, data_settings: DataConfig, name: str, content: bytes) -> tuple[str, FileReport, int | None] | str:
    """What is in a file, how it was read, and how many sentences there are to learn from, if any; or what is wrong with it."""
    try:
        return _read(task_name, data_settings, Upload(name, content))
    except ValueError as problem:
        return sentence(problem)


def _read(task_name: str, data_settings: DataConfig, upload: Upload) -> tuple[str, FileReport, int | None]:
    from seqmodels.tasks import caution, find_task

    file, data = runs.read_upload(task_name, data_settings, upload)
    if data is None:
        report = read_own_texts(file).report
        return f"{dict(report.lines())['holds']}, {len(file.text.split()):,} words", report, None
    task, (report, *_) = find_task(task_name), data.reports
    doubt = caution(task.facts(task.vocabulary(data.train), data.dev))
    if doubt:
        report = replace(report, notes=(*report.notes, f"of what is held out, {doubt}"))
    return f"{len(data.train):,} sentences to learn from, {len(data.dev):,} to check with", report, len(data.train)


def _show(report: FileReport) -> None:
    """The file's tags and its beginning; the rest stands above."""
    for heading, text in report.lines():
        if heading in ("tags", "entities", "begins"):
            st.caption(f"**{heading.capitalize()}**: {inputs.plain(text)}")
