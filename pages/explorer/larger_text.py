"""A larger text, and how a model read it: traced once it is asked for, and kept for all visitors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import files, inputs, loading
from pages.common.caching import stamp
from pages.common.shelf import Shelf

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pages.explorer.scene import Reading
    from seqmodels.traces import TracedText

ADDRESSES, OWN = "State of the Union", "a text of your own"
ENOUGH = 150_000  # tokens of an uploaded text; they take some fifteen seconds, and up to 150 MB
CHARACTERS = 1_000_000  # that are looked at for so many tokens
LARGEST = 40_000_000  # units at tokens that are traced, 160 MB: of a model with very many units fewer tokens are read
KEPT = 2  # traced texts at a time
ASKED = "larger-text-asked"  # in the session: once the visitor has asked for the addresses, every change searches them

Key = tuple[str, int, int, str, str]  # a model and when it was saved, its layer and direction, and the text


@dataclass(frozen=True)
class Source:
    """A larger text to search."""

    name: str  # no two texts share one
    passages: Callable[[], Sequence[Sequence[str]]]


def choose() -> Source | None:
    """The State of the Union addresses, or a text that the visitor brings: None as long as there is none."""
    if inputs.choice("In", [ADDRESSES, OWN], key="span-in") == ADDRESSES:
        return Source(ADDRESSES, addresses)
    note = f"Plain text in UTF-8, a blank line between passages. Its first {ENOUGH:,} words are searched. A link can't hold it."
    text = files.text("Text file", key="span-file", help=note)
    return None if text is None else Source(hashlib.sha256(text.encode()).hexdigest(), partial(first_passages, text))


@st.cache_resource(show_spinner=False)
def addresses() -> list[list[str]]:
    """The validation part of the State of the Union addresses, by paragraph. CorpusError if it is not here."""
    from seqmodels.corpora import load_paragraphs

    return load_paragraphs("sotu", "dev")


def first_passages(text: str) -> list[Sequence[str]]:
    """The passages of a text, as far as it is searched."""
    from seqmodels.traces import passages_of

    return _cut(passages_of(text[:CHARACTERS]))


def spelled(passages: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """The characters of passages of words, as far as a text is searched."""
    from seqmodels.inference import accept

    return _cut(list(accept("", words)) for words in passages)


def _cut(passages: Iterable[Sequence[str]], most: int | None = None) -> list[Sequence[str]]:
    kept: list[Sequence[str]] = []
    room = ENOUGH if most is None else most
    for tokens in passages:
        if not room:
            break
        kept.append(tokens[:room])
        room -= len(kept[-1])
    return kept


def traced(reading: Reading, source: Source, *, at_once: bool = False) -> TracedText | None:
    """The larger text as this model read it, if that is done or the visitor asks for it, else None."""
    from seqmodels.corpora import CorpusError

    key = (reading.name, stamp(reading.name), reading.layer.layer, reading.layer.direction, source.name)
    text = _shelf().find(key)
    spot = st.empty()
    if text is not None or (source.name == ADDRESSES and not _asked(spot, at_once=at_once)):
        return text
    try:
        with spot.container():
            return _trace(key, source, reading.title, LARGEST // reading.layer.mu.shape[1])
    except CorpusError as problem:
        st.info(f"The {ADDRESSES} can't be searched: {inputs.plain(str(problem))}. Choose {OWN} instead.")
        return None
    finally:
        spot.empty()


def _asked(spot: DeltaGenerator, *, at_once: bool) -> bool:
    """Whether the visitor has ever asked for the addresses, or does so now; else a button to do so."""
    state = st.session_state
    if at_once:
        state[ASKED] = True
    if not state.get(ASKED):
        label = f"Search the {ADDRESSES} (about ten seconds, once)"
        state[ASKED] = spot.button(label, icon=":material/search:", key="gates-search")
    return bool(state[ASKED])


def _trace(key: Key, source: Source, title: str, most: int) -> TracedText:
    """Trace so many tokens of a larger text, and tell how far it is."""
    from seqmodels.traces import trace_passages

    name, _, layer, direction, _ = key
    with st.spinner("1 of 2: splitting the text into words", show_time=True):
        passages = source.passages()
        if loading.unit_of(name) == "character":
            passages = spelled(passages)
        passages = _cut(passages, most)
    with st.spinner(f"2 of 2: {title} reads {sum(map(len, passages)):,} words", show_time=True):
        # a click ends this run at its next call of Streamlit: by then the text is on the shelf
        return _shelf().get(key, partial(trace_passages, loading.checkpoint(name), passages, layer, direction))


def new_shelf() -> Shelf[TracedText]:
    """For larger texts as models read them: the few that were last used, since each takes 100 MB and more."""
    return Shelf(lambda: KEPT, lambda text: 1, ahead=1)


_shelf = st.cache_resource(show_spinner=False)(new_shelf)
