"""What the visitor has set, kept over a walk through the pages and written in their addresses: a link or Back brings it all.

An input is known by its key, in the address and here. Its default stays out of the address: a parameter that is missing means the
default. The address leads when it opens a page: the first of a session, one that Back or Forward brings, or one behind `link`.
Else the inputs lead, and at the end of a run the address gets all that has changed at once: one change is one entry of the history.
(Streamlit's own `bind="query-params"` replaces the entry at each change, and Back then has nothing to bring.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.scriptrunner import get_script_run_ctx

LONGEST = 6000  # characters of one value after percent-encoding: mail programs and proxies cut longer addresses
MOST_LONG = 8  # values too long for an address that a session keeps, so that Back and Forward find them

_MEMORY, _LONG = "address", "too long for a link "  # in the session's state; of the name that stands for a long value

Value = TypeVar("Value")
Said = list[str]  # of one input in an address: none for its default, several where it holds several


@dataclass(frozen=True)
class _Kept:
    value: Any
    default: Any


@dataclass
class _Opening:
    """An address that has opened a page, until the page is drawn."""

    asks: dict[str, Said]
    leads: bool  # over what was kept
    brought: bool = False  # it is that of a browser which has lost its server, and says what its inputs hold
    expected: dict[str, Said] = field(default_factory=dict)  # of each input drawn so far: what the address would say if it agrees
    bad: set[str] = field(default_factory=set)  # inputs of which it asks what can't be


@dataclass
class _Memory:
    """Of one session."""

    page: str = ""  # its title
    address: dict[str, Said] = field(default_factory=dict)  # what the browser's address says, as far as is known
    shared: frozenset[str] = frozenset()  # keys that this page has in common with others; the rest are its own
    opening: _Opening | None = None
    correction: str | None = None  # of the address that has opened the page, until it changes
    uncorrected: dict[str, Said] = field(default_factory=dict)  # what the browser says until it has got that
    drawn: dict[str, None] = field(default_factory=dict)  # keys, in this run so far, in order
    kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)  # by page, or "" where shared, and key
    written: dict[str, dict[str, Said]] = field(default_factory=dict)  # by page: what its address says in its shortest form
    links: list[dict[str, Said]] = field(default_factory=list)  # parameters of the links on this page
    assumed: dict[str, Said] = field(default_factory=dict)  # defaults in this run, in the words of an address
    usual: dict[str, Any] = field(default_factory=dict)  # the same of the inputs drawn, as their values
    around: tuple[dict[str, None], list[dict[str, Said]]] = field(default_factory=lambda: ({}, []))  # both, outside the body
    unseen: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # by key: what the browser says, and what was put over it
    long: dict[str, str] = field(default_factory=dict)  # values too long for an address, by the name that stands for them

    def place(self, key: str) -> tuple[str, str]:
        return ("" if key in self.shared else self.page, key)

    def said(self, key: str) -> Said:
        entry = self.kept.get(self.place(key))
        return self.say(entry) if entry else []

    def say(self, entry: _Kept) -> Said:
        if entry.value == entry.default:
            return []
        if entry.value is None:  # nothing, where the default is something
            return [""]
        return [self.shorten(text) for text in _texts(entry.value)]

    def shorten(self, text: str) -> str:
        """The text, or if it is too long a name that stands for it in this session."""
        if fits(text):
            return text
        name = _LONG + hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
        self.long.pop(name, None)
        self.long[name] = text
        for old in list(self.long)[:-MOST_LONG]:
            del self.long[old]
        return name


def visit(title: str, shared: Sequence[str] = ()) -> None:
    """A run of a page begins. Inputs with the keys `shared` have the same value on all pages that share them."""
    memory = _memory()
    arrived, back = memory.page != title, _came_back()
    asks = {key: st.query_params.get_all(key) for key in st.query_params}
    late = memory.correction is not None and asks == memory.uncorrected  # and no link back to it: nothing has changed since
    linked = asks in memory.links and (arrived or (asks != memory.address and not late))
    if linked and not arrived and not back:  # by a link to the page on which it stands, of which the browser tells the server alone
        st.query_params.from_dict(asks)
    if arrived or back or linked:
        brought = {} if memory.page else _brought()
        memory.opening, memory.correction = _Opening(asks | brought, back or not memory.page or linked, bool(brought)), None
    else:
        _follow(memory)
    memory.page, memory.shared, memory.address = title, frozenset(shared), asks
    memory.drawn, memory.links, memory.assumed, memory.usual = {}, [], {}, {}


def title() -> str:
    """The title of the page on screen."""
    return _memory().page


def is_alone() -> bool:
    """Whether this is the run of a fragment, and not of a whole page."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def visit_part() -> None:
    """The same of a fragment of a page."""
    if is_alone():
        _follow(_memory())


