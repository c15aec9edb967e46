"""`train` and `run`: a training shown as a line an epoch, with a bar on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import parse_qsl

import typer

from seqmodels.cli import show
from seqmodels.cli.options import CellOption, TagColumnOption, TaskOption, TypesOption, WordColumnOption, columns_of

if TYPE_CHECKING:
    from seqmodels.training import Epoch, Report

NICENESS = 10


# a command's parameters are its options: this is the one place where so many belong in one signature
def train(
    task: TaskOption,
    cell: CellOption,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the checkpoint goes: NAME.safetensors.", show_default=False)],
    corpus: Annotated[Path | None, typer.Option(metavar="FILE", help="A file of your own to train on, with --dev.")] = None,
    dev: Annotated[Path | None, typer.Option(metavar="FILE", help="A file of your own to watch, with --corpus.")] = None,
    word_column: WordColumnOption = None,
    tag_column: TagColumnOption = None,
    types: TypesOption = "",
    epochs: Annotated[int | None, typer.Option(metavar="N", help="At most so many passes over the corpus.")] = None,
    learning_rate: Annotated[float | None, typer.Option(metavar="X", help="Adam's, at its highest.")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(metavar="X", help="How much of each weight Adam adds to its gradient.")
    ] = None,
    clip_norm: Annotated[str | None, typer.Option(metavar="X", help="Largest global gradient norm, or none.")] = None,
    patience: Annotated[str | None, typer.Option(metavar="N", help="Epochs to wait for a better dev score, or none.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same weights.")] = None,
    hidden_size: Annotated[int | None, typer.Option(metavar="N", help="Units of memory a direction.")] = None,
    layers: Annotated[int | None, typer.Option(metavar="N", help="Recurrent layers.")] = None,
    dropout: Annotated[float | None, typer.Option(metavar="X", help="Share of features left out while training.")] = None,
    activation: Annotated[str | None, typer.Option(metavar="NAME", help="tanh; relu or sigmoid for elman.")] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="Where to compute: cpu, cuda, cuda:1, mps; auto is a CUDA GPU if there is one.")
    ] = "auto",
    precision: Annotated[
        str, typer.Option(metavar="NAME", help="float32, or bfloat16 for products of matrices; auto is that on GPUs that have it.")
    ] = "auto",
) -> None:
    """Train a model. What is not given is as in the recipe of the shipped checkpoints.

    A run that was stopped or killed goes on after its last whole epoch when the same command is given again. Under torchrun its
    processes share each batch.
    """
    from seqmodels.checkpoints import read_info
    from seqmodels.data import files_dataset, recipe_dataset
    from seqmodels.runs import trainer
    from seqmodels.runs.settings import from_flat, read
    from seqmodels.tasks import find_task
    from seqmodels.training import joined

    clip: dict[str, Any] = {}
    if clip_norm is not None:
        threshold = read("clip_norm", clip_norm, float | None)
        clip = {"clip": None} if threshold is None else {"clip": "norm", "clip_threshold": threshold}
    options = {
        "epochs": epochs, "learning_rate": learning_rate, "weight_decay": weight_decay, "patience": patience, "seed": seed,
        "hidden_size": hidden_size, "layers": layers, "dropout": dropout, "activation": activation,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    settings = from_flat({"task": task, "cell": cell, **given, **clip})
    if (corpus is None) != (dev is None):
        raise ValueError("a corpus of your own is two files: give --corpus to train on and --dev to watch, or neither")
    columns = columns_of(word_column, tag_column, types, given=corpus is not None)
    _check_output(output)
    with joined(device, precision) as machine, _silent_unless(machine.leads):
        if trainer.state_file(output).exists():
            typer.echo(f"going on with the run in {trainer.state_file(output)}")
        with _Display(find_task(task).metric, settings.training.epochs) as display:
            try:
                dataset = files_dataset(task, corpus, dev, columns) if corpus and dev else recipe_dataset(task)
                for read_file in dataset.reports:
                    show.file_report(read_file)
                for report in trainer.train(settings, dataset, output, machine):
                    display.take(report)
            except KeyboardInterrupt:
                done = display.done
                how = f"after epoch {done}: give the same command again to go on from there" if done else "in the first epoch"
                raise show.StoppedError(f"stopped {how}" if machine.leads else "") from None
        if machine.leads:
            for split, scores in read_info(output).scores.items():
                typer.echo(f"{split}: {show.figures(scores)}")
                show.doubt(scores, f"{split}: ")
            typer.echo(f"wrote {output}")


@contextmanager
def _silent_unless(leads: bool) -> Iterator[None]:
    """Of the processes of one training the first speaks for all."""
    if leads:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def run(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The run's folder.", show_default=False)],
    settings: Annotated[
        str | None, typer.Option(metavar="SETTINGS", help="Make a new run there: as in a link, such as 'task=pos&cell=gru'.")
    ] = None,
) -> None:
    """Train the run in a folder, or go on with it where it stands. It follows the commands that the app leaves there.

    Waits its turn if other runs are going on. Ctrl-C saves, and the same command goes on.
    """
    from seqmodels.runs import Notice, make_at, open_folder, work

    if settings is not None:
        from seqmodels.runs.settings import from_flat, to_flat

        try:
            values = dict(parse_qsl(settings, keep_blank_values=True, strict_parsing=True))
        except ValueError:
            raise ValueError(
                f"settings are {settings!r}: give them as name=value, joined by &, such as 'task=pos&cell=gru'"
            ) from None
        make_at(folder, to_flat(from_flat(values)))
    _give_way()
    with _Display(epochs=open_folder(folder).settings.get("epochs")) as display:
        for report in work(folder):
            if not isinstance(report, Notice):
                display.take(report)
            elif report.ending == "interrupted":
                raise show.StoppedError(report.text)
            elif report.ending == "failed":
                raise ValueError(report.text)
            else:
                display.say(report.text)


def standby(channel: Annotated[int, typer.Argument(help="The number of a socket that this process has inherited.")]) -> None:
    """Fork the processes of the app's runs, so that they start at once."""
    from seqmodels.runs.launcher import serve

    _give_way()
    folder = serve(channel)
    if folder is not None:
        run(folder)


