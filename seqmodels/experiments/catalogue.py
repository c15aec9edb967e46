"""The experiments by name."""

from __future__ import annotations

from seqmodels.experiments import memory, tips
from seqmodels.experiments.trials import Experiment

EXPERIMENTS: dict[str, Experiment] = {one.name: one for one in (memory.EXPERIMENT, tips.EXPERIMENT)}


def find_experiment(name: str) -> Experiment:
    """The experiment of that name; ValueError names the choices."""
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}: choose one of {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
