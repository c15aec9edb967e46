"""The gap probe is what typing the filler words by hand gives: theory from the gates, experiment from the network."""

import re

import numpy as np
import pytest
import torch

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import encode
from seqmodels.models import LanguageModel, Tagger
from seqmodels.traces import gap_probe, trace
from tests.conftest import MODELS

TEXT = "The old man the boats in Berlin"
NOBODY_KNOWS = "ж"  # neither as a word nor as a letter is it in the small vocabularies
NAMES = [f"{task}-{cell}" for task, cell in MODELS]
ENDS = [(model, *ends) for model in NAMES for ends in ((1, 4), (3, 4), (5, 2)) if ends[0] < ends[1] or not model.startswith("lm")]
SETTINGS = {"filler": "of course", "longest": 3}
FILLED = ["", "of", "of course", "of course of"]


def logits(checkpoint: Checkpoint, text: str, token: int) -> torch.Tensor:
    output = encode(checkpoint, text).outputs[-1][token]
    model = checkpoint.model
    assert isinstance(model, Tagger | LanguageModel)
    with torch.inference_mode():
        return model.head(output) / model.temperature if isinstance(model, Tagger) else model.logits(output)


def typed(text: str, before: int, filler: str) -> str:
    words = text.split()
    return " ".join([*words[:before], *filler.split(), *words[before:]])


def start_of(checkpoint: Checkpoint) -> int:
    """How many tokens stand before the first word."""
    return trace(checkpoint, TEXT).tokens.index("The")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layers", ["tiny", "deep"])
def test_without_filler_it_is_the_plain_run(name: str, layers: str, request: pytest.FixtureRequest) -> None:
    checkpoint = request.getfixturevalue(layers)[name]
    start = start_of(checkpoint)
    probe = gap_probe(checkpoint, TEXT, start + 1, start + 4)
    plain = logits(checkpoint, TEXT, start + 4)
    assert probe.prediction == checkpoint.targets[int(plain.argmax())]
    assert probe.logit[0] == pytest.approx(float(plain.max()), rel=1e-6, abs=1e-6)
    assert probe.probability[0] == pytest.approx(float(torch.softmax(plain, dim=0).max()), rel=1e-5)
    assert probe.gaps.tolist() == list(range(41))


@pytest.mark.parametrize(("name", "source", "target"), ENDS)
@pytest.mark.parametrize("layers", ["tiny", "deep"])
def test_every_gap_is_the_text_with_the_filler_typed_in(
    name: str, layers: str, source: int, target: int, request: pytest.FixtureRequest
) -> None:
    checkpoint = request.getfixturevalue(layers)[name]
    start, later = start_of(checkpoint), max(source, target)
    probe = gap_probe(checkpoint, TEXT, start + source, start + target, **SETTINGS)  # type: ignore[arg-type]
    replaced = " ".join(NOBODY_KNOWS if at == source else word for at, word in enumerate(TEXT.split()))
    chosen = checkpoint.targets.index(probe.prediction)
    for gap, filler in enumerate(FILLED):
        at = start + target + (gap if target == later else 0)
        filled = logits(checkpoint, typed(TEXT, later, filler), at)
        unknown = logits(checkpoint, typed(replaced, later, filler), at)
        assert probe.logit[gap] == pytest.approx(float(filled[chosen]), abs=1e-5)
        assert probe.probability[gap] == pytest.approx(float(torch.softmax(filled, dim=0)[chosen]), abs=1e-5)
        assert probe.effect[gap] == pytest.approx(float(filled[chosen] - unknown[chosen]), abs=1e-5)


@pytest.mark.parametrize(("name", "source", "target"), ENDS)
@pytest.mark.parametrize("layer", [0, 1])
def test_survival_is_the_product_of_every_mu_on_the_way(
    deep: dict[str, Checkpoint], name: str, layer: int, source: int, target: int
) -> None:
    checkpoint = deep[name]
    start, later = start_of(checkpoint), max(source, target)
    probe = gap_probe(checkpoint, TEXT, start + source, start + target, layer=layer, **SETTINGS)  # type: ignore[arg-type]
    assert probe.direction == ("forward" if source < target else "backward")
    for gap, filler in enumerate(FILLED):
        begin, end = (start + at + (gap if at == later else 0) for at in (source, target))
        side = trace(checkpoint, typed(TEXT, later, filler)).layer(layer, probe.direction)
        wrote = (side.lam[begin] * side.candidate[begin]).astype(np.float64)
        left = wrote.copy()
        for read in range(begin + 1, end + 1) if begin < end else range(begin - 1, end - 1, -1):
            left *= side.mu[read]
        assert probe.retention[gap] == pytest.approx(np.linalg.norm(left) / np.linalg.norm(wrote), rel=1e-4, abs=1e-12)


def test_elmans_gates_say_that_nothing_survives_and_the_experiment_says_otherwise(tiny: dict[str, Checkpoint]) -> None:
    probe = gap_probe(tiny["lm-elman"], TEXT, 2, 4, longest=2)
    assert (probe.retention == 0).all()
    assert (np.abs(probe.effect) > 0).all()


@pytest.mark.parametrize(
    ("name", "source", "target", "settings", "told"),
    [
        ("lm-gru", 4, 2, {}, "lm-gru reads left to right"),
        ("pos-gru", 2, 2, {}, "both token 2"),
        ("pos-gru", -1, 2, {}, "no token -1 for the source: give a number from 0 to 6"),
        ("pos-gru", 1, 7, {}, "no token 7 for the target"),
        ("pos-gru", 1, 2, {"filler": "  "}, "holds no words"),
        ("pos-gru", 1, 2, {"longest": -1}, "longest is -1"),
        ("pos-gru", 1, 2, {"layer": 1}, "no layer 1: give a number from 0 to 0"),
    ],
)
def test_a_probe_that_cannot_be_is_refused_with_what_to_do(
    tiny: dict[str, Checkpoint], name: str, source: int, target: int, settings: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        gap_probe(tiny[name], TEXT, source, target, **settings)  # type: ignore[arg-type]
