"""Pictures and words as one HTML file that opens anywhere, without a network: plotly is in it, and nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from seqmodels.viz import style
from seqmodels.viz.palette import Theme, safe

# the file is held to it by the browser: no script, style or image comes from elsewhere, whatever a text says
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_DIRECTIVE = re.compile(r":(?:material/\w+:|[a-z]+(?:-[a-z]+)?\[((?:[^\[\]]|:material/\w+:)*)\])")
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "autolink"])


@dataclass(frozen=True)
class Words:
    """A sentence or a table in Markdown; a small one explains."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Html:
    """A picture that is safe HTML, such as a strip of tags."""

    body: str


@dataclass(frozen=True)
class Picture:
    """A plotly figure, what it shows in words, and what its mode bar offers."""

    figure: Any
    alt: str
    config: Mapping[str, Any] = field(default_factory=dict)


Part = Words | Html | Picture


def document(title: str, parts: Sequence[Part], *, theme: Theme = "light", address: str = "") -> str:
    """The file: a heading, the parts one below the other, and where and when it was made. Figures answer the pointer.

    `theme` is the one that the figures are drawn for.
    """
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    head += f'<meta name="viewport" content="width=device-width"><title>{safe(title)} · seqmodels</title>{style.part("document")}'
    body = "".join(f"\n{part}" for part in map(_part, parts))
    script = f"<script>{_plotly()}</script>" if any(isinstance(part, Picture) for part in parts) else ""
    link = f'Made by <a href="{escape(address, quote=True)}">this view</a> of seqmodels' if address else "Made by seqmodels"
    foot = f"<footer>{link}, {date.today().isoformat()}.</footer>"
    scheme = f'<html lang="en" style="color-scheme:{theme}">'
    return f"<!DOCTYPE html>\n{scheme}<head>{head}{script}</head>\n<body><h1>{safe(title)}</h1>{body}\n{foot}</body></html>\n"


def markdown(text: str) -> str:
    """Markdown, as the pages write it, as HTML: badges and the like are their text, icons and pictures are left out."""
    return str(_markdown.render(_DIRECTIVE.sub(lambda found: _DIRECTIVE.sub("", found[1] or ""), text)))


def _part(part: Part) -> str:
    if isinstance(part, Words):
        return f'<div class="{"small" if part.small else "words"}">{markdown(part.text)}</div>'
    if isinstance(part, Html):
        return f"<div>{part.body}</div>"
    from plotly.io import to_html  # a page that shows sentences alone does without it

    config = {**part.config, "responsive": True, "plotlyServerURL": ""}
    figure = part.figure.to_dict()
    height = f"{figure['layout'].get('height') or 450}px"
    drawn = to_html(figure, full_html=False, include_plotlyjs=False, default_height=height, config=config, validate=False)
    return f'<figure role="img" aria-label="{escape(part.alt, quote=True)}">{drawn}</figure>'


def _plotly() -> str:
    """Its script, some 5 MB."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