def visit_body() -> None:
    """The same of the fragment that holds what a page reads and shows; around it stand the menu and the lesson."""
    memory = _memory()
    if not is_alone():
        memory.around = dict(memory.drawn), list(memory.links)
        return
    _follow(memory)
    drawn, links = memory.around
    memory.drawn, memory.links, memory.assumed, memory.usual = dict(drawn), list(links), {}, {}


def carried(title: str, shared: Sequence[str]) -> dict[str, Said]:
    """Query parameters for a link to a page: what was set on it, and what it shares with other pages."""
    memory = _memory()
    values: dict[str, Said] = {}
    for key in dict.fromkeys([*shared, *memory.written.get(title, ())]):
        if memory.opening and memory.opening.leads and key in shared and key in memory.shared:
            values[key] = memory.opening.asks.get(key, [])  # nothing is drawn yet: only the address knows what is set
        else:
            entry = memory.kept.get(("" if key in shared else title, key))
            values[key] = memory.say(entry) if entry else []
    return {key: said for key, said in values.items() if said}


def link(title: str, shared: Sequence[str], values: Mapping[str, Any], *, fresh: bool = False) -> dict[str, Said]:
    """The same for a link that also sets these inputs of the page: there they win over what was kept.

    Behind a `fresh` one, all others have their defaults.
    """
    memory = _memory()
    said = {key: [memory.shorten(text) for text in texts] for key, value in values.items() if (texts := _texts(value))}
    if not fresh:
        said = carried(title, shared) | said
    memory.links.append(said)
    return said


def here() -> str:
    """The whole address of what is on screen, once all inputs are drawn; empty where there is no browser."""
    memory = _memory()
    query = urlencode({key: said for key in memory.drawn if (said := memory.said(key))}, doseq=True)
    url = (st.context.url or "").partition("?")[0]
    return f"{url}?{query}" if url and query else url


def fits(value: str) -> bool:
    """Whether a link can carry this value."""
    return len(value) <= LONGEST and len(quote(value, errors="replace")) <= LONGEST


def assume(values: Mapping[str, Any]) -> None:
    """Let these, in the words of an address, be the defaults of the inputs yet to be drawn in this run: these and no others."""
    _memory().assumed = {key: said for key, value in values.items() if (said := _texts(value))}


def complete(values: Mapping[str, Any], *, beside: Collection[str]) -> None:
    """Let an address that opens the page and says nothing beyond the keys `beside` say these too. Before any input is drawn."""
    opening = _memory().opening
    if opening and opening.leads and opening.asks.keys() <= set(beside):
        opening.asks = {key: said for key, value in values.items() if (said := _texts(value))} | opening.asks


def settle(*, but: Collection[str] = ()) -> None:
    """What is on screen stays, whatever is assumed next; the keys `but` have their own default then. Only in a callback."""
    memory = _memory()
    for key in memory.usual:
        if key in but:
            del memory.kept[memory.place(key)]
        else:
            memory.kept[memory.place(key)] = replace(memory.kept[memory.place(key)], default=None)
    memory.usual = {}


