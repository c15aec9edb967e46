"""View: the ledger of contributions. Who wrote the memory at a word, and who wrote the prediction that is read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pages.common import inputs, loading, shown
from pages.explorer import scene as shared
from pages.explorer.scene import Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.viz import tags
from seqmodels.viz.format import part, signed

if TYPE_CHECKING:
    from seqmodels.traces import Attribution
    from seqmodels.viz.memories import Collapsed

EXAMPLES = (
    Example(
        "Two words back",
        "In LSTM, *Army* gave +5.82 of the +12.08 for *Navy*: more than *the*, the word just read. "
        "Elman credits *the* with nearly all: its past hides inside the new content.",
        state("The Army and the", "lm", "elman gru lstm", token="5", next="Navy"),
    ),
    Example(
        "From the right",
        "The first *Chelsea* is a person. In LSTM *Clinton*, which is yet to come, gave +1.20 of the +3.19 for that: the backward "
        "layer has read it. In GRU it gave +1.05 of +2.56.",
        state("Chelsea Clinton moved to Chelsea.", "ner", "gru lstm", direction="backward", token="1", tag="B-PER"),
    ),
)

NEXT = "next"  # of the address: the word whose logit is shown
LIKELY = 5  # next words that each language model puts up for choice
NAMED, LEAST = 3, 0.005  # words that a sentence names, and the least that one of them wrote


def draw(scene: Scene) -> None:
    """For each model the table of who wrote what, the selected memory as bars, and the logit that is read from it."""
    from seqmodels.viz import memories

    with scene.settings:
        asked = target(scene)
    given = {}

    def one(reading: Reading) -> None:
        near = memories.collapsed(reading.trace, reading.focus)
        given[reading.name] = found = attribution(reading, near, asked)
        figure = viz.contributions(reading.trace, reading.focus, found)
        alt = f"{reading.title}: how much each word wrote of the memory at each word, and what each gave to the prediction"
        shared.chart(figure, f"ledger-{reading.name}", f"{alt} at {scene.word}")
        shown.markdown("  \n".join(sentences(reading, near, found)))
        shown.caption(" ".join(checks(reading, near, found)))

    shared.panels(scene, one)
    rows = memories.contribution_rows
    shared.numbers_of(scene, lambda reading: rows(reading.trace, reading.focus, given[reading.name]), "ledger")


def target(scene: Scene) -> str | None:
    """What the logit is to be of; none for what each model predicts itself."""
    from seqmodels import traces

    if loading.predicts(scene.task) == "tags":
        tags = loading.checkpoint(scene.first.name).targets
        return inputs.menu("Logit of", tags, key="tag", placeholder="the tag it predicts")
    words = [
        word for read in scene.readings for word in traces.likely(loading.checkpoint(read.name), read.trace, read.token, LIKELY)
    ]
    found = list(dict.fromkeys(words))
    return inputs.menu("Logit of the next word", found, key=NEXT, placeholder="the word it predicts", typed=True)


def attribution(reading: Reading, near: Collapsed, asked: str | None) -> Attribution | None:
    """The logit by who wrote it; none, with a note, where the model doesn't know what is asked for."""
    from seqmodels import traces

    checkpoint = loading.checkpoint(reading.name)
    if asked is None and loading.predicts(reading.trace.task) == "tags":
        asked = reading.focus.below[reading.token].text or "O"  # the tag on screen: tags must also fit their neighbours
    try:
        return traces.attribute(checkpoint, near.trace, near.token, asked)
    except ValueError:
        shown.caption(f"{reading.title} has no word {inputs.plain(str(asked))} in its vocabulary, so no logit for it.")
        return None


def sentences(reading: Reading, near: Collapsed, given: Attribution | None) -> list[str]:
    """Who wrote the memory and who gave the logit, the most important words by name."""
    from seqmodels.viz import memories

    words = [f"**{inputs.plain(word)}**" for word in near.trace.tokens]
    here, unit = reading.word(reading.token), near.focus.unit
    amounts = memories.amounts(near)[near.token]
    show, whole = (
        (part, f"Of the memory at {here}") if unit is None else (signed, f"Of the {signed(amounts.sum())} in unit {unit} at {here}")
    )
    most = np.argsort(-np.abs(amounts), kind="stable")[:NAMED]
    named = [f"{words[column]} {show(amounts[column])}" for column in most if abs(amounts[column]) >= LEAST]
    found = [f"{whole}: {', '.join(named)}." if named else f"{whole}, no word wrote {LEAST:g} or more."]
    if given is not None:
        side = 1 if given.logit >= 0 else -1
        top = int((side * given.total).argmax())
        after = f" after {here}" if loading.predicts(reading.trace.task) == "next token" else f" at {here}"
        target = f"**{inputs.plain(given.target)}**{after}"
        found.append(f"{words[top]} gave {signed(given.total[top])} of the {signed(given.logit)} for {target}.")
    return found


def checks(reading: Reading, near: Collapsed, given: Attribution | None) -> list[str]:
    """What the bars sum to, and where they are a convention or say nothing."""
    from seqmodels.viz import memories

    notes = []
    if near.focus.unit is not None:
        total, memory = memories.amounts(near)[near.token].sum(), near.layer.memory[near.token, near.focus.unit]
        notes.append(f"Unit {near.focus.unit}: the bars sum to {signed(total, 4)}; its memory is {signed(memory, 4)}.")
    if not reading.layer.mu.any():
        notes.append(
            "Each memory is written wholly by its own word: keep is 0, and what this model knows of the past is hidden inside its "
            "new content F, which reads the memory before."
        )
    if given is None:
        return notes
    if loading.predicts(reading.trace.task) == "tags" and (meant := tags.meaning(given.target)):
        notes.append(f"{meant}.")
    parts = [f"{name} {signed(float(values.sum()))}" for name, values in given.gave.items()]
    total = float(given.total.sum()) + given.bias
    how = "Sums exactly" if given.exact else "Sums"
    notes.append(f"{how}: {', '.join(parts)}, bias {signed(given.bias)}, together {signed(total)}. Logit: {signed(given.logit)}.")
    if not given.exact:
        notes.append(
            "A share by proportion, not a fact: the output layer sees this memory through tanh and a gate, so of what is shown "
            "of a unit each word is given the part that it wrote."
        )
    if reading.layer.layer < max(layer.layer for layer in reading.trace.layers):
        notes.append(f"The output layer does not read layer {reading.layer.layer + 1}: the lowest bars are of the last layer.")
    return notes


VIEW = View(
    title="Ledger",
    group="remember",
    place=1,
    asks="which word wrote the memory",
    aid=Aid(
        "in the map, a row is the memory at a word, a column the word that wrote it; the stronger the colour, the more. The framed "
        "row stands below as bars, and the lowest bars carry it on to the logit, the number that becomes a probability.",
        "a column that stays strong far from the diagonal: a word that later memories still hold. A faint diagonal: a word that "
        "wrote little of its own memory.",
    ),
    examples=EXAMPLES,
    draw=draw,
    bound=(NEXT,),
)
