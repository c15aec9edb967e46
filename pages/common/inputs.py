"""Inputs whose state is the address: whatever is on screen can be sent as a link.

A value that a link may not ask for becomes the default, with a note; a text too long for a link still works.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import streamlit as st

from pages.common import address, loading
from seqmodels.cells import CELLS
from seqmodels.viz.palette import visible

if TYPE_CHECKING:
    from seqmodels.text import Unit

TEXT = "text"
LARGEST_FILE = 5  # megabytes

Option = TypeVar("Option")
Spellings = Callable[[Option], Sequence[str]]  # other names of an option, which links may use


def _as_text(option: object) -> Sequence[str]:
    return [str(option)]


@dataclass(frozen=True)
class Example:
    """A text to try: what its button says, the reason it is interesting, and what else to set, in the words that a link may use."""

    title: str
    text: str
    reason: str
    state: Mapping[str, Any] = field(default_factory=dict)


def values_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state in the words that a link may use, as values of inputs by their keys: the task by its title."""
    from seqmodels.tasks import find_task  # brings torch, which no example needs to be offered

    return {key: find_task(value).page_title if key == "task" else value for key, value in state.items()}


def sentence(default: str, *, label: str = "Your text", key: str = TEXT, height: int = 100) -> str:
    """A text area. Pages that use the same key share the text; `default` is on screen until something is typed."""
    address.restore(key, default, "", lambda value: isinstance(value, str))
    too_long = not address.fits(st.session_state[key])
    text = st.text_area(label, default, key=key, height=height, bind=None if too_long else "query-params")
    if too_long:
        st.caption(":material/link_off: This text is too long for a link. It stays here until you close or reload the page.")
    return str(address.keep(key, text or ""))


def at_most(text: str, most: int, unit: Unit = "word", *, last: bool = False) -> str:
    """As much of a text as a page reads at once: its first words, or its last. With a sentence that says so where there is more."""
    if len(text) <= most:
        return text
    part, count = _excerpt(text, most, unit, last)
    if part != text:
        end, shown = ("last", "and that is what the models read of it") if last else ("first", "and that is what you see")
        about = int(float(f"{count:.3g}"))
        st.caption(
            f":material/content_cut: This page reads at most {most:,} {unit}s at once. Your text has about {about:,}: its {end} "
            f"{most:,} are read, {shown}."
        )
    return part


@st.cache_data(show_spinner=False, max_entries=16)
def _excerpt(text: str, most: int, unit: Unit, last: bool) -> tuple[str, int]:
    from seqmodels.inference import excerpt

    return excerpt(text, most, unit, last=last)


def examples(choices: Sequence[Example], *, key: str = TEXT) -> None:
    """A button for each example, which puts it into the text area of that key; below, why the one on screen is interesting."""

    def choose(example: Example) -> None:
        address.put({key: example.text} | values_of(example.state))

    with st.container(horizontal=True, gap="small", key=f"{key}-examples"):
        for number, example in enumerate(choices):
            name = f"{key}-example-{number}"
            st.button(example.title, key=name, help=example.reason, on_click=choose, args=(example,))
    for example in choices:
        if example.text == st.session_state.get(key):
            st.caption(f"**{example.title}**: {example.reason}")


def task(names: Sequence[str]) -> str:
    """One task of those that the page can show. A link may use its name, its title, or one that it once had."""
    from seqmodels.tasks import TASKS

    def also(name: str) -> Sequence[str]:
        return (name, *TASKS[name].aliases)

    return choice("Task", names, key="task", show=lambda name: TASKS[name].page_title, also=also)


