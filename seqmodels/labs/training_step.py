"""One update of a real network where its gradient explodes: where the weights go and what the loss does, with clipping and without.

An Elman network with relu learns the adding problem by plain gradient descent until an update makes the loss of its own batch ten
times as large. That update is then made three times from the same weights: as it is, clipped by norm, and clipped by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from seqmodels import initialization
from seqmodels.labs.wall import CLIPPINGS
from seqmodels.models import SequenceReader
from seqmodels.tasks.generated import AddingTask
from seqmodels.training import Clipping
from seqmodels.training.optimization import clip

MOST_UPDATES = 12  # before an explosion is given up
TENFOLD = 10.0

_TASK = AddingTask()
_UNITS, _LENGTH, _BATCH = 32, 40, 16
_POINTS = 40  # of a line
_BEFORE, _BEYOND = 0.01, 1.5  # where a line begins, next to the shortest update, and ends, next to its own

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """What is trained, and how."""

    scheme: str = "orthogonal"  # one of initialization.SCHEMES
    gain: float = 1.3
    rate: float = 0.03
    threshold: float = 1.0
    seed: int = 3


@dataclass(frozen=True)
class Landing:
    """Where an update puts the weights."""

    clipping: str  # one of CLIPPINGS
    distance: float  # moved, over all weights
    loss: float  # of the same batch
    radius: float  # the spectral radius of U


@dataclass(frozen=True)
class Line:
    """The loss of the batch on the way, in the direction of an update: on, past and before where it lands."""

    clipping: str
    distance: Array
    loss: Array


@dataclass(frozen=True)
class Explosion:
    """The update."""

    losses: Array  # (updates + 1,): of each batch before its update, this one's last
    norm: float  # of the gradient
    size: float  # of all weights together, before
    radius: float  # of U, before
    landings: tuple[Landing, ...]  # in the order of CLIPPINGS
    lines: tuple[Line, ...]  # of the gradient, which a clipped norm leaves as it is, and of what clipping by value makes of it

    @property
    def loss(self) -> float:
        """Before the update."""
        return float(self.losses[-1])

    @property
    def explodes(self) -> bool:
        """Whether the update, as it is, makes the loss at least ten times as large."""
        return not self.landings[0].loss < TENFOLD * self.loss


def explode(training: Training) -> Explosion:
    """The first update that explodes, else the last of MOST_UPDATES."""
    with torch.inference_mode(False), torch.enable_grad():
        model = _model(training)
        losses = []
        for batch in _batches(training):
            loss = _loss(model, batch)
            model.zero_grad()
            loss.backward()
            losses.append(loss.item())
            after = _moved(model, _direction(model, None), training.rate)
            if len(losses) > MOST_UPDATES or not float(_loss_at(model, after, batch)) < TENFOLD * losses[-1]:
                break
            model.load_state_dict(after)
        return _study(training, model, batch, np.array(losses))


def _study(training: Training, model: SequenceReader, batch: tuple[Tensor, Tensor], losses: Array) -> Explosion:
    # clipping changes the gradient in place: the directions are taken from what it was
    gradient = _direction(model, None)
    directions = {"none": gradient}
    for clipping in CLIPPINGS[1:]:
        for parameter, value in zip(model.parameters(), gradient, strict=True):
            parameter.grad = value.clone()
        directions[clipping] = _direction(model, Clipping(clipping, training.threshold))
    landings = []
    for clipping, direction in directions.items():
        after = _moved(model, direction, training.rate)
        moved = training.rate * _size(direction)
        radius = _radius(after["recurrent.kernels.0.weight_hh_l0"])
        landings.append(Landing(clipping, moved, float(_loss_at(model, after, batch)), radius))
    shortest = min(landing.distance for landing in landings)
    lines = []
    for landing in (landings[0], landings[2]) if shortest else ():
        unit = _size(directions[landing.clipping])
        distances = np.geomspace(_BEFORE * shortest, _BEYOND * landing.distance, _POINTS)
        points = [float(_loss_at(model, _moved(model, directions[landing.clipping], far / unit), batch)) for far in distances]
        lines.append(Line(landing.clipping, distances, np.array(points)))
    size = _size([parameter.detach() for parameter in model.parameters()])
    hidden = model.recurrent.weights(0).hidden.detach()
    return Explosion(losses, _size(gradient), size, _radius(hidden), tuple(landings), tuple(lines))


def _model(training: Training) -> SequenceReader:
    """Drawn from the seed alone: torch's own generator is shared by all that runs beside it."""
    draw = torch.Generator().manual_seed(training.seed)
    sizes = _TASK.vocabulary_of_all
    model = SequenceReader(sizes.inputs, sizes.outputs, "elman", _UNITS, activation="relu").double()
    weights = model.recurrent.weights(0)
    with torch.no_grad():
        initialization.fill(weights.hidden, training.scheme, training.gain, draw)
        nn.init.normal_(weights.input, std=sizes.inputs**-0.5, generator=draw)
        nn.init.uniform_(model.head.weight, -(_UNITS**-0.5), _UNITS**-0.5, generator=draw)
        for bias in (weights.input_bias, weights.hidden_bias, model.head.bias):
            nn.init.zeros_(bias)
    return model


def _batches(training: Training) -> list[tuple[Tensor, Tensor]]:
    examples = _TASK.generate(_BATCH * (MOST_UPDATES + 1), _LENGTH, training.seed)
    inputs = torch.stack([example.inputs for example in examples]).double()
    targets = torch.stack([example.target for example in examples]).double()
    return list(zip(inputs.split(_BATCH), targets.split(_BATCH), strict=True))


def _loss(model: SequenceReader, batch: tuple[Tensor, Tensor]) -> Tensor:
    return _TASK.loss(model(batch[0]), batch[1])


@torch.no_grad()
def _loss_at(model: SequenceReader, weights: dict[str, Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
    return _TASK.loss(functional_call(model, weights, (batch[0],)), batch[1])


def _direction(model: SequenceReader, clipping: Clipping | None) -> list[Tensor]:
    """The gradient as training would use it, one tensor a parameter."""
    clip(model, clipping)
    return [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]


def _moved(model: SequenceReader, direction: Sequence[Tensor], rate: float) -> dict[str, Tensor]:
    named = zip(model.named_parameters(), direction, strict=True)
    return {name: parameter.detach() - rate * way for (name, parameter), way in named}


def _size(tensors: Sequence[Tensor]) -> float:
    return float(nn.utils.get_total_norm(tensors))


def _radius(matrix: Tensor) -> float:
    return float(np.abs(np.linalg.eigvals(matrix.numpy())).max()) if matrix.isfinite().all() else float("nan")