def keep(lock: Annotated[int, typer.Argument(help="The number of a descriptor that this process has inherited.")]) -> None:
    """Start the runs that wait, each when its turn comes."""
    from seqmodels.runs import keeper, remote

    _give_way()
    keeper.keep(lock, remote.Cluster() if remote.is_chosen() else keeper.Here())


class _Display:
    """A line an epoch on standard output, and a bar on a terminal."""

    def __init__(self, metric: str = "score", epochs: int | None = None) -> None:
        from tqdm import tqdm

        self.metric, self.epochs = metric, epochs
        self.done = 0  # epochs
        self._started = time.monotonic()
        self._bar = tqdm(desc="training", unit="step", leave=False, disable=not sys.stderr.isatty(), file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def take(self, report: Report) -> None:
        from seqmodels.training import Epoch

        if isinstance(report, Epoch):
            self.done = report.epoch
            self.say(f"{_epoch(report, self.epochs, self.metric)}  {time.monotonic() - self._started:.0f} s")
            self._started = time.monotonic()
        elif not self._bar.disable:
            self._bar.total = report.steps * self.epochs if self.epochs else None
            self._bar.n = report.steps * (report.epoch - 1) + report.step
            self._bar.set_postfix(epoch=report.epoch, loss=f"{report.loss:.3f}", refresh=False)
            self._bar.update(0)

    def say(self, line: str) -> None:
        self._bar.write(line, sys.stdout)
        sys.stdout.flush()  # seen at once, in a log file too


def _epoch(report: Epoch, epochs: int | None, metric: str) -> str:
    """An epoch as one line. Losses are in nats a token."""
    parts = [
        f"epoch {report.epoch}" if epochs is None else f"epoch {report.epoch:>{len(str(epochs))}}/{epochs}",
        f"loss {report.loss:.4f}",
        f"dev {metric} {report.score:.2f}",
        f"best {report.best_score:.2f} (epoch {report.best_epoch})",
        f"clipped {report.clipped_share:.0%}",
    ]
    if report.stopped is not None:
        parts.append(f"stopped: {report.stopped}")
    return "  ".join(parts)


def _give_way() -> None:
    """Whoever looks at a page meanwhile comes first."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _check_output(output: Path) -> None:
    """Better now than after the first epoch."""
    from seqmodels.checkpoints import SUFFIX

    if output.suffix != SUFFIX:
        raise ValueError(f"output is {output}: its name must end in {SUFFIX}")
    probe = output.with_name(f"{output.name}.{os.getpid()}.partial")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(f"{output} cannot be written ({error.strerror}): give another --output") from None
    if output.is_dir():
        raise ValueError(f"{output} is a folder: give the name of a file as --output")
