"""Models of one's own: a run's best weights under a name, a checkpoint brought from elsewhere, and where each can be used."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import address, inputs, loading
from pages.training import current
from seqmodels.viz.law import FORMULAS

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from seqmodels.checkpoints import CheckpointEntry, CheckpointInfo
    from seqmodels.runs import Run

LARGEST = 100  # megabytes of a checkpoint
PAGES = {  # by task: the pages that can use its models
    "pos": ("pages/1_Tagging.py", "pages/3_Gates.py"),
    "ner": ("pages/1_Tagging.py", "pages/3_Gates.py"),
    "lm": ("pages/2_Language_model.py", "pages/3_Gates.py"),
    "char": ("pages/2_Language_model.py", "pages/3_Gates.py"),
}
_TITLES = {
    "pages/1_Tagging.py": ("Tagging", ":material/sell:"),
    "pages/2_Language_model.py": ("Language model", ":material/notes:"),
    "pages/3_Gates.py": ("Gates", ":material/grid_on:"),
}
_NAMES = "Small letters, digits and hyphens."
_PUBLISHED = "training-published"  # in the session's state: the names under which runs were published, by the run's id
_SAID = "training-models-said"  # in the session's state: what the last click did, or why not, told once


def use(run: Run) -> None:
    """Make the ended run's best weights a model for the other pages, or a file."""
    from seqmodels import runs

    if run.alive:
        st.caption(":material/sell: Once this run has ended, its best weights become a model that the other pages can use.")
        return
    if runs.best_weights(run) is None or not runs.may_control(run, current.owner_key()):
        return
    published = st.session_state.get(_PUBLISHED, {}).get(run.id)
    known = next((one for one in loading.own() if one.name == published), None)
    with st.container(horizontal=True, vertical_alignment="bottom", key="training-use"):
        if known is None:
            key = f"training-model-name-{run.id}"
            st.text_input("Name of the model", suggested(run.name), key=key, max_chars=40, width=280, help=_NAMES)
            st.button(
                "Use this model",
                icon=":material/check:",
                type="primary",
                key="training-publish",
                help="Lists the best weights of this run on the pages that can use them, for everyone who sees this app.",
                on_click=_publish,
                args=(run, key),
            )
        st.download_button(
            "Download",
            partial(_weights, run),
            f"{suggested(run.name)}.safetensors",
            "application/octet-stream",
            key="training-download",
            icon=":material/download:",
            on_click="ignore",
            help="The best weights of this run, as one file that python -m seqmodels reads, and this page by upload.",
        )
    _tell("use")
    if known is not None:
        st.markdown(f":material/check_circle: The best weights of this run are now the model **{known.name}**.")
        where(known)


def bring() -> None:
    """Add a model from a file; and one's own models, each with what it is, where it can be used, and a way to delete it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="training-bring"):
        uploaded = st.file_uploader(
            "A checkpoint of seqmodels (.safetensors)",
            key="training-checkpoint",
            max_upload_size=LARGEST,
            help="Made by a run here, or by python -m seqmodels train. The file is checked, and nothing in it is executed.",
        )
        if uploaded is not None:
            # a new file brings a new suggestion
            key = f"training-checkpoint-name-{uploaded.file_id}"
            stem = suggested(uploaded.name.rpartition(".")[0] or uploaded.name)
            st.text_input("Name of the model", stem, key=key, max_chars=40, width=280, help=_NAMES)
            st.button("Add", icon=":material/add:", key="training-add", type="primary", on_click=_add, args=(uploaded, key))
    _tell("bring")
    listed = loading.own()
    if not listed:
        st.info("There are no models of your own yet. Finish a run and press *Use this model*, or choose a file above.")
    for one in listed:
        _row(one)


def suggested(text: str) -> str:
    """A text as the name of a model."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    name = ""
    for word in words:
        if len(f"{name}-{word}") <= 40:
            name = f"{name}-{word}".strip("-")
    from seqmodels import checkpoints

    if checkpoints.is_name(name) and not checkpoints.is_shipped(name):
        return name
    return f"my-{name}" if checkpoints.is_name(f"my-{name}") else "my-model"


