"""One update of a real network at its explosion: where the weights go, and what the loss does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, page, shown, takeaway
from pages.gradients import presets
from pages.gradients.verdicts import size
from seqmodels.viz.format import counted

if TYPE_CHECKING:
    from seqmodels.labs.training_step import Explosion, Training


def draw() -> list[takeaway.File]:
    """Words, the knobs and the picture; gives its numbers as a file."""
    from seqmodels.viz import steps

    words = st.container(key="gradients-words", gap="xxsmall")
    with st.container(key="gradients-bench"):
        knobs, picture = st.columns([1, 2.6], gap="medium")
    with knobs:
        training = ask()
    found = explosion(training)
    with words:
        presets.told(presets.ONE_UPDATE, presets.UPDATE)
        shown.markdown(_verdict(found))
    with picture:
        alt = "The loss of the batch over how far an update moves the weights, and where each way to clip lets it land"
        shown.chart(steps.update(found, theme=page.theme()), "update", alt, page="gradients")
        shown.markdown(_table(found))
    shown.explain(HOW)
    return [takeaway.numbers(lambda: steps.rows(found), "update")]


def ask() -> Training:
    """The knobs."""
    from seqmodels.initialization import SCHEMES
    from seqmodels.labs.training_step import Training

    usual = presets.UPDATE
    by_title = {title: scheme for scheme, title in SCHEMES.items()}
    scheme = inputs.choice("Initialization", list(by_title), key="start", default=usual["start"], menu=True)
    gain = inputs.number("Gain of U", 0.5, 1.5, key="strength", default=usual["strength"], step=0.05)
    rate = inputs.number("Learning rate", 0.001, 0.1, key="pace", default=usual["pace"], step=0.001)
    threshold = inputs.number("Clip at", 0.05, 5.0, key="limit", default=usual["limit"], step=0.05)
    seed = inputs.number(
        "Seed", 1, 50, key="draw", default=usual["draw"], step=1, help="Another one draws other weights and sequences."
    )
    return Training(by_title[scheme], gain, rate, threshold, int(seed))


@st.cache_data(show_spinner=False, max_entries=200)
def explosion(training: Training) -> Explosion:
    """The update to show."""
    from seqmodels.labs.training_step import explode

    return explode(training)


def _verdict(found: Explosion) -> str:
    free, norm, value = found.landings
    update = len(found.losses)
    if not found.explodes:
        return (
            f"In {counted(update, 'update')} nothing explodes: the last of them takes the loss from {size(found.loss)} to "
            f"{size(free.loss)}. "
            "Raise the gain or the rate, or draw another network."
        )
    return (
        f"**Update {update} explodes:** the loss of its batch goes from {size(found.loss)} to **{size(free.loss)}**. Clipped by "
        "norm, the same "
        f"update goes as far as {size(norm.distance)} instead of {size(free.distance)}, {size(free.distance / found.size)} times "
        "the length of all weights together, in the same direction, and the loss to "
        f"**{size(norm.loss)}**; by value, to **{size(value.loss)}**."
    )


def _table(found: Explosion) -> str:
    from seqmodels.viz.walls import STYLES

    head = "| gradient | weights move | loss after | radius of U |\n| --- | --- | --- | --- |\n"
    before = f"| before | 0 | {size(found.loss)} | {found.radius:.3f} |\n"
    lines = [
        f"| {STYLES[one.clipping][0]} | {size(one.distance)} | {size(one.loss)} | {one.radius:.3f} |" for one in found.landings
    ]
    return head + before + "\n".join(lines)


HOW = (
    "**How to read it:** from left to right the weights move on along a direction, both axes by powers of ten; the dotted line "
    "is the loss before. "
    "Clipping by norm only shortens the step, so it lands on the gradient's own line; by value it turns aside. **The network:** "
    "Elman with relu, 32 units, "
    "which learns the adding problem of 40 numbers by plain gradient descent, 16 sequences at a time, until an update makes the "
    "loss of its batch ten times "
    "as large. **What it does not show:** whether it learns in the end. The loss is that of one batch."
)
