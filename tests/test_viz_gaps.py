"""The gap probe, drawn: theory in the gates' blue, experiment beside it, the plain run marked."""

from __future__ import annotations

import numpy as np
import pytest

from seqmodels import viz
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import GapProbe, gap_probe
from seqmodels.viz import gaps
from seqmodels.viz.palette import MU

TEXT = "The old man the boats."


def probe_of(survival: list[float], effect: list[float], logit: list[float], prediction: str = "NOUN") -> GapProbe:
    arrays = [np.array(values, np.float32) for values in (survival, logit, np.linspace(0.9, 0.5, len(logit)), effect)]
    return GapProbe(prediction, "forward", np.arange(len(survival)), *arrays)


FADING = probe_of([0.8, 0.4, 0.2], [2.0, 1.5, -1.0], [5.0, 4.0, 3.0])


@pytest.mark.parametrize("cell", CELLS)
def test_the_panels_hold_what_the_library_measures(tiny: dict[str, Checkpoint], cell: str) -> None:
    probe = gap_probe(tiny[f"ner-{cell}"], TEXT, 1, 4, longest=6)
    left, expected, effect, without, logit = viz.gap(probe).data
    np.testing.assert_allclose(left.y, 100 * probe.retention, atol=1e-4)
    np.testing.assert_allclose(effect.y, probe.effect, atol=1e-4)
    np.testing.assert_allclose(logit.y, probe.logit, atol=1e-4)
    np.testing.assert_allclose(np.array(logit.y) - without.y, probe.effect, atol=2e-4)
    np.testing.assert_allclose(logit.customdata, probe.probability, atol=1e-4)
    assert {tuple(line.x) for line in (left, expected, effect, without, logit)} == {tuple(range(7))}


def test_theory_in_the_units_of_the_experiment_is_the_plain_effect_in_proportion_to_survival() -> None:
    np.testing.assert_allclose(FADING.expected, [2.0, 2.0 * 0.4 / 0.8, 2.0 * 0.2 / 0.8], rtol=1e-6)


def test_where_the_gates_carry_nothing_theory_foresees_nothing() -> None:
    assert not probe_of([0, 0, 0], [2, 1, 0], [5, 4, 3]).expected.any()


def test_theory_is_blue_and_told_from_the_experiment_without_colour_too() -> None:
    left, foreseen, effect, without, logit = viz.gap(FADING).data
    assert {left.line.color, foreseen.line.color} == {MU.light}
    assert effect.line.color == logit.line.color != MU.light
    assert len({foreseen.line.dash, effect.line.dash, without.line.dash}) == 3


def test_the_plain_run_is_marked() -> None:
    figure = viz.gap(FADING)
    for line in figure.data:
        sizes = line.marker.size
        assert sizes[0] > max(sizes[1:])
    assert figure.layout.xaxis.ticktext[0] == "as typed"
    (mark,) = figure.layout.shapes
    assert (mark.x0, mark.x1) == (0, 0)


def test_cells_share_axes_that_hold_all_their_values() -> None:
    strong = probe_of([1, 0.9, 0.8], [9, -4, 3], [20, 1, 0])
    axes = gaps.ranges([FADING, strong])
    for probe in (FADING, strong):
        layout = viz.gap(probe, axes=axes).layout
        assert layout.yaxis2.range == axes[0]
        assert layout.yaxis3.range == axes[1]
        for (low, high), values in zip(
            axes, ((probe.effect, probe.expected), (probe.logit, probe.logit - probe.effect)), strict=True
        ):
            assert low < np.min(values)
            assert np.max(values) < high
    assert axes[0][0] < 0 < axes[0][1], "no effect at all has its place"


@pytest.mark.parametrize("longest", [0, 1, 5, 12, 40])
def test_the_axis_holds_every_gap_and_few_numbers(longest: int) -> None:
    many = [0.5] * (longest + 1)
    axis = viz.gap(probe_of(many, many, many)).layout.xaxis
    assert axis.range[0] < 0
    assert axis.range[1] > longest
    assert len(axis.tickvals) <= 9
    assert len(axis.tickvals) == len(axis.ticktext)


def test_the_rows_are_the_numbers_of_the_lines() -> None:
    rows = gaps.rows("gru", FADING)
    assert [row["filler_words"] for row in rows] == [0, 1, 2]
    np.testing.assert_allclose([row["retained"] for row in rows], [0.8, 0.4, 0.2], rtol=1e-6)
    np.testing.assert_allclose([row["effect"] for row in rows], [2.0, 1.5, -1.0], rtol=1e-6)
    np.testing.assert_allclose([row["expected"] for row in rows], [2.0, 1.0, 0.5], rtol=1e-6)
    assert {(row["cell"], row["prediction"]) for row in rows} == {("gru", "NOUN")}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_labels_are_legible(theme: str) -> None:
    layout = viz.gap(FADING, theme=theme).layout  # type: ignore[arg-type]
    assert min(note.font.size for note in layout.annotations) >= 12
    assert layout.xaxis.tickfont.size >= 12
