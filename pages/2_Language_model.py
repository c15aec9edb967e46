"""A text, continued word by word; the words that could come next; and how much each word of the text surprises a model.

A word is a character for those models that read character by character.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import address, inputs, loading, long_texts, page, shown, takeaway
from pages.language import names
from pages.language.shelves import SHELVES
from seqmodels.viz import language
from seqmodels.viz.document import Html, Part, Picture, Words

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seqmodels.inference import Candidates, Sampling
    from seqmodels.text import Unit
    from seqmodels.traces import Switch

Models = Mapping[str, "Unit"]  # names of checkpoints, and what each reads and writes one by one

PROMPT, SEED = "prompt", "seed"
# in the session's state: what the models on screen have read; what was typed, by what was asked for
_SHELF, _TYPED = "language-shelf", "language-typed"
MOST: dict[Unit, int] = {"word": 2000, "character": 12_000}  # of a prompt: three models read it in some two seconds
SIDE_BY_SIDE = 4  # models
SHORT = 5  # candidates over a text: with them, the most of it is in sight on a projector
FLOW = 0.1  # seconds between two sights of a text that flows in: each sends all of it
LONG = 5000  # characters; what is shorter is scored before a spinner could be seen
# so many make a word of text: one of the addresses has 5.5 characters, its space included
TOKENS: dict[Unit, int] = {"word": 1, "character": 6}
RARE: dict[Unit, str] = {"word": "words seen fewer than four times", "character": "characters seen fewer than ten times"}
SUMMED_UP: dict[Unit, str] = {
    "word": "It stands under each word. Perplexity sums it up: as unsure as a choice among that many equally likely words.",
    "character": "*Numbers* puts it under each character too. Bits per character are its mean.",
}
LENGTH_HELP = (
    "Words to write at most, punctuation included: with drafts, in whole sentences as soon as one has room. "
    f"A model of characters writes {TOKENS['character']} for each: as much text."
)
DRAFTS_HELP = (
    "A model of words writes so many versions of each sentence, and the one that it finds likeliest for its length stays: fewer "
    "slips, and fewer surprises. 1: what comes, word by word."
)
CAREFUL_HELP = (
    "Draw no word that would spoil the text: one twice in a row, a comma at the beginning, a bracket that nothing opened, an *a* "
    "before a vowel. The models' own probabilities stay as they are."
)
SLIDERS = {  # by key: label, lowest, highest, usual, step, and what it does to a {unit} or to {units}
    "temperature": ("Temperature", 0.0, 2.0, 0.6, 0.05, "0 always takes the most probable {unit}."),
    "top_k": ("Top-k", 0, 100, 0, 1, "Draw from the k most probable {units}; 0: from all."),
    "top_p": ("Top-p", 0.05, 1.0, 0.9, 0.05, "Draw from the fewest {units} that hold this share; 1: from all."),
    "length": ("Length", 5, 120, 40, 5, LENGTH_HELP),
    "drafts": ("Drafts", 1, 20, 8, 1, DRAFTS_HELP),
    SEED: ("Seed", 0, 99, 7, 1, "The same seed gives the same text."),
}
SIDES = (("temperature", "top_k", "top_p"), ("length", "drafts", SEED))  # how a word is drawn, and what is written
SIDE = 280  # pixels
OF_TEXTS = ("length", "drafts")  # a name is as long as it is, and of letters there are no sentences


@dataclass(frozen=True)
class Asked:
    """Which models go on with the prompt, how words are drawn, how many, and whether numbers stand under them."""

    models: Models
    sampling: Sampling
    length: int
    numbers: bool
    switch: Switch | None  # of a name: to another language


def main() -> None:
    page.start("Language model")
    with page.header():
        above = st.container()  # the text stands over the models that it depends on
        with page.pickers():
            task = inputs.choice(
                "Models that have read", list(SHELVES), key="read", show=lambda name: SHELVES[name].title, compact=True, menu=True
            )
            shelf = SHELVES[task]
            with above:
                prompt = ask(task)
            from seqmodels.tasks import TASKS, tasks_that_predict  # brings torch: the page's frame is on screen by now

            # whatever else can go on with a text stands beside them, such as a model of characters
            alone = bool(TASKS[task].condition)
            tasks = (task, *(name for name in tasks_that_predict("next token") if name not in SHELVES and not alone))
            asked = settings(tasks, alone)
    if not alone:
        address.write()  # the text takes a while to flow in
    with page.answer(prompt, asked, reason=inputs.reason(shelf.examples, key=PROMPT)):
        if asked.models:
            answer(prompt, asked, alone)
            shown.caption(f"These models have read one thing only: {shelf.note}.")
            takeaway.menu(task, f"Language model: {shelf.title}", key="language-take-away")
        else:
            st.info("Pick at least one model to see what it writes.")


def answer(prompt: str, asked: Asked, alone: bool) -> None:
    """What the models expect next, what they write, and what has surprised them. Of names, those that are written come first."""
    unit: Unit = "word" if "word" in asked.models.values() else "character"
    prompt = long_texts.at_most(
        prompt, loading.at_once(list(asked.models), names.MOST_PROMPT if alone else MOST[unit]), unit, last=True
    )
    from seqmodels.inference import candidates

    found = {name: candidates(loading.next_words(name, prompt), asked.sampling) for name in asked.models}
    if alone:
        names.draw(list(asked.models), prompt, asked.sampling, asked.switch)
        shown.header("What could come next")
    panels = []
    for name, column in zip(asked.models, st.columns(len(asked.models), gap="medium"), strict=True):
        with column, st.container(key=f"written-{name}", gap="xxsmall"):
            writing = None if alone else loading.continue_text(name, prompt, max_tokens=many(asked, name), sampling=asked.sampling)
            above(name, prompt, asked.models[name], writing)
            bars(name, prompt, found, short=not alone)
            if writing is not None:
                panels.append((st.empty(), writing, asked.models[name]))
                shown.keep(partial(written, writing, prompt, asked.models[name], asked.numbers))
            shown.caption(language.spread(found[name]))
    take_one(asked.models, prompt, found, texts=not alone, drafts=asked.sampling.drafts)
    surprisal = st.container()
    # the text flows in while the rest already stands; the prompt is scored last, which takes long if it is a book
    write(panels, prompt, asked.numbers)
    with surprisal:
        prompt_surprisal(asked.models, prompt, asked.numbers)


def ask(task: str) -> str:
    """What the models are to go on with. An example goes with its shelf, and what was typed with shelves that ask for the same."""
    before, shelf = SHELVES[st.session_state.setdefault(_SHELF, task)], SHELVES[task]
    if before is not shelf and not address.leads(PROMPT):
        typed, kept = address.kept(PROMPT), st.session_state.setdefault(_TYPED, {})
        kept[before.label] = None if typed in (example.text for example in before.examples) else typed
        if before.label != shelf.label or kept[shelf.label] is None:
            address.put({PROMPT: kept.get(shelf.label)})
    st.session_state[_SHELF] = task
    examples = inputs.texts(shelf.examples, key=PROMPT)
    return inputs.question(shelf.examples[0].text, examples, action=shelf.action, label=shelf.label, key=PROMPT, last=True)


def settings(tasks: Sequence[str], alone: bool) -> Asked:
    """Which models go on, and how. A name is as long as it is, and of letters there are none that would spoil it."""
    picked = inputs.cells(*tasks, most=SIDE_BY_SIDE)
    models = {name: loading.unit_of(name) for name in inputs.given(tasks[0], picked)}
    unit, units = kinds(models), kinds(models, "s")
    to = names.other(list(models)) if alone and models else None
    anew = "Other names" if alone else "Another text"
    st.button(anew, icon=":material/casino:", key="anew", help="The same settings with the next seed.", on_click=draw_anew)
    beside, rare = st.container(width="content"), page.settings()
    with rare if alone else beside:
        numbers = inputs.toggle("Numbers", key="numbers", help=f"Under each {unit}: its probability, or its surprisal.")
    with rare:
        switch = None if to is None else names.switch(to)
        values: dict[str, float] = {}
        with st.container(horizontal=True, gap="medium"):  # side by side, where there is room: all are seen at once
            for keys in SIDES:
                with st.container(width=SIDE):
                    values |= {key: slider(key, unit=unit, units=units) for key in keys if not (alone and key in OF_TEXTS)}
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            careful = alone or inputs.toggle("Careful", key="careful", default=True, help=CAREFUL_HELP)
            st.button("Reset", icon=":material/restart_alt:", on_click=reset, args=(tasks,))

    from seqmodels.inference import Sampling

    drafts = int(values.get("drafts", 1))
    sampling = Sampling(values["temperature"], int(values["top_k"]), values["top_p"], int(values[SEED]), careful, drafts)
    return Asked(models, sampling, int(values.get("length", 0)), numbers, switch)


def slider(key: str, *, unit: str, units: str) -> float:
    """The value of a slider, whose help says what it does to one of what the models read, and to many."""
    label, low, high, usual, step, note = SLIDERS[key]
    return inputs.number(label, low, high, key=key, default=usual, step=step, help=note.format(unit=unit, units=units))


def draw_anew() -> None:
    """The next seed."""
    _, low, high, usual, _, _ = SLIDERS[SEED]
    now = address.kept(SEED)
    following = int(usual if now is None else now) + 1
    address.put({SEED: following if following <= high else int(low)}, unseen=True)


def many(asked: Asked, name: str) -> int:
    """How many tokens a model is to write."""
    return asked.length * TOKENS[asked.models[name]]


def above(name: str, prompt: str, unit: Unit, writing: loading.Writing | None) -> None:
    """The name of a model, and a button that takes over what it writes."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(heading(name, unit), width="content")
        shown.keep(Words(heading(name, unit)))
        if writing is not None:
            st.button(
                "Keep",
                icon=":material/add:",
                key=f"keep-{name}",
                help="Put this text into the prompt and go on from there.",
                on_click=keep,
                args=(prompt, writing, unit),
                type="tertiary",
            )