def cells(*tasks: str, most: int | None = None) -> list[str]:
    """Any subset of the models for tasks, as names of checkpoints; none picked means none, and more than `most` the last ones.

    The shipped ones come first and are on unless a link says otherwise; the user's own are off.
    """
    shipped, found = loading.shipped(*tasks), loading.available(*tasks)
    picked = found and choices("Cells", found, key="cells", default=usual_cells(*tasks, most=most), show=loading.title, also=_short)
    for problem in loading.problems(list(dict.fromkeys([*shipped, *picked]))):
        st.caption(f":material/info: {plain(problem)}")
    if not found:
        st.info("There are no models for this task yet. `make checkpoints` trains them.")
        st.stop()
    picked = [name for name in picked if not loading.problems([name])]
    if most is not None and len(picked) > most:
        picked = picked[-most:]  # the user's own, which were asked for on purpose, stand last
        st.caption(f":material/info: {most} at most are shown side by side: {', '.join(map(loading.title, picked))}.")
    return picked


def usual_cells(*tasks: str, most: int | None = None) -> list[str]:
    """The models for these tasks that are on unless a link says otherwise: the shipped ones, of too many those of torch's cells."""
    found = loading.available(*tasks)
    shipped = [name for name in found if loading.is_shipped(name)]
    if most is not None and len(shipped) > most:
        shipped = [name for name in shipped if CELLS[name.partition("-")[2]].kernel][:most] or shipped[:most]
    return shipped or found[:1]


def given(task: str, names: Sequence[str], *, key: str | None = None) -> list[str]:
    """These models of a task, starting from what the visitor picks of their conditions; as they are where they have none."""
    options = loading.conditions(names)
    if not options:
        return list(names)
    from seqmodels.tasks import find_task

    what = find_task(task).condition
    picked = listed(what.capitalize(), options, key=key or what)
    return [loading.given(name, picked) for name in names]


def ready(text: str, names: Sequence[str]) -> bool:
    """Whether there are a text and a model to read it; where one is missing, the page asks for it."""
    if not text.strip():
        st.info("Type a sentence above, or take one of the examples.")
    elif not names:
        st.info("Pick at least one cell.")
    return bool(text.strip() and names)


