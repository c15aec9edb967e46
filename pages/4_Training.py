"""Training: watch a recurrent network learn, with clipping and early stopping under your hand."""

from __future__ import annotations

import streamlit as st

from pages.common import page
from pages.training import compare, current, damaged, form, models, presets, race, recorded, watch
from seqmodels.runs import keeper, stand_by


def main() -> None:
    page.start("Training")
    run = current.selected()
    presets.offer(run)
    if run is not None:
        group = current.together(run)
        if len(group) > 1:
            race.show(group, run)
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
            found, broken = current.listed()
            damaged.listed(broken)
            compare.show(found, run)
            current.remembered()
    with mine:
        if mine.open:
            models.bring()
    keeper.ensure()
    stand_by()  # last, so that it takes no time from what is seen


page.run(main)
