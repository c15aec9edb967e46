"""A text, continued word by word; the words that could come next; and how much each word of the text surprises a model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import inputs, loading, page
from seqmodels.viz import language

if TYPE_CHECKING:
    from seqmodels.inference import Sampling

PROMPT = "prompt"
SIDE_BY_SIDE = 4  # models
LONG = 5000  # characters; what is shorter is scored before a spinner could be seen
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
    inputs.Example("A blank page", "", "Without a prompt a model begins a paragraph of its own."),
)
DEFAULTS: dict[str, Any] = {
    PROMPT: EXAMPLES[0].text,
    "temperature": 0.8,
    "top_k": 0,
    "top_p": 1.0,
    "length": 40,
    "seed": 7,
    "numbers": False,
}

_STYLE = """<style>
.st-key-settings .stSlider { min-width: 7rem; flex: 1 1 7rem; }
[class*="st-key-bars-"] .nsewdrag { cursor: pointer; }
</style>"""


def main() -> None:
    page.start("Language model")
    st.html(_STYLE)
    st.title("Language model")
    st.markdown(
        "Give a text its beginning, and recurrent networks go on with it. They have read one thing only: "
        "the **State of the Union addresses** from 1790 to today, two million words."
    )
    prompt = inputs.sentence(DEFAULTS[PROMPT], label="Prompt", key=PROMPT, height=80)
    inputs.examples(EXAMPLES, key=PROMPT)
    names, sampling, length, numbers = settings()
    if not names:
        st.info("Pick at least one cell to see what it writes.")
        return
    written = st.container()
    next_words(names, prompt, sampling)
    surprisal = st.container()
    # the text flows in while the rest already stands; the prompt is scored last, which takes long if it is a book
    with written:
        continuations(names, prompt, length, sampling, numbers)
    with surprisal:
        prompt_surprisal(names, prompt)


def settings() -> tuple[list[str], Sampling, int, bool]:
    """One row of controls: the cells, how words are drawn, how many, and whether numbers stand under the words."""
    with st.container(horizontal=True, key="settings", vertical_alignment="bottom", gap="medium"):
        with st.container(width="content"):  # with any note about a link or a file over it
            names = inputs.cells("lm", most=SIDE_BY_SIDE)
        temperature = inputs.number(
            "Temperature",
            0.0,
            2.0,
            key="temperature",
            default=DEFAULTS["temperature"],
            step=0.05,
            help="0 always takes the most probable word.",
        )
        top_k = inputs.number(
            "Top-k",
            0,
            100,
            key="top_k",
            default=DEFAULTS["top_k"],
            step=1,
            help="Draw from the k most probable words; 0: from all.",
        )
        top_p = inputs.number(
            "Top-p",
            0.05,
            1.0,
            key="top_p",
            default=DEFAULTS["top_p"],
            step=0.05,
            help="Draw from the fewest words that hold this share; 1: from all.",
        )
        length = inputs.number(
            "Length", 5, 120, key="length", default=DEFAULTS["length"], step=5, help="Words to write, punctuation included."
        )
        seed = inputs.number("Seed", 0, 99, key="seed", default=DEFAULTS["seed"], step=1, help="The same seed gives the same text.")
        numbers = st.toggle(
            "Numbers", key="numbers", bind="query-params", help="Under each word: its probability, or its surprisal."
        )
        st.button("Reset", icon=":material/restart_alt:", on_click=reset)

    from seqmodels.inference import Sampling  # brings torch: the page's frame is on screen by now

    return names, Sampling(float(temperature), int(top_k), float(top_p), int(seed)), int(length), numbers


def continuations(names: Sequence[str], prompt: str, length: int, sampling: Sampling, numbers: bool) -> None:
    """The cells side by side, all writing at once. What they have written before appears at once."""
    st.subheader("What they write")
    st.caption(
        "The darker the ground of a word, the less the model expected it; ¶ ends a paragraph. Words seen fewer than four times in "
        "training are all `<unk>` to a model, and `<unk>` is never drawn."
    )
    panels = []
    for name, column in zip(names, st.columns(len(names), gap="medium"), strict=True):
        writing = loading.continue_text(name, prompt, max_tokens=length, sampling=sampling)
        with column:
            st.markdown(f"**{loading.title(name)}**")
            panels.append((st.empty(), writing))
            st.button(
                "Keep",
                icon=":material/add:",
                key=f"keep-{name}",
                help="Put this text into the prompt and go on from there.",
                on_click=keep,
                args=(prompt, writing),
            )
    growing = panels
    while growing:
        for panel, writing in growing:
            panel.html(language.continuation(prompt, writing.tokens, numbers=numbers))
        growing = [(panel, writing) for panel, writing in growing if writing.advance()]


def next_words(names: Sequence[str], prompt: str, sampling: Sampling) -> None:
    """Bars of the likeliest next words for each cell. A click takes a word, as does the list beside them, which needs no mouse."""
    st.subheader("What could come next")
    st.caption(
        "Click a row, or tap it twice, to take that word. Solid: how likely it is drawn under the settings above. Pale: the "
        "model's own probability, at temperature 1. A sure model has one long bar, a lost one many short."
    )
    found = {name: language.candidates(loading.next_words(name, prompt), sampling) for name in names}
    longest = max(language.longest_bar(candidates) for candidates in found.values())
    theme = st.context.theme.type or "light"
    # a new prompt needs a new chart: an old one would still hold the click that made it
    version = zlib.crc32(prompt.encode(errors="replace"))
    for (name, candidates), column in zip(found.items(), st.columns(len(names), gap="medium"), strict=True):
        key = f"bars-{name}-{version}"
        with column:
            st.markdown(f"**{loading.title(name)}**")
            st.plotly_chart(
                language.next_word_bars(candidates, theme=theme, longest=longest),
                theme=None,  # Streamlit's would repaint the see-through bars
                key=key,
                on_select=lambda key=key: take_clicked(key, prompt),
                selection_mode="points",
                config={"displayModeBar": False},
            )
            st.caption(language.spread(candidates))
    options = {word: None for candidates in found.values() for word in candidates.names}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Or pick the next word from a list",
            sorted(options, key=str.lower),
            index=None,
            format_func=language.shown,
            key="next",
            placeholder="A candidate",
            on_change=take_listed,
            args=(prompt,),
            width=280,
        )
        st.button(
            "Take back a word", icon=":material/undo:", on_click=take_back, args=(names[0], prompt), disabled=not prompt.strip()
        )


def prompt_surprisal(names: Sequence[str], prompt: str) -> None:
    """The prompt once for each cell, coloured by how unexpected each word was."""
    st.subheader("What surprised them in the prompt")
    if not prompt.strip():
        st.caption("The prompt is empty. Type something, and each word is coloured by how unexpected it is.")
        return
    st.html(language.legend())
    st.caption(
        "Under each word: its surprisal, -log₂ of the probability it had before it was read. One bit is a coin toss. "
        "Perplexity is the same as one number: as unsure as a choice among that many equally likely words."
    )
    for name in names:
        with st.spinner("Reading a long prompt") if len(prompt) > LONG else nullcontext():
            score = loading.score_prompt(name, prompt)
        st.markdown(f"**{loading.title(name)}** · {language.perplexity(score)}")
        st.html(language.surprisal_strip(score, prompt))


def take_clicked(key: str, prompt: str) -> None:
    points = st.session_state[key].selection.points
    if points:
        take(prompt, [points[0]["customdata"][0]])


def take_listed(prompt: str) -> None:
    name = st.session_state["next"]
    st.session_state["next"] = None
    if name is not None:
        take(prompt, [name])


def keep(prompt: str, writing: loading.Writing) -> None:
    take(prompt, [token.text for token in writing.tokens])


def take(prompt: str, words: Sequence[str]) -> None:
    from seqmodels import inference

    st.session_state[PROMPT] = inference.accept(prompt, words)


def take_back(name: str, prompt: str) -> None:
    tokens = loading.score_prompt(name, prompt).tokens
    st.session_state[PROMPT] = prompt[: tokens[-1].start].rstrip(" ") if tokens else ""


def reset() -> None:
    for key, value in DEFAULTS.items():
        st.session_state[key] = value
    st.session_state["cells"] = [loading.title(name) for name in loading.shipped("lm") or loading.available("lm")[:1]]


main()
