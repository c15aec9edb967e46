"""Overview: what this is, the law behind every cell, and a sentence that is already read."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.common import inputs, lesson, loading, long_texts, page, shown, takeaway
from pages.common.page import Page
from seqmodels.viz import law, tags
from seqmodels.viz.palette import LAM, MU

SENTENCE = "Will they record a new record, or will they play the play again?"
EXAMPLES = (
    SENTENCE,
    "The old man the boat.",
    "Time flies like an arrow, but fruit flies like a banana.",
    "The keys to the cabinet in the old office are on the table.",
)
TOLD = "*Record* and *play* come twice, spelled alike, once to do, once to have: only the words around them tell which. "
MOST = 200  # words: a glance


@page.body
def read() -> None:
    """A sentence with its tags, and the gates of the unit in which they move most."""
    with page.header():
        text = inputs.question(SENTENCE, {one: {inputs.TEXT: one} for one in EXAMPLES}, action="Read")
    with page.answer(text):
        show_answer(text)


def show_answer(text: str) -> None:
    """What the first tagger says of it."""
    found = loading.available("pos")
    if not found:
        st.info("There are no models yet. `make checkpoints` trains them.")
        return
    if not inputs.ready(text, found):
        return
    from seqmodels.traces import liveliest

    text = long_texts.at_most(text, MOST)
    name = "pos-gru" if "pos-gru" in found else found[0]
    tagging, gates = loading.tag(name, text), loading.trace(name, text)
    forward = gates.layers[0]
    unit = liveliest(forward)
    rows = [tags.Row("keep μ", forward.mu[:, unit], MU), tags.Row("write λ", forward.lam[:, unit], LAM)]
    shown.html(tags.strip([tagging], rows=rows))
    told = TOLD if text == SENTENCE else ""
    with st.container(horizontal=True, vertical_alignment="center", key="overview-told"):
        shown.caption(
            f"{told}Below the tags: how much unit {unit}, whose gates move most here, :blue[keeps] and :orange[writes] at each "
            "word. Hover, tap or tab to a word for its three best tags."
        )
        takeaway.menu("overview", "A sentence, read", key="overview-take-away")


def card(name: str, pages: Sequence[Page]) -> None:
    """A page and what it is for, or the pages of a section."""
    with st.container(border=True, width=150, gap="xxsmall", key=f"overview-card-{name.lower().replace(' ', '-')}"):
        if len(pages) == 1 and pages[0].title == name:
            st.page_link(pages[0].path, label=f"**{name}**", icon=pages[0].icon)
            st.caption(pages[0].summary)
            return
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="overview-section"):
            st.markdown(f"**{name}**", width="content")
            for one in pages:
                st.page_link(one.path, label=one.title, icon=one.icon, help=one.summary)


def lead() -> None:
    """The way into the lesson, and back to where one was."""
    done = [step for step in lesson.STEPS if lesson.went(step.key)]
    asked = lesson.current()
    here = asked or next((name for name, place in lesson.PLACES.items() if not passed(place)), "1")
    label = f"Go on: {lesson.label(here).lower()}" if done or asked else "Start the lesson"
    with st.container(horizontal=True, key="overview-lead", gap="small", vertical_alignment="center"):
        st.caption(f"{len(lesson.STEPS)} steps, {len(lesson.EXERCISES)} exercises", width="content")
        with st.container(key="overview-start", width="content"):
            to_place(here, label, ":material/school:")


def tour() -> None:
    """Every step and exercise of the lesson, and which are done."""
    st.header("The lesson", anchor=False)
    st.caption("From the plain network to LSTM in the order of the chapter: at each step a guess, before you see what happens.")
    for key, places, title in (("steps", lesson.STEPS, "Steps"), ("exercises", lesson.EXERCISES, "Exercises")):
        names = [name for name, place in lesson.PLACES.items() if place in places]
        done = sum(passed(lesson.PLACES[name]) for name in names)
        st.markdown(f"**{title}**, {done} of {len(names)} done")
        with st.container(key=f"overview-{key}"):
            for number, name in enumerate(names, start=1):
                place = lesson.PLACES[name]
                icon = ":material/check_circle:" if passed(place) else ":material/radio_button_unchecked:"
                to_place(name, f"{number}. {place.title}", icon)
    if any(map(passed, lesson.PLACES.values())):
        st.button("Begin anew", key="overview-restart", type="tertiary", icon=":material/restart_alt:", on_click=lesson.restart)


def passed(place: lesson.Step | lesson.Exercise) -> bool:
    """Whether a step has been seen, or an exercise is done."""
    return lesson.went(place.key) if isinstance(place, lesson.Step) else lesson.solved(place.key)


def to_place(name: str, label: str, icon: str) -> None:
    """A link to a place of the lesson."""
    place = lesson.PLACES[name]
    page.link(place.path, lesson.values(name), label=label, icon=icon, fresh=True)


def main() -> None:
    page.start("Overview", "See how a gated network reads a sentence")
    lead()
    top = st.container()
    st.html(law.law())
    with st.container(horizontal=True, gap="small", key="overview-pages"):
        for name, pages in list(page.menu().items())[1:]:
            card(name, pages)
    st.markdown(
        "A recurrent network reads a text word by word and carries a memory along. At each word, and for each unit of that memory, "
        "it decides how much of the old to :blue[**keep**] and how much of the new to :orange[**write**]. Elman, GRU, LSTM and "
        "their relatives look different, but each is this one update with other gates."
    )

    tour()
    st.header("The cells", anchor=False)
    st.html(law.cells_table())
    st.caption(
        "x is the word, h the output one word before, ∘ a product unit by unit; z, r, f, i and o are sigmoids of x and h, "
        "in minGRU of x alone. Rao & McMahan's chapter calls the ungated sum h = h + F the plain network; most textbooks call "
        "Elman's plain. The models are small, trained on real text, and run right here: nothing that you type is sent elsewhere."
    )

    # last, because the first visitor of a fresh server waits here for torch, with the page around it already on screen
    with top:
        read()


page.run(main)
