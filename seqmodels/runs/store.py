"""Runs on disk: a folder each under the runs folder, named by chance, so that no name of a user's ever becomes a path.

config.json          name, owner, time of creation, settings, the preset that it is of, the group of runs started with it
data/corpus.txt      a corpus file of the user's own
status.json          where the run stands, as its process last reported
events.jsonl         what happened (seqmodels.runs.events)
commands/            what its process has been asked to do
lock                 held by its process as long as it lives
run.log              what its process printed
last.safetensors     where to go on, until the run has ended
best.safetensors     the best weights so far: a checkpoint
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

from seqmodels.corpora import TextFile
from seqmodels.environment import environment
from seqmodels.fields import Count, Range, parsed
from seqmodels.files import open_regular, read_regular, write_whole
from seqmodels.runs.files import friendly_errors, is_locked, take_lock
from seqmodels.runs.queue import Queue, to_be_started
from seqmodels.runs.records import Measured, Seconds

CONFIG, STATUS, LOCK, LOG, COMMANDS = "config.json", "status.json", "lock", "run.log", "commands"
OWN_FILE = "data/corpus.txt"
LAST, BEST = "last.safetensors", "best.safetensors"
LONGEST_NAME = 60
# settings that runs of version 0.1.0 do not name, as they were then
LATER = {"average": 0.0, "chrono": None, "restarts": 0.0, "transitions": False}
FORMAT = 1
_SET_BACK = 30 * 24 * 3600.0  # seconds by which a clock may have been set back; a time after that is damage
STATUS_SIZE = 4096  # bytes of status.json: written in place and in one piece, so that it needs no further space on a full disk
TAKEN_OUT = "taken out of the queue"
LONGEST_MESSAGE = 600  # characters: at four bytes each they leave room for the numbers

_ID = re.compile(r"[0-9a-f]{16}")
NEW, GONE = ".new-", ".gone-"  # how folders are called that are not yet, or no longer, a run

Phase = Literal["new", "waiting", "loading", "training", "paused", "scoring", "finished", "stopped", "failed"]
StatusName = Literal["queued", "running", "paused", "interrupted", "stopped", "failed", "finished"]

_OF_A_LIVING: dict[Phase, StatusName] = {
    "new": "queued",
    "waiting": "queued",
    "paused": "paused",
    "finished": "finished",
    "stopped": "stopped",
    "failed": "failed",
}
ENDED: tuple[Phase, ...] = ("finished", "stopped", "failed")
_OF_A_DEAD: dict[Phase, StatusName] = {name: found for name, found in _OF_A_LIVING.items() if found != "queued"}


@dataclass(frozen=True)
class Run:
    """What a run's config.json says. `settings` are plain values by name (seqmodels.runs.settings reads them).

    One with a `problem` is damaged: it can only be deleted.
    """

    folder: Path
    name: str
    owner: str  # SHA-256 of the owner's key
    created: float
    settings: Mapping[str, Any]
    file_name: str | None = None  # what the user called the file in data/
    preset: str | None = None  # the key of the one that started it
    group: str | None = None  # the same in runs that were started together, to be compared
    shared: bool = False  # whether others see a run that learns from a file of its owner's
    published: str | None = None  # the name of the model that its best weights have become
    problem: str | None = None  # what is wrong with its record

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def waiting(self) -> bool:
        """Whether it is to be started when its turn comes, and has no process until then."""
        return to_be_started(self.folder)

    @property
    def alive(self) -> bool:
        """Whether its process lives, or is still to come."""
        return self.waiting or is_locked(self.folder / LOCK)  # in this order: it leaves the queue when its lock is held


class DamagedRunError(ValueError):
    """The record of a run cannot be read."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"{run.id} holds no run that can be read: its {run.problem}")
        self.run = run


@dataclass(frozen=True)
class _Config:
    """What config.json holds, of any version."""

    settings: dict[str, str | int | float | bool | None]
    format: int = FORMAT
    name: str = ""
    owner: str = ""
    created: Annotated[float, Range(0, 1e11)] = 0.0  # seconds since 1970
    file_name: str | None = None
    preset: str | None = None
    group: str | None = None
    shared: bool = False
    published: str | None = None


