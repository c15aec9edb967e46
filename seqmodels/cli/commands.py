"""The app and its commands, in the order of its help. Each is thin: options in, one call of the library, a table or JSON out."""

from __future__ import annotations

import typer

from seqmodels.cli.corpora import corpora_app
from seqmodels.cli.experiments import experiment
from seqmodels.cli.models import models
from seqmodels.cli.scores import cards, checkpoints, evaluate
from seqmodels.cli.serving import serve, settings
from seqmodels.cli.texts import generate, tag, trace
from seqmodels.cli.training import keep, run, standby, train
from seqmodels.failures import check_address_space

app = typer.Typer(
    help="Recurrent sequence models whose gates can be read.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(corpora_app, name="corpora")


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    # a docstring here would take the place of the app's help
    if context.invoked_subcommand is None:
        return typer.echo(context.get_help())
    return check_address_space()


app.command()(tag)
app.command()(generate)
app.command()(trace)
app.command()(evaluate)
app.command()(train)
app.command()(run)
app.command()(experiment)
app.command("app")(serve)
app.command()(settings)
app.command()(models)
app.command()(checkpoints)
app.command()(cards)
app.command(hidden=True)(standby)
app.command(hidden=True)(keep)
