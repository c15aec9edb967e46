"""Surgery on the page: clamps in the address, both runs side by side; and the picture of what changed."""

from functools import partial

import numpy as np
import pytest

from pages.explorer import clamps
from seqmodels.checkpoints import Checkpoint
from seqmodels.traces import Clamp, intervene, normalized_distance
from seqmodels.viz import comparisons
from seqmodels.viz.frame import Focus
from tests.paging import GATES, opened, pictures, said, sound

TEXT = "The old man the boats."
visit = partial(opened, GATES, view="Surgery", text=TEXT)
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")


@pytest.mark.parametrize(
    ("text", "clamp"),
    [
        ("mu=0@here", Clamp("mu", 0.0, 4, 4)),
        ("lam=0.25@here+", Clamp("lam", 0.25, 4, None)),
        ("mu=1", Clamp("mu", 1.0)),
        ("mu=0@5-7:3,17,40-42>", Clamp("mu", 0.0, 4, 6, (3, 17, 40, 41, 42), direction="forward")),
        ("lam=1:0<", Clamp("lam", 1.0, units=(0,), direction="backward")),
    ],
)
def test_a_clamp_in_the_address_is_the_librarys(text: str, clamp: Clamp) -> None:
    assert clamps.read(text, 4) == clamp


@pytest.mark.parametrize(
    "text", ["", "mu", "mu=2", "mu=0@7-5", "mu=0@here-", "eta=0", "mu=0:", "mu=0:x", "mu=0;lam=1", "mu=0:5-", "mu=0:7-5", "m" * 500]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        clamps.read(text, 4)


@pytest.mark.parametrize(("text", "units"), [("3", (3,)), ("3, 17,5-7", (3, 5, 6, 7, 17)), ("2,2", (2,))])
def test_units_are_numbers_and_ranges(text: str, units: tuple[int, ...]) -> None:
    assert clamps.units_of(text) == units


@pytest.mark.parametrize("task", ["pos", "ner", "lm"])
def test_both_runs_are_shown_and_a_link_brings_them_back(task: str) -> None:
    page = visit(task=task, token="2", clamps="mu=0@here;lam=1:3>" if task != "lm" else "mu=0@here+")
    assert pictures(page)
    assert any(button.label.startswith("keep μ = 0") for button in page.button)


def test_a_clamp_that_cannot_be_read_is_left_out_and_said() -> None:
    page = visit(clamps="mu=0;<script>;lam=7")
    assert "left out" in said(page)
    assert any(button.label.startswith("keep μ = 0") for button in page.button)


def test_a_clamp_that_a_link_holds_twice_is_held_once() -> None:
    page = visit(clamps="mu=0;lam=1;mu=0")
    assert [button.key for button in page.button if (button.key or "").startswith("gates-off-")] == [
        "gates-off-mu=0",
        "gates-off-lam=1",
    ]
    assert "left out" not in said(page)


def test_a_unit_that_a_model_has_not_is_answered_in_plain_words() -> None:
    page = visit(clamps="mu=0:999")
    assert "has no unit 999" in said(page)


def test_healed_both_runs_are_the_same() -> None:
    page = visit(clamps="none")
    assert "No tag changes." in said(page)


@pytest.mark.parametrize("task", ["ner", "lm"])
def test_of_a_long_text_as_much_is_read_as_in_other_views(task: str) -> None:
    page = visit(task=task)
    page.text_area(key="text").set_value("man " * 1500).run()
    assert "its first 1,000 are read" in said(page)
    assert pictures(sound(page))


def test_the_change_is_the_norm_of_the_difference_by_hand(tiny: dict[str, Checkpoint]) -> None:
    before = intervene(tiny["pos-gru"], TEXT).trace
    after = intervene(tiny["pos-gru"], TEXT, [Clamp("mu", 0.0, 2, 2)]).trace
    found = normalized_distance(after.layers[0].memory, before.layers[0].memory)
    for token in range(len(before.tokens)):
        ours, theirs = after.layers[0].memory[token], before.layers[0].memory[token]
        by_hand = sum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True)) ** 0.5
        assert found[token] == pytest.approx(by_hand / (np.sqrt((ours**2).sum()) + np.sqrt((theirs**2).sum())), abs=1e-6)
    assert not found[:2].any()
    assert found[2] > 0


def test_the_picture_shows_each_unit_once_those_that_change_most_on_top(tiny: dict[str, Checkpoint]) -> None:
    before = intervene(tiny["pos-lstm"], TEXT).trace
    after = intervene(tiny["pos-lstm"], TEXT, [Clamp("lam", 0.0, 1, 1)]).trace
    figure = comparisons.intervention(before, after, Focus(layer=0, token=1))
    shown = np.array(figure.data[1].z)
    difference = (after.layers[0].memory - before.layers[0].memory).T
    assert (np.diff(np.abs(shown).sum(axis=1)) <= 1e-3).all()
    np.testing.assert_allclose(np.sort(shown.sum(axis=1)), np.sort(difference.sum(axis=1)), atol=1e-3)


def test_the_numbers_hold_both_memories_of_every_token_and_unit(tiny: dict[str, Checkpoint]) -> None:
    before = intervene(tiny["lm-gru"], TEXT).trace
    after = intervene(tiny["lm-gru"], TEXT, [Clamp("mu", 1.0)]).trace
    rows = comparisons.intervention_rows(before, after)
    assert len(rows) == before.layers[0].mu.size
    assert rows[11]["memory_before"] == pytest.approx(float(before.layers[0].memory[1, 3]))
    assert rows[11]["memory_after"] == pytest.approx(float(after.layers[0].memory[1, 3]))
