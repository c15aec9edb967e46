"""Regimes and saturation as pictures: every column holds all units, every unit is one point."""

import numpy as np
import pytest

from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import REGIMES, LayerTrace, Saturation, Trace, trace
from seqmodels.viz import palette, units
from seqmodels.viz.frame import Focus

TEXT = "The old man the boats."
# mu, lam of a unit that does each of these
DOES = {"keep": (0.9, 0.1), "accumulate": (0.8, 0.7), "overwrite": (0.2, 0.95), "erase": (0.1, 0.3)}


def units_that(*doing: str) -> Trace:
    """One token; a unit for each of these."""
    mu, lam = (np.array([[DOES[name][gate] for name in doing]], np.float32) for gate in (0, 1))
    return Trace("pos", "lstm", ("<b>man</b>",), (LayerTrace(0, "forward", mu, lam, lam, lam, lam, lam),))


def test_a_column_is_grouped_by_what_its_units_do() -> None:
    figure = units.regime_strip(units_that("keep", "keep", "accumulate", "erase", "erase", "erase", "overwrite", "keep"))
    shares = {bar.hovertemplate.split("<br>")[1].split(":")[0]: (float(bar.y[0]), int(bar.customdata[0])) for bar in figure.data}
    assert shares == {"keep": (37.5, 3), "accumulate": (12.5, 1), "overwrite": (12.5, 1), "erase": (37.5, 3)}
    assert figure.layout.barmode == "stack"


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_column_of_every_cell_is_full(tiny: dict[str, Checkpoint], cell: str, direction: str) -> None:
    figure = units.regime_strip(trace(tiny[f"ner-{cell}"], TEXT), Focus(direction=direction))
    np.testing.assert_allclose(sum(bar.y for bar in figure.data), 100, atol=0.01)


@pytest.mark.parametrize("doing", DOES)
def test_a_selected_unit_is_a_dot_inside_the_part_of_its_regime(doing: str) -> None:
    others = ("keep", "accumulate", "overwrite", "erase", "keep")
    *bars, dots = units.regime_strip(units_that(doing, *others), Focus(unit=0)).data
    tops = np.cumsum([bar.y[0] for bar in bars])
    inside = int(np.searchsorted(tops, dots.y[0]))
    assert dots.text == (doing,)
    assert bars[inside].hovertemplate.split("<br>")[1].startswith(doing)
    assert dots.customdata[0] == pytest.approx(DOES[doing])


def test_to_keep_and_write_at_once_has_both_colours_and_each_regime_a_look_of_its_own() -> None:
    looks = list(palette.REGIME_COLOURS.values())
    assert len(set(looks)) == len(REGIMES)
    assert palette.REGIME_COLOURS["accumulate"] == (palette.MU, palette.LAM)
    striped = [bar.marker.pattern.fgcolor for bar in units.regime_strip(units_that("keep")).data]
    assert striped == [None, palette.LAM.light, None, None]


def test_the_legend_names_every_regime() -> None:
    assert all(regime.name in units.regime_legend() for regime in REGIMES)


def test_a_point_is_a_unit_and_says_how_often_its_gate_is_open_and_shut() -> None:
    shares = Saturation(np.array([0.5, 0, 1], np.float32), np.array([0.25, 1, 0], np.float32))
    figure = units.saturation_scatter({"keep": shares, "write": shares})
    for points in figure.data:
        drawn = {int(unit): (float(x), float(y)) for unit, x, y in zip(points.customdata, points.x, points.y, strict=True)}
        assert drawn == {0: (50, 25), 1: (0, 100), 2: (100, 0)}
    assert [points.yaxis for points in figure.data] == ["y", "y2"]


@pytest.mark.parametrize("unit", [0, 1, 2])
def test_the_selected_unit_lies_on_top_and_is_larger(unit: int) -> None:
    shares = Saturation(np.array([0.5, 0, 1], np.float32), np.array([0.25, 1, 0], np.float32))
    (points,) = units.saturation_scatter({"reveal": shares}, Focus(unit=unit)).data
    assert points.customdata[-1] == points.meta["point"]["unit"][-1] == unit
    assert points.selectedpoints == (2,)
    assert points.selected.marker.size > points.marker.size
    assert (float(points.x[-1]), float(points.y[-1])) == (100 * shares.open[unit], 100 * shares.shut[unit])


def test_rows_hold_the_shares_of_the_words_that_are_drawn(tiny: dict[str, Checkpoint]) -> None:
    traced = trace(tiny["pos-lstm"], TEXT)
    rows = units.regime_rows(traced, Focus(window=slice(2, 4)))
    assert [(row["position"], row["token"]) for row in rows] == [(2, "man"), (3, "the")]
    layer = traced.layer(0, "forward")
    for row in rows:
        keeps, writes = layer.mu[row["position"]] >= 0.5, layer.lam[row["position"]] >= 0.5
        assert row["accumulate"] == pytest.approx((keeps & writes).mean())
        assert row["erase"] == pytest.approx((~keeps & ~writes).mean())


def test_rows_of_saturation_hold_every_gate_and_unit_once() -> None:
    shares = Saturation(np.array([0.5, 0], np.float32), np.array([0.25, 1], np.float32))
    rows = units.saturation_rows("gru", {"keep": shares, "write": shares})
    assert rows[1] == {"cell": "gru", "gate": "keep", "unit": 1, "open": 0.0, "shut": 1.0}
    assert len(rows) == 4
