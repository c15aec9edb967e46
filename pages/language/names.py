"""Names: ten from each model at once, of one language, or of another from some letter on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import inputs, loading, shown
from seqmodels.viz import language

if TYPE_CHECKING:
    from seqmodels.inference import Sampling
    from seqmodels.traces import Invented, Switch

AFTER, MOST_LETTERS = 3, 10  # letters before a switch: usual, and at most
SWITCHES = {"The letters are read again": "reread", "What is left of it": "swap"}  # how: see seqmodels.traces.Switch
MOST_PROMPT = 40  # letters that a name may begin with
INTRODUCTION = (
    "The language is all that tells a model what to write: it is the memory that a name is begun with. A name beside which *known* "
    "stands is one that the models have learned from; the others are invented."
)
SWITCHED = {
    "swap": "At the mark, only what is left of **{first}** in the memory is exchanged, for as much of **{second}**: by the law, a "
    "part of the sum. What the letters wrote stays. Where the two halves still agree, it is there that the language lives on; the "
    "view *Survival* of the Gates page shows how much of it is left.",
    "reread": "At the mark, the letters so far are read again, from the memory of **{second}**, and the name goes on from there.",
}


def draw(models: Sequence[str], prompt: str, sampling: Sampling, switch: Switch | None) -> None:
    """The models side by side, with their names."""
    first = loading.condition_of(models[0])
    for name, column in zip(models, st.columns(len(models), gap="medium"), strict=True):
        found = loading.invent(name, prompt, sampling, switch)
        with column, st.container(gap="xxsmall"):
            shown.markdown(f"**{loading.title(name)}**: {count(found)}")
            shown.html(language.names(found))
    shown.html(language.names_legend(first, None if switch is None else switch.to))
    if switch is not None:
        shown.caption(SWITCHED[switch.how].format(first=inputs.plain(first), second=inputs.plain(switch.to)))
    shown.caption(INTRODUCTION)


def other(models: Sequence[str]) -> str | None:
    """A picker: another language to go on in."""
    first = loading.condition_of(models[0])
    others = [condition for condition in loading.conditions(models) if condition != first]
    return inputs.menu("Go on in", others, key="other", placeholder="Go on in …", compact=True)


def switch(to: str) -> Switch:
    """Inputs: after how many letters a name goes on in the other language, and how."""
    after = int(inputs.number("After letters", 1, MOST_LETTERS, key="after", default=AFTER, step=1))
    how = inputs.choice("What is switched", list(SWITCHES), key="how")
    from seqmodels.traces import Switch

    return Switch(to, after, SWITCHES[how])  # type: ignore[arg-type]


def count(found: Sequence[Invented]) -> str:
    """How many of the names are invented."""
    known = sum(name.known for name in found)
    return f"{len(found) - known} of {len(found)} invented" + (f", {known} known" if known else "")


def usual() -> Mapping[str, Any]:
    """The values of the inputs here by their keys, for a reset."""
    return {"other": None}
