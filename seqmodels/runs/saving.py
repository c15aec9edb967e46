"""Where a training stands, in one .safetensors file: the model's weights, the trainer's state, and what they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor, nn

from seqmodels.checkpoints import write_tensors
from seqmodels.training import LiveSettings, TrainState

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


def load_state(path: Path, model: nn.Module) -> tuple[TrainState, dict[str, Any]]:
    """The state and its header; the model takes its weights. ValueError if the file is damaged."""
    header, tensors = _read(path)
    figures = header.pop("state")
    live = figures.pop("live")
    state = TrainState(**figures, live=None if live is None else LiveSettings.from_dict(live), rng=tensors.get(_RNG))
    for group in _GROUPS:
        setattr(state, group, _group(tensors, group))
    model.load_state_dict(_group(tensors, _MODEL))
    return state, header


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_KEY])
        return header, safetensors.torch.load_file(path)
    except (KeyError, ValueError, OSError, safetensors.SafetensorError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it to start this training over") from None


def _group(tensors: Mapping[str, Tensor], group: str) -> dict[str, Tensor]:
    prefix = f"{group}/"
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
