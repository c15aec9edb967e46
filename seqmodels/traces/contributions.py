"""Who wrote the memory, and how long it lasts. By the law the memory is an exact sum over the words that were read:

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

START = "start"  # what a memory before the first token is called, unless it stands for something


def contributions(layer: LayerTrace, token: int) -> Array:
    """(tokens, units): how much of the memory at `token` each word wrote. The rows sum to the memory.

    If the layer did not start from zero, what is left of its start is the rest of the memory: see `start_contributions`, and
    `with_start`, which gives it a row of its own.
    """
    mu = layer.as_read(layer.mu)
    end = _reading_step(layer, token)
    kept = np.zeros_like(mu)
    kept[end] = 1
    # from the chosen word back to the first: each word is kept by all that were read after it
    np.cumprod(mu[end:0:-1], axis=0, out=kept[:end][::-1])
    return layer.as_read(kept) * layer.written


def start_contributions(layer: LayerTrace) -> Array:
    """(tokens, units): what is left, at each token, of the memory before the first; zero where there was none.

    With the words' contributions to a memory it sums to that memory.
    """
    if layer.start is None:
        return np.zeros_like(layer.mu)
    return layer.as_read(np.cumprod(layer.as_read(layer.mu), axis=0)) * layer.start


def start_retention(layer: LayerTrace) -> Array:
    """(tokens,): how much of the memory before the first token is left at each, as a share of its L2 norm over the units."""
    start = np.zeros_like(layer.mu[0]) if layer.start is None else layer.start
    return _share(np.linalg.norm(start_contributions(layer), axis=1), np.asarray(np.linalg.norm(start)))


def contribution_norms(layer: LayerTrace) -> Array:
    """(tokens, tokens): row t, column s: the L2 norm over the units of what s wrote of the memory at t.

    The work grows with the square of the tokens.
    """
    mu, written = layer.as_read(layer.mu), layer.as_read(layer.written)
    norms = np.zeros((len(mu), len(mu)), mu.dtype)
    left = np.zeros_like(mu)  # (source, units): what each word wrote of the memory of the step
    for step in range(len(mu)):
        left[:step] *= mu[step]
        left[step] = written[step]
        norms[step, : step + 1] = np.linalg.norm(left[: step + 1], axis=1)
    return layer.as_read(layer.as_read(norms).T).T


def contribution_shares(layer: LayerTrace) -> Array:
    """(tokens, tokens): the norms as shares of their row's sum; a memory that nobody wrote stays zero."""
    norms = contribution_norms(layer)
    return _share(norms, norms.sum(axis=1, keepdims=True))


def unit_retention(layer: LayerTrace, source: int) -> Array:
    """(tokens, units): the share of what a unit held after `source` that is left at each token; 0 where it isn't read yet.

    The product of mu over the words read after the source, so 1 at the source itself.
    """
    mu = layer.as_read(layer.mu)
    start = _reading_step(layer, source)
    left = np.zeros_like(mu)
    left[start] = 1
    np.cumprod(mu[start + 1 :], axis=0, out=left[start + 1 :])
    return layer.as_read(left)


def retention(layer: LayerTrace, source: int) -> Array:
    """(tokens,): how much of what `source` wrote is left at each token, as a share of its L2 norm over the units."""
    norms = np.linalg.norm(unit_retention(layer, source) * layer.written[source], axis=1)
    return _share(norms, norms[source])  # by that sum itself, as another order of adding may round to less than all


def retention_map(layer: LayerTrace) -> Array:
    """(tokens, tokens): row t, column s: the retention of s at t."""
    norms = contribution_norms(layer)
    return _share(norms, np.diagonal(norms))


def collapse(traced: Trace, window: slice) -> Trace:
    """The window, with all words before it as one word and all after it as one, where there are any.

    Such a word writes at once what its words left: mu=0, lam=1, F=memory. The law holds for it, so what is written of a memory
    inside the window still sums to that memory, however long the text.
    """
    start, stop, _ = window.indices(len(traced.tokens))
    parts = (slice(start), slice(start, stop), slice(stop, None))
    later = len(traced.tokens) - stop
    earlier_word, later_word = [f"{start:,} words before"] * bool(start), [f"{later:,} words after"] * bool(later)
    layers = []
    for layer in traced.layers:
        before, inside, after = map(layer.window, parts)
        layers.append(_joined([_as_one_word(before), inside, _as_one_word(after)], layer.start))
    return replace(traced, tokens=(*earlier_word, *traced.tokens[start:stop], *later_word), layers=tuple(layers))


def with_start(traced: Trace) -> Trace:
    """The same with a token more for a memory before the first, if there is one: it writes at once what a layer started with.

    It stands where the reading begins: for backward layers at the end. All that is said of words then holds for it too.
    """
    name = traced.condition or START
    first, last = (
        any(layer.start is not None and layer.backward == backward for layer in traced.layers) for backward in (False, True)
    )
    layers = []
    for layer in traced.layers:
        begin, end = (_start_token(layer, writes=layer.backward == backward) for backward in (False, True))
        layers.append(_joined([begin] * first + [layer] + [end] * last, None))
    return replace(traced, tokens=((name,) * first + traced.tokens + (name,) * last), layers=tuple(layers))


def law_error(layer: LayerTrace) -> Array:
    """(tokens, units): how far the memory is from what the law makes of the gates: rounding, and nothing else."""
    parts: list[Any] = [layer.mu, layer.lam, layer.candidate, layer.previous()]
    *gates, previous = parts
    return np.abs(layer.memory - update(previous, Gates(*gates)))


def _share(values: Array, whole: Array) -> Array:
    return np.divide(values, whole, out=np.zeros_like(values), where=whole > 0)


def _as_one_word(layer: LayerTrace) -> LayerTrace:
    """One token, or none if there are none, that writes the memory as the last token read leaves it."""
    end = layer.window(slice(1) if layer.backward else slice(-1, None))
    return replace(end, mu=np.zeros_like(end.mu), lam=np.ones_like(end.lam), candidate=end.memory)


def _start_token(layer: LayerTrace, *, writes: bool) -> LayerTrace:
    """One token that writes the memory that a layer started with; or, at the other end, that leaves the last one as it is."""
    token = layer.window(slice(1) if layer.backward != writes else slice(-1, None))
    zero, one = np.zeros_like(token.mu), np.ones_like(token.mu)
    if not writes:
        return replace(token, mu=one, lam=zero, candidate=zero)
    memory = zero if layer.start is None else layer.start[None]
    return replace(token, mu=zero, lam=one, candidate=memory, memory=memory, start=None)


def _joined(parts: Sequence[LayerTrace], start: Array | None) -> LayerTrace:
    """Parts of one layer and direction, one after the other in the order of the text, from the memory before the first read."""
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].arrays()}
    return replace(parts[0], start=start, **arrays)


def _reading_step(layer: LayerTrace, token: int) -> int:
    layer.check(token)
    return len(layer.mu) - 1 - token if layer.backward else token
