"""What a network reads of words that stood in other texts: of a word, whatever stands around it, that is always the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from seqmodels.fused import Floats

MOST = 2000  # words of one age, of six kilobytes each at most in the models that are shipped


class KnownWords:
    """A row of numbers for each of the last MOST words, or up to twice as many, that were read. Many threads may read it."""

    def __init__(self) -> None:
        self._ages: tuple[dict[str, Floats], dict[str, Floats]] = {}, {}  # those read lately, and those not since the last turn

    def rows(self, words: Sequence[str], read: Callable[[list[str]], Floats]) -> Floats:
        """Distinct words -> their rows (words, size). `read` gives them of those that are not known."""
        young, old = self._ages
        found = {word: row for word in words if (row := young.get(word)) is not None}
        if len(found) < len(words):
            aged = {word: row for word in words if word not in found and (row := old.get(word)) is not None}
            missing = [word for word in words if word not in found and word not in aged]
            # copies, since one word that stays would else keep what was read of all
            new = dict(zip(missing, map(np.copy, read(missing)), strict=True)) if missing else {}
            found |= aged | new
            young |= aged | new
            if len(young) > MOST:
                self._ages = {}, young
        return np.array([found[word] for word in words])
