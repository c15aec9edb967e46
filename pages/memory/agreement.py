"""Subject and verb in the shipped language models: do they still know the number when words have come between?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import streamlit as st

from pages.common import inputs, loading, page, shown
from pages.common.caching import cached_by_model
from seqmodels.viz.format import percent

if TYPE_CHECKING:
    from seqmodels.traces.agreement import Agreement

SUBJECTS = {
    "vessel, vessels": ("The vessel", "The vessels"),
    "law, laws": ("The law", "The laws"),
    "debt, debts": ("The debt", "The debts"),
}
TASK = "lm"


@dataclass(frozen=True)
class Picked:
    """What is picked in the header."""

    subject: str
    names: list[str]  # of models

    @classmethod
    def here(cls) -> Self:
        """Draw the pickers."""
        return cls(inputs.choice("Subject", list(SUBJECTS), key="subject", compact=True, menu=True), inputs.cells(TASK))

    def draw(self) -> None:
        """The picture, and what it says of each model."""
        from seqmodels.traces.agreement import FILLERS
        from seqmodels.viz import distances

        one, many = SUBJECTS[self.subject]
        between = " ".join(FILLERS)
        shown.markdown(f"**{one} … is, {many.lower()} … are.** The same words come between: *{between}*. Which verb is expected?")
        if not self.names:
            st.info("Pick at least one model.")
            return
        with st.spinner("Reading"):
            found = {name: of_model(name, (one, many)) for name in self.names}
        by_cell = {loading.checkpoint(name).info.cell: found[name] for name in self.names}
        figure = distances.agreement_gap(by_cell, page.theme())
        alt = "How far apart the two numbers are, over the words between"
        shown.chart(figure, "agreement", alt, page="memory", zoom=False)
        shown.markdown(" ".join(sentence(loading.title(name), found[name]) for name in self.names))
        shown.explain(_NOTE)


def sentence(title: str, found: Agreement) -> str:
    """How far apart the numbers are at the first and last distance."""
    return (
        f"**{title}**: {percent(found.gap[0])} apart right after the subject, {percent(max(0.0, found.gap[-1]))} after "
        f"{found.words[-1]} words."
    )


@cached_by_model
def of_model(name: str, subjects: tuple[str, str]) -> Agreement:
    """A shipped model, or one of the visitor's."""
    from seqmodels.traces.agreement import agreement

    return agreement(loading.checkpoint(name), subjects)


_NOTE = (
    "P(are) is its share of P(are) + P(is). At 1 the model is sure of the number, at 0 it has forgotten it. Dotted: what the "
    "gates keep of the memory at the subject, the product of μ over the words since, in the mean over the units. One unit that "
    "keeps is enough to know the number, so a line may lie far above; Elman's gates keep nothing, and its line falls to 0."
)
