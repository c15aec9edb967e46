"""Runs whose files are damaged: what is wrong with the one on screen, and those that cannot be shown, to be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages.common import inputs
from pages.training import current, messages
from seqmodels import runs
from seqmodels.runs import History, Run, Status

MOST = 8  # that are named
_MISSING = "events.jsonl is missing: its curves are lost"


def warn(standing: Status, known: History) -> None:
    """What is wrong with the files of a run that is shown all the same."""
    problems = [standing.problem] if standing.problem else []
    if standing.progress.steps and not known.offset:
        problems.append(_MISSING)
    if known.damaged:
        more = known.damaged - len(known.problems)
        lines = "; ".join([*known.problems, *([f"and {more} more"] if more else [])])
        problems.append(f"{known.damaged} of the {known.lines} lines of events.jsonl are left out: {lines}")
    if problems:
        told = inputs.plain("; ".join(problems))
        st.warning(f"**This run is damaged.** {told}. *Discard it*, under *More*, deletes it.", icon=":material/heart_broken:")


def listed(found: Sequence[Run]) -> None:
    """Runs that cannot be shown: what is wrong with those of the visitor's, and a way to delete them."""
    if not found:
        return
    mine = [run for run in found if runs.may_control(run, current.owner_key())]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="damaged"):
        more = f", and {len(found) - MOST} more" if len(found) > MOST else ""
        ids = ", ".join(run.id for run in found[:MOST])
        st.caption(f":material/heart_broken: Not listed, for they are damaged: {ids}{more}", width="content")
        if not mine:
            return
        with st.popover("Delete", icon=":material/delete:", type="tertiary", key="damaged-ask"):
            for run in mine[:MOST]:
                st.caption(f"{run.id}: {inputs.plain(run.problem or '')}")
                st.button("Delete it", key=f"damaged-delete-{run.id}", on_click=_delete, args=([run],))
            if len(mine) > 1:
                st.button(f"Delete all {len(mine)}", key="damaged-delete-all", type="primary", on_click=_delete, args=(mine,))


def _delete(found: Sequence[Run]) -> None:
    for run in found:
        if not messages.attempt("runs", partial(runs.delete, run, current.owner_key())):
            return
