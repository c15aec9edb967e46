"""The commands that score models, and tell their scores."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from seqmodels.cli import show
from seqmodels.cli.options import (
    CellOption,
    CheckpointOption,
    JsonOption,
    TagColumnOption,
    TaskOption,
    TypesOption,
    WordColumnOption,
    columns_of,
    load_model,
)
from seqmodels.files import write_whole

SPLITS = ("dev", "test")


def evaluate(
    task: TaskOption,
    cell: CellOption,
    split: Annotated[str | None, typer.Option(metavar="SPLIT", help="dev or test; test if not given.")] = None,
    corpus: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file of your own: CoNLL-U or columns, or plain text for lm.")
    ] = None,
    checkpoint: CheckpointOption = None,
    word_column: WordColumnOption = None,
    tag_column: TagColumnOption = None,
    types: TypesOption = "",
    json: JsonOption = False,
) -> None:
    """Score a model on gold tokens: accuracy, exact-span entity F1, or perplexity."""
    columns = columns_of(word_column, tag_column, types, given=corpus is not None)
    if split is not None and corpus is not None:
        raise ValueError("--split is of the task's own corpus: give --split or --corpus, not both")
    if split not in (None, *SPLITS):
        raise ValueError(f"unknown split {split!r}: choose {' or '.join(SPLITS)}")
    from seqmodels.tasks import find_task

    scored = find_task(task)
    loaded = load_model(task, cell, checkpoint)
    contents = None
    if corpus is None:
        split = split or "test"
        items = scored.load(split)
    else:
        contents = scored.read(corpus, columns, loaded.vocabulary.targets)
        items = contents.items
        if not json:
            show.file_report(contents.report)
    scores = scored.evaluate(loaded.model, loaded.vocabulary, items)
    result = {
        "task": task,
        "cell": cell,
        "corpus": str(corpus) if corpus is not None else next(iter(scored.corpora), "generated"),
        "split": split,
        **({} if contents is None else {"read": asdict(contents.report)}),
        "sentences": scores.sentences,
        "tokens": scores.tokens,
        **show.finite(scores.figures),
    }
    show.doubt(scores.figures)
    if json:
        return show.emit(result)
    for name, value in result.items():
        if value is not None and name != "read":
            show.line((f"{name:<{max(map(len, result))}}  ", "dim"), (str(value), ""))


def checkpoints(
    json: JsonOption = False,
    write_table: Annotated[bool, typer.Option("--write-table", help="Write the table of scores beside the checkpoints.")] = False,
) -> None:
    """The models that are here, and how good they are."""
    from seqmodels.checkpoints import folder, list_checkpoints

    listed = list_checkpoints()
    for one in listed:
        if one.problem:
            show.complain(f"warning: {one.problem}")
    if not listed:
        show.complain(f"no checkpoints in {folder()}: train one, or set SEQMODELS_CHECKPOINTS to their folder")
    if write_table:
        from seqmodels.cli.scoretable import markdown

        target = folder() / "README.md"
        write_whole(target, markdown(listed).encode())
        show.complain(f"wrote {target}")
    usable = [(one, one.info) for one in listed if one.info is not None]
    if json:
        described = [
            {
                "name": one.name,
                "task": info.task,
                "cell": info.cell,
                "parameters": info.parameters,
                "bytes": one.bytes,
                "scores": {split: show.finite(figures) for split, figures in info.scores.items()},
            }
            for one, info in usable
        ]
        return show.emit({"checkpoints": described})
    rows = [
        (
            one.name,
            f"{info.parameters:,}",
            show.megabytes(one.bytes),
            *(show.figures(info.scores.get(split, {})) for split in SPLITS),
        )
        for one, info in usable
    ]
    show.table(("name", "parameters", "size", *SPLITS), rows, right=("parameters", "size"))


def cards(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Which checkpoints; all if none is given.", show_default=False)
    ] = None,
) -> None:
    """Measure the checkpoints on dev and test, and write their model cards beside them; the Leaderboard page shows those.

    It takes a minute a checkpoint, and needs the corpora of its task.
    """
    from seqmodels.cards import Card, card_path
    from seqmodels.cards.measuring import make_cards

    for card in make_cards(names=names or ()):
        if isinstance(card, Card):
            told = "  ".join(
                f"{split} {show.figures({card.metric: result.scores[card.metric]})}" for split, result in card.results.items()
            )
            typer.echo(f"{card.name}: {told}, {card.speed.words:,.0f} {card.speed.what} a second")
        else:
            typer.echo(f"{card.title}: {len(card.differences)} sentences where {len(card.models)} models differ")
    typer.echo(f"wrote {card_path('NAME').parent}")