def leads(key: str) -> bool:
    """Whether it is the address that says what this input is in this run, and not what was kept of it."""
    memory = _memory()
    new = memory.place(key) not in memory.kept
    opening = memory.opening
    return new if opening is None else key not in opening.expected and (opening.leads or new)


def recall(key: str, default: Value, read: Callable[[Said], tuple[Value, bool]]) -> tuple[Value, bool]:
    """The value of an input in this run, by the address or as it was kept; and whether it can be what was asked for.

    `read` makes a value of what an address says, at least one text, and says whether it understood all of it.
    """
    memory, opening, by_address = _memory(), _memory().opening, leads(key)
    if key in memory.assumed:
        value, good = read(memory.assumed[key])
        default = memory.usual[key] = value if good else default
    asks = st.query_params.get_all(key) if opening is None else opening.asks.get(key, [])
    said = asks if by_address else memory.said(key)
    if any(text.startswith(_LONG) and text not in memory.long for text in said):  # of another session
        value, good = default, False
    else:
        value, good = read([memory.long.get(text, text) for text in said]) if said else (default, True)
    if opening and by_address:
        opening.expected[key] = asks
        if not good:
            opening.bad.add(key)
    return value, good


def keep(key: str, value: Value, default: object = None) -> Value:
    """Remember an input's value, which the address is to say unless it is the default. Each run of a page keeps what it draws."""
    memory = _memory()
    if memory.opening:
        memory.opening.expected.setdefault(key, memory.said(key))
    memory.kept[memory.place(key)] = _Kept(value, memory.usual.get(key, default))
    memory.drawn[key] = None
    return value


def kept(key: str) -> Any:
    """The value last kept under this key, or None."""
    memory = _memory()
    entry = memory.kept.get(memory.place(key))
    return None if entry is None else entry.value


def put(values: Mapping[str, Any], *, unseen: bool = False) -> None:
    """Set inputs by their keys, whether or not this page has drawn them yet. Only before they are drawn, such as in a callback.

    Of an input in a menu that was opened and closed a browser goes on saying what it said last, until the menu is opened again.
    `unseen` is for such ones: that is then no change of the visitor's.
    """
    memory = _memory()
    for key, value in values.items():
        usual = memory.usual.pop(key, None)  # may be another in the next run: what is set is set, whatever the default
        keep(key, value, usual if value is None else None)
        if key in st.session_state:
            if unseen:
                memory.unseen[key] = st.session_state[key], value
            st.session_state[key] = value


def holds(values: Mapping[str, Any]) -> bool:
    """Whether all of these inputs, once drawn, have these values."""
    return all(sorted(_texts(kept(key))) == sorted(_texts(value)) for key, value in values.items())


def write() -> None:
    """All inputs are drawn: the address says that and nothing else. For a body alone, or a page that then works for long.

    `finish` does so too.
    """
    memory = _memory()
    if memory.opening is None:
        _send(memory, _drawn(memory))


def write_part() -> None:
    """The inputs of a fragment are drawn; those around it stay as they are. Nothing where the whole page is being drawn."""
    memory = _memory()
    if is_alone():
        now = {key: memory.said(key) for key in memory.drawn}
        _send(memory, {key: said for key, said in (memory.written.get(memory.page, {}) | now).items() if said})


def finish() -> str | None:
    """A run of a page is at its end. The query that the browser is to show in the place of the one that opened the page, if any."""
    memory = _memory()
    _send(memory, _drawn(memory))
    memory.opening = None
    return memory.correction


