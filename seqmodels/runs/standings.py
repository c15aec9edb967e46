"""Who is ahead among runs of one task: their dev scores, compared after as many epochs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from seqmodels.runs.events import History


@dataclass(frozen=True)
class Standing:
    """A run by its name, its best dev score so far, and by how much the best of all is better; None before its first epoch."""

    name: str
    score: float | None
    behind: float | None


@dataclass(frozen=True)
class Standings:
    """All runs, the best first. Those that go on are compared after `epoch` epochs; None once all have ended."""

    epoch: int | None
    runs: list[Standing]

    @property
    def leaders(self) -> list[str]:
        """Who has the best score."""
        return [run.name for run in self.runs if run.behind == 0]

    @property
    def lead(self) -> float | None:
        """By how much the leaders are better than the next, 0 where all are as good; None while there are not two scores."""
        behind = [run.behind for run in self.runs if run.behind is not None]
        return next(filter(None, behind), 0.0) if len(behind) > 1 else None


def standings(histories: Mapping[str, History], going: Collection[str], *, higher_is_better: bool) -> Standings:
    """The standings of runs by their names; those `going` have not ended.

    A faster run waits for the others that have a score, or its later epochs would count as a lead.
    """
    epochs = [len(history.epochs) for name, history in histories.items() if name in going and history.epochs]
    at = min(epochs, default=None)
    pick = max if higher_is_better else min
    scores: dict[str, float | None] = {}
    for name, history in histories.items():
        told = (epoch["score"] for epoch in history.epochs[:at])
        scores[name] = pick((score for score in told if score is not None), default=None)
    best = pick((score for score in scores.values() if score is not None), default=None)
    rows = [Standing(name, score, None if score is None or best is None else abs(best - score)) for name, score in scores.items()]
    return Standings(at, sorted(rows, key=lambda row: (row.behind is None, row.behind or 0.0)))
