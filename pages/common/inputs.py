"""Inputs whose state is the address: whatever is on screen can be sent as a link.

A value that a link may not ask for becomes the default, with a note; a text too long for a link still works.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import streamlit as st

from pages.common import address, loading, long_texts
from seqmodels.cells import CELLS
from seqmodels.environment import environment
from seqmodels.viz.palette import visible

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

TEXT = "text"
LONGEST_LINE, LONGEST_OPTION = 500, 60  # characters
_RANGES = "slider ranges"  # in the session's state: low, high and step of each slider when it was last drawn

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


def question(
    default: str,
    examples: Mapping[str, Mapping[str, Any]],
    *,
    action: str,
    label: str = "Your text",
    key: str = TEXT,
    last: bool = False,
    bound: Sequence[str] = (),
) -> str:
    """The text to read, the button that has it read, and a menu of examples: the values that each gives to inputs, by their keys.

    Enter does what the button does, and Shift+Enter breaks a line. Pages that use the same key share the text; `default` is on
    screen until something is typed. Of a text that is too long the beginning is kept, or the `last` of it. What `address.assume`
    has set stays when another text is typed, except for the inputs with the keys `bound`, which say something of the first text.
    """
    most = environment().text_characters
    _restore(label, key, default, lambda said: (long_texts.part(said[-1], most, last=last), True))
    with st.container(horizontal=True, key=f"question-{key}", gap="xsmall"):
        limits = long_texts.bounded(key, most, last=last, then=partial(address.settle, but=bound))
        typed = st.text_area(label, key=key, height="content", label_visibility="collapsed", placeholder=label, **limits)
        st.button(action, key=f"{key}-read", type="primary")  # a click on it takes what is typed, like any click elsewhere
        if examples:
            menu_button("Examples", examples, key=f"{key}-examples")
    text = address.keep(key, typed or "", default)
    long_texts.say_cut(key, text, most, last=last)
    if not address.fits(text):
        st.caption(":material/link_off: This text is too long for a link. It stays here until you close or reload the page.")
    return text


def menu_button(label: str, entries: Mapping[str, Mapping[str, Any]], *, key: str) -> None:
    """A menu: what each entry, in Markdown, gives to the page's inputs, by their keys and in the words of a link."""
    st.menu_button(label, list(entries), key=key, on_click=_choose, args=(key, entries))


def _choose(key: str, entries: Mapping[str, Mapping[str, Any]]) -> None:
    address.put(values_of(entries[st.session_state[key]]))


def texts(examples: Sequence[Example], *, key: str = TEXT) -> dict[str, dict[str, Any]]:
    """Examples as `question` takes them."""
    return {example.title: {key: example.text, **example.state} for example in examples}


def reason(examples: Sequence[Example], *, key: str = TEXT) -> str:
    """Why the example that is on screen is interesting, in Markdown; empty if none is."""
    for example in examples:
        if example.text == address.kept(key) and address.holds(values_of(example.state)):
            return f"**{example.title}**: {example.reason}"
    return ""


def task(names: Sequence[str], *, menu: bool = False) -> str:
    """One task of those that the page can show, side by side or in a `menu`. A link may use its name, its title, or an old one."""
    from seqmodels.tasks import TASKS

    def also(name: str) -> Sequence[str]:
        return (name, *TASKS[name].aliases)

    return choice("Task", names, key="task", show=lambda name: TASKS[name].page_title, also=also, compact=True, menu=menu)


def cells(*tasks: str, most: int | None = None) -> list[str]:
    """Any subset of the models for tasks, as names of checkpoints; none picked means none, and more than `most` the last ones.

    The shipped ones come first and are on unless a link says otherwise; the user's own are off.
    """
    shipped, found = loading.shipped(*tasks), loading.available(*tasks)
    usual = _usual(found, shipped, most)
    picked = found and choices("Models", found, key="cells", default=usual, show=loading.title, also=_short, popover=True)
    sound = [name for name in found if name in shipped]  # of the visitor's own only the description has been read
    for problem in loading.problems([name for name in dict.fromkeys([*shipped, *picked]) if name not in sound]):
        st.caption(f":material/info: {plain(problem)}")
    if not found:
        st.info("There are no models for this task yet. `make checkpoints` trains them.")
        st.stop()
    picked = [name for name in picked if name in sound or not loading.problems([name])]
    if most is not None and len(picked) > most:
        picked = picked[-most:]  # the user's own, which were asked for on purpose, stand last
        st.caption(f":material/info: {most} at most are shown side by side: {', '.join(map(loading.title, picked))}.")
    return picked


