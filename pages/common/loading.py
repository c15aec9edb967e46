"""Models and what they say, cached by checkpoint name and text.

torch and spaCy take seconds to import, so nothing here imports them until a model is asked for; `warm_up` asks in the background.
Results are frozen dataclasses and are shared between visitors: no page changes one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.common.caching import GIVEN, cached_by_model, file_of, look, one_look, seen_once, stamp
from pages.common.shelf import Shelf
from seqmodels.cells import CELLS
from seqmodels.environment import environment
from seqmodels.viz import law

if TYPE_CHECKING:
    from seqmodels.checkpoints import Checkpoint, CheckpointEntry
    from seqmodels.inference import GeneratedToken, NextWords, PromptScore, Sampling, Tagging
    from seqmodels.tasks import Predicts
    from seqmodels.text import Unit
    from seqmodels.traces import Invented, Switch, Trace

# many visitors share few cores: two threads for one small matrix only get in each other's way. torch reads this when imported
os.environ.setdefault("OMP_NUM_THREADS", "1")


MOST_WORK = 17 * 10**9  # multiplications by a model's weights: those of the shipped ones for the longest text of any page
LONG = 10_000  # characters; less is read before a spinner could be seen, and takes little memory


@seen_once
def checkpoint(name: str) -> Checkpoint:
    """The model of that name, such as 'pos-gru' or, starting from a condition, 'names-gru@Russian'.

    ValueError in plain words if its file cannot be used, or if it knows no such condition.
    """
    plain, _, condition = name.partition(GIVEN)
    found = _load(plain)
    if isinstance(found, str):
        raise ValueError(found)
    return found.given(condition) if condition else found


def given(name: str, condition: str) -> str:
    """The name of a model that starts from one of its conditions."""
    return f"{name}{GIVEN}{condition}"


def condition_of(name: str) -> str:
    """What a model of that name starts from; empty where it starts from zero."""
    return name.partition(GIVEN)[2]


def conditions(names: Sequence[str]) -> list[str]:
    """What all of these models can start from, such as languages; nothing where one of them starts from zero."""
    found = [checkpoint(name).conditions for name in names]
    return [condition for condition in found[0] if all(condition in others for others in found)] if found else []


def available(*tasks: str) -> list[str]:
    """The models for these tasks: the shipped ones that work, by task and cell, then the user's own, by name.

    Of the latter only the description has been read: they may be many, and are large in memory.
    """
    own_ones = [entry.name for entry in own() if entry.info is not None and entry.info.task in tasks]
    return [name for name in shipped(*tasks) if not problems([name])] + own_ones


@seen_once
def shipped(*tasks: str) -> list[str]:
    """The shipped models for these tasks, in the order of CELLS, whether or not their files can be used."""
    from seqmodels import checkpoints

    here = checkpoints.folder()
    names = (f"{task}-{cell}" for task in tasks for cell in CELLS)
    return [name for name in names if (here / f"{name}{checkpoints.SUFFIX}").exists()]


@seen_once
def is_shipped(name: str) -> bool:
    """Whether it is the name of a shipped model, such as 'pos-gru'."""
    from seqmodels.tasks import TASKS

    plain = name.partition(GIVEN)[0]
    task = plain.partition("-")[0]
    return task in TASKS and plain in shipped(task)


def own() -> list[CheckpointEntry]:
    """The user's own models, by name; one that cannot be used has a problem in the place of a description."""
    from seqmodels import checkpoints

    folder = checkpoints.own_folder()
    names = sorted(path.stem for path in folder.glob(f"*{checkpoints.SUFFIX}"))
    return [_look(name) for name in names if checkpoints.is_name(name) and file_of(name).parent == folder and stamp(name)]


def problems(names: Sequence[str]) -> list[str]:
    """Why some of these models cannot be used: a sentence each."""
    return [found for found in map(_problem, names) if found]


@cached_by_model
def _problem(name: str) -> str:
    """Why a model cannot be used, or nothing: still known when the model itself has been let go."""
    found = _load(name)
    return found if isinstance(found, str) else ""


def title(name: str) -> str:
    """What a model is called on a page: 'GRU', or for one of the user's own 'my-tagger (GRU)'."""
    name = name.partition(GIVEN)[0]
    if is_shipped(name):
        return law.title(name.partition("-")[2])
    info = _look(name).info
    return name if info is None else law.title(info.cell, name)


def in_memory() -> tuple[list[str], int]:
    """The shipped models that are loaded, and how many of visitors' own are: those have names of their own, which stay theirs."""
    loaded = [key for key, found in _models().items() if not isinstance(found, str)]
    ours = sorted(name for name, path, _ in loaded if path.parent == environment().checkpoints)
    return ours, len(loaded) - len(ours)


def predicts(task: str) -> Predicts:
    """What the models of a task give."""
    from seqmodels.tasks import find_task

    return find_task(task).predicts


