"""View: the gap probe. Filler words between two words: how far the first should reach by its gates, and how far it does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, loading, shown
from pages.common.caching import cached_by_model
from pages.explorer import scene as shared
from pages.explorer.scene import Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.viz import tags
from seqmodels.viz.format import counted, part, signed
from seqmodels.viz.palette import visible

if TYPE_CHECKING:
    from seqmodels.traces import GapProbe

FLORENCE = state(
    "They live near Florence.",
    "ner",
    "elman gru lstm",
    direction="forward",
    token="4",
    source="3 near",
    longest=20,
)
EXAMPLES = (
    Example(
        "And and and",
        "after 20 times *and*, *near* still moves LSTM's logit of B-LOC at *Florence* by +1.06; as typed it was +3.23. In GRU it "
        "is +1.36. With *the* instead LSTM's gates keep as much, 39 against 38 %, but the effect is down to +0.32.",
        FLORENCE | {"filler": "and"},
    ),
    Example(
        "The the the",
        "Elman's gates keep nothing, yet *near* moves its logit of B-LOC by +1.84 as typed. In LSTM 39 % of *near* is kept "
        "over 20 fillers, and yet it moves the logit by no more than +0.32 then.",
        FLORENCE | {"filler": "the"},
    ),
    Example(
        "More with a gap",
        "the further off *deficit* is, the less of it is kept. But in the forgetting sum its pull towards *$* grows, from +1.24 to "
        "+6.01 after twenty *very*.",
        state(
            "we have cut the deficit by more than",
            "lm",
            "gru lstm gated_forget",
            token="9",
            source="6 deficit",
            filler="very",
            longest=20,
        ),
    ),
)

FILLER = "the"
SUGGESTED = (FILLER, "of course", "very", "old", ",", "and so on")
LONGEST, USUAL = 40, 20
LONGEST_PART = 120  # tokens of a long text that are read, over and over


def draw(scene: Scene) -> None:
    """For each model theory and experiment, one over the other."""
    from seqmodels.viz import gaps

    with scene.settings:
        source = chosen_source(scene)
        filler = (inputs.menu("Filler words", SUGGESTED, key="filler", placeholder=FILLER, typed=True) or "").strip() or FILLER
        longest = int(inputs.number("Most filler words", 1, LONGEST, key="longest", default=USUAL, step=1))
    if source is None:
        st.info(f"No word on screen is read before “{inputs.plain(scene.word)}”: select another word.")
        return
    with st.spinner("Reading with filler"):
        probes = {reading.name: probe(reading, scene, source, filler, longest) for reading in scene.readings}
    axes = gaps.ranges(list(probes.values()))
    word = scene.tokens[source]

    def one(reading: Reading) -> None:
        found = probes[reading.name]
        figure = viz.gap(found, axes=axes, theme=reading.focus.theme, name=reading.title)
        alt = f"{reading.title}: what is left of {word} at {scene.word} and its effect there, by the number of filler words"
        shared.chart(figure, f"gap-{reading.name}", alt)
        shown.markdown(sentence(found, word))
        shown.caption(why(found, hides=reading.layer.output_gate is not None))

    shared.panels(scene, one, columns=shared.WORDLESS)
    shown.caption(note(scene, source, filler, (found.prediction for found in probes.values())))
    shared.numbers_of(scene, lambda reading: gaps.rows(reading.trace.label, probes[reading.name]), "gap")


def chosen_source(scene: Scene) -> int | None:
    """A word on screen that is read before the selected one; unless one is picked, the nearest. None if there is none."""
    focus, token = scene.first.focus, scene.first.token
    backward = scene.first.layer.backward
    before = range(token + 1, focus.window.stop) if backward else range(token - 1, focus.window.start - 1, -1)
    labels = {f"{position + 1} {visible(scene.tokens[position])}": position for position in before}
    nearest = next(iter(labels), None)
    picked = inputs.menu("Source word", list(labels), key="source", placeholder=nearest or "none")
    return labels.get(picked or nearest or "")


def probe(reading: Reading, scene: Scene, source: int, filler: str, longest: int) -> GapProbe:
    """Of the words on screen alone: a long text would be read anew for every gap."""
    text, first = on_screen(reading, scene.text)
    return _probe(reading.name, text, source - first, reading.token - first, filler, longest, reading.layer.layer)


@cached_by_model
def _probe(name: str, text: str, source: int, target: int, filler: str, longest: int, layer: int) -> GapProbe:
    from seqmodels import traces

    return traces.gap_probe(loading.checkpoint(name), text, source, target, filler=filler, longest=longest, layer=layer)


def on_screen(reading: Reading, text: str) -> tuple[str, int]:
    """The part of the text that is on screen, and which of the text's tokens is the first that a model reads of it."""
    window, tokens = reading.focus.window, reading.trace.tokens
    if window.start == 0 and window.stop == len(tokens):
        return text, 0
    return _part(reading.name, text, window.start, window.stop)