def bars(name: str, prompt: str, found: Mapping[str, Candidates], *, short: bool) -> None:
    """The likeliest next words of a model; of a `short` list the first only. A click takes a word."""
    most = SHORT if short else None
    listed = {one: replace(candidates, words=candidates.words[:most]) for one, candidates in found.items()}
    longest = max(candidates.largest for candidates in listed.values())
    # a new prompt needs a new chart: an old one would still hold the click that made it
    key, unit = f"bars-{name}-{zlib.crc32(prompt.encode(errors='replace'))}", found[name].unit
    figure = language.next_word_bars(listed[name], theme=page.theme(), longest=longest, bare=short)
    config = {"displayModeBar": False, "toImageButtonOptions": {"filename": f"next-{name}"}}
    shown.keep(Picture(figure, f"How likely each {unit} comes next, the likeliest first", config))
    st.plotly_chart(
        figure,
        theme=None,  # Streamlit's would repaint the see-through bars
        key=key,
        on_select=lambda: take_clicked(key, prompt, unit),
        selection_mode="points",
        config=config,
    )


def take_one(models: Models, prompt: str, found: Mapping[str, Candidates], *, texts: bool, drafts: int) -> None:
    """What the bars, and the colours of `texts`, mean; and a list of all candidates, which needs no mouse."""
    rare = " and ".join(text for unit, text in RARE.items() if unit in models.values())
    kind = kinds(models)
    meant = [
        f"A bar is how likely a {kind} comes next: solid under the settings above (never: they leave it out), faint by the model's "
        f"own probability, at temperature 1. Click a row, or tap it twice, to take that {kind}."
    ]
    if texts:
        meant.append(f"The stronger the colour behind a {kind}, the less the model expected it; ¶ ends a paragraph.")
    if drafts > 1 and "word" in models.values():
        meant.append(f"A sentence is the likeliest of {drafts} drafts.")
    shown.caption(
        " ".join(meant),
        help=f"To a model, {rare} in training (of a short text, fewer) are all `<unk>`, and `<unk>` is never drawn.",
    )
    choices = {label(word, one.unit, models): (word, one.unit) for one in found.values() for word in one.names}
    first = next(iter(models.values()))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            f"Or pick the next {kind} from a list",
            sorted(choices, key=str.lower),
            index=None,
            key="next",
            placeholder="A candidate",
            on_change=take_listed,
            args=(prompt, choices),
            width=280,
        )
        st.button(
            f"Take back a {first}", icon=":material/undo:", on_click=take_back, args=(prompt, first), disabled=not prompt.strip()
        )


