"""What a language model expects, writes and is surprised by: bars and coloured text.

A word is a character where the model reads character by character.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from seqmodels.text import EOS, UNK, Unit, spaced, words
from seqmodels.viz import legends
from seqmodels.viz.figure import FACE, picture, plotly_trace
from seqmodels.viz.format import counted, percent, unbroken
from seqmodels.viz.palette import LINE, MUTED, PARAGRAPH, SPACE, SURFACE, SURPRISAL, TEXT, Theme, safe, shorten
from seqmodels.viz.style import styled

if TYPE_CHECKING:  # inference brings torch, which a picture does not need
    from seqmodels.inference import Candidate, Candidates, GeneratedToken, PromptScore
    from seqmodels.traces import Invented

BITS_PER_STEP: dict[Unit, int] = {"word": 2, "character": 1}
STEPS = 8  # the last holds everything from 14 bits up, of a character from 7: about a blind guess among all there are
MOST_DRAWN: dict[Unit, int] = {"word": 300, "character": 1200}
A_NUMBER, BOTH_NUMBERS = 54, 104  # pixels beside the longest bar, however narrow the picture is
_NAMES = {EOS: f"{PARAGRAPH} new paragraph", " ": f"{SPACE} space"}


def next_word_bars(
    found: Candidates,
    *,
    theme: Theme = "light",
    longest: float | None = None,
    runs: tuple[str, str] | None = None,
    bare: bool = False,
) -> go.Figure:
    """Horizontal bars, likeliest on top: solid is the probability a word is drawn with, pale the model's own.

    `longest` (a probability) is where the axis ends: the same for cells side by side. What `runs` names stands for itself instead:
    the pale bar is the first run's, the solid one the second's, and a row says both numbers. A click anywhere on a row selects its
    word, which is the point's `customdata[0]`. `bare` leaves the rows alone, without axis and legend, and lower.
    """
    pale, solid = runs or ("the model's own", "as drawn")
    end = found.largest if longest is None else longest
    scaled = not (bare or runs)  # of two runs both numbers stand in each row
    above, below = 4 if bare else 30, 36 if scaled else 4
    rows = list(range(len(found.words)))
    names = [shown(word) for word in found.names]
    colour, text, line = SURPRISAL.on(theme), TEXT.on(theme), LINE.on(theme)
    font = {"color": text, "size": 14, "family": FACE}
    model = [round(candidate.model, 6) for candidate in found.words]
    drawn = [round(candidate.drawn, 6) for candidate in found.words]
    # bars are short and fingers are not: a see-through bar over them makes the whole row the target
    unseen = {"marker": {"opacity": 0}}
    row = {
        "y": rows,
        "orientation": "h",
        "customdata": [
            [candidate.word, _label(name), percent(candidate.model, 3), _drawn(candidate)]
            for candidate, name in zip(found.words, names, strict=True)
        ],
        "hovertemplate": f"<b>%{{customdata[1]}}</b><br>{solid} %{{customdata[3]}}<br>{pale} %{{customdata[2]}}<extra></extra>",
    }
    numbers = plotly_trace(
        "scatter",
        x=[min(end, max(pair)) for pair in zip(model, drawn, strict=True)],  # rounded past the end, a number would not be drawn
        y=rows,
        mode="text",
        text=[f" {_change(candidate) if runs else _drawn(candidate)}" for candidate in found.words],
        textposition="middle right",
        textfont={"color": [text if candidate.drawn else MUTED.on(theme) for candidate in found.words]},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,  # the longest bar's number stands in the margin
    )
    return picture(
        [
            plotly_trace("bar", x=model, width=0.74, marker={"color": f"{colour}47"}, name=pale, **row),  # 28 % of the colour
            plotly_trace("bar", x=drawn, width=0.4, marker={"color": colour}, name=solid, **row),
            plotly_trace(
                "bar", x=[end] * len(rows), width=1, **unseen, selected=unseen, unselected=unseen, showlegend=False, **row
            ),
            numbers,
        ],
        {
            "template": {},  # every colour is given here
            "barmode": "overlay",
            "bargap": 0,
            "height": (24 if bare else 27) * len(rows) + above + below,
            "margin": {"l": 8, "r": BOTH_NUMBERS if runs else A_NUMBER, "t": above, "b": below},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": font,
            "hoverlabel": {"bgcolor": SURFACE.on(theme), "bordercolor": line, "font": font},
            "hovermode": "closest",
            "clickmode": "event+select",
            "dragmode": False,
            "showlegend": not bare,
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yref": "container",  # beside the plot, plotly leaves it where it was when the picture gets wider, over the bars
                "yanchor": "top",
                "traceorder": "normal" if runs else "reversed",
                "itemclick": False,
            },
            "xaxis": {
                "range": [0, end],
                "tickformat": ".0%" if end > 0.05 else ".1%",
                "nticks": 5,
                "visible": scaled,
                "fixedrange": True,
                "zeroline": False,
                "gridcolor": line,
            },
            "yaxis": {
                "range": [len(rows) - 0.5, -0.5],
                "tickvals": rows,
                "ticktext": [_label(shorten(name, 16)) for name in names],
                "fixedrange": True,
                "showgrid": False,
                "automargin": True,
                "ticklabelstandoff": 6,
            },
        },
    )


def surprisal_strip(score: PromptScore, text: str, *, numbers: bool = True, most: int | None = None) -> str:
    """The scored text itself, each word on a ground whose colour grows with its surprisal, with the bits under it.

    A word outside the vocabulary is marked: the model reads `<unk>`. Of a long text the last `most` words are drawn.
    """
    tokens = score.tokens[-(most or MOST_DRAWN[score.unit]) :]
    whole = len(tokens) == len(score.tokens)
    parts, before = ([], 0) if whole else (["… "], tokens[0].start)
    for token in tokens:
        bits = f"{token.surprisal:.1f}"
        word = _word(token.text, token.surprisal, score.unit, bits, f"{bits} bits", numbers, known=token.known)
        if token.text == " ":
            parts.append(word + ("\n" if "\n" in text[token.start : token.end] else ""))
        else:
            gap = "" if token.text == EOS else text[before : token.start]  # white space, of which a line break stays one
            parts.append(("\n" if "\n" in gap else gap and " ") + word)
        before = token.end
    return _strip("".join(parts), numbers, score.unit)


def continuation(
    prompt: str, tokens: Sequence[GeneratedToken], *, unit: Unit = "word", numbers: bool = False, most: int = 240
) -> str:
    """The end of the prompt (at most `most` characters), quiet, and the words drawn after it, each on the ground of its surprisal.

    Under a word, or on hover, stands its probability under the model.
    """
    tail = prompt if len(prompt) <= most else "…" + prompt[-most:].partition(" ")[2]
    gaps = _gaps(tail, [token.text for token in tokens]) if unit == "word" else [""] * len(tokens)
    parts = [f'<span class="given">{_lines(tail)}</span>']
    for token, gap in zip(tokens, gaps, strict=True):
        share = percent(token.probability, 3)
        word = _word(token.text, -math.log2(max(token.probability, 1e-12)), unit, share, share, numbers)
        parts.append(word if token.text == EOS else gap + word)
    return _strip("".join(parts), numbers, unit)


def shown(word: str) -> str:
    """A word of the vocabulary as a person reads it."""
    return _NAMES.get(word, word)


def spread(found: Candidates) -> str:
    """How many words can be drawn, and what goes to the words that the model doesn't know: a sentence in plain text."""
    many = counted(found.choices, found.unit)
    share = unbroken(percent(found.unknown, 3))  # the sign stays with its number
    return f"{many} can be drawn. The model gives {share} to all unknown {found.unit}s together."


