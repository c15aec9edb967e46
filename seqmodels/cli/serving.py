"""`app`: the Streamlit app, from any folder; `settings`: what its environment sets."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from seqmodels.cli import show
from seqmodels.cli.options import JsonOption
from seqmodels.installation import LOOPBACK, app_folder

FILES = 65536  # open at a time: a visitor takes four, and the usual limit of 1024 stops at 250 visitors
HEAPS = 2  # of the C library
_M_ARENA_MAX = -8  # of glibc's mallopt


def serve(
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Where the app listens.")] = 8501,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="0.0.0.0 opens the app to other machines.")] = "localhost",
    replicas: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Processes behind a proxy, HAProxy or Caddy.")] = 1,
    stop_runs: Annotated[bool, typer.Option("--stop-runs", help="At the end the runs save and end, too.")] = False,
) -> None:
    """Start the app and print its address. Ctrl-C ends it."""
    from seqmodels import journal
    from seqmodels.environment import environment

    local = host in LOOPBACK
    if local:  # nobody else sees it, so whoever does may command every run
        os.environ.setdefault("SEQMODELS_SINGLE_USER", "1")
    found = environment()
    _doubt_names()
    if not local:
        whose = "everyone may command every run" if found.single_user else "each visitor may command their own runs only"
        show.complain(f"open to whoever can reach {host}; {whose} (SEQMODELS_SINGLE_USER)")
    _allow_files()
    _bound_heaps()
    hosts = found.hosts or (LOOPBACK if local else ("*",))
    if replicas > 1:
        from seqmodels.cli import replicas as several

        # each is asked by the proxy, on this machine; who may ask that, and for what, is as if it stood alone
        as_alone = {"SEQMODELS_HOSTS": ",".join(hosts), "SEQMODELS_SINGLE_USER": str(int(found.single_user))}
        journal.open_journal(found.log, "proxy")
        return several.run(replicas, port, host, as_alone, stop_runs=stop_runs)
    journal.open_journal(found.log, found.replica)
    sys.path.insert(0, str(app_folder()))
    # the app stands on the library, never the other way round, so it is found only here; and nothing is imported ahead of the first
    # page: a server that ends while torch is loaded by such a thread aborts
    server = importlib.import_module("pages.common.server")
    server.run(app_folder() / "app.py", port, host, hosts, stop_runs=stop_runs)


def settings(json: JsonOption = False) -> None:
    """What the SEQMODELS_* variables of the environment set: their values now, and where each comes from."""
    from seqmodels.environment import entries

    found = entries()
    _doubt_names()
    if json:
        return show.emit({one.variable: {"value": _plain(one.value), "from": one.source} for one in found})
    rows = [(one.variable, _shown(one.value), one.source, one.description) for one in found]
    return show.table(("variable", "value", "from", "what it sets"), rows)


def _doubt_names() -> None:
    """A warning for each variable of ours that sets nothing: it is probably misspelled."""
    from seqmodels.environment import unknown

    for name, meant in unknown().items():
        show.complain(f"warning: {name} sets nothing{f': did you mean {meant}?' if meant else ''}")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(int(value)) if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _allow_files() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _bound_heaps() -> None:
    """Each visitor's page is drawn in a thread, and glibc gives threads heaps of their own, of which little comes back."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # of another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS)
