"""The command line: `seqmodels` where it is installed, or `python -m seqmodels`.

Nothing here imports torch or spaCy before a command needs them, so `--help` is quick.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import typer

from seqmodels.cli.commands import app
from seqmodels.cli.show import StoppedError, complain
from seqmodels.failures import OUT_OF_MEMORY, is_out_of_memory
from seqmodels.files import in_plain_words

__all__ = ["main"]

PROGRAM = "seqmodels" if Path(sys.argv[0]).stem == "seqmodels" else "python -m seqmodels"
HINTS = {
    "No such option": "put -- before a text that begins with a dash",
    "Got unexpected extra argument": "put a text of several words in quotes",
}
STOPPED = 130  # what a shell reports of a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; `arguments` default to those of the process. Returns the exit code: 0, 2 for bad input, 130 after Ctrl-C.

    Whatever went wrong is one line on standard error that says what to do.
    """
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(f"warning: {message}")
        try:
            code = app(arguments, prog_name=PROGRAM, standalone_mode=False) or 0
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python's own flush at exit would complain
            return 1
        except StoppedError as stop:
            if str(stop):
                complain(str(stop))
            return STOPPED
        except typer.TyperException as error:
            complain(_usage(error))
            return 2
        except Exception as error:
            if is_out_of_memory(error):
                complain(OUT_OF_MEMORY)
            elif isinstance(error, OSError):
                complain(in_plain_words(error))
            elif isinstance(error, ValueError):
                complain(str(error))
            else:
                raise
            return 2
    if code == STOPPED:
        complain("stopped")
    return code


def _usage(error: typer.TyperException) -> str:
    """What is wrong with the options, and what to do about it."""
    message = error.format_message().rstrip(".")
    hints = [hint for start, hint in HINTS.items() if message.startswith(start)]
    command = getattr(getattr(error, "ctx", None), "command_path", PROGRAM)
    return f"{message}: {'; '.join([*hints, f'{command} --help lists what can be given'])}"
