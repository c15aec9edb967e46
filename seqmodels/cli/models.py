"""The command with which an operator clears away what the app's visitors no longer use."""

from __future__ import annotations

from typing import Annotated

import typer

from seqmodels.cli import show
from seqmodels.cli.options import JsonOption


def models(
    prune: Annotated[bool, typer.Option("--prune", help="Delete those that are unused.")] = False,
    days: Annotated[
        float | None,
        typer.Option(metavar="N", min=0, help="What counts as unused; else SEQMODELS_MODELS_DAYS.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """The models that the app's visitors made or brought, and which of them nobody has used for long.

    Those that were put into the folder by hand are listed, and stay.
    """
    from seqmodels.checkpoints import own_folder
    from seqmodels.runs import publishing

    there, gone = publishing.kept(), publishing.unused(days)
    if prune:
        publishing.prune(gone)
    if json:
        listed = [
            {
                "name": one.name,
                "owner": one.owner or None,
                "bytes": one.bytes,
                "idle_days": round(one.idle_days, 2),
                "unused": one in gone,
                "deleted": prune and one in gone,
            }
            for one in there
        ]
        return show.emit({"models": listed})
    if not there:
        return show.complain(f"no models of visitors in {own_folder()}")
    said = "deleted" if prune else "unused"
    rows = [
        (one.name, one.owner[:8] or "none", show.megabytes(one.bytes), f"{one.idle_days:.1f}", said if one in gone else "")
        for one in there
    ]
    show.table(("model", "owner", "size", "days idle", ""), rows, right=("size", "days idle"))
    if gone and not prune:
        show.complain(f"{len(gone)} of {len(there)} are unused: the same command with --prune deletes them")
    return None
