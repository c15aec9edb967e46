"""`tag --input`: a text of any size, with a bar on a terminal."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from seqmodels.cli import show

if TYPE_CHECKING:
    from seqmodels.checkpoints import Checkpoint

STANDARD = Path("-")


def tag_file(checkpoint: Checkpoint, source: Path, output: Path | None, form: str | None) -> None:
    """Tag a file, or standard input, into another or to standard output."""
    from tqdm import tqdm

    from seqmodels import streaming

    named = output.suffix[1:] if output is not None else ""
    form = form or (named if named in streaming.FORMATS else next(iter(streaming.FORMATS)))
    if form not in streaming.FORMATS:
        raise ValueError(f"unknown format {form!r}: choose one of {', '.join(streaming.FORMATS)}")
    with ExitStack() as stack:
        file = sys.stdin.buffer if source == STANDARD else stack.enter_context(_open(source))
        size = None if source == STANDARD else os.fstat(file.fileno()).st_size
        name = "standard input" if source == STANDARD else str(source)
        bar = stack.enter_context(tqdm(total=size, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), file=sys.stderr))
        sentences = 0
        if output is None or output == STANDARD:
            for lines, progress in streaming.tag_stream(checkpoint, file, form, name=name):
                sys.stdout.write(lines)
                bar.update(progress.bytes - bar.n)
            return
        try:
            for progress in streaming.tag_file(checkpoint, file, output, form, name=name):
                bar.update(progress.bytes - bar.n)
                sentences = progress.sentences
        except KeyboardInterrupt:
            raise show.StoppedError(f"stopped after {sentences:,} sentences: give the same command again to go on") from None
    typer.echo(f"wrote {output}: {sentences:,} sentences")


def _open(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise ValueError(f"{source}: cannot be read ({error.strerror}): give the path of a readable text file") from None
