"""The view Equation, without a browser: the numbers of the selected unit, and buttons that select another."""

from __future__ import annotations

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import law_error, most_changed, trace
from seqmodels.viz.equations import equation
from seqmodels.viz.format import number
from tests.conftest import SHIPPED_CELLS
from tests.paging import GATES, opened, pictures, said

TEXT = "The old man the boats ."
visit = partial(opened, GATES, view="Equation", text=TEXT, token="3")
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


def formulas(page: AppTest) -> list[str]:
    return [element.proto.body for element in page.get("html") if "sm-numbers" in element.proto.body]


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", SHIPPED_CELLS)
def test_without_a_unit_the_one_that_changes_most_is_written_out(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    page = visit(cells=[cell], direction=direction)
    layer = trace(tiny[f"pos-{cell}"], TEXT).layer(0, direction)
    unit = int(most_changed(layer, 2, 1)[0])
    assert f"Unit **{unit}** at *man*, which changes most here" in said(page)
    assert formulas(page) == [equation(layer, 2, unit)]
    assert f"differ by {number(law_error(layer)[2, unit])}." in said(page)


def test_a_selected_unit_is_written_out_in_every_cell(tiny: dict[str, Checkpoint]) -> None:
    page = visit(unit="5")
    assert "which changes most here" not in said(page)
    assert formulas(page) == [equation(trace(tiny[f"pos-{cell}"], TEXT).layers[0], 2, 5) for cell in SHIPPED_CELLS]


def test_a_button_selects_its_unit_for_all_views(tiny: dict[str, Checkpoint]) -> None:
    second = int(most_changed(trace(tiny["pos-gru"], TEXT).layers[0], 2, 2)[1])
    page = visit(cells=["gru"])
    page.button(key=f"gates-unit-pos-gru-{second}").click().run()
    assert not page.exception
    assert f"Unit **{second}** at *man*" in said(page)
    assert page.number_input(key="unit").value == second


@pytest.mark.parametrize("task", ["ner", "lm"])
def test_the_other_tasks_have_their_equations_too(task: str) -> None:
    page = visit(task=task)
    assert len(formulas(page)) == len(pictures(page)) == 3
