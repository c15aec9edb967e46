"""Units: which unit of a model follows quotations, or anything else, and the passages that open and shut its gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from pages.common import address, inputs, lesson, loading, page, shown, takeaway
from pages.common.caching import cached_by_model
from seqmodels.corpora import excerpts
from seqmodels.viz.format import duration

if TYPE_CHECKING:
    from seqmodels.traces import SearchedGate, TracedText
    from seqmodels.viz.gates import Measure

TEXTS = {"Fairy tales": "fairytales", "State of the Union": "sotu"}
ANYTHING, WORDS, EXAMPLE = "anything", "words of yours", "he she"
OF_WORDS = "= "  # stands before words, where else there is the title of a property
UNIT = "unit"  # of the address
SHOWN = 4  # passages of a kind
LISTED = 400  # pixels
CLEAR = 0.1  # of r: below it a unit follows nothing
HOW = (
    "the passages in which this unit's memory moves most, each read from an empty memory; behind a word, its {measure} after that "
    "word. r is the correlation of the memory with the property over all tokens: −1 or 1 is perfect, and the sign says only which "
    "way round. It says what a unit follows, not that the model needs it."
)


def main() -> None:
    page.start("Units")
    with page.header(), page.pickers():
        task = inputs.task(offered(), menu=True)
        name = inputs.choice(
            "Model", loading.available(task), key="model", default=usual(task), show=loading.title, menu=True, compact=True
        )
        wanted = asked()
        settings = page.settings()
    with settings:
        source = inputs.choice("Passages", list(TEXTS), key="passages", default=home(task))
        layer, direction = side(name)
        measure = inputs.choice("Colour by", ["memory", "keep", "write"], key="colour")
    with page.answer(task, name, source, layer, direction):
        with st.spinner(f"{loading.title(name)} reads the passages, once"):
            text = read(name, TEXTS[source], layer, direction)
        draw(task, name, text, wanted, source, measure)


def offered() -> list[str]:
    """The tasks that read a text and begin with no condition; first those that have learned from the tales, where dialogue is."""
    from seqmodels.tasks import TASKS, tasks_that_predict

    names = [*tasks_that_predict("next token"), *tasks_that_predict("tags")]
    found = [name for name in names if (models := loading.available(name)) and not loading.conditions(models[:1])]
    return sorted(found, key=lambda name: excerpts.NAMES[0] not in TASKS[name].corpora)


def usual(task: str) -> str:
    """The model that is picked at first."""
    return next((name for name in inputs.usual_cells(task) if name.endswith("gru")), loading.available(task)[0])


def home(task: str) -> str:
    """The passages that are most like what the task's models have learned from."""
    from seqmodels.tasks import TASKS

    return next((title for title, name in TEXTS.items() if name in TASKS[task].corpora), next(iter(TEXTS)))


def side(name: str) -> tuple[int, str]:
    """The layer and direction to look at; asked for where there are several."""
    from seqmodels.traces.units import sides_of

    sides = sides_of(loading.checkpoint(name))
    if len(sides) == 1:
        return sides[0]
    return inputs.choice("Layer", sides, key="side", show=lambda one: f"{one[0] + 1}, {one[1]}")


def asked() -> list[str]:
    """What a unit should follow: titles of properties, or words."""
    from seqmodels.traces.units import PROPERTIES

    picked = inputs.choice(
        "Units that", [ANYTHING, *PROPERTIES, WORDS], key="that", show=lambda one: f"follow {one}", also=lambda one: [one],
        menu=True, compact=True, width=250,
    )  # fmt: skip
    if picked == WORDS:
        typed = inputs.line("Words, apart by spaces", key="words", default=EXAMPLE, width=180)
        return [f"{OF_WORDS}{typed if typed.strip() else EXAMPLE}"]
    return list(PROPERTIES) if picked == ANYTHING else [picked]


@cached_by_model
def read(name: str, source: str, layer: int, direction: str) -> TracedText:
    """An excerpt as a model read it, each passage on its own."""
    from seqmodels.inference import accept
    from seqmodels.traces import trace_passages

    passages: Sequence[Sequence[str]] = excerpts.excerpt(source)
    if loading.unit_of(name) == "character":
        passages = [list(accept("", words)) for words in passages]
    return trace_passages(loading.checkpoint(name), passages, layer, direction)


