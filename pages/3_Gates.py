"""Gates: see, measure and change what lambda and mu do to a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages import explorer
from pages.common import address, glossary, inputs, lesson, loading, long_texts, page, picking
from pages.explorer import scene as shared
from pages.explorer import selection
from pages.explorer.scene import Scene, View
from seqmodels.viz.palette import PARAGRAPH, SPACE

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

SIDE_BY_SIDE = 3  # models


def main() -> None:
    page.start("Gates")
    look()


@page.body
def look() -> None:
    """A text, and one view of the gates over it."""
    view = explorer.VIEWS[inputs.stated("View", list(explorer.VIEWS), key="view")]
    lead = view.examples[0].state if view.examples else {}
    address.assume(lead)  # while the text is untouched, a view opens on its own best example
    with page.header():
        examples = {example.title: example.state for example in view.examples}
        text = inputs.question(shared.KEYS, examples, action="Look inside", bound=view.bound)
        if text != lead.get(inputs.TEXT):
            address.assume({})
        with page.pickers():
            task = inputs.task(offered(), menu=True)
            names = inputs.given(task, inputs.cells(task, most=SIDE_BY_SIDE))
            turn(view)
            settings = page.settings()
    with page.answer(view.title, text, names):
        answer(view, task, text, names, settings)


def answer(view: View, task: str, text: str, names: Sequence[str], settings: DeltaGenerator) -> None:
    """The view of the text."""
    if inputs.ready(text, names):
        unit = loading.unit_of(names[0])
        text = long_texts.at_most(text, loading.at_once(names, shared.MOST[unit]), unit)
        with st.spinner("Reading"):
            scene = selection.read(view.title, task, text, names, settings, ahead=view.ahead)
        show(view, scene)


def turn(view: View) -> None:
    """The views by what they are for, and the one before and after this one."""
    titles = list(explorer.VIEWS)
    entries = {f"**{one.title}** :gray[{one.group}: {one.asks}]": {"view": one.title} for one in explorer.VIEWS.values()}
    inputs.menu_button(f"View: {view.title}", entries, key="views")
    place = titles.index(view.title)
    for way, icon, step in (("Previous", "chevron_left", -1), ("Next", "chevron_right", 1)):
        to = titles[(place + step) % len(titles)]
        key = f"{way.lower()}-view"
        st.button(f"{way} view", icon=f":material/{icon}:", key=key, help=to, on_click=address.put, args=({"view": to},))


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
    with st.container(key="gates-seen"):
        reading_aid = st.empty()
    reading_aid.markdown(explain(view))
    view.draw(scene)
    reading_aid.markdown(explain(view))  # a view's own inputs, by which an example is known, are drawn by now
    how = [f"**How to read it:** {view.shown.how}"]
    if view.labelled and scene.first.focus.below:
        how.append(f"Under each word: {task.below}.")
    for sentence in how:
        st.caption(glossary.linked(sentence))
    read_by = f"{task.page_title}, read by {', '.join(reading.title for reading in scene.readings)}."
    selection.files(scene, f"{view.title}: {view.asks}", [f"> {inputs.plain(scene.text)}", read_by, explain(view), *how])
    lesson.check("scene", scene)


def explain(view: View) -> str:
    """What there is to see: in the example that is open, else in any text. On a stage, where no menu does, it names the view."""
    opened = shared.opened(view.examples)
    named = f"{view.title} · " if address.kept(page.STAGE) else ""
    return f"**{named}{opened.title}:** {opened.sees}" if opened else f"**{named}What to look for:** {view.shown.look_for}"


page.run(main)
