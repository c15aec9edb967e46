"""`tag --input`: a text of any size, with a bar on a terminal."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import typer

from seqmodels.cli import show
from seqmodels.files import naming
from seqmodels.viz.format import counted

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
        _check_other(file, output)
        size = None if source == STANDARD else os.fstat(file.fileno()).st_size
        name = "standard input" if source == STANDARD else str(source)
        bar = stack.enter_context(tqdm(total=size, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), file=sys.stderr))
        sentences = 0
        stream = _stream(output, stack)
        if stream is not None:
            for lines, progress in streaming.tag_stream(checkpoint, file, form, name=name):
                stream.write(lines)
                bar.update(progress.bytes - bar.n)
            return
        assert output is not None
        try:
            for progress in streaming.tag_file(checkpoint, file, output, form, name=name):
                bar.update(progress.bytes - bar.n)
                sentences = progress.sentences
        except KeyboardInterrupt:
            raise show.StoppedError(
                f"stopped after {counted(sentences, 'sentence')}: give the same command again to go on"
            ) from None
    typer.echo(f"wrote {output}: {counted(sentences, 'sentence')}, as {form}")


def _check_other(file: BinaryIO, output: Path | None) -> None:
    """ValueError if the text would be overwritten by its own tags."""
    if output is not None and output.is_file() and os.path.samestat(os.fstat(file.fileno()), output.stat()):
        raise ValueError(f"{output} is the text itself: give another file as --output")


def _stream(output: Path | None, stack: ExitStack) -> TextIO | None:
    """Standard output, or what is neither a file nor a folder, such as a pipe or /dev/null: no file may take its place."""
    if output is None or output == STANDARD:
        return sys.stdout
    if not output.exists() or output.is_file() or output.is_dir():
        return None
    stack.enter_context(naming(output))
    return stack.enter_context(output.open("w", encoding="utf-8"))


def _open(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise ValueError(f"{source}: cannot be read ({error.strerror}): give the path of a readable text file") from None
