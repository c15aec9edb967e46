"""Glossary: the words of the app, each with an address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.common import address, glossary, inputs, page
from pages.common.glossary import GROUPS, TERM, Term

FIRST = "law"  # what is on screen until another is asked for


def main() -> None:
    page.start("Glossary")
    terms = glossary.terms()
    with page.header(), page.pickers():
        key = asked(terms)
        found = search(list(terms.values()))
    with page.answer(key, found):
        if not found:
            st.info("No entry has these words. Try a shorter one, or clear the field to see all.")
        elif terms[key] not in found:
            key = found[0].key
        with st.container(border=True, key="glossary-entry", gap="xsmall"):
            entry(terms[key])
        for group in GROUPS:
            inside = [term for term in found if term.group == group]
            if inside:
                shelf(group, inside, key)


def asked(terms: dict[str, Term]) -> str:
    """The key of the entry that the address names. One that is not here gets a note."""
    return inputs.stated("Term", [FIRST, *(key for key in terms if key != FIRST)], key=TERM)


def search(terms: Sequence[Term]) -> list[Term]:
    """The entries that hold all words of the search."""
    typed = inputs.line("Search the glossary", key="find", placeholder="Search: clipping, μ, ADP, …")
    return [term for term in terms if all(word in term.searched for word in typed.casefold().split())]


def entry(term: Term) -> None:
    """One entry, whole."""
    st.header(inputs.plain(term.title), anchor=False)
    st.markdown(term.says if term.group != glossary.TAG else inputs.plain(term.says))
    if term.formula:
        st.latex(term.formula)
    if term.path:
        page.link(term.path, term.values, label="See it: {}", fresh=True)


def shelf(group: str, terms: Sequence[Term], key: str) -> None:
    """The entries of a group, to open."""
    st.header(group, anchor=False)
    with st.container(horizontal=True, gap="xsmall", key=f"glossary-{GROUPS.index(group)}"):
        for term in terms:
            st.button(
                inputs.plain(term.title),
                key=f"glossary-{term.key}",
                type="primary" if term.key == key else "secondary",
                on_click=address.put,
                args=({TERM: term.key},),
            )


page.run(main)
