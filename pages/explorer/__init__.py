"""The views of the gate explorer: each file here that has a VIEW is one."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from pages.explorer.scene import GROUPS, View

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
_FOUND: list[View] = [module.VIEW for module in _MODULES if hasattr(module, "VIEW")]
VIEWS = {view.title: view for view in sorted(_FOUND, key=lambda view: (GROUPS.index(view.group), view.place))}  # by title
