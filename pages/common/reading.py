"""How a model read a text: its gates, cached without the rest of the trace, so that a long text fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.common import loading
from seqmodels.viz import gates
from seqmodels.viz.palette import tag_colour

if TYPE_CHECKING:
    from seqmodels.inference import Tagging

LONGEST_SCORED = 2000  # tokens; a probability for every word of the vocabulary at each of them takes longer than the gates


def read(name: str, text: str) -> gates.Reading:
    """The gates of a model over a text as one sequence, and each word's tag or surprisal. ValueError if there are no words."""
    return _read(name, loading.stamp(name), text)


def unit_order(name: str, text: str, layer: int, direction: str, by: str) -> NDArray[np.intp]:
    """The order of the units over the whole text, so that a unit keeps its row from one part of it to the next."""
    return _unit_order(name, loading.stamp(name), text, layer, direction, by)


# ten thousand words are up to 50 MB
@st.cache_resource(show_spinner=False, max_entries=6, ttl="10m")
def _read(name: str, stamp: int, text: str) -> gates.Reading:
    from seqmodels import traces

    checkpoint = loading.checkpoint(name)
    if checkpoint.info.task in loading.TAGGING_TASKS:
        tagging, trace = traces.tag_and_trace(checkpoint, text)
        below = _tags(tagging)
    else:
        trace = traces.trace(checkpoint, text)
        below = _surprisals(name, text, len(trace.tokens))
    return gates.Reading(gates.Columns(trace.tokens, below), tuple(gates.LayerGates.of(layer) for layer in trace.layers))


@st.cache_resource(show_spinner=False, max_entries=64)
def _unit_order(name: str, stamp: int, text: str, layer: int, direction: str, by: str) -> NDArray[np.intp]:
    found = _read(name, stamp, text).find(layer, direction)
    assert found is not None
    return gates.unit_order(found, by)


def _tags(tagging: Tagging) -> tuple[gates.Label, ...]:
    return tuple(gates.Label("") if token.tag == "O" else gates.Label(token.tag, tag_colour(token.tag)) for token in tagging.tokens)


def _surprisals(name: str, text: str, tokens: int) -> tuple[gates.Label, ...]:
    if tokens > LONGEST_SCORED:
        return ()
    scored = loading.score_prompt(name, text).tokens
    return (gates.Label(""), *(gates.Label(f"{token.surprisal:.1f}") for token in scored))  # nothing comes before the start symbol