def usual_cells(*tasks: str, most: int | None = None) -> list[str]:
    """The models for these tasks that are on unless a link says otherwise: the shipped ones, of too many those of torch's cells."""
    return _usual(loading.available(*tasks), loading.shipped(*tasks), most)


def _usual(found: Sequence[str], shipped: Sequence[str], most: int | None) -> list[str]:
    shipped = [name for name in found if name in shipped]
    if most is not None and len(shipped) > most:
        shipped = [name for name in shipped if CELLS[name.partition("-")[2]].kernel][:most] or shipped[:most]
    return shipped or list(found[:1])


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
        st.info("Pick at least one model.")
    return bool(text.strip() and names)


def choice(
    label: str,
    options: Sequence[Option],
    *,
    key: str,
    default: Option | None = None,
    show: Callable[[Option], str] = str,
    also: Spellings[Option] = _as_text,
    compact: bool = False,
    menu: bool = False,
    width: int = 160,
) -> Option:
    """One of a few options, side by side or in a `menu`; `default` is the first unless given.

    A link may use its label or one of `also`. A `compact` choice shows its label to nobody who sees the options. `width` is that of
    a menu, in pixels.
    """
    labels = {show(option): option for option in options}
    usual = show(options[0] if default is None else default)
    names = _names(labels, also)
    _restore(label, key, usual, _one_of(names, usual))
    seen = _visibility(compact)
    picked: str | None
    if menu:
        picked = st.selectbox(label, list(labels), key=key, label_visibility=seen, width=width)
    else:
        picked = st.segmented_control(label, list(labels), key=key, required=True, label_visibility=seen)
    return labels[address.keep(key, picked or usual, usual)]


def stated(label: str, options: Sequence[str], *, key: str) -> str:
    """One of some options that no input shows: the address names it, else it is the first. `address.put` sets it."""
    usual = options[0]
    value = _recall(label, key, usual, _one_of({option: option for option in options}, usual))
    return address.keep(key, value, usual)


def unseen(label: str, default: str, *, key: str, check: Callable[[str], object]) -> str:
    """A text that no input shows and `address.put` sets. What the address may not say of it, `check` answers with a ValueError."""

    def read(said: Sequence[str]) -> tuple[str, bool]:
        try:
            check(said[-1])
        except ValueError:
            return default, False
        return said[-1], True

    return address.keep(key, _recall(label, key, default, read), default)


def choices(
    label: str,
    options: Sequence[Option],
    *,
    key: str,
    default: Sequence[Option],
    show: Callable[[Option], str] = str,
    also: Spellings[Option] = _as_text,
    popover: bool = False,
) -> list[Option]:
    """Any subset of a few options, in their own order. A link may use their labels, or what they are `also` called.

    Of what was picked on another page, that which is here too stays. In a `popover`, only what is picked is seen.
    """
    labels = {show(option): option for option in options}
    usual = [show(option) for option in options if option in default]
    names = _names(labels, also)

    def read(said: Sequence[str]) -> tuple[list[str], bool]:
        picked = {names.get(one) for one in said}
        found = [name for name in labels if name in picked]
        return found if found or said == [""] else usual, said == [""] or None not in picked

    _restore(label, key, usual, read)
    seen = ", ".join(plain(name) for name in labels if name in st.session_state[key]) or f"No {label.lower()}"
    with st.popover(seen, key=f"{key}-picked") if popover else nullcontext():
        picked = st.segmented_control(label, list(labels), key=key, selection_mode="multi")
    return [labels[name] for name in address.keep(key, [name for name in labels if name in picked], usual)]


def listed(label: str, options: Sequence[str], *, key: str) -> str:
    """One of many options, in a compact menu; the first, unless another is picked."""
    usual = options[0]
    _restore(label, key, usual, _one_of({option: option for option in options}, usual))
    picked = st.selectbox(label, options, key=key, width=135, label_visibility="collapsed")
    return str(address.keep(key, picked, usual))


def menu(
    label: str, options: Sequence[str], *, key: str, placeholder: str, typed: bool = False, compact: bool = False
) -> str | None:
    """One of many options, or none; with `typed`, anything else that the visitor types. `compact` as in `choice`."""
    longest = max((LONGEST_OPTION, *map(len, options)))

    def read(said: Sequence[str]) -> tuple[str | None, bool]:
        known = typed or said[-1] in ("", *options)
        return (long_texts.part(said[-1], longest) or None) if known else None, known

    _restore(label, key, None, read)
    chosen = st.session_state[key]
    listed = [*options, *([] if chosen is None or chosen in options else [chosen])]  # what was typed stays in the menu
    picked = st.selectbox(
        label,
        listed,
        key=key,
        placeholder=placeholder,
        accept_new_options=typed,
        width=145 if compact else 240,
        label_visibility=_visibility(compact),
        **(long_texts.bounded(key, longest) if typed else {}),
    )
    long_texts.say_cut(key, picked or "", longest)
    return address.keep(key, picked)