def where(model: CheckpointEntry) -> None:
    """Buttons for the pages that can use a model, which open with it picked; or what else can be done with it."""
    info = model.info
    assert info is not None
    if info.task not in PAGES:
        st.caption(f"It reads numbers, not text, so no other page can use it. In Python: `load({model.name!r})`.")
    with st.container(horizontal=True, gap="small", key=f"training-where-{model.name}"):
        for path in PAGES.get(info.task, ()):
            title, icon = _TITLES[path]
            if st.button(title, icon=icon, key=f"training-open-{model.name}-{title}", help=f"Open {title} with {model.name}"):
                state = {"task": loading.TASK_TITLES[info.task], "cells": [loading.title(model.name)]}
                address.hand_over(state)
                st.switch_page(path, query_params=state)


def _row(model: CheckpointEntry) -> None:
    """One model of one's own."""
    from seqmodels.runs.publishing import may_remove

    with st.container(border=True, key=f"training-own-{model.name}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{model.name}** · {described(model)}")
            if may_remove(model.name, current.owner_key()):
                with st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"training-delete-{model.name}"):
                    st.markdown(f"Delete the model **{model.name}** for good?")
                    st.button("Delete it", key=f"training-delete-now-{model.name}", on_click=_remove, args=(model.name,))
        if model.info is None:
            st.caption(f":material/error: {inputs.plain(model.problem or '')}")
        else:
            where(model)


def described(model: CheckpointEntry) -> str:
    """What a model is, in a line of Markdown: its task, cell, size and scores."""
    size = f"{model.bytes / 1e6:.1f} MB" if model.bytes >= 1e6 else f"{max(1, round(model.bytes / 1e3))} kB"
    return size if model.info is None else " · ".join([*_what(model.info), size, *_scores(model.info)])


def _what(info: CheckpointInfo) -> tuple[str, str]:
    from seqmodels.tasks import find_task

    return find_task(info.task).title, FORMULAS[info.cell].title


def _scores(info: CheckpointInfo) -> list[str]:
    """The figure that the task is about, on each part of the corpus."""
    from seqmodels.tasks import find_task

    metric = find_task(info.task).metric
    return [
        f"{inputs.plain(str(split))} {metric.replace('_', ' ')} {figures[metric]:.4g}"
        for split, figures in info.scores.items()
        if isinstance(figures.get(metric), int | float)
    ]


def _publish(run: Run, key: str) -> None:
    from seqmodels.runs.publishing import publish

    name = str(st.session_state[key])  # as typed by now: the page may not have been drawn since
    try:
        publish(run, current.owner_key(), name)
    except ValueError as problem:
        st.session_state[_SAID] = ("use", inputs.as_sentence(problem), "")
    else:
        st.session_state[_PUBLISHED] = {**st.session_state.get(_PUBLISHED, {}), run.id: name}


def _add(uploaded: UploadedFile, key: str) -> None:
    from seqmodels.runs.publishing import import_checkpoint

    name = str(st.session_state[key])
    try:
        import_checkpoint(uploaded.getvalue(), name, current.owner_key())
    except ValueError as problem:
        st.session_state[_SAID] = ("bring", inputs.as_sentence(problem), "")
    else:
        st.session_state[_SAID] = ("bring", "", f"The model **{name}** is added.")


def _remove(name: str) -> None:
    from seqmodels.runs.publishing import remove_own

    try:
        remove_own(name, current.owner_key())
    except ValueError as problem:
        st.session_state[_SAID] = ("bring", inputs.as_sentence(problem), "")
    else:
        st.session_state[_SAID] = ("bring", "", f"The model **{name}** is deleted.")


def _weights(run: Run) -> bytes:
    from seqmodels.runs import best_weights

    found = best_weights(run)
    return b"" if found is None else found.read_bytes()


def _tell(place: str) -> None:
    """What the last click did, once, where it was made."""
    said = st.session_state.get(_SAID)
    if said is None or said[0] != place:
        return
    del st.session_state[_SAID]
    _, problem, done = said
    if problem:
        st.warning(inputs.plain(problem))
    else:
        st.success(done)
