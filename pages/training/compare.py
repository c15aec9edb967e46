"""Runs side by side: a table to sort and choose from, one figure of all chosen, where their settings differ, and housekeeping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from pages.common import inputs, page, takeaway
from pages.training import current, curves, form, messages, whole
from pages.training.curves import cell_title, history, task_of
from seqmodels import runs
from seqmodels.runs import Run
from seqmodels.viz import training as viz

MOST = 8  # runs in one picture
EVERY = 2.0  # seconds between two looks at runs that are alive

_CHOSEN = "compare-chosen"  # in the session's state
_NOTES = {
    "Train loss": "Train loss at each step, {units}.",
    "Dev loss": "Dev loss after each epoch, {units}.",
    "Score": "Dev {metrics} after each epoch.",
    "Gradient norm": "Norm of the gradient before clipping.",
}
_SIDE = {"name", "probe"}  # settings that change no result


def show(found: Sequence[Run], selected: Run | None) -> None:
    """The whole view."""
    if not found:
        st.info("There are no runs yet. Start one, and it stays here until you delete it.")
        return
    messages.show("runs")
    st.session_state.setdefault(_CHOSEN, _usual(found, selected))
    alive = any(run.alive for run in found)
    table = page.fragment(_table, run_every=EVERY if alive else None)
    table(found, alive)
    chosen = [run for run in found if run.id in st.session_state[_CHOSEN]][:MOST]
    if not chosen:
        st.info("Tick the rows of one or more runs to see them side by side.")
        return
    names = dict(zip((run.id for run in chosen), viz.named([run.name for run in chosen]), strict=True))
    overlay = page.fragment(_overlay, run_every=EVERY if any(run.alive for run in chosen) else None)
    overlay(chosen, names)
    _housekeeping(chosen)


def _table(found: Sequence[Run], alive: bool) -> None:
    """All runs. When other rows are ticked, or the last run has ended, the page around the table is drawn anew."""
    if alive and not any(run.alive for run in found):
        st.rerun()
    ids = [run.id for run in found]
    before = [at for at, run_id in enumerate(ids) if run_id in st.session_state[_CHOSEN]]
    rows = [_row(run) for run in found if run.folder.exists()]
    if len(rows) < len(found):
        st.rerun()
    event = st.dataframe(
        {title: [row[title] for row in rows] for title in rows[0]},
        key=f"compare-table-{hash(tuple(ids))}",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": before, "columns": [], "cells": []}},
        hide_index=True,
        placeholder="–",
        height=min(38 * (len(found) + 1), 400),
        column_config={
            "Started": st.column_config.DatetimeColumn(format="distance"),
            "Best": st.column_config.NumberColumn(format="%.4g"),
            "Seconds": st.column_config.NumberColumn(format="%.0f"),
        },
        alt="All runs with their results",
    )
    ticked = sorted(row for row in event.selection.rows if row < len(found))
    if len(ticked) > MOST:
        st.caption(f"The first {MOST} are shown: more lines than that can't be told apart.")
    chosen = [ids[row] for row in ticked]
    if set(chosen) != {ids[row] for row in before}:
        st.session_state[_CHOSEN] = chosen
        st.rerun()


def _usual(found: Sequence[Run], selected: Run | None) -> list[str]:
    """What is ticked at first: the run on screen, and those started with it, else the newest others of its task."""
    first = selected or found[0]
    if first.group is not None:
        return [run.id for run in found if run.group == first.group]
    same = [run.id for run in found if run.settings.get("task") == first.settings.get("task") and run.id != first.id]
    return [first.id, *same[:2]]


def _row(run: Run) -> dict[str, Any]:
    """A run in the table of all."""
    standing, task = runs.status(run), task_of(run)
    progress = standing.progress
    return {
        "Run": run.name,
        "Status": standing.name,
        "Task": task.title,
        "Cell": cell_title(run),
        "Dev metric": viz.metric_title(task.metric),
        "Best": progress.best_score,
        "At epoch": progress.best_epoch or None,
        "Epochs": progress.epoch,
        "Seconds": progress.seconds,
        "Started": datetime.fromtimestamp(run.created, tz=UTC),
    }


def _overlay(chosen: Sequence[Run], names: dict[str, str]) -> None:
    """One figure of all chosen runs, and in what they differ."""
    figure = inputs.choice("Figure", list(viz.OVERLAYS), key="figure", default="Dev loss", compact=True)
    histories = {names[run.id]: history(run) for run in chosen}
    metrics = {viz.metric_title(task_of(run).metric) for run in chosen}
    units = {task_of(run).loss_unit for run in chosen}
    note = _NOTES[figure].format(units=" or ".join(sorted(units)), metrics=" and ".join(sorted(metrics)))
    if figure == "Score" and len(metrics) > 1:
        note += " These are different figures: a line is to be read for itself."
    option = viz.overlay(histories, figure, page.theme())
    if option["yAxis"]["type"] == "log":
        note += " The scale is logarithmic."
    st.markdown(note)
    curves.chart(option, "compare-figure", f"{figure} of the chosen runs", height=320)
    _differences(chosen, names)


def _differences(chosen: Sequence[Run], names: dict[str, str]) -> None:
    """The settings in which the chosen runs differ, and their results: a row each, to be sorted by any."""
    differing = differing_settings(chosen)
    rows = [{"Run": names[run.id], **{name: run.settings.get(name) for name in differing}, **_results(run)} for run in chosen]
    said = "They differ in " + ", ".join(f"**{_words(name)}**" for name in differing) + "."
    if len(chosen) == 1:
        said = "One run is chosen. Tick another one to see in which settings they differ."
    elif not differing:
        said = "Their settings are the same."
    st.markdown(said)
    columns = {title: [row[title] for row in rows] for title in rows[0]}
    shown = {_words(title): _column(values) if title in differing else values for title, values in columns.items()}
    st.dataframe(shown, hide_index=True, placeholder="–", alt="Settings that differ, and results", key="compare-differences")


def differing_settings(chosen: Sequence[Run]) -> list[str]:
    """The names of the settings that are not the same in all of them."""
    everything = dict.fromkeys(name for run in chosen for name in run.settings if name not in _SIDE)
    return [name for name in everything if len({repr(run.settings.get(name)) for run in chosen}) > 1]


def _column(values: Sequence[Any]) -> list[Any]:
    """Numbers as they are, to be sorted as such; where words are among them, all as words."""
    if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return list(values)
    return ["off" if value is None else str(value) for value in values]


def _results(run: Run) -> dict[str, Any]:
    progress, known = runs.status(run).progress, history(run)
    best = next((epoch for epoch in known.epochs if epoch["epoch"] == progress.best_epoch), None)
    share = runs.clipped_share(known.steps)
    return {
        "best score": progress.best_score,
        "at epoch": progress.best_epoch or None,
        "dev loss there": best["dev_loss"] if best else None,
        "train loss there": best["loss"] if best else None,
        "clipped steps, %": None if share is None else round(100 * share, 1),
        "seconds": round(progress.seconds, 1),
    }


def _housekeeping(chosen: Sequence[Run]) -> None:
    """Look at, rename, repeat, export and delete the chosen runs."""
    key = current.owner_key()
    for run in chosen:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"compare-run-{run.id}"):
            mine = runs.may_control(run, key)
            name = f"compare-name-{run.id}"
            st.text_input(
                "Name", run.name, key=name, label_visibility="collapsed", width=260, disabled=not mine, max_chars=60,
                on_change=_rename, args=(run, name), help="Enter gives it this name.",
            )  # fmt: skip
            st.button("Watch", key=f"compare-watch-{run.id}", icon=":material/visibility:", on_click=current.select, args=(run.id,))
            st.button(
                "Use these settings",
                key=f"compare-copy-{run.id}",
                icon=":material/edit_note:",
                help="Puts them into the form, to change and to start again.",
                on_click=form.copy,
                args=(run,),
            )
            st.download_button(
                "CSV",
                partial(runs.export_csv, run),
                f"{_file_name(run.name)}.csv",
                "text/csv",
                key=f"compare-csv-{run.id}",
                icon=":material/download:",
                help="Its steps and epochs, for a spreadsheet.",
                on_click="ignore",
            )
            takeaway.save(
                whole.file(run), help="Its settings, curves and samples. Opens without a network.", key=f"compare-save-{run.id}"
            )
            if mine:
                with st.popover("Delete", icon=":material/delete:", key=f"compare-ask-{run.id}"):
                    st.markdown(f"Delete **{inputs.plain(run.name)}** with its curves and weights?")
                    st.button("Delete it", key=f"compare-delete-{run.id}", type="primary", on_click=_delete, args=(run,))


def _rename(run: Run, key: str) -> None:
    messages.attempt("runs", lambda: runs.rename(run, current.owner_key(), str(st.session_state[key])))


def _delete(run: Run) -> None:
    messages.attempt("runs", lambda: runs.delete(run, current.owner_key()))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
