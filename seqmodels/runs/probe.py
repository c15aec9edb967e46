"""What a network that is being trained makes of a text: its tags, or words of its own, and how its gates stand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from seqmodels import inference, traces
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference.encoding import as_language_model
from seqmodels.runs.trainer import TrainingSetup

WORDS, CHARACTERS = 40, 240  # of a sample


def sample(setup: TrainingSetup, text: str) -> dict[str, Any] | None:
    """The values of a sample event: `tags` as (word, tag, probability), or `text`; and `gates`. None where there is nothing to see.

    The model is left as it was; a language model always draws with the same seed, so that only its weights make the difference.
    """
    if setup.task.predicts == "answer":
        return None
    training = setup.model.training
    setup.model.eval()
    try:
        return _sample(Checkpoint(Path("probe"), setup.describe(0, {}), setup.model, setup.vocabulary), text)
    except ValueError:  # a text without words
        return None
    finally:
        setup.model.train(training)


def _sample(checkpoint: Checkpoint, text: str) -> dict[str, Any]:
    if checkpoint.task.predicts == "tags":
        tagging, trace = traces.tag_and_trace(checkpoint, text)
        return {"tags": [(token.text, token.tag, token.probability) for token in tagging.tokens], "gates": _gates(trace)}
    _, vocabulary = as_language_model(checkpoint)
    if checkpoint.conditions:
        return _sample_each(checkpoint, text)
    length = CHARACTERS if vocabulary.unit == "character" else WORDS
    drawn = [token.text for token in inference.continue_text(checkpoint, text, max_tokens=length)]
    written = vocabulary.extend(text, drawn)
    return {"text": written, "prompt": text, "gates": _gates(traces.trace(checkpoint, text or written))}


def _sample_each(checkpoint: Checkpoint, text: str) -> dict[str, Any]:
    """A line for each condition, and the gates of the first."""
    given = [checkpoint.given(condition) for condition in checkpoint.conditions]
    written = [f"{one.condition}: {traces.invent(one, 1, prompt=text)[0].text}" for one in given]
    return {"text": "\n".join(written), "prompt": "", "gates": _gates(traces.trace(given[0], text))}


def _gates(trace: traces.Trace) -> list[dict[str, Any]]:
    """The gates of each layer and direction over a text.

    Shares of all units and tokens at which a gate is wide open or shut; the median over units of the tokens until half of a memory
    is left, None where most units never let anything go.
    """
    described = []
    for layer in trace.layers:
        half_life = float(np.median(traces.half_life(layer.mu)))
        keep, write = traces.saturation(layer.mu), traces.saturation(layer.lam)
        shares = {"mu_open": keep.open, "mu_shut": keep.shut, "lam_open": write.open, "lam_shut": write.shut}
        described.append(
            {
                "layer": layer.layer,
                "direction": layer.direction,
                **{name: float(share.mean()) for name, share in shares.items()},
                "half_life": half_life if math.isfinite(half_life) else None,
            }
        )
    return described
