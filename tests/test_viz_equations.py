"""The law with numbers in it: what is set is what the cell did."""

import re

import numpy as np
import pytest

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import most_changed, trace
from seqmodels.viz import equations
from seqmodels.viz.frame import Focus

TEXT = "The old man the boats."
NUMBER = r"−?\d+(?:\.\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def value(shown: str) -> float:
    """A number as it is shown, read back."""
    return float(shown.replace("−", "-").replace("·10", "e").translate(PLAIN))


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_numbers_that_are_read_aloud_make_the_memory(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    layer = trace(tiny[f"pos-{cell}"], TEXT).layer(0, direction)
    said = re.findall(r'aria-label="([^"]*)"', equations.equation(layer, 2, 3))
    mu, before, lam, candidate, memory = map(value, re.findall(NUMBER, said[0]))
    assert mu * before + lam * candidate == pytest.approx(memory, abs=3e-3)
    assert memory == pytest.approx(float(layer.memory[2, 3]), abs=6e-4)
    assert (len(said) == 2) == (layer.output_gate is not None)
    if len(said) == 2:
        reveal, inside, output = map(value, re.findall(NUMBER, said[1]))
        assert reveal * np.tanh(inside) == pytest.approx(output, abs=2e-3)


def test_a_sum_whose_rounded_numbers_make_another_is_not_called_equal(tiny: dict[str, Checkpoint]) -> None:
    layer = trace(tiny["pos-gru"], TEXT).layer(0, "forward")
    signs = set()
    for token, unit in np.ndindex(layer.memory.shape):
        line = equations.equation(layer, token, unit)
        mu, before, lam, candidate, memory = map(value, re.findall(NUMBER, re.findall(r'aria-label="([^"]*)"', line)[0]))
        exact = round(round(mu, 3) * round(before, 3) + round(lam, 3) * round(candidate, 3), 3) == round(memory, 3)
        assert ("≈" in line) != exact
        signs.add(exact)
    assert signs == {True, False}


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", CELLS)
def test_at_every_square_the_pointer_reads_an_equation_that_holds(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    layer = trace(tiny[f"ner-{cell}"], TEXT).layer(0, direction)
    (squares,) = equations.equation_map(trace(tiny[f"ner-{cell}"], TEXT), Focus(direction=direction, token=2)).data
    assert squares.customdata.shape == (*squares.z.shape, 5)
    for row, token in np.ndindex(squares.z.shape):
        mu, before, lam, candidate, memory = squares.customdata[row, token]
        unit = squares.meta["row"]["unit"][row]
        assert mu * before + lam * candidate == pytest.approx(memory, abs=5e-3)
        assert squares.z[row, token] == pytest.approx(layer.memory[token, unit], abs=6e-4)
        earlier = token + 1 if direction == "backward" else token - 1
        assert before == pytest.approx(layer.memory[earlier, unit] if 0 <= earlier < 6 else 0, abs=6e-4)


def test_the_first_word_on_screen_finds_what_the_words_before_it_left(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-gru"], TEXT)
    (squares,) = equations.equation_map(traced, Focus(token=3, window=slice(3, 5))).data
    before = squares.customdata[0, 0, 1]
    assert before == pytest.approx(traced.layers[0].memory[2, squares.meta["row"]["unit"][0]], abs=6e-4)


def test_the_units_that_change_most_are_drawn_and_the_selected_one_with_them(
    tiny: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equations, "UNITS", 3)
    traced = trace(tiny["pos-lstm"], TEXT)
    by_change = most_changed(traced.layers[0], 2, 8).tolist()
    assert equations.shown_units(traced, Focus(token=2)).tolist() == by_change[:3]
    assert equations.shown_units(traced, Focus(token=2, unit=by_change[1])).tolist() == by_change[:3]
    assert equations.shown_units(traced, Focus(token=2, unit=by_change[7])).tolist() == [*by_change[:2], by_change[7]]


def test_a_row_is_labelled_with_its_unit_and_a_click_finds_it(tiny: dict[str, Checkpoint]) -> None:
    figure = equations.equation_map(trace(tiny["pos-gru"], TEXT), Focus(token=2))
    assert [str(unit) for unit in figure.data[0].meta["row"]["unit"]] == list(figure.layout.yaxis.ticktext)


def test_rows_hold_the_equation_and_its_error(tiny: dict[str, Checkpoint]) -> None:
    for row in equations.rows(trace(tiny["lm-lstm"], TEXT), Focus(token=2, window=slice(1, 4))):
        assert row["mu"] * row["before"] + row["lam"] * row["candidate"] == pytest.approx(row["memory"], abs=1e-5)
        assert row["error"] < 1e-5
        assert row["position"] in (1, 2, 3)
