"""The tables behind the pictures: one convention for the names of columns and for the places of words in all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from seqmodels.checkpoints import Checkpoint
from seqmodels.export import rows_to_csv
from seqmodels.traces import Trace, gap_probe, gradient_path, saturation, trace
from seqmodels.viz import comparisons, equations, gaps, gates, gradients, memories, units
from seqmodels.viz.comparisons import TwoTexts
from seqmodels.viz.frame import Focus

TEXT = "The old man the boats."
FOCUS = Focus(token=2, unit=3, window=slice(1, 5))
Rows = Sequence[dict[str, Any]]

TABLES: dict[str, Callable[[Trace, Checkpoint], Rows]] = {
    "gates": lambda traced, _: gates.rows(traced, FOCUS, list(gates.MEASURES.values())),
    "equation": lambda traced, _: equations.rows(traced, FOCUS),
    "contributions": lambda traced, _: memories.contribution_rows(traced, FOCUS),
    "retention": lambda traced, _: memories.retention_rows(traced, FOCUS),
    "half-lives": lambda traced, _: units.half_life_rows(traced, FOCUS),
    "regimes": lambda traced, _: units.regime_rows(traced, FOCUS),
    "saturation": lambda traced, _: units.saturation_rows("gru", {"keep": saturation(traced.layers[0].mu)}),
    "gradient": lambda traced, model: gradients.rows(traced, gradient_path(model, traced, 3, layer=0, direction="forward")),
    "gap": lambda _, model: gaps.rows("gru", gap_probe(model, TEXT, 1, 3, filler="the", longest=2)),
    "curves": lambda traced, _: comparisons.curve_rows([traced, traced], FOCUS),
    "texts": lambda traced, model: comparisons.text_rows(TwoTexts.of(traced, trace(model, "An old man."))),
    "intervention": lambda traced, _: comparisons.intervention_rows(traced, traced, FOCUS),
}


@pytest.mark.parametrize("name", TABLES)
def test_columns_are_in_snake_case_and_tokens_are_counted_from_0(tiny: dict[str, Checkpoint], name: str) -> None:
    traced = trace(tiny["pos-gru"], TEXT)
    rows = TABLES[name](traced, tiny["pos-gru"])
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", column) for column in rows[0])
    for row in rows:
        if row.get("position", "") != "":
            assert row["token"] == traced.tokens[row["position"]]
        if row.get("writer_position", "") != "":
            assert row["writer"] == traced.tokens[row["writer_position"]]
    assert rows_to_csv(rows)
