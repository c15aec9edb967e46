"""Results on standard output, all else on standard error."""

from __future__ import annotations

import json
import math
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from seqmodels.corpora import FileReport

_HUGE = 1e12
_DIGITS = {"unknown_share": 4, "gold_entities": None}  # of a figure; 2 of all others


_JOINERS = "\u200c\u200d"  # of letters and emoji: they steer no terminal
BLOCK = 2000  # rows of a table that are laid out at once


class StoppedError(Exception):
    """The user stopped a command that has something to say about it."""


def complain(message: str) -> None:
    """One line on standard error."""
    typer.echo(" ".join(message.split()), err=True)


def doubt(named: Mapping[str, float], where: str = "") -> None:
    """A warning on standard error where the figures say little."""
    from seqmodels.tasks import caution

    told = caution(named)
    if told:
        complain(f"warning: {where}{told}")


def emit(result: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(result, ensure_ascii=False, allow_nan=False))


def finite(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Figures to two decimals, shares to four, counts whole; JSON knows no infinity, so that becomes null."""
    return {name: round(value, _DIGITS.get(name, 2)) if math.isfinite(value) else None for name, value in figures.items()}


def figure(name: str, value: float) -> str:
    """A figure as text, rounded as `finite` does; a huge one, as of a perplexity that exploded, by its power of ten."""
    return f"{value:.3g}" if abs(value) >= _HUGE else f"{value:,.{_DIGITS.get(name, 2) or 0}f}"


def figures(named: Mapping[str, float]) -> str:
    """Figures with their names, in a line."""
    return ", ".join(f"{name} {figure(name, value)}" for name, value in named.items())


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Rows under headings; `right` names the headings of figures. Nothing in a cell is read as markup."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
    # in blocks of one width: what rich makes of a row takes far more memory than the row; a single one may be folded to the screen
    kept = widths if len(cells) > BLOCK else [0] * len(widths)
    for start in range(0, max(1, len(cells)), BLOCK):
        shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, show_header=start == 0)
        for heading, width in zip(headings, kept, strict=True):
            shown.add_column(heading, justify="right" if heading in right else "left", overflow="fold", min_width=width)
        for row in cells[start : start + BLOCK]:
            shown.add_row(*map(Text, row))
        _print(shown)


def line(*parts: tuple[str, str]) -> None:
    """A line of (text, style) parts."""
    from rich.text import Text

    _print(Text.assemble(*((printable(text), style) for text, style in parts)))


def file_report(report: FileReport) -> None:
    """How a user's file was read, a line for each part."""
    lines = report.lines()
    for heading, told in lines:
        line((f"{heading:<{max(len(name) for name, _ in lines)}}  ", "dim"), (told, ""))
    typer.echo()


def printable(text: str) -> str:
    """The text without characters that would steer the terminal."""
    return "".join(
        character
        if character.isprintable() or character == "\n" or character in _JOINERS or unicodedata.category(character) == "Zs"
        else "�"
        for character in text
    )


def megabytes(size: int) -> str:
    """A size in bytes, readable."""
    return f"{size / 1e6:.1f} MB"


def _print(renderable: Any) -> None:
    from rich.console import Console

    terminal = sys.stdout.isatty()
    # a pipe has no width, so no line is broken there
    Console(highlight=False, emoji=False, width=None if terminal else 10_000).print(renderable, soft_wrap=not terminal)
