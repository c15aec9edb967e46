"""Training runs: a run is a folder and a process, and whoever watches reads the folder and leaves commands in it.

run = create(default_settings("pos", "gru"), key)
start(run, key)
status(run).name, read_history(run).epochs
command(run, key, Command("change", {"learning_rate": 1e-3}))
publish(run, key, "my-tagger")

Here stands what needs no torch, since a process that waits for its turn needs none. Settings, their presets and the publishing of
models are in `seqmodels.runs.settings`, `.presets` and `.publishing`; a training without a run in `.trainer`.
"""

from seqmodels.runs.context import Command, Notice
from seqmodels.runs.control import Upload, check_places, command, create, delete, read_upload, rename, share, start
from seqmodels.runs.events import History, clipped_share, export_csv, read_history
from seqmodels.runs.files import StorageError
from seqmodels.runs.launcher import stand_by
from seqmodels.runs.process import work
from seqmodels.runs.standings import Standing, Standings, standings
from seqmodels.runs.stopping import interrupt_all
from seqmodels.runs.store import (
    DamagedRunError,
    Progress,
    Run,
    Status,
    ahead,
    best_weights,
    find_run,
    group_of,
    list_all,
    list_runs,
    make_at,
    may_control,
    may_see,
    open_folder,
    root,
    status,
)
