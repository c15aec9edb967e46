"""What surgery holds, in the address: clamps as one short text such as `mu=0@here;lam=1@5-7:3,40-50>`.

gate=value, then where: `@here` the selected word, `@here+` from it on, `@5-7` words counted from 1, or nothing for all; then which
units after `:`; then `>` or `<` for the forward or backward direction alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.common import address, inputs
from seqmodels.viz.palette import shorten

if TYPE_CHECKING:
    from seqmodels.traces import Clamp

CLAMPS = "clamps"  # of the address
NONE = "none"
MOST = 8  # clamps at once
FIRST = "mu=0@here"  # something is to be seen before anything is chosen
GATES = {"keep μ": "mu", "write λ": "lam"}
PLACES = {"the selected word": "@here", "from it on": "@here+", "the whole text": ""}
DIRECTIONS = {"both": "", "forward": ">", "backward": "<"}
OPERATIONS = (
    ("Amnesia here", "mu=0@here", "μ = 0 at the selected word: every unit drops its memory there. Move on with the arrow keys."),
    ("Write nothing here", "lam=0@here", "λ = 0 at the selected word: nothing of it is written."),
    ("Never forget", "mu=1", "μ = 1 at every word: an ungated memory that only adds up."),
    ("Always forget", "mu=0", "μ = 0 at every word: only what the last word writes is there, as in an Elman network."),
    ("Hold nothing", NONE, "Releases every gate: both runs are the same."),
)
_CLAMP = re.compile(
    r"(?P<gate>mu|lam)=(?P<value>\d(?:\.\d{1,3})?)"
    r"(?:@(?P<here>here)(?P<on>\+?)|@(?P<first>\d{1,6})-(?P<last>\d{1,6}))?"
    r"(?::(?P<units>[\d,-]{1,200}))?(?P<side>[<>]?)"
)


def written() -> list[str]:
    """The clamps that the address holds, those that can be read; a note where some can't."""
    held, good = address.recall(CLAMPS, FIRST, _read_all)
    if not good:
        st.caption(":material/link_off: This link asks for clamps that can't be read; they are left out.")
    address.keep(CLAMPS, held, FIRST)
    return [] if held == NONE else held.split(";")


def read(text: str, token: int) -> Clamp:
    """A clamp as the library has it; `token` is the selected one. ValueError if it can't be one."""
    from seqmodels.traces import BACKWARD, FORWARD, Clamp

    found = _CLAMP.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no clamp: write it like mu=0@5-7:3,40-50")
    first = last = None
    if found["here"]:
        first, last = token, None if found["on"] else token
    elif found["first"]:
        first, last = int(found["first"]) - 1, int(found["last"]) - 1
    return Clamp(
        gate=found["gate"],
        value=float(found["value"]),
        first=first,
        last=last,
        units=units_of(found["units"]) if found["units"] else None,
        direction={">": FORWARD, "<": BACKWARD}.get(found["side"]),
    )


def units_of(text: str) -> tuple[int, ...]:
    """'3, 17, 40-42' -> (3, 17, 40, 41, 42). ValueError if it reads otherwise."""
    units: set[int] = set()
    for part in text.replace(" ", "").split(","):
        found = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part)
        if found is None or int(found[1]) > int(found[2] or found[1]):
            raise ValueError(f"{part!r} is no unit: write numbers and ranges, such as 3, 17, 40-50")
        units |= set(range(int(found[1]), int(found[2] or found[1]) + 1))
    return tuple(sorted(units))


def choose(tokens: Sequence[str], token: int, *, both_ways: bool) -> list[Clamp]:
    """Ready operations, one of your own, and what is held now, to take off again. What is held, as the library has it."""
    now = written()
    entries = {f"**{title}** :gray[{message}]": {CLAMPS: clamp} for title, clamp, message in OPERATIONS}
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="gates-held"):
        inputs.menu_button("Intervene", entries, key="gates-operations")
        with st.popover("Your own", icon=":material/tune:"):
            own(now, both_ways=both_ways)
        if not now:
            st.markdown("Nothing is held: both runs are the same.", width="content")
        for clamp in now:
            rest = [other for other in now if other is not clamp]
            held = describe(clamp, tokens, token)
            st.button(held, icon=":material/close:", key=f"gates-off-{clamp}", help="Release it.", on_click=put, args=(rest,))
    return [read(clamp, token) for clamp in now]


def own(now: Sequence[str], *, both_ways: bool) -> None:
    """A clamp of the visitor's making, added to those that hold."""
    gate = GATES[inputs.choice("Hold", list(GATES), key="hold")]
    value = inputs.number("at", 0.0, 1.0, key="at", default=0.0, step=0.05)
    place = PLACES[inputs.choice("at the words", list(PLACES), key="where")]
    side = DIRECTIONS[inputs.choice("read", list(DIRECTIONS), key="read")] if both_ways else ""
    units = st.text_input("in the units", key="gates-units", placeholder="all, or 3, 17, 40-50", max_chars=100)
    clamp = f"{gate}={value:g}{place}{':' + units.replace(' ', '') if units.strip() else ''}{side}"
    try:
        read(clamp, 0)
    except ValueError:
        st.caption(f"{inputs.plain(units)} names no units: write numbers and ranges, such as 3, 17, 40-50.")
        return
    full = len(now) >= MOST or clamp in now
    st.button("Hold it", key="gates-hold", on_click=put, args=([*now, clamp],), disabled=full)


def describe(text: str, tokens: Sequence[str], token: int) -> str:
    """A clamp in words, as Markdown."""
    clamp = read(text, token)
    name = {"mu": "keep μ", "lam": "write λ"}[clamp.gate]
    units = "" if clamp.units is None else f", {len(clamp.units)} unit{'s' if len(clamp.units) != 1 else ''}"
    side = f", {clamp.direction}" if clamp.direction else ""
    if clamp.first is None or clamp.first >= len(tokens):
        where = "everywhere" if clamp.first is None else "beyond the text"
    else:
        where = f"at {inputs.plain(shorten(tokens[clamp.first]))}"
        if clamp.last is None:
            where = f"from {inputs.plain(shorten(tokens[clamp.first]))} on"
        elif clamp.last > clamp.first:
            where += f" to {inputs.plain(shorten(tokens[min(clamp.last, len(tokens) - 1)]))}"
    return f"{name} = {clamp.value:g} {where}{units}{side}"


def put(clamps: Sequence[str]) -> None:
    """Hold these and no others; the address follows when the page is drawn."""
    address.keep(CLAMPS, ";".join(clamps) or NONE)


def _read_all(said: Sequence[str]) -> tuple[str, bool]:
    """The clamps of an address that can be read, and whether all can."""
    parts = [] if said[-1] == NONE else list(dict.fromkeys(said[-1].split(";")))
    good = [part for part in parts if _readable(part)][:MOST]
    return ";".join(good) or NONE, len(good) == len(parts)


def _readable(text: str) -> bool:
    try:
        read(text, 0)
    except ValueError:
        return False
    return True
