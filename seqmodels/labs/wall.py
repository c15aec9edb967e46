"""The wall: the loss of the smallest recurrent network over its two weights, and gradient descent on it.

    x_t = w sigmoid(x_{t-1}) + b,   x_0 = 0.5,   loss = (sigmoid(x_50) - 0.7)^2

Where the unit has two states to settle in, a small change of the weights decides between them: there the loss is a wall, and its
gradient is huge. Pascanu et al. 2013, figure 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

STEPS, START, TARGET = 50, 0.5, 0.7
CLIPPINGS = ("none", "norm", "value")
MOST_UPDATES = 60

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """The loss at every w (columns) and b (rows)."""

    w: Array
    b: Array
    loss: Array  # (b, w)


@dataclass(frozen=True)
class Descent:
    """The points that gradient descent visits, (updates + 1,) each, the start first."""

    clipping: str
    w: Array
    b: Array
    loss: Array
    norm: Array  # of the gradient at each, before it is clipped
    clipped: NDArray[np.bool_]  # whether the step from there is


def loss_and_gradient(w: ArrayLike, b: ArrayLike) -> tuple[Array, Array, Array]:
    """The loss, and its derivatives by w and by b, at points of one shape; the derivatives are carried forward with the state."""
    w, b = np.broadcast_arrays(np.asarray(w, float), np.asarray(b, float))
    state, by_w, by_b = np.full(w.shape, START), np.zeros(w.shape), np.zeros(w.shape)
    for _ in range(STEPS):
        open_ = _sigmoid(state)
        slope = w * open_ * (1 - open_)
        by_w, by_b = open_ + slope * by_w, 1 + slope * by_b
        state = w * open_ + b
    output = _sigmoid(state)
    error = output - TARGET
    outer = 2 * error * output * (1 - output)
    return error**2, outer * by_w, outer * by_b


def surface(w: Array, b: Array) -> Surface:
    """The loss over a grid."""
    return Surface(w, b, loss_and_gradient(*np.meshgrid(w, b))[0])


def descend(w: float, b: float, *, rate: float, clipping: str = "none", threshold: float = 1.0, updates: int = 20) -> Descent:
    """So many updates from a point. Clipping by `norm` keeps the gradient's direction, by `value` it cuts its two numbers."""
    if clipping not in CLIPPINGS:
        raise ValueError(f"unknown clipping {clipping!r}: choose one of {', '.join(CLIPPINGS)}")
    if not 0 <= updates <= MOST_UPDATES:
        raise ValueError(f"{updates} updates: give at most {MOST_UPDATES}")
    point, visited = np.array([w, b], float), []
    for _ in range(updates + 1):
        loss, by_w, by_b = loss_and_gradient(*point)
        gradient = np.array([by_w, by_b])
        norm = float(np.hypot(*gradient))
        step = clip(gradient, clipping, threshold)
        visited.append((*point, float(loss), norm, not np.array_equal(step, gradient)))
        point = point - rate * step
    columns = [np.array(column) for column in zip(*visited, strict=True)]
    return Descent(clipping, *columns)


def clip(gradient: Array, clipping: str, threshold: float) -> Array:
    """A gradient of any shape, clipped as training does."""
    if clipping == "value":
        return np.clip(gradient, -threshold, threshold)
    norm = float(np.linalg.norm(gradient))
    return gradient * (threshold / norm) if clipping == "norm" and norm > threshold else gradient


def _sigmoid(values: Array) -> Array:
    return 0.5 * (1 + np.tanh(values / 2))  # which never overflows
