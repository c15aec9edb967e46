"""Where a training stands, in one .safetensors file: the model's weights, the trainer's state, and what they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import nn

from seqmodels.checkpoints import write_tensors
from seqmodels.training import LiveSettings, Tensors, TrainState

_KEY = "run"  # of our JSON in the file's header
_MODEL = "model"
_GROUPS = ("optimizer", "best_weights", "carry")  # fields that hold tensors by name
_RNG = "rng"


def save_state(path: Path, model: nn.Module, state: TrainState, header: Mapping[str, Any]) -> None:
    """Write atomically. `header` comes back from `load_state`."""
    groups = {_MODEL: model.state_dict(), **{name: getattr(state, name) for name in _GROUPS}}
    tensors = {f"{group}/{name}": value.contiguous() for group, values in groups.items() for name, value in values.items()}
    if state.rng is not None:
        tensors[_RNG] = state.rng
    figures = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in (*_GROUPS, _RNG, "live")}
    figures["live"] = None if state.live is None else asdict(state.live)
    write_tensors(path, tensors, {_KEY: json.dumps({**header, "state": figures})})


@dataclass(frozen=True)
class Saved:
    """What a state file holds: `header` is as it was given, `weights` are the model's."""

    header: dict[str, Any]
    state: TrainState
    weights: Tensors


def load_state(path: Path) -> Saved:
    """The inverse of `save_state`. ValueError if the file is damaged."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_KEY])
        tensors = safetensors.torch.load_file(path)
        return Saved(header, _state(header.pop("state"), tensors), _group(tensors, _MODEL))
    except (KeyError, TypeError, ValueError, OSError, safetensors.SafetensorError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it to start this training over") from None


def _state(figures: dict[str, Any], tensors: Tensors) -> TrainState:
    live = figures.pop("live")
    state = TrainState(**figures, live=None if live is None else LiveSettings.from_dict(live), rng=tensors.get(_RNG))
    for group in _GROUPS:
        setattr(state, group, _group(tensors, group))
    return state


def _group(tensors: Tensors, group: str) -> Tensors:
    prefix = f"{group}/"
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
