"""The views of the gate explorer, one file each. A view is imported when it is opened: most of them need torch and plotly."""

from __future__ import annotations

from importlib import import_module

from pages.explorer.scene import View

# title on the page -> file, in the order in which the story is told
VIEWS = {
    "Square": "unit_square",
    "Heatmaps": "heatmaps",
    "Ledger": "ledger",
    "Survival": "survival",
    "Gradient": "gradient",
    "Gap": "gap",
    "Surgery": "surgery",
    "Regimes": "regimes",
    "Equation": "equation",
    "Moments": "moments",
    "Compare": "compare",
}


def find(title: str) -> View:
    """The view of that title."""
    view: View = import_module(f"pages.explorer.{VIEWS[title]}").VIEW
    return view
