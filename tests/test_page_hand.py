"""The page Gate by hand, without a browser."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from pages.hand import finding
from seqmodels.cells import CELLS
from seqmodels.labs import search as searching
from seqmodels.labs.puzzles import PUZZLES
from tests.paging import HAND, html, numbers, opened, pictures, said, sound

CELL = {"part": "Memory cell"}

pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "EPOCHS", 2)
    monkeypatch.setattr(searching, "SIGNALS", 256)


def bars(app: AppTest) -> list[list[float]]:
    """Signal, keep, write and memory of the picture."""
    return [numbers(trace["y"]).tolist() for trace in pictures(app)[0]["data"] if trace["type"] == "bar"]


def test_the_page_opens_with_a_switch() -> None:
    app = opened(HAND)
    assert "3.2" in html(app)
    sound(app.slider(key="switch").set_value(1.0).run())
    assert ">5<" in html(app)
    assert app.query_params["switch"] == "1"


def test_a_slider_sets_the_gate_where_the_visitor_says() -> None:
    app = opened(HAND, **CELL, puzzle="comma", step="3")
    sound(app.segmented_control(key="where").set_value("This symbol").run())
    sound(app.slider(key="hand-mu").set_value(0.0).run())
    assert app.query_params["comma-mu"] == "1 ',=0"
    signal, mu, _, memory = bars(app)
    assert mu == [float(value == 1) for value in signal]
    assert memory[:5] == [1, 2, 0, 1, 2]
    assert "Solved on this signal" in said(app)
    assert "right on 100 %" in said(app)


@pytest.mark.parametrize("name", PUZZLES)
def test_each_puzzle_says_how_far_off_it_is_and_shows_a_solution(name: str) -> None:
    app = opened(HAND, **CELL, puzzle=name)
    assert "Not yet" in said(app)
    sound(app.button(key="hand-solution").click().run())
    assert "Solved on this signal" in said(app)
    sound(app.button(key="hand-reset").click().run())
    assert "Not yet" in said(app)


def test_a_link_brings_signal_gates_and_step() -> None:
    link = {"puzzle": "free", "free-signal": "1 0.5 a", "free-mu": "0.5 @3=1", "free-lam": "1", "step": "3"}
    app = opened(HAND, **CELL, **link)
    assert bars(app) == [[1, 0.5, 1], [0.5, 0.5, 1], [1, 1, 1], [1, 1, 2]]
    assert "<b>2.000</b>" in html(app)


@pytest.mark.parametrize("link", [{"latch-mu": "7"}, {"latch-lam": "<b>"}, {"step": "x"}, {"part": "?"}, {"find": "no"}])
def test_a_damaged_link_is_told_of(link: dict[str, str]) -> None:
    assert "not here" in said(opened(HAND, **CELL | {"puzzle": "latch"} | link))


def test_an_empty_signal_asks_for_one() -> None:
    app = opened(HAND, **CELL)
    sound(app.text_area[0].set_value("  ").run())
    assert "type numbers" in said(app)


def test_what_was_set_for_a_puzzle_is_there_when_one_comes_back() -> None:
    app = opened(HAND, **CELL, puzzle="counter")
    sound(app.slider(key="hand-mu").set_value(1.0).run())
    app.segmented_control(key="puzzle").set_value("Latch").run()
    app.segmented_control(key="puzzle").set_value("Counter").run()
    assert bars(sound(app))[1] == [1.0] * 12


def ended(app: AppTest, puzzle: str, cell: str, units: int) -> AppTest:
    """The page once the search has ended."""
    going = finding.search(puzzle, cell, units)
    while not going.ended:
        time.sleep(0.05)
    return sound(app.run())


def test_a_network_finds_gates_which_are_drawn_beside_yours() -> None:
    app = opened(HAND, **CELL, puzzle="latch")
    sound(app.button(key="hand-find").click().run())
    ended(app, "latch", "gated_forget", 1)
    assert "of the same 200 signals" in said(app)
    points = [trace for trace in pictures(app)[0]["data"] if trace.get("marker", {}).get("symbol") == "diamond"]
    assert len(points) == 4
    sound(app.button(key="hand-find").click().run())
    assert "of the same 200 signals" not in said(app)


def test_a_search_that_fails_is_a_sentence_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(searching, "search", fail)
        app = opened(HAND, **CELL, puzzle="latch", find="yes")
        ended(app, "latch", "gated_forget", 1)
    ended(app, "latch", "gated_forget", 1)
    assert "of the same 200 signals" in said(sound(app.run()))


def test_a_crowd_is_asked_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "WAITING", -1)
    app = opened(HAND, **CELL, puzzle="latch", find="yes", units="2 units")
    assert pictures(app)
    assert "try again in a minute" in said(app)


@pytest.mark.parametrize("cell", ["by hand", *CELLS])
def test_every_cell_has_a_diagram(cell: str) -> None:
    app = opened(HAND, part="Inside a cell", puzzle="latch", step="3", inside=cell)
    (drawn,) = pictures(app)
    assert "×" in {text for trace in drawn["data"] for text in trace.get("text", ())}
    assert cell == "by hand" or f"**{CELLS[cell].title}**" in said(app)


def test_a_unit_that_is_trained_stands_in_the_diagram() -> None:
    app = opened(HAND, part="Inside a cell", puzzle="counter", inside="gru")
    assert "One unit, not trained" in said(app)
    sound(app.button(key="hand-find").click().run())
    ended(app, "counter", "gru", 1)
    assert "One unit, trained on this puzzle" in said(app)


def test_the_signal_can_be_drawn_step_by_step() -> None:
    app = opened(HAND, **CELL, puzzle="comma", step="2")
    sound(app.segmented_control(key="where").set_value("This step").run())
    sound(app.slider(key="hand-signal").set_value(-0.4).run())
    assert bars(app)[0][:4] == pytest.approx([1, -0.4, 0, 1])
    assert app.query_params["comma-signal"].startswith("a -0.4 , c")
