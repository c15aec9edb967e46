"""Training runs: a run is a folder and a process, and whoever watches reads the folder and leaves commands in it.

run = create(default_settings("pos", "gru"), key)
start(run, key)
status(run).name, read_history(run).epochs
command(run, key, Command("change", {"learning_rate": 1e-3}))
publish(run, key, "my-tagger")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqmodels.runs.commands import Command
    from seqmodels.runs.control import Upload, command, create, delete, rename, settings_of, start
    from seqmodels.runs.events import Cursor, Event, News
    from seqmodels.runs.files import StorageError
    from seqmodels.runs.history import History, export_csv, read_history, refresh
    from seqmodels.runs.limits import Limits
    from seqmodels.runs.plan import Plan, default_plan, run
    from seqmodels.runs.process import Notice, work
    from seqmodels.runs.progress import Progress
    from seqmodels.runs.publishing import import_checkpoint, list_own, may_remove, own_folder, own_path, publish, remove_own
    from seqmodels.runs.settings import Settings, default_settings, from_link, to_flat, to_link
    from seqmodels.runs.standby import await_run, stand_by
    from seqmodels.runs.store import Run, Status, best_weights, find_run, list_runs, make_at, may_control, open_folder, root, status

__all__ = [
    "Command",
    "Cursor",
    "Event",
    "History",
    "Limits",
    "News",
    "Notice",
    "Plan",
    "Progress",
    "Run",
    "Settings",
    "Status",
    "StorageError",
    "Upload",
    "await_run",
    "best_weights",
    "command",
    "create",
    "default_plan",
    "default_settings",
    "delete",
    "export_csv",
    "find_run",
    "from_link",
    "import_checkpoint",
    "list_own",
    "list_runs",
    "make_at",
    "may_control",
    "may_remove",
    "open_folder",
    "own_folder",
    "own_path",
    "publish",
    "read_history",
    "refresh",
    "remove_own",
    "rename",
    "root",
    "run",
    "settings_of",
    "stand_by",
    "start",
    "status",
    "to_flat",
    "to_link",
    "work",
]

_HOMES = {
    "commands": ("Command",),
    "control": ("Upload", "command", "create", "delete", "rename", "settings_of", "start"),
    "events": ("Cursor", "Event", "News"),
    "files": ("StorageError",),
    "history": ("History", "export_csv", "read_history", "refresh"),
    "limits": ("Limits",),
    "plan": ("Plan", "default_plan", "run"),
    "process": ("Notice", "work"),
    "progress": ("Progress",),
    "publishing": ("import_checkpoint", "list_own", "may_remove", "own_folder", "own_path", "publish", "remove_own"),
    "settings": ("Settings", "default_settings", "from_link", "to_flat", "to_link"),
    "standby": ("await_run", "stand_by"),
    "store": ("Run", "Status", "best_weights", "find_run", "list_runs", "make_at", "may_control", "open_folder", "root", "status"),
}


def __getattr__(name: str) -> Any:
    """The public names, imported at first use: a process that waits for its turn has no need of torch."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
