"""What every view of the explorer is given, and what views share: pictures, figures as files, and examples to open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import streamlit as st

from pages.common import address, inputs, shown
from seqmodels.cells import CELLS
from seqmodels.viz import law
from seqmodels.viz.frame import Focused

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seqmodels.text import Unit

Rows = Sequence[Mapping[str, Any]]

Group = Literal["read", "remember", "operate", "find"]
GROUPS: tuple[Group, ...] = get_args(Group)  # in the order in which the story is told

KEYS = "The keys to the cabinet in the old office near the two big doors are on the table."  # of many examples
MOST: dict[Unit, int] = {"word": 1000, "character": 2000}  # of a text: every unit's gates at each are kept, some 10 kB a word
WORDLESS = 20  # columns of words that a picture without words takes the room of: a phone has as much
BACKWARD = " :gray-badge[:material/arrow_back: time runs from right to left]"


@dataclass(frozen=True)
class Example:
    """A state of the page to open by one click, in the words that a link may use, and what there is to see."""

    title: str
    sees: str
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """The values of the page's inputs by their keys."""
        return inputs.values_of(self.state)


def state(text: str, task: str, cells: str = "", **values: Any) -> dict[str, Any]:
    """The inputs of the page by their keys; cells are written 'gru lstm', and a key's hyphen as an underscore."""
    picked = {"cells": [law.title(cell) for cell in cells.split()]} if cells else {}
    others = {key.replace("_", "-"): value for key, value in values.items()}
    return {"text": text, "task": task} | picked | others


@dataclass(frozen=True)
class Reading(Focused):
    """How one model read the text."""

    name: str  # of the checkpoint, such as 'ner-gru'

    @property
    def cell(self) -> str:
        return self.trace.cell

    @property
    def title(self) -> str:
        return law.title(self.cell, self.trace.model)

    def word(self, token: int) -> str:
        """A token of the text, as Markdown."""
        return f"*{inputs.plain(self.trace.tokens[token])}*"


@dataclass(frozen=True)
class Scene:
    """One text, as read by up to three models, and the one selection that all views share."""

    view: str
    task: str
    text: str  # as it was read: what a language model added is in it
    typed: int  # so many of its tokens were typed
    readings: tuple[Reading, ...]
    settings: DeltaGenerator = field(compare=False)  # the place of what a view is rarely asked to change

    @property
    def first(self) -> Reading:
        return self.readings[0]

    @property
    def tokens(self) -> tuple[str, ...]:
        return self.first.trace.tokens

    @property
    def word(self) -> str:
        """The selected token."""
        return self.tokens[self.first.token]


@dataclass(frozen=True)
class Aid:
    """How to read a picture, in one sentence, and what to look for in it."""

    how: str
    look_for: str


@dataclass(frozen=True)
class View:
    """A way to look at a scene."""

    title: str
    group: Group  # what it is for
    place: int  # in its group
    asks: str  # the question that it answers, a few words for a menu
    aid: Aid
    examples: Sequence[Example]
    draw: Callable[[Scene], None]
    labelled: bool = True  # its pictures have words with something under them
    bound: Sequence[str] = ()  # keys of its inputs that say something of one text, and nothing of the next that is typed
    ahead: bool = False  # it looks from the selected word to those read later
    others: Mapping[tuple[str, str], Aid] = field(default_factory=dict)  # where an input, by its key, has a value: another picture

    @property
    def shown(self) -> Aid:
        """That of the picture on screen."""
        return next((aid for (key, value), aid in self.others.items() if address.kept(key) == value), self.aid)


@contextmanager
def pictures(scene: Scene, columns: int | None = None) -> Iterator[None]:
    """A row of pictures, one a model: beside each other while so many columns of words are legible, else one below the other."""
    from seqmodels.viz import frame

    drawn = len(scene.first.focus.positions(scene.first.trace)) if columns is None else columns
    key = f"gates-pictures-{scene.view.lower()}"
    st.html(f"<style>.st-key-{key} {{ --needed: {frame.width(drawn)}px; --columns: {drawn}; }}</style>")
    with st.container(key=key):
        yield


@contextmanager
def panel(scene: Scene, reading: Reading) -> Iterator[None]:
    """The place of one model in a row of pictures, under its name."""
    with st.container(key=f"gates-{scene.view.lower()}-{reading.name}", gap="xxsmall"):
        where = CELLS[reading.cell].where if reading.cell in CELLS else None
        shown.markdown(f"**{reading.title}**" + (BACKWARD if reading.layer.backward else ""), help=where)
        yield


def panels(scene: Scene, draw: Callable[[Reading], None], columns: int | None = None) -> None:
    """A row of pictures, in which each model draws its own."""
    with pictures(scene, columns):
        for reading in scene.readings:
            with panel(scene, reading):
                draw(reading)


def chart(figure: Any, key: str, alt: str) -> None:
    """A picture, with a button on it that saves it as PNG."""
    shown.chart(figure, key, alt, page="gates")


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown: a column for each name, and under it the rows."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (names, ["---"] * len(names), *rows))


def numbers(rows: Callable[[], Rows], name: str) -> None:
    """A button that saves what a picture is drawn from. `rows` is asked when it is pressed."""
    from seqmodels import export

    st.download_button(
        "Numbers as CSV",
        lambda: export.rows_to_csv(rows()),
        f"{name}.csv",
        "text/csv",
        key=f"gates-csv-{name}",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def numbers_of(scene: Scene, rows: Callable[[Reading], Rows], name: str) -> None:
    """The same of a row of pictures: the rows of each model, one under the other."""
    numbers(lambda: [row for reading in scene.readings for row in rows(reading)], name)


def opened(examples: Sequence[Example]) -> Example | None:
    """The example that is on screen, if any."""
    return next((example for example in examples if address.holds(example.values)), None)
