"""One thread draws at a time, none waits for one that takes long, and a turn ends however its block does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from pages.common.turns import Turns

FOR_EVER = 1000.0  # seconds


def in_threads(count: int, act: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_one_at_a_time_has_its_turn() -> None:
    turns, inside, most, done, lock = Turns(FOR_EVER), 0, 0, 0, threading.Lock()

    def draw() -> None:
        nonlocal inside, most, done
        with turns.taken():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.002)  # others come meanwhile
            with lock:
                inside -= 1
                done += 1

    for thread in in_threads(12, draw):
        thread.join()
    assert (most, done) == (1, 12)


def test_who_comes_first_is_first() -> None:
    turns, order = Turns(FOR_EVER), list[int]()

    def note(number: int) -> None:
        with turns.taken():
            order.append(number)

    threads = list[threading.Thread]()
    with turns.taken():
        for number in range(5):
            threads += in_threads(1, partial(note, number))
            while len(turns._line) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_one_that_takes_long_goes_on_while_others_have_their_turn() -> None:
    turns, begun, enough = Turns(0.01), threading.Event(), threading.Event()

    def search() -> None:
        with turns.taken():
            begun.set()
            enough.wait()

    (thread,) = in_threads(1, search)
    begun.wait()
    for _ in range(3):
        with turns.taken():
            assert thread.is_alive()
    enough.set()
    thread.join()


def test_a_part_of_a_page_that_is_being_drawn_does_not_wait_for_the_page() -> None:
    turns = Turns(FOR_EVER)
    with turns.taken(), turns.taken():
        pass
    with turns.taken():
        pass


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns(FOR_EVER)
    with pytest.raises(KeyError), turns.taken():
        raise KeyError
    done = threading.Event()

    def draw() -> None:
        with turns.taken():
            done.set()

    (thread,) = in_threads(1, draw)
    thread.join()
    assert done.is_set()
