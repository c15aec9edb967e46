"""Failures of the machine, told from those of the program."""

from __future__ import annotations

OUT_OF_MEMORY = "there is not enough memory for this: give a shorter text, a smaller batch or network, or close other programs"

# torch has no error class for it: its allocators, its kernels and threads each say it in words
_SAID = ("can't allocate memory", "not enough memory", "out of memory", "could not create a memory", "can't start new thread")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's own error, or one of torch's."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(words in said for words in _SAID))
