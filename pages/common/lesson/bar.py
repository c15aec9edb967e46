"""The bar above every page of the lesson: where one is, what to look at, what to predict, and the way on."""

from __future__ import annotations

import streamlit as st

from pages.common import address, glossary, sheets
from pages.common.lesson import places, progress
from pages.common.lesson.exercises import EXERCISES, Exercise
from pages.common.lesson.places import KEY, PLACES, Opener
from pages.common.lesson.progress import SKIPPED
from pages.common.lesson.steps import STEPS, Step

OVERVIEW = "app.py"
_SHOWN = "lesson-shown"  # in the session's state: whether the exercise counted as solved when the bar was drawn


def bar(path: str, opener: Opener) -> None:
    """Draw the bar on a page, by its path, while the address names a place of the lesson; the Overview has a list instead."""
    name = places.current()
    if path == OVERVIEW or not name:
        st.session_state.pop(_SHOWN, None)
        if path == OVERVIEW:
            progress.stored()
        return
    place = PLACES[name]
    st.html(sheets.sheet("lesson"))
    with st.container(key="lesson", gap="xxsmall"):
        made = isinstance(place, Step) and progress.prediction(place.key) is not None
        progress.stored(f"{name} shown" if made else name)
        with st.expander(f"**{label(name)}** · {place.title}", expanded=True, key=f"lesson-{name}"):
            if path != place.path:
                opener(place.path, places.values(name), f"{label(name)} is on the page {{}}", None)
            elif isinstance(place, Step):
                _step(place)
            else:
                _exercise(place)
        with st.container(horizontal=True, key="lesson-turn", gap="xsmall", vertical_alignment="center"):
            _turns(name, opener)  # last, so that by the tab key *Next* comes right after what a step says


def label(name: str) -> str:
    """What a place is called: 'Step 5 of 12'."""
    kind, number, total = (
        ("Exercise", name.removeprefix("exercise-"), len(EXERCISES)) if "-" in name else ("Step", name, len(STEPS))
    )
    return f"{kind} {number} of {total}"


def show_solved() -> None:
    """Draw the page again where the exercise has been solved since the bar was drawn."""
    here = PLACES.get(address.kept(KEY) or "")
    if isinstance(here, Exercise) and st.session_state.get(_SHOWN) == (here.key, False) and progress.solved(here.key):
        st.session_state[_SHOWN] = (here.key, True)
        st.rerun()


def _turns(name: str, opener: Opener) -> None:
    """The places before and after this one, this one as it was, and the way out."""
    names = list(PLACES)
    at = names.index(name)
    with st.container(key="lesson-previous", width="content"):
        if at:
            opener(PLACES[names[at - 1]].path, places.values(names[at - 1]), "Previous", ":material/chevron_left:")
        else:
            opener(OVERVIEW, {}, "Overview", ":material/chevron_left:")
    with st.container(key="lesson-next", width="content"):
        if at + 1 < len(names):
            opener(PLACES[names[at + 1]].path, places.values(names[at + 1]), "Next", ":material/chevron_right:")
        else:
            opener(OVERVIEW, {}, "Finish", ":material/flag:")
    with st.container(key="lesson-again", width="content"):
        opener(PLACES[name].path, places.values(name), "As it was", ":material/replay:")
    st.button(
        "Leave the lesson", key="lesson-leave", type="tertiary", icon=":material/close:", on_click=address.put, args=({KEY: ""},)
    )


def _step(step: Step) -> None:
    """What a step says; its picture is hidden until the prediction is made. Then a small screen has the words behind a button."""
    words = f"{glossary.linked(step.text)} ${step.formula}$"
    made = progress.prediction(step.key)
    with st.container(key="lesson-words" if made is None else "lesson-words-said"):
        st.markdown(words)
    if made is None:
        sheets.enter("predict-first")
        st.markdown(f"**Predict:** {step.question}")
        with st.container(horizontal=True, gap="xsmall", key="lesson-choices"):
            for number, choice in enumerate(step.choices):
                st.button(choice, key=f"lesson-choice-{number}", on_click=progress.predict, args=(step.key, number))
            st.button("Show me", key="lesson-skip", type="tertiary", on_click=progress.predict, args=(step.key, SKIPPED))
        return
    said = ""
    if 0 <= made < len(step.choices):
        said = "**As you said:** " if made == step.right else f"**You said “{step.choices[made]}”:** "
    with st.container(horizontal=True, gap="xsmall", key="lesson-happens"):
        st.markdown(f"{said}{step.happens} **Now** {step.do}")
        with st.popover("", icon=":material/notes:", help="The step's words and formula", type="tertiary", key="lesson-read-again"):
            st.markdown(words)


def _exercise(exercise: Exercise) -> None:
    """What is to be reached, hints, and whether it is."""
    done = progress.solved(exercise.key)
    st.session_state[_SHOWN] = (exercise.key, done)
    st.markdown(exercise.goal)
    with st.container(horizontal=True, gap="xsmall", key="lesson-hints", vertical_alignment="center"):
        for number, hint in enumerate(exercise.hints, start=1):
            with st.popover(f"Hint {number}", key=f"lesson-hint-{number}"):
                st.markdown(hint)
        if done:
            st.markdown(f":green-badge[:material/check: Done] {exercise.reward}")
