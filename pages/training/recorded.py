"""Two runs that were recorded, so that there is something to see where nothing has been trained yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from pages.common import inputs, page
from pages.training import curves
from seqmodels.runs import History
from seqmodels.viz import training as viz

FILE = Path(__file__).with_name("recorded.json")  # made by docs/record.py


def show() -> None:
    """What clipping is for."""
    recorded = read()
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.header("What clipping is for", anchor=False, width="content")
        invitation = "" if page.on_stage() else " Press a button above to see it happen."  # on a stage there are no buttons
        st.caption(f":material/history: Recorded from two runs of this program.{invitation}")
    histories = {entry["name"]: entry["history"] for entry in recorded["runs"]}
    theme = page.theme()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Train loss** in nats a token, on a logarithmic scale")
        curves.chart(viz.overlay(histories, "Train loss", theme), "recorded-loss", "Train loss of the two recorded runs")
    with right:
        st.markdown("**Gradient norm** before clipping, on a logarithmic scale")
        curves.chart(viz.overlay(histories, "Gradient norm", theme), "recorded-norm", "Gradient norm of the two recorded runs")
    st.markdown(recorded["explanation"])
    for entry in recorded["runs"]:
        st.caption(f"**{inputs.plain(entry['name'])}:** {inputs.plain(entry['message'])}.")


def read() -> dict[str, Any]:
    """The recorded runs, with their histories."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    for entry in found["runs"]:
        parts = {name: entry[name] for name in ("steps", "epochs", "marks")}
        entry["history"] = History(**parts)
    return found
