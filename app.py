"""Overview: what this is, the law behind every cell, and a sentence that is already read."""

from __future__ import annotations

import streamlit as st

from pages.common import inputs, loading, page
from seqmodels.viz import law, tags
from seqmodels.viz.palette import LAM, MU

SENTENCE = "Will they record a new record, or will they play the play again?"
EXAMPLES = (
    SENTENCE,
    "The old man the boat.",
    "Time flies like an arrow, but fruit flies like a banana.",
    "The keys to the cabinet in the old office are on the table.",
)
TOLD = "*Record* and *play* come twice, spelled alike, once to do, once to have: only the words around them tell which. "
MOST = 200  # words: a glance


def show_answer(text: str) -> None:
    """The sentence with its tags, and the gates of the unit in which they move most."""
    found = loading.available("pos")
    if not found:
        st.info("There are no models yet. `make checkpoints` trains them.")
        return
    if not inputs.ready(text, found):
        return
    from seqmodels.traces import liveliest

    text = inputs.at_most(text, MOST)
    name = "pos-gru" if "pos-gru" in found else found[0]
    tagging, gates = loading.tag(name, text), loading.trace(name, text)
    forward = gates.layers[0]
    unit = liveliest(forward)
    rows = [tags.Row("keep μ", forward.mu[:, unit], MU), tags.Row("write λ", forward.lam[:, unit], LAM)]
    st.html(tags.strip([tagging], rows=rows))
    told = TOLD if text == SENTENCE else ""
    st.caption(
        f"{told}Below the tags: how much unit {unit}, whose gates move most here, :blue[keeps] and :orange[writes] at each word. "
        "Hover, tap or tab to a word for its three best tags."
    )


def main() -> None:
    page.start("Overview", "See how a gated network reads a sentence")
    with page.header():
        text = inputs.question(SENTENCE, {one: {inputs.TEXT: one} for one in EXAMPLES}, action="Read")
    answer = page.answer(text)
    st.html(law.law())
    with st.container(horizontal=True, gap="small", key="overview-pages"):
        for entry in page.PAGES[1:]:
            with st.container(border=True, width=150, gap="xxsmall"):
                st.page_link(entry.path, label=f"**{entry.title}**", icon=entry.icon)
                st.caption(entry.summary)
    st.markdown(
        "A recurrent network reads a text word by word and carries a memory along. At each word, and for each unit of that memory, "
        "it decides how much of the old to :blue[**keep**] and how much of the new to :orange[**write**]. Elman, GRU, LSTM and "
        "their relatives look different, but each is this one update with other gates."
    )

    st.header("The cells", anchor=False)
    st.html(law.cells_table())
    st.caption(
        "x is the word, h the output one word before, ∘ a product unit by unit; z, r, f, i and o are sigmoids of x and h, "
        "in minGRU of x alone. Rao & McMahan's chapter calls the ungated sum h = h + F the plain network; most textbooks call "
        "Elman's plain. The models are small, trained on real text, and run right here: nothing that you type is sent elsewhere."
    )

    # last, because the first visitor of a fresh server waits here for torch, with the page around it already on screen
    with answer, page.boundary():
        show_answer(text)


page.run(main)
