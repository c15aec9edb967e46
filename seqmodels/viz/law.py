"""The law that joins the cells, set as HTML: the formula, and the table of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seqmodels.cells import CELLS
from seqmodels.viz.palette import safe
from seqmodels.viz.style import styled


class Part(NamedTuple):
    """A symbol or number of a formula, as HTML, and its name."""

    symbol: str
    says: str = ""
    kind: str = ""  # of CSS


def title(cell: str, model: str = "") -> str:
    """What a cell is called; with the name of a model of your own, that model: 'my-tagger (GRU)'."""
    name = CELLS[cell].title if cell in CELLS else cell
    return f"{model} ({name})" if model else name


def law() -> str:
    """memory_t = mu_t memory_{t-1} + lam_t F_t, each part named."""
    parts = (
        Part("memory<sub>t</sub>", "after this word", "sm-long"),
        Part("="),
        Part("μ<sub>t</sub>", "keep", "sm-mu"),
        Part("·"),
        Part("memory<sub>t−1</sub>", "before this word", "sm-long"),
        Part("+"),
        Part("λ<sub>t</sub>", "write", "sm-lam"),
        Part("·"),
        Part("F<sub>t</sub>", "new content"),
    )
    return typeset(parts, "memory now = mu times memory before + lambda times F")


def typeset(parts: Sequence[Part], spoken: str) -> str:
    """A formula as HTML: its parts in a row, each with its name below. `spoken` is what a screen reader says."""
    spans = "".join(f'<span class="{part.kind}"><i>{part.symbol}</i><small>{part.says}</small></span>' for part in parts)
    return styled("law", f'<div class="sm-law" role="math" aria-label="{safe(spoken)}">{spans}</div>')


def cells_table() -> str:
    """Each cell as its own choice of memory, mu, lam and F. On a phone a row is a block, each formula under its name."""
    rows = ""
    for cell in CELLS.values():
        shown = cell.formulas
        columns = (
            ("memory", "maths", shown.memory),
            ("keep μ", "mu", shown.mu),
            ("write λ", "lam", shown.lam),
            ("new content F", "maths sm-wide", shown.candidate),
            ("output", "maths", shown.output),
            ("comes from", "source", cell.source),
        )
        values = "".join(f'<td class="sm-{kind}" data-name="{name}">{safe(value)}</td>' for name, kind, value in columns)
        rows += f'<tr><th scope="row">{safe(cell.title)}</th>{values}</tr>'
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Cell", *(name for name, *_ in columns)))
    return styled("law", f'<div class="sm-table"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>')
