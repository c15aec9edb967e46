"""The first step: a sum with a switch on one side."""

from __future__ import annotations

import streamlit as st

from pages.common import address, inputs, page

A, B = 2.0, 3.0


def draw() -> None:
    """a + lambda b, with one slider."""
    from seqmodels.viz import hand

    st.markdown(
        "A sum **a + b** takes all of b. Put a number :orange[**λ**] between 0 and 1 in front of it, and it is a **switch**: "
        "at 0 the sum stays a, at 1 all of b is added, and between them a part."
    )
    lam = inputs.number("write λ", 0.0, 1.0, key="switch", default=0.4, step=0.01)
    st.html(hand.switch_equation(A, B, lam))
    figure = hand.switch(A, B, lam, page.theme())
    alt = f"a plus {lam:g} times b, as two bars end to end"
    st.plotly_chart(figure, key="hand-switch", theme=None, config={"displayModeBar": False}, alt=alt)
    st.markdown(
        "In a gated network **a** is the memory and **b** the new content, and the network computes λ from what it reads: so the "
        "input decides what is written. A second switch, :blue[**μ**], in front of the memory lets it forget too."
    )
    st.button("Go on: one memory cell", type="primary", on_click=address.put, args=({"part": "Memory cell"},))
