"""Invented results of the experiment `tips`: its own trials with their settings, and figures that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from seqmodels.experiments import Outcome, Point, Results
from seqmodels.experiments.record import Factor, write_results
from seqmodels.experiments.tips import EXPERIMENT
from seqmodels.experiments.verdicts import SEEN, SEEN_SHARE, UNSEEN, WITH_DROPOUT
from seqmodels.runs.settings import to_link

Factors = Mapping[str, Factor]
NOISE = {1: -0.01, 2: 0.0, 3: 0.01}  # by seed
DEV = [3.0, 2.0, 1.0, *(1.1 + 0.1 * step for step in range(27))]  # the best is the third of 30 epochs


def even(factors: Factors) -> float:
    """The same score for all, but for the seeds' noise."""
    return (90.0 if factors["task"] == "pos" else 3.0) + NOISE[int(factors["seed"])]


def invent(
    score: Callable[[Factors], float] = even,
    *,
    broke: Callable[[Factors], bool] = lambda factors: False,
    dev: list[float] = DEV,
    dropout_costs: float = 2.0,
    unseen_costs: float = 0.5,
) -> Results:
    """Results of all trials. `dev` are the dev losses of the trainings that early stopping is tried on, and their test scores."""
    outcomes = []
    for trial in EXPERIMENT.trials(False):
        factors, task = trial.factors, trial.task
        value = score(factors)
        scores = {task.metric: value}
        if factors["tip"] == "gates" and factors["task"] == "pos":
            scores[WITH_DROPOUT] = value - dropout_costs
        if factors["tip"] == "doubles":
            scores |= {SEEN: value - unseen_costs, UNSEEN: value + unseen_costs, SEEN_SHARE: 0.1}
        stops = factors["tip"] == "stopping"
        curve = [Point(1.0, loss, loss, loss + value) for loss in dev] if stops else [Point(1.0, 1.0, value)]
        outcome = Outcome(
            trial.name, dict(factors), to_link(trial.settings), task.metric, value, scores, tuple(curve),
            parameters={"lstm": 400, "gru": 300}.get(str(factors.get("cell")), 100),
            seconds={"lstm": 40.0, "gru": 30.0}.get(str(factors.get("cell")), 10.0) + NOISE[int(factors["seed"])],
            problem="the loss is nan: clip the gradient" if broke(factors) else "",
        )  # fmt: skip
        outcomes.append(outcome)
    return Results("tips", EXPERIMENT.recipe, "2026-11-26", {"torch": "2.13.0"}, tuple(outcomes))


def write(folder: Path, results: Results) -> Path:
    """As the file that the page reads."""
    write_results(folder / "tips.json", results)
    return folder / "tips.json"
