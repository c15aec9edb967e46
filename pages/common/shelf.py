"""Values that take long to make, kept for all visitors: those used last, of at most so much weight together."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

SAMPLE, FIELDS = 3, 64  # items of a list, and values of a mapping or an object, that are weighed for all of them
_PLAIN = frozenset((str, bytes, int, float, complex, bool, type(None)))


class Shelf(Generic[Value]):
    """`most` is asked anew each time. A value weighs what `weigh` says, else its bytes; one of more than `most` is not kept.

    With `ahead`, that much room is made before a value is, and values are made one at a time: each is large while it is made.
    """

    def __init__(self, most: Callable[[], float], weigh: Callable[[Value], int] | None = None, *, ahead: int = 0) -> None:
        self._most, self._weigh, self._ahead = most, weigh, ahead
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()  # of all that is here; never held while a value is made
        self._turns: dict[Hashable, threading.Lock] = {}
        self._only_turn = threading.Lock() if ahead else None
        self.weight = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """A value, made now if it is not here: once, however many ask for it at a time. What `make` raises is raised."""
        found = self._find(key)
        if found is None:
            with self._turn(key):
                found = self._find(key) or self._make(key, make)
        return found[0]

    def find(self, key: Hashable) -> Value | None:
        """A value, if it is here. Never waits for one that is being made."""
        found = self._find(key)
        return None if found is None else found[0]

    def items(self) -> list[tuple[Any, Value]]:
        """What is here now, by its key."""
        with self._lock:
            return [(key, value) for key, (value, _) in self._kept.items()]

    def _find(self, key: Hashable) -> tuple[Value, int] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    @contextmanager
    def _turn(self, key: Hashable) -> Iterator[None]:
        if self._only_turn is not None:
            with self._only_turn:
                yield
            return
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            try:
                yield
            finally:
                with self._lock:
                    self._turns.pop(key, None)

    def _make(self, key: Hashable, make: Callable[[], Value]) -> tuple[Value, int]:
        if self._ahead:
            with self._lock:
                self._let_go(self._most() - self._ahead)
        value, most = make(), self._most()
        entry = value, size_of(value) + size_of(key) if self._weigh is None else self._weigh(value)
        if entry[1] <= most:
            with self._lock:
                self._kept[key] = entry
                self.weight += entry[1]
                self._let_go(most)
        return entry

    def _let_go(self, most: float) -> None:
        while self._kept and self.weight > most:
            self.weight -= self._kept.popitem(last=False)[1][1]


def size_of(value: object) -> int:
    """About how many bytes a value takes, with all that it refers to. Of a long list, some items are weighed for all."""
    return _weigh(value, set())


def _weigh(value: Any, seen: set[int]) -> int:
    if id(value) in seen:
        return 0
    seen.add(id(value))
    return _scale(type(value))(value, seen)  # type: ignore[arg-type]


@cache
def _scale(kind: type) -> Callable[[Any, set[int]], int]:
    """What weighs the values of a type: most types are met many times, and it takes a while to tell."""
    if kind in _PLAIN:
        return lambda value, seen: sys.getsizeof(value)
    if issubclass(kind, type) or any("__call__" in vars(base) for base in kind.__mro__):
        return lambda value, seen: 0
    if hasattr(kind, "nbytes"):  # an array, a view of one, or what knows its own weight
        return lambda value, seen: max(sys.getsizeof(value), int(value.nbytes))
    if issubclass(kind, Mapping):
        # not the pairs: each is gone at once, and the next may have its id
        return lambda value, seen: sys.getsizeof(value) + sum(_items(part(), seen, FIELDS) for part in (value.keys, value.values))
    if issubclass(kind, Sequence | Set):
        return lambda value, seen: sys.getsizeof(value) + _items(value, seen, SAMPLE)
    names = [*(name for base in kind.__mro__ for name in getattr(base, "__slots__", ())), "__dict__"]
    return lambda value, seen: sys.getsizeof(value) + sum(_weigh(getattr(value, name, None), seen) for name in names)


def _items(items: Collection[Any], seen: set[int], most: int) -> int:
    total = taken = 0
    for item in islice(items, 0, None, max(1, len(items) // most)):
        total += _weigh(item, seen)
        taken += 1
    return round(total * len(items) / max(1, taken))
