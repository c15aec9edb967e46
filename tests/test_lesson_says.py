"""What the lesson says of the shipped models and of the recorded runs, worked out again; as in test_quoted.py, no digit is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pages.common.lesson import STEPS, Step
from pages.common.lesson.steps import GATE_BY_HAND
from pages.hand import switch
from pages.training import recorded
from seqmodels import traces
from seqmodels.cells import CELLS
from seqmodels.experiments import read_results, results_path
from seqmodels.experiments.findings import better
from seqmodels.experiments.verdicts import TIPS
from seqmodels.inference import tag
from seqmodels.labs.gradients import gradient_flow
from seqmodels.labs.spectrum import spectrum
from seqmodels.traces.agreement import agreement
from seqmodels.viz.format import percent, signed
from tests.conftest import SHIPPED_CELLS
from tests.paging import opened
from tests.test_page_gradients import USUAL
from tests.test_quoted import at, clipping_of, fixed, load, path, probe, read, settings, side

Values = Mapping[str, Any]
Claim = Callable[[Values], tuple[int, Sequence[str]]]  # the choice that is the case, and phrases of the step's texts

CLAIMS: dict[str, Claim] = {}


def claim(key: str) -> Callable[[Claim], Claim]:
    def register(found: Claim) -> Claim:
        CLAIMS[key] = found
        return found

    return register


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.key)
def test_a_step_says_what_is_true_and_no_other_number(step: Step) -> None:
    right, phrases = CLAIMS[step.key](step.values)
    assert step.right == right
    texts = " ".join((step.text, step.question, *step.choices, step.happens, step.do))
    for phrase in phrases:
        assert phrase in texts
        texts = texts.replace(phrase, "")
    texts = (
        texts.replace("About 16", "").replace("About 5", "").replace("About 1", "").replace("About 0", "").replace("About −1", "")
    )
    assert not re.search(r"\d", texts), f"no claim holds {texts!r}"


def test_every_claim_is_of_a_step() -> None:
    assert CLAIMS.keys() == {step.key for step in STEPS}


@claim("sequence")
def one_word_twice(values: Values) -> tuple[int, Sequence[str]]:
    for cell in SHIPPED_CELLS:
        tokens = tag(load("pos", cell), values["text"]).tokens
        for word in ("record", "play"):
            assert [token.tag for token in tokens if token.text == word] == ["VERB", "NOUN"]
        assert {layer.direction for layer in read(values, cell).layers} == {"forward", "backward"}
    return 1, []


@claim("plain")
def two_points(values: Values) -> tuple[int, Sequence[str]]:
    (keep, write), (kept, written) = (fixed(cell) for cell in ("elman", "residual"))
    return 1, [
        f"Elman's at ({keep:g}, {write:g}), the sum's at ({kept:g}, {written:g})",
        f"Elman keeps {keep:g} and writes {write:g}, the point ({keep:g}, {write:g})",
        f"The ungated sum keeps {kept:g} and writes {written:g}, the point ({kept:g}, {written:g})",
    ]


@claim("forgets")
def one_forgets(values: Values) -> tuple[int, Sequence[str]]:
    elman, lstm, the = probe(values, "elman"), probe(values, "lstm"), probe({**values, "filler": "the"}, "lstm")
    assert elman.prediction == lstm.prediction == "B-LOC"
    assert values["longest"] == 20
    assert abs(elman.effect[-1]) < 0.05 < 1 < lstm.effect[-1]
    return 1, [
        f"by {signed(lstm.effect[-1])}; as typed it was {signed(lstm.effect[0])}",
        f"In Elman {signed(elman.effect[0])} has become {signed(elman.effect[-1])}",
        f"down to {signed(the.effect[-1])}",
    ]


@claim("vanishes")
def it_vanishes(values: Values) -> tuple[int, Sequence[str]]:
    tokens = read(values, "gru").tokens
    elman, gru, lstm = (path(values, cell) for cell in SHIPPED_CELLS)
    assert (tokens[elman.sources[0]], tokens[at(values)]) == ("The", "table")
    assert elman.gradient[0] < 0.001
    lost = percent(1 - traces.rate(elman.gradient))
    return 2, [
        f"{percent(elman.gradient[0])}, for {lost} is lost",
        f"In GRU {percent(gru.gradient[0])} arrives, in LSTM {percent(lstm.gradient[0])}",
    ]


@claim("explodes")
def it_may_explode(values: Values) -> tuple[int, Sequence[str]]:
    small = replace(USUAL, gain=values["gain"], input_size=values["input"])
    large = replace(small, input_size=3.0)
    assert (small.recurrent_matrix() == large.recurrent_matrix()).all()
    assert spectrum(small).largest > 2
    grown, shrunk = (gradient_flow("elman", network).gradient[0] for network in (small, large))
    assert grown > 1e6
    assert shrunk < 1e-3
    return 1, [f"over {small.length - 1} steps", f"*Input size* to {large.input_size:g}"]


@claim("remedies")
def clipped(values: Values) -> tuple[int, Sequence[str]]:
    told, (run, other) = recorded.read()["explanation"], recorded.read()["runs"]
    assert values["run"] == "recorded"
    (of_clipped,) = settings("clipped")
    assert of_clipped.model.activation == "relu"
    assert run["epochs"][-1]["score"] < other["epochs"][-1]["score"]
    phrases = [f"clipped to {clipping_of(of_clipped).threshold:g}"]
    for run_, words in ((run, "ends at {} % of the words right"), (other, "gets to {} %")):
        share = f"{run_['epochs'][-1]['score']:.0f}"
        assert f"{share} %" in told
        phrases.append(words.format(share))
    (norm,) = re.findall(r"\d × 10[⁰-⁹]+", told)
    return 1, [*phrases, f"the norm of its gradient at {norm}"]


@claim("switch")
def the_switch(values: Values) -> tuple[int, Sequence[str]]:
    a, b, lam = switch.A, switch.B, float(str(opened(GATE_BY_HAND).slider(key="switch").value))
    found = f"{a + lam * b:g}"
    assert lam == 0.4
    (step,) = (step for step in STEPS if step.key == "switch")
    assert step.choices == (f"{a:g}", found, f"{a + b:g}")
    return 1, ["λ between 0 and 1", f"a = {a:g}, b = {b:g} and λ = {lam:g}", f"{a:g} {found} {a + b:g}", f"{found}, all of a"]


@claim("gated")
def all_is_left(values: Values) -> tuple[int, Sequence[str]]:
    words, token = read(values, "gated").tokens, at(values)
    assert (words[token], (traces.retention(side(values, "gated"), token)[token:] == 1).all()) == ("keys", True)
    return 2, ["keep is always 1", f"at *are*, {words.index('are') - token} words on"]


@claim("forget-gate")
def what_is_left(values: Values) -> tuple[int, Sequence[str]]:
    are = read(values, "gru").tokens.index("are")
    cells = ("gated_forget", "gru", "lstm")
    left = [traces.retention(side(values, cell), at(values))[are] for cell in cells]
    assert list(cells) == values["cells"]
    forgetting, gru, lstm = map(percent, left)
    scores = {cell: load("pos", cell).info.scores["test"]["accuracy"] for cell in ("gated", *cells)}
    assert scores["gated"] < min(scores[cell] for cell in cells)
    return int(np.argmax(left)), [f"LSTM, {lstm} of it", f"The forgetting sum holds {forgetting} and GRU {gru}"]


@claim("gru")
def replaced(values: Values) -> tuple[int, Sequence[str]]:
    gru, token, unit = side(values, "gru"), at(values), values["unit"]
    before, after = gru.memory[token - 1, unit], gru.memory[token, unit]
    assert gru.mu[token, unit] < 1e-4
    told = [f"unit {unit} holds {before:.3f}", f"{after:.3f}: it keeps less than 0.01 % of what it held"]
    assert CELLS["gru"].formulas.lam == "1 − z"
    return 1 - round(after), ["λ = 1 − z", *(text.replace("-", "−") for text in told)]


@claim("lstm")
def counts(values: Values) -> tuple[int, Sequence[str]]:
    lstm, unit = side(values, "lstm"), values["unit"]
    assert read(values, "lstm").tokens[at(values)] == "table"
    assert min(np.median(lstm.written[:, unit]), lstm.written[at(values), unit]) > 0.9
    assert np.abs(side(values, "gru").memory).max() <= 1
    after = lstm.memory[at(values), unit]
    assert round(after) == 16
    return 2, [
        "never leaves −1 to 1",
        f"Unit {unit}",
        "writes almost 1",
        f"{after:.3f}, after {lstm.memory[0, unit]:.3f} at the first word".replace("-", "−"),
    ]


@claim("reach")
def how_far_back(values: Values) -> tuple[int, Sequence[str]]:
    elman, gru, lstm, forgetting = (agreement(load("lm", cell)) for cell in (*SHIPPED_CELLS, "gated_forget"))
    assert gru.gap[-1] > 4 * lstm.gap[-1] > 4 * abs(elman.gap[-1])
    assert gru.words[-1] == 26
    assert elman.words[2] == 7
    return 1, [
        f"{gru.words[-1]} words later",
        f"GRU, which holds the two {percent(gru.gap[-1])} apart",
        f"from {percent(lstm.gap[0])} to {percent(lstm.gap[-1])}, Elman to {percent(elman.gap[2])} after seven words",
        f"the forgetting sum: it holds them {percent(forgetting.gap[-1])} apart",
    ]


@claim("advice")
def not_supported(values: Values) -> tuple[int, Sequence[str]]:
    characters, words = (
        {one.name: one for one in panel.arms} for panel in TIPS[values["tip"]](read_results(results_path("tips"))).panels
    )
    elman, gru = words["Elman"], words["GRU"]
    gated = [cell.title for cell in CELLS.values() if not cell.fixed_gates]
    assert not any(better(words[name], elman) > 0 for name in gated)
    assert better(characters["GRU"], characters["Elman"]) > 0
    return 2, [f"Elman has {elman.mean:.2f} % of the tags right, GRU {gru.mean:.2f} %"]