def overall(score: PromptScore) -> str:
    """The perplexity, or the bits per character, in plain words, with how many were scored and how many of them are unknown."""
    count, unknown = len(score.tokens), sum(not token.known for token in score.tokens)
    some = f", {unknown:,} of them unknown ({score.unknown_share:.0%})" if unknown else ""
    known = ", all unknown" if unknown and unknown == count else some
    value = f"{score.perplexity:,.0f}" if score.perplexity >= 9.95 else f"{score.perplexity:.1f}"
    metric = f"perplexity {value}" if score.unit == "word" else f"{score.bits:.2f} bits per character"
    return f"{metric} over {counted(count, score.unit)}{known}"


def legend(units: Collection[Unit]) -> str:
    """What the ground of a word means, and that of a character where both are on the page."""
    steps = "".join(f'<i class="s{step}"></i>' for step in range(STEPS))
    most = {unit: BITS_PER_STEP[unit] * (STEPS - 1) for unit in BITS_PER_STEP if unit in units}
    bits = " bits, of a character ".join(map(str, most.values())) + (" bits" if len(most) == 1 else "")
    scale = f'expected: 0 bits <span class="steps">{steps}</span> {bits} and more: a surprise'
    mark = f'<span class="surprisal"><span class="word unknown">{next(iter(most))}</span></span> not in the vocabulary'
    return styled("language", legends.legend([scale, mark]))


