"""Who is looking, and which run is on screen: the address names it, so that a link shows the same run to others."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import address, inputs
from pages.common.server import FORGET, VISITOR
from seqmodels.environment import environment
from seqmodels.runs import Run, find_run, list_runs, may_control

if TYPE_CHECKING:
    from seqmodels.runs.settings import Settings

RUN, RECORDED = "run", "recorded"  # of the address: the id of the run on screen, or this for the two that were recorded
TAB, OWN_TAB = "training-tab", "Train your own"  # of the tabs below the run: their key, and the one with the form
_OWNER = "training-owner"  # in the session's state, never in the address: who has it may stop the runs
_Found = tuple[Run | None, str | None, bool]  # a run; what was wrong with the address; whether it asks for the recorded ones
_NOTHING: _Found = (None, None, False)
_MISSING = "training-missing"  # in the session's state: what was wrong with the address, and the run shown in place of its own


def owner_key() -> str:
    """What makes the runs started in this browser its own; where it keeps no cookie, those of this session."""
    return st.context.cookies.get(VISITOR) or str(st.session_state.setdefault(_OWNER, secrets.token_urlsafe(24)))


def remembered() -> None:
    """By what a browser's runs stay its own, and how to end that."""
    if VISITOR in st.context.cookies and not environment().single_user:
        st.html(
            "<p>A cookie keeps your runs yours, after a reload and in every tab of this browser. "
            f'<a href="{FORGET.removeprefix("/")}" target="_self">Forget me</a>, and you can only watch them.</p>'
        )


def select(run_id: str) -> None:
    """Show this run."""
    address.keep(RUN, run_id)


def begin(named: Mapping[str, Settings], *, preset: str | None = None, to_stop: Sequence[Run] = ()) -> None:
    """Start a run of each settings, by its name, after some were told to stop. Several go side by side and are shown together."""
    from seqmodels.runs import Command, command, create, start

    key = owner_key()
    for run in to_stop:
        if run.alive:
            command(run, key, Command("stop"))
    group = secrets.token_hex(8) if len(named) > 1 else None
    made = [create(settings, key, name=name, preset=preset, group=group) for name, settings in named.items()]
    select(made[0].id)
    for run in made:
        start(run, key)


def selected() -> Run | None:
    """The run that the address names, else the one shown before, else the newest; None for the recorded ones, and where none is."""
    by_link = address.leads(RUN)
    (found, problem, recorded), _ = address.recall(RUN, _NOTHING, _find)
    if recorded:
        address.keep(RUN, RECORDED)
        return None
    if found is None:
        found = next(filter(_is_sound, list_runs()), None)
    shown = None if found is None else found.id
    if problem is not None:
        why = problem if by_link else "The run that was here has been deleted."
        st.session_state[_MISSING] = (why, shown)
    why, instead = st.session_state.get(_MISSING, ("", None))
    if why and instead == shown:
        st.warning(f"{why} You see {'two that were recorded' if shown is None else 'the newest one'}.", icon=":material/link_off:")
    else:
        st.session_state.pop(_MISSING, None)
    address.keep(RUN, shown)
    return found


def going() -> list[Run]:
    """The visitor's runs that have a process, or wait for their turn, in the order of their start."""
    return [run for run in reversed(list_runs()) if may_control(run, owner_key()) and run.alive]


def listed() -> list[Run]:
    """All runs whose settings can be read, newest first; with a note where there are others."""
    sound: list[Run] = []
    damaged: list[Run] = []
    for run in list_runs():
        (sound if _is_sound(run) else damaged).append(run)
    if damaged:
        ids = ", ".join(run.id for run in damaged)
        st.caption(f":material/heart_broken: Not listed, for their settings cannot be read: {ids}")
    return sound


def _find(said: Sequence[str]) -> tuple[_Found, bool]:
    """The run that an address names or what is wrong with it, and whether it can be shown."""
    if not said[-1]:
        return _NOTHING, True
    if said[-1] == RECORDED:
        return (None, None, True), True
    try:
        found = find_run(said[-1])
    except ValueError as problem:
        return (None, f"There is {inputs.plain(str(problem))}.", False), False
    if not _is_sound(found):
        return (None, "The settings of the run in this address cannot be read.", False), False
    return (found, None, False), True


def _is_sound(run: Run) -> bool:
    """Whether all settings that this version knows are there, and right: someone may have changed the file."""
    from seqmodels.runs.settings import default_settings, from_flat, to_flat

    try:
        known = to_flat(default_settings(str(run.settings["task"])))
        from_flat({name: run.settings[name] for name in known})
    except (ValueError, KeyError):
        return False
    return True
