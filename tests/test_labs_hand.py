"""A memory cell set by hand, and its puzzles."""

from __future__ import annotations

import numpy as np
import pytest

from seqmodels.labs.hand import Gate, Hand, Signal, run
from seqmodels.labs.puzzles import PUZZLES, Puzzle, check, unseen


def hand(mu: str, lam: str) -> Hand:
    return Hand(Gate.read(mu), Gate.read(lam))


@pytest.mark.parametrize(
    ("text", "symbols", "values"),
    [
        ("0 1 0", "0 1 0", (0, 1, 0)),
        ("010", "0 1 0", (0, 1, 0)),
        ("0.5 -1 −.25 1.0", "0.5 -1 -.25 1.0", (0.5, -1, -0.25, 1)),
        ("a,bc", "a , b c", (1, 0, 1, 1)),
    ],
)
def test_a_signal_is_numbers_or_signs(text: str, symbols: str, values: tuple[float, ...]) -> None:
    signal = Signal.read(text)
    assert signal.symbols == tuple(symbols.split())
    assert signal.values == values


def test_an_empty_signal_says_what_to_type() -> None:
    with pytest.raises(ValueError, match="type numbers"):
        Signal.read("  ")


@pytest.mark.parametrize("text", ["1", "0.8 empty=1", "0 ',=1 @3=0.25", "1 '==0 '@=1"])
def test_a_gate_is_read_as_it_is_written(text: str) -> None:
    assert str(Gate.read(str(Gate.read(text)))) == str(Gate.read(text))
    assert Gate.read(str(Gate.read(text))) == Gate.read(text)


@pytest.mark.parametrize("text", ["", "2", "x", "1 @0=1", "1 @=1", "1 '=1", "empty=1", "1 @3=1.5", "nan", "1 where=0"])
def test_what_is_no_gate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        Gate.read(text)


def test_the_memory_follows_the_law() -> None:
    chance = np.random.default_rng(0)
    mu, lam, F = (chance.integers(0, 100, 12) / 100 for _ in range(3))
    text = [" ".join(["0", *(f"@{step + 1}={value:g}" for step, value in enumerate(values))]) for values in (mu, lam)]
    course = run([Signal(tuple(f"{value:g}" for value in F))], hand(*text))
    memory = 0.0
    for step in range(12):
        memory = mu[step] * memory + lam[step] * F[step]
        assert course.memory[0, step].item() == pytest.approx(memory)


def test_the_more_special_rule_counts() -> None:
    gate = Gate.read("0.1 empty=0.2 'a=0.3 @2=0.4")
    places = [
        gate.rules[gate.place(step, symbol, memory)]
        for step, symbol, memory in ((0, "b", 1), (0, "b", 0), (0, "a", 0), (1, "a", 0))
    ]
    assert places == [0.1, 0.2, 0.3, 0.4]
    assert gate.with_value("", 1.0).rules == {**gate.rules, "": 1.0}


@pytest.mark.parametrize("puzzle", PUZZLES.values(), ids=PUZZLES.keys())
def test_the_solution_solves_the_puzzle_on_every_signal_and_the_beginning_does_not(puzzle: Puzzle) -> None:
    signal = Signal.read(puzzle.signal)
    solved = check(puzzle, signal, hand(*puzzle.solution))
    assert (solved.solved, solved.unseen) == (True, 1)
    begun = check(puzzle, signal, hand(puzzle.mu, puzzle.lam))
    assert not begun.solved
    assert begun.unseen < 0.5
    assert abs(begun.errors[begun.worst]) == max(map(abs, begun.errors)) > puzzle.close


def test_the_memory_that_a_puzzle_wants_is_what_its_goal_says() -> None:
    for name, text, wanted in (
        ("latch", "0 0 0.6 0 1 0.3", [0, 0, 0.6, 0.6, 0.6, 0.6]),
        ("counter", "0 1 1 0 1", [0, 1, 2, 2, 3]),
        ("comma", "ab,c,,de", [1, 2, 0, 1, 0, 0, 1, 2]),
        ("average", "1 1 0", [0.2, 0.36, 0.288]),
    ):
        assert PUZZLES[name].targets([Signal.read(text)])[0].tolist() == pytest.approx(wanted)


def test_gates_for_single_steps_solve_this_signal_and_few_others() -> None:
    """The latch needs a gate that depends on the memory."""
    puzzle = PUZZLES["latch"]
    found = check(puzzle, Signal.read("0 0 0.6 0 0 1"), hand("1", "0 @3=1"))
    assert found.solved
    assert found.unseen < 0.5


def test_the_signals_of_a_puzzle_follow_from_the_seed() -> None:
    puzzle = PUZZLES["comma"]
    assert puzzle.signals(5, seed=3) == puzzle.signals(5, seed=3) != puzzle.signals(5, seed=4)
    signals, targets = unseen(puzzle)
    assert targets.shape == (len(signals), len(signals[0]))