@cached_by_model
def following(name: str, source: str, layer: int, direction: str, wanted: tuple[str, ...]) -> Any:
    """(units, properties): r of each unit with each property, by its title, or with words."""
    from seqmodels.traces.units import PROPERTIES, any_of, follows

    text = read(name, source, layer, direction)
    return follows(text, [PROPERTIES.get(one) or any_of(one.removeprefix(OF_WORDS).split()) for one in wanted])


@cached_by_model
def profile_of(name: str, source: str, layer: int, direction: str) -> Any:
    """Half-lives and saturation of all units."""
    from seqmodels.traces.units import profile

    return profile(read(name, source, layer, direction))


def draw(task: str, name: str, text: TracedText, wanted: Sequence[str], source: str, measure: str) -> None:
    """The unit, its passages beside the list of all units, and below them the moments of its gates and those like it."""
    import numpy as np

    found = following(name, TEXTS[source], text.layer, text.direction, tuple(wanted))
    best = np.abs(found).argmax(axis=1)
    strongest = found[np.arange(len(found)), best]
    order = np.argsort(-np.abs(strongest), kind="stable")
    lesson.check("units", ([one for one in wanted if one.startswith(OF_WORDS)], strongest[order[0]]))
    unit = chosen(len(found), int(order[0]))
    traits = profile_of(name, TEXTS[source], text.layer, text.direction)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        shown.markdown(heading(unit, title(wanted[best[unit]]), strongest[unit], int(np.flatnonzero(order == unit)[0])))
        passages(text, unit, measure)
    with right:
        table(order, [title(wanted[at]) for at in best], strongest, traits, unit)
    shown.explain(f"**How to read it:** {HOW.format(measure=measure)}")
    shown.explain(described(unit, traits))
    moments(text, unit)
    alike(task, name, text, unit, source)
    with st.container(key="units-files"):
        takeaway.menu(f"{name}-unit-{unit}", f"{loading.title(name)}, unit {unit}", key="units-take-away")


def title(wanted: str) -> str:
    """A property as it is shown."""
    return wanted.removeprefix(OF_WORDS)


def chosen(units: int, usual: int) -> int:
    """The unit in the address, else the one that follows best."""

    def known(said: Sequence[str]) -> tuple[int | None, bool]:
        good = said[-1].isascii() and said[-1].isdigit() and int(said[-1][:9]) < units
        return (int(said[-1]) if good else None), good

    by_link = address.leads(UNIT)
    unit, good = address.recall(UNIT, None, known)
    if by_link and not good:
        st.caption(f":material/link_off: This link asks for a unit that is not here: the last one is {units - 1}.")
    if unit is not None and unit >= units:
        unit = None
    address.keep(UNIT, unit, None)
    return usual if unit is None else unit


def heading(unit: int, property: str, r: float, rank: int) -> str:
    """What the unit is about, in a line."""
    if abs(r) < CLEAR:
        return f"**Unit {unit}** does not follow *{inputs.plain(property)}* in these passages: r = {r:.2f}".replace("-", "−")
    place = "the clearest of all" if rank == 0 else f"number {rank + 1} of the list"
    return f"**Unit {unit}** follows *{inputs.plain(property)}*: r = {r:.2f}".replace("-", "−") + f", {place}"


def passages(text: TracedText, unit: int, measure: str) -> None:
    """The text in the unit's colours."""
    from seqmodels.traces.units import liveliest_passages, scale_of
    from seqmodels.viz import gates, unit_texts
    from seqmodels.viz.legends import legend

    one = gates.MEASURES[measure]
    reach = scale_of(text, unit) if one.negative else 1.0
    places = liveliest_passages(text, unit, SHOWN)
    listed = [unit_texts.Passage(text.tokens[place], values(text, one, place, unit)) for place in places]
    shown.html(legend(gates.bars([one]), f"deepest at {reach:.2g}") + unit_texts.passages(listed, one, reach))


def values(text: TracedText, measure: Measure, tokens: slice, unit: int) -> Any:
    """What the unit holds at these tokens."""
    return text.values(cast("SearchedGate", measure.field), tokens, unit)


