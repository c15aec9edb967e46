"""A training as safe HTML: its figures, and what its network makes of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqmodels.viz.palette import safe, tag_colour
from seqmodels.viz.style import styled


def facts(values: Mapping[str, str]) -> str:
    """A row of figures under their names."""
    return styled("training", f'<div class="sm-facts">{"".join(_fact(name, value) for name, value in values.items())}</div>')


def chips(sample: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> str:
    """The tags of a text after an epoch. Framed: not as after the epoch before; the tag of then is struck through below."""
    old = [tag for _, tag, _ in before["tags"]] if before else [None] * len(sample["tags"])
    words = "".join(_chip(word, tag, sure, then) for (word, tag, sure), then in zip(sample["tags"], old, strict=False))
    return styled("training", f'<div class="sm-probe">{words}</div>')


def changed_tags(sample: Mapping[str, Any], before: Mapping[str, Any]) -> int:
    """How many tags are not as they were after the epoch before."""
    return sum(now[1] != then[1] for now, then in zip(sample["tags"], before["tags"], strict=False))


def writing(sample: Mapping[str, Any]) -> str:
    """The text of a language model after an epoch; what it was given is pale."""
    text, prompt = sample["text"], sample.get("prompt") or ""
    given = prompt if text.startswith(prompt) else ""
    return styled("training", f'<div class="sm-written" dir="auto"><i>{_lines(given)}</i>{_lines(text[len(given) :])}</div>')


def _lines(text: str) -> str:
    return "\n".join(safe(line) if line else "" for line in text.split("\n"))


def _fact(name: str, value: str) -> str:
    return f"<span><small>{safe(name)}</small><b>{safe(value)}</b></span>"


def _chip(word: str, tag: str, probability: float, old: str | None) -> str:
    changed = old is not None and old != tag
    was = old if changed and old else ""
    said = f"{tag} {probability:.0%}" + (f", after the epoch before: {was}" if changed else "")
    colour = f"--c:{tag_colour(tag).css};--p:{20 + 80 * probability:.0f}%"
    chip = f'<b class="{"sm-new" if changed else ""}" style="{colour}">{safe(tag)}</b>'
    return f'<span title="{safe(said)}"><bdi>{safe(word)}</bdi>{chip}<s>{safe(was)}</s></span>'
