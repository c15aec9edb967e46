"""Results as rows of a table."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from seqmodels.experiments.record import Results


def outcome_rows(results: Results) -> list[dict[str, Any]]:
    """A row a training: what was varied, its scores, weights, seconds, and its settings as a link has them."""
    factors = dict.fromkeys(name for one in results.outcomes for name in one.factors)
    scores = dict.fromkeys(name for one in results.outcomes for name in one.scores)
    return [
        {
            **{name: one.factors.get(name, "") for name in factors},
            "metric": one.metric,
            "test": one.score,
            **{f"test {name}": one.scores.get(name, "") for name in scores},
            "epochs": len(one.curve),
            "weights": one.parameters,
            "cpu_seconds": one.seconds,
            "problem": one.problem,
            "settings": urlencode(one.settings),
        }
        for one in results.outcomes
    ]


def curve_rows(results: Results) -> list[dict[str, Any]]:
    """A row an epoch of each training: losses in nats, the dev score, and the test score where it was measured."""
    return [
        {
            "training": one.name,
            "epoch": number,
            "train_loss": point.train,
            "dev_loss": "" if point.dev is None else point.dev,
            "dev": point.score,
            "test": "" if point.test is None else point.test,
        }
        for one in results.outcomes
        for number, point in enumerate(one.curve, start=1)
    ]
