"""What can be taken away: a view or a run as one HTML file that needs nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.explorer import VIEWS
from pages.training import race, whole
from seqmodels.viz.document import Html, Part, Picture, Words, document, markdown
from seqmodels.viz.training import figures, losses, norms, scores
from tests.paging import GATES, LANGUAGE, LEADERBOARD, OVERVIEW, TAGGING, opened
from tests.running import finish, kill_all, make, tagging

pytestmark = pytest.mark.usefixtures("fresh_cache", "own_folders")

HOSTILE = '</script><script>alert(1)</script> <img src="http://x.example/y.png" onerror="alert(2)"> ![](http://x.example/z.png)'


@pytest.fixture(autouse=True)
def _no_process_stays() -> Iterator[None]:
    yield
    kill_all()


class Reader(HTMLParser):
    """The elements of a file, and its words outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.words.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def fetched(self) -> list[str]:
        """What a browser would load from elsewhere."""
        named = [attributes.get(name) for tag, attributes in self.elements for name in ("src", "srcset", "data", "poster")]
        links = [attributes.get("href") for tag, attributes in self.elements if tag != "a"]
        return [address for address in (*named, *links) if address and not address.startswith("data:")]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def is_alone(text: str) -> Reader:
    """The file, which fetches nothing and has no script but plotly's and those that draw."""
    found = Reader(text)
    assert found.fetched == []
    assert "default-src 'none'" in text
    assert "url(" not in "".join(re.findall(r"<style.*?</style>", text, re.DOTALL))
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    return found


def test_nothing_that_a_text_says_becomes_part_of_the_file() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[2], text=[HOSTILE]))
    plain, hostile = document("A", [Picture(figure, "")]), document(HOSTILE, [Words(HOSTILE), Picture(figure, HOSTILE)])
    found = is_alone(hostile)
    assert found.count("script") == Reader(plain).count("script")
    assert found.count("img") == 0
    assert "alert(1)" in found.said, "it is shown as it is"


def test_a_file_without_a_figure_is_small_and_names_the_view_it_is_of() -> None:
    text = document("Moments", [Html("<p>a</p>")], theme="dark", address="http://host/Gates?view=Moments&unit=3")
    assert len(text) < 5000
    assert 'href="http://host/Gates?view=Moments&amp;unit=3"' in text
    assert "color-scheme:dark" in text


def test_sentences_lose_what_only_a_page_can_show() -> None:
    assert markdown("**GRU** :gray-badge[:material/arrow_back: to the left]") == "<p><strong>GRU</strong>  to the left</p>\n"
    assert "<table>" in markdown("| a | b |\n| --- | --- |\n| 1 | 2 |")
    assert markdown("a \\*b\\*") == "<p>a *b*</p>\n"


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_kept_whole(view: str, all_tiny_checkpoints: object) -> None:
    app = opened(GATES, view=view, task="pos", cells="gru")
    parts: list[Part] = app.session_state["shown"]
    drawn = len(app.get("plotly_chart"))
    assert sum(isinstance(part, Picture) for part in parts) == drawn
    assert drawn or any(isinstance(part, Html) for part in parts)
    found = is_alone(document(view, parts))
    assert found.count("figure") == drawn
    assert any("GRU" in part.text for part in parts if isinstance(part, Words))
    assert "Take it away" in [popover.proto.popover.label for popover in app.get("popover")]


def test_the_leaderboard_can_be_taken_away() -> None:
    app = opened(LEADERBOARD)
    assert sum(isinstance(part, Picture) for part in app.session_state["shown"]) == len(app.get("plotly_chart")) > 1


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (OVERVIEW, ("record", "Below the tags")),
        (TAGGING, ("permit", "11 tokens", "noun")),
        (LANGUAGE, ("GRU", "fellow Americans", "What surprised them in the prompt")),
    ],
)
def test_a_page_of_texts_can_be_taken_away(page: str, words: Sequence[str], all_tiny_checkpoints: object) -> None:
    app = opened(page)
    parts: list[Part] = [one for part in app.session_state["shown"] for one in (part() if callable(part) else [part])]
    found = is_alone(document(page, parts))
    assert found.count("figure") == len(app.get("plotly_chart"))
    for word in words:
        assert word in found.said
    if page == LANGUAGE:
        texts = [part for part in parts if isinstance(part, Html) and "fellow" in part.body]
        assert len(texts) == 2 * len(app.get("plotly_chart")), "of each model what it writes, and what surprised it"
    assert "Take it away" in [popover.proto.popover.label for popover in app.get("popover")]


def test_a_race_is_taken_away_as_it_stands_by_then() -> None:
    group = [make(cell=cell) for cell in ("elman", "gru")]
    before = [part.text for part in race.parts(group, "light") if isinstance(part, Words)]
    for run in group:
        finish(run)
    after = list(race.parts(group, "light"))
    found = is_alone(document("Race", after))
    assert "Nobody leads yet" in before[0]
    assert "Nobody leads yet" not in found.said
    (picture,) = (part.figure for part in after if isinstance(part, Picture))
    assert all(len(line.x) for line in picture.data)


@pytest.mark.parametrize("of_words", [True, False])
def test_a_run_is_a_file_with_its_settings_its_curves_and_its_samples(of_words: bool) -> None:
    run = tagging(epochs="2") if of_words else make(clip="norm", clip_threshold=0.5)
    finish(run)
    found = list(whole.parts(run, "light"))
    read = is_alone(document(run.name, found))
    pictures = [part.figure for part in found if isinstance(part, Picture)]
    assert read.count("figure") == len(pictures) >= 4
    for name in ("learning rate", "hidden size", "epochs"):
        assert name in read.said
    assert ("PRON" in read.said or "VERB" in read.said or "PUNCT" in read.said) == of_words


def test_a_figure_of_a_run_has_the_points_of_the_chart_on_the_page() -> None:
    from seqmodels import runs

    run = make(clip="norm", clip_threshold=0.5)
    finish(run)
    history = runs.read_history(run)
    for option in (
        losses(history, "light"),
        scores(history, "accuracy", "light"),
        norms(history, {"kind": "norm", "threshold": 0.5}, "light"),
    ):
        figure = figures.figure(option, "light")
        assert len(figure.data) == len(option["series"])
        for drawn, line in zip(figure.data, option["series"], strict=True):
            assert drawn.name == line["name"]
            np.testing.assert_array_equal(np.array([drawn.x, drawn.y], float).T, np.array(line["data"], float).reshape(-1, 2))
        ends = {line["xAxis"] for line in option["series"][0]["markLine"]["data"]}
        assert {shape.x0 for shape in figure.layout.shapes} == ends
