"""Colours and safe text, shared by every picture.

A colour is a pair, for the light and the dark theme. Keep is blue and write is orange everywhere; zero is always neutral.
"""

from __future__ import annotations

import html
import unicodedata
from typing import Literal, NamedTuple

from seqmodels.cells import CELLS
from seqmodels.text import EOS

Theme = Literal["light", "dark"]

SPACE, PARAGRAPH = "␣", "¶"  # how a space and `<eos>` are shown among characters


class Pair(NamedTuple):
    """One colour on both themes, each '#rrggbb'."""

    light: str
    dark: str

    @property
    def css(self) -> str:
        """The colour in HTML, where the browser knows the theme."""
        return f"light-dark({self.light}, {self.dark})"

    def on(self, theme: Theme) -> str:
        """The colour in a figure, which is drawn for one theme."""
        return self.light if theme == "light" else self.dark


MU = Pair("#2F6DB5", "#6FA8F0")  # keep
LAM = Pair("#D9730D", "#F5A250")  # write
MU_INK = Pair("#245A99", "#8EBBF4")  # the same two for small text, which needs more contrast
LAM_INK = Pair("#954A04", "#F8B576")
REVEAL = Pair("#6E4FA8", "#B79BEA")  # what LSTM shows of its memory
REVEAL_INK = Pair("#5B3F90", "#C6B0EF")
SURPRISAL = REVEAL  # neither keep nor write
POSITIVE = Pair("#137A72", "#57CDC1")  # the two ends of a signed value, told apart by every kind of eye; zero is the bare page
NEGATIVE = Pair("#A12D6F", "#EE8FC0")
BACKGROUND = Pair("#FCFCFA", "#12161D")
SURFACE = Pair("#F1F3F6", "#1B212B")
TEXT = Pair("#1C2430", "#E8ECF2")
MUTED = Pair("#4C5563", "#B5BDC9")
LINE = Pair("#D5DAE1", "#2E3746")
ERASE = Pair("#BCC3CD", "#4E5968")
# what a unit does at a step, as fill and stripe: to keep and write at once is both colours, to do neither is none
REGIME_COLOURS: dict[str, tuple[Pair, Pair | None]] = {
    "keep": (MU, None),
    "accumulate": (MU, LAM),
    "overwrite": (LAM, None),
    "erase": (ERASE, None),
}
_BROWN, _OLIVE, _SKY = Pair("#7A5C0A", "#D9B84A"), Pair("#56701A", "#B4CF6A"), Pair("#1F7391", "#7CCBE6")
SERIES = (MUTED, POSITIVE, NEGATIVE, REVEAL, _BROWN, TEXT)  # lines that stand beside each other
CELL_COLOURS = (MUTED, _BROWN, TEXT, REVEAL, POSITIVE, NEGATIVE, _OLIVE, _SKY)  # by the order of CELLS; their markers differ too
_CELL_MARKERS = ("circle", "cross", "triangle-up", "x", "square", "diamond", "star", "triangle-down")  # plotly's words
DIFFERENT = Pair("#B93A3A", "#F08A8A")  # where models disagree

# Fills under TEXT: a family of tags shares a hue, so that a strip shows the build of a sentence before any label is read.
TAG_COLOURS: dict[str, Pair] = {
    "NOUN": Pair("#A9CDF2", "#27507F"),
    "PROPN": Pair("#8FD3DB", "#14606B"),
    "PRON": Pair("#C3D9EE", "#38506A"),
    "VERB": Pair("#F5AFA6", "#8A3730"),
    "AUX": Pair("#F6CDC7", "#6B4541"),
    "ADJ": Pair("#B2DDA6", "#2F6328"),
    "ADV": Pair("#D2DF9B", "#55601F"),
    "DET": Pair("#F1D79E", "#6D541B"),
    "NUM": Pair("#EFC08C", "#7A4A18"),
    "ADP": Pair("#CFBFEC", "#523F80"),
    "PART": Pair("#E2D3EE", "#57476A"),
    "CCONJ": Pair("#EDBBDD", "#783A65"),
    "SCONJ": Pair("#F2C6D6", "#6F4054"),
    "INTJ": Pair("#F2E58C", "#67601A"),
    "SYM": Pair("#D9D2C4", "#514B40"),
    "X": Pair("#CDD2D9", "#475060"),
    "PUNCT": Pair("#E4E7EB", "#353D49"),
    "PER": Pair("#F3BE86", "#7F4A14"),
    "ORG": Pair("#CDBBEE", "#553F86"),
    "LOC": Pair("#A3D9A9", "#2A6636"),
    "O": Pair("#E9ECEF", "#2A313C"),
}


def cell_colour(cell: str) -> Pair:
    """The colour of what stands for a cell in a figure."""
    return CELL_COLOURS[_place(cell) % len(CELL_COLOURS)]


def cell_marker(cell: str) -> str:
    """The shape of a cell's points, in plotly's words."""
    return _CELL_MARKERS[_place(cell) % len(_CELL_MARKERS)]


def tag_colour(tag: str) -> Pair:
    """The fill of a tag; B-PER and I-PER are PER. An unknown tag gets X's."""
    return TAG_COLOURS.get(tag.removeprefix("B-").removeprefix("I-"), TAG_COLOURS["X"])


def _place(cell: str) -> int:
    return list(CELLS).index(cell) if cell in CELLS else len(CELLS)


def safe(text: str) -> str:
    """Text as HTML that shows it, as `visible` does, and does nothing else; for plotly's labels too, which are read as HTML."""
    return html.escape(visible(text), quote=True)


def visible(text: str) -> str:
    """Text of which nothing is unseen. Not yet escaped.

    A space on its own and a control character become their pictures, and a word without a single visible character its code points.
    """
    if text == " ":
        return SPACE
    if text.isascii() and text.isprintable():
        return text
    if text and all(unicodedata.category(character) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"} for character in text):
        return " ".join(f"U+{ord(character):04X}" for character in text)
    return "".join(_pictured(character) for character in text)


def special(token: str) -> str:
    """What a token is that is no word of a text; empty for a word."""
    return "<eos>: before the first word, and where a paragraph ends" if token == EOS else ""


def shorten(text: str, longest: int = 24) -> str:
    """A word cut to fit a label, the cut marked by an ellipsis. Not yet escaped."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _pictured(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cs"} else character
