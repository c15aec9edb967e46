"""Whatever is typed, predicted or named is drawn as text: every public picture, whatever it shows."""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from seqmodels import viz
from seqmodels.traces import Attribution, GapProbe, GradientPath, Match, Trace, saturation
from seqmodels.viz import gates, legends, matches
from seqmodels.viz.comparisons import TwoTexts
from seqmodels.viz.frame import Focus, Label
from tests.test_viz_gates import random_layer

MARK = "zz"  # in each word, so that it is found again
WORDS = (
    f"<b>{MARK}</b>",
    f"</script><script>{MARK}(1)",
    f"a&{MARK};",
    f"\x07{MARK}",
    f"{MARK}\x00",
    f"\u202e{MARK}",
    f"שלום{MARK}",
    f"👩‍👩‍👧{MARK}",
    f"%{{x}}{MARK}",
    f"$\\{MARK}$",
    f"\"'{MARK}",
    f"{MARK}<br>" + "w" * 100,
)
TRACED = Trace("pos", "lstm", WORDS, (random_layer(len(WORDS), output_gate=True),))
OTHER = Trace("pos", "lstm", WORDS[::-1], (random_layer(len(WORDS), output_gate=True),))
LINE = np.linspace(0.1, 1, len(WORDS)).astype(np.float32)
PATH = GradientPath(tuple(range(len(WORDS))), LINE.astype(float), LINE.astype(float))
SHARES = {"keep": saturation(TRACED.layers[0].mu)}
UNITS = TRACED.layers[0].mu[:, :2]
MATCH = Match(0, 0, WORDS[:4], WORDS[4:8], WORDS[8:], 1, 2, 2, UNITS, UNITS, UNITS)

# how each is called: with hostile words, and with a hostile word in whatever else it shows
PICTURES: dict[str, Callable[[Focus, str], Any]] = {
    "contributions": lambda focus, word: viz.contributions(TRACED, focus, Attribution(word, 1, 0, {"forward": PATH.gates}, True)),
    "curve_difference": lambda focus, word: viz.curve_difference(TRACED, OTHER, focus),
    "curves": lambda focus, word: viz.curves([TRACED, OTHER], focus),
    "equation_map": lambda focus, word: viz.equation_map(TRACED, focus),
    "gap": lambda focus, word: viz.gap(GapProbe(word, "forward", np.arange(len(LINE)), LINE, LINE, LINE, LINE)),
    "gradient_path": lambda focus, word: viz.gradient_path(TRACED, PATH, focus),
    "half_lives": lambda focus, word: viz.half_lives(TRACED, focus),
    "heatmaps": lambda focus, word: viz.heatmaps(TRACED, focus),
    "intervention": lambda focus, word: viz.intervention(TRACED, OTHER, focus),
    "lines": lambda focus, word: viz.lines(TRACED, focus),
    "regime_strip": lambda focus, word: viz.regime_strip(TRACED, focus),
    "retention": lambda focus, word: viz.retention(TRACED, focus),
    "saturation_scatter": lambda focus, word: viz.saturation_scatter(SHARES, focus),
    "square": lambda focus, word: viz.square(TRACED, focus),
    "text_difference": lambda focus, word: viz.text_difference(TwoTexts.of(TRACED, OTHER), focus),
}
WORDLESS = {"half_lives", "saturation_scatter"}


def texts(part: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a figure, and the name of the field that holds it."""
    if isinstance(part, str):
        yield name, part
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from texts(value, str(key))
    elif isinstance(part, list | tuple | np.ndarray):
        for value in part:
            yield from texts(value, name)


def test_every_public_picture_is_here() -> None:
    assert set(PICTURES) == {name for name in dir(viz) if inspect.isfunction(getattr(viz, name))}


@pytest.mark.parametrize("name", PICTURES)
def test_a_figure_shows_words_as_text(name: str) -> None:
    for token, word in enumerate(WORDS):
        below = tuple(Label(f"<i>{other}") for other in WORDS)
        found = list(texts(PICTURES[name](Focus(token=token, unit=2, below=below), word).to_plotly_json()))
        for field, text in found:
            assert MARK not in text or "<" not in text
            assert not any(unicodedata.category(character) == "Cc" for character in text)
            assert field != "hovertemplate" or MARK not in text, "plotly would fill in what is typed as %{x}"
        assert name in WORDLESS or any(MARK in text for _, text in found), "words are shown"


class Elements(HTMLParser):
    """What a browser makes of some HTML: its elements, their attributes, and the words that it shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        if MARK in data:
            self.words.append(data)


@pytest.mark.parametrize(
    "html",
    [
        matches.concordance(MATCH, [], [gates.KEEP]),
        legends.legend([legends.bar(word, gates.KEEP.ink, ("red",), (word, word)) for word in WORDS], WORDS[0]),
        legends.legend([legends.Stroke(word, gates.KEEP.colour).entry for word in WORDS]),
    ],
)
def test_html_shows_words_as_text(html: str) -> None:
    found = Elements(html)
    assert found.tags <= {"style", "ol", "li", "div", "span", "small", "u", "b", "bdi", "i"}
    assert found.attributes <= {"class", "style", "title", "role", "aria-label"}
    assert len(found.words) >= len(WORDS)
    assert not re.search(r"[\x00\x07]", html)
