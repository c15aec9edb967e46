"""Overview: what this is, the law behind every cell, and a sentence that is already read."""

from __future__ import annotations

import streamlit as st

from pages.common import loading, page
from seqmodels.viz import law, tags
from seqmodels.viz.palette import LAM, MU

SENTENCE = "Will they record a new record, or will they play the play again?"


def show_example() -> None:
    """A sentence with its tags, and with the means of the gates behind them."""
    st.subheader("A sentence, read just now", anchor=False)
    place = st.empty()
    place.html('<div style="height: 13rem"></div>')  # so that nothing below moves when the answer comes
    found = loading.available("pos")
    if not found:
        place.info("There are no models yet. `make checkpoints` trains them.")
        return
    name = "pos-gru" if "pos-gru" in found else found[0]
    tagging, gates = loading.tag(name, SENTENCE), loading.trace(name, SENTENCE)
    forward = gates.layers[0]
    rows = [tags.Row("keep μ", forward.mu.mean(axis=1), MU), tags.Row("write λ", forward.lam.mean(axis=1), LAM)]
    with place.container():
        st.markdown(
            "*Record* and *play* come twice, spelled alike: once to do, once to have. Only the words around them tell which, and "
            f"the {loading.title(name)} carries those in its memory. Below the tags: how much its {forward.mu.shape[1]} forward "
            "units :blue[keep] and :orange[write], on average. Hover, tap or tab to a word for its three best tags."
        )
        st.html(tags.strip([tagging], rows=rows))


def main() -> None:
    page.start("Overview")
    st.title("See how a gated network reads a sentence")
    st.markdown(
        "A recurrent network reads a text word by word and carries a memory along.  \n"
        "At each word, and for each unit of that memory, it decides how much of the old to :blue[**keep**] "
        "and how much of the new to :orange[**write**].  \n"
        "Here you type a sentence and see those decisions, and what comes of them: parts of speech, entities, the next word.  \n"
        "The models are small, trained on real text, and run right here: nothing that you type is sent elsewhere.  \n"
        "Elman, GRU, LSTM and their relatives look different, but each is the same update with other gates:"
    )
    st.html(law.law())
    example = st.container()

    st.subheader("The cells", anchor=False)
    st.html(law.cells_table())
    st.caption(
        "x is the word, h the output one word before, ∘ a product unit by unit; z, r, f, i and o are sigmoids of x and h, "
        "in minGRU of x alone. Rao & McMahan's chapter calls the ungated sum h = h + F the plain network; most textbooks call "
        "Elman's plain."
    )
    with st.container(horizontal=True, gap="medium"):
        for entry in page.PAGES[1:]:
            with st.container(border=True, width=300):
                st.page_link(entry.path, label=f"**{entry.title}**", icon=entry.icon)
                st.caption(entry.summary)

    # last, because the first visitor of a fresh server waits here for torch, with the page around it already on screen
    with example, page.boundary():
        show_example()


page.run(main)
