"""Record the two runs that the Training page shows before there is any other: `python -m docs.record`."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from pages.training.recorded import FILE
from seqmodels.runs import History, Run, create, presets, read_history, status, work
from seqmodels.runs.settings import from_flat, to_link

TITLES = {"explodes": "Not clipped", "clipped": "The same, clipped"}  # by the key of a preset
EPOCH = ("x", "epoch", "loss", "dev_loss", "score", "best_score", "best_epoch")
MOST = 150  # points of a curve
LEAP = 4  # points of a curve over which the norm is said to grow, before the last one
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def train(key: str) -> Run:
    """The one run of a preset, trained to its end."""
    preset = presets.find_preset(key)
    assert preset is not None
    (settings,) = presets.settings_of(preset).values()
    run = create(settings, "", name=TITLES[key], preset=key)
    for _ in work(run.folder):
        pass
    return run


def entry(run: Run, history: History) -> dict[str, Any]:
    """What is kept of a run: some steps as one, with the highest of their norms."""
    size = math.ceil(len(history.steps) / MOST)
    ends = range(len(history.steps), 0, -size)
    groups = [history.steps[max(0, end - size) : end] for end in reversed(ends)]
    return {
        "name": run.name,
        "status": status(run).name,
        "message": status(run).progress.message,
        "settings": to_link(from_flat(run.settings)),
        "steps": [_together(group) for group in groups],
        "epochs": [{name: _short(epoch[name]) for name in EPOCH} for epoch in history.epochs],
        "marks": [{name: mark[name] for name in ("x", "kind", "message")} for mark in history.marks],
    }


def _together(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    figures = {name: max(step[name] for step in steps) for name in ("x", "norm_after", "highest_norm")}
    figures |= {"lowest_norm": min(step["lowest_norm"] for step in steps), "loss": sum(step["loss"] for step in steps) / len(steps)}
    return {name: _short(value) for name, value in figures.items()}


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def explanation(exploded: Mapping[str, Any], clipped: Mapping[str, Any], threshold: float) -> str:
    """What the two curves show, in figures of their points."""
    before, high, last = (exploded["steps"][at] for at in (-2 - LEAP, -2, -1))
    digits, exponent = f"{last['highest_norm']:.0e}".split("e+")
    power = exponent.lstrip("0").translate(SUPERSCRIPT)
    return (
        "The same network, the same data, the same first weights; the learning rate rises. Without clipping the network learns to "
        f"tag {_best(exploded):.0f} % of the words right. Then the norm of the gradient grows from {before['highest_norm']:.1f} to "
        f"{high['highest_norm']:.1f} within {high['x'] - before['x']:.2f} epochs, and to {digits} × "
        f"10{power} at the next point of the curve. Clipped to a norm of {threshold:g}, it gets to "
        f"{_best(clipped):.0f} %."
    )


def _best(run: Mapping[str, Any]) -> float:
    return max(epoch["score"] for epoch in run["epochs"])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEQMODELS_RUNS"] = folder
        runs = [train(key) for key in TITLES]
        exploded, clipped = entries = [entry(run, read_history(run)) for run in runs]
        text = explanation(exploded, clipped, runs[1].settings["clip_threshold"])
    FILE.write_text(json.dumps({"explanation": text, "runs": entries}, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