def table(order: Any, properties: Sequence[str], strongest: Any, traits: Any, unit: int) -> None:
    """All units, the one that follows best first; a click on a row opens its unit."""
    rows = [
        {
            "Unit": int(one),
            "follows": properties[one],
            "r": float(strongest[one]),
            "half-life": float(min(traits.half_life[one], 9999)),
            "keep open": round(100 * float(traits.keep.open[one])),
            "keep shut": round(100 * float(traits.keep.shut[one])),
        }
        for one in order
    ]
    share = {
        name: st.column_config.NumberColumn(name, format="%d %%", help=help)
        for name, help in (
            ("keep open", "Of the tokens, those at which μ > 0.9"),
            ("keep shut", "Of the tokens, those at which μ < 0.1"),
        )
    }
    config = {"r": st.column_config.NumberColumn("r", format="%.2f"), **share}
    config["half-life"] = st.column_config.NumberColumn("half-life", format="%.1f", help="Tokens until half of a memory is left")
    key = f"units-table-{hash(tuple(order))}"  # another order is another table: a row of the old one is no row of it

    def pick() -> None:
        picked = st.session_state[key].selection.rows
        if picked:
            address.put({UNIT: int(order[picked[0]])})

    st.dataframe(
        rows, key=key, hide_index=True, height=LISTED, column_config=config, on_select=pick, selection_mode="single-row",
        alt=f"The units, the one that follows best first; unit {unit} is open",
    )  # fmt: skip


def described(unit: int, traits: Any) -> str:
    """The unit in numbers."""
    gates = [
        f"{name} wide open at {100 * gate.open[unit]:.0f} % of the tokens and shut at {100 * gate.shut[unit]:.0f} %"
        for name, gate in (("keep μ", traits.keep), ("write λ", traits.write))
    ]
    return f"Unit {unit}: half-life {duration(float(traits.half_life[unit]))}; {'; '.join(gates)}."


def moments(text: TracedText, unit: int) -> None:
    """Where its gates open and shut most."""
    from seqmodels.traces import moves
    from seqmodels.traces.units import moments as find
    from seqmodels.viz import gates, unit_texts

    for measure in (gates.KEEP, gates.WRITE):
        held = values(text, measure, slice(None), unit)
        if not moves(held):
            shown.caption(f"{measure.name} is {held[0]:g} in this cell, at every word.")
            continue
        for column, (way, lowest) in zip(st.columns(2, gap="medium"), (("opens", False), ("shuts", True)), strict=True):
            with column:
                shown.markdown(f"**{measure.name} {way} most**")
                listed = [
                    unit_texts.Passage(
                        text.tokens[one.context], values(text, measure, one.context, unit), one.token - one.context.start
                    )
                    for one in find(text, unit, cast("SearchedGate", measure.field), SHOWN, lowest=lowest)
                ]
                shown.html(unit_texts.passages(listed, measure))


@cached_by_model
def twin(name: str, of: str, source: str, layer: int, direction: str, unit: int) -> tuple[int, float]:
    """The unit of a model that is most like a unit of another, and their r."""
    from seqmodels.traces.units import alike as nearest

    return nearest(read(of, source, layer, direction), unit, read(name, source, layer, direction))


def alike(task: str, name: str, text: TracedText, unit: int, source: str) -> None:
    """The unit most like it in each other model of the task, and the way into Gates."""
    from seqmodels.inference import accept
    from seqmodels.tasks import TASKS
    from seqmodels.traces.units import liveliest_passages, sides_of

    there = (text.layer, text.direction)
    others = [one for one in loading.available(task) if one != name and there in sides_of(loading.checkpoint(one))]
    begins = [token.text for token in loading.checkpoint(name).vocabulary.start]  # which Gates puts there by itself
    words = [token for token in text.tokens[liveliest_passages(text, unit, 1)[0]] if token not in begins]
    opening = {
        "task": TASKS[task].page_title,
        "cells": [loading.title(name)],
        "text": accept("", words, loading.unit_of(name)),
        "view": "Heatmaps",
    }
    page.link("pages/3_Gates.py", opening | {"unit": unit, "direction": text.direction}, label="This unit on its first passage: {}")
    if not others:
        return
    shown.markdown("**The unit most like it in the other models**, by the correlation of their memories over the same words")
    bar = st.progress(0.0)
    lines = []
    for number, other in enumerate(others):
        bar.progress(number / len(others), f"{loading.title(other)} reads the passages, once")
        found, r = twin(other, name, TEXTS[source], *there, unit)
        lines.append(f"{loading.title(other)}: unit **{found}**, r = {r:.2f}".replace("-", "−"))
    bar.empty()
    shown.markdown(" · ".join(lines))


page.run(main)
