"""Parts of a corpus, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from seqmodels.corpora.opening import CorpusError
from seqmodels.corpora.reports import Sentence

_Item = TypeVar("_Item")
_TWO = "give at least two with a blank line between them, one to learn from and one to check"


@dataclass(frozen=True)
class Subset:
    """So many items, drawn by a seed, in the order of the corpus."""

    count: int
    seed: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count is {self.count}: keep at least 1 sentence, or leave it out for all")


def keep_some(items: list[_Item], keep: Subset | None) -> list[_Item]:
    """The items of a subset, or all."""
    if keep is None or keep.count >= len(items):
        return items
    return [items[index] for index in sorted(random.Random(keep.seed).sample(range(len(items)), keep.count))]


def split(sentences: Sequence[Sentence], share: float, seed: int, name: str) -> tuple[list[Sentence], list[Sentence]]:
    """Train and dev: about `share` of the sentences to dev, both at least one.

    A sentence with a tag that no train sentence has goes to train: dev would ask for what cannot be learned.
    """
    train, dev = _split(sentences, share, seed, f"{name}: one sentence only: {_TWO}")
    known = {tag for sentence in train for tag in sentence.tags}
    checked = [sentence for sentence in dev if known.issuperset(sentence.tags)]
    if not checked:
        raise CorpusError(f"{name}: too few sentences to check with: each has tags that no other sentence has: give more of them")
    return train + [sentence for sentence in dev if not known.issuperset(sentence.tags)], checked


def split_text(paragraphs: Sequence[list[str]], share: float, seed: int, name: str) -> tuple[list[list[str]], list[list[str]]]:
    """The same for plain text. Of a single paragraph the end becomes dev."""
    if len(paragraphs) > 1:
        return _split(paragraphs, share, seed, name)
    tokens = paragraphs[0]
    cut = len(tokens) - max(1, round(share * len(tokens)))
    if cut < 2:
        raise CorpusError(f"{name}: the text has {len(tokens)} tokens: give a longer one")
    return [tokens[:cut]], [tokens[cut:]]


def _split(items: Sequence[_Item], share: float, seed: int, too_few: str) -> tuple[list[_Item], list[_Item]]:
    if not 0 < share < 1:
        raise ValueError(f"the share of dev is {share}: give one above 0 and below 1, such as 0.15")
    if len(items) < 2:
        raise CorpusError(too_few)
    count = min(len(items) - 1, max(1, round(share * len(items))))
    chosen = set(random.Random(seed).sample(range(len(items)), count))
    parts: tuple[list[_Item], list[_Item]] = ([], [])
    for index, item in enumerate(items):
        parts[index in chosen].append(item)
    return parts
