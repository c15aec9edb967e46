"""Every view draws every cell, with the numbers that the library has, and one that the library has never seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from torch import Tensor

from pages.explorer import VIEWS
from seqmodels.cells import CELLS, Cell, Formulas, Gates
from seqmodels.checkpoints import SUFFIX
from tests.conftest import SHIPPED_CELLS, save_tiny
from tests.paging import GATES, html, opened, pictures, said

TEXT = "The old man the boats ."


class Leaky(Cell):
    """A memory without bounds, of which no gate but a relu shows a part."""

    name = "leaky"
    title = "Leaky sum"
    formulas = Formulas("f", "1", "W x + U h + b", memory="c", output="relu(c)")
    where = "The upper edge: it always writes."
    source = "a test"
    blocks: ClassVar[tuple[str, ...]] = ("f", "n")
    forget_block = "f"
    memory_is_output = False

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        f, n = (x + h).chunk(2, dim=-1)
        return Gates(mu=f.sigmoid(), lam=f.new_ones(f.shape), candidate=5 * n)

    def read_out(self, memory: Tensor, gates: Gates) -> Tensor:
        return memory.relu()


OTHERS = [*(name for name in CELLS if name not in SHIPPED_CELLS), Leaky.name]
TOGETHER = [("pos", OTHERS[:3]), ("lm", OTHERS[3:])]  # three at most stand side by side
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints", "with_models_of_others")


def model_of(task: str, cell: str) -> str:
    return f"my-{task}-{cell.replace('_', '-')}"


@pytest.fixture(scope="module")
def folder_of_others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("others")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CELLS, Leaky.name, Leaky())
        for task in ("pos", "lm"):
            for cell in OTHERS:
                save_tiny(folder / f"{model_of(task, cell)}{SUFFIX}", task, cell)
        yield folder


@pytest.fixture
def with_models_of_others(folder_of_others: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of yours for each cell that no shipped model has."""
    monkeypatch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(folder_of_others))


@pytest.mark.parametrize(("task", "cells"), TOGETHER)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_every_cell(view: str, task: str, cells: list[str]) -> None:
    names = [model_of(task, cell) for cell in cells]
    page = opened(GATES, view=view, text=TEXT, task=task, cells=names, token="4", unit="3")
    assert pictures(page) or len(html(page)) > 300


@pytest.mark.parametrize("cell", OTHERS)
def test_the_square_says_where_the_cell_lives(cell: str) -> None:
    page = opened(GATES, view="Square", text=TEXT, task="pos", cells=[model_of("pos", cell)])
    assert CELLS[cell].where in said(page)


def test_a_memory_that_only_adds_up_never_forgets() -> None:
    sentences = said(opened(GATES, view="Survival", text=TEXT, task="pos", cells=[model_of("pos", "residual")], token="2"))
    assert "**100 %** of *old* is left at *boats*; half of it is still there at every word." in sentences
    assert "| without end | without end | without end | without end |" in sentences


def test_a_cell_whose_memory_is_not_its_output_shares_it_out_by_proportion() -> None:
    sentences = said(opened(GATES, view="Ledger", text=TEXT, task="pos", cells=[model_of("pos", Leaky.name)], token="4"))
    assert "A share by proportion, not a fact" in sentences
