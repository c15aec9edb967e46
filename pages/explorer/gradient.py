"""View: the gradient. How much of a change reaches the selected word along the gates, and how much in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, loading, shown
from pages.common.caching import cached_by_model
from pages.explorer import scene as shared
from pages.explorer.reading import read
from pages.explorer.scene import KEYS, Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.viz.format import counted, part, percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seqmodels.traces import GradientPath

EXAMPLES = (
    Example(
        "Through closed gates",
        "Elman's gates carry nothing, yet it loses only 13 % of the gradient a word. In LSTM the gates carry 7.9 % over these 18 "
        "words, and 18 % arrives. Now take the tagger of parts of speech: there Elman loses 34 % a word.",
        state(KEYS, "lm", "elman gru lstm", token="19"),
    ),
    Example(
        "A gradient that grows",
        "over the same word again and again, LSTM's gradient does not vanish but grows, by 2.5 % a word, to 1.8 times the change, "
        "although its gates let go. GRU's stays near what its gates carry.",
        state(" ".join(["and"] * 24), "lm", "elman gru lstm", token="25"),
    ),
)


def draw(scene: Scene) -> None:
    """For each model both lines over the words, on one scale; and what is lost at each word."""
    from seqmodels.viz import gradients

    with st.spinner("Following the gradient"):
        paths = {
            reading.name: path_to(reading.name, scene.text, reading.layer.layer, reading.layer.direction, reading.token)
            for reading in scene.readings
        }
    first = paths[scene.first.name]
    axis = gradients.decades(list(paths.values()))

    def one(reading: Reading) -> None:
        path = paths[reading.name]
        figure = viz.gradient_path(reading.trace, path, reading.focus, axis=axis)
        alt = f"{reading.title}: how much of a change at each word reaches {scene.word}, along the gates and in all"
        shared.chart(figure, f"gradient-{reading.name}", alt)
        shown.markdown(sentence(reading, path))
        if not reading.layer.mu.any():
            shown.caption(HIDDEN)

    drawn = gradients.around(first, scene.first.focus, scene.first.trace).positions(scene.first.trace)
    shared.panels(scene, one, columns=len(drawn))
    if len(first.sources) > 1:
        rows = [
            [reading.title, *map(rate, (paths[reading.name].gates, paths[reading.name].gradient))] for reading in scene.readings
        ]
        shown.markdown(shared.table(["On average over these words", "along the gates", "in all"], rows))
    shown.caption(note(scene, first))
    shared.numbers_of(scene, lambda reading: gradients.rows(reading.trace, paths[reading.name]), "gradient")


@cached_by_model
def path_to(name: str, text: str, layer: int, direction: str, token: int) -> GradientPath:
    """From the words before it to the selected one."""
    from seqmodels import traces

    return traces.gradient_path(loading.checkpoint(name), read(name, text).trace, token, layer=layer, direction=direction)


def sentence(reading: Reading, path: GradientPath) -> str:
    """What arrives from the word furthest back."""
    here = reading.word(reading.token)
    back = len(path.sources) - 1
    if not back:
        return f"{here} is the first word read here: there is none before it to look back to."
    kept, arrives = part(path.gates[0]), part(path.gradient[0])
    source = reading.word(path.sources[0])
    return f"Of a change at {source}, {counted(back, 'word')} back, the gates carry **{kept}** to {here}; **{arrives}** arrives."


def rate(shares: NDArray[np.float64]) -> str:
    """What is lost from word to word, on average over the path: 'loses 24 % a word'."""
    from seqmodels import traces

    factor = traces.rate(shares)
    if factor in (0, 1):
        return "loses nothing" if factor else "loses all at once"
    return f"{'loses' if factor < 1 else 'gains'} {percent(abs(1 - factor))} a word"


def note(scene: Scene, path: GradientPath) -> str:
    """What exactly is drawn, and what is not."""
    from seqmodels.traces.gradients import FURTHEST

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
    title="Gradient",
    group="remember",
    place=3,
    asks="how far back learning reaches",
    aid=Aid(
        "a point is how much of a small change to the memory at that word is left at the framed word, on a scale of powers of ten.",
        "the distance between the lines: all that does not go along the gates, but through the weights into what later words "
        "write. A straight fall is a gradient that vanishes by the same share at every word.",
    ),
    examples=EXAMPLES,
    draw=draw,
)
