"""Ready-made runs: one click makes them, starts them, and shows the first."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.common import inputs
from pages.training import current, messages
from seqmodels.runs import Run
from seqmodels.runs.presets import PRESETS, Preset, find_preset

_MENU = "training-examples-menu"
_ASKED = "training-asked"  # in the session's state: the key of the preset that was pressed while another run was going


def offer(run: Run | None) -> None:
    """A button for each preset: in a menu where a run is on screen, beside what there is to see in it if a preset has started it.

    What becomes of runs that are going is asked.
    """
    if run is None:
        with st.container(horizontal=True, gap="xsmall", key="training-examples"):
            _buttons()
    else:
        preset = find_preset(run.preset)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="training-intro"):
            with st.popover("Ready-made runs", icon=":material/play_circle:", key=_MENU, on_change="rerun"):
                _buttons()
            if preset is not None:
                st.markdown(f"**What to look for:** {preset.look_for}")
    _ask()
    messages.show("preset")


def _buttons() -> None:
    for number, preset in enumerate(PRESETS):
        help = f"Look for {preset.look_for}"
        st.button(preset.title, key=f"training-preset-{number}", help=help, on_click=_begin, args=(preset,))


def names(found: Sequence[Run]) -> str:
    """The names of runs in a sentence: three of them, and how many more there are."""
    shown = [f"**{inputs.plain(current.name_of(run))}**" for run in found[:3]]
    if len(found) > len(shown):
        shown.append(f"{len(found) - len(shown)} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _begin(preset: Preset) -> None:
    if _MENU in st.session_state:
        st.session_state[_MENU] = False  # closed, so that it covers nothing
    if current.going() and not current.just_begun(preset.key):
        st.session_state[_ASKED] = preset.key
    else:
        messages.attempt("preset", lambda: _start(preset))


def _ask() -> None:
    """What becomes of the runs that are going, when another preset is pressed."""
    preset = find_preset(st.session_state.get(_ASKED))
    going = current.going() if preset else []
    if preset is None or not going:
        return
    with st.container(border=True, key="training-asked"):
        st.markdown(f"{names(going)} {'is' if len(going) == 1 else 'are'} still going. What about *{preset.title}*?")
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Stop it and start" if len(going) == 1 else "Stop them and start",
                key="training-asked-stop",
                type="primary",
                icon=":material/stop_circle:",
                help="What is stopped keeps its best weights.",
                on_click=_answer,
                args=(preset, going),
            )
            st.button(
                "Start it as well",
                key="training-asked-both",
                help="It waits for its turn if there is no room for both.",
                on_click=_answer,
                args=(preset, ()),
            )
            st.button("Not now", key="training-asked-no", on_click=_answer, args=(None, ()))


def _answer(preset: Preset | None, to_stop: Sequence[Run]) -> None:
    asked = st.session_state.pop(_ASKED, None)
    if preset is not None and asked is not None:  # else a second click, which came before the first had taken the button away
        messages.attempt("preset", lambda: _start(preset, to_stop))


def _start(preset: Preset, to_stop: Sequence[Run] = ()) -> None:
    """Start all runs of a preset, after these have been told to stop."""
    from seqmodels.runs.presets import settings_of

    current.begin(settings_of(preset), preset=preset.key, to_stop=to_stop)
