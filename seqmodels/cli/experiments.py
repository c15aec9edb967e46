"""The command that repeats an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqmodels.cli import show


def experiment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="memory, or tips.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the results go; else to those that the pages show.")
    ] = None,
    toy: Annotated[bool, typer.Option("--toy", help="A few small trainings, to see that all works.")] = False,
    on: Annotated[
        str, typer.Option(metavar="PLACE", help="local, or ray: the cluster that RAY_ADDRESS names, or that of this machine.")
    ] = "local",
) -> None:
    """Train what an experiment compares, with several seeds, and write the results: a line a training, with its settings.

    It takes an hour or more. Stopped or killed, it goes on where it was when the same command is given again, wherever that trains.
    """
    from seqmodels.experiments import results_path
    from seqmodels.experiments.catalogue import find_experiment
    from seqmodels.experiments.trials import on_cluster, one_by_one, run

    places = {"local": one_by_one, "ray": on_cluster}
    if on not in places:
        raise ValueError(f"unknown place {on!r}: choose one of {', '.join(places)}")
    found = find_experiment(name)
    if toy and output is None:
        raise ValueError("a toy experiment does not take the place of the real one: give --output FILE")
    path = output or results_path(name)
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the name of a file as --output")
    try:
        for outcome, number, count in run(found, path, toy=toy, runner=places[on]):
            problem = f"  {outcome.problem}" if outcome.problem else ""
            typer.echo(f"{number}/{count}  {outcome.name}: {outcome.metric} {outcome.score:.4g}, {outcome.seconds:.0f} s{problem}")
    except KeyboardInterrupt:
        raise show.StoppedError("stopped: give the same command again to go on from there") from None
    typer.echo(f"wrote {path}")
