"""What the parts of the page share: the puzzle, the signal, the gates set by hand and the selected step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pages.common import address, inputs, picking
from pages.common.strip import strip

if TYPE_CHECKING:
    from seqmodels.labs.hand import Course, Hand, Signal
    from seqmodels.labs.puzzles import Puzzle

FREE = "free"  # in the place of a puzzle's name
SIGNAL, MU, LAM = "0 1 0 0 1 0 0 0 1 1", "0.9", "1"  # with which it begins


@dataclass(frozen=True)
class State:
    """What is on screen."""

    name: str  # of the puzzle
    puzzle: Puzzle | None
    signal: Signal
    start: Hand  # the gates that the puzzle begins with
    hand: Hand
    course: Course
    step: int

    def key(self, name: str) -> str:
        return _key(self.name, name)

    @property
    def symbol(self) -> str:
        return self.signal.symbols[self.step]

    @property
    def before(self) -> float:
        """The memory that the selected step finds."""
        return self.course.memory[0, self.step - 1].item() if self.step else 0.0


def _key(puzzle: str, name: str) -> str:
    """Of an input that each puzzle has on its own, so that one's work is still there when one comes back."""
    return f"{puzzle}-{name}"


def puzzle(*, menu: bool) -> str:
    """The name of the puzzle that is picked, or FREE."""
    from seqmodels.labs.puzzles import PUZZLES

    def title(name: str) -> str:
        return PUZZLES[name].title if name in PUZZLES else "Free play"

    return inputs.choice("Puzzle", [*PUZZLES, FREE], key="puzzle", show=title, compact=True, menu=menu)


def read(name: str) -> State:
    """The signal that is typed, and what the address says of gates and step. ValueError for a signal without a symbol."""
    from seqmodels.labs.hand import Gate, Hand, Signal, run
    from seqmodels.labs.puzzles import PUZZLES

    found = PUZZLES.get(name)
    text, mu, lam = (found.signal, found.mu, found.lam) if found else (SIGNAL, MU, LAM)
    signal = Signal.read(inputs.question(text, {}, action="Set", label="Signal", key=_key(name, "signal")))
    hand = Hand(
        Gate.read(inputs.unseen("keep μ", mu, key=_key(name, "mu"), check=Gate.read)),
        Gate.read(inputs.unseen("write λ", lam, key=_key(name, "lam"), check=Gate.read)),
    )
    asked = int(inputs.unseen("Step", "1", key="step", check=int))
    step = min(max(asked, 1), len(signal)) - 1
    return State(name, found, signal, Hand(Gate.read(mu), Gate.read(lam)), hand, run([signal], hand), step)


def steps(state: State) -> None:
    """The signal, to step through by click, arrow key and Play, or by a click on the picture."""
    shown = [(step, symbol, False) for step, symbol in enumerate(state.signal.symbols)]
    strip(shown, state.step, len(shown), _select)
    picking.listen(_select)


def _select(step: int) -> None:
    address.keep("step", str(step + 1), "1")
