"""The pictures of the cards: true to their numbers, and safe whatever is quoted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from seqmodels.cards import Card, Confusion, Difference, Guess, card_path, read_card
from seqmodels.cells import CELLS
from seqmodels.viz import leaderboard
from seqmodels.viz.palette import Theme, cell_colour, cell_marker

CARD = read_card(card_path("pos-gru", Path(__file__).parent.parent / "checkpoints"))


def with_score(cell: str, score: float, megabytes: float, ratio: float | None = 1.0) -> Card:
    test = replace(CARD.results["test"], scores={"accuracy": score})
    size, speed = int(megabytes * 1e6), replace(CARD.speed, ratio=ratio)
    return replace(CARD, name=f"pos-{cell}", cell=cell, bytes=size, results={"test": test}, speed=speed)


SEVEN = [with_score(cell, 95 + number % 3 / 10, 2 + number % 4 / 10, 0.8 + number / 10) for number, cell in enumerate(CELLS)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("quantity", leaderboard.QUANTITIES)
def test_a_point_has_the_colour_and_marker_of_its_cell_and_stands_at_its_figures(theme: Theme, quantity: str) -> None:
    figure = leaderboard.against(SEVEN, quantity, theme=theme)
    drawn = {point.text[0]: point for point in figure.data}
    for card in SEVEN:
        point = drawn[CELLS[card.cell].title]
        assert (point.marker.color, point.marker.symbol) == (cell_colour(card.cell).on(theme), cell_marker(card.cell))
        assert point.y[0] == card.results["test"].scores["accuracy"]
        assert point.x[0] == (card.bytes / 1e6 if quantity == "size" else card.speed.ratio)
    assert len(figure.layout.shapes) == (quantity == "speed"), "the rival's line"


def test_one_checkpoint_alone_is_a_picture_too() -> None:
    low, high = leaderboard.against(SEVEN[:1], "size").layout.xaxis.range
    assert low < SEVEN[0].bytes / 1e6 < high


def test_without_a_rival_in_every_run_speed_is_in_words_a_second() -> None:
    figure = leaderboard.against([with_score("gru", 95, 2, None), with_score("lstm", 96, 3)], "speed")
    assert figure.layout.xaxis.title.text == "words read a second"
    assert [point.x[0] for point in figure.data] == [CARD.speed.words] * 2


def test_an_unknown_quantity_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown quantity 'weight': choose one of size, speed"):
        leaderboard.against(SEVEN, "weight")


def test_on_a_stretched_axis_more_is_further_right_up_to_all() -> None:
    percentages = [0, 10.0, 50, 90, 99, 99.9, 100]
    values = [{str(value): (value, "") for value in percentages}]
    [points] = leaderboard.by_label([CARD], values, "F1, %", stretched=True).data
    assert all(one < other for one, other in pairwise(points.x))
    [points] = leaderboard.by_label([CARD], values, "F1, %").data
    assert list(points.x) == percentages


def test_no_point_of_a_row_hides_another_where_all_have_the_same_figure() -> None:
    figure = leaderboard.by_label(SEVEN, [{"NOUN": (90.0, ""), "VERB": (90.0, "")}] * 7, "F1, %")
    heights = [height for points in figure.data for height in points.y]
    assert len(set(heights)) == 14
    assert all(abs(height - round(height)) < 0.5 for height in heights), "each is in its own row"


def test_a_mistake_is_the_deeper_the_more_of_its_row_it_is_and_what_is_right_is_framed() -> None:
    found = Confusion(("A", "B", "none"), ("A", "B", "missed"), ((90, 9, 1), (0, 1, 3), (5, 0, 0)))
    figure = leaderboard.confusion(found)
    [heat] = figure.data
    depth = [list(row) for row in heat.z]
    assert depth[0][0] == depth[1][1] == 0
    assert depth[0][1] > depth[0][2] > 0
    assert depth[1][2] > depth[0][1], "three of four, not nine of a hundred"
    assert [(shape.x0, shape.y0) for shape in figure.layout.shapes] == [(-0.5, -0.5), (0.5, 0.5)]


def test_what_is_quoted_is_shown_and_never_read_as_html() -> None:
    word = "<b>zz</b>"
    text = f"a {word} <script>c"
    guesses = {"pos-gru": Guess("<i>", 0.9), "pos-lstm": Guess("NOUN", 0.8)}
    body = leaderboard.difference(Difference(text, word, 2, "NOUN", guesses), SEVEN)
    assert "<script" not in body
    assert "<b>zz" not in body
    assert "<mark>&lt;b&gt;zz&lt;/b&gt;</mark>" in body
    assert body.count('class="sm-right"') == 1


def test_models_that_differ_in_where_an_entity_begins_are_told_apart() -> None:
    guesses = {"pos-gru": Guess("B-PER", 0.9), "pos-lstm": Guess("I-PER", 0.8)}
    body = leaderboard.difference(Difference("Dr Joseph retired", "Joseph", 3, "I-PER", guesses), SEVEN)
    assert "B-PER" in body
    assert "I-PER" in body
    guesses["pos-lstm"] = Guess("O", 0.8)
    body = leaderboard.difference(Difference("Dr Joseph retired", "Joseph", 3, "I-PER", guesses), SEVEN)
    assert "B-PER" not in body
    assert ">PER<" in body


def test_the_word_that_a_language_model_is_asked_for_comes_after_the_text() -> None:
    guesses = {"pos-gru": Guess("people", 0.2), "pos-lstm": Guess("nation", 0.1)}
    body = leaderboard.difference(Difference("We the", "people", 6, "people", guesses), SEVEN)
    assert "We the <mark>people</mark>" in body
    assert "expects <b>nation</b>, <i>people</i> 10 %" in body
