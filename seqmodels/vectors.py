"""Word vectors that many models share: learned elsewhere, in one file beside the checkpoints, and never trained here.

`python -m docs.vectors` makes that file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor

from seqmodels.installation import app_folder
from seqmodels.quantization import check, quantize, restore
from seqmodels.text import normal, typewritten

GLOVE = "glove-6b-100d"  # Pennington, Socher & Manning 2014; public domain (PDDL)

_WORDS = "words"  # in the file's header: one a line, row by row
_OTHER_FORMS = {
    "n't": "not", "-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "``": '"', "''": '"',
}  # fmt: skip
_EDGES = re.compile(r"^\W+|\W+$")


class VectorsError(ValueError):
    """The file of word vectors is missing or damaged. Visitors read it too, so it names no folder of the server's."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors by word, in lower case. The row after the last is zero: that of a word without one."""

    name: str
    rows: Mapping[str, int]
    values: Tensor  # int8 (rows + 1, size)
    scales: Tensor  # (rows + 1,): what a row's integers are multiplied by

    @property
    def size(self) -> int:
        """Numbers a vector."""
        return self.values.shape[1]

    @property
    def none(self) -> int:
        """The row of a word without a vector."""
        return len(self.values) - 1

    def ids(self, words: Iterable[str]) -> list[int]:
        """The row of each word, or of a form that means the same."""
        return [self._row(word) for word in words]

    def look_up(self, ids: Tensor) -> Tensor:
        """ids (...) -> vectors (..., size)."""
        rows = ids.to(self.values.device)
        return restore(F.embedding(rows, self.values), self.scales[rows]).to(ids.device)

    def _row(self, word: str) -> int:
        found = self.rows.get(word.lower())  # most are found so, without looking at their letters
        if found is None:
            found = next((row for form in _forms(word) if (row := self.rows.get(form)) is not None), self.none)
        return found


@cache
def word_vectors(name: str) -> WordVectors:
    """The vectors of that name, read once. VectorsError says why they cannot be had."""
    path = path_of(name)
    if not re.fullmatch(r"[a-z0-9-]{1,60}", name) or not path.is_file():
        raise VectorsError(f"no word vectors {name[:40]!r} in checkpoints/vectors: fetch the file again")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            words = (file.metadata() or {})[_WORDS].split("\n")
            values, scales = (file.get_tensor(part) for part in ("values", "scales"))
        check(values, scales)
        if len(words) != len(values):
            raise ValueError("its words are not as many as its vectors")
    except (safetensors.SafetensorError, TypeError, KeyError, ValueError, OSError) as error:
        raise VectorsError(f"{path.name} is damaged ({error}): fetch it again") from None
    with torch.device("cpu"):  # whatever the caller makes its model on
        rows = F.pad(values, (0, 0, 0, 1))
        return WordVectors(name, dict(zip(words, range(len(words)), strict=True)), rows, F.pad(scales.float(), (0, 1)))


def path_of(name: str) -> Path:
    """Where the file of that name is."""
    return app_folder() / "checkpoints" / "vectors" / f"{name}.safetensors"


def save_vectors(path: Path, words: Iterable[str], vectors: Tensor) -> None:
    """Write vectors (words, size) in eight bits."""
    values, scales = quantize(vectors)
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({"values": values, "scales": scales}, path, {_WORDS: "\n".join(words)})
    path.chmod(0o644)


def _forms(word: str) -> Iterable[str]:
    """Under which other forms a word is looked up, the closest first."""
    lower = normal(normal(word).lower())
    yield lower
    typed = typewritten(lower)
    yield _OTHER_FORMS.get(typed, typed)
    letters = unicodedata.normalize("NFD", _EDGES.sub("", lower))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    yield bare
    yield bare.rpartition("-")[2]  # what a compound is a kind of
