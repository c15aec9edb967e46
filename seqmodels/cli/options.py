"""Options that several commands share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from seqmodels.cells import CELLS

TaskOption = Annotated[
    str, typer.Option("--task", metavar="TASK", help="pos, ner, lm, char, adding or recall.", show_default=False)
]
TaggingOption = Annotated[str, typer.Option("--task", metavar="TASK", help="pos or ner.", show_default=False)]
LanguageOption = Annotated[
    str, typer.Option("--task", metavar="TASK", help="lm, word by word; or char, with a checkpoint of your own.")
]
CellOption = Annotated[str, typer.Option("--cell", metavar="CELL", help=f"one of {', '.join(CELLS)}.", show_default=False)]
CheckpointOption = Annotated[
    Path | None, typer.Option("--checkpoint", metavar="FILE", help="A checkpoint of your own: a file, or its name.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="The text, or - to read it from standard input.")]
PromptArgument = Annotated[str, typer.Argument(metavar="PROMPT", help="How the text begins, or - to read it from standard input.")]


def text_of(argument: str) -> str:
    """The text of an argument. ValueError if it holds nothing to read."""
    text = sys.stdin.read() if argument == "-" else argument
    if not text.strip():
        raise ValueError('the text is empty: give some words, such as "The old man the boats."')
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text is not UTF-8: save or type it as UTF-8") from None
    return text
