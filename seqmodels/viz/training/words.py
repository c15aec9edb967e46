"""A training in words: its figures, what was changed, and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqmodels.viz.palette import shorten
from seqmodels.viz.training.points import Rows

if TYPE_CHECKING:
    from seqmodels.runs import History

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
    told = [
        f"{title} {show(before[name])} → {show(after[name])}"
        for name, title, show in (
            ("learning_rate", "learning rate", short),
            ("clip", "clipping", clipping),
            ("patience", "patience", lambda value: "off" if value is None else str(value)),
        )
        if before[name] != after[name]
    ]
    return "; ".join(told) or "nothing new"


def clipping(clip: Mapping[str, Any] | None) -> str:
    """Such as "norm at 1"."""
    return "off" if clip is None else f"{clip['kind']} at {short(clip['threshold'])}"


def short(value: float | None) -> str:
    """A figure to three digits; what is no number is a dash."""
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


def duration(seconds: float) -> str:
    """Such as "1 min 20 s"."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def clipped_share(steps: Rows) -> float | None:
    """Of all steps so far, those whose gradient was clipped."""
    count = sum(step["count"] for step in steps)
    return sum(step["clipped_count"] for step in steps) / count if count else None


def percent(share: float | None) -> str:
    """A share; a small one is not nothing."""
    if share is None:
        return "–"
    return "below 1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")


def place_title(place: tuple[int, str]) -> str:
    return f"layer {place[0] + 1}, {place[1]}"


def named(names: Sequence[str]) -> list[str]:
    """Names of runs, short enough for a legend, no two alike."""
    told: list[str] = []
    for name in names:
        cut = shorten(name, 28)
        same = sum(other == cut or other.startswith(f"{cut} (") for other in told)
        told.append(f"{cut} ({same + 1})" if same else cut)
    return told
