"""A run of one's own: every setting, a file of one's own, and the button that starts it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import inputs, page
from pages.training import current, fields, link
from pages.training.fields import Fields
from pages.training.groups import GROUPS, sentence, sources_of
from seqmodels.viz import law

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from seqmodels.runs import Run
    from seqmodels.runs.settings import Settings

FIRST_TASK = "pos"
_VALUES, _START, _COPIED = "training-values", "training-start", "training-copied"  # in the session's state


@st.fragment
def form() -> None:
    """All settings, with the button that starts a run. A change redraws nothing else."""
    from seqmodels.runs.settings import from_flat

    _tell_copied()
    chosen = Fields(_start())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="training-top"):
        _what(chosen)
        name = st.text_input("Name", max_chars=60, key="training-name", placeholder=_usual_name(chosen), help=NAME_HELP, width=260)
        go = st.button("Start", type="primary", icon=":material/play_arrow:", key="training-go")
    notes = st.container(gap="xsmall")
    groups = st.columns(4, gap="medium")
    for column, (title, draw) in zip(groups, GROUPS.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            draw(chosen)
    st.session_state[_VALUES] = chosen.values
    with notes:
        try:
            settings = from_flat(chosen.values)
            if go:
                _begin(settings, name)
            link.write(settings, _usual(FIRST_TASK))
            link.share(settings)
        except ValueError as problem:
            st.warning(inputs.plain(sentence(problem)))


def copy(run: Run) -> None:
    """Put a run's settings into the form, and open it. Only between two runs of the page: in a callback."""
    from seqmodels.runs.settings import from_flat, to_flat

    state = st.session_state
    state[current.TAB] = current.OWN_TAB
    try:
        _renew(to_flat(from_flat(run.settings)))
    except ValueError as problem:
        state[_COPIED] = (
            f":material/info: The settings of {inputs.plain(run.name)} cannot be used here: {inputs.plain(str(problem))}"
        )
        return
    told = f":material/check: The settings of **{inputs.plain(run.name)}**, to change and to start again."
    if run.file_name is not None:
        told += f" Its file {inputs.plain(run.file_name)} is not copied: choose yours under Data."
    state[_COPIED] = told


def _tell_copied() -> None:
    """Say once what `copy` did, and show it: the button may be far above."""
    told = st.session_state.pop(_COPIED, None)
    if told is not None:
        st.markdown(told)
        st.html(
            f"<script>{page.script('show_form')}</script><i hidden>{time.monotonic()}</i>", unsafe_allow_javascript=True
        )  # it runs again only if it differs


def _what(chosen: Fields) -> None:
    """The task and the cell: what a run is of."""
    from seqmodels.tasks import TASKS

    titles = {task.name: task.title for task in TASKS.values()}
    key = fields.PREFIX + "task"
    st.session_state.setdefault(key, chosen.start["task"])
    chosen.values["task"] = st.selectbox(
        "Task", list(titles), format_func=titles.__getitem__, key=key, on_change=_change_task, help=TASK_HELP, width=260
    )
    cells = {cell: formula.title for cell, formula in law.FORMULAS.items()}
    key = fields.PREFIX + "cell"
    st.session_state.setdefault(key, chosen.start["cell"])
    chosen.values["cell"] = st.segmented_control(
        "Cell", list(cells), format_func=cells.__getitem__, key=key, required=True, help=CELL_HELP
    )


NAME_HELP = "How the run is called in the list. Empty: after its task and cell."
TASK_HELP = "What is to be learned. Another task brings its own good settings."
CELL_HELP = "What decides, at each step, how much of the memory is kept and how much is written."


def _begin(settings: Settings, name: str) -> None:
    """Make the run, start it and show it. ValueError says why not."""
    from seqmodels.runs import Upload, create, start

    upload = None
    if settings.data.source == "file":
        uploaded: UploadedFile | None = st.session_state.get("training-file")
        if uploaded is None:
            raise ValueError("there is no file yet: choose one under Data, or another source")
        upload = Upload(uploaded.name, uploaded.getvalue())
    run = create(settings, current.owner_key(), name=name, upload=upload)
    current.select(run.id)
    start(run, current.owner_key())
    st.rerun()


def _start() -> Mapping[str, Any]:
    """The values with which the inputs begin: those of an earlier visit, else of the link, else the task's own."""
    state = st.session_state
    if fields.PREFIX + "task" in state and _START in state:
        return state[_START]
    state[_START] = state[_VALUES] if _VALUES in state else link.asked() or _usual(FIRST_TASK)
    return state[_START]


def _usual(task: str, **changes: object) -> dict[str, Any]:
    """The task's settings for watching, on the first of its data that is here."""
    from seqmodels.runs.settings import demo_settings, to_flat

    here = [source.name for source in sources_of(task) if source.here]
    return to_flat(demo_settings(task, {"source": here[0], **changes}))


def _change_task() -> None:
    state = st.session_state
    cell = state.get(fields.PREFIX + "cell") or "gru"
    _renew(_usual(state[fields.PREFIX + "task"], cell=cell))


def _renew(values: Mapping[str, Any]) -> None:
    fields.forget()
    st.session_state[_START] = st.session_state[_VALUES] = dict(values)


def _usual_name(chosen: Fields) -> str:
    return f"{chosen.values['task']} {chosen.values['cell']}"