@dataclass(frozen=True)
class Progress:
    """What a run's process last reported. `message` says in plain words why it stands where it stands.

    `score` is that of the last whole epoch; `seconds` counts the time spent training, without pauses.
    """

    phase: Phase = "new"
    message: str = ""
    epoch: Count = 0
    epochs: Count = 0
    step: Count = 0  # of the epoch after `epoch`
    steps: Count = 0
    score: Measured | None = None
    best_score: Measured | None = None
    best_epoch: Count = 0
    seconds: Seconds = 0.0
    pid: int | None = None  # for signals only: the lock says whether the process lives

    def waiting(self, pid: int | None = None) -> Progress:
        """The same run with a new process, before its turn."""
        return replace(self, phase="waiting", message="", pid=pid)


def write_progress(folder: Path, progress: Progress) -> None:
    """Overwrite the record in place."""
    values = {**asdict(progress), "message": progress.message[:LONGEST_MESSAGE]}
    record = json.dumps(values, ensure_ascii=False).encode()
    descriptor = open_regular(folder / STATUS, os.O_WRONLY | os.O_CREAT)
    try:
        os.pwrite(descriptor, record.ljust(STATUS_SIZE - 1) + b"\n", 0)
    except OSError:
        if not os.fstat(descriptor).st_size:  # a new one, that holds nothing
            (folder / STATUS).unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def read_progress(folder: Path) -> Progress:
    """What was last reported; a run that has never reported anything is new."""
    return _look(folder)[0]


def _look(folder: Path) -> tuple[Progress, str | None]:
    """What was last reported, and what is wrong with that record: then the run's weights tell whether it has ended."""
    path = folder / STATUS
    try:
        found = parsed(Progress, read_regular(path))
        return replace(found, message=found.message[:LONGEST_MESSAGE]), None
    except FileNotFoundError:
        problem = "is missing"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except ValueError as error:
        problem = f"is damaged ({error})"
    if (folder / LAST).exists():
        return Progress("training"), f"{STATUS} {problem}"
    if (folder / BEST).exists():
        return Progress("stopped"), f"{STATUS} {problem}"
    return Progress(), None


@dataclass(frozen=True)
class Status:
    """A run's state in one word, what its process last reported, and, while it is queued, the runs whose turn comes first.

    `problem` is what is wrong with the record of it.
    """

    name: StatusName
    progress: Progress
    after: tuple[Run, ...] = ()
    problem: str | None = None


def root() -> Path:
    """The runs folder."""
    return environment().runs


def queue() -> Queue:
    """The queue of the runs folder."""
    return Queue(root(), environment().runs_at_once)


def make(
    settings: Mapping[str, Any],
    owner_key: str,
    *,
    name: str,
    own: TextFile | None = None,
    preset: str | None = None,
    group: str | None = None,
) -> Run:
    """A new folder, there whole or not at all."""
    run_id = secrets.token_hex(8)
    hidden = root() / f"{NEW}{run_id}"
    file_name = None if own is None else own.name
    run = Run(root() / run_id, clean_name(name, run_id), owner_of(owner_key), _now(), settings, file_name, preset, group)
    with friendly_errors("the run"):
        try:
            hidden.mkdir(parents=True, mode=0o700)
            (hidden / COMMANDS).mkdir()
            if own is not None:
                (hidden / OWN_FILE).parent.mkdir()
                write_whole(hidden / OWN_FILE, own.text.encode())
            _write_config(hidden, run)
            hidden.rename(run.folder)
        except OSError:
            shutil.rmtree(hidden, ignore_errors=True)
            raise
    return run


def _now() -> float:
    """The time, in seconds since 1970; where the clock was set back, one after that of all runs here: the oldest go first."""
    now = time.time()
    last = max((run.created for run in list_all() if run.created < now + _SET_BACK), default=0.0)
    return max(now, last + 1e-3)


