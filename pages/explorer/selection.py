"""What is selected, kept in the address: one layer, direction, unit and token, for all views."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import address, inputs, loading, page, takeaway
from pages.common.strip import strip
from pages.common.takeaway import File
from pages.explorer import reading
from pages.explorer.scene import Reading, Scene

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

PART = 60  # tokens in a picture: more words than that can't be read side by side
TOKEN = "token"  # of the address: the selected token, counted from 1
MOST_WRITTEN = 40  # words that a language model may add to the text


def read(view: str, task: str, text: str, names: Sequence[str], settings: DeltaGenerator, *, ahead: bool) -> Scene:
    """The text as each model reads it, and what of it is on screen. Puts the inputs that depend on the models into `settings`.

    `ahead` says that the view looks from the selected word to those read later, and not back.
    """
    from seqmodels.traces import windows
    from seqmodels.viz import Focus

    with settings:
        whole, added = continued(names[0], text) if loading.predicts(task) == "next token" else (text, 0)
    found = {name: reading.read(name, whole) for name in names}
    with settings:
        layer, direction = side([(had.layer, had.direction) for one in found.values() for had in one.trace.layers])
        unit = inputs.optional_number("Unit", key="unit", help="One unit to follow through all views. Empty: none.")
    tokens = found[names[0]].trace.tokens
    token = chosen_token(tokens, near_start=ahead != (direction == "backward"))
    window = next(part for part in windows(len(tokens), PART) if part.start <= token < part.stop)
    readings = []
    for name, one in found.items():
        here = next((had for had in one.trace.layers if (had.layer, had.direction) == (layer, direction)), None)
        if here is None:
            st.caption(f"{loading.title(name)} has no layer {layer + 1} that reads {direction}.")
            continue
        units = here.mu.shape[1]
        known = unit if unit is not None and unit < units else None
        if known != unit:
            st.caption(f"{loading.title(name)} has no unit {unit}: the last one is {units - 1}.")
        readings.append(Reading(one.trace, Focus(layer, direction, token, known, window, one.below, page.theme()), name))
    if not readings:
        raise ValueError(f"no model has a layer {layer + 1} that reads {direction}: pick another layer or direction")
    return Scene(view, task, whole, len(tokens) - added, tuple(readings), settings)


def side(sides: Sequence[tuple[int, str]]) -> tuple[int, str]:
    """A layer and direction of those that the models have; asked for only where there are several."""
    directions = list(dict.fromkeys(direction for _, direction in sides))
    direction = inputs.choice("Direction", directions, key="direction") if len(directions) > 1 else directions[0]
    layers = sorted({layer for layer, _ in sides})
    layer = inputs.choice("Layer", layers, key="layer", show=lambda layer: str(layer + 1)) if len(layers) > 1 else layers[0]
    return layer, direction


def continued(name: str, text: str) -> tuple[str, int]:
    """The prompt with words that the first of the models writes, and how many: a model may read on in its own text."""
    unit = loading.unit_of(name)
    with st.container(width=220):
        most = int(inputs.number(f"Let it write on, {unit}s", 0, MOST_WRITTEN, key="written", default=0, step=1))
    if not most:
        return text, 0
    from seqmodels.inference import Sampling, accept

    writing = loading.continue_text(name, text, max_tokens=most, sampling=Sampling())
    while writing.advance():
        pass
    return accept(text, [token.text for token in writing.tokens], unit), len(writing.tokens)


def chosen_token(tokens: Sequence[str], *, near_start: bool) -> int:
    """The token that the address names, else the second or the last word: one from which there is much to see."""
    asked, _ = address.recall(TOKEN, "", lambda said: (said[-1], True))
    address.keep(TOKEN, asked, "")
    if asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= len(tokens):
        return int(asked) - 1
    if near_start:
        return min(1, len(tokens) - 1)
    words = [position for position, token in enumerate(tokens) if any(character.isalnum() for character in token)]
    return words[-1] if words else len(tokens) - 1


def words(scene: Scene) -> None:
    """The words around the selected one, to select another; the arrow keys do so too. They stay in sight above the pictures."""
    tokens, part = scene.tokens, scene.first.focus.window
    shown = [(position, tokens[position], position >= scene.typed) for position in range(part.start, part.stop)]
    with st.container(key="gates-words"):
        strip(shown, scene.first.token, len(tokens), select, backward=scene.first.layer.backward)
    if len(tokens) > PART:
        pager(scene)


def pager(scene: Scene) -> None:
    """The part of a long text that is on screen: a jump to another selects its first word."""
    from seqmodels.traces import windows

    parts = windows(len(scene.tokens), PART)
    part = scene.first.focus.window
    now = parts.index(part)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, number in (("Earlier words", now - 1), ("Later words", now + 1)):
            inside = 0 <= number < len(parts)
            to = parts[number].start if inside else 0
            st.button(label, key=f"gates-{label}", on_click=select, args=(to,), disabled=not inside)
        st.caption(
            f"Words {part.start + 1:,} to {part.stop:,} of {len(scene.tokens):,}. The text is read as one sequence: "
            "the memory goes on from part to part, and over the ends of sentences."
        )


def select(token: int) -> None:
    """Make this the selected token; the address follows when the page is drawn."""
    address.keep(TOKEN, str(token + 1))


def files(scene: Scene, title: str, opening: Sequence[str]) -> None:
    """What can be taken away: the view as a page, which begins with these sentences, its pictures, and the trace of each model."""
    from seqmodels import export

    traces = []
    for reading_ in scene.readings:
        trace, name, label = reading_.trace, reading_.name, f"Trace of {reading_.title}"
        traces.append(File(f"{label}, JSON", partial(export.trace_json, trace), f"{name}.json", "application/json"))
        traces.append(File(f"{label}, npz", partial(export.trace_npz, trace), f"{name}.npz", "application/octet-stream"))
    takeaway.menu(f"gates-{scene.view.lower()}", title, opening, traces, key="gates-take-away")
