"""Calibrate checkpoints by the dev split of their task, as `train` does at its end: `python -m docs.calibrate [NAME ...]`.

Without a name, all shipped ones. No weight changes; they are scored anew, with the probabilities that they now give. A second time
changes nothing. After it come `python -m seqmodels cards` and `python -m seqmodels checkpoints --write-table`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from seqmodels.checkpoints import list_checkpoints, load, save


def main(names: Sequence[str]) -> None:
    for name in names or [listed.name for listed in list_checkpoints()]:
        found = load(name)
        task, model, vocabulary = found.task, found.model, found.vocabulary
        span_odds = task.calibrate(model, vocabulary, task.load("dev"))
        if (model.temperature, span_odds) != (found.info.temperature, found.info.span_odds):
            scores = {split: task.evaluate(model, vocabulary, task.load(split)).figures for split in found.info.scores}
            info = replace(found.info, scores=scores, temperature=model.temperature, span_odds=span_odds)
            save(found.path, model, vocabulary, info)


if __name__ == "__main__":
    main(sys.argv[1:])
