"""What a memory cell can be asked to do with a signal: each with its right answer, and signals to ask with."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import torch
from torch import Tensor

from seqmodels.labs.hand import Hand, Signal, run, value_of

STEPS = 15  # of a signal that is drawn
UNSEEN = 200  # signals on which a solution is tried
_UNSEEN_SEED = 0  # of these; training draws with others


@dataclass(frozen=True)
class Puzzle:
    """A goal for the memory at every step of any signal."""

    name: str
    title: str
    goal: str
    hint: str
    signal: str  # to begin with
    mu: str  # the gates to begin with, as `Gate` reads them
    lam: str
    solution: tuple[str, str]  # one way to set them
    next: Callable[[float, str], float]  # the memory wanted before a step, and its symbol -> the memory wanted after it
    draw: Callable[[random.Random], Iterator[str]]  # a signal, symbol by symbol, without an end
    close: float  # a memory that is no further off is right

    def targets(self, signals: Sequence[Signal]) -> Tensor:
        """The memory wanted at each step, (signals, steps)."""
        wanted = [list(accumulate(signal.symbols, self.next, initial=0.0))[1:] for signal in signals]
        return torch.tensor(wanted, dtype=torch.float64)

    def signals(self, count: int, seed: int, steps: int = STEPS) -> list[Signal]:
        """So many signals, drawn at random."""
        chance = random.Random(seed)
        return [Signal(tuple(symbol for symbol, _ in zip(self.draw(chance), range(steps), strict=False))) for _ in range(count)]

    def right(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Answers and targets (signals, steps) -> which signals are answered right at every step, (signals,)."""
        return ((answers - targets).abs() <= self.close).all(dim=1)


@dataclass(frozen=True)
class Check:
    """How good a solution is on a signal, and on others."""

    target: tuple[float, ...]  # the memory wanted at each step
    errors: tuple[float, ...]  # memory - target
    close: float
    tried: int  # signals drawn at random
    unseen: float  # the share of these on which it is right at every step

    @property
    def solved(self) -> bool:
        return all(abs(error) <= self.close for error in self.errors)

    @property
    def worst(self) -> int:
        """The step at which the memory is furthest off."""
        return max(range(len(self.errors)), key=lambda step: abs(self.errors[step]))


@cache
def unseen(puzzle: Puzzle) -> tuple[tuple[Signal, ...], Tensor]:
    """The signals on which every solution is tried, and the memory wanted there."""
    signals = tuple(puzzle.signals(UNSEEN, _UNSEEN_SEED))
    return signals, puzzle.targets(signals)


def check(puzzle: Puzzle, signal: Signal, hand: Hand) -> Check:
    """The gates set by hand against the goal."""
    target = puzzle.targets([signal])
    errors = (run([signal], hand).memory - target)[0]
    signals, targets = unseen(puzzle)
    share = puzzle.right(run(signals, hand).memory, targets).double().mean().item()
    return Check(tuple(target[0].tolist()), tuple(errors.tolist()), puzzle.close, len(signals), share)


def _average(memory: float, symbol: str) -> float:
    return 0.8 * memory + 0.2 * value_of(symbol)


def _first(memory: float, symbol: str) -> float:
    return memory or value_of(symbol)


def _count(memory: float, symbol: str) -> float:
    return memory + value_of(symbol)


def _since_comma(memory: float, symbol: str) -> float:
    return 0.0 if symbol == "," else memory + value_of(symbol)


def _slow(chance: random.Random) -> Iterator[str]:
    """0 or 1, held for some steps."""
    while True:
        symbol, steps = chance.choice("01"), chance.randint(1, 6)
        for _ in range(steps):
            yield symbol


def _late(chance: random.Random) -> Iterator[str]:
    """Some zeros, then numbers and zeros."""
    for _ in range(chance.randint(0, 6)):
        yield "0"
    while True:
        yield f"{chance.randint(2, 10) / 10:g}" if chance.random() < 0.5 else "0"


def _bits(chance: random.Random) -> Iterator[str]:
    while True:
        yield chance.choice("01")


def _words(chance: random.Random) -> Iterator[str]:
    """Letters, and a comma now and then."""
    while True:
        yield "," if chance.random() < 0.25 else chance.choice("abcde")


PUZZLES: dict[str, Puzzle] = {
    puzzle.name: puzzle
    for puzzle in (
        Puzzle(
            name="average",
            title="Leaky average",
            goal="Follow the signal slowly: let a fifth of the memory fade at each step, and let a steady 1 lead to 1.",
            hint="If a fifth fades, keep is 0.8. A steady 1 leads to write / (1 − keep): which write makes that 1?",
            signal="1 1 1 1 1 1 1 1 0 0 0 0 0 1 0",
            mu="1",
            lam="1",
            solution=("0.8", "0.2"),
            next=_average,
            draw=_slow,
            close=0.02,
        ),
        Puzzle(
            name="latch",
            title="Latch",
            goal="Remember the first number that is not 0, and ignore the rest.",
            hint="Keep everything. Write only while nothing is held: a rule for *while the memory is 0* does it on any signal.",
            signal="0 0 0.6 0 0 1 0.3 0 0.9 0 0 0.5",
            mu="1",
            lam="1",
            solution=("1", "0 empty=1"),
            next=_first,
            draw=_late,
            close=0.1,
        ),
        Puzzle(
            name="counter",
            title="Counter",
            goal="Count the ones: the memory is how many there have been so far.",
            hint="Nothing may fade, and each 1 must count whole.",
            signal="0 1 0 0 1 1 0 1 0 1 1 1",
            mu="0.8",
            lam="0.2",
            solution=("1", "1"),
            next=_count,
            draw=_bits,
            close=0.3,
        ),
        Puzzle(
            name="comma",
            title="Forget at the comma",
            goal="Count the letters since the last comma.",
            hint="Count as before, and let go of everything at one symbol: select a comma, and set keep for every “,”.",
            signal="ab,cde,f,abcd",
            mu="1",
            lam="1",
            solution=("1 ',=0", "1"),
            next=_since_comma,
            draw=_words,
            close=0.3,
        ),
    )
}
"""Tasks for a memory cell, by name."""
