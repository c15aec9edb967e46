"""View: the ledger. Who wrote the memory at a word, and who wrote the prediction that is read from it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.common import inputs, loading
from pages.explorer import scene as shared
from pages.explorer.scene import Example, Reading, Scene, View
from seqmodels import viz

if TYPE_CHECKING:
    from seqmodels.traces import Attribution
    from seqmodels.viz.ledgers import Folded

EXAMPLES = (
    Example(
        "Two words back",
        "In GRU, *Army* gave +5.10 of the +11.33 for *Navy*: more than *the*, the word just read. "
        "Elman credits *the* with nearly all: its past hides inside the new content.",
        {"text": "The Army and the", "task": "Language model", "cells": ["Elman", "GRU", "LSTM"], "token": "5", "next": "Navy"},
    ),
    Example(
        "From the right",
        "The first *Paris* is a person. In GRU, *Hilton*, which is yet to come, gave +0.98 of the +4.20 for that: "
        "the backward layer has read it.",
        {
            "text": "Paris Hilton flew to Paris.",
            "task": "Names",
            "cells": ["GRU", "LSTM"],
            "direction": "backward",
            "token": "1",
            "tag": "B-PER",
        },
    ),
)

LIKELY = 5  # next words that each language model puts up for choice
NAMED, LEAST = 3, 0.005  # words that a sentence names, and the least that one of them wrote


def draw(scene: Scene) -> None:
    """For each cell the table of who wrote what, the selected memory as bars, and the logit that is read from it."""
    from seqmodels.viz import ledgers

    asked = target(scene)
    units = [reading.focus.unit for reading in scene.readings if reading.focus.unit is not None]
    st.html(ledgers.legend(units[0] if units else None))
    rows = []
    with shared.pictures(scene):
        for reading in scene.readings:
            with shared.panel(scene, reading):
                near = ledgers.folded(reading.trace, reading.focus)
                given = attribution(reading, near, asked)
                figure = viz.ledger(reading.trace, reading.focus, given)
                st.markdown("  \n".join(sentences(reading, near, given)))
                alt = f"{reading.title}: how much each word wrote of the memory at each word, and what each gave to the prediction"
                shared.chart(figure, f"ledger-{reading.name}", f"{alt} at {scene.word}")
                st.caption(" ".join(checks(reading, near, given)))
                rows.append(partial(ledgers.rows, reading.trace, reading.focus, given))
    shared.numbers(lambda: [row for cell in rows for row in cell()], "ledger")


def target(scene: Scene) -> str | None:
    """What the logit is to be of; none for what each model predicts itself."""
    from seqmodels import traces

    if scene.task in loading.TAGGING_TASKS:
        tags = traces.targets(loading.checkpoint(scene.first.name))
        return inputs.menu("Logit of", tags, key="tag", placeholder="the tag it predicts")
    words = [
        word for read in scene.readings for word in traces.likely(loading.checkpoint(read.name), read.trace, read.token, LIKELY)
    ]
    found = list(dict.fromkeys(words))
    return inputs.menu("Logit of the next word", found, key="next", placeholder="the word it predicts", typed=True)


def attribution(reading: Reading, near: Folded, asked: str | None) -> Attribution | None:
    """The logit by who wrote it; none, with a note, where the model doesn't know what is asked for."""
    from seqmodels import traces

    assert near.focus.token is not None
    checkpoint = loading.checkpoint(reading.name)
    if asked is None and reading.trace.task in loading.TAGGING_TASKS:
        asked = reading.focus.below[reading.token].text or "O"  # the tag on screen: tags must also fit their neighbours
    try:
        return traces.attribute(checkpoint, near.trace, near.focus.token, asked)
    except ValueError:
        st.caption(f"{reading.title} has no word {inputs.plain(str(asked))} in its vocabulary, so no logit for it.")
        return None


def sentences(reading: Reading, near: Folded, given: Attribution | None) -> list[str]:
    """Who wrote the memory and who gave the logit, the most important words by name."""
    from seqmodels import traces
    from seqmodels.viz import ledgers, lifetimes

    assert near.focus.token is not None
    words = [f"**{inputs.plain(word)}**" for word in near.trace.tokens]
    here = f"*{inputs.plain(reading.trace.tokens[reading.token])}*"
    unit = near.focus.unit
    if unit is None:
        shares = ledgers.shares_at(near.layer, near.focus.token)
        wrote, all_of_it = [lifetimes.share(value) for value in shares], f"Of the memory at {here}"
    else:
        shares = traces.ledger(near.layer, near.focus.token)[:, unit]
        wrote, all_of_it = [signed(value) for value in shares], f"Of the {signed(shares.sum())} in unit {unit} at {here}"
    most = np.argsort(-np.abs(shares), kind="stable")[:NAMED]
    named = [f"{words[column]} {wrote[column]}" for column in most if abs(shares[column]) >= LEAST]
    said = [f"{all_of_it}: {', '.join(named)}." if named else f"{all_of_it}, no word wrote {LEAST:g} or more."]
    if given is not None:
        side = 1 if given.logit >= 0 else -1
        top = int((side * given.total).argmax())
        after = f" after {here}" if reading.trace.task in loading.LANGUAGE_TASKS else f" at {here}"
        target = f"**{inputs.plain(given.target)}**{after}"
        said.append(f"{words[top]} gave {signed(given.total[top])} of the {signed(given.logit)} for {target}.")
    return said


def checks(reading: Reading, near: Folded, given: Attribution | None) -> list[str]:
    """What the bars sum to, and where they are a convention or say nothing."""
    from seqmodels import traces

    assert near.focus.token is not None
    said = []
    if reading.focus.unit is not None:
        total = float(traces.ledger(near.layer, near.focus.token)[:, reading.focus.unit].sum())
        memory = float(near.layer.memory[near.focus.token, reading.focus.unit])
        said.append(f"Unit {reading.focus.unit}: the bars sum to {signed(total, 4)}; its memory is {signed(memory, 4)}.")
    if not reading.layer.mu.any():
        said.append(
            "Each memory is written wholly by its own word: keep is 0, and what this cell knows of the past is hidden inside its "
            "new content F, which reads the memory before."
        )
    if given is None:
        return said
    parts = [f"{name} {signed(float(values.sum()))}" for name, values in given.gave.items()]
    total = float(given.total.sum()) + given.bias
    how = "Sums exactly" if given.exact else "Sums"
    said.append(f"{how}: {', '.join(parts)}, bias {signed(given.bias)}, together {signed(total)}. Logit: {signed(given.logit)}.")
    if not given.exact:
        said.append(
            "A share by proportion, not a fact: the output layer sees this memory through tanh and a gate, so of what is shown "
            "of a unit each word is given the part that it wrote."
        )
    if reading.layer.layer < max(layer.layer for layer in reading.trace.layers):
        said.append(f"The output layer does not read layer {reading.layer.layer + 1}: the lowest bars are of the last layer.")
    return said


def signed(value: float, digits: int = 2) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


VIEW = View(
    how="in the map, a row is the memory at a word, a column the word that wrote it; the framed row stands below as bars. "
    "The lowest bars carry it on to the logit.",
    look_for="a column that stays dark far from the diagonal: a word that later memories still hold. "
    "A pale diagonal: a word that wrote little of its own memory.",
    examples=EXAMPLES,
    draw=draw,
)