def unit_of(name: str) -> Unit:
    """What a model reads one by one."""
    return checkpoint(name).task.unit


def at_once(names: Sequence[str], most: int) -> int:
    """As many tokens as these models read in a few seconds: no more than `most`, and fewer where one is large."""
    return min(most, *(max(1, MOST_WORK // checkpoint(name).multiplications) for name in names))


@cached_by_model
def tag(name: str, text: str) -> Tagging:
    """The tags of a text. ValueError if it holds no words."""
    from seqmodels import inference

    return inference.tag(checkpoint(name), text)


@cached_by_model
def trace(name: str, text: str) -> Trace:
    """The gates over a text, read as one sequence: a passage, not a book. ValueError if it holds no words."""
    from seqmodels import traces

    return traces.trace(checkpoint(name), text)


@cached_by_model
def next_words(name: str, prompt: str) -> NextWords:
    """The distribution of the word after the prompt."""
    from seqmodels import inference

    return inference.next_words(checkpoint(name), prompt)


@cached_by_model
def score_prompt(name: str, prompt: str) -> PromptScore:
    """The surprisal of every word of the prompt."""
    from seqmodels import inference

    return inference.score_prompt(checkpoint(name), prompt)


@cached_by_model
def continue_text(name: str, prompt: str, *, max_tokens: int, sampling: Sampling) -> Writing:
    """Words drawn one by one. The same prompt and settings give the same text, and what is written once is not drawn again."""
    from seqmodels import inference

    return Writing(inference.continue_text(checkpoint(name), prompt, max_tokens=max_tokens, sampling=sampling))


@cached_by_model
def invent(name: str, prompt: str, sampling: Sampling, switch: Switch | None) -> tuple[Invented, ...]:
    """Ten names that begin with the prompt."""
    from seqmodels import traces

    return traces.invent(checkpoint(name), prompt=prompt, sampling=sampling, switch=switch)


class Writing:
    """A continuation that grows as it is shown; visitors may share it."""

    def __init__(self, source: Iterator[GeneratedToken]) -> None:
        self._source: Iterator[GeneratedToken] | None = source
        self._tokens: tuple[GeneratedToken, ...] = ()
        self._lock = threading.Lock()

    @property
    def tokens(self) -> tuple[GeneratedToken, ...]:
        """What is written so far."""
        return self._tokens

    def advance(self, count: int = 1) -> bool:
        """Write so many more words, or those that are left; False if the text was complete."""
        with self._lock:
            fresh = () if self._source is None else tuple(islice(self._source, count))
            if not fresh:
                self._source = None  # lets go of the network's state
                return False
            self._tokens += fresh
            return True


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Once a server: import and load in the background, so that the first click finds everything there.

    pandas comes before: plotly asks for its types once its import has begun, on whatever thread, and fails until it has ended.
    """
    import_module("pandas")
    # no daemon: a process that ends while torch is being imported on another thread dies of it
    threading.Thread(target=_load_all, name="warm-up", daemon=False).start()


def _load_all() -> None:
    """What the first page shows comes first; then the other models, and the libraries that draw."""
    from seqmodels.tasks import TASKS, tasks_that_predict

    with one_look():  # all of one folder: what is kept of a model's file is never said of another's
        for name in available(*tasks_that_predict("tags"))[:1]:
            with suppress(ValueError):  # its file may go meanwhile
                tag(name, "warm")  # brings the tokenizer
        problems(shipped(*TASKS))
    for module in ("scipy.cluster.hierarchy", "seqmodels.viz.gates", "seqmodels.viz.language"):
        import_module(module)


def _load(name: str) -> Checkpoint | str:
    """The model, or why it cannot be used."""
    path, written = look(name)
    if path.parent != environment().checkpoints:  # a shipped one is nobody's, and the import takes as long as a model
        from seqmodels.runs.publishing import note_use

        note_use(path)
    return _models().get((name, path, written), partial(_load_file, name, path))


@seen_once
@st.cache_resource(show_spinner=False)
def _models() -> Shelf[Checkpoint | str]:
    return Shelf(lambda: environment().models_mb * 2**20, lambda found: len(found) if isinstance(found, str) else found.nbytes)


def _load_file(name: str, path: Path) -> Checkpoint | str:
    from seqmodels import checkpoints

    task, _, cell = name.partition("-")
    promised = {"task": task, "cell": cell} if is_shipped(name) else {}
    try:
        return checkpoints.load(path, **promised)
    except checkpoints.CheckpointError as error:
        # the visitor knows the file by its name; where it lies is the server's business
        return str(error).replace(str(path), path.name)


@cached_by_model
def _look(name: str) -> CheckpointEntry:
    from seqmodels import checkpoints

    path = file_of(name)
    found = checkpoints.look(path)
    return replace(found, problem=found.problem and found.problem.replace(str(path), path.name))
