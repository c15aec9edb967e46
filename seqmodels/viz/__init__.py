"""Pictures as pure functions: data in, a plotly figure or safe HTML out. They work in a notebook as in the app.

    from seqmodels import load, trace, viz
    viz.square(trace(load("ner-gru"), "John Smith lives in Berlin."))

A view of a trace takes the `Trace` and a `Focus`: which layer, direction, token and unit. Strips of words and formulas are in
modules of their own, such as `seqmodels.viz.tags`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqmodels.viz.comparisons import curve_difference, curves, intervention, text_difference
    from seqmodels.viz.equations import equation_map
    from seqmodels.viz.frame import Focus
    from seqmodels.viz.gaps import gap
    from seqmodels.viz.gates import heatmaps, lines
    from seqmodels.viz.gradients import gradient_path
    from seqmodels.viz.memories import contributions, retention
    from seqmodels.viz.unit_square import square
    from seqmodels.viz.units import half_lives, regime_strip, saturation_scatter

_NAMES = {
    "comparisons": ("curve_difference", "curves", "intervention", "text_difference"),
    "equations": ("equation_map",),
    "frame": ("Focus",),
    "gaps": ("gap",),
    "gates": ("heatmaps", "lines"),
    "gradients": ("gradient_path",),
    "memories": ("contributions", "retention"),
    "unit_square": ("square",),
    "units": ("half_lives", "regime_strip", "saturation_scatter"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """The public names, imported at first use: some bring torch, and strips of words and formulas do without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
