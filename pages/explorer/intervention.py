"""View: surgery, an intervention on the gates. Hold gates at a value, let the network read on, and see what it says then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, lesson, loading, shown
from pages.common.caching import cached_by_model
from pages.explorer import clamps
from pages.explorer import scene as shared
from pages.explorer.scene import Aid, Example, Reading, Scene, View, state
from seqmodels import viz
from seqmodels.viz import tags

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seqmodels.inference import GeneratedToken
    from seqmodels.text import Unit
    from seqmodels.traces import Clamp, Intervention

WRITTEN: dict[Unit, int] = {"word": 12, "character": 60}  # that a language model writes in each run
RUNS = ("without", "with the intervention")  # what the two runs are called
EXAMPLES = (
    Example(
        "Forget the House",
        "cut at the last *of*, GRU and LSTM no longer expect *Representatives* (99 and 97 % before). Elman does not notice: "
        "its keep is 0 anyway.",
        state("I have the honor to transmit to the Senate and House of", "lm", "elman gru lstm", token="13", clamps="mu=0@here"),
    ),
    Example(
        "Forget the Church",
        "cut at *of*, in both directions, GRU and LSTM find no church any more, which was a place to GRU and an organization to "
        "LSTM: *Church* and *of* are outside of any name, and *England* is a place of its own.",
        state("The Church of England is old.", "ner", "gru lstm", token="3", clamps="mu=0@here"),
    ),
    Example(
        "A cut that heals",
        "*Wesley boys* is an organization to both. Cut at *Wesley*, GRU stays with that, and LSTM finds a person of that name.",
        state("One of the Wesley boys wrote the hymn.", "ner", "gru lstm", token="4", clamps="mu=0@here"),
    ),
    Example(
        "Never forget",
        "keep held at 1 destroys 10 of Elman's 11 tags, 5 of GRU's and 3 of LSTM's. Held at 0 (*Always forget*) it changes none: "
        "the past also enters F.",
        state("Angela Merkel met Emmanuel Macron in the Bank of England.", "ner", "elman gru lstm", token="9", clamps="mu=1"),
    ),
)


def draw(scene: Scene) -> None:
    """Both runs of each model, side by side: what they say, and where their memories differ."""
    from seqmodels.viz import comparisons

    held = clamps.choose(scene.tokens, scene.first.token, both_ways=loading.predicts(scene.task) == "tags")
    runs = {
        reading.name: (intervened(reading.name, scene.text, ()), intervened(reading.name, scene.text, tuple(held)))
        for reading in scene.readings
    }
    lesson.check("interventions", (held, list(runs.values())))
    places: list[DeltaGenerator] = []
    if loading.predicts(scene.task) == "tags":
        for reading in scene.readings:
            shown.markdown(f"**{reading.title}**")
            tagged(reading, *runs[reading.name])
    else:
        places = expected(scene, runs)

    def one(reading: Reading) -> None:
        before, after = runs[reading.name]
        figure = viz.intervention(before.trace, after.trace, reading.focus)
        alt = f"{reading.title}: how the intervention changes the memory, by word and unit"
        shared.chart(figure, f"surgery-{reading.name}", alt)

    def rows(reading: Reading) -> shared.Rows:
        before, after = runs[reading.name]
        return comparisons.intervention_rows(before.trace, after.trace, reading.focus)

    shared.panels(scene, one)
    shared.numbers_of(scene, rows, "surgery")
    if places:
        goes_on(scene, held, places)  # which takes longer than all pictures do


def tagged(reading: Reading, before: Intervention, after: Intervention) -> None:
    """The tags of both runs under the words, and what has changed in a sentence."""
    from seqmodels.inference import differences

    assert before.tagging is not None
    assert after.tagging is not None
    both = [before.tagging, after.tagging]
    changed = differences(both)
    listed = [
        f"*{inputs.plain(old.text)}* {old.tag} → {new.tag}"
        for old, new in ((both[0].tokens[at], both[1].tokens[at]) for at in changed[:6])
    ]
    more = f" and {len(changed) - 6} more" if len(changed) > 6 else ""
    total = f"{len(changed)} of {len(before.tagging.tokens):,} tags change"
    shown.markdown(f"{total}: {', '.join(listed)}{more}." if changed else "No tag changes.")
    window = reading.focus.window
    shown.html(tags.strip(both, (window.start, window.stop), titles=RUNS))


def expected(scene: Scene, runs: Mapping[str, tuple[Intervention, Intervention]]) -> list[DeltaGenerator]:
    """What each language model expects next in both runs, model beside model; and the places below, for how it goes on."""
    from seqmodels.inference import changed
    from seqmodels.viz import language

    found = {}
    for name, (before, after) in runs.items():
        assert before.next_words is not None
        assert after.next_words is not None
        found[name] = changed(before.next_words, after.next_words)
    longest = max(one.largest for one in found.values())
    places = [column.container(gap="xxsmall") for column in st.columns(len(found), gap="medium")]
    for reading, place in zip(scene.readings, places, strict=True):
        with place:
            shown.markdown(f"**{reading.title}**")
            figure = language.next_word_bars(found[reading.name], theme=reading.focus.theme, longest=longest, runs=RUNS)
            shared.chart(figure, f"surgery-{reading.name}-next", f"{reading.title}: the likeliest next words in both runs")
    return places


def goes_on(scene: Scene, held: list[Clamp], places: Sequence[DeltaGenerator]) -> None:
    """How each language model goes on in both runs, with the same seed."""
    from seqmodels.viz import language

    for reading, place in zip(scene.readings, places, strict=True):
        unit = loading.unit_of(reading.name)
        with place:
            for title, holding in zip(RUNS, ((), tuple(held)), strict=True):
                shown.caption(f"It goes on, {title}:")
                shown.html(language.continuation("… ", continued(reading.name, scene.text, holding), unit=unit))


# as large as a reading
@cached_by_model
def intervened(name: str, text: str, held: tuple[Clamp, ...]) -> Intervention:
    """A run with these clamps."""
    from seqmodels import traces

    return traces.intervene(loading.checkpoint(name), text, held)


@cached_by_model
def continued(name: str, text: str, held: tuple[Clamp, ...]) -> tuple[GeneratedToken, ...]:
    """What a language model writes with these clamps."""
    from seqmodels import traces

    read, most = intervened(name, text, held), WRITTEN[loading.unit_of(name)]
    return tuple(traces.continue_intervened(loading.checkpoint(name), text, held, max_tokens=most, after=read))


VIEW = View(
    title="Surgery",
    group="operate",
    place=1,
    asks="hold a gate, and read on",
    aid=Aid(
        "some gates are held at a value of yours, and the network reads the text once without this intervention and once "
        "with it. The map is what the intervention changes in the memory.",
        "words far from the cut that change: they lived on memory that is gone. Where nothing changes, nothing was needed.",
    ),
    examples=EXAMPLES,
    draw=draw,
)
