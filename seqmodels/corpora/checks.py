"""What is asked of the sentences of a file, beyond its form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from seqmodels.corpora.opening import CorpusError, TextFile, shorten

LONGEST_SENTENCE = 1_000  # words; a column file whose sentences are mostly longer lacks blank lines
LONGEST_ALONE = 100  # words; so does one that is a single sentence as long as this
# shares of a file's rows or words. One damaged line is named, not the whole file, so a column of tags need not be one throughout:
MOST = 0.9  # of its rows hold a tag,
HALF = 0.5  # or half where no column has most, as in a small file
FEW = 0.05

_NUMBER = re.compile(r"\d+(?:[-.]\d+)?")
_WITHHELD = re.compile(r"_+|\[WORD\]")


def check_words(file: TextFile, sentences: Sequence[Sequence[str]]) -> list[str]:
    """Refuse words that are none; tell where a good part of them has no form."""
    counts = Counter(word for sentence in sentences for word in sentence)
    total = counts.total()
    withheld = sum(count for word, count in counts.items() if _WITHHELD.fullmatch(word))
    advice = "set the word column (--word-column N), or give a file with its words"
    if withheld >= MOST * total:
        raise CorpusError(f"{file}: {withheld:,} of {total:,} words are _, as in corpora whose texts are withheld: {advice}")
    if all(_WITHHELD.fullmatch(word) or _NUMBER.fullmatch(word) for word in counts):
        raise CorpusError(f"{file}: all {total:,} words are numbers, such as {shorten(next(iter(counts)))}: {advice}")
    if withheld >= FEW * total:
        return [f"{withheld:,} of {total:,} words are _: their texts may be withheld, and the scores mean little"]
    return []


def check_lengths(file: TextFile, lines: Sequence[int], sentences: Sequence[Sequence[str]], *, training: bool) -> list[str]:
    """Sentences far too long are told; where most words are in such, a file to train on is refused: it lacks blank lines."""
    longest = max(map(len, sentences))
    if longest == 1 and len(sentences) > 1:
        return ["each sentence is a single word: blank lines are expected between sentences, not between words"]
    if longest <= LONGEST_SENTENCE:
        alone = len(sentences) == 1 and longest > LONGEST_ALONE
        return [f"all {longest:,} words are one sentence: a blank line is expected after each sentence"] if alone else []
    inside = sum(len(words) for words in sentences if len(words) > LONGEST_SENTENCE)
    found = f"{longest:,} words in one sentence"
    if training and inside > HALF * sum(map(len, sentences)):
        line, size = next((line, len(words)) for line, words in zip(lines, sentences, strict=True) if len(words) > LONGEST_SENTENCE)
        raise CorpusError(f"{file}, line {line}: {size:,} words in one sentence: put a blank line after each sentence")
    return [f"{found}: a blank line is expected after each sentence"]