def number(label: str, low: float, high: float, *, key: str, default: float, step: float, help: str | None = None) -> float:
    """A slider. All of low, high, default and step are whole numbers, or none is."""
    kind = type(step)

    def read(said: Sequence[str]) -> tuple[float, bool]:
        try:
            value = float(said[-1])
        except ValueError:
            return default, False
        good = low <= value <= high and value == kind(value)
        return kind(value) if good else default, good

    value = _recall(label, key, default, read)
    return float(address.keep(key, slider(label, low, high, value, key=key, step=step, help=help), default))


def slider(label: str, low: float, high: float, value: float, *, key: str, step: float, **options: Any) -> float:
    """Streamlit's, at a value. What the browser has sent is not sent back: that would undo how far the hand has moved meanwhile."""
    known = st.session_state.setdefault(_RANGES, {})
    sent = st.session_state.get(key, math.nan)
    first: float | None = value  # where it stands once it is drawn, which in a menu that is still closed is later
    if not math.isclose(sent, value, abs_tol=step / 1000) or known.get(key) != (low, high, step):  # of another range: another one
        st.session_state[key], first = value, None
    known[key] = low, high, step
    digits = None if isinstance(step, int) else f"%.{max(2, len(f'{step:g}'.partition('.')[2]))}f"  # Streamlit's own has two
    return st.slider(label, low, high, first, step=step, key=key, format=digits, **options)


def line(label: str, *, key: str, default: str = "", placeholder: str = "", width: int | Literal["stretch"] = "stretch") -> str:
    """One line of text."""
    _restore(label, key, default, lambda said: (long_texts.part(said[-1], LONGEST_LINE), True))
    limits = long_texts.bounded(key, LONGEST_LINE)
    typed = st.text_input(label, key=key, placeholder=placeholder or label, label_visibility="collapsed", width=width, **limits)
    text = address.keep(key, typed or "", default)
    long_texts.say_cut(key, text, LONGEST_LINE)
    return text


def toggle(label: str, *, key: str, default: bool = False, help: str | None = None) -> bool:
    """A switch."""
    _restore_switch(label, key, default)
    return address.keep(key, st.toggle(label, key=key, help=help), default)


def expander(label: str, *, key: str) -> ExpanderContainer:
    """Detail, closed at first: what is in it is worked out only where it is `open`."""
    _restore_switch(label, key, False)
    found = st.expander(label, key=key, on_change="rerun")
    address.keep(key, bool(found.open), False)
    return found


def optional_number(label: str, *, key: str, help: str) -> int | None:
    """A whole number from 0, or none: the field is empty at first."""

    def read(said: Sequence[str]) -> tuple[int | None, bool]:
        good = re.fullmatch(r"[0-9]{1,9}", said[-1]) is not None
        return int(said[-1]) if good else None, good or not said[-1]

    _restore(label, key, None, read)
    return address.keep(key, st.number_input(label, 0, None, None, step=1, key=key, help=help, placeholder="none", width=160))


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


def _names(labels: Mapping[str, Option], also: Spellings[Option]) -> dict[str, str]:
    """What a link may call each option, and its label."""
    spellings = {spelling: name for name, option in reversed(list(labels.items())) for spelling in also(option)}  # the first wins
    return spellings | {name: name for name in labels}


def _one_of(names: Mapping[str, str], usual: str) -> Callable[[Sequence[str]], tuple[str, bool]]:
    """How an address is read where it names one of some options: what it may say, and the option that it means."""
    return lambda said: (names.get(said[-1], usual), said[-1] in names)


def _visibility(compact: bool) -> Literal["visible", "collapsed"]:
    return "collapsed" if compact else "visible"


def _restore(label: str, key: str, default: Option, read: Callable[[Sequence[str]], tuple[Option, bool]]) -> None:
    """Set an input's value before it is drawn, with a note where the address asks for something that can't be."""
    st.session_state[key] = _recall(label, key, default, read)


def _restore_switch(label: str, key: str, default: bool) -> None:
    switch = {"true": True, "false": False}
    _restore(label, key, default, lambda said: (switch.get(said[-1].lower(), default), said[-1].lower() in switch))


def _recall(label: str, key: str, default: Option, read: Callable[[Sequence[str]], tuple[Option, bool]]) -> Option:
    """The value of an input, with that note."""
    by_link = address.leads(key)
    value, good = address.recall(key, default, read)
    if by_link and not good:
        st.caption(f":material/link_off: This link asks for something under “{label}” that is not here, so you see the default.")
    return value
