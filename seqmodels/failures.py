"""Failures of the machine, told from those of the program."""

from __future__ import annotations

import errno

OUT_OF_MEMORY = "there is not enough memory for this: give a shorter text, a smaller batch or network, or close other programs"

LEAST_ADDRESS_SPACE = 700  # megabytes: with less, libraries that torch brings end the process in their own words

# torch has no error class for it: its allocators, its kernels and threads each say it in words, as does the loader of libraries
_SAID = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "could not create a memory",
    "can't start new thread",
    "failed to map segment",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's own error, one of torch's, or that of a library which could not be loaded."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError | ImportError) and any(words in said for words in _SAID)


def check_address_space() -> None:
    """ValueError where this process may not have the memory to begin with: see LEAST_ADDRESS_SPACE."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and allowed < LEAST_ADDRESS_SPACE << 20:
        raise ValueError(
            f"this process may use {allowed >> 20:,} MB of memory, and the libraries alone need {LEAST_ADDRESS_SPACE} MB: "
            "allow it more, as `ulimit -v` shows"
        )
