"""How a model read a text: its trace, cached, and what stands under each word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pages.common import loading
from pages.common.caching import cached_by_model
from seqmodels.viz.palette import tag_colour

if TYPE_CHECKING:
    from seqmodels.inference import Tagging
    from seqmodels.traces import Trace
    from seqmodels.viz.frame import Label


@dataclass(frozen=True)
class Read:
    """A trace, and each word's tag or surprisal."""

    trace: Trace
    below: tuple[Label, ...]


@cached_by_model
def read(name: str, text: str) -> Read:
    """A model's gates over a text as one sequence. ValueError if there are no words."""
    from seqmodels import traces

    checkpoint = loading.checkpoint(name)
    if checkpoint.task.predicts == "tags":
        tagging, trace = traces.tag_and_trace(checkpoint, text)
        return Read(trace, tags(tagging))
    trace = traces.trace(checkpoint, text)
    return Read(trace, _surprisals(name, text))


@cached_by_model
def unit_order(name: str, text: str, layer: int, direction: str, by: str, token: int) -> NDArray[np.intp]:
    """The order of the units over the whole text, so that a unit keeps its row from one part of it to the next."""
    from seqmodels import traces

    return traces.unit_order(read(name, text).trace.layer(layer, direction), by, token)


def tags(tagging: Tagging) -> tuple[Label, ...]:
    """Each word's tag as a chip; none where there is none to see."""
    from seqmodels.viz.frame import Label

    return tuple(Label("") if token.tag == "O" else Label(token.tag, tag_colour(token.tag)) for token in tagging.tokens)


def _surprisals(name: str, text: str) -> tuple[Label, ...]:
    from seqmodels.viz.frame import Label

    scored = loading.score_prompt(name, text).tokens
    return (Label(""), *(Label(f"{token.surprisal:.1f}") for token in scored))  # nothing comes before the start symbol
