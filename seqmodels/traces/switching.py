"""Names invented under one condition, and under another from some letter on: what its initial memory is good for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import GeneratedToken, Sampling, continue_text
from seqmodels.inference.drawing import draw
from seqmodels.inference.encoding import as_language_model, finite
from seqmodels.inference.language import prompt_ids, reader
from seqmodels.recurrence import State
from seqmodels.text import EOS
from seqmodels.traces.contributions import start_contributions
from seqmodels.traces.layers import Trace, trace
from seqmodels.vocab import NamesVocab

LONGEST = 30  # letters of a name after its prompt
_APART = 1000  # seeds of two names of one draw

How = Literal["swap", "reread"]


@dataclass(frozen=True)
class Switch:
    """From one condition to another after some letters.

    reread  the letters are read again, from the other initial memory
    swap    of the memory only what is left of the initial one is exchanged, for as much of the other initial one: by the law it is
            a part of the sum, and what the letters wrote stays
    """

    to: str
    after: int
    how: How = "reread"

    def __post_init__(self) -> None:
        if self.after < 1:
            raise ValueError(f"after is {self.after}: give a number of letters from 1")
        if self.how not in ("swap", "reread"):
            raise ValueError(f"unknown way to switch {self.how!r}: choose swap or reread")


@dataclass(frozen=True)
class Invented:
    """A name as it was drawn. `known` says whether it is one of those that the model has learned from; `switched` letters stand
    before the switch, None where there was none. `ended` is False where it was broken off, being too long.
    """

    text: str
    known: bool
    switched: int | None = None
    ended: bool = True


def invent(
    checkpoint: Checkpoint,
    count: int = 10,
    *,
    prompt: str = "",
    sampling: Sampling | None = None,
    switch: Switch | None = None,
    longest: int = LONGEST,
) -> tuple[Invented, ...]:
    """Names that begin with the prompt, each drawn by a seed of its own; the same seed gives the same names.

    No two are alike: there are fewer than `count` where as many draws in a row bring none that is new, as at temperature 0. A name
    that ends before the switch stays as it is. ValueError if the model has learned no names, or its condition is not chosen.
    """
    _, vocabulary = as_language_model(checkpoint)
    if not isinstance(vocabulary, NamesVocab):
        raise ValueError(f"{checkpoint.name} has learned no names: pick one that has, such as names-gru")
    sampling = sampling or Sampling()
    found: dict[str, Invented] = {}
    number = since_new = 0
    while len(found) < count and since_new < count:
        seeded = replace(sampling, seed=sampling.seed + _APART * number)
        name = _invent(checkpoint, vocabulary, prompt, seeded, switch, longest)
        number, since_new = number + 1, since_new + 1 if name.text in found else 0
        found.setdefault(name.text, name)
    return tuple(found.values())


def continue_switched(
    checkpoint: Checkpoint, prompt: str, switch: Switch, *, max_tokens: int = LONGEST, sampling: Sampling | None = None
) -> Iterator[GeneratedToken]:
    """As `continue_text`, from a prompt that was read under the model's condition on, under the one that is switched to."""
    other = checkpoint.given(switch.to)
    if switch.how == "reread":
        return continue_text(other, prompt, max_tokens=max_tokens, sampling=sampling)
    model, vocabulary = as_language_model(checkpoint)
    with torch.inference_mode():
        state = swapped(checkpoint, trace(checkpoint, prompt), other)
        begun = finite(checkpoint, model.logits(state[0][-1, 0]))
    read_on = reader(checkpoint)

    def read(rows: list[list[int]], after: list[State | None]) -> tuple[Tensor, list[State]]:
        return (begun, [state]) if after == [None] else read_on(rows, after)  # the prompt is read already

    return draw(vocabulary, read, prompt_ids(vocabulary, prompt), max_tokens=max_tokens, sampling=sampling)


def swapped(checkpoint: Checkpoint, traced: Trace, other: Checkpoint) -> State:
    """The state at the end of a trace, with as much of another initial memory as is left of the model's own: a batch of one."""
    cell, start = checkpoint.model.recurrent.cell, other.initial_state()
    assert start is not None
    memories, outputs = [], []
    for layer in traced.layers:
        kept = torch.from_numpy(np.prod(layer.mu, axis=0))
        memory = torch.from_numpy(layer.memory[-1] - start_contributions(layer)[-1]) + kept * start[-1][layer.layer, 0, 0]
        memories.append(memory)
        outputs.append(cell.read_out(memory, layer.gates(-1)))
    parts = (memories,) if cell.memory_is_output else (outputs, memories)
    return tuple(torch.stack(part)[:, None, None] for part in parts)  # (layers, 1, 1, hidden)


def _invent(
    checkpoint: Checkpoint, vocabulary: NamesVocab, prompt: str, sampling: Sampling, switch: Switch | None, longest: int
) -> Invented:
    begun = vocabulary.join([token.text for token in vocabulary.read(prompt)])
    first = longest if switch is None else max(0, switch.after - len(begun))
    text, ended = _written(begun, continue_text(checkpoint, begun, max_tokens=first, sampling=sampling))
    if switch is None or ended:
        return Invented(text, vocabulary.has_seen(text), ended=ended)
    left = longest - (len(text) - len(begun))
    more = continue_switched(checkpoint, text, switch, max_tokens=left, sampling=replace(sampling, seed=sampling.seed + 1))
    whole, ended = _written(text, more)
    return Invented(whole, vocabulary.has_seen(whole), switched=len(text), ended=ended)


def _written(text: str, drawn: Iterator[GeneratedToken]) -> tuple[str, bool]:
    """The text with what is drawn after it, and whether it has ended."""
    tokens = [token.text for token in drawn]
    ended = tokens[-1:] == [EOS]
    return text + "".join(tokens[:-1] if ended else tokens), ended
