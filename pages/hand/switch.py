"""The first step: a sum with a switch on one side."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.common import address, inputs, page, shown

A, B = 2.0, 3.0


def draw(then: Mapping[str, str]) -> None:
    """a + lambda b, with one slider, and a button that goes on to what `then` sets."""
    from seqmodels.viz import hand

    shown.markdown(
        "A sum **a + b** takes all of b. Put a number :orange[**λ**] between 0 and 1 in front of it, and it is a **switch**: "
        "at 0 the sum stays a, at 1 all of b is added, and between them a part."
    )
    lam = inputs.number(":orange[write λ]", 0.0, 1.0, key="switch", default=0.4, step=0.01)
    shown.html(hand.switch_equation(A, B, lam))
    figure = hand.switch(A, B, lam, page.theme())
    alt = f"a plus {lam:g} times b, as two bars end to end"
    shown.chart(figure, "switch", alt, page="hand", zoom=False)
    shown.markdown(
        "In a gated network **a** is the memory and **b** the new content, and the network computes λ from what it reads: so the "
        "input decides what is written. A second switch, :blue[**μ**], in front of the memory lets it forget too."
    )
    st.button("Go on: one memory cell", type="primary", on_click=address.put, args=(then,))
