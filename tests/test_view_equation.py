"""The view Equation, without a browser: the numbers of the selected unit, and buttons that select another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import most_changed, step, trace
from seqmodels.viz.equations import equation, number

APP = Path(__file__).resolve().parent.parent / "app.py"
TEXT = "The old man the boats ."


@pytest.fixture(autouse=True, scope="module")
def _fresh() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def _models(tiny_checkpoints: Path) -> None:
    """The page reads the small random models."""


def visit(**link: str | list[str]) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=120).switch_page("pages/3_Gates.py")
    for name, value in ({"view": "Equation", "text": TEXT, "token": "3"} | link).items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception[0].value
    return page


def said(page: AppTest) -> str:
    return " ".join(element.value for element in [*page.markdown, *page.caption, *page.info])


def pictures(page: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def formulas(page: AppTest) -> list[str]:
    return [element.proto.body for element in page.get("html") if "sm-numbers" in element.proto.body]


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", CELLS)
def test_without_a_unit_the_one_that_changes_most_is_written_out(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    page = visit(cells=[cell], direction=direction)
    layer = trace(tiny[f"pos-{cell}"], TEXT).layer(0, direction)
    unit = int(most_changed(layer, 2, 1)[0])
    assert f"Unit **{unit}** at *man*, which changes most here" in said(page)
    assert formulas(page) == [equation(step(layer, 2), unit)]
    assert f"differ by {number(step(layer, 2).error[unit])}." in said(page)


def test_a_selected_unit_is_written_out_in_every_cell(tiny: dict[str, Checkpoint]) -> None:
    page = visit(unit="5")
    assert "which changes most here" not in said(page)
    assert formulas(page) == [equation(step(trace(tiny[f"pos-{cell}"], TEXT).layers[0], 2), 5) for cell in CELLS]


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
