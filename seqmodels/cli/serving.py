"""`app`: the Streamlit app, from any folder."""

from __future__ import annotations

import os
import runpy
import sys
from typing import Annotated

import typer

from seqmodels.installation import app_folder

FILES = 65536  # open at a time: a visitor takes four, and the usual limit of 1024 stops at 250 visitors
LOCAL = ("localhost", "127.0.0.1", "::1")


def serve(
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Where the app listens.")] = 8501,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="0.0.0.0 opens the app to other machines.")] = "localhost",
) -> None:
    """Start the app and print its address. Ctrl-C ends it."""
    if host in LOCAL:  # nobody else sees it, so whoever does may command every run
        os.environ.setdefault("SEQMODELS_SINGLE_USER", "1")
    _allow_files()
    address = ["--server.port", str(port), "--server.address", host]
    sys.argv = ["streamlit", "run", str(app_folder() / "app.py"), *address]
    # nothing is imported ahead of the first page: a server that ends while torch is loaded by such a thread aborts
    runpy.run_module("streamlit", run_name="__main__")


def _allow_files() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
