"""Gates: see, measure and operate on what lambda and mu do to a sentence."""

from __future__ import annotations

import streamlit as st

from pages import explorer
from pages.common import inputs, loading, page
from pages.explorer import picking, selection
from pages.explorer import scene as shared
from pages.explorer.scene import Scene, View
from seqmodels.viz.palette import PARAGRAPH, SPACE

DEFAULT = "The keys to the cabinet in the old office near the two big doors are on the table."
SIDE_BY_SIDE = 3  # models


def main() -> None:
    page.start("Gates")
    st.title("Gates")
    with st.container(gap="xsmall"):  # the picture is to be in sight at once
        st.markdown(
            "At each word, every unit **keeps** a share μ of its memory and **writes** a share λ of new content F: "
            "memory ← μ · memory + λ · F."
        )
        typed, ready_made = st.columns([3, 2], gap="medium")
        with typed:
            text = inputs.sentence(DEFAULT, height=68)
        controls = st.container(horizontal=True, gap="xsmall", key="gates-controls")
        with controls:
            task = inputs.task(offered())
            names = inputs.cells(task, most=SIDE_BY_SIDE)
        title = inputs.choice("View", list(explorer.VIEWS), key="view", label_visibility="collapsed")
        view = explorer.VIEWS[title]
        with ready_made:
            shared.offer(view.examples)
        if inputs.ready(text, names):
            text = inputs.at_most(text, shared.MOST[loading.unit_of(names[0])], loading.unit_of(names[0]))
            with controls:
                names = inputs.given(task, names)
            with controls, st.spinner("Reading"):
                scene = selection.read(title, task, text, names, ahead=view.ahead)
            show(view, scene)


def offered() -> list[str]:
    """The tasks that read a text and are shipped, or that you have a model of."""
    from seqmodels.tasks import TASKS, tasks_that_predict

    readers = (*tasks_that_predict("tags"), *tasks_that_predict("next token"))
    return [name for name in readers if TASKS[name].shipped or loading.available(name)]


def show(view: View, scene: Scene) -> None:
    """The words to select from, how to read the pictures, the pictures, and the numbers behind them as files."""
    from seqmodels.tasks import TASKS

    task = TASKS[scene.task]
    if task.unit == "character":
        st.caption(
            f"These models read characters: where this page says *word*, it is one character. {SPACE} is a space, "
            f"{PARAGRAPH} is `<eos>`."
        )
    selection.words(scene)
    picking.listen(selection.select)
    reading_aid = st.empty()
    reading_aid.markdown(explain(view))
    view.draw(scene)
    reading_aid.markdown(explain(view))  # a view's own inputs, by which an example is known, are drawn by now
    if view.labelled and scene.first.focus.below:
        st.caption(f"Under each word: {task.below}.")
    selection.files(scene)


def explain(view: View) -> str:
    """How to read the pictures, and what there is to see: in the example that is open, else in any text."""
    opened = shared.opened(view.examples)
    seen = f"**{opened.title}:** {opened.sees}" if opened else f"**What to look for:** {view.shown.look_for}"
    return f"**How to read it:** {view.shown.how}  \n{seen}"


page.run(main)
