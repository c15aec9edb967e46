"""Passages as a concordance: moments of a larger text under the one they are like, and under each word the gates of their units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from seqmodels.traces.moments import CONTEXT, Moment
from seqmodels.viz.gates import Measure
from seqmodels.viz.palette import safe, shorten
from seqmodels.viz.style import styled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seqmodels.traces import LayerTrace, Trace

_FAR = 4  # words from the span: those further off are left out where there is little room
_LONGEST = 24  # characters of a word


def moment_of(traced: Trace, layer: LayerTrace, span: slice, units: NDArray[np.intp]) -> Moment:
    """A span of a trace as a moment of its own text: in its context, with the gates of these units. It is wholly like itself."""
    context = slice(max(span.start - CONTEXT, 0), min(span.stop + CONTEXT, len(traced.tokens)))
    return Moment(
        passage=0,
        position=span.start,
        before=traced.tokens[context.start : span.start],
        span=traced.tokens[span],
        after=traced.tokens[span.stop : context.stop],
        score=1.0,
        shared=len(units),
        on=len(units),
        mu=layer.mu[context][:, units],
        lam=layer.lam[context][:, units],
        memory=layer.memory[context][:, units],
    )


def concordance(asked: Moment, found: Sequence[Moment], show: Sequence[Measure]) -> str:
    """The moment that was asked for, then those found, as lines of safe HTML with their spans one under the other.

    Under each word, a bar for each measure: the mean over the units that are searched for, as colour and as height.
    """
    moments = [asked, *found]
    means = [{measure: _mean(moment, measure) for measure in show} for moment in moments]
    reach = {measure: measure.reach(np.concatenate([mean[measure] for mean in means])) for measure in show}
    lines = "".join(
        _line(moment, _bars(mean, reach), asked.shared, number)
        for number, (moment, mean) in enumerate(zip(moments, means, strict=True))
    )
    return styled(
        "passages", f'<ol class="sm-passages" aria-label="What was asked for, and the moments found, best first">{lines}</ol>'
    )


def rows(asked: Moment, found: Sequence[Moment]) -> list[dict[str, Any]]:
    """What was asked for, rank 0, and each moment found: its score, its words, and its units' mean gates over the span."""
    return [
        {
            "rank": rank,
            "score": round(moment.score, 4),
            "shared": moment.shared,
            "on": moment.on,
            "asked": asked.shared,
            "passage": moment.passage,
            "position": moment.position,
            "before": " ".join(moment.before),
            "span": " ".join(moment.span),
            "after": " ".join(moment.after),
        }
        | {field: round(float(getattr(moment, field)[_span(moment)].mean()), 4) for field in ("mu", "lam", "memory")}
        for rank, moment in enumerate([asked, *found])
    ]


def _span(moment: Moment) -> slice:
    """Where the span is in the moment's context."""
    return slice(len(moment.before), len(moment.before) + len(moment.span))


def _mean(moment: Moment, measure: Measure) -> NDArray[np.float32]:
    """(tokens of the context,)"""
    mean: NDArray[np.float32] = getattr(moment, measure.field).mean(axis=1)
    return mean


def _bars(means: dict[Measure, NDArray[np.float32]], reach: dict[Measure, float]) -> Iterator[tuple[str, str]]:
    """Of each word: what it says, and its bars."""
    for values in zip(*means.values(), strict=True):
        named = list(zip(means, values, strict=True))
        said = ", ".join(f"{measure.name} {value:.3f}" for measure, value in named)
        yield said, "".join(_bar(measure, float(value), reach[measure]) for measure, value in named)


def _bar(measure: Measure, value: float, reach: float) -> str:
    colour = measure.negative if measure.negative and value < 0 else measure.colour
    return f'<i style="--c:{colour.css};--p:{abs(value) / reach:.0%}"></i>'


def _line(moment: Moment, bars: Iterator[tuple[str, str]], asked: int, number: int) -> str:
    span = _span(moment)
    words = chain(moment.before, moment.span, moment.after)
    drawn = [
        _word(word, *bar, far=not span.start - _FAR <= position < span.stop + _FAR)
        for position, (word, bar) in enumerate(zip(words, bars, strict=True))
    ]
    parts = {"sm-before": slice(span.start), "sm-span": span, "sm-after": slice(span.stop, None)}
    context = "".join(f'<span class="{name}">{"".join(drawn[part])}</span>' for name, part in parts.items())
    score = (
        f"{moment.score:.2f}<small>{moment.shared} of {asked}</small>"
        if number
        else f"asked<small>{asked} unit{'s' * (asked > 1)}</small>"
    )
    title = f"{moment.shared} of the {asked} units that were asked for are on here; {moment.on} are on in all"
    return (
        f'<li{"" if number else " class=sm-asked"}><span class="sm-score" title="{title}">{score}'
        f'<u style="--w:{moment.score:.0%}"></u></span><span class="sm-context">{context}</span></li>'
    )


def _word(word: str, said: str, bars: str, *, far: bool) -> str:
    text = safe(shorten(word, _LONGEST))
    return f'<b{" class=sm-far" if far else ""} title="{text}: {safe(said)}"><bdi>{text}</bdi>{bars}</b>'
