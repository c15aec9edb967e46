"""Who wrote the memory. By the law it is an exact sum over the words that were read:

    memory_t = sum over s of  (prod of mu_k over the words k read after s, up to t) * lam_s * F_s

Every function here takes one layer and direction; for a backward one, the words read before t stand to its right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqmodels.cells import Gates, update
from seqmodels.traces.layers import Array, LayerTrace, Trace


def survival(layer: LayerTrace, source: int) -> Array:
    """(tokens, units): the share of what a unit held after `source` that is left at each token; 0 where it isn't read yet.

    The product of mu over the words read after the source, so 1 at the source itself.
    """
    mu = layer.as_read(layer.mu)
    start = _reading_step(layer, source)
    left = np.zeros_like(mu)
    left[start] = 1
    np.cumprod(mu[start + 1 :], axis=0, out=left[start + 1 :])
    return layer.as_read(left)


def remaining(layer: LayerTrace, source: int) -> Array:
    """(tokens,): how much of what `source` wrote is left at each token, as a share of its L2 norm over the units."""
    written = layer.written[source]
    size = np.linalg.norm(written)
    if size == 0:
        return np.zeros(len(layer.mu), np.float32)
    return np.linalg.norm(survival(layer, source) * written, axis=1) / size


def ledger(layer: LayerTrace, token: int) -> Array:
    """(tokens, units): how much of the memory at `token` each word wrote. The rows sum to the memory.

    If the layer did not start from zero, what is left of its start is the rest of the memory.
    """
    mu = layer.as_read(layer.mu)
    end = _reading_step(layer, token)
    kept = np.zeros_like(mu)
    kept[end] = 1
    # from the chosen word back to the first: each word is kept by all that were read after it
    np.cumprod(mu[end:0:-1], axis=0, out=kept[:end][::-1])
    return layer.as_read(kept) * layer.written


def ledger_norms(layer: LayerTrace, window: slice = slice(None)) -> Array:
    """(tokens, tokens) of a window: row t, column s: the L2 norm over the units of what s wrote of the memory at t.

    What words outside the window wrote is not in it. Work grows with the square of the window.
    """
    part = layer.window(window)
    mu, written = part.as_read(part.mu), part.as_read(part.written)
    norms = np.zeros((len(mu), len(mu)), mu.dtype)
    pages = np.zeros((len(mu), *mu.shape[1:]), mu.dtype)  # (source, units): the ledger of the step
    for step in range(len(mu)):
        pages[:step] *= mu[step]
        pages[step] = written[step]
        norms[step, : step + 1] = np.linalg.norm(pages[: step + 1], axis=1)
    return part.as_read(part.as_read(norms).T).T


def fold(traced: Trace, window: slice) -> Trace:
    """The window, with all words before it as one word and all after it as one, where there are any.

    Such a word writes at once what its words left: mu=0, lam=1, F=memory. The law holds for it, so what is written of a memory
    inside the window still sums to that memory, however long the text.
    """
    start, stop, _ = window.indices(len(traced.tokens))
    before, inside, after = slice(start), slice(start, stop), slice(stop, None)
    later = len(traced.tokens) - stop
    return replace(
        traced,
        tokens=(
            *([f"{start:,} words before"] if start else []),
            *traced.tokens[inside],
            *([f"{later:,} words after"] if later else []),
        ),
        layers=tuple(
            _joined([_as_one_word(layer.window(before)), layer.window(inside), _as_one_word(layer.window(after))], layer.start)
            for layer in traced.layers
        ),
    )


def carried(layer: LayerTrace) -> Array:
    """(tokens, units): what is left at each token of the memory it found: mu times that memory. The rest it wrote itself."""
    return layer.mu * layer.previous()


def law_error(layer: LayerTrace) -> Array:
    """(tokens, units): how far the memory is from what the law makes of the gates: rounding, and nothing else."""
    parts: list[Any] = [layer.mu, layer.lam, layer.candidate, layer.previous()]
    *gates, previous = parts
    return np.abs(layer.memory - update(previous, Gates(*gates)))


def _as_one_word(layer: LayerTrace) -> LayerTrace:
    """One token, or none if there are none, that writes the memory as the last token read leaves it."""
    end = layer.window(slice(1) if layer.backward else slice(-1, None))
    return replace(end, mu=np.zeros_like(end.mu), lam=np.ones_like(end.lam), candidate=end.memory)


def _joined(parts: Sequence[LayerTrace], start: Array | None) -> LayerTrace:
    """Parts of one layer and direction, one after the other in the order of the text, from the memory before the first read."""
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].arrays()}
    return replace(parts[0], start=start, **arrays)


def _reading_step(layer: LayerTrace, token: int) -> int:
    tokens = len(layer.mu)
    if not 0 <= token < tokens:
        raise ValueError(f"there is no token {token}: give a number from 0 to {tokens - 1}")
    return tokens - 1 - token if layer.backward else token
