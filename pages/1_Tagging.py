"""Tagging: parts of speech and entities in the visitor's own text, model beside model."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import streamlit as st

from pages.common import inputs, lesson, loading, long_texts, page, shown, takeaway
from pages.common.inputs import Example
from seqmodels import export
from seqmodels.viz import law, tags
from seqmodels.viz.format import counted, percent, unbroken

if TYPE_CHECKING:
    from seqmodels.inference import Tagging

WORDS_A_PAGE = 240  # as many as a browser lays out at once without a pause
MOST_ENTITIES = 100  # on screen
MOST = 20_000  # words: three models read them in some four seconds
SIDE_BY_SIDE = 3  # models
POS, NER = {"task": "pos"}, {"task": "ner"}
EXAMPLES = (
    Example(
        "Garden path",
        "The old man the boat.",
        "*Man* is the verb here: the old are those who man the boat. Most readers stumble, and so do all three models: a noun, "
        "they say, at 61 to 77 %.",
        POS,
    ),
    Example(
        "One word, two jobs",
        "They refuse to permit us to obtain the refuse permit.",
        "*Refuse* and *permit* are each a verb first and a noun second. The word is the same, and all three models see it by "
        "what stands around it.",
        POS,
    ),
    Example(
        "A headline",
        "Ford Recalls Trucks After Fires",
        "Every word has a capital, as only names have elsewhere. All three models know *Ford* for the one name, and *Recalls* for "
        "the verb.",
        POS,
    ),
    Example(
        "Fruit flies",
        "Time flies like an arrow, but fruit flies like a banana.",
        "*Flies* is a verb, then a noun, and *like* a preposition (ADP), then a verb. No model follows: at the second *flies* they "
        "still say a verb, at 72 to 89 %, and at the second *like* a preposition, at 96 to 98 %.",
        POS,
    ),
    Example(
        "People and places",
        "Angela Merkel met Emmanuel Macron in Strasbourg before the European Parliament voted.",
        "All three models find both persons, the city and the parliament. GRU is sure of *Strasbourg*, at 96 %, and LSTM at 89 %.",
        NER,
    ),
    Example(
        "Is it a place?",
        "George Washington never saw Washington, and Jordan Peele never saw Jordan.",
        "*Washington* and *Jordan* are names of persons and of places. Elman and GRU tell all four apart; to LSTM the second "
        "*Washington* is a person too, but it is not sure, at 39 %.",
        NER,
    ),
    Example(
        "Misspelled",
        "Teh presidnet definately recieved teh lettr yestreday, thx!!",
        "*Presidnet*, *lettr* and *yestreday* are in no word list of the models, which read the letters too.",
        POS,
    ),
    Example(
        "Far apart",
        "Have they taken it? Have the students who failed the exam taken it again?",
        "Both times *taken* makes *have* an auxiliary (AUX). Two words away, all three models see it, at 97 to 99 %. Seven words "
        "away none does: a verb, they say, at 94 to 97 %.",
        POS,
    ),
    Example(
        "Nonsense",
        "'Twas brillig, and the slithy toves did gyre and gimble in the wabe.",
        "Invented words: only their endings and their places tell what they are.",
        POS,
    ),
)
LEAD = EXAMPLES[1]


def main() -> None:
    page.start("Tagging")
    read()


@page.body
def read() -> None:
    """A text, and its tags by each model."""
    with page.header():
        above = st.container()  # the text stands over the task, by which it is chosen until something is typed
        from seqmodels.tasks import tasks_that_predict  # brings torch: the page's frame is on screen by now

        with page.pickers():
            task = inputs.task(tasks_that_predict("tags"))
            names = inputs.cells(task, most=SIDE_BY_SIDE)
        usual = next((one.text for one in (LEAD, *EXAMPLES) if one.state["task"] == task), LEAD.text)
        with above:
            text = inputs.question(usual, inputs.texts(EXAMPLES), action="Tag")
    with page.answer(text, names, reason=inputs.reason(EXAMPLES)):
        if inputs.ready(text, names):
            text = long_texts.at_most(text, loading.at_once(names, MOST))
            with st.spinner("Reading a long text") if len(text) > loading.LONG else nullcontext():
                taggings = [loading.tag(name, text) for name in names]
            show(taggings)


def show(taggings: list[Tagging]) -> None:
    """The strip and its legend, then the detail."""
    first = taggings[0]
    from seqmodels.inference import differences

    differing = differences(taggings)
    shown.html(tags.strip(taggings, window(first)))
    shown.caption(summary(taggings, len(differing)))
    shown.html(tags.legend(taggings))
    if first.of_spans:
        entities(taggings)
    detail(taggings, differing)
    lesson.check("taggings", taggings)


def summary(taggings: list[Tagging], differing: int) -> str:
    """What the strip holds, in one line."""
    first = taggings[0]
    words = f"{counted(len(first.tokens), 'token')} in {counted(len(first.sentences), 'sentence')}"
    if any("\n" in first.text[first.tokens[start].start : first.tokens[end - 1].end] for start, end in first.sentences):
        words += " (a line break ends none, a blank line does)"
    if len(taggings) == 1:
        return f"{words}, read by {title(first)}. Hover, tap or tab to a word for its three best tags."
    rows = ", ".join(map(title, taggings))
    agree = f"They differ on {counted(differing, 'token')}" if differing else "They agree on all"
    return f"{words}. Rows from the top: {rows}. {agree}. Hover, tap or tab to a word for the three best tags of each."


def title(tagging: Tagging) -> str:
    return law.title(tagging.cell, tagging.model)


def window(tagging: Tagging) -> tuple[int, int]:
    """The part of a long text that is on screen, with a pager where there are more."""
    parts = tagging.windows(WORDS_A_PAGE)
    if len(parts) == 1:
        return parts[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        number = st.pagination(len(parts), key=f"tagging-part-{len(parts)}")
        first, last = parts[number - 1]
        st.caption(f"Words {first + 1:,} to {last:,} of {len(tagging.tokens):,} are shown. The table and the files hold all.")
    return first, last


def entities(taggings: list[Tagging]) -> None:
    """The entities found, by model."""
    for tagging in taggings:
        listed, beyond = tagging.entities[:MOST_ENTITIES], len(tagging.entities) - MOST_ENTITIES
        # an entity may go on in the next line
        names = [inputs.plain(" ".join(entity.text.split())) for entity in listed]
        told = [unbroken(f"{entity.label} {percent(entity.probability)}") for entity in listed]
        found = [f"**{name}** {what}" for name, what in zip(names, told, strict=True)]
        more = f" · and {beyond:,} more in the files" if beyond > 0 else ""
        shown.markdown(f"{title(tagging)}: " + (" · ".join(found) or "no entities found") + more)


def detail(taggings: list[Tagging], differing: list[int]) -> None:
    """What can be taken away, and a table of every token."""
    from seqmodels.tasks import TASKS

    stem = f"{taggings[0].task}-{'-'.join(tagging.label for tagging in taggings)}"
    takeaway.menu(stem, f"Tagging: {TASKS[taggings[0].task].title}", files=files(taggings, stem), key="tagging-take-away")
    with inputs.expander("Table", key="table") as place:
        if place.open:
            table(taggings, differing)


def table(taggings: list[Tagging], differing: list[int]) -> None:
    """Every token, or those on which the models differ."""
    only = len(taggings) > 1 and st.toggle("Only where the models differ", key="tagging-only", disabled=not differing)
    rows = export.token_rows(taggings)
    if only and differing:
        rows = [rows[position] for position in differing]
    columns: dict[str, Any] = {}
    for tagging in taggings:
        columns[f"{tagging.label}_tag"] = st.column_config.TextColumn(title(tagging))
        columns[f"{tagging.label}_probability"] = st.column_config.ProgressColumn(
            f"{title(tagging)}: probability", format="percent", min_value=0, max_value=1
        )
    columns = {"token": st.column_config.TextColumn("Token")} | columns
    lines = pa.Table.from_pylist(rows)  # pandas would take six times as long
    st.dataframe(lines, column_config=columns, column_order=list(columns), hide_index=True, height=min(420, 38 + 35 * len(rows)))


def files(taggings: list[Tagging], stem: str) -> list[takeaway.File]:
    """The same to save: all models together, and each in the format of treebanks."""
    found = [
        takeaway.File("Table as CSV", partial(export.to_csv, taggings), f"{stem}.csv", "text/csv"),
        takeaway.File("Table as JSON", partial(export.to_json, taggings), f"{stem}.json", "application/json"),
    ]
    for tagging in taggings:
        label = "Tags as CoNLL-U" if len(taggings) == 1 else f"Tags of {title(tagging)} as CoNLL-U"
        name = f"{tagging.task}-{tagging.label}.conllu"
        found.append(takeaway.File(label, partial(export.to_conllu, tagging), name, "text/plain"))
    return found


page.run(main)
