"""Your models: a run's best weights under a name, a checkpoint brought from elsewhere, and where each can be used."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import files, inputs, loading, page
from pages.training import current, messages
from seqmodels.cells import CELLS
from seqmodels.environment import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from seqmodels.checkpoints import CheckpointEntry
    from seqmodels.runs import Run

_PAGES = {  # that can use a model, by what its task predicts
    "tags": ("pages/1_Tagging.py", "pages/3_Gates.py"),
    "next token": ("pages/2_Language_model.py", "pages/3_Gates.py"),
}
_NAMES = "Small letters, digits and hyphens."


def use(run: Run) -> None:
    """Make the ended run's best weights a model for the other pages, or a file."""
    from seqmodels import runs

    if run.alive:
        st.caption(":material/sell: Once this run has ended, its best weights become a model that the other pages can use.")
        return
    if runs.best_weights(run) is None or not runs.may_control(run, current.owner_key()):
        return
    known = next((one for one in loading.own() if one.name == run.published), None)
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
    if known is None and run.file_name is not None and not run.shared:
        st.caption(":material/lock: A model holds words of the file that it learned from, and others can use it.")
    messages.show("use")
    if known is not None:
        st.markdown(f":material/check_circle: The best weights of this run are now the model **{known.name}**.")
        _where(known, "run")


def bring() -> None:
    """Add a model from a file; and your models, each with what it is, where it can be used, and a way to delete it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="training-bring"):
        uploaded = st.file_uploader(
            "A checkpoint of seqmodels (.safetensors)",
            key="training-checkpoint",
            max_upload_size=files.largest(environment().checkpoint_mb),
            help="Made by a run here, or by python -m seqmodels train. The file is checked, and nothing in it is executed.",
        )
        if uploaded is not None:
            # a new file brings a new suggestion
            key = f"training-checkpoint-name-{uploaded.file_id}"
            stem = suggested(uploaded.name.rpartition(".")[0] or uploaded.name)
            st.text_input("Name of the model", stem, key=key, max_chars=40, width=280, help=_NAMES)
            st.button("Add", icon=":material/add:", key="training-add", type="primary", on_click=_add, args=(uploaded, key))
    files.say_lost("training-checkpoint")
    messages.show("bring")
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


def _where(model: CheckpointEntry, place: str) -> None:
    """Links to the pages that can use a model, which open with it picked; or what else can be done with it.

    `place` tells those of one place from those of another on the same page.
    """
    from seqmodels.tasks import find_task

    assert model.info is not None
    task = find_task(model.info.task)
    pages = _PAGES.get(task.predicts, ())
    if not pages:
        st.caption(f"It reads numbers, not text, so no other page can use it. In Python: `load({model.name!r})`.")
    with st.container(horizontal=True, gap="small", key=f"training-{place}-where-{model.name}"):
        for path in pages:
            values = {"task": task.page_title, "cells": [loading.title(model.name)]}
            page.link(path, values, help=f"With {model.name}")


def _row(model: CheckpointEntry) -> None:
    """One of your models."""
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
            _where(model, "list")


def described(model: CheckpointEntry) -> str:
    """What a model is, in a line of Markdown: its task, cell, size and scores."""
    size = f"{model.bytes / 1e6:.1f} MB" if model.bytes >= 1e6 else f"{max(1, round(model.bytes / 1e3))} kB"
    if model.info is None:
        return size
    from seqmodels.tasks import find_task

    task = find_task(model.info.task)
    scores = [
        f"{inputs.plain(split)} {task.metric.replace('_', ' ')} {scores[task.metric]:.4g}{_facts(scores)}"
        for split, scores in model.info.scores.items()
        if task.metric in scores
    ]
    return " · ".join([task.title, CELLS[model.info.cell].title, size, *scores])


def _facts(scores: Mapping[str, float]) -> str:
    """What gives a score its meaning, where the model's file has it."""
    told = [f"{scores['gold_entities']:,.0f} entities"] if "gold_entities" in scores else []
    told += [f"{scores['unknown_share']:.0%} unknown"] if "unknown_share" in scores else []
    return f" ({', '.join(told)})" if told else ""


def _publish(run: Run, key: str) -> None:
    from seqmodels.runs.publishing import publish

    name = str(st.session_state[key])  # as typed by now: the page may not have been drawn since
    messages.attempt("use", lambda: publish(run, current.owner_key(), name))


def _add(uploaded: UploadedFile, key: str) -> None:
    from seqmodels.runs.publishing import import_checkpoint

    name = str(st.session_state[key])
    done = f"The model **{name}** is added."
    messages.attempt("bring", lambda: import_checkpoint(uploaded.getvalue(), name, current.owner_key()), done)


def _remove(name: str) -> None:
    from seqmodels.runs.publishing import remove_own

    messages.attempt("bring", lambda: remove_own(name, current.owner_key()), f"The model **{name}** is deleted.")


def _weights(run: Run) -> bytes:
    from seqmodels.runs import best_weights

    found = best_weights(run)
    return b"" if found is None else found.read_bytes()
