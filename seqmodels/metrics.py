"""How good: accuracy, exact-span entity F1, perplexity. Percentages run from 0 to 100."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from seqmodels.decoding import spans


def accuracy(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> float:
    """Share of tokens with the right tag, in percent."""
    right = total = 0
    for truth, guess in zip(gold, predicted, strict=True):
        right += sum(a == b for a, b in zip(truth, guess, strict=True))
        total += len(truth)
    return 100 * right / total if total else 0.0


def entity_scores(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> tuple[float, float, float]:
    """Micro precision, recall and F1 in percent. An entity counts when first token, last token and type agree (CoNLL-2003)."""
    right = found = wanted = 0
    for truth, guess in zip(gold, predicted, strict=True):
        true_spans, guessed_spans = set(spans(truth)), set(spans(guess))
        right += len(true_spans & guessed_spans)
        found += len(guessed_spans)
        wanted += len(true_spans)
    precision = 100 * right / found if found else 0.0
    recall = 100 * right / wanted if wanted else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1


def perplexity(nats: float, tokens: int) -> float:
    """exp of the mean negative log-probability a token."""
    mean = nats / max(tokens, 1)
    return math.exp(mean) if mean < 700 else math.inf
