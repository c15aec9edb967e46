"""Where the app and the shipped models are: beside the package in the repository, inside it once it is installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

CHECKPOINT_SUFFIX = ".safetensors"


def app_folder() -> Path:
    """The folder of app.py, pages/ and checkpoints/. pyproject.toml says what of it goes into a wheel."""
    package = Path(__file__).resolve().parent
    installed = package / "_app"
    return installed if installed.is_dir() else package.parent


def version() -> str:
    """The version that is installed; of a repository, which is between two, just that."""
    try:
        return metadata.version("seqmodels")
    except metadata.PackageNotFoundError:
        return "repository"
