"""Training: watch a recurrent network learn, with clipping and early stopping under your hand."""

from __future__ import annotations

import streamlit as st

from pages.common import page
from pages.training import compare, current, form, models, presets, recorded, watch
from seqmodels.runs import stand_by


def main() -> None:
    page.start("Training")
    st.title("Training")
    with st.container(gap="xsmall"):
        st.markdown("Press a button and watch a network learn; or change one setting below and see what it was for.")
        presets.offer()
    run = current.selected()
    if run is not None:
        presets.explain(run)
        watch.show(run)
        models.use(run)
    else:
        recorded.show()
    own, runs, mine = st.tabs([current.OWN_TAB, "All runs", "Your models"], key=current.TAB, on_change="rerun")
    with own:
        if own.open:
            form.draw()
    with runs:
        if runs.open:
            compare.show(current.listed(), run)
    with mine:
        if mine.open:
            models.bring()
    stand_by()  # last, so that it takes no time from what is seen


page.run(main)
