"""The style of HTML pictures: a part of style.css, with the palette's colours as custom properties."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from seqmodels.viz import palette
from seqmodels.viz.palette import Pair

_COLOURS = {f"--sm-{name.lower().replace('_', '-')}": value for name, value in vars(palette).items() if isinstance(value, Pair)}


def tag(css: str) -> str:
    """A `<style>` element with these rules and the colours that they use. KeyError for a colour that the palette does not have."""
    rules = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    used = sorted(set(re.findall(r"var\((--sm-[\w-]+)\)", rules)))
    colours = "".join(f"{name}:{_COLOURS[name].css};" for name in used)
    return f"<style>:root{{{colours}}}{rules.strip()}</style>"


@cache
def part(name: str) -> str:
    """A `<style>` element with one part of style.css."""
    sheet = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    parts = re.split(r"/\* == (\w+) == \*/", sheet)
    return tag(dict(zip(parts[1::2], parts[2::2], strict=True))[name])


def styled(name: str, html: str) -> str:
    """HTML with its part of style.css before it, so that it looks right wherever it stands."""
    return part(name) + html
