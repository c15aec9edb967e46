"""The results of the experiments, read once for all visitors."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from seqmodels.experiments import Results, read_results, results_path


def read(experiment: str) -> Results | None:
    """Those that are here; None where there are none. ValueError if their file is damaged."""
    path = results_path(experiment)
    return _read(path, path.stat().st_mtime_ns) if path.exists() else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _read(path: Path, stamp: int) -> Results:
    return read_results(path)
