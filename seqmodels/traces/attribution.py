"""From the contributions to the prediction: how much of a tag's or next word's logit each word gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seqmodels.checkpoints import Checkpoint
from seqmodels.traces.contributions import contributions
from seqmodels.traces.layers import Array, LayerTrace, Trace


@dataclass(frozen=True)
class Attribution:
    """A logit at a token, as a sum over the words: `gave` by direction of the last layer, each (tokens,), and the bias.

    `exact` where the output layer reads the memory itself, as in a GRU. An LSTM shows its memory through tanh and a gate: there
    each word's share of what is shown is taken to be its share of the memory, unit by unit. Those sum to the logit too, but what
    a word gave depends on the others; it is a convention, not a fact.
    """

    target: str
    logit: float
    bias: float
    gave: dict[str, NDArray[np.float64]]
    exact: bool

    @property
    def total(self) -> NDArray[np.float64]:
        """What each word gave over all directions, (tokens,)."""
        return np.sum(list(self.gave.values()), axis=0)


def likely(checkpoint: Checkpoint, traced: Trace, token: int, count: int) -> tuple[str, ...]:
    """The targets of the highest logits at a token, the highest first."""
    weight, bias = _output_layer(checkpoint)  # (targets, outputs), (targets,); no temperature changes the order
    logits = weight @ _output(_read_by_the_output_layer(traced), token) + bias
    choices = checkpoint.targets
    return tuple(choices[chosen] for chosen in np.argsort(-logits, kind="stable")[:count])


@torch.inference_mode()
def attribute(checkpoint: Checkpoint, traced: Trace, token: int, target: str | None = None) -> Attribution:
    """The logit of a tag at `token`, or of a word as the one after it, by who wrote what it is read from.

    Without a target, that of the highest logit.
    """
    sides = _read_by_the_output_layer(traced)
    choices = checkpoint.targets
    if target is None:
        (target,) = likely(checkpoint, traced, token, 1)
    elif target not in choices:
        raise ValueError(f"{checkpoint.name} does not know {target!r}: choose one of {', '.join(choices[:20])}")
    chosen = choices.index(target)
    temperature = checkpoint.model.temperature
    weight, bias = (values[chosen].astype(np.float64) / temperature for values in _output_layer(checkpoint))
    readers = np.split(weight, len(sides))
    exact = checkpoint.model.recurrent.cell.memory_is_output
    gave = {side.direction: _shown(side, token, exact=exact) @ reader for side, reader in zip(sides, readers, strict=True)}
    logit = float(weight @ _output(sides, token) + bias)
    return Attribution(target, logit, float(bias), gave, exact)


def _read_by_the_output_layer(traced: Trace) -> list[LayerTrace]:
    last = max(layer.layer for layer in traced.layers)
    return [layer for layer in traced.layers if layer.layer == last]


def _output(sides: Sequence[LayerTrace], token: int) -> Array:
    """What the output layer reads at a token, directions side by side: (outputs,)."""
    return np.concatenate([side.output[token] for side in sides])


def _output_layer(checkpoint: Checkpoint) -> tuple[Array, Array]:
    """(targets, output_size) and (targets,)."""
    model = checkpoint.model
    return model.output_weight.detach().numpy(), model.output_bias.detach().numpy()


def _shown(side: LayerTrace, token: int, *, exact: bool) -> NDArray[np.float64]:
    """(tokens, units): what each word wrote of the output at `token`; rows sum to the output."""
    wrote = contributions(side, token).astype(np.float64)
    if exact:
        return wrote
    memory = side.memory[token].astype(np.float64)
    # what is shown of each unit, as a multiple of its memory; an empty memory has nothing to hand on
    multiple = np.divide(side.output[token], memory, out=np.zeros_like(memory), where=memory != 0)
    return wrote * multiple
