"""The cards of a task, read from their files and kept until one of them changes; neither torch nor a corpus is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.common import inputs
from seqmodels.cards import Card, TaskCard, cards_folder, checkpoint_names, read_cards, read_task_cards, sha256_of
from seqmodels.installation import CHECKPOINT_SUFFIX
from seqmodels.viz.leaderboard import title

MAKE = "`python -m seqmodels cards`"


@dataclass(frozen=True)
class Board:
    """A task's cards, in the order of the cells."""

    task: TaskCard
    cards: tuple[Card, ...]

    @property
    def titles(self) -> dict[str, Card]:
        """By what each is called."""
        return {title(card): card for card in self.cards}


def boards() -> tuple[list[Board], list[str]]:
    """One for each task of which there are cards, and what is to be told of cards that cannot be read."""
    return _boards(cards_folder().parent, _stamp(cards_folder().rglob("*.json")))


def notes(board: Board) -> list[str]:
    """Which cards are of earlier checkpoints than those that are here, and which checkpoints have none."""
    old = [card.name for card in board.cards if _hash(card.name) != card.sha256]
    if not old and any(_hash(name) != sha256 for name, sha256 in board.task.models.items()):
        old = [board.task.task]
    cards = {card.name for card in board.cards}
    missing = [name for name in checkpoint_names() if name.startswith(f"{board.task.task}-") and name not in cards]
    told = []
    if old:
        told.append(f"Measured on earlier files than those that are here: {', '.join(old)}. {MAKE} measures anew.")
    if missing:
        told.append(f"Not yet measured: {', '.join(missing)}. {MAKE} does it.")
    return [inputs.plain(line).replace(inputs.plain(MAKE), MAKE) for line in told]


@st.cache_resource(show_spinner=False, max_entries=4)
def _boards(folder: Path, stamp: Sequence[tuple[str, int]]) -> tuple[list[Board], list[str]]:
    damaged: list[str] = []
    cards, tasks = read_cards(folder, damaged), read_task_cards(folder, damaged)
    found = [Board(task, tuple(card for card in cards if card.task == task.task)) for task in tasks]
    return [board for board in found if board.cards], damaged


def _hash(name: str) -> str:
    """Of a checkpoint; nothing if it is not here."""
    path = cards_folder().parent / f"{name}{CHECKPOINT_SUFFIX}"
    try:
        return _hash_of(path, path.stat().st_mtime_ns)
    except OSError:
        return ""


# of a hundred megabytes it takes a tenth of a second
@st.cache_data(show_spinner=False, max_entries=100)
def _hash_of(path: Path, stamp: int) -> str:
    return sha256_of(path)


def _stamp(paths: Iterable[Path]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((str(path), path.stat().st_mtime_ns) for path in paths))
