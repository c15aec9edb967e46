"""Which words would spoil a text if they came next: a comma at its beginning, a word twice, a bracket that nothing opened.

A small network knows these rules well but not always, and one slip in twenty words is what a reader sees. Only the drawing of words
heeds them; the model's own probabilities stay what they are.
"""

from __future__ import annotations

import copy
import unicodedata
from collections import ChainMap, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seqmodels.text import CLITICS, EOS, UNK
from seqmodels.vocab import LanguageVocab

Mask = NDArray[np.bool_]  # (vocabulary,)

QUOTE = '"'
TERMINAL = frozenset(". ! ?".split())  # ends a sentence
_MIDDLE = frozenset(", ; : - -- – —".split())
_BRACKETS = {"(": ")", "{": "}", "“": "”", "``": "''"}
_CLOSING = frozenset(_BRACKETS.values())
_USUAL = frozenset("'’‘.,;:!?$£%&/()\"“”`–—-…")  # what is written besides letters and digits
_JOINS = ("and", "or")
# stand on both sides of one, as comparatives do
_TWICE = frozenset("again by hundreds less many miles more on out over round so such thousands through two up worse years".split())
_REPEATED = 6  # words that stand in a text only once in this order
_LONGEST_ASIDE, _LONGEST_SPEECH = 25, 60  # words between brackets, between quotes
_NEGATED = frozenset("ai are ca could did do does had has have is might must need sha should was were wo would".split())
_NOT = ("n't", "n’t")  # stands after one of those
_FREQUENT = 0.02  # share of a list of words, which begins with the most frequent, whose signs are usual to it
_STOPS = 50  # words among which a text that is written in sentences has a mark that ends one
_CAPITALS = 0.05  # share of words with a capital from which on a list of words knows of capitals


@dataclass(frozen=True, eq=False)
class _Kinds:
    """The words of a vocabulary by what they may do."""

    ids: dict[str, int]
    odd: Mask  # never written: unknown, or of signs that are not usual
    never_first: Mask  # in a sentence, a bracket or a quotation
    small: Mask  # begin with a small letter; none where all words do
    after: dict[str, Mask]  # a, an: the words that call for the other one
    breaks: Mask  # marks, and the end of a paragraph
    brackets: dict[str, str]  # those that can be closed: “ is no bracket where „ opens and “ closes
    stops: bool  # whether sentences end by a mark
    same: dict[str, list[int]]  # words by their form in small letters


@lru_cache(maxsize=32)
def _kinds(vocabulary: LanguageVocab) -> _Kinds:
    tokens = vocabulary.words.tokens
    signs = _USUAL.union(*(token for token in tokens[: int(_FREQUENT * len(tokens))] if token not in (UNK, EOS)))
    odd = np.array([token != EOS and not all(_is_letter(sign) or sign in signs for sign in token) for token in tokens])
    if odd.mean() > 0.5:  # it writes little else
        odd[:] = False
    odd[vocabulary.words.unk] = True
    marks = TERMINAL | _MIDDLE | _CLOSING | {"%"}
    small = np.array([token[:1].islower() for token in tokens])
    if np.mean([token[:1].isupper() for token in tokens]) < _CAPITALS:
        small[:] = False
    sounds = np.array([_sound(token) for token in tokens])
    same = defaultdict(list)
    for index, token in enumerate(tokens):
        if token[:1].isalpha():
            same[token.lower()].append(index)
    return _Kinds(
        ids={token: index for index, token in enumerate(tokens)},
        odd=odd,
        never_first=np.array([token in marks or token == EOS or token.lower() in CLITICS for token in tokens]),
        small=small,
        after={"a": sounds == "vowel", "an": sounds == "consonant"},
        breaks=np.array([token in marks or token == EOS for token in tokens]),
        brackets={opening: closing for opening, closing in _BRACKETS.items() if closing in tokens},
        stops=not TERMINAL.isdisjoint(tokens[:_STOPS]),
        same=dict(same),
    )


