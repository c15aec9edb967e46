"""What to change, where a run has ended and learned next to nothing."""

from __future__ import annotations

from pages.training.curves import task_of
from seqmodels.runs import History, Run, Status
from seqmodels.viz import training as viz

FEW = 300  # steps


def on(run: Run, standing: Status, known: History) -> str | None:
    """The advice, or None where the run goes on, has learned something, or is of a version that kept no baseline."""
    best, baseline = standing.progress.best_score, known.epochs[-1].get("baseline") if known.epochs else None
    if standing.name not in ("finished", "stopped") or best is None or baseline is None:
        return None
    task = task_of(run)
    if task.beats(best, baseline):
        return None
    steps = standing.progress.epoch * standing.progress.steps
    name, items = viz.metric_title(task.metric), task.items.lower()
    scores = (
        f"its best dev {name} is {viz.score(task.metric, best)}, and without reading one gets {viz.score(task.metric, baseline)}"
    )
    if steps < FEW:
        advice = f"It took {steps} steps in all, which is few: give it more epochs, more {items}, or smaller batches"
    else:
        advice = f"Try another peak learning rate, more memory units, more {items}, or another cell"
    return f"**It has learned next to nothing:** {scores}. {advice}."
