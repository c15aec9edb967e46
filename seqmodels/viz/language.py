"""What a language model expects, writes and is surprised by: bars and coloured text.

A word is a character where the model reads character by character.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas  # noqa: F401  # plotly looks at it if it is loaded, and fails while another thread is still loading it
import plotly.graph_objects as go

from seqmodels.text import EOS, UNK, Unit, spaced, words
from seqmodels.viz import legends
from seqmodels.viz.palette import LINE, MUTED, PARAGRAPH, SPACE, SURFACE, SURPRISAL, TEXT, Theme, safe, shorten
from seqmodels.viz.style import styled

if TYPE_CHECKING:  # inference brings torch, which a picture does not need
    from seqmodels.inference import GeneratedToken, NextWords, PromptScore, Sampling

CANDIDATES = 12
FONT = '"Source Sans", sans-serif'  # the app's own
LONGEST_LABEL = 16  # characters of a word beside its bar

BITS_PER_STEP: dict[Unit, int] = {"word": 2, "character": 1}
STEPS = 8  # the last holds everything from 14 bits up, of a character from 7: about a blind guess among all there are
MOST_DRAWN: dict[Unit, int] = {"word": 300, "character": 1200}
PARAGRAPH_NAME = f"{PARAGRAPH} new paragraph"
SPACE_NAME = f"{SPACE} space"


@dataclass(frozen=True)
class Candidate:
    """A possible next word: its probability under the model (temperature 1), and the one it is drawn with (0 if it never is)."""

    word: str
    model: float
    drawn: float


@dataclass(frozen=True)
class Candidates:
    """The likeliest next words, best first.

    `unknown` is the model's share for `<unk>`, which is never drawn; `choices` is how many of all words can be.
    """

    words: tuple[Candidate, ...]
    unknown: float
    choices: int
    unit: Unit = "word"

    @property
    def names(self) -> list[str]:
        return [candidate.word for candidate in self.words]


def candidates(distribution: NextWords, sampling: Sampling, *, count: int = CANDIDATES) -> Candidates:
    """Re-weigh a stored distribution: those that can be drawn first, then what the settings cut off, by the model's probability."""
    from seqmodels.inference import adjusted

    unknown = distribution.words.index(UNK)
    model = np.exp(distribution.log_probabilities)
    drawn = adjusted(distribution.log_probabilities, sampling, never=unknown)
    order = [int(index) for index in np.lexsort((-model, -drawn))[: count + 1] if index != unknown]
    best = tuple(Candidate(distribution.words[index], float(model[index]), float(drawn[index])) for index in order[:count])
    return Candidates(best, float(model[unknown]), int(np.count_nonzero(drawn)), distribution.unit)


def next_word_bars(found: Candidates, *, theme: Theme = "light", longest: float | None = None) -> go.Figure:
    """Horizontal bars, likeliest on top: solid is the probability a word is drawn with, pale the model's own.

    `longest` (a probability) is where the axis ends: the same for cells side by side. A click anywhere on a row selects its word,
    which is the point's `customdata[0]`.
    """
    end = longest_bar(found) if longest is None else longest
    rows = list(range(len(found.words)))
    names = [shown(candidate.word) for candidate in found.words]
    colour = SURPRISAL.on(theme)
    told = [
        [candidate.word, _label(name), percent(candidate.model), _drawn(candidate)]
        for candidate, name in zip(found.words, names, strict=True)
    ]
    model = [round(candidate.model, 6) for candidate in found.words]
    drawn = [round(candidate.drawn, 6) for candidate in found.words]
    # bars are short and fingers are not: a see-through bar over them makes the whole row the target
    unseen = {"marker": {"opacity": 0}}
    figure = go.Figure(
        [
            go.Bar(x=model, width=0.74, marker={"color": f"{colour}47"}, name="the model's own"),  # 28 % of the colour
            go.Bar(x=drawn, width=0.4, marker={"color": colour}, name="drawn with"),
            go.Bar(x=[end] * len(rows), width=1, **unseen, selected=unseen, unselected=unseen, showlegend=False),
        ],
        {"template": "none"},  # every colour is given here, and plotly's own template is slow to copy
    )
    figure.update_traces(
        y=rows,
        orientation="h",
        customdata=told,
        hovertemplate="<b>%{customdata[1]}</b><br>drawn with %{customdata[3]}<br>the model's own %{customdata[2]}<extra></extra>",
    )
    figure.add_scatter(
        x=[max(pair) for pair in zip(model, drawn, strict=True)],
        y=rows,
        mode="text",
        text=[f" {_drawn(candidate)}" for candidate in found.words],
        textposition="middle right",
        textfont={"color": [(TEXT if candidate.drawn else MUTED).on(theme) for candidate in found.words]},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_layout(
        barmode="overlay",
        height=27 * len(found.words) + 66,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": TEXT.on(theme), "size": 14, "family": FONT},
        hoverlabel={
            "bgcolor": SURFACE.on(theme),
            "bordercolor": LINE.on(theme),
            "font": {"color": TEXT.on(theme), "size": 14, "family": FONT},
        },
        margin={"l": 8, "r": 8, "t": 30, "b": 36},
        hovermode="closest",
        clickmode="event+select",
        dragmode=False,
        bargap=0,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "traceorder": "reversed",
            "itemclick": False,
        },
        xaxis={
            "range": [0, end],
            "tickformat": ".0%" if end > 0.05 else ".1%",
            "nticks": 5,
            "fixedrange": True,
            "zeroline": False,
            "gridcolor": LINE.on(theme),
        },
        yaxis={
            "range": [len(found.words) - 0.5, -0.5],
            "tickvals": rows,
            "ticktext": [_label(shorten(name, LONGEST_LABEL)) for name in names],
            "fixedrange": True,
            "showgrid": False,
            "automargin": True,
            "ticklabelstandoff": 6,
        },
    )
    return figure


