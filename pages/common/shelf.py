"""Values that take long to make, kept for all visitors: those used last, of at most so many bytes together."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from itertools import islice
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

SAMPLE = 64  # items of a long list that are weighed for all of them
_PLAIN = (str, bytes, int, float, complex, bool, type(None))


class Shelf(Generic[Value]):
    """`most` is asked anew each time, `weigh` says how many bytes a value takes. One of more than `most` is made and not kept."""

    def __init__(self, most: Callable[[], float], weigh: Callable[[Value], int] | None = None) -> None:
        self._most, self._weigh = most, weigh or size_of
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()  # of all that is here; never held while a value is made
        self._turns: dict[Hashable, threading.Lock] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """A value, made now if it is not here: once, however many ask for it at a time. What `make` raises is raised."""
        found = self._find(key)
        if found is None:
            with self._lock:
                turn = self._turns.setdefault(key, threading.Lock())
            with turn:
                try:
                    found = self._find(key) or self._put(key, make())
                finally:
                    with self._lock:
                        self._turns.pop(key, None)
        return found[0]

    def _find(self, key: Hashable) -> tuple[Value, int] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _put(self, key: Hashable, value: Value) -> tuple[Value, int]:
        entry, most = (value, self._weigh(value) + size_of(key)), self._most()
        if entry[1] <= most:
            with self._lock:
                self._kept[key] = entry
                self.bytes += entry[1]
                while self.bytes > most:
                    self.bytes -= self._kept.popitem(last=False)[1][1]
        return entry


def size_of(value: object) -> int:
    """About how many bytes a value takes, with all that it refers to. Of a long list, some items are weighed for all."""
    return _weigh(value, set())


def _weigh(value: Any, seen: set[int]) -> int:
    if id(value) in seen or isinstance(value, type) or callable(value):
        return 0
    seen.add(id(value))
    alone = sys.getsizeof(value)
    if isinstance(value, _PLAIN):
        return alone
    if hasattr(value, "nbytes"):  # an array, or a view of one
        return max(alone, int(value.nbytes))
    if isinstance(value, Mapping):
        # not the pairs: each is gone at once, and the next may have its id
        return alone + _items(len(value), value.keys(), seen) + _items(len(value), value.values(), seen)
    if isinstance(value, Sequence | Set):
        return alone + _items(len(value), value, seen)
    slots = [getattr(value, name, None) for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return alone + sum(_weigh(part, seen) for part in (*slots, getattr(value, "__dict__", None)))


def _items(count: int, items: Any, seen: set[int]) -> int:
    step = max(1, count // SAMPLE)
    sample = list(islice(items, 0, None, step))
    return round(sum(_weigh(item, seen) for item in sample) * count / max(1, len(sample)))