@cached_by_model
def _part(name: str, text: str, start: int, stop: int) -> tuple[str, int]:
    from seqmodels.inference.encoding import read_tokens

    model = loading.checkpoint(name)
    tokens = read_tokens(model, text)
    # from white space to white space, so that words are split as in the whole text
    before, after = text[: tokens[start].start], text[tokens[stop - 1].end :]
    begin = len(before) - len(before.rsplit(maxsplit=1)[-1] if before[-1:].strip() else "")
    end = len(text) - len(after) + len(after.split(maxsplit=1)[0] if after[:1].strip() else "")
    read = [number for number, token in enumerate(tokens) if begin <= token.start and token.end <= end]
    if len(read) > LONGEST_PART:
        raise ValueError(f"{len(read):,} of these words stand without a space between them: put spaces into the text")
    shown = text[begin:end]
    added = len(read_tokens(model, shown)) - len(read)  # a language model begins each text with a token of its own
    return shown, read[0] - added


def sentence(found: GapProbe, word: str) -> str:
    """Theory and experiment, at both ends."""
    return (
        f"**Theory:** {part(found.retention[0])} of *{inputs.plain(word)}* is left, after {counted(int(found.gaps[-1]), 'filler')} "
        f"{part(found.retention[-1])}.  \n"
        f"**Experiment:** it moves **{inputs.plain(found.prediction)}** by {signed(found.effect[0])}, then by "
        f"{signed(found.effect[-1])}."
    )


def why(found: GapProbe, *, hides: bool) -> str:
    """Where theory and experiment part, and through what; some cells have a gate that hides what is in the memory."""
    from seqmodels.traces import diagnose

    diagnosis = diagnose(found)
    hidden = ", or the output gate hides it" if hides else ""
    text = {
        "faint": "As typed, the source barely moves this prediction: there is little for a gap to take away.",
        "agree": "Theory and experiment agree: the effect fades as the word does in the memory.",
        "closed": "Keep is 0, so by theory nothing reaches the selected word. What does went another way: each word's new content "
        "F is made of the memory before it.",
        "lasts": "the effect lasts longer than the memory: new content F reads the memory too, and hands it on.",
        "fades": "the effect fades faster than the memory: what is left lies in units that this logit reads little of, or later "
        f"words write against it{hidden}.",
    }[diagnosis.kind]
    if diagnosis.kind not in ("lasts", "fades"):
        return text
    end = f" By {found.gaps[-1]} it is the other way round." if diagnosis.turns else ""
    return f"From {counted(diagnosis.gap, 'filler')} on, {text}{end}"


def note(scene: Scene, source: int, filler: str, predictions: Iterable[str]) -> str:
    """What exactly is done, what of the text is read, and what the tags mean whose logits are drawn."""
    known = filter(None, map(tags.meaning, dict.fromkeys(predictions))) if loading.predicts(scene.task) == "tags" else ()
    meant = "".join(f" {meaning}." for meaning in known)
    words, here = len(scene.tokens), scene.first
    later = inputs.plain(scene.tokens[max(source, here.token)])
    rest = "" if here.focus.window == slice(0, words) else f" Of these {words:,} words only those on screen are read."
    return (
        f"The filler *{inputs.plain(filler)}* stands right before *{later}*, over and over. Each text is read twice, the second "
        "time with an unknown word as the source: the difference in the logit, the number that becomes a probability, is the "
        "source's effect. The logit and its probability are of what the "
        f"network predicts at *{inputs.plain(scene.word)}* in the text as typed, judged alone; a tag that must fit its neighbours "
        f"may be another.{rest}{meant}"
    )


VIEW = View(
    title="Gap",
    group="remember",
    place=4,
    asks="what other words between two would change",
    aid=Aid(
        "from left to right, more and more filler words stand between the source word and the selected one. Blue is what the gates "
        "predict, dashed what the network does.",
        "where the dashed line leaves the blue one: there a word lives on by other ways than the gates, or is lost by them.",
    ),
    examples=EXAMPLES,
    draw=draw,
    labelled=False,
)
