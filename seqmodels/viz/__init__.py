"""Pictures as pure functions: data in, a plotly figure or safe HTML out. They work in a notebook as in the app.

    from seqmodels import load, trace, viz
    viz.square(trace(load("ner-gru"), "John Smith lives in Berlin."))

A view of a trace takes the `Trace` and a `Focus`: which layer, direction, token and unit. Strips of words and formulas are in
modules of their own, such as `seqmodels.viz.tags`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqmodels.viz.behaviours import regime_strip, saturation_scatter
    from seqmodels.viz.comparisons import curve_difference, curves, text_difference
    from seqmodels.viz.equations import equation_map
    from seqmodels.viz.frame import Focus
    from seqmodels.viz.gaps import gap
    from seqmodels.viz.gates import heatmaps, lines
    from seqmodels.viz.gradients import carry
    from seqmodels.viz.ledgers import ledger
    from seqmodels.viz.lifetimes import half_lives, survival
    from seqmodels.viz.operations import wound
    from seqmodels.viz.unit_square import square

_HOMES = {
    "Focus": "frame",
    "carry": "gradients",
    "curve_difference": "comparisons",
    "curves": "comparisons",
    "equation_map": "equations",
    "gap": "gaps",
    "half_lives": "lifetimes",
    "heatmaps": "gates",
    "ledger": "ledgers",
    "lines": "gates",
    "regime_strip": "behaviours",
    "saturation_scatter": "behaviours",
    "square": "unit_square",
    "survival": "lifetimes",
    "text_difference": "comparisons",
    "wound": "operations",
}

__all__ = [
    "Focus",
    "carry",
    "curve_difference",
    "curves",
    "equation_map",
    "gap",
    "half_lives",
    "heatmaps",
    "ledger",
    "lines",
    "regime_strip",
    "saturation_scatter",
    "square",
    "survival",
    "text_difference",
    "wound",
]


def __getattr__(name: str) -> Any:
    """The public names, imported at first use: plotly takes half a second to load, and strips of words do without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
