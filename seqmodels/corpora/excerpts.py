"""Excerpts of corpora in the public domain, which come with the package: held-out paragraphs, already split into tokens.

They are there without a download, for what is to be shown at once. `python -m docs.excerpts` makes them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

NAMES = ("fairytales", "sotu")


def path_of(name: str) -> Path:
    """The file of an excerpt: a paragraph a line, tokens between spaces. ValueError names the choices."""
    if name not in NAMES:
        raise ValueError(f"no excerpt of {name!r}: choose one of {', '.join(NAMES)}")
    return Path(__file__).parent / "texts" / f"{name}.txt"


@cache
def excerpt(name: str) -> tuple[tuple[str, ...], ...]:
    """The paragraphs of an excerpt, each as its tokens."""
    lines = path_of(name).read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split(" ")) for line in lines)
