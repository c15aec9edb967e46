"""View: carry path against the truth. How much of a change reaches the selected word along the gates, and how much in all."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, loading
from pages.common.caching import cached_by_model
from pages.explorer import scene as shared
from pages.explorer.reading import read
from pages.explorer.scene import Example, Reading, Scene, View
from seqmodels import viz

if TYPE_CHECKING:
    from seqmodels.traces import CarryPath

_EVERY_CELL = {"task": "Language model", "cells": ["Elman", "GRU", "LSTM"]}
EXAMPLES = (
    Example(
        "Through closed gates",
        "Elman's gates carry nothing, yet it loses only 10 % of the gradient a word. In LSTM the gates carry 15 % over these 18 "
        "words, and 67 % arrives. Now take the tagger of parts of speech: there Elman loses 45 % a word.",
        _EVERY_CELL | {"text": "The keys to the cabinet in the old office near the two big doors are on the table.", "token": "19"},
    ),
    Example(
        "A gradient that grows",
        "over the same word again and again, LSTM's gradient does not vanish but grows, by 4.1 % a word, to 2.6 times the change, "
        "although its gates let go. GRU's stays near what its gates carry.",
        _EVERY_CELL | {"text": " ".join(["and"] * 24), "token": "25"},
    ),
)


def draw(scene: Scene) -> None:
    """For each cell both lines over the words, on one scale; and what is lost at each word."""
    from seqmodels.viz import gradients, strokes

    with st.spinner("Following the gradient"):
        paths = [path_to(reading, scene.text) for reading in scene.readings]
    axis = gradients.decades(paths)
    st.html(strokes.legend((gradients.CARRY, gradients.GRADIENT)))
    drawn = gradients.around(paths[0], scene.first.focus, scene.first.trace)
    with shared.pictures(scene, columns=len(drawn.positions(scene.first.trace))):
        for reading, path in zip(scene.readings, paths, strict=True):
            with shared.panel(scene, reading):
                st.markdown(sentence(reading, path))
                figure = viz.carry(reading.trace, path, reading.focus, axis=axis)
                alt = f"{reading.title}: how much of a change at each word reaches {scene.word}, along the gates and in all"
                shared.chart(figure, f"gradient-{reading.name}", alt)
                if not reading.layer.mu.any():
                    st.caption(HIDDEN)
    if len(paths[0].sources) > 1:
        st.markdown(table(scene, paths))
    st.caption(note(scene, paths[0]))
    rows = [partial(gradients.rows, reading.trace, path) for reading, path in zip(scene.readings, paths, strict=True)]
    shared.numbers(lambda: [row for cell in rows for row in cell()], "gradient")


def path_to(reading: Reading, text: str) -> CarryPath:
    """From the words before it to the selected one."""
    layer = reading.layer
    return _path(reading.name, text, layer.layer, layer.direction, reading.token)


@cached_by_model(max_entries=256)
def _path(name: str, text: str, layer: int, direction: str, token: int) -> CarryPath:
    from seqmodels import traces

    return traces.carry_path(loading.checkpoint(name), read(name, text).trace, token, layer=layer, direction=direction)


def sentence(reading: Reading, path: CarryPath) -> str:
    """What arrives from the word furthest back."""
    from seqmodels.viz import gradients

    tokens = reading.trace.tokens
    here = f"*{inputs.plain(tokens[reading.token])}*"
    back = len(path.sources) - 1
    if not back:
        return f"{here} is the first word read here: there is none before it to look back to."
    kept, arrives = (gradients.told(values[0]) for values in gradients.shares(path))
    words = "1 word" if back == 1 else f"{back} words"
    source = f"*{inputs.plain(tokens[path.sources[0]])}*"
    return f"Of a change at {source}, {words} back, the gates carry **{kept}** to {here}; **{arrives}** arrives."


def table(scene: Scene, paths: list[CarryPath]) -> str:
    """What is lost from word to word, on average over the path."""
    from seqmodels.viz import gradients

    rows = [
        [reading.title, *(rate(gradients.a_word(values)) for values in gradients.shares(path))]
        for reading, path in zip(scene.readings, paths, strict=True)
    ]
    return shared.table(["On average over these words", "along the gates", "in all"], rows)


def rate(factor: float) -> str:
    """A factor a word, in words: 'loses 24 % a word'."""
    if factor == 0:
        return "loses all at once"
    return f"{'loses' if factor < 1 else 'gains'} {100 * abs(1 - factor):.2g} % a word"


def note(scene: Scene, path: CarryPath) -> str:
    """What exactly is drawn, and what is not."""
    from seqmodels.traces.carry import FURTHEST

    further = f" Only the last {FURTHEST} words are followed." if len(path.sources) == FURTHEST else ""
    return (
        f"Of the size of a small change to the memory at a word, so much is left at *{inputs.plain(scene.word)}*: the root mean "
        "square over all directions of the change. What truly arrives is the derivative of one memory by the other, by automatic "
        f"differentiation within this layer, as in training. Paths may cancel, so it can be less than the gates carry.{further}"
    )


HIDDEN = (
    "Keep is 0, so the gates carry nothing past one word: 0 has no place on this scale and stands below it. And yet the gradient "
    "flows: the memory hides in the new content F, which reads the one before through the weights U."
)
VIEW = View(
    how="a point is how much of a small change to the memory at that word is left at the framed word, on a scale of powers of ten.",
    look_for="the distance between the lines: all that does not go along the gates, but through the weights into what later words "
    "write. A straight fall is a gradient that vanishes by the same share at every word.",
    examples=EXAMPLES,
    draw=draw,
)
