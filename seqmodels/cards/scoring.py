"""Numbers from what people and a model say of the same words: tallies, confusions, calibration. Lists and arrays, no tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmodels.cards.record import BINS, Bin, Calibration, Confusion, Tally
from seqmodels.decoding import Span, SpanOdds, spans

Tags = Sequence[str]
Shares = NDArray[np.float32] | NDArray[np.float64]

NO_ENTITY, MISSED, OTHER_BOUNDS = "no entity", "missed", "other bounds"


@dataclass(frozen=True)
class Answer:
    """What people say of the words first..last of a sentence, both included, what the model says, and how sure it is."""

    gold: str
    predicted: str
    first: int
    last: int
    probability: float

    @property
    def right(self) -> bool:
        return self.gold == self.predicted


def answers(gold: Tags, predicted: Tags, probabilities: Shares, *, of_spans: bool) -> list[Answer]:
    """One for each word of a sentence, or for each entity that people or the model find in it."""
    if of_spans:
        return list(_span_answers(gold, predicted, probabilities))
    rows = zip(gold, predicted, probabilities.tolist(), strict=True)
    return [Answer(truth, guess, at, at, share) for at, (truth, guess, share) in enumerate(rows)]


def _span_answers(gold: Tags, predicted: Tags, probabilities: Shares) -> Iterator[Answer]:
    """An entity with the right bounds has the type that was found; else it was missed, or found with other bounds.

    Its probability is that of its least certain word.
    """
    found = spans(predicted)
    exact = {(span.first, span.last): span for span in found}
    wanted = spans(gold)
    for span in wanted:
        match = exact.get((span.first, span.last))
        said = match.label if match else OTHER_BOUNDS if any(_overlap(span, other) for other in found) else MISSED
        yield Answer(span.label, said, span.first, span.last, _least(probabilities, span))
    for span in found:
        if not any(_overlap(span, other) for other in wanted):
            yield Answer(NO_ENTITY, span.label, span.first, span.last, _least(probabilities, span))


def tallies(labels: Sequence[str], gold: Iterable[Tags], predicted: Iterable[Tags], *, of_spans: bool) -> tuple[Tally, ...]:
    """One for each label, or those of them that occur; an entity is right if its bounds and its type are."""
    truth, guessed, right = Counter[str](), Counter[str](), Counter[str]()
    for wanted, found in zip(gold, predicted, strict=True):
        if of_spans:
            true_spans, found_spans = set(spans(wanted)), set(spans(found))
            truth.update(span.label for span in true_spans)
            guessed.update(span.label for span in found_spans)
            right.update(span.label for span in true_spans & found_spans)
        else:
            truth.update(wanted)
            guessed.update(found)
            right.update(tag for tag, said in zip(wanted, found, strict=True) if tag == said)
    return tuple(Tally(label, truth[label], guessed[label], right[label]) for label in labels if truth[label] or guessed[label])


def confusion(labels: Sequence[str], given: Iterable[Answer], *, of_spans: bool) -> Confusion:
    """Counts of answers: a row for what people say, a column for what the model does. Rows and columns of nothing are left out."""
    counts = Counter((answer.gold, answer.predicted) for answer in given)
    used = {name for pair in counts for name in pair}
    known = [label for label in labels if label in used]
    rows = [*known, *([NO_ENTITY] if of_spans else [])]
    columns = [*known, *([OTHER_BOUNDS, MISSED] if of_spans else [])]
    return Confusion(tuple(rows), tuple(columns), tuple(tuple(counts[row, column] for column in columns) for row in rows))


def calibration(of: str, probabilities: Shares, right: NDArray[np.bool_]) -> Calibration:
    """BINS bins of as many answers each, from the least sure to the surest."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    means = [min(max(float(probabilities[part].mean(dtype=np.float64)), 0.0), 1.0) for part in parts]
    return Calibration(
        of, tuple(Bin(len(part), round(mean, 5), int(right[part].sum())) for part, mean in zip(parts, means, strict=True))
    )


def span_calibration(found: Sequence[tuple[Tags, Tags, Shares]], odds: SpanOdds) -> Calibration:
    """Of the entities that the model finds, in (gold, predicted, probabilities) of each sentence."""
    sure: list[float] = []
    right: list[bool] = []
    for gold, predicted, probabilities in found:
        true_spans = set(spans(gold))
        for span in spans(predicted):
            sure.append(odds.probability(probabilities[span.first : span.last + 1]))
            right.append(span in true_spans)
    return calibration("entities", np.array(sure), np.array(right, dtype=bool))


def kinds(tags: Sequence[str], *, of_spans: bool) -> list[str]:
    """The labels that tags stand for: types of entities, or the tags themselves."""
    return list(dict.fromkeys(tag[2:] for tag in tags if tag[1:2] == "-")) if of_spans else list(tags)


def _overlap(one: Span, other: Span) -> bool:
    return one.first <= other.last and other.first <= one.last


def _least(probabilities: Shares, span: Span) -> float:
    return float(probabilities[span.first : span.last + 1].min())
