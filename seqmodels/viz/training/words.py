"""A training in words and as safe HTML: its numbers, what was changed, what happened, and what its network makes of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

from seqmodels.viz.palette import SERIES, safe, shorten, tag_colour
from seqmodels.viz.style import styled

if TYPE_CHECKING:
    from seqmodels.runs import History, Standings

_METRICS = {"f1": "F1", "mse": "mean squared error", "bits_per_character": "bits per character"}
PERCENT = ("accuracy", "f1")


@dataclass(frozen=True)
class Mark:
    """Something that happened to a run: where, in epochs, and what, in plain words."""

    x: float
    kind: str
    text: str


def marks(history: History) -> list[Mark]:
    """What was changed, the pauses, and the end. A pause and what ends it are one mark."""
    found: list[Mark] = []
    for mark in history.marks:
        kind, x = mark["kind"], mark["x"]
        if kind == "resumed" and found and found[-1].kind == "paused" and found[-1].x == x:
            continue
        text = changes(mark["before"], mark["after"]) if kind == "changed" else kind
        if kind in ("stopped", "finished") and mark.get("message"):  # why a run failed is said larger
            text = mark["message"]
        found.append(Mark(x, kind, text))
    return found


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What differs between two states of the settings that may change while a run goes on."""
    differing = [
        f"{title} {show(before[name])} → {show(after[name])}"
        for name, title, show in (
            ("learning_rate", "learning rate", short),
            ("clip", "clipping", clipping),
            ("patience", "patience", lambda value: "off" if value is None else str(value)),
        )
        if before[name] != after[name]
    ]
    return "; ".join(differing) or "nothing new"


def clipping(clip: Mapping[str, Any] | None) -> str:
    """Such as "norm at 1"."""
    return "off" if clip is None else f"{clip['kind']} at {short(clip['threshold'])}"


def short(value: float | None) -> str:
    """A number to three digits; a missing one is a dash."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def metric_title(name: str) -> str:
    return _METRICS.get(name, name)


def score(name: str, value: float | None) -> str:
    """A score with its unit."""
    if value is None:
        return "–"
    return f"{value:.1f} %" if name in PERCENT else short(value)


def difference(name: str, value: float) -> str:
    """By how much two scores differ, with the unit."""
    shown = f"{value:.1f} points" if name in PERCENT else short(value)
    return f"{shown} in {metric_title(name)}"


def duration(seconds: float) -> str:
    """Such as "1 min 20 s"."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def place_title(place: tuple[int, str]) -> str:
    return f"layer {place[0] + 1}, {place[1]}"


def named(names: Sequence[str]) -> list[str]:
    """Names of runs, short enough for a legend, no two alike."""
    found: list[str] = []
    for name in names:
        cut = shorten(name, 28)
        same = sum(other == cut or other.startswith(f"{cut} (") for other in found)
        found.append(f"{cut} ({same + 1})" if same else cut)
    return found


def facts(values: Mapping[str, str]) -> str:
    """A row of figures under their names."""
    shown = "".join(f"<span><small>{safe(name)}</small><b>{safe(value)}</b></span>" for name, value in values.items())
    return styled("training", f'<div class="sm-facts">{shown}</div>')


def standings(found: Standings, where: Mapping[str, str], metric: str) -> str:
    """A row for each run, the best first: the colour of its line, its score, by how much it is behind, and how far it is.

    `where` holds all of them by name, in the order of their lines.
    """
    colours = dict(zip(where, cycle(SERIES), strict=False))
    rows = "".join(
        f'<div style="--c:{colours[row.name].css}"><b>{safe(row.name)}</b><span>{safe(score(metric, row.score))}</span>'
        f"<small>{safe(where[row.name])}</small><small>{f'{short(row.behind)} behind' if row.behind else ''}</small></div>"
        for row in found.runs
    )
    return styled("training", f'<div class="sm-standings">{rows}</div>')


def when(sample: Mapping[str, Any]) -> str:
    """After how much training a sample was taken."""
    if not sample["x"]:
        return "before the first step"
    if sample.get("step"):
        return f"in epoch {sample['epoch'] + 1}, after step {sample['step']} of {sample['steps']}"
    return f"after epoch {sample['epoch']}"


def chips(sample: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> str:
    """The tags of a text in a sample. Framed: not as in the sample before; the tag of then is struck through below."""
    old = [tag for _, tag, _ in before["tags"]] if before else [None] * len(sample["tags"])
    words = "".join(_chip(word, tag, sure, then) for (word, tag, sure), then in zip(sample["tags"], old, strict=False))
    return styled("training", f'<div class="sm-probe">{words}</div>')


def changed_tags(sample: Mapping[str, Any], before: Mapping[str, Any]) -> int:
    """How many tags are not as they were in the sample before."""
    return sum(now[1] != then[1] for now, then in zip(sample["tags"], before["tags"], strict=False))


def writing(sample: Mapping[str, Any]) -> str:
    """The text of a language model in a sample; what it was given is pale."""
    text, prompt = sample["text"], sample.get("prompt") or ""
    given = prompt if text.startswith(prompt) else ""
    return styled("training", f'<div class="sm-written" dir="auto"><i>{_lines(given)}</i>{_lines(text[len(given) :])}</div>')


def _lines(text: str) -> str:
    return "\n".join(safe(line) if line else "" for line in text.split("\n"))


def _chip(word: str, tag: str, probability: float, old: str | None) -> str:
    changed = old is not None and old != tag
    was = old if changed and old else ""
    hover = f"{tag} {probability:.0%}" + (f", before: {was}" if changed else "")
    colour = f"--c:{tag_colour(tag).css};--p:{20 + 80 * probability:.0f}%"
    chip = f'<b class="{"sm-new" if changed else ""}" style="{colour}">{safe(tag)}</b>'
    return f'<span title="{safe(hover)}"><bdi>{safe(word)}</bdi>{chip}<s>{safe(was)}</s></span>'
