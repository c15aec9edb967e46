"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqmodels.cells import CELLS

if TYPE_CHECKING:
    from seqmodels.checkpoints import Checkpoint
    from seqmodels.corpora import Columns

# tasks need torch, and help is to be quick without it: the names of all tasks are in the answer to an unknown one
_ALL = "An unknown name is answered with all there are."
TaskOption = Annotated[str, typer.Option("--task", metavar="TASK", help=f"Such as pos, ner or lm. {_ALL}", show_default=False)]
TaggingOption = Annotated[
    str, typer.Option("--task", metavar="TASK", help=f"One that gives tags, such as pos or ner. {_ALL}", show_default=False)
]
LanguageOption = Annotated[
    str,
    typer.Option("--task", metavar="TASK", help="One that goes on: lm, tales or names; char needs a checkpoint of yours."),
]
CellOption = Annotated[str, typer.Option("--cell", metavar="CELL", help=f"One of {', '.join(CELLS)}.", show_default=False)]
ConditionOption = Annotated[
    str | None,
    typer.Option(
        "--language", metavar="NAME", help="Of a model of names: the language that a name is begun with.", show_default=False
    ),
]
CheckpointOption = Annotated[
    Path | None, typer.Option("--checkpoint", metavar="FILE", help="A checkpoint of your own: a file, or its name.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
WordColumnOption = Annotated[
    int | None, typer.Option("--word-column", metavar="N", help="The column of the words in your file, from 1; else found.")
]
TagColumnOption = Annotated[
    int | None, typer.Option("--tag-column", metavar="N", help="The column of the tags in your file, from 1; else found.")
]
_TYPES = "How entity types of your file are read: a=PER,b=LOC,c=O."
TypesOption = Annotated[str, typer.Option("--types", metavar="NAMES", help=_TYPES, show_default=False)]
TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="The text, or - to read it from standard input.")]
PromptArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="PROMPT", help="How the text begins, or - to read it from standard input. A name needs none.", show_default=False
    ),
]


def load_model(task: str, cell: str, file: Path | None) -> Checkpoint:
    """The model asked for: the user's file, else the shipped one. It computes on one thread, unless OMP_NUM_THREADS is set."""
    import torch

    from seqmodels.cells import find_cell
    from seqmodels.checkpoints import load, path_of
    from seqmodels.tasks import find_task

    find_task(task)
    find_cell(cell)
    if "OMP_NUM_THREADS" not in os.environ:  # of matrices as small as these, several threads mostly wait for each other
        torch.set_num_threads(1)
    return load(path_of(task, cell) if file is None else file, task=task, cell=cell)


def columns_of(word_column: int | None, tag_column: int | None, types: str, *, given: bool) -> Columns:
    """What the options say of a file of the user's, which must be `given`."""
    from seqmodels.corpora import Columns

    columns = Columns(word_column, tag_column, types)
    if columns != Columns() and not given:
        raise ValueError("--word-column, --tag-column and --types are of a file of your own: give --corpus with them")
    return columns


def text_of(argument: str) -> str:
    """The text of an argument, or of standard input, which is checked as a file is. ValueError if it holds nothing to read."""
    text = _standard_input() if argument == "-" else argument
    if not text.strip():
        raise ValueError('the text is empty: give some words, such as "The old man the boats."')
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text is not UTF-8: save or type it as UTF-8") from None
    return text


def _standard_input() -> str:
    content = sys.stdin.buffer.read()
    if not content.strip():
        return ""
    from seqmodels.corpora import decode_as_it_is

    return decode_as_it_is(content, "standard input")  # offsets are those of the user's own string