def _send(memory: _Memory, now: dict[str, Said]) -> None:
    """Give the browser an address where something has changed. One that has opened the page stays as it is, if it agrees."""
    brought = memory.opening is not None and memory.opening.brought
    before = memory.address if brought else memory.written.get(memory.page)
    memory.written[memory.page] = now
    if memory.opening is None or brought:
        if now != before:
            st.query_params.from_dict(now)
            memory.address, memory.correction = now, None
        return
    wrong = {key for key, expected in memory.opening.expected.items() if _differs(memory.opening, key, expected, now.get(key, []))}
    if wrong:
        rest = {key: said for key, said in memory.opening.asks.items() if key not in wrong}
        memory.opening.asks = rest | {key: said for key, said in now.items() if key in wrong}
        memory.correction, memory.uncorrected = _correct(memory.opening.asks), memory.address
        memory.address = dict(memory.opening.asks)


def _correct(said: Mapping[str, Said]) -> str:
    """Let Streamlit take this for the address, without the entry of the history that its own way makes; and give it as a query."""
    context = get_script_run_ctx()
    assert context is not None
    # such as `embed`, which Streamlit keeps to itself
    hidden = [pair for pair in parse_qsl(context.query_string, keep_blank_values=True) if pair[0] not in st.query_params]
    with context.session_state.query_params() as params:
        params.clear_with_no_forward_msg(preserve_embed=True)
        for key, texts in said.items():
            params.set_with_no_forward_msg(key, texts)
    context.query_string = urlencode([*((key, text) for key, texts in said.items() for text in texts), *hidden])
    return f"?{context.query_string}" if context.query_string else ""


def _drawn(memory: _Memory) -> dict[str, Said]:
    """What the inputs on screen say, those with their defaults left out."""
    return {key: memory.said(key) for key in memory.drawn if memory.said(key)}


def _differs(opening: _Opening, key: str, expected: Said, said: Said) -> bool:
    """Whether an address that has opened a page says something else of an input than is on screen."""
    asks = opening.asks.get(key, [])
    return sorted(asks) != sorted(expected) or (said != [] and asks != said and (not any(asks) or key in opening.bad))


def _follow(memory: _Memory) -> None:
    """Keep what the visitor has changed since the last run: the menu is drawn before the inputs, and a run may end before them."""
    for key, (said, value) in list(memory.unseen.items()):
        if st.session_state.get(key) == said:
            st.session_state[key] = value
        elif st.session_state.get(key) != value:
            del memory.unseen[key]
    for place, entry in memory.kept.items():  # of inputs that were drawn: those of the last run may be few, if another broke it off
        key = place[1]
        if place == memory.place(key) and st.session_state.get(key, entry.value) != entry.value:
            memory.kept[place] = _Kept(st.session_state[key], entry.default)


def _brought() -> dict[str, Said]:
    """The texts and picks that a browser brings to a new session: it had another, on a server that has died or forgotten it.

    A change that it makes then comes with the address from before, which would undo it.
    """
    context = get_script_run_ctx()
    states = {} if context is None else context.session_state._state._new_widget_state.states
    found: dict[str, Said] = {}
    for ident, state in states.items():
        _, _, key = ident.removeprefix("$$ID-").partition("-")
        held = getattr(state, "value", None)
        if not isinstance(held, WidgetState):
            continue
        kind = held.WhichOneof("value")
        if kind == "string_value":
            found[key] = [held.string_value]
        elif kind == "string_array_value":
            found[key] = list(held.string_array_value.data) or [""]
        elif kind == "bool_value":
            found[key] = _texts(held.bool_value)
    return found


def _came_back() -> bool:
    """Whether Back or Forward has asked for this run. Its address alone can't tell: an older one may come with a quick change."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _texts(value: Any) -> Said:
    """A value as an address says it."""
    if value is None:
        return []
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, float):
        return [f"{value:.10g}"]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(one) for one in value] or [""]
    return [str(value)]


def _memory() -> _Memory:
    memory: _Memory | None = st.session_state.get(_MEMORY)
    if memory is None:
        memory = st.session_state[_MEMORY] = _Memory()
    return memory