def longest_bar(found: Candidates) -> float:
    """Where the axis ends, with room for the longest bar's number: a probability."""
    return 1.25 * max((max(candidate.model, candidate.drawn) for candidate in found.words), default=1.0)


def surprisal_strip(score: PromptScore, text: str, *, numbers: bool = True, most: int | None = None) -> str:
    """The scored text itself, each word on a ground that darkens with its surprisal, with the bits under it.

    A word outside the vocabulary is marked: the model reads `<unk>`. Of a long text the last `most` words are drawn.
    """
    tokens = score.tokens[-(most or MOST_DRAWN[score.unit]) :]
    whole = len(tokens) == len(score.tokens)
    parts, before = ([], 0) if whole else (["… "], tokens[0].start)
    for token in tokens:
        gap = text[before : token.start]
        before = token.end
        value = _bits(token.surprisal)
        step = _step(token.surprisal, score.unit)
        if token.text == EOS:
            parts.append(_word(PARAGRAPH, step, value, f"end of paragraph: {value} bits", numbers) + "\n")
        elif token.text == " ":
            line_break = "\n" if "\n" in text[token.start : token.end] else ""
            parts.append(_word(" ", step, value, f"space: {value} bits", numbers) + line_break)
        elif token.known:
            parts.append(_gap(gap) + _word(token.text, step, value, f"{token.text}: {value} bits", numbers))
        else:
            note = f"{token.text}: not in the vocabulary, the model reads {UNK}: {value} bits"
            parts.append(_gap(gap) + _word(token.text, step, value, note, numbers, kind="unknown"))
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
        value = percent(token.probability)
        step = _step(-math.log2(max(token.probability, 1e-12)), unit)
        if token.text == EOS:
            parts.append(_word(PARAGRAPH, step, value, f"end of paragraph: {value}", numbers) + "\n")
        else:
            name = "space" if token.text == " " else token.text
            parts.append(gap + _word(token.text, step, value, f"{name}: {value}", numbers))
    return _strip("".join(parts), numbers, unit)


def shown(word: str) -> str:
    """A word of the vocabulary as a person reads it."""
    return {EOS: PARAGRAPH_NAME, " ": SPACE_NAME}.get(word, word)


def spread(found: Candidates) -> str:
    """How many words can be drawn, and what goes to the words that the model doesn't know: a sentence in plain text."""
    many = counted(found.choices, found.unit)
    return f"{many} can be drawn. The model gives {percent(found.unknown)} to all unknown {found.unit}s together."


def overall(score: PromptScore) -> str:
    """The perplexity, or the bits per character, in plain words, with how many were scored and how many of them are unknown."""
    count, unknown = len(score.tokens), sum(not token.known for token in score.tokens)
    known = "" if not unknown else ", all unknown" if unknown == count else f", {unknown:,} of them unknown"
    value = f"{score.perplexity:,.0f}" if score.perplexity >= 9.95 else f"{score.perplexity:.1f}"
    figure = f"perplexity {value}" if score.unit == "word" else f"{score.bits:.2f} bits per character"
    return f"{figure} over {counted(count, score.unit)}{known}"


def counted(number: int, unit: Unit) -> str:
    """'1 word', '1,234 characters'."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def legend(units: Collection[Unit]) -> str:
    """What the ground of a word means, and that of a character where both are on the page."""
    steps = "".join(f'<i class="s{step}"></i>' for step in range(STEPS))
    most = {unit: BITS_PER_STEP[unit] * (STEPS - 1) for unit in units}
    bits = " bits, of a character ".join(str(most[unit]) for unit in BITS_PER_STEP if unit in most)
    unknown = next(unit for unit in BITS_PER_STEP if unit in most)
    scale = f'expected: 0 bits <span class="steps">{steps}</span> {bits}{" bits" if len(most) == 1 else ""} and more: a surprise'
    mark = f'<span class="surprisal"><span class="word unknown">{unknown}</span></span> not in the vocabulary'
    return styled("language", legends.legend([scale, mark]))


def percent(probability: float) -> str:
    """Three digits at most: '12.3 %', '0.04 %', '< 0.01 %'."""
    share = 100 * probability
    if 0 < share < 0.01:
        return "< 0.01 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %" if share < 99.95 else "100 %"


def _label(text: str) -> str:
    # plotly decodes `&lt;` but not `&quot;`, and its labels are no attributes
    return safe(text).replace("&quot;", '"')


def _drawn(candidate: Candidate) -> str:
    return percent(candidate.drawn) if candidate.drawn else "never"


def _bits(surprisal: float) -> str:
    return f"{surprisal:.1f}"


def _step(surprisal: float, unit: Unit) -> int:
    """How dark the ground is."""
    return min(STEPS - 1, int(surprisal / BITS_PER_STEP[unit]))


def _word(text: str, step: int, number: str, note: str, numbers: bool, kind: str = "") -> str:
    drawn = '<i class="space"> </i>' if text == " " else safe(text)
    under = f"<small>{number}</small>" if numbers else ""
    return f'<span class="word s{step} {kind}" title="{safe(note)}">{drawn}{under}</span>'


def _gap(gap: str) -> str:
    """What stood between two words: white space, of which a line break stays one."""
    return "\n" if "\n" in gap else " " if gap else ""


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