def write(panels: Sequence[tuple[DeltaGenerator, loading.Writing, Unit]], prompt: str, numbers: bool) -> None:
    """The models side by side, all writing at once. What they have written before appears at once."""
    stands = [-1] * len(panels)  # how many words of each
    going = list(range(len(panels)))
    while True:
        for number, (panel, writing, unit) in enumerate(panels):
            if len(writing.tokens) != stands[number]:
                stands[number] = len(writing.tokens)
                panel.html(language.continuation(prompt, writing.tokens, unit=unit, numbers=numbers))
        if not going:
            return
        deadline = time.monotonic() + FLOW
        while going and time.monotonic() < deadline:
            going = [number for number in going if panels[number][1].advance(TOKENS[panels[number][2]])]


def written(writing: loading.Writing, prompt: str, unit: Unit, numbers: bool) -> list[Part]:
    """The text of a model as far as it has come."""
    return [Html(language.continuation(prompt, writing.tokens, unit=unit, numbers=numbers))]


def prompt_surprisal(models: Models, prompt: str, numbers: bool) -> None:
    """The prompt once for each model, coloured by how unexpected each word was."""
    shown.header("What surprised them in the prompt")
    if not prompt.strip():
        st.caption(f"The prompt is empty. Type something, and each {kinds(models)} is coloured by how unexpected it is.")
        return
    from seqmodels.tasks import caution

    doubts: set[str | None] = {None}  # that have been told
    for name, unit in models.items():
        with st.spinner("Reading a long prompt") if len(prompt) > LONG else nullcontext():
            score = loading.score_prompt(name, prompt)
        shown.markdown(f"{heading(name, unit)} · {language.overall(score)}")
        doubt = caution({"unknown_share": score.unknown_share})
        if doubt not in doubts:
            doubts.add(doubt)
            st.caption(f":material/warning: {doubt}.")
        # numbers would set the letters of a word far apart, so they are shown on demand
        shown.html(language.surprisal_strip(score, prompt, numbers=numbers or unit == "word"))
    shown.html(language.legend(models.values()))
    meant = " ".join(text for unit, text in SUMMED_UP.items() if unit in models.values())
    what = f"The surprisal of a {kinds(models)} is -log₂ of the probability it had before it was read, in bits."
    shown.explain(f"{what} One bit is a coin toss. {meant}")


