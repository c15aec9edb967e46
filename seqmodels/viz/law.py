"""The law that joins the cells, set as HTML: the formula, and the table of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seqmodels.viz.palette import safe
from seqmodels.viz.style import styled


@dataclass(frozen=True)
class Formula:
    """A cell as its gates, in plain notation, and where it comes from."""

    title: str
    memory: str
    mu: str
    lam: str
    candidate: str
    output: str
    source: str


class Part(NamedTuple):
    """A symbol or number of a formula, as HTML, and its name."""

    symbol: str
    says: str = ""
    kind: str = ""  # of CSS


# Beside seqmodels.cells.CELLS, because a page shows this table before torch is loaded; a test holds both together.
FORMULAS = {
    "elman": Formula("Elman", "h", "0", "1", "tanh(W x + U h + b)", "h", "Elman 1990"),
    "gru": Formula("GRU", "h", "z", "1 − z", "tanh(W x + r ∘ (U h + b))", "h", "Cho et al. 2014"),
    "lstm": Formula("LSTM", "c", "f", "i", "tanh(W x + U h + b)", "o ∘ tanh(c)", "Hochreiter & Schmidhuber 1997; Gers et al. 2000"),
}


def title(cell: str, model: str = "") -> str:
    """What a cell is called; with the name of a model of one's own, that model: 'my-tagger (GRU)'."""
    known = FORMULAS[cell].title if cell in FORMULAS else cell
    return f"{model} ({known})" if model else known


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
    """Each cell as its own choice of memory, mu, lam and F."""
    heads = "<th>Cell</th><th>memory</th><th>keep μ</th><th>write λ</th><th>new content F</th><th>output</th><th>comes from</th>"
    rows = "".join(
        f'<tr><th>{safe(cell.title)}</th><td class="sm-maths">{safe(cell.memory)}</td><td class="sm-mu">{safe(cell.mu)}</td>'
        f'<td class="sm-lam">{safe(cell.lam)}</td><td class="sm-maths">{safe(cell.candidate)}</td>'
        f'<td class="sm-maths">{safe(cell.output)}</td><td>{safe(cell.source)}</td></tr>'
        for cell in FORMULAS.values()
    )
    return styled("law", f'<div class="sm-table"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>')
