"""How probable a tagger finds each tag of a sentence, and the numbers, fitted on dev, by which it is as sure as it is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqmodels.corpora import Sentence
from seqmodels.decoding import LEAST_TOKEN, Rules, SpanOdds, log_odds, spans
from seqmodels.models import Tagger
from seqmodels.tasks.base import TEMPERATURES
from seqmodels.tasks.batching import batches, pieces
from seqmodels.vocab import TaggerBatch, TaggerVocab

FEWEST_SPANS = 100  # found in the dev split, until two numbers can be fitted to them
_FAINTEST = 1e-12  # of what is fitted: a few tags that seemed impossible would weigh more than all others


@torch.inference_mode()
def tag_probabilities(
    model: Tagger,
    vocabulary: TaggerVocab,
    sentences: Sequence[Sequence[str]],
    *,
    encode: Callable[[Sequence[Sequence[str]]], TaggerBatch] | None = None,
) -> list[NDArray[np.float32]]:
    """Each sentence's tag probabilities (tokens, tags), in the order given. A very long sentence is read in pieces.

    `encode` stands in for that of the vocabulary.
    """
    encode = vocabulary.encode if encode is None else encode
    if model.training:  # to look is cheap, and to set is not: there are many modules
        model.eval()
    parts = [(words, piece) for words in sentences for piece in pieces(len(words))]
    found: dict[int, NDArray[np.float32]] = {}
    for indices in batches([piece.length for _, piece in parts]):
        read = [words[piece.read] for words, piece in map(parts.__getitem__, indices)]
        probabilities = torch.softmax(model.score(read, encode), dim=-1).numpy(force=True)
        ends = np.cumsum([len(words) for words in read])
        for alone, index in zip(np.split(probabilities, ends[:-1]), indices, strict=True):
            found[index] = alone[parts[index][1].kept].copy()  # the batch itself may go
    each = iter(range(len(parts)))
    return [np.concatenate([found[next(each)] for _ in pieces(len(words))]) for words in sentences]


def calibrate(model: Tagger, vocabulary: TaggerVocab, dev: list[Sentence]) -> SpanOdds:
    """Set the temperature that makes the dev tags most likely; then the odds that make it most likely which entities are right."""
    model.temperature = 1.0
    found = tag_probabilities(model, vocabulary, [sentence.words for sentence in dev])
    candidates = [float(temperature) for temperature in np.geomspace(*TEMPERATURES, 141)]
    losses = nats(model, vocabulary, dev, found, candidates, _FAINTEST)
    model.temperature = round(candidates[int(np.argmin(losses))], 3)
    shares = [torch.softmax(_logs(alone, _FAINTEST) / model.temperature, dim=1).numpy() for alone in found]
    return span_odds(model.rules(vocabulary.tags), dev, shares)


@torch.inference_mode()
def nats(
    model: Tagger,
    vocabulary: TaggerVocab,
    items: list[Sentence],
    found: list[NDArray[np.float32]],
    temperatures: Sequence[float] = (1.0,),
    least: float = float(np.finfo(np.float32).tiny),
) -> list[float]:
    """What the true tags cost a token at each of the temperatures, where these probabilities (tokens, tags) were found at 1.

    None of them counts as less than `least`.
    """
    tag_ids = {tag: index for index, tag in enumerate(vocabulary.tags)}
    gold = [torch.tensor([tag_ids[tag] for tag in sentence.tags]) for sentence in items]
    tokens = sum(map(len, gold))
    if model.transitions is None:
        logs, tags = _logs(np.concatenate(found), least), torch.cat(gold)
        return [F.cross_entropy(logs / temperature, tags).item() for temperature in temperatures]
    totals = np.zeros(len(temperatures))
    for batch in batches([len(tags) for tags in gold]):
        # (batch, time, tags) and (batch, time)
        logs = pad_sequence([_logs(found[index], least) for index in batch], batch_first=True).to(model.device)
        tags = pad_sequence([gold[index] for index in batch], batch_first=True).to(model.device)
        lengths = torch.tensor([len(gold[index]) for index in batch], device=model.device)
        totals += [model.transitions.loss(logs, tags, lengths, temperature).item() for temperature in temperatures]
    return (totals / tokens).tolist()


def _logs(probabilities: NDArray[np.float32], least: float) -> Tensor:
    return torch.from_numpy(np.log(np.maximum(probabilities, least)))


def span_odds(rules: Rules, dev: list[Sentence], shares: list[NDArray[np.float32]]) -> SpanOdds:
    """Those of the entities found with these probabilities. Too few, or all of them right or wrong, change nothing."""
    odds, right = [], []
    for sentence, best, sure in zip(dev, rules.best(shares), rules.marginals(shares), strict=True):
        gold = set(spans(sentence.tags))
        for span in spans([rules.tags[tag] for tag in best]):
            odds.append(log_odds(min(sure[at, best[at]] for at in range(span.first, span.last + 1))))
            right.append(span in gold)
    if len(right) < FEWEST_SPANS or len(set(right)) < 2:
        return LEAST_TOKEN
    from scipy.optimize import minimize  # takes half a second to import

    seen, truth = np.array(odds), np.array(right, dtype=float)

    def loss(values: NDArray[np.float64]) -> float:
        logits = values[0] * seen + values[1]
        return float(np.mean(np.logaddexp(0, logits) - truth * logits))

    scale, shift = minimize(loss, (1.0, 0.0), bounds=((0, 10), (-10, 10))).x
    return SpanOdds(round(float(scale), 3), round(float(shift), 3))
