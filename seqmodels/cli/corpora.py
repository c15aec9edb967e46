"""The commands about corpora: which are here, and fetching one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from seqmodels.cli import show
from seqmodels.cli.options import JsonOption

corpora_app = typer.Typer(help="The corpora: which are here, and which can be fetched.")


@corpora_app.callback(invoke_without_command=True)
def corpora(context: typer.Context, json: JsonOption = False) -> None:
    if context.invoked_subcommand is not None:
        return None
    from seqmodels.corpora import status

    found = status()
    if json:
        return show.emit({"corpora": [asdict(one) for one in found]})
    rows = [
        (one.name, one.title, ", ".join(one.splits), show.megabytes(one.size), one.licence, one.path or "not here") for one in found
    ]
    show.table(("name", "corpus", "splits", "size", "licence", "where"), rows, right=("size",))
    absent = [one.name for one in found if one.place == "absent"]
    if absent:
        show.line((f"python -m seqmodels corpora fetch NAME brings one here: {', '.join(absent)}", "dim"))
    return None


@corpora_app.command("fetch")
def fetch_corpus(name: Annotated[str, typer.Argument(metavar="NAME", help="As `corpora` lists it.")]) -> None:
    """Bring a corpus here from its official source; what is here already stays."""
    from seqmodels.corpora import fetch

    for path in fetch(name):
        typer.echo(path)