def names(found: Sequence[Invented]) -> str:
    """Names, one a line: what was written before a switch and after it on two grounds, and whether it is a known name."""
    lines = []
    for name in found:
        at = len(name.text) if name.switched is None else name.switched
        parts = [f"<b>{safe(name.text[:at])}</b>" if at else "", f"<em>{safe(name.text[at:])}</em>" if name.text[at:] else ""]
        known = "<small>known</small>" if name.known else ""
        lines.append(f"<li>{''.join(parts) or '<small>nothing</small>'}{'' if name.ended else '…'}{known}</li>")
    return styled("names", f'<ol class="sm-names" dir="auto">{"".join(lines)}</ol>')


def names_legend(first: str, second: str | None = None) -> str:
    """Which ground stands for which language."""
    entries = [f'<span class="sm-names"><b>{safe(first)}</b></span>']
    if second is not None:
        entries.append(f'<span class="sm-names"><em>{safe(second)}</em></span>')
    return styled("names", legends.legend(entries))


def _label(text: str) -> str:
    # plotly decodes `&lt;` but not `&quot;`, and its labels are no attributes
    return safe(text).replace("&quot;", '"')


def _drawn(candidate: Candidate) -> str:
    return percent(candidate.drawn, 3) if candidate.drawn else "never"


def _change(candidate: Candidate) -> str:
    return f"{percent(candidate.model).removesuffix(' %')} → {percent(candidate.drawn)}"


def _word(text: str, surprisal: float, unit: Unit, under: str, value: str, numbers: bool, *, known: bool = True) -> str:
    """A word on the ground of its surprisal in bits, with a number under it, and its value on hover."""
    name = (
        {EOS: "end of paragraph", " ": "space"}.get(text, text)
        if known
        else f"{text}: not in the vocabulary, the model reads {UNK}"
    )
    step = min(STEPS - 1, int(surprisal / BITS_PER_STEP[unit]))
    drawn = {EOS: PARAGRAPH, " ": '<i class="space"> </i>'}.get(text) or safe(text)
    number = f"<small>{safe(under)}</small>" if numbers else ""
    kind = f"word s{step}" + ("" if known else " unknown")
    return f'<span class="{kind}" title="{safe(f"{name}: {value}")}">{drawn}{number}</span>' + ("\n" if text == EOS else "")


def _gaps(tail: str, drawn: Sequence[str]) -> list[str]:
    """The space, if any, before each of the words drawn after a text."""
    given = words(tail)
    texts = list(islice(spaced([*given, *drawn]), len(given), None))
    gaps = [text.removesuffix(word) for text, word in zip(texts, drawn, strict=True)]
    if gaps and tail[-1:].isspace():
        gaps[0] = ""
    return gaps


def _lines(text: str) -> str:
    return "\n".join(safe(line) if line.strip() else "" for line in text.splitlines()) + ("\n" if text.endswith("\n") else "")


def _strip(inside: str, numbers: bool, unit: Unit) -> str:
    kinds = f"surprisal {unit}s" + (" numbered" if numbers else "")
    return styled("language", f'<p class="{kinds}" dir="auto">{inside}</p>')
