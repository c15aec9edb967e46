"""A run's settings: as dataclasses for the library, as plain values by name for config.json, and as short texts for a link."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

from seqmodels.corpora import Columns
from seqmodels.fields import Setting, described, setting
from seqmodels.tasks import DataConfig, ModelConfig, find_task
from seqmodels.training import LARGEST, Clipping, LiveSettings, TrainConfig

NONE = "none"  # how a link says None
LONGEST_PROBE = 300  # characters
Flat = dict[str, Any]  # str, int, float, bool or None by name

_OWN = ("task", "probe", "weights_seed")
_DATA = {"seed": "data_seed"}  # what a data setting is called where another has its name
_COLUMNS = "columns"  # of the data: settings of their own
_PROBE_HELP = {  # by what the task predicts
    "tags": "After every epoch you see the tags that the network gives this sentence.",
    "next token": "After every epoch the network continues this text.",
}


@dataclass(frozen=True)
class Settings:
    """What a run trains, on what, and how.

    `probe` is the text whose tags are shown after every epoch, or how a language model's sample begins. `weights_seed` draws the
    first weights: two runs with the same one, the same network and data start from the same; None takes the training's seed.
    """

    task: str
    model: ModelConfig
    training: TrainConfig
    data: DataConfig = field(default_factory=DataConfig)
    probe: str = setting("", "Text to watch", _PROBE_HELP, longest=LONGEST_PROBE, tasks=lambda task: bool(task.probe))
    weights_seed: int | None = None

    def __post_init__(self) -> None:
        find_task(self.task)
        if len(self.probe) > LONGEST_PROBE:
            raise ValueError(f"the text to watch has {len(self.probe)} characters: give at most {LONGEST_PROBE}")
        if self.weights_seed is not None and self.weights_seed < 0:
            raise ValueError(f"weights_seed is {self.weights_seed}: it must be at least 0")


SETTINGS: dict[str, Setting] = {
    **described(Settings),
    **{_DATA.get(name, name): known for name, known in described(DataConfig).items()},
    **described(Columns),
    **described(ModelConfig),
    **described(TrainConfig),
    "clip_threshold": described(Clipping)["threshold"],
}
"""What is known of each plain value: how a form asks for it."""


def default_settings(task: str, cell: str = "gru") -> Settings:
    """The recipe of the task's shipped models."""
    found = find_task(task)
    return Settings(task, replace(found.model, cell=cell), found.training)


def demo_settings(task: str, changes: Mapping[str, Any] | None = None) -> Settings:
    """The task's settings for watching, with some changed: values by name, or the texts that a link has."""
    found = find_task(task)
    demo = found.demo
    data = DataConfig(sentences=demo.sentences, dev_sentences=demo.dev_sentences)
    settings = Settings(task, demo.model, demo.training, data, found.probe)
    return from_flat({**to_flat(settings), **(changes or {}), "task": task})


def to_flat(settings: Settings) -> Flat:
    """Every setting by name; those of a file's columns only where they are given: runs of earlier versions have none."""
    own = {name: getattr(settings, name) for name in _OWN}
    data = {_DATA.get(name, name): value for name, value in vars(settings.data).items() if name != _COLUMNS}
    data |= {name: value for name, value in vars(settings.data.columns).items() if value != SETTINGS[name].default}
    return {**own, **data, **vars(settings.model), **flat_training(settings.training)}


def from_flat(values: Mapping[str, Any]) -> Settings:
    """The inverse of `to_flat`, also of texts as a link has them. What is not given is as in the task's recipe.

    ValueError names an unknown setting, or one with a wrong value.
    """
    if "task" not in values:
        raise ValueError("the settings name no task: add one, such as task=pos")
    task = read("task", values["task"], str)
    start = {**asdict(Columns()), **to_flat(default_settings(task, read("cell", values.get("cell", "gru"), str)))}
    unknown = sorted(set(values) - set(start))
    if unknown:
        raise ValueError(f"unknown setting {unknown[0]!r}: choose from {', '.join(sorted(start))}")
    kinds = _kinds()
    flat = {**start, **{name: read(name, value, kinds[name]) for name, value in values.items()}}
    clip = None if flat["clip"] is None else Clipping(flat["clip"], flat["clip_threshold"])
    return Settings(
        **{name: flat[name] for name in _OWN},
        model=ModelConfig(**_part(flat, ModelConfig)),
        training=TrainConfig(**{**_part(flat, TrainConfig), "clip": clip}),
        data=DataConfig(**_data(flat), columns=Columns(**_part(flat, Columns))),
    )


def to_link(settings: Settings) -> dict[str, str]:
    """The settings as parameters of a link: the task, the cell, and what differs from the task's recipe."""
    flat, usual = to_flat(settings), to_flat(default_settings(settings.task, settings.model.cell))
    return {name: _text(value) for name, value in flat.items() if name in ("task", "cell") or value != usual.get(name)}


def change(live: LiveSettings, changes: Mapping[str, Any]) -> LiveSettings:
    """What may change while a run goes on, with these values: learning_rate, clip, clip_threshold, patience."""
    clip = live.clip or Clipping()
    kind = changes.get("clip", None if live.clip is None else clip.kind)
    threshold = changes.get("clip_threshold", clip.threshold)
    return LiveSettings(
        learning_rate=changes.get("learning_rate", live.learning_rate),
        clip=None if kind is None else Clipping(kind, threshold),
        patience=changes.get("patience", live.patience),
    )


def flat_training(training: TrainConfig) -> Flat:
    """Every setting by name: the clipping as `clip`, its kind or None, and `clip_threshold`."""
    clip = training.clip or Clipping()
    return {**asdict(training), "clip": None if training.clip is None else clip.kind, "clip_threshold": clip.threshold}


def _part(flat: Flat, kind: type[ModelConfig] | type[TrainConfig] | type[Columns]) -> Flat:
    return {field.name: flat[field.name] for field in fields(kind)}


def _data(flat: Flat) -> Flat:
    return {field.name: flat[_DATA.get(field.name, field.name)] for field in fields(DataConfig) if field.name != _COLUMNS}


def _kinds() -> dict[str, Any]:
    """The type of each plain value."""
    found: dict[str, Any] = {}
    for part in (ModelConfig, TrainConfig, Columns, Settings):
        found |= get_type_hints(part)
    found |= {_DATA.get(name, name): kind for name, kind in get_type_hints(DataConfig).items()}
    return {**found, "clip": str | None, "clip_threshold": float}


def read(name: str, value: Any, kind: Any) -> Any:
    """A value of that type, or the text of one."""
    choices = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    if type(None) in choices and (value is None or value == NONE):
        return None
    (wanted,) = (choice for choice in choices if choice is not type(None))
    if wanted is bool:
        if value in (True, False, "true", "false"):
            return value in (True, "true")
        raise ValueError(f"{name} is {value!r}: give true or false")
    if isinstance(value, str if wanted is str else str | int | float) and not isinstance(value, bool):
        try:
            found = wanted(value)
            if wanted is not int or ((isinstance(value, str) or found == value) and abs(found) <= LARGEST):
                return found
        except (ValueError, OverflowError):
            pass
    described = {int: f"a whole number up to {LARGEST}", float: "a number", str: "a text"}[wanted]
    raise ValueError(f"{name} is {value!r}: give {described}{f', or {NONE}' if type(None) in choices else ''}")


def _text(value: Any) -> str:
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value)