def _is_letter(character: str) -> bool:
    """Whether it is a letter or digit, or what is written over, under or beside one, as the vowels of Hindi are."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _sound(word: str) -> str:
    """What a word begins with to the ear, where its spelling says as much: not of `unit`, `hour` or `FBI`."""
    begins = word[:1].lower()
    if not word.isalpha() or (word.isupper() and len(word) > 1) or begins in "uh" or word.lower().startswith(("eu", "one", "once")):
        return "either"
    return "vowel" if begins in "aeio" else "consonant"


class CarefulWriter:
    """Follows a text word by word, from the beginning of a paragraph on, and says which words would spoil it next."""

    _last: str
    _open: list[str]  # what closes the brackets that are open
    _quoted: int | None  # words since a quotation was opened
    _quoted_in: int  # brackets in which it was
    _aside: int  # words since a bracket was opened
    _opened: bool  # whether the last word opened a bracket or a quotation
    _ended: bool  # whether a sentence has just ended

    def __init__(self, vocabulary: LanguageVocab, ids: Iterable[int] = ()) -> None:
        self._kinds = _kinds(vocabulary)
        self._tokens = vocabulary.words.tokens
        self._ids: list[int] = []  # the last words
        self._followers: ChainMap[tuple[int, ...], tuple[int, ...]] = ChainMap()
        self._start()
        for index in ids:
            self.read(index)

    def read(self, index: int) -> None:
        """The next word of the text."""
        token = self._tokens[index]
        self._ids = [*self._ids[1 - _REPEATED :], index]
        if len(self._ids) == _REPEATED:
            *before, last = self._ids
            self._followers[tuple(before)] = (*self._followers.get(tuple(before), ()), last)
        if token == EOS:
            return self._start()
        closes_quote = token == QUOTE and self._quoted is not None
        brackets = self._kinds.brackets
        if token in brackets:
            self._open.append(brackets[token])
            self._aside = 0
        elif self._open and token == self._open[-1]:
            self._open.pop()
        elif token == QUOTE:
            self._quoted, self._quoted_in = (None if closes_quote else 0), len(self._open)
        self._opened = token in brackets or (token == QUOTE and not closes_quote)
        self._ended = token in TERMINAL or (self._ended and (closes_quote or token in _CLOSING))
        self._aside += 1
        if self._quoted is not None:
            self._quoted += 1
        self._last = token
        return None

    def branch(self) -> CarefulWriter:
        """A writer that goes on from here for itself, as long as this one reads no further."""
        branch = copy.copy(self)
        branch._open, branch._followers = [*self._open], self._followers.new_child()
        return branch

    def unclosed(self) -> list[int]:
        """The marks that would close all brackets and the quotation that are open, the first of them first."""
        marks = [*self._open]
        if self._quoted is not None:
            marks.insert(self._quoted_in, QUOTE)
        return [self._kinds.ids[mark] for mark in reversed(marks)]

    def spoiling(self) -> Mask:
        """The words that would spoil the text if they came next; at least one is left."""
        kinds, last = self._kinds, self._last
        mask = kinds.odd.copy()
        must_close = self._must_close()
        if must_close is not None:
            mask[:] = True
            mask[must_close] = False
            return mask
        first = last == "" or self._opened or self._ended
        if first:
            mask |= kinds.never_first
        if last in ("", "."):
            mask |= kinds.small
        if last in _MIDDLE:
            mask |= kinds.breaks
        mask[kinds.same.get(last.lower(), [])] = True
        mask[kinds.same.get(self._joined, [])] = True
        mask |= kinds.after.get(last.lower(), False)
        for word in _NOT:
            self._mind(mask, word, allowed=last.lower() in _NEGATED)
        mask[list(self._followers.get(tuple(self._ids[1 - _REPEATED :]), ()))] = True
        self._mind(mask, QUOTE, allowed=last != QUOTE)
        for opening, closing in kinds.brackets.items():
            self._mind(mask, opening, allowed=not self._open)
            self._mind(mask, closing, allowed=closing in self._open[-1:] and not self._opened and last not in _MIDDLE)
        self._mind(mask, EOS, allowed=(self._ended or self._may_end) and not self._open and self._quoted is None)
        return kinds.odd if mask.all() else mask

    @property
    def _joined(self) -> str:
        """The word to which an `and` joins the next one, in small letters; none where it may be joined to itself."""
        if self._last.lower() not in _JOINS or len(self._ids) < 2:
            return ""
        word = self._tokens[self._ids[-2]].lower()
        comparative = word.endswith("er") and not {word[:-1], word[:-2]}.isdisjoint(self._kinds.same) and len(word) > 4
        return "" if word in _TWICE or comparative else word

    @property
    def _may_end(self) -> bool:
        """Whether a paragraph may end without a mark: where sentences have none, after any word."""
        return not self._kinds.stops and self._last != "" and self._last not in _MIDDLE

    def _start(self) -> None:
        """At the beginning of a paragraph."""
        self._last = ""
        self._open = []
        self._quoted, self._quoted_in = None, 0
        self._aside = 0
        self._opened = self._ended = False

    def _must_close(self) -> int | None:
        """The mark that has to come now, as the aside or the quotation is long enough."""
        if self._last in _MIDDLE or self._opened:
            return None
        if self._open and self._aside > _LONGEST_ASIDE:
            return self._kinds.ids.get(self._open[-1])
        if self._quoted is not None and self._quoted > _LONGEST_SPEECH and self._last in TERMINAL:
            return self._kinds.ids.get(QUOTE)
        return None

    def _mind(self, mask: Mask, token: str, *, allowed: bool) -> None:
        index = self._kinds.ids.get(token)
        if index is not None:
            mask[index] = not allowed or self._kinds.odd[index]
