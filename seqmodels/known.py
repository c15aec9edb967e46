"""What a network reads of words that stood in other texts: of a word, whatever stands around it, that is always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from torch import Tensor

from seqmodels.fused import Floats

MOST = 1000  # words of one age, of six kilobytes each at most in the models that are shipped: 100 MB for twice as many in all
LONGEST = 100  # characters of a word that is kept

Fingerprint = tuple[tuple[int, int], ...]  # of each weight where it lies, and how often it was changed there


def fingerprint(weights: Iterable[Tensor]) -> Fingerprint | None:
    """Another after any change but one behind torch's back; None where a weight may change unseen, since it is trained or was made
    in inference mode."""
    found = []
    for weight in weights:
        if weight.requires_grad:
            return None
        try:
            found.append((weight.data_ptr(), weight._version))
        except RuntimeError:  # in inference mode torch does not count
            return None
    return tuple(found)


class KnownWords:
    """A row of numbers for each of the last MOST words, or up to twice as many, that were read under these weights.

    Many threads may read it. A copy knows nothing.
    """

    def __init__(self, weights: Fingerprint | None = None) -> None:
        self.weights = weights
        self._ages: tuple[dict[str, Floats], dict[str, Floats]] = {}, {}  # those read lately, and those not since the last turn

    def __reduce__(self) -> tuple[type[KnownWords], tuple[()]]:
        return KnownWords, ()

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
            young |= {word: row for word, row in (aged | new).items() if len(word) <= LONGEST}
            if len(young) > MOST:
                self._ages = {}, young
        return np.array([found[word] for word in words])
