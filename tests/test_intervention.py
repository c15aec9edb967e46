"""Surgery is the cells' own maths with a number replaced, and nothing else."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import Sampling, continue_text, encode, next_words
from seqmodels.recurrence import Recurrent
from seqmodels.traces import Clamp, Trace, continue_intervened, contributions, intervene, tag_and_trace, trace
from tests.conftest import MODELS

TEXT = "The old man the boats in Berlin, and nobody minds!"
TOLERANCE = 1e-5
GREEDY = Sampling(temperature=0, careful=False)
Array = np.ndarray
Hold = Callable[[str, Array], Array]  # (gate, its numbers) -> its numbers


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def elman(x: Array, h: Array, c: Array, hold: Hold) -> tuple[Array, Array]:
    memory = hold("mu", 0 * c) * c + hold("lam", 0 * c + 1) * np.tanh(x + h)
    return memory, memory


def gru(x: Array, h: Array, c: Array, hold: Hold) -> tuple[Array, Array]:
    (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(x, 3), np.split(h, 3)
    z = sigmoid(z_x + z_h)
    memory = hold("mu", z) * c + hold("lam", 1 - z) * np.tanh(n_x + sigmoid(r_x + r_h) * n_h)
    return memory, memory


def lstm(x: Array, h: Array, c: Array, hold: Hold) -> tuple[Array, Array]:
    i, f, g, o = np.split(x + h, 4)
    memory = hold("mu", sigmoid(f)) * c + hold("lam", sigmoid(i)) * np.tanh(g)
    return memory, sigmoid(o) * np.tanh(memory)


def residual(x: Array, h: Array, c: Array, hold: Hold) -> tuple[Array, Array]:
    memory = hold("mu", 0 * c + 1) * c + hold("lam", 0 * c + 1) * np.tanh(x + h)
    return memory, memory


def gated(x: Array, h: Array, c: Array, hold: Hold) -> tuple[Array, Array]:
    i, n = np.split(x + h, 2)
    memory = hold("mu", 0 * c + 1) * c + hold("lam", sigmoid(i)) * np.tanh(n)
    return memory, memory


def gated_forget(x: Array, h: Array, c: Array, hold: Hold) -> tuple[Array, Array]:
    f, i, n = np.split(x + h, 3)
    memory = hold("mu", sigmoid(f)) * c + hold("lam", sigmoid(i)) * np.tanh(n)
    return memory, memory


def mingru(x: Array, h: Array, c: Array, hold: Hold) -> tuple[Array, Array]:
    z, n = np.split(x, 2)
    memory = hold("mu", 1 - sigmoid(z)) * c + hold("lam", sigmoid(z)) * n
    return memory, memory


BY_HAND = {f.__name__: f for f in (elman, residual, gated, gated_forget, gru, lstm, mingru)}


def touches(clamp: Clamp, unit: int, layer: int, direction: str, token: int) -> bool:
    return (
        (clamp.units is None or unit in clamp.units)
        and (clamp.layer is None or clamp.layer == layer)
        and (clamp.direction is None or clamp.direction == direction)
        and (clamp.first is None or clamp.first <= token)
        and (clamp.last is None or clamp.last >= token)
    )


def run_by_hand(recurrent: Recurrent, inputs: Array, clamps: list[Clamp]) -> dict[tuple[int, str], Array]:
    """The memory (time, hidden) of every layer and direction, one number held after the other."""
    memories = {}
    for layer in range(recurrent.layers):
        outputs = []
        for direction in ("forward", "backward")[: 1 + recurrent.bidirectional]:
            weights = recurrent.weights(layer, reverse=direction == "backward")
            W, U, b, d = (part.numpy().astype(np.float64) for part in vars(weights).values())
            h = c = np.zeros(recurrent.hidden_size)
            memory, output = np.empty((len(inputs), len(h))), np.empty((len(inputs), len(h)))
            tokens = range(len(inputs)) if direction == "forward" else reversed(range(len(inputs)))
            for token in tokens:

                def hold(gate: str, values: Array, at: tuple[Any, ...] = (layer, direction, token)) -> Array:
                    held = values.copy()
                    for clamp, unit in product(clamps, range(len(values))):
                        if clamp.gate == gate and touches(clamp, unit, *at):
                            held[unit] = clamp.value
                    return held

                c, h = BY_HAND[recurrent.cell.name](W @ inputs[token] + b, U @ h + d, c, hold)
                memory[token], output[token] = c, h
            memories[layer, direction] = memory
            outputs.append(output)
        inputs = np.concatenate(outputs, axis=1)
    return memories


def assert_same(one: Trace, other: Trace, atol: float = 0) -> None:
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        assert vars(mine).keys() == vars(theirs).keys()
        for part, values in vars(mine).items():
            if isinstance(values, np.ndarray):
                np.testing.assert_allclose(values, vars(theirs)[part], rtol=0, atol=atol)
            else:
                assert values == vars(theirs)[part]


@pytest.mark.parametrize("name", [f"{task}-{cell}" for task, cell in MODELS])
@pytest.mark.parametrize("layers", ["tiny", "deep"])
def test_untouched_the_law_gives_what_the_fused_kernels_give(name: str, layers: str, request: pytest.FixtureRequest) -> None:
    checkpoint = request.getfixturevalue(layers)[name]
    run = intervene(checkpoint, TEXT)
    assert_same(run.trace, trace(checkpoint, TEXT), TOLERANCE)
    assert run.trace.tokens == trace(checkpoint, TEXT).tokens
    if name.startswith("lm"):
        assert run.tagging is None
        assert run.next_words is not None
        expected = next_words(checkpoint, TEXT)
        assert run.next_words.words == expected.words
        np.testing.assert_allclose(run.next_words.log_probabilities, expected.log_probabilities, atol=TOLERANCE)
    else:
        assert run.next_words is None
        assert run.tagging is not None
        tagging, _ = tag_and_trace(checkpoint, TEXT)
        for mine, theirs in zip(run.tagging.tokens, tagging.tokens, strict=True):
            assert (mine.text, mine.tag) == (theirs.text, theirs.tag)
            assert mine.probability == pytest.approx(theirs.probability, abs=TOLERANCE)


CLAMPED = {
    "amnesia at a word": [Clamp("mu", 0, 3, 3)],
    "nothing written over a range": [Clamp("lam", 0, 2, 5)],
    "some units from a word on": [Clamp("mu", 0.7, first=4, units=(0, 3))],
    "one layer and direction": [Clamp("mu", 1, layer=1, direction="forward")],
    "one gate after the other, overlapping": [
        Clamp("mu", 1),
        Clamp("lam", 1, last=6),
        Clamp("mu", 0.25, 2, 2, (1, 2), 0, "forward"),
    ],
}


@pytest.mark.parametrize("name", [f"{task}-{cell}" for task, cell in MODELS if cell in BY_HAND])
@pytest.mark.parametrize("clamps", CLAMPED.values(), ids=CLAMPED)
def test_an_operated_run_is_the_cells_maths_with_the_numbers_held(
    deep: dict[str, Checkpoint], name: str, clamps: list[Clamp]
) -> None:
    checkpoint = deep[name]
    run = intervene(checkpoint, TEXT, clamps)
    inputs = encode(checkpoint, TEXT).inputs.numpy().astype(np.float64)
    expected = run_by_hand(checkpoint.model.recurrent, inputs, clamps)
    assert {(layer.layer, layer.direction) for layer in run.trace.layers} == set(expected)
    for layer in run.trace.layers:
        np.testing.assert_allclose(layer.memory, expected[layer.layer, layer.direction], atol=TOLERANCE)
        np.testing.assert_allclose(layer.memory, layer.mu * layer.previous() + layer.lam * layer.candidate, atol=TOLERANCE)


def test_a_clamp_on_one_layer_and_direction_leaves_those_below_and_beside_as_they_were(deep: dict[str, Checkpoint]) -> None:
    plain, run = (
        intervene(deep["pos-lstm"], TEXT, clamps).trace for clamps in ((), [Clamp("mu", 1, layer=1, direction="backward")])
    )
    for mine, theirs in zip(run.layers[:-1], plain.layers[:-1], strict=True):
        np.testing.assert_array_equal(mine.memory, theirs.memory)
    assert (run.layer(1, "backward").mu == 1).all()
    assert np.abs(run.layer(1, "backward").memory - plain.layer(1, "backward").memory).max() > 0.01


@pytest.mark.parametrize("name", [f"{task}-{cell}" for task, cell in MODELS])
def test_a_clamp_that_changes_no_gate_changes_nothing_to_the_last_bit(deep: dict[str, Checkpoint], name: str) -> None:
    checkpoint = deep[name]
    plain = intervene(checkpoint, TEXT)
    layer = plain.trace.layer(1, "forward")
    identities = [
        [Clamp("mu", 0, units=()), Clamp("lam", 1, 2, 3, units=())],
        [Clamp(gate, float(getattr(layer, gate)[3, 5]), 3, 3, (5,), 1, "forward") for gate in ("mu", "lam")],
    ]
    if name.endswith("elman"):
        identities.append([Clamp("mu", 0), Clamp("lam", 1)])
    for clamps in identities:
        run = intervene(checkpoint, TEXT, clamps)
        assert_same(run.trace, plain.trace)
        assert run.tagging == plain.tagging
        if plain.next_words is not None and run.next_words is not None:
            np.testing.assert_array_equal(run.next_words.log_probabilities, plain.next_words.log_probabilities)


@pytest.mark.parametrize("name", CELLS)
def test_neither_keeping_nor_writing_at_a_word_is_to_begin_anew_after_it(tiny: dict[str, Checkpoint], name: str) -> None:
    checkpoint, words = tiny[f"pos-{name}"], "The old man the boats in Berlin".split()
    run = intervene(checkpoint, " ".join(words), [Clamp("mu", 0, 3, 3), Clamp("lam", 0, 3, 3)])
    after = intervene(checkpoint, " ".join(words[4:])).trace.layer(0, "forward")
    before = intervene(checkpoint, " ".join(words[:3])).trace.layer(0, "backward")
    assert (run.trace.layer(0, "forward").memory[3] == 0).all()
    np.testing.assert_array_equal(run.trace.layer(0, "forward").memory[4:], after.memory)
    np.testing.assert_array_equal(run.trace.layer(0, "backward").memory[:3], before.memory)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_amnesia_clears_the_memory_but_not_what_the_last_output_told_the_candidate(tiny: dict[str, Checkpoint], name: str) -> None:
    checkpoint, amnesia = tiny[f"lm-{name}"], [Clamp("mu", 0, 4, 4)]
    one, other = (
        intervene(checkpoint, text, amnesia).trace.layers[0] for text in ("The old man the boats", "The strong man the boats")
    )
    for token in (4, 5):
        assert (contributions(one, token)[:4] == 0).all(), "no earlier word is left in the sum"
    np.testing.assert_allclose(one.memory[4], one.lam[4] * one.candidate[4], atol=1e-7)
    assert np.abs(one.memory[5] - other.memory[5]).max() > 0, "and yet an earlier word still speaks through h, inside lam and F"


@pytest.mark.parametrize("name", CELLS)
def test_with_mu_held_at_one_the_memory_is_the_sum_of_all_that_was_written(tiny: dict[str, Checkpoint], name: str) -> None:
    for layer in intervene(tiny[f"ner-{name}"], TEXT, [Clamp("mu", 1)]).trace.layers:
        written = (layer.lam * layer.candidate).astype(np.float64)
        summed = np.cumsum(written, axis=0) if layer.direction == "forward" else np.cumsum(written[::-1], axis=0)[::-1]
        np.testing.assert_allclose(layer.memory, summed, atol=TOLERANCE)


def test_a_clamped_mu_leaves_lam_as_the_cell_computed_it(tiny: dict[str, Checkpoint]) -> None:
    plain, held = (intervene(tiny["lm-gru"], TEXT, clamps).trace.layers[0] for clamps in ((), [Clamp("mu", 1, 3, 3)]))
    assert (held.mu[3] == 1).all()
    np.testing.assert_array_equal(held.lam[:4], plain.lam[:4])
    assert (held.lam[3] > 0).all()


def test_of_two_clamps_on_one_number_the_later_holds(tiny: dict[str, Checkpoint]) -> None:
    held = intervene(tiny["lm-lstm"], TEXT, [Clamp("mu", 1), Clamp("mu", 0.5, 2, 3, (1,))]).trace.layers[0]
    assert (held.mu[2:4, 1] == 0.5).all()
    assert held.mu.sum() == held.mu.size - 1


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("clamps", [(), (Clamp("mu", 0.9, first=2),), (Clamp("lam", 0.2, 3, 5, (0, 1, 2)),)], ids=str)
def test_words_are_drawn_as_if_prompt_and_they_had_been_operated_on_at_once(
    deep: dict[str, Checkpoint], name: str, clamps: tuple[Clamp, ...]
) -> None:
    checkpoint, prompt, written = deep[f"lm-{name}"], "The old", 0
    for token in continue_intervened(checkpoint, prompt, clamps, max_tokens=5, sampling=GREEDY):
        after = intervene(checkpoint, prompt, clamps).next_words
        assert after is not None
        log_probabilities = after.log_probabilities.copy()
        log_probabilities[after.words.index("<unk>")] = -np.inf
        assert token.text == after.words[int(log_probabilities.argmax())]
        assert token.probability == pytest.approx(float(np.exp(log_probabilities.max())), rel=1e-5)
        written += 1
        if token.text == "<eos>":
            break
        prompt += f" {token.text}"
    assert written > 0


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("clamps", [(), (Clamp("mu", 0.9, first=2),), (Clamp("lam", 0.2, 3, 5, (0, 1, 2)),)], ids=str)
def test_a_prompt_that_is_read_already_is_gone_on_from(deep: dict[str, Checkpoint], name: str, clamps: tuple[Clamp, ...]) -> None:
    checkpoint, prompt = deep[f"lm-{name}"], "The old man"
    read = intervene(checkpoint, prompt, clamps)
    first, second = (
        list(continue_intervened(checkpoint, prompt, clamps, max_tokens=5, sampling=GREEDY, after=after)) for after in (None, read)
    )
    assert [token.text for token in second] == [token.text for token in first]
    np.testing.assert_allclose([t.probability for t in second], [t.probability for t in first], rtol=1e-5)
    with pytest.raises(ValueError, match="another prompt"):
        continue_intervened(checkpoint, "The old", clamps, after=read)


def test_an_unoperated_continuation_is_the_ordinary_one(tiny: dict[str, Checkpoint]) -> None:
    operated = list(continue_intervened(tiny["lm-lstm"], "The state of", max_tokens=20))
    ordinary = list(continue_text(tiny["lm-lstm"], "The state of", max_tokens=20))
    assert [token.text for token in operated] == [token.text for token in ordinary]
    np.testing.assert_allclose([t.probability for t in operated], [t.probability for t in ordinary], rtol=1e-4)


def test_a_clamp_may_wait_for_words_that_are_not_written_yet(tiny: dict[str, Checkpoint]) -> None:
    checkpoint, clamps = tiny["lm-gru"], [Clamp("mu", 0, first=4)]
    plain, run = (
        [token.probability for token in continue_intervened(checkpoint, "The state of", held, max_tokens=6, sampling=GREEDY)]
        for held in ((), clamps)
    )
    assert run[0] == plain[0]
    assert run[1] != plain[1]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"gate": "reveal", "value": 1}, "unknown gate 'reveal': clamp one of mu, lam"),
        ({"gate": "mu", "value": 1.5}, "mu clamped to 1.5: give a number from 0 to 1"),
        ({"gate": "lam", "value": float("nan")}, "lam clamped to nan"),
        ({"gate": "mu", "value": 0, "first": -1}, "first is -1"),
        ({"gate": "mu", "value": 0, "first": 5, "last": 4}, "tokens 5 to 4 are none"),
        ({"gate": "mu", "value": 0, "units": (3, -2)}, "unit -2"),
        ({"gate": "mu", "value": 0, "layer": -1}, "layer is -1"),
        ({"gate": "mu", "value": 0, "direction": "up"}, "unknown direction 'up'"),
    ],
)
def test_a_clamp_that_makes_no_sense_is_refused_with_what_to_do(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Clamp(**values)


@pytest.mark.parametrize(
    ("name", "clamp", "told"),
    [
        ("lm-gru", Clamp("mu", 0, direction="backward"), "lm-gru has no backward layer: choose one of 0 forward"),
        ("pos-gru", Clamp("mu", 0, layer=2), "pos-gru has no layer 2: choose one of 0 forward, 0 backward"),
        ("pos-gru", Clamp("mu", 0, units=(1, 8)), "pos-gru has no unit 8: give numbers from 0 to 7"),
        ("pos-gru", Clamp("mu", 0, first=12), "no token 12: give a number from 0 to 11"),
    ],
)
def test_a_clamp_on_what_a_model_has_not_is_refused(tiny: dict[str, Checkpoint], name: str, clamp: Clamp, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        intervene(tiny[name], TEXT, [clamp])
