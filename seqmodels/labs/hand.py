"""One memory cell whose gates are set by hand, over a signal: memory_t = mu_t * memory_{t-1} + lam_t * F_t, F the signal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from seqmodels.cells import Gates, update

MOST = 30  # steps of a signal
NO_NUMBER = 1.0  # what a letter counts; any other sign without a number counts 0

# where a gate has a value: at every step, while the memory is 0, at a symbol, at a step
EVERY, EMPTY, SYMBOL, STEP = "", "empty", "'", "@"

_SYMBOLS = re.compile(r"-?\d?\.\d+|-?\d|\S")


@dataclass(frozen=True)
class Signal:
    """What a cell reads, a symbol a step."""

    symbols: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Signal:
        """'0 1 0.5' or '010' or 'a,bc'. At most MOST steps are read. ValueError if there are none."""
        symbols = tuple(_SYMBOLS.findall(text.replace("−", "-")))[:MOST]
        if not symbols:
            raise ValueError("the signal is empty: type numbers, such as 0 1 0 0 1, or letters and commas")
        return cls(symbols)

    @property
    def values(self) -> tuple[float, ...]:
        """A number for each step."""
        return tuple(map(value_of, self.symbols))

    def __len__(self) -> int:
        return len(self.symbols)


def value_of(symbol: str) -> float:
    """The number that a cell reads for a symbol: a number is itself, a letter 1, and any other sign 0."""
    try:
        return float(symbol)
    except ValueError:
        return NO_NUMBER if symbol.isalpha() else 0.0


@dataclass(frozen=True)
class Gate:
    """A gate by its rules: its value, in 0..1, by where it has it.

    Of the rules that fit a step the most special one counts: that for the step itself ('@4', counted from 1), for its symbol
    ("',"), for a memory that is 0 ('empty'), for every step ('').
    """

    rules: Mapping[str, float]

    @classmethod
    def read(cls, text: str) -> Gate:
        """The inverse of `str`: "1 empty=0.5 ',=0 @4=0.25". ValueError if it is no such text."""
        rules: dict[str, float] = {}
        for part in text.split():
            where, _, value = part.rpartition("=")
            if not _is_place(where) or not re.fullmatch(r"[01]|[01]?\.\d{1,4}", value) or float(value) > 1:
                raise ValueError(f"{part!r} is no value of a gate: give a number from 0 to 1, such as 0.8, or ',=0 or @4=1")
            rules[where] = float(value)
        if EVERY not in rules:
            raise ValueError(f"{text!r} says nothing of most steps: begin with a number from 0 to 1")
        return cls(MappingProxyType(rules))

    def __str__(self) -> str:
        return " ".join(f"{where}={value:g}" if where else f"{value:g}" for where, value in sorted(self.rules.items()))

    def with_value(self, where: str, value: float) -> Gate:
        """The same with another value there."""
        return Gate(MappingProxyType({**self.rules, where: value}))

    def place(self, step: int, symbol: str, memory: float) -> str:
        """Of its rules the one that counts at a step, counted from 0, with that memory before it."""
        places = (f"{STEP}{step + 1}", f"{SYMBOL}{symbol}", *((EMPTY,) if memory == 0 else ()))
        return next((place for place in places if place in self.rules), EVERY)

    def at(self, step: int, symbols: Sequence[str], memory: Tensor) -> Tensor:
        """Its values at a step of some signals, their symbols there and the memory (signals,) before it -> (signals,)."""
        pairs = list(zip(symbols, (memory != 0).tolist(), strict=True))
        known = {pair: self.rules[self.place(step, *pair)] for pair in set(pairs)}
        return torch.tensor([known[pair] for pair in pairs], dtype=memory.dtype)


def _is_place(where: str) -> bool:
    return where in (EVERY, EMPTY) or (where[0] == SYMBOL and len(where) > 1) or re.fullmatch(r"@[1-9]\d?", where) is not None


@dataclass(frozen=True)
class Hand:
    """Both gates of the cell."""

    mu: Gate
    lam: Gate


@dataclass(frozen=True)
class Course:
    """What a cell does over signals of one length; each (signals, steps)."""

    mu: Tensor
    lam: Tensor
    candidate: Tensor
    memory: Tensor


def run(signals: Sequence[Signal], hand: Hand) -> Course:
    """The cell over some signals of one length, each from a memory of 0."""
    candidate = torch.tensor([signal.values for signal in signals], dtype=torch.float64)  # (signals, steps)
    memory = candidate.new_zeros(len(signals))
    steps = []
    for step, symbols in enumerate(zip(*(signal.symbols for signal in signals), strict=True)):
        gates = Gates(hand.mu.at(step, symbols, memory), hand.lam.at(step, symbols, memory), candidate[:, step])
        memory = update(memory, gates)
        steps.append((gates.mu, gates.lam, memory))
    mu, lam, memories = (torch.stack(parts, dim=1) for parts in zip(*steps, strict=True))
    return Course(mu, lam, candidate, memories)
