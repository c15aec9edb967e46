"""A text, continued word by word; the words that could come next; and how much each word of the text surprises a model.

A word is a character for those models that read character by character.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import address, inputs, loading, page
from pages.language import names
from seqmodels.viz import language

if TYPE_CHECKING:
    from seqmodels.inference import Sampling
    from seqmodels.text import Unit

Models = Mapping[str, "Unit"]  # names of checkpoints, and what each reads and writes one by one

PROMPT, SEED = "prompt", "seed"
_SHELF = "language-shelf"  # in the session's state: what the models on screen have read
MOST: dict[Unit, int] = {"word": 2000, "character": 12_000}  # of a prompt: three models read it in some two seconds
SIDE_BY_SIDE = 4  # models
LONG = 5000  # characters; what is shorter is scored before a spinner could be seen
# so many make a word of text: one of the addresses has 5.5 characters, its space included
TOKENS: dict[Unit, int] = {"word": 1, "character": 6}
RARE: dict[Unit, str] = {"word": "words seen fewer than four times", "character": "characters seen fewer than ten times"}
SUMMED_UP: dict[Unit, str] = {
    "word": "It stands under each word. Perplexity sums it up: as unsure as a choice among that many equally likely words.",
    "character": "*Numbers* puts it under each character too. Bits per character are its mean.",
}
LENGTH_HELP = f"Words to write, punctuation included. A model of characters writes {TOKENS['character']} for each: as much text."
CAREFUL_HELP = (
    "Draw no word that would spoil the text: one twice in a row, a comma at the beginning, a bracket that nothing opened, an *a* "
    "before a vowel. The models' own probabilities stay as they are."
)
EXAMPLES = (
    inputs.Example(
        "State of our Union",
        "My fellow Americans, the state of our Union is",
        "The best-known sentence of the genre: see whether *strong* is among the candidates, and what else is.",
    ),
    inputs.Example(
        "A fixed phrase",
        "The people of the United",
        "Hardly anything but *States* can follow *the United*: one bar takes nearly all.",
    ),
    inputs.Example(
        "The year 1850",
        "The treaty of commerce with Great Britain",
        "Half of what the models read was written before 1900. The topic alone brings back the style.",
    ),
    inputs.Example(
        "Agreement at a distance",
        "The treaty with the Government of the Indian tribes",
        "The verb belongs to *treaty*, not to *tribes*, which is nearer and attracts it: all three cells prefer *have*.",
    ),
    inputs.Example(
        "An open quotation",
        'President Lincoln said, "The dogmas of the quiet past',
        "A quotation is open: does a model remember to close it, and when?",
    ),
    inputs.Example(
        "An amount",
        "The receipts of the Treasury for the fiscal year were $",
        "Most sums are too rare to be words of the models: they expect one that they can't spell, and `<unk>` takes most of it.",
    ),
    inputs.Example(
        "Nothing like it",
        "My cat spilled ramen on the smartphone again, lol",
        "No president ever said this. Most of these words are unknown to the models, and the rest surprise them.",
    ),
    inputs.Example(
        "A word cut short",
        "The people of the United Sta",
        "A model that reads words knows no *Sta*. One of your own that reads characters can finish the word.",
    ),
    inputs.Example("A blank page", "", "Without a prompt a model begins a paragraph of its own."),
)
TALES = (
    inputs.Example(
        "Once upon a time",
        "Once upon a time there",
        "How every tale begins: *there lived*, or *there was*, and hardly anything else.",
    ),
    inputs.Example(
        "Three of them", "There was once a king who had three", "*Sons* or *daughters*: in a fairy tale there is little else."
    ),
    inputs.Example(
        "Somebody speaks",
        '"Who is there?" asked the',
        "The bars are the cast: the king, the old woman, the wolf. Does the answer get its own quotation marks?",
    ),
    inputs.Example(
        "The end",
        "So they were married, and lived happily",
        "How a tale ends: *together*, *ever* after. And what comes when it has ended?",
    ),
    inputs.Example(
        "No tale at all",
        "The budget deficit of the federal government",
        "No fairy tale speaks of it: see how far the surprise goes, and what the models make of it.",
    ),
    inputs.Example("A blank page", "", "Without a prompt a model begins a paragraph of its own."),
)
NAMES = (
    inputs.Example(
        "Any name", "", "Without a beginning, a model invents whole names. Pick another language: the memory that it starts from."
    ),
    inputs.Example(
        "Mac", "Mac", "In Irish and Scottish a matter of course. What do the models make of it in Italian, or in Japanese?"
    ),
    inputs.Example("Schw", "Schw", "A German beginning: see how far each language lets it go on in German."),
)


@dataclass(frozen=True)
class Shelf:
    """What some of the models built in have read."""

    title: str
    note: str
    examples: tuple[inputs.Example, ...]
    label: str = "Prompt"
    action: str = "Continue"


SHELVES = {  # by task
    "lm": Shelf("Speeches", "the **State of the Union addresses** from 1790 to today, two million words", EXAMPLES),
    "tales": Shelf(
        "Fairy tales", "**seventeen books of fairy tales**, most of them collected by Andrew Lang, 1.5 million words", TALES
    ),
    "names": Shelf(
        "Surnames",
        "**surnames in eighteen languages**, fourteen thousand, letter by letter",
        NAMES,
        "The name begins with",
        "Invent",
    ),
}

SLIDERS = {  # by key: label, lowest, highest, usual, step, and what it does to a {unit} or to {units}
    "temperature": ("Temperature", 0.0, 2.0, 0.6, 0.05, "0 always takes the most probable {unit}."),
    "top_k": ("Top-k", 0, 100, 0, 1, "Draw from the k most probable {units}; 0: from all."),
    "top_p": ("Top-p", 0.05, 1.0, 0.9, 0.05, "Draw from the fewest {units} that hold this share; 1: from all."),
    "length": ("Length", 5, 120, 40, 5, LENGTH_HELP),
    SEED: ("Seed", 0, 99, 7, 1, "The same seed gives the same text."),
}


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
            models, sampling, length, numbers = settings(tasks, alone)
    if not alone:
        address.write()  # the text takes a while to flow in
    inputs.told(shelf.examples, key=PROMPT)
    if not models:
        st.info("Pick at least one model to see what it writes.")
        return
    unit: Unit = "word" if "word" in models.values() else "character"
    prompt = inputs.at_most(prompt, names.MOST_PROMPT if alone else MOST[unit], unit, last=True)
    written = st.container()
    next_words(models, prompt, sampling)
    surprisal = st.container()
    # the text flows in while the rest already stands; the prompt is scored last, which takes long if it is a book
    with written:
        if alone:
            names.draw(list(models), prompt, sampling)
        else:
            continuations(models, prompt, length, sampling, numbers)
    with surprisal:
        prompt_surprisal(models, prompt, numbers)
    st.caption(f"These models have read one thing only: {shelf.note}.")


def ask(task: str) -> str:
    """What the models are to go on with. An example goes with its shelf."""
    before, shelf = st.session_state.setdefault(_SHELF, task), SHELVES[task]
    known = (example.text for example in SHELVES[before].examples)
    if before != task and address.kept(PROMPT) in known and not address.leads(PROMPT):
        address.put({PROMPT: None})
    st.session_state[_SHELF] = task
    examples = inputs.texts(shelf.examples, key=PROMPT)
    return inputs.question(shelf.examples[0].text, examples, action=shelf.action, label=shelf.label, key=PROMPT)


def settings(tasks: Sequence[str], alone: bool) -> tuple[Models, Sampling, int, bool]:
    """Which models go on; how words are drawn, how many, and whether numbers stand under them.

    A name is as long as it is, and of letters there are none that would spoil it.
    """
    picked = inputs.cells(*tasks, most=SIDE_BY_SIDE)
    models = {name: loading.unit_of(name) for name in inputs.given(tasks[0], picked)}
    unit, units = kinds(models), kinds(models, "s")
    anew = "Other names" if alone else "Another text"
    st.button(anew, icon=":material/casino:", key="anew", help="The same settings with the next seed.", on_click=draw_anew)
    numbers = inputs.toggle("Numbers", key="numbers", help=f"Under each {unit}: its probability, or its surprisal.")
    with page.settings():
        values = {
            key: inputs.number(label, low, high, key=key, default=usual, step=step, help=note.format(unit=unit, units=units))
            for key, (label, low, high, usual, step, note) in SLIDERS.items()
            if not (alone and key == "length")
        }
        careful = alone or inputs.toggle("Careful", key="careful", default=True, help=CAREFUL_HELP)
        st.button("Reset", icon=":material/restart_alt:", on_click=reset, args=(tasks,))

    from seqmodels.inference import Sampling

    sampling = Sampling(values["temperature"], int(values["top_k"]), values["top_p"], int(values["seed"]), careful)
    return models, sampling, int(values.get("length", 0)), numbers


def draw_anew() -> None:
    """The next seed."""
    _, low, high, usual, _, _ = SLIDERS[SEED]
    now = st.session_state.get(SEED)
    following = int(usual if now is None else now) + 1
    st.session_state[SEED] = following if following <= high else int(low)


def continuations(models: Models, prompt: str, length: int, sampling: Sampling, numbers: bool) -> None:
    """The cells side by side, all writing at once. What they have written before appears at once."""
    rare = " and ".join(text for unit, text in RARE.items() if unit in models.values())
    panels = []
    for (name, unit), column in zip(models.items(), st.columns(len(models), gap="medium"), strict=True):
        writing = loading.continue_text(name, prompt, max_tokens=length * TOKENS[unit], sampling=sampling)
        with column:
            st.markdown(heading(name, unit))
            panels.append((st.empty(), writing, unit))
            st.button(
                "Keep",
                icon=":material/add:",
                key=f"keep-{name}",
                help="Put this text into the prompt and go on from there.",
                on_click=keep,
                args=(prompt, writing, unit),
            )
    st.caption(
        f"The stronger the colour behind a {kinds(models)}, the less the model expected it; ¶ ends a paragraph. To a model, {rare} "
        "in training (of a short text, fewer) are all `<unk>`, and `<unk>` is never drawn."
    )
    growing = panels
    while growing:
        for panel, writing, unit in growing:
            panel.html(language.continuation(prompt, writing.tokens, unit=unit, numbers=numbers))
        growing = [(panel, writing, unit) for panel, writing, unit in growing if writing.advance(TOKENS[unit])]


def next_words(models: Models, prompt: str, sampling: Sampling) -> None:
    """Bars of the likeliest next words for each cell. A click takes a word, as does the list beside them, which needs no mouse."""
    st.subheader("What could come next")
    st.caption(
        f"Click a row, or tap it twice, to take that {kinds(models)}. Solid: how likely it is drawn under the settings above. "
        "Faint: the model's own probability, at temperature 1. A sure model has one long bar, a lost one many short."
    )
    from seqmodels.inference import candidates

    found = {name: candidates(loading.next_words(name, prompt), sampling) for name in models}
    longest = max(language.longest_bar(candidates) for candidates in found.values())
    # a new prompt needs a new chart: an old one would still hold the click that made it
    version = zlib.crc32(prompt.encode(errors="replace"))
    for (name, listed), column in zip(found.items(), st.columns(len(models), gap="medium"), strict=True):
        key = f"bars-{name}-{version}"
        with column:
            st.markdown(heading(name, listed.unit))
            st.plotly_chart(
                language.next_word_bars(listed, theme=page.theme(), longest=longest),
                theme=None,  # Streamlit's would repaint the see-through bars
                key=key,
                on_select=lambda key=key, unit=listed.unit: take_clicked(key, prompt, unit),
                selection_mode="points",
                config={"displayModeBar": False},
            )
            st.caption(language.spread(listed))
    choices = {label(word, one.unit, models): (word, one.unit) for one in found.values() for word in one.names}
    first = next(iter(models.values()))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            f"Or pick the next {kinds(models)} from a list",
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


def prompt_surprisal(models: Models, prompt: str, numbers: bool) -> None:
    """The prompt once for each cell, coloured by how unexpected each word was."""
    st.subheader("What surprised them in the prompt")
    unit = kinds(models)
    if not prompt.strip():
        st.caption(f"The prompt is empty. Type something, and each {unit} is coloured by how unexpected it is.")
        return
    from seqmodels.tasks import caution

    st.html(language.legend(models.values()))
    meant = " ".join(text for unit, text in SUMMED_UP.items() if unit in models.values())
    st.caption(
        f"The surprisal of a {unit} is -log₂ of the probability it had before it was read, in bits. One bit is a coin toss. {meant}"
    )
    doubts: set[str | None] = {None}  # that have been told
    for name, unit in models.items():
        with st.spinner("Reading a long prompt") if len(prompt) > LONG else nullcontext():
            score = loading.score_prompt(name, prompt)
        st.markdown(f"{heading(name, unit)} · {language.overall(score)}")
        doubt = caution({"unknown_share": score.unknown_share})
        if doubt not in doubts:
            doubts.add(doubt)
            st.caption(f":material/warning: {doubt}.")
        # numbers would set the letters of a word far apart, so they are shown on demand
        st.html(language.surprisal_strip(score, prompt, numbers=numbers or unit == "word"))


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
