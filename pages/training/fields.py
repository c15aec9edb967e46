"""The inputs of the settings: each knows the setting that it sets, by name, and what a link or an earlier visit asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

PREFIX = "training-set-"  # of the widgets' keys
NONE = "none"
_DIGITS = (1, 2, 3, 5)


def scale(lowest: int, highest: int) -> tuple[float, ...]:
    """A logarithmic scale from one power of ten to another."""
    steps = [float(f"{digit}e{power}") for power in range(lowest, highest) for digit in _DIGITS]
    return (*steps, float(f"1e{highest}"))


class Fields:
    """Inputs for settings. `start` holds the values at first; `values` what is set now, also of those without an input."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = start
        self.values: dict[str, Any] = dict(start)

    def number(self, name: str, label: str, low: float, high: float, step: float, help: str) -> None:
        """A number. All of low, high and step are whole, or none is."""
        value = self._number(name, label, low, high, step, help)
        self.values[name] = self.start[name] if value is None else value

    def optional(self, name: str, label: str, low: float, high: float, step: float, otherwise: str, help: str) -> None:
        """The same, or none: then the empty field says what holds."""
        self.values[name] = self._number(name, label, low, high, step, help, otherwise)

    def slide(self, name: str, label: str, options: Sequence[float], help: str) -> None:
        """A slider over a scale of its own, to which a value that a link asks for is added."""
        start = float(self.start[name])
        self._first(name, start)
        listed = sorted({*options, start})
        self.values[name] = float(st.select_slider(label, listed, start, format_func="{:g}".format, key=PREFIX + name, help=help))

    def pick(self, name: str, label: str, options: Mapping[Any, str], help: str) -> None:
        """One of a few values, each shown as it is called."""
        listed = list(options)
        start = self.start[name] if self.start[name] in options else listed[0]
        self._first(name, start)
        self.values[name] = st.selectbox(label, listed, format_func=_called(options), key=PREFIX + name, help=help)

    def toggle(self, name: str, label: str, help: str) -> None:
        """On or off."""
        self._first(name, self.start[name])
        self.values[name] = st.toggle(label, key=PREFIX + name, help=help)

    def text(self, name: str, label: str, longest: int, help: str) -> None:
        """One line of text."""
        self._first(name, self.start[name])
        self.values[name] = st.text_input(label, max_chars=longest, key=PREFIX + name, help=help)

    def _number(self, name: str, label: str, low: Any, high: Any, step: Any, help: str, otherwise: str | None = None) -> Any:
        start = self.start[name]
        if start is not None:  # a link may go further than a hand
            start = type(step)(start)
            low, high = min(low, start), max(high, start)
        self._first(name, start)
        shape = "%d" if isinstance(step, int) else "%g"
        return st.number_input(label, low, high, None, step=step, format=shape, key=PREFIX + name, help=help, placeholder=otherwise)

    def _first(self, name: str, value: Any) -> None:
        """What the input shows when it is drawn anew; later the visitor's value stands there."""
        st.session_state.setdefault(PREFIX + name, value)


def forget() -> None:
    """Let every input begin anew. Only between two runs of the page: in a callback."""
    for key in [key for key in st.session_state if str(key).startswith(PREFIX)]:
        del st.session_state[key]


def _called(options: Mapping[Any, str]) -> Callable[[Any], str]:
    return lambda value: options.get(value, str(value))
