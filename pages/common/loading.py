"""Models and what they say, cached by checkpoint name and text.

torch and spaCy take seconds to import, so nothing here imports them until a model is asked for; `warm_up` asks in the background.
Results are frozen dataclasses and are shared between visitors: no page changes one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.common.caching import file_of, stamp
from seqmodels.viz import law

if TYPE_CHECKING:
    from seqmodels.checkpoints import Checkpoint, CheckpointEntry
    from seqmodels.inference import GeneratedToken, NextWords, PromptScore, Sampling, Tagging
    from seqmodels.text import Unit
    from seqmodels.traces import Trace

CELL_ORDER = tuple(law.FORMULAS)
TASK_TITLES = {"pos": "Parts of speech", "ner": "Names", "lm": "Language model", "char": "Characters"}
TAGGING_TASKS = ("pos", "ner")
LANGUAGE_TASKS = ("lm", "char")
SHIPPED_TASKS = (*TAGGING_TASKS, "lm")  # beside seqmodels.tasks.SHIPPED, because importing that takes a second

# many visitors share few cores: two threads for one small matrix only get in each other's way. torch reads this when imported
os.environ.setdefault("OMP_NUM_THREADS", "1")


@dataclass(frozen=True)
class Loaded:
    """A checkpoint, or why there is none."""

    checkpoint: Checkpoint | None
    problem: str | None


def checkpoint(name: str) -> Checkpoint:
    """The model of that name, such as 'pos-gru'. ValueError in plain words if its file cannot be used."""
    loaded = _loaded(name)
    if loaded.checkpoint is None:
        raise ValueError(loaded.problem)
    return loaded.checkpoint


def available(*tasks: str) -> list[str]:
    """The models for these tasks: the shipped ones that work, in the order of CELL_ORDER, then one's own, by name.

    Of the latter only the description has been read: they may be many, and are large in memory.
    """
    here = [name for task in tasks for name in shipped(task)]
    return here + [one.name for one in own() if one.info is not None and one.info.task in tasks]


def shipped(task: str) -> list[str]:
    """The shipped models for this task that work, in the order of CELL_ORDER."""
    return [name for name in shipped_names(task) if _loaded(name).checkpoint is not None]


def shipped_names(task: str) -> list[str]:
    """What the shipped models for this task are called, whether or not they are here."""
    return [f"{task}-{cell}" for cell in CELL_ORDER] if task in SHIPPED_TASKS else []


def own() -> list[CheckpointEntry]:
    """One's own models, by name; one that cannot be used has a problem in the place of a description."""
    from seqmodels import checkpoints

    names = sorted(path.stem for path in checkpoints.own_folder().glob(f"*{checkpoints.SUFFIX}"))
    usable = [name for name in names if checkpoints.is_name(name) and not checkpoints.is_shipped(name)]
    return [_look(file_of(name), when) for name in usable if (when := stamp(name))]


def problems(names: Sequence[str]) -> list[str]:
    """Why some of these models cannot be used: a sentence each."""
    found = [_loaded(name).problem for name in names]
    return [problem for problem in found if problem is not None]


def title(name: str) -> str:
    """What a model is called on a page: 'GRU', or for one's own 'my-tagger (GRU)'."""
    if is_shipped(name):
        return law.title(name.partition("-")[2])
    info = _look(file_of(name), stamp(name)).info
    return name if info is None else law.title(info.cell, name)


def is_shipped(name: str) -> bool:
    """Whether it is the name of a shipped model, such as 'pos-gru'."""
    task, _, cell = name.partition("-")
    return task in SHIPPED_TASKS and cell in CELL_ORDER


def tag(name: str, text: str) -> Tagging:
    """The tags of a text. ValueError if it holds no words."""
    return _tag(name, stamp(name), text)


def trace(name: str, text: str) -> Trace:
    """The gates over a text, read as one sequence. ValueError if it holds no words.

    Its arrays are some 2 MB a hundred words: give it a passage, not a book.
    """
    return _trace(name, stamp(name), text)


def unit_of(name: str) -> Unit:
    """What a language model reads and writes one by one."""
    from seqmodels import inference

    return inference.unit_of(checkpoint(name))


def next_words(name: str, prompt: str) -> NextWords:
    """The distribution of the word after the prompt."""
    return _next_words(name, stamp(name), prompt)


def score_prompt(name: str, prompt: str) -> PromptScore:
    """The surprisal of every word of the prompt."""
    return _score_prompt(name, stamp(name), prompt)


def continue_text(name: str, prompt: str, *, max_tokens: int, sampling: Sampling) -> Writing:
    """Words drawn one by one. The same prompt and settings give the same text, and what is written once is not drawn again."""
    return _continue_text(name, stamp(name), prompt, max_tokens, sampling)


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
    """Once a server: import and load in the background, so that the first click finds everything there."""
    # no daemon: a process that ends while torch is being imported on another thread dies of it
    threading.Thread(target=_load_all, name="warm-up").start()


def _load_all() -> None:
    """What the first page shows comes first; then the other models, and the libraries that draw."""
    if shipped(TAGGING_TASKS[0]):
        tag(shipped(TAGGING_TASKS[0])[0], "warm")  # brings the tokenizer
    for task in SHIPPED_TASKS:
        shipped(task)
    for module in ("pandas", "seqmodels.viz.gates", "seqmodels.viz.language"):
        import_module(module)


def _loaded(name: str) -> Loaded:
    return _load(name, file_of(name), stamp(name))


@st.cache_resource(show_spinner=False, max_entries=24)
def _load(name: str, path: Path, stamp: int) -> Loaded:
    from seqmodels import checkpoints

    task, _, cell = name.partition("-")
    promised = {"task": task, "cell": cell} if is_shipped(name) else {}
    try:
        return Loaded(checkpoints.load(path, **promised), None)
    except checkpoints.CheckpointError as error:
        # the visitor knows the file by its name; where it lies is the server's business
        return Loaded(None, str(error).replace(str(path), path.name))


@st.cache_resource(show_spinner=False, max_entries=256)
def _look(path: Path, stamp: int) -> CheckpointEntry:
    from seqmodels import checkpoints

    found = checkpoints.look(path)
    return replace(found, problem=found.problem and found.problem.replace(str(path), path.name))


@st.cache_resource(show_spinner=False, max_entries=64)
def _tag(name: str, stamp: int, text: str) -> Tagging:
    from seqmodels import inference

    return inference.tag(checkpoint(name), text)


# a hundred words of a trace are some 2 MB: few are kept
@st.cache_resource(show_spinner=False, max_entries=12)
def _trace(name: str, stamp: int, text: str) -> Trace:
    from seqmodels import traces

    return traces.trace(checkpoint(name), text)


@st.cache_resource(show_spinner=False, max_entries=256)
def _next_words(name: str, stamp: int, prompt: str) -> NextWords:
    from seqmodels import inference

    return inference.next_words(checkpoint(name), prompt)


@st.cache_resource(show_spinner=False, max_entries=256)
def _continue_text(name: str, stamp: int, prompt: str, max_tokens: int, sampling: Sampling) -> Writing:
    from seqmodels import inference

    return Writing(inference.continue_text(checkpoint(name), prompt, max_tokens=max_tokens, sampling=sampling))


@st.cache_resource(show_spinner=False, max_entries=64)
def _score_prompt(name: str, stamp: int, prompt: str) -> PromptScore:
    from seqmodels import inference

    return inference.score_prompt(checkpoint(name), prompt)
