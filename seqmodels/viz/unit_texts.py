"""Passages of a text in the colours of one unit: its memory or a gate behind every word (Karpathy, Johnson, Li 2015)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from seqmodels.text import EOS
from seqmodels.viz.gates import Measure
from seqmodels.viz.palette import PARAGRAPH, safe, shorten, visible
from seqmodels.viz.style import styled

DEEPEST = 50  # percent of a colour behind a word that is still legible on it, in dark mode too
_LONGEST = 24  # characters of a word


@dataclass(frozen=True)
class Passage:
    """Words and the value at each; `marked` is the one that it is shown for, `note` stands before it."""

    words: Sequence[str]
    values: NDArray[Any]
    marked: int | None = None
    note: str = ""


def passages(found: Iterable[Passage], measure: Measure, reach: float = 1.0) -> str:
    """Lines of safe HTML. `reach` is the value at the deepest colour; a hover tells the value of a word."""
    lines = "".join(f"<li>{_note(one)}<p>{' '.join(_words(one, measure, reach))}</p></li>" for one in found)
    return styled("tinted", f'<ul class="sm-tinted">{lines}</ul>')


def _note(one: Passage) -> str:
    return f"<small>{safe(one.note)}</small>" if one.note else ""


def _words(one: Passage, measure: Measure, reach: float) -> Iterable[str]:
    for at, (word, value) in enumerate(zip(one.words, one.values.tolist(), strict=True)):
        colour = measure.negative if measure.negative and value < 0 else measure.colour
        share = DEEPEST * min(1.0, abs(value) / reach)
        text = safe(shorten(PARAGRAPH if word == EOS else visible(word), _LONGEST))
        tag = "b" if at == one.marked else "span"
        yield f'<{tag} style="--c:{colour.css};--p:{share:.0f}%" title="{text}: {measure.symbol} = {value:.3g}">{text}</{tag}>'
