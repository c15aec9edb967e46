"""What a training needs at its start, and the checkpoint it leaves at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqmodels import checkpoints
from seqmodels.checkpoints import CheckpointInfo
from seqmodels.corpora import TextFile
from seqmodels.data import DataConfig, data_for
from seqmodels.models import Tagger
from seqmodels.tasks import Task, Vocabulary
from seqmodels.tasks.base import ModelConfig
from seqmodels.tasks.tagging import calibrate
from seqmodels.training import Clipping, Objective, TrainConfig, TrainState
from seqmodels.vocab import TaggerVocab

Scores = dict[str, dict[str, float]]  # by split, then by figure


@dataclass(frozen=True)
class Material:
    """What is trained on, and what is scored on by split; `dev` is among the latter. `names` and `hash` say what it was."""

    train: list[Any]
    held_out: Mapping[str, list[Any]]
    names: tuple[str, ...]
    hash: str

    @property
    def dev(self) -> list[Any]:
        return self.held_out["dev"]


@dataclass(frozen=True)
class Recipe:
    """The network and its training. `weights_seed` draws the first weights; None takes the training's seed for that too."""

    task: Task
    model: ModelConfig
    training: TrainConfig
    weights_seed: int | None = None


@dataclass(frozen=True)
class Setup:
    """All that `fit` is given, and what a checkpoint says."""

    recipe: Recipe
    material: Material
    vocabulary: Vocabulary
    model: nn.Module
    objective: Objective


def read_material(task: str, config: DataConfig, own: TextFile | None = None) -> Material:
    """A source's data, scored on their dev part."""
    data = data_for(task, config, own)
    return Material(data.train, {"dev": data.dev}, data.corpus, data.corpus_hash)


def set_up(recipe: Recipe, material: Material) -> Setup:
    """A fresh model and its objective."""
    seed = recipe.training.seed if recipe.weights_seed is None else recipe.weights_seed
    torch.manual_seed(seed)
    vocabulary = recipe.task.vocabulary(material.train)
    model = recipe.task.build(recipe.model, vocabulary)
    objective = recipe.task.objective(model, vocabulary, material.train, material.dev, batch_size=recipe.training.batch_size)
    return Setup(recipe, material, vocabulary, model, objective)


def describe(setup: Setup, epochs: int, scores: Scores, temperature: float = 1.0) -> CheckpointInfo:
    """What the checkpoint of the model as it is now says of itself; `epochs` made its weights."""
    recipe = setup.recipe
    kept = (value for name, value in setup.model.named_parameters() if not name.startswith(checkpoints.TRAINING_ONLY))
    return CheckpointInfo(
        task=recipe.task.name,
        cell=recipe.model.cell,
        config=asdict(recipe.model),
        parameters=sum(value.numel() for value in kept),
        corpus=setup.material.names,
        corpus_hash=setup.material.hash,
        recipe={**flat_training(recipe.training), **setup.objective.settings()},
        seed=recipe.training.seed,
        epochs=epochs,
        scores=scores,
        temperature=temperature,
        versions=checkpoints.versions(),
    )


def write_scored(path: Path, setup: Setup, state: TrainState) -> Scores:
    """The checkpoint of the model as it is at the end, its probabilities calibrated, scored on every held-out split."""
    epochs = state.best_epoch if setup.recipe.training.restore_best else state.epoch
    temperature = 1.0
    if isinstance(setup.model, Tagger) and isinstance(setup.vocabulary, TaggerVocab):
        temperature = calibrate(setup.model, setup.vocabulary, setup.material.dev)
    info = describe(setup, epochs, {}, temperature)
    checkpoints.save(path, setup.model, setup.vocabulary, info)
    # scored as loaded, so that the figures are those of the rounded weights in the file
    loaded = checkpoints.load(path)
    scores = {
        split: setup.recipe.task.evaluate(loaded.model, loaded.vocabulary, items).figures
        for split, items in setup.material.held_out.items()
    }
    checkpoints.save(path, loaded.model, loaded.vocabulary, replace(info, scores=scores))
    return scores


def flat_training(training: TrainConfig) -> dict[str, Any]:
    """Every setting by name: the clipping as `clip`, its kind or None, and `clip_threshold`."""
    clip = training.clip or Clipping()
    return {**asdict(training), "clip": None if training.clip is None else clip.kind, "clip_threshold": clip.threshold}
