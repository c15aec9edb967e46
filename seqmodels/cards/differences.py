"""Where the checkpoints of a task differ on its dev split, and which of them is right there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import Any

import numpy as np

from seqmodels import inference
from seqmodels.cards.reading import LEAST_QUOTED, LONGEST_QUOTED, LanguageReading, Reading, TagReading, quotable
from seqmodels.cards.record import Difference, Guess, Pair
from seqmodels.text import join, words

EACH = 6  # differences of two models that are kept, each in a sentence of its own
LEAST_SURE = 0.05  # probability of the next word under the better of two language models

_Place = tuple[int, int]  # a sentence, and a word in it


def pairs(readings: Sequence[Reading]) -> tuple[Pair, ...]:
    """Every two models, over all words of the split."""
    return tuple(_pair(first, second) for first, second in combinations(readings, 2))


def _pair(first: Reading, second: Reading) -> Pair:
    differ = first.said != second.said
    right = [int((differ & (one.said == one.gold)).sum()) for one in (first, second)]
    return Pair(first.checkpoint.name, second.checkpoint.name, len(differ), int(differ.sum()), *right)


def differences(readings: Sequence[Reading]) -> tuple[Difference, ...]:
    """For every two models those of which both are surest, as a user sees them who gives the models the text alone."""
    found: dict[_Place, Difference] = {}
    for first, second in combinations(readings, 2):
        search = _of_language if isinstance(first, LanguageReading) else _of_tags
        for place, difference in islice(search(first, second, readings), EACH):
            found.setdefault(place, difference)
    return tuple(found.values())


def _of_tags(first: Any, second: Any, readings: Sequence[Any]) -> Iterator[tuple[_Place, Difference]]:
    """The surer the less sure of the two, the earlier."""
    return _once_a_sentence(
        (place, difference)
        for place in _places(
            first, np.minimum(np.concatenate(first.sure), np.concatenate(second.sure)) * (first.said != second.said)
        )
        if (difference := _tagged(place, readings)) and difference.between(first.checkpoint.name, second.checkpoint.name)
    )


def _tagged(place: _Place, readings: Sequence[TagReading]) -> Difference | None:
    """What each model says of the sentence alone; None if it is not to be quoted, or not read as one sentence of these words."""
    number, at = place
    sentence = readings[0].sentences[number]
    text = quotable(sentence.words)
    if text is None:
        return None
    taggings = {reading.checkpoint.name: inference.tag(reading.checkpoint, text) for reading in readings}
    if any(len(tagging.sentences) > 1 for tagging in taggings.values()):
        return None
    tokens = {name: tagging.tokens[at] for name, tagging in taggings.items()}
    guesses = {name: Guess(token.tag, _share(token.probability)) for name, token in tokens.items()}
    return Difference(text, sentence.words[at], next(iter(tokens.values())).start, sentence.tags[at], guesses)


def _of_language(first: Any, second: Any, readings: Sequence[Any]) -> Iterator[tuple[_Place, Difference]]:
    """The more one of the two expects the word that came than the other, the earlier. Characters are quoted nowhere."""
    if first.checkpoint.task.unit == "character":
        return iter(())
    likely = np.minimum(first.surprise, second.surprise) <= -np.log(LEAST_SURE)
    apart = np.abs(first.surprise - second.surprise) * likely * (first.said != second.said)
    return _once_a_sentence(
        (place, difference)
        for place in _places(first, apart)
        if (difference := _expected(place, readings)) and difference.between(first.checkpoint.name, second.checkpoint.name)
    )


def _expected(place: _Place, readings: Sequence[LanguageReading]) -> Difference | None:
    """What each model expects after the paragraph up to the word."""
    number, at = place
    paragraph = list(readings[0].paragraphs[number])
    if not LEAST_QUOTED <= at <= min(LONGEST_QUOTED, len(paragraph) - 1):
        return None
    text, word = join(paragraph[:at]), paragraph[at]
    if words(text) != paragraph[:at]:
        return None
    guesses: dict[str, Guess] = {}
    for reading in readings:
        expected = inference.next_words(reading.checkpoint, text)
        if word not in expected.words:
            return None
        said = expected.words[int(expected.log_probabilities.argmax())]
        share = float(np.exp(expected.log_probabilities[expected.words.index(word)]))
        guesses[reading.checkpoint.name] = Guess(said, _share(share))
    return Difference(text, word, len(text), word, guesses)


def _places(reading: Any, weights: Any) -> Iterator[_Place]:
    """The words with a weight, the heaviest first."""
    if isinstance(reading, TagReading):
        lengths = [len(sentence.words) for sentence in reading.sentences]
    else:
        lengths = [len(paragraph) + 1 for paragraph in reading.paragraphs]  # `<eos>` after each
    ends = np.cumsum(lengths)
    if ends[-1] != len(weights):  # a task that reads its text in another order tells no places
        return
    for index in np.argsort(-weights, kind="stable"):
        if weights[index] <= 0:
            return
        number = int(np.searchsorted(ends, index, side="right"))
        yield number, int(index - (ends[number] - lengths[number]))


def _once_a_sentence(found: Iterator[tuple[_Place, Difference]]) -> Iterator[tuple[_Place, Difference]]:
    seen: set[int] = set()
    for place, difference in found:
        if place[0] not in seen:
            seen.add(place[0])
            yield place, difference


def _share(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 4)
