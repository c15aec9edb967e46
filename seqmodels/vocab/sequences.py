"""What the model of a memory task reads: sequences of numbers, no tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Self

from torch import Tensor

from seqmodels.fields import Range, validated
from seqmodels.text import Token


@dataclass(frozen=True)
class SequenceVocab:
    """What a memory task's model reads and gives: vectors, not tokens."""

    inputs: Annotated[int, Range(1, 1024)]
    outputs: Annotated[int, Range(1, 1024)]
    every_step: bool = False  # answered at each step, and not at the last alone
    start: ClassVar[tuple[Token, ...]] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.outputs)))

    def read(self, text: str) -> list[Token]:
        raise ValueError("this is a model of a memory task, which reads no text: pick a tagger, or a language model")

    def encode(self, sentences: Sequence[Sequence[str]]) -> Tensor:
        raise ValueError("a model of a memory task reads sequences of its own, and no tokens")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        return validated(cls, saved)
