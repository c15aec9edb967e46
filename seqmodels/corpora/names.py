"""Lists of names, a file for each language, to names in three splits of which no two share one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from seqmodels.corpora.opening import CorpusError, TextFile, open_file
from seqmodels.text import normal

_NAME = re.compile(
    r"[^\W\d_]+(?:(?:'|-|'? )[^\W\d_]+)*'?"
)  # letters; what joins them is no more than a hyphen, apostrophe or space


@dataclass(frozen=True)
class Name:
    """A name, and the language that it is a name in."""

    text: str
    language: str


def read_names(path: Path | TextFile, *, once: bool = True) -> list[str]:
    """The names of a list, one a line, in the order of the alphabet, each once unless asked for as often as it is there.

    A line that is no name is left out.
    """
    file = open_file(path)
    names = [normal(" ".join(line.split())) for line in file.text.splitlines()]
    found = sorted(name for name in (set(names) if once else names) if _NAME.fullmatch(name))
    if not found:
        raise CorpusError(f"{file}: holds no names: give a list with one on each line")
    return found


def split_names(lists: Mapping[str, list[str]], keep: Collection[int], every: int) -> list[Name]:
    """Of each language's names those at the positions in `keep` of every `every`.

    A name of several languages is where the first of them has it, in each of them: else a model would be asked in one language for
    what it has learned in another. Capitals make no other name.
    """
    places: dict[str, int] = {}
    found = []
    for language, names in lists.items():
        fresh = 0
        for name in names:
            form = name.casefold()
            if form not in places:
                places[form] = fresh % every
                fresh += 1
            if places[form] in keep:
                found.append(Name(name, language))
    return found
