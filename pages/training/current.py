"""Who is looking, and which run is on screen: the address names it, so that a link shows the same run to others."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import address, inputs
from pages.common.server import FORGET, VISITOR
from seqmodels.environment import environment
from seqmodels.runs import DamagedRunError, Run, Upload, find_run, group_of, list_all, list_runs, may_control, may_see

if TYPE_CHECKING:
    from seqmodels.runs.settings import Settings

RUN, RECORDED = "run", "recorded"  # of the address: the id of the run on screen, or this for the two that were recorded
TAB, OWN_TAB = "training-tab", "Train your own"  # of the tabs below the run: their key, and the one with the form
_OWNER = "training-owner"  # in the session's state, never in the address: who has it may stop the runs
_BEGUN = "training-begun"  # in the session's state: what was begun last, and when
MOMENT = 1.0  # seconds after a start within which the same again is the second click of two, made before the page has answered
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


def begin(
    named: Mapping[str, Settings], *, preset: str | None = None, upload: Upload | None = None, to_stop: Sequence[Run] = ()
) -> None:
    """Start a run of each settings, by its name, after some were told to stop. Several go side by side and are shown together.

    Where one of them cannot be made or started, none is left. What was just begun is not begun again.
    """
    from seqmodels.runs import Command, check_places, command, create, delete, start

    what = preset or (dict(named), upload and upload.name)
    if just_begun(what):
        return
    key = owner_key()
    check_places(key, len(named))
    for run in to_stop:
        if run.alive:
            command(run, key, Command("stop"))
    group = secrets.token_hex(8) if len(named) > 1 else None
    made: list[Run] = []
    try:
        for name, settings in named.items():
            made.append(create(settings, key, name=name, preset=preset, group=group, upload=upload))
        for run in made:
            start(run, key)
    except Exception:
        for run in made:
            with suppress(ValueError):  # what failed first is to be said
                delete(run, key)
        raise
    select(made[0].id)
    st.session_state[_BEGUN] = (what, time.monotonic())


def just_begun(what: object) -> bool:
    """Whether the same, a preset's key or settings by name, was begun a moment ago."""
    before, when = st.session_state.get(_BEGUN, (None, 0.0))
    return bool(before == what and time.monotonic() - when < MOMENT)


def selected() -> Run | None:
    """The run that the address names, else the one shown before, else the newest; None for the recorded ones, and where none is."""
    by_link = address.leads(RUN)
    (found, problem, recorded), _ = address.recall(RUN, _NOTHING, _find)
    if recorded:
        address.keep(RUN, RECORDED)
        return None
    if found is None:
        found = next(filter(_shown, list_runs()), None)
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


def listed() -> tuple[list[Run], list[Run]]:
    """The runs that this visitor may see, newest first, and those that are damaged; with a note where others are private."""
    sound: list[Run] = []
    damaged: list[Run] = []
    private = 0
    for run in list_all():
        problem = run.problem or settings_problem(run)
        if problem:
            damaged.append(replace(run, problem=problem))
        elif may_see(run, owner_key()):
            sound.append(run)
        else:
            private += 1
    if private:
        st.caption(f":material/lock: Not listed: {private} private, of others who let a network learn from files of their own.")
    return sound, damaged


def find(run_id: str) -> Run:
    """The run of that id. ValueError says why it cannot be shown, in Markdown."""
    try:
        found = find_run(run_id)
        problem = settings_problem(found)
    except DamagedRunError as error:
        found, problem = error.run, error.run.problem
    except ValueError as error:
        raise ValueError(f"There is {inputs.plain(str(error))}.") from None
    if not may_see(found, owner_key()):
        raise ValueError("The run in this address is private: it learns from a file of someone else's.")
    if problem is not None:
        why = f": {inputs.plain(problem)}" if may_control(found, owner_key()) else ""
        raise ValueError(f"The run in this address is damaged and cannot be read{why}.")
    return found


def together(run: Run) -> list[Run]:
    """The runs that were started with a run, itself among them, but for those that cannot be shown."""
    return [one for one in group_of(run) if one.id == run.id or _shown(one)]


def name_of(run: Run) -> str:
    """What a run is called to this visitor."""
    return run.name if may_see(run, owner_key()) else "a private run"


def _find(said: Sequence[str]) -> tuple[_Found, bool]:
    """The run that an address names or what is wrong with it, and whether it can be shown."""
    if not said[-1]:
        return _NOTHING, True
    if said[-1] == RECORDED:
        return (None, None, True), True
    try:
        return (find(said[-1]), None, False), True
    except ValueError as problem:
        return (None, str(problem), False), False


def _shown(run: Run) -> bool:
    return may_see(run, owner_key()) and settings_problem(run) is None


def settings_problem(run: Run) -> str | None:
    """What is wrong with the settings, of which all that this version knows have to be there: someone may have changed the file."""
    return _settings_problem(json.dumps(dict(run.settings)))


@lru_cache(1024)  # a check takes a millisecond, and a page may list hundreds of runs
def _settings_problem(written: str) -> str | None:
    from seqmodels.runs.settings import default_settings, from_flat, to_flat

    settings = json.loads(written)
    try:
        known = to_flat(default_settings(str(settings["task"])))
        values = {name: settings[name] for name in known}
        read = to_flat(from_flat(values))
    except KeyError as error:
        return f"a setting is missing: {error.args[0]}"
    except ValueError as error:
        return str(error)
    wrong = next((name for name, value in values.items() if read[name] != value), None)
    return None if wrong is None else f"{wrong} is {values[wrong]!r:.60}, which is of another type"