def choice(
    label: str,
    options: Sequence[Option],
    *,
    key: str,
    default: Option | None = None,
    show: Callable[[Option], str] = str,
    also: Spellings[Option] = _as_text,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> Option:
    """One of a few options, side by side; `default` is the first unless given. A link may use its label or one of `also`."""
    labels = {show(option): option for option in options}
    usual = show(options[0] if default is None else default)
    asked = _asked(key, label, labels, also)
    address.restore(key, asked[0] if asked else usual, usual, labels.__contains__)
    picked = st.segmented_control(
        label, list(labels), key=key, required=True, bind="query-params", label_visibility=label_visibility
    )
    if picked is None:  # the browser went back to an address without this choice
        address.keep(key, usual)
        st.rerun()
    return labels[address.keep(key, picked)]


def choices(
    label: str,
    options: Sequence[Option],
    *,
    key: str,
    default: Sequence[Option],
    show: Callable[[Option], str] = str,
    also: Spellings[Option] = _as_text,
) -> list[Option]:
    """Any subset of a few options, in their own order. A link may use their labels, or what they are `also` called.

    Of what was picked on another page, that which is here too stays.
    """
    labels = {show(option): option for option in options}
    usual = [show(option) for option in default]
    asked = _asked(key, label, labels, also)
    left = [name for name in address.kept(key) or [] if name in labels]
    address.restore(key, asked or usual, left or usual, lambda values: set(values) <= labels.keys())
    picked = st.segmented_control(label, list(labels), key=key, selection_mode="multi", bind="query-params")
    return [labels[name] for name in address.keep(key, [name for name in labels if name in picked])]


def listed(label: str, options: Sequence[str], *, key: str) -> str:
    """One of many options; the first, unless another is picked."""
    asked = _asked(key, label, dict.fromkeys(options))
    address.restore(key, asked[0] if asked else options[0], options[0], options.__contains__)
    return str(address.keep(key, st.selectbox(label, options, key=key, width=180, bind="query-params")))


def menu(label: str, options: Sequence[str], *, key: str, placeholder: str, typed: bool = False) -> str | None:
    """One of many options, or none; with `typed`, anything else that the visitor types."""
    if not typed:
        _asked(key, label, dict.fromkeys(options))
    address.restore(key, None, None, lambda value: isinstance(value, str) and (typed or value in options))
    chosen = st.session_state[key]
    listed = [*options, *([] if chosen is None or chosen in options else [chosen])]  # what was typed stays in the menu
    value = st.selectbox(
        label, listed, None, key=key, placeholder=placeholder, accept_new_options=typed, width=240, bind="query-params"
    )
    return address.keep(key, value)


def number(label: str, low: float, high: float, *, key: str, default: float, step: float, help: str | None = None) -> float:
    """A slider. All of low, high, default and step are whole numbers, or none is."""
    # the widget gets its default too: an address leaves out a value that equals it, and without one that would be `low`
    address.restore(key, default, default, lambda value: isinstance(value, int | float) and low <= value <= high)
    shape = None if isinstance(step, int) else f"%.{max(2, len(f'{step:g}'.partition('.')[2]))}f"  # Streamlit's own has two digits
    value = st.slider(label, low, high, default, step=step, key=key, help=help, format=shape, bind="query-params")
    return float(address.keep(key, value))


def toggle(label: str, *, key: str, default: bool = False, help: str | None = None) -> bool:
    """A switch."""
    address.restore(key, default, default, lambda value: isinstance(value, bool))
    return bool(address.keep(key, st.toggle(label, default, key=key, help=help, bind="query-params")))


def optional_number(label: str, *, key: str, help: str) -> int | None:
    """A whole number from 0, or none: the field is empty at first."""
    readable = re.fullmatch(r"[0-9]{1,9}", st.query_params.get(key, "0")) is not None
    if not readable:
        del st.query_params[key]
    # Streamlit reads a link's number by itself, and fails at one that is infinite or as good as that
    bind: Literal["query-params"] | None = "query-params" if readable else None
    address.restore(key, None, None, lambda value: isinstance(value, int) and value >= 0)
    value = st.number_input(label, 0, None, None, step=1, key=key, help=help, placeholder="none", width=160, bind=bind)
    address.keep(key, value)
    return value


def text_file(label: str, *, key: str, help: str | None = None) -> str | None:
    """The text of a file that the visitor brings, or None with a note on what to do. A link can't hold it."""
    uploaded = st.file_uploader(label, key=key, help=help, max_upload_size=LARGEST_FILE)
    if uploaded is None:
        return None
    from seqmodels.corpora import CorpusError, open_upload

    try:
        return open_upload(uploaded.getvalue(), uploaded.name).text
    except CorpusError as problem:
        st.info(f"{plain(str(problem))}.")
        return None


def as_sentence(message: object) -> str:
    """A message, or an error's, as a sentence."""
    text = str(message)
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "." if text else ""


def plain(text: str) -> str:
    """Text as Markdown that shows it as it is, and what can't be seen in it as `palette.visible` does."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]()<>#+-.!|$~:" else character for character in visible(text))


def _short(name: str) -> Sequence[str]:
    """A model in a link: 'gru' for a shipped one, or the name of the user's own."""
    return [name.partition("-")[2] if loading.is_shipped(name) else name]


def _asked(key: str, label: str, labels: Mapping[str, Option], also: Spellings[Option] = _as_text) -> list[str]:
    """The labels that a link asks for when it is opened, and a note where it asks for others: Streamlit is silent then."""
    if not address.first_time(key):
        return []
    spellings = {spelling: name for name, option in reversed(list(labels.items())) for spelling in also(option)}  # the first wins
    names = spellings | {name: name for name in labels}
    values = st.query_params.get_all(key)
    if not names.keys() >= set(values):
        st.caption(f":material/link_off: This link asks for something under “{label}” that is not here, so you see the default.")
    return [names[value] for value in values if value in names]
