"""Ready-made runs: one click makes them, starts them, and shows the first."""

from __future__ import annotations

import streamlit as st

from pages.training import current, messages
from seqmodels.runs import Run
from seqmodels.runs.presets import PRESETS, Preset, find_preset


def offer() -> None:
    """A button for each preset."""
    with st.container(horizontal=True, gap="small", key="training-examples"):
        for number, preset in enumerate(PRESETS):
            help = f"Look for {preset.look_for}"
            st.button(preset.title, key=f"training-preset-{number}", help=help, on_click=_begin, args=(preset,))
    messages.show("preset")


def explain(run: Run) -> None:
    """What there is to see in a run that a preset has started."""
    preset = find_preset(run.preset)
    if preset is not None:
        st.markdown(f"**What to look for:** {preset.look_for}")


def _begin(preset: Preset) -> None:
    messages.attempt("preset", lambda: _start(preset))


def _start(preset: Preset) -> None:
    """Start all runs of a preset; where there is no room for all at once, the others wait for their turn."""
    from seqmodels.runs import create, start
    from seqmodels.runs.presets import settings_of

    made = settings_of(preset).items()
    runs = [create(settings, current.owner_key(), name=name, preset=preset.key) for name, settings in made]
    current.select(runs[0].id)
    for run in runs:
        start(run, current.owner_key())
