"""Tokens to ids and back: the list that a vocabulary is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol, Self
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from seqmodels.text import UNK, Token, normal, typewritten

PAD = "<pad>"

LEAST_KNOWN = 0.7  # share of the tokens of a training text that its vocabulary holds
LONGEST_TOKEN = 1000  # characters


class _Ids(dict[str, int]):
    """The id of each token, also of one that is listed in another form or, as phones type quotes, of a typewriter's signs; of any
    other, that of `<unk>`."""

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__(zip(tokens, range(len(tokens)), strict=True))
        # lists that were made before normal forms may hold others
        self.normal = {form: index for index, token in enumerate(tokens) if (form := normal(token)) != token and form not in self}

    def __missing__(self, token: str) -> int:
        found = self.known(token)
        return self[UNK] if found is None else found

    def known(self, token: str) -> int | None:
        form = normal(token)
        found = self.get(token, self.get(form, self.normal.get(form)))
        return self.get(typewritten(form)) if found is None else found


class Vocab:
    """A fixed list of tokens; id = position. A token is looked up as it is, then in its normal form (`text.normal`), then with the
    quotes and dashes of a typewriter.

    Tokens outside it map to `<unk>`, which must be in the list.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        self._ids = _Ids(self.tokens)
        if len(self._ids) != len(self.tokens):
            twice = next(token for token, count in Counter(self.tokens).items() if count > 1)
            raise ValueError(f"vocabulary lists {twice!r} twice: each token needs one id")
        if UNK not in self._ids:
            raise ValueError(f"vocabulary has no {UNK!r}: unknown tokens need an id")
        self.unk = self._ids[UNK]

    @classmethod
    def build(cls, tokens: Iterable[str] | Mapping[str, int], *, minimum: int = 1, special: Sequence[str] = (UNK,)) -> Vocab:
        """The special tokens, then the normal form of every token seen at least `minimum` times; a mapping has them counted.

        The most frequent first, ties by spelling. Where less than 70 % of a small text would be known, it is the greatest smaller
        number that leaves as much known. ValueError if there is no token but special ones.
        """
        counts: Counter[str] = Counter()
        for token, count in Counter(tokens).items():  # counted first: a text has few words, many times
            form = normal(token)
            if form and len(form) <= LONGEST_TOKEN:
                counts[form] += count
        for token in special:
            del counts[token]
        if not counts:
            raise ValueError("there is nothing to make a vocabulary of: give a text with words in it")
        seen = Counter(counts.values())  # how many tokens were seen so often
        while minimum > 1 and sum(seen[often] * often for often in seen if often >= minimum) < LEAST_KNOWN * counts.total():
            minimum -= 1
        kept = sorted(token for token, count in counts.items() if count >= minimum)
        kept.sort(key=lambda token: -counts[token])
        return cls([*special, *kept])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return self._ids.known(token) is not None

    def id(self, token: str) -> int:
        return self._ids[token]

    def ids(self, tokens: Iterable[str]) -> list[int]:
        ids = self._ids
        return [ids[token] for token in tokens]

    def unknown_share(self, tokens: Iterable[str]) -> float:
        """The share of the tokens that are `<unk>`, from 0 to 1."""
        ids = self.ids(tokens)
        return ids.count(self.unk) / max(len(ids), 1)


# models of one task have learned from the same text: they share its words, and what is encoded for one is encoded for all
_SAVED: WeakValueDictionary[tuple[str, ...], Vocab] = WeakValueDictionary()


def saved_tokens(saved: Any, name: str) -> tuple[str, ...]:
    """A list of tokens in a file. ValueError says what is wrong with it."""
    tokens = saved.get(name) if isinstance(saved, Mapping) else None
    if not isinstance(tokens, list | tuple):
        raise ValueError(f"{name}: it is missing, or no list")
    wrong = next((index for index, token in enumerate(tokens) if not _is_token(token)), None)
    if wrong is not None:
        raise ValueError(f"{name}.{wrong}: {tokens[wrong]!r:.40} is no token of up to {LONGEST_TOKEN:,} characters")
    return tuple(tokens)


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TOKEN


def saved_vocab(saved: Any, name: str, *special: str) -> Vocab:
    """A list of tokens in a file, the special ones among them."""
    tokens = saved_tokens(saved, name)
    missing = [token for token in (UNK, *special) if token not in tokens]
    if missing:
        raise ValueError(f"{name}: it has no {missing[0]!r}")
    found = _SAVED.get(tokens)
    if found is None:
        try:
            found = _SAVED[tokens] = Vocab(tokens)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


class Vocabulary(Protocol):
    """What a model reads of a text, and what its logits are of. It comes back from JSON as it was."""

    @property
    def start(self) -> tuple[Token, ...]:
        """What a model reads before the first token of every text."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the logits: tags, or words that may come next."""
        ...

    def read(self, text: str) -> list[Token]:
        """The tokens of a text, without `start`. ValueError where the model reads no text."""
        ...

    def encode(self, sentences: Sequence[Sequence[str]]) -> Any:
        """Sentences of one or more tokens, padded to the longest, as the model's `embed` takes them."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Plain values for a file's header."""
        ...

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. ValueError says what is missing or wrong."""
        ...


def lengths_of(sentences: Sequence[Sequence[str]]) -> Tensor | None:
    """The number of tokens of each, (sentences,); None where all are alike and none is padded."""
    lengths = [len(words) for words in sentences]
    return torch.tensor(lengths) if len(set(lengths)) > 1 else None


def pad(rows: Sequence[Sequence[int]], filler: int = 0) -> Tensor:
    """Rows of ids to a tensor (rows, longest)."""
    if len(rows) == 1:  # a sentence alone, of which nothing is padded: in a third of the time
        return torch.tensor(rows, dtype=torch.int64)
    lengths = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
    padded = np.full((len(rows), lengths.max()), filler, dtype=np.int64)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.fromiter(
        chain.from_iterable(rows), dtype=np.int64, count=lengths.sum()
    )
    return torch.tensor(padded)  # on the device that is the default
