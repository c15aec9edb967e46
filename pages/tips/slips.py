"""What stands under the picture of some findings: the course of the trainings that stop early, and how a slip looks in code."""

from __future__ import annotations

import streamlit as st

from pages.common import page, shown
from seqmodels.experiments import Results

CODE = {  # wrong, right
    "patience": (
        "waited = waited + 1 if loss >= loss_before else 0\nloss_before = loss",
        "waited = waited + 1 if loss >= best_loss else 0\nbest_loss = min(best_loss, loss)",
    ),
    "dropout": (
        "score = evaluate(model, test)",
        "model.eval()  # and model.train() before the next epoch\nscore = evaluate(model, test)",
    ),
    "doubles": (
        "random.shuffle(names)\ntrain, test = names[:n], names[n:]",
        "names = sorted(set(names))  # each once, in an order that can be repeated\nrandom.shuffle(names)\n"
        "train, test = names[:n], names[n:]",
    ),
}
COURSES = {"stopping": False, "patience": True}  # whether the rule drawn is the slip


def show(name: str, results: Results) -> None:
    """Of a finding, by its name."""
    if name in COURSES:
        courses(results, as_before=COURSES[name])
    if name in CODE:
        for title, code, column in zip(("Wrong", "Right"), CODE[name], st.columns(2, gap="medium"), strict=True):
            with column:
                st.markdown(f"**{title}**")
                st.code(code, language=None, wrap_lines=True)  # coloured words are too pale for some eyes


def courses(results: Results, *, as_before: bool) -> None:
    """The test score over the epochs."""
    from seqmodels.viz import tips as viz

    rule = "with the epoch before" if as_before else "with the best epoch"
    shown.markdown(f"**Test score after each epoch, and where a patience that compares {rule} stops**")
    shown.html(viz.courses_legend())
    figure = viz.courses(results.where(tip="stopping"), as_before=as_before, theme=page.theme())
    shown.chart(
        figure, "stopping-courses", "The test score after each epoch, with where early stopping ends", page="tips", zoom=False
    )
