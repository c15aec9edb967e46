"""The results of the experiments, read once for all visitors, and given away."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.common import takeaway
from seqmodels.experiments import Results, read_results, results_path
from seqmodels.experiments.tables import curve_rows, outcome_rows


def read(experiment: str) -> Results | None:
    """Those that are here; None where there are none. ValueError if their file is damaged."""
    path = results_path(experiment)
    return _read(path, path.stat().st_mtime_ns) if path.exists() else None


def files(found: Results) -> list[takeaway.File]:
    """All numbers, to take away."""
    name = found.experiment
    return [
        takeaway.numbers(lambda: outcome_rows(found), name, "Every training (CSV)"),
        takeaway.numbers(lambda: curve_rows(found), f"{name}-epochs", "Every epoch (CSV)"),
    ]


@st.cache_resource(show_spinner=False, max_entries=4)
def _read(path: Path, stamp: int) -> Results:
    return read_results(path)
