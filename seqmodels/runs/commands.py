"""What a run's process is asked to do: a small file each in the run's folder, written whole, taken in the order of sending."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from seqmodels.runs.files import told_plainly, write_whole
from seqmodels.runs.store import COMMANDS

Kind = Literal["pause", "resume", "step", "stop", "discard", "change"]
KINDS: tuple[str, ...] = get_args(Kind)
CHANGEABLE = ("learning_rate", "clip", "clip_threshold", "patience")


@dataclass(frozen=True)
class Command:
    """`changes`, of "change" alone, are new values: learning_rate, clip ("norm", "value" or None), clip_threshold, patience."""

    kind: Kind
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown command {self.kind!r}: choose one of {', '.join(KINDS)}")
        for name in self.changes:
            if name not in CHANGEABLE:
                raise ValueError(f"{name} cannot change while a run goes on: choose from {', '.join(CHANGEABLE)}")


def send(folder: Path, command: Command) -> None:
    """Leave a command for the process."""
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.json"
    with told_plainly("the command"):
        (folder / COMMANDS).mkdir(exist_ok=True)  # an empty folder is easily lost where a run is copied
        write_whole(folder / COMMANDS / name, json.dumps(asdict(command)).encode())


def pending(folder: Path) -> list[tuple[Path, Command]]:
    """The commands not yet carried out, with their files, which whoever carries them out removes. A damaged one is removed here."""
    found = []
    for path in sorted((folder / COMMANDS).glob("*.json")):
        try:
            found.append((path, Command(**json.loads(path.read_bytes()))))
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
    return found


def clear(folder: Path) -> None:
    """Forget what was meant for an earlier process. A changed setting holds for the next one too."""
    for path, command in pending(folder):
        if command.kind != "change":
            path.unlink(missing_ok=True)