def kinds(models: Models, ending: str = "") -> str:
    """What the models read one by one: 'word', 'character', or 'word or character'."""
    return " or ".join(f"{unit}{ending}" for unit in dict.fromkeys(models.values()) or ("word",))


def heading(name: str, unit: Unit) -> str:
    return f"**{loading.title(name)}**{'' if unit == 'word' else ', character by character'}"


def label(word: str, unit: Unit, models: Models) -> str:
    """A candidate in the list, where *a* may be a word as well as a character."""
    return language.shown(word) if len(set(models.values())) == 1 else f"{language.shown(word)} ({unit})"


def take_clicked(key: str, prompt: str, unit: Unit) -> None:
    points = st.session_state[key].selection.points
    if points:
        take(prompt, [points[0]["customdata"][0]], unit)


def take_listed(prompt: str, choices: Mapping[str, tuple[str, Unit]]) -> None:
    chosen = st.session_state["next"]
    st.session_state["next"] = None
    if chosen is not None:
        word, unit = choices[chosen]
        take(prompt, [word], unit)


def keep(prompt: str, writing: loading.Writing, unit: Unit) -> None:
    take(prompt, [token.text for token in writing.tokens], unit)


def take(prompt: str, words: Sequence[str], unit: Unit) -> None:
    from seqmodels import inference

    st.session_state[PROMPT] = before(prompt) + inference.accept(prompt, words, unit)


def take_back(prompt: str, unit: Unit) -> None:
    from seqmodels import inference

    st.session_state[PROMPT] = before(prompt) + inference.take_back(prompt, unit)


def before(prompt: str) -> str:
    """What was typed before the prompt, where the models have read only the end of it."""
    typed = str(st.session_state.get(PROMPT) or "")
    return typed.removesuffix(prompt) if typed.endswith(prompt) else ""


def reset(tasks: Sequence[str]) -> None:
    values: dict[str, Any] = {PROMPT: SHELVES[tasks[0]].examples[0].text, "numbers": False, "careful": True}
    values |= {key: usual for key, (_, _, _, usual, _, _) in SLIDERS.items()}
    values |= names.usual()
    values["cells"] = [loading.title(name) for name in inputs.usual_cells(*tasks, most=SIDE_BY_SIDE)]
    address.put(values)


page.run(main)
