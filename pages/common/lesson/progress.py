"""What the visitor has predicted and solved: kept in the session, and by the browser for the next one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import streamlit as st

SKIPPED = -1  # in the place of a choice
_PROGRESS, _STORE = "lesson-progress", "lesson-store"  # in the session's state
_LONGEST = 10_000  # characters that a browser may send

_store = st.components.v2.component(
    "seqmodels_lesson",
    html="<span hidden></span>",
    js=(Path(__file__).parent.parent / "scripts" / "lesson.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass
class _Progress:
    predictions: dict[str, int] = field(default_factory=dict)  # by the key of a step: the number of the choice, or SKIPPED
    solved: list[str] = field(default_factory=list)  # keys of exercises
    touched: bool = False  # in this session: what the browser has kept is older


def prediction(step: str) -> int | None:
    """The number of the choice that was made at a step, SKIPPED, or None before."""
    return _progress().predictions.get(step)


def predict(step: str, choice: int) -> None:
    """Make this choice, or skip the prediction."""
    progress = _progress()
    progress.predictions[step], progress.touched = choice, True


def solve(exercise: str) -> None:
    """The exercise is done."""
    progress = _progress()
    if exercise not in progress.solved:
        progress.solved.append(exercise)
    progress.touched = True


def went(step: str) -> bool:
    """Whether a step's picture has been shown."""
    return step in _progress().predictions


def solved(exercise: str) -> bool:
    """Whether an exercise is done."""
    return exercise in _progress().solved


def restart() -> None:
    """Begin the lesson anew."""
    st.session_state[_PROGRESS] = _Progress(touched=True)


def stored(at: str = "") -> None:
    """Have the browser keep the progress, and give back what it kept of an earlier session. Draw it once on a page.

    `at` is where one is: when it changes, the focus goes to what is new there, and the step's picture is brought into view.
    """
    progress = _progress()
    record = {name: value for name, value in asdict(progress).items() if name != "touched"}
    kept = json.dumps(record) if progress.touched else None

    def give_back() -> None:
        found = _read(st.session_state[_STORE].kept)
        if found is not None and not _progress().touched:
            st.session_state[_PROGRESS] = found

    _store(key=_STORE, data={"progress": kept, "at": at}, on_kept_change=give_back)


def _read(text: object) -> _Progress | None:
    """What a browser sends, if it can be progress: anyone may have changed it."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        found = json.loads(text)
        predictions = {str(step): int(choice) for step, choice in found["predictions"].items()}
        return _Progress(predictions, [str(exercise) for exercise in found["solved"]], touched=True)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _progress() -> _Progress:
    found: _Progress = st.session_state.setdefault(_PROGRESS, _Progress())
    return found
