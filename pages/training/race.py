"""Runs that were started together: one chart of all, and who leads by how much, live until the last of them has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, page, shown
from pages.training import current, curves, messages
from pages.training.curves import history, task_of
from seqmodels import runs
from seqmodels.experiments.findings import listed
from seqmodels.runs import Command, Run
from seqmodels.viz import training as viz
from seqmodels.viz.document import Html, Part, Picture, Words

if TYPE_CHECKING:
    from seqmodels.runs import History
    from seqmodels.viz.palette import Theme

_PICK = "race-pick"
_ALT = "Loss of all runs that were started together"


def show(group: Sequence[Run], selected: Run) -> None:
    """The whole view; below it, the choice of the run that is shown in detail."""
    alive = live(group)
    named = _named(group)
    st.session_state[_PICK] = next(name for name, run in named.items() if run.id == selected.id)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="race-pick-row"):
        st.segmented_control("In detail", list(named), key=_PICK, required=True, on_change=_pick, args=(named,))
        if alive and all(runs.may_control(run, current.owner_key()) for run in alive):
            st.button("Stop all", key="race-stop", icon=":material/stop:", on_click=_stop, args=(alive,))
    messages.show("race")


def live(group: Sequence[Run]) -> list[Run]:
    """The chart and the standings, drawn anew every second while some of the runs go on: these."""
    alive = [run for run in group if run.alive]
    page.fragment(_refresh, run_every=curves.EVERY if alive else None)(group, bool(alive))
    shown.keep(partial(parts, group, page.theme()))
    return alive


def _named(group: Sequence[Run]) -> dict[str, Run]:
    """The runs by their names, short and no two alike."""
    return dict(zip(viz.named([run.name for run in group]), group, strict=True))


def _refresh(group: Sequence[Run], alive: bool) -> None:
    """The chart and the standings. When the last run has ended, or one is gone, the page around them is drawn anew."""
    if not all(run.folder.exists() for run in group) or (alive and not any(run.alive for run in group)):
        st.rerun()
    now = _picture({name: (run, history(run)) for name, run in _named(group).items()}, page.theme())
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown(now.title)
        curves.chart(now.option, "race-chart", _ALT)
    with right:
        st.markdown(now.headline)
        st.html(now.standings)


@dataclass(frozen=True)
class _Picture:
    """The race at one moment."""

    title: str
    option: viz.Option
    headline: str
    standings: str  # HTML


def _picture(known: Mapping[str, tuple[Run, History]], theme: Theme) -> _Picture:
    """What there is to see of these runs, by their names."""
    task = task_of(next(iter(known.values()))[0])
    where = {name: curves.where(runs.status(run), past, int(run.settings["epochs"])) for name, (run, past) in known.items()}
    histories = {name: past for name, (_, past) in known.items()}
    going = [name for name, (run, _) in known.items() if run.alive]
    standings = runs.standings(histories, going, higher_is_better=task.higher_is_better)
    option = viz.race(histories, theme)
    scale = ", logarithmic" if option["yAxis"]["type"] == "log" else ""
    return _Picture(
        f"**Loss**, {task.loss_unit}{scale}. Lines: train. Dots: dev, after each epoch.",
        option,
        _headline(standings, task.metric),
        viz.standings(standings, where, task.metric),
    )


def parts(group: Sequence[Run], theme: Theme) -> Iterator[Part]:
    """The same, to be taken away, as it stands when that is asked for."""
    from seqmodels.viz.training.figures import figure

    now = _picture({name: (run, runs.read_history(run)) for name, run in _named(group).items()}, theme)
    yield Words(now.headline)
    yield Html(now.standings)
    yield Words(now.title)
    yield Picture(figure(now.option, theme), _ALT, {"displaylogo": False})


def _headline(standings: runs.Standings, metric: str) -> str:
    """Who leads, and by how much."""
    if standings.lead is None:
        return "**Nobody leads yet.** It is told once two of them have been through an epoch."
    leaders, by = inputs.plain(listed(standings.leaders)), viz.difference(metric, standings.lead)
    if standings.epoch is None:
        return f"**{leaders}** won by {by}." if standings.lead else "**It ended in a tie.**"
    if not standings.lead:
        return f"**A tie** after epoch {standings.epoch}."
    return f"**{leaders}** {'lead' if len(standings.leaders) > 1 else 'leads'} by {by}, after epoch {standings.epoch}."


def _pick(named: Mapping[str, Run]) -> None:
    current.select(named[st.session_state[_PICK]].id)


def _stop(alive: Sequence[Run]) -> None:
    for run in alive:
        messages.attempt("race", partial(runs.command, run, current.owner_key(), Command("stop")))
