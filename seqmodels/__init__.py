"""See how gated recurrent networks read a sentence.

from seqmodels import load, tag, trace, viz
model = load("ner-gru")
tag(model, "John Smith lives in Berlin.").entities
traced = trace(model, "John Smith lives in Berlin.")
traced.layers[0].mu  # tokens x units
viz.square(traced)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqmodels import viz
    from seqmodels.cells import CELLS
    from seqmodels.checkpoints import list_checkpoints, load
    from seqmodels.inference import Sampling, continue_text, next_words, score_prompt, tag
    from seqmodels.tasks import TASKS
    from seqmodels.traces import invent, tag_and_trace, trace, trace_module, watch

__all__ = [
    "CELLS",
    "TASKS",
    "Sampling",
    "continue_text",
    "invent",
    "list_checkpoints",
    "load",
    "next_words",
    "score_prompt",
    "tag",
    "tag_and_trace",
    "trace",
    "trace_module",
    "viz",
    "watch",
]

_HOMES = {
    "CELLS": "cells",
    "TASKS": "tasks",
    "invent": "traces",
    "list_checkpoints": "checkpoints",
    "load": "checkpoints",
    "tag_and_trace": "traces",
    "trace": "traces",
    "trace_module": "traces",
    "watch": "traces",
}


def __getattr__(name: str) -> Any:
    """The public names, imported at first use: torch takes over a second, and a page's first paint should not wait for it."""
    if name == "viz":
        return import_module(f"{__name__}.viz")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'inference')}"), name)


def __dir__() -> list[str]:
    return __all__
