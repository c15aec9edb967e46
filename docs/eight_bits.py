"""Rewrite checkpoints with their large matrices in eight bits, as `train` writes them: `python -m docs.eight_bits [NAME ...]`.

Without a name, all shipped ones. They are scored anew, so that a file's scores stay those of the weights in it. A second time
changes nothing. After it come `python -m seqmodels cards` and `python -m seqmodels checkpoints --write-table`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import torch

from seqmodels.checkpoints import FORMAT, list_checkpoints, load, save, stored


def main(names: Sequence[str]) -> None:
    for name in names or [listed.name for listed in list_checkpoints()]:
        found = load(name)
        task, model = found.task, found.model
        rounded, own = stored(model), model.state_dict()
        if not all(torch.equal(value, own[weight]) for weight, value in rounded.items()):
            model.load_state_dict(rounded)
            scores = {split: task.evaluate(model, found.vocabulary, task.load(split)).figures for split in found.info.scores}
            save(found.path, model, found.vocabulary, replace(found.info, scores=scores, format=FORMAT))


if __name__ == "__main__":
    main(sys.argv[1:])
