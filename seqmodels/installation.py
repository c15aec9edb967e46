"""Where the app and the shipped models are: beside the package in the repository, inside it once it is installed.

And what the app and whoever starts it both know of it.
"""

from __future__ import annotations

from pathlib import Path

LOOPBACK = ("localhost", "127.0.0.1", "::1")  # names of this machine that reach nobody else
HEALTHZ = "/healthz"  # where a server says whether it can serve
CHECKPOINT_SUFFIX = ".safetensors"


def app_folder() -> Path:
    """The folder of app.py, pages/ and checkpoints/. pyproject.toml says what of it goes into a wheel."""
    package = Path(__file__).resolve().parent
    installed = package / "_app"
    return installed if installed.is_dir() else package.parent


def version() -> str:
    """The version that is installed; of a repository, which is between two, just that."""
    from importlib import metadata  # takes a fiftieth of a second, which no command should wait for

    try:
        return metadata.version("seqmodels")
    except metadata.PackageNotFoundError:
        return "repository"
