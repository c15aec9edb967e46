"""Sentences in batches that cost what their words cost, whatever the longest of them is.

A very long sentence is read in pieces with some context on both sides. Of the treebank's test texts, read as sentences of 6,000
words, the tags of the shipped GRU and LSTM then differ from those of the whole in 0.02 % of the words, and of ner-gru in 0.25 %.
What can't forget reads pieces better: the gated sum is right at 94.7 % of the words, where of the whole it is at 87.0 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

BUDGET = 2048  # tokens of a batch, padding included
LONGEST = 400  # tokens of a sentence that is read whole; the longest of the corpora has 159
CONTEXT = 32  # tokens read on each side of a piece of a longer one, so that its ends are read as its middle


def windows(tokens: int, size: int) -> list[slice]:
    """Parts of at most `size` tokens and of nearly equal length, so that no last part is a stub."""
    parts = max(1, -(-tokens // size))
    bounds = [round(part * tokens / parts) for part in range(parts + 1)]
    return [slice(first, last) for first, last in pairwise(bounds)]


@dataclass(frozen=True)
class Piece:
    """What is read at once of a sentence, and which of the tokens read are the piece itself; the others are context."""

    read: slice  # of the sentence
    kept: slice  # of what is read

    @property
    def length(self) -> int:
        return int(self.read.stop - self.read.start)


def pieces(tokens: int) -> list[Piece]:
    """A sentence in pieces that hold each token once: one without context where it is at most LONGEST tokens long."""
    found = []
    for part in windows(tokens, LONGEST):
        first, last = max(0, part.start - CONTEXT), min(tokens, part.stop + CONTEXT)
        found.append(Piece(slice(first, last), slice(part.start - first, part.stop - first)))
    return found


def batches(lengths: Sequence[int], budget: int = BUDGET) -> Iterator[list[int]]:
    """Indices by length, as many in a batch as the budget has room for when all are padded to the longest; at least one."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
