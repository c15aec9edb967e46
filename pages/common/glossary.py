"""The words of the app, each with an address on the Glossary page, and links to them in other texts."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote

from pages.common.terms import CELL, GATES, GROUPS, TAG, TAGGING, TERMS, Term
from seqmodels.cells import CELLS, Cell
from seqmodels.viz.tags import ENTITY, PART_OF_SPEECH

__all__ = ["GROUPS", "TAG", "TERM", "Term", "linked", "terms"]

TERM = "term"  # of the address


def _cell(cell: Cell) -> Term:
    shown = cell.formulas
    law = f"keep μ = {shown.mu}, write λ = {shown.lam}, new content F = {shown.candidate}"
    output = "" if cell.memory_is_output else f"; memory {shown.memory}, output {shown.output}"
    return Term(
        cell.name.replace("_", "-"),
        cell.title,
        f"{cell.where} {law[:1].upper()}{law[1:]}{output}. {cell.source}.",
        CELL,
        path=GATES,
        values={"view": "Square", "task": "pos", "cells": [cell.name]},
    )


def _tag(name: str, meaning: tuple[str, str], task: str) -> Term:
    what, examples = meaning
    return Term(name.lower(), name, f"{what[:1].upper()}{what[1:]}, such as {examples}", TAG, path=TAGGING, values={"task": task})


def terms() -> dict[str, Term]:
    """All entries by their keys, in the order of their groups. Cells and tags are those of the house."""
    cells = map(_cell, CELLS.values())
    tags = [_tag(*item, task) for task, known in (("pos", PART_OF_SPEECH), ("ner", ENTITY)) for item in known.items()]
    return {term.key: term for term in (*TERMS, *cells, *tags)}


def linked(text: str, most: int = 3) -> str:
    """Markdown with the first mention of some of its words made links to their entries: at most so many, each entry once."""
    mentions, pattern = _mentions()
    seen: set[str] = set()

    def replace(found: re.Match[str]) -> str:
        key = mentions[found[0]]
        if key in seen or len(seen) == most:
            return found[0]
        seen.add(key)
        return f"[{found[0]}](Glossary?{TERM}={quote(key)})"

    return pattern.sub(replace, text)


@cache
def _mentions() -> tuple[dict[str, str], re.Pattern[str]]:
    """The words that stand for an entry, with its key, and what finds them."""
    keys = {word: term.key for term in TERMS for word in (term.title.lower(), *term.words)}
    words = "|".join(re.escape(word) for word in sorted(keys, key=len, reverse=True))
    return keys, re.compile(rf"(?<![\w*`\[])({words})(?![\w*`\]])")
