"""Passages as a concordance: matches in a larger text under the one they are like, and under each word the gates of their units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from seqmodels.viz.gates import Measure
from seqmodels.viz.palette import safe, shorten
from seqmodels.viz.style import styled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seqmodels.traces import Match

_FAR = 4  # words from the span: those further off are left out where there is little room
_LONGEST = 24  # characters of a word


def concordance(asked: Match, found: Sequence[Match], show: Sequence[Measure]) -> str:
    """The match that was asked for, then those found, as lines of safe HTML with their spans one under the other.

    Under each word, a bar for each measure: the mean over the units that are searched for, as colour and as height.
    """
    lines = [asked, *found]
    means = [{measure: _mean(match, measure) for measure in show} for match in lines]
    reach = {measure: measure.reach(np.concatenate([mean[measure] for mean in means])) for measure in show}
    drawn = "".join(
        _line(match, _bars(mean, reach), asked.shared, number)
        for number, (match, mean) in enumerate(zip(lines, means, strict=True))
    )
    return styled(
        "passages", f'<ol class="sm-passages" aria-label="What was asked for, and the moments found, best first">{drawn}</ol>'
    )


def rows(asked: Match, found: Sequence[Match]) -> list[dict[str, Any]]:
    """What was asked for, rank 0, and each match found: its score, its words, and its units' mean gates over the span."""
    return [
        {
            "rank": rank,
            "score": round(match.score, 4),
            "shared": match.shared,
            "on": match.on,
            "asked": asked.shared,
            "passage": match.passage,
            "position": match.position,
            "before": " ".join(match.before),
            "span": " ".join(match.span),
            "after": " ".join(match.after),
        }
        | {field: round(float(getattr(match, field)[_span(match)].mean()), 4) for field in ("mu", "lam", "memory")}
        for rank, match in enumerate([asked, *found])
    ]


def _span(match: Match) -> slice:
    """Where the span is in the match's context."""
    return slice(len(match.before), len(match.before) + len(match.span))


def _mean(match: Match, measure: Measure) -> NDArray[np.float32]:
    """(tokens of the context,)"""
    mean: NDArray[np.float32] = getattr(match, measure.field).mean(axis=1)
    return mean


def _bars(means: dict[Measure, NDArray[np.float32]], reach: dict[Measure, float]) -> Iterator[tuple[str, str]]:
    """Of each word: its hover text, and its bars."""
    names = [safe(measure.name) for measure in means]
    for values in zip(*(mean.tolist() for mean in means.values()), strict=True):
        text = ", ".join(f"{name} {value:.3f}" for name, value in zip(names, values, strict=True))
        yield text, "".join(_bar(measure, value, reach[measure]) for measure, value in zip(means, values, strict=True))


def _bar(measure: Measure, value: float, reach: float) -> str:
    colour = measure.negative if measure.negative and value < 0 else measure.colour
    return f'<i style="--c:{colour.css};--p:{abs(value) / reach:.0%}"></i>'


def _line(match: Match, bars: Iterator[tuple[str, str]], asked: int, number: int) -> str:
    span = _span(match)
    words = chain(match.before, match.span, match.after)
    drawn = [
        _word(word, *bar, far=not span.start - _FAR <= position < span.stop + _FAR)
        for position, (word, bar) in enumerate(zip(words, bars, strict=True))
    ]
    parts = {"sm-before": slice(span.start), "sm-span": span, "sm-after": slice(span.stop, None)}
    context = "".join(f'<span class="{name}">{"".join(drawn[part])}</span>' for name, part in parts.items())
    score = (
        f"{match.score:.2f}<small>{match.shared} of {asked}</small>"
        if number
        else f"asked<small>{asked} unit{'s' * (asked > 1)}</small>"
    )
    title = f"{match.shared} of the {asked} units that were asked for are on here; {match.on} are on in all"
    return (
        f'<li{"" if number else " class=sm-asked"}><span class="sm-score" title="{title}">{score}'
        f'<u style="--w:{match.score:.0%}"></u></span><span class="sm-context">{context}</span></li>'
    )


def _word(word: str, numbers: str, bars: str, *, far: bool) -> str:
    text = safe(shorten(word, _LONGEST))
    return f'<b{" class=sm-far" if far else ""} title="{text}: {numbers}"><bdi>{text}</bdi>{bars}</b>'