def without_later(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those of LATER that are as they were before there were any."""
    return {name: value for name, value in settings.items() if name not in LATER or value != LATER[name]}


def make_at(folder: Path, settings: Mapping[str, Any]) -> Run:
    """A new run in any folder, outside of the runs folder and without an owner. ValueError if it holds one already."""
    if (folder / CONFIG).exists():
        raise ValueError(f"{folder} holds a run already: leave the settings out to go on with it, or give another folder")
    run = Run(folder, clean_name(folder.name, "a run"), "", time.time(), settings)
    with friendly_errors("the run"):
        (folder / COMMANDS).mkdir(parents=True, exist_ok=True)
        _write_config(folder, run)
    return run


def open_folder(folder: Path) -> Run:
    """The run in a folder. ValueError if there is none, or if its record is damaged."""
    run = _read(folder)
    if run.problem is not None:
        raise DamagedRunError(run)
    return run


def _read(folder: Path) -> Run:
    """The run in a folder. Of one whose record is damaged, no more is said than whose it is, where that can be read."""
    path, content, created = folder / CONFIG, b"", 0.0
    try:
        content, created = read_regular(path), path.stat().st_mtime
        found = parsed(_Config, content)
    except OSError as error:
        problem = f"{CONFIG} cannot be read ({error.strerror})"
    except ValueError as error:
        problem = f"{CONFIG} is damaged ({error})"
    else:
        values = {name: value for name, value in vars(found).items() if name != "format"}
        values["name"] = clean_name(found.name, clean_name(folder.name, "a run"))
        values["created"] = found.created or created
        values["settings"] = {**LATER, **found.settings}
        return Run(folder, **values)
    with suppress(OSError):
        created = created or folder.stat().st_mtime
    owner = re.search(rb'"owner": *"([0-9a-f]{64})"', content)
    return Run(folder, folder.name, owner[1].decode() if owner else "", created, {}, problem=problem)


def own_file(run: Run) -> TextFile | None:
    """The corpus file of the user's own, under the name that they gave it. ValueError if it is no longer there."""
    if run.file_name is None:
        return None
    try:
        with os.fdopen(open_regular(run.folder / OWN_FILE), encoding="utf-8") as file:
            return TextFile(run.file_name, file.read())
    except (OSError, UnicodeDecodeError):
        raise ValueError("the file that this run learns from is gone or damaged: start a new run with it") from None


def find_run(run_id: str) -> Run:
    """The run of that id. ValueError if there is none."""
    if not _ID.fullmatch(run_id) or not (root() / run_id).is_dir():
        raise ValueError(f"no run {clean_name(run_id, 'without an id')!r}: it may have been deleted")
    return open_folder(root() / run_id)


def list_runs() -> list[Run]:
    """All runs, newest first, but for those that are damaged."""
    return [run for run in list_all() if run.problem is None]


def list_all() -> list[Run]:
    """All runs, newest first, the damaged ones among them."""
    found = [_read(folder) for folder in root().glob("*") if _ID.fullmatch(folder.name) and folder.is_dir()]
    return sorted(found, key=lambda run: (-run.created, run.id))


def going() -> int:
    """How many runs have a process. Looks at locks alone."""
    return sum(is_locked(lock) for lock in root().glob(f"[!.]*/{LOCK}"))


def group_of(run: Run) -> list[Run]:
    """The runs that were started together with a run, itself among them, in the order of their start."""
    if run.group is None:
        return [run]
    return sorted((other for other in list_runs() if other.group == run.group), key=lambda other: other.created)


def status(run: Run) -> Status:
    """Where a run stands."""
    alive = run.alive  # asked first: what a dead process reported is its last word
    progress, problem = _look(run.folder)
    if not alive:
        return Status(_OF_A_DEAD.get(progress.phase, "interrupted"), progress, (), problem)
    name = _OF_A_LIVING.get(progress.phase, "running")
    return Status(name, progress, ahead(run) if name == "queued" else (), problem)


def ahead(run: Run | None = None) -> tuple[Run, ...]:
    """The runs that must end before a queued run has its turn, or one that is started now; those that have it now come first."""
    line = queue()
    waiting = line.waiting()
    if line.free() if run is None else run.id not in waiting:  # then its process is about to begin
        return ()
    others = {other.id: other for other in reversed(list_runs()) if other.alive}
    having = [other for other in others.values() if other.id not in waiting and read_progress(other.folder).phase not in ENDED]
    before = waiting if run is None else waiting[: waiting.index(run.id)]
    return (*having, *(others[found] for found in before if found in others))


def phase_taken_out(run: Run, order: str) -> Phase:
    """Of a run that was told to pause or to stop while it waited: one that has trained before can still go on."""
    return "stopped" if order == "stop" and not (run.folder / LAST).exists() else "paused"


def check_unended(run: Run) -> None:
    """ValueError if the run has come to its end. Asked while its lock is held: until then it may still end."""
    phase = read_progress(run.folder).phase
    if phase in ("finished", "stopped"):
        raise ValueError(f"run {run.name!r} is {phase}: make a new one with the same settings")


def open_log(folder: Path) -> TextIO:
    """What the run's process prints, to be added to."""
    return os.fdopen(open_regular(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "a")


def best_weights(run: Run) -> Path | None:
    """The file of the run's best weights so far, if there are any."""
    best = run.folder / BEST
    return best if best.is_file() else None


def may_control(run: Run, owner_key: str) -> bool:
    """Whether who holds this key may command the run: its owner, or anyone where SEQMODELS_SINGLE_USER is set."""
    return belongs_to(run.owner, owner_key)


def may_see(run: Run, owner_key: str) -> bool:
    """Whether who holds this key may see what the run is of: one that learns from a user's own file is private unless shared."""
    return run.file_name is None or run.shared or may_control(run, owner_key)


def rewrite(run: Run, what: str, **values: Any) -> Run:
    """The run with other values in its config.json, as that is by now; `what` they are is said where they cannot be saved."""
    with friendly_errors(what):
        run.folder.stat()  # of a run that is gone, that is to be said
        changed = replace(open_folder(run.folder), **values)
        _write_config(run.folder, changed)
    return changed


def remove(run: Run) -> bool:
    """Delete the folder of a run without a process; False if it has one. One that is gone already is no mistake."""
    with friendly_errors("the run", "deleted"), suppress(FileNotFoundError), ExitStack() as held:
        if (run.folder / LOCK).is_file() or not (run.folder / LOCK).exists():  # else no process can hold it
            lock = take_lock(run.folder / LOCK, patience=0.2)
            if lock is None:
                return False
            held.callback(os.close, lock)
        erase(run.folder)
        queue().remove(run.id)
    return True


def erase(folder: Path) -> None:
    """Delete a folder, out of sight at once. One that is gone already is no mistake."""
    gone = folder.with_name(f"{GONE}{folder.name}-{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        folder.rename(gone)
    if gone.is_symlink():  # what it leads to lies elsewhere, and stays
        gone.unlink()
    shutil.rmtree(gone, ignore_errors=True)


def clean_name(name: str, otherwise: str) -> str:
    """A name to be shown: one line, not too long, nothing that steers a terminal or hides in a page."""
    shown = " ".join("".join(character if character.isprintable() else " " for character in name).split())
    return shown[:LONGEST_NAME] or otherwise


def _write_config(folder: Path, run: Run) -> None:
    config = {"format": FORMAT, **vars(run), "settings": dict(run.settings)}
    del config["folder"], config["problem"]
    write_whole(folder / CONFIG, json.dumps(config, ensure_ascii=False, indent=1).encode())


def belongs_to(owner: str, owner_key: str) -> bool:
    """Whether what this owner has is also who holds this key's: it is the same, or all is everyone's."""
    return environment().single_user or hmac.compare_digest(owner.encode(), owner_of(owner_key).encode())


def owner_of(owner_key: str) -> str:
    """What is kept of a key: the key itself stays with who has it."""
    return hashlib.sha256(owner_key.encode()).hexdigest()
