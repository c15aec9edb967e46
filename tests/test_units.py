"""Single units over many passages: what they follow, how long they remember, which are alike; and the page that shows it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from docs.excerpts import choose
from seqmodels.cells import CELLS
from seqmodels.checkpoints import find, load
from seqmodels.corpora.excerpts import NAMES, excerpt
from seqmodels.traces import half_life, saturation, trace, trace_passages, units
from seqmodels.traces.behaviour import half_life_of
from seqmodels.traces.matches import TracedText
from seqmodels.viz import gates, unit_texts
from tests.paging import UNITS, followed, html, opened, said, sound

SAID = 'She said : " Come ( now ) ! " He left at 10 .'.split()


def values(title: str) -> list[float]:
    return list(units.PROPERTIES[title].of(SAID))


def test_properties_are_what_their_titles_say() -> None:
    assert values("quotations") == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert values("brackets") == [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert values("capital letters") == [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert values("digits") == [0] * 13 + [1, 0]
    assert values("punctuation") == [0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1]
    assert values("place in the sentence") == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5]
    assert values("place in the passage") == list(range(15))
    assert list(units.any_of(["SHE", "he"]).of(SAID)) == [1] + [0] * 9 + [1] + [0] * 4


def test_a_bracket_that_was_never_opened_closes_nothing() -> None:
    assert list(units.PROPERTIES["brackets"].of(")) ( a ) b".split())) == [0, 1, 1, 0, 0]


def test_correlations_are_pearsons_and_zero_where_nothing_moves() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.normal(size=(50, 3)), generator.normal(size=(50, 2))
    expected = np.corrcoef(one.T, other.T)[:3, 3:]
    np.testing.assert_allclose(units.correlations(one, other), expected, atol=1e-12)
    one[:, 1] = 4.0
    assert (units.correlations(one, other)[1] == 0).all()


def text_of(memory: np.ndarray, mu: np.ndarray | None = None) -> TracedText:
    """Two passages of ten tokens, with these memories (20, units) and gates in steps of 0.005."""
    gate = np.zeros(memory.shape, np.uint8) if mu is None else mu
    words = tuple(f"w{number}" for number in range(20))
    return TracedText(
        "", "", 0, "forward", words, np.array([0, 10, 20]), gate, gate, memory.astype(np.float16), np.zeros(memory.shape[1])
    )


def test_the_unit_most_alike_may_have_the_other_sign() -> None:
    memory = np.random.default_rng(1).normal(size=(20, 4))
    twin, r = units.alike(text_of(memory), 2, text_of(np.roll(-memory, 1, axis=1)))
    assert (twin, round(r, 3)) == (3, -1)


def test_a_unit_that_follows_a_property_is_found() -> None:
    memory = np.random.default_rng(2).normal(size=(20, 5))
    text = text_of(memory)
    place = units.PROPERTIES["place in the passage"]
    text.memory[:, 3] = -2 * units.values_of(text, place)
    found = units.follows(text, [units.PROPERTIES["digits"], place])
    assert np.abs(found[:, 1]).argmax() == 3
    assert found[3, 1] == pytest.approx(-1, abs=1e-3)


def test_moments_are_the_highest_and_the_lowest_one_a_passage() -> None:
    mu = np.full((20, 1), 100, np.uint8)
    mu[[3, 5, 14], 0] = [200, 190, 180]
    mu[[4, 17], 0] = [20, 0]
    text = text_of(np.zeros((20, 1)), mu)
    assert [one.token for one in units.moments(text, 0, "mu", 5)] == [3, 14]
    assert [(one.token, one.value) for one in units.moments(text, 0, "mu", 5, lowest=True)] == [(17, 0.0), (4, pytest.approx(0.1))]
    assert all(text.starts[0] <= one.context.start <= one.token < one.context.stop for one in units.moments(text, 0, "mu", 5))


@pytest.mark.parametrize("cell", CELLS)
def test_half_lives_and_saturation_are_those_of_the_gates_themselves(cell: str, all_tiny_checkpoints: Path) -> None:
    checkpoint = load(all_tiny_checkpoints / f"pos-{cell}.safetensors")
    sentences = ["She sings in the rain .", "Dogs bark ."]
    text = trace_passages(checkpoint, [one.split() for one in sentences])
    exact = np.concatenate([trace(checkpoint, one).layer(0, "forward").mu for one in sentences])
    np.testing.assert_allclose(half_life_of(text.log_mu), half_life(exact), rtol=1e-4)
    found = units.profile(text).keep
    np.testing.assert_allclose(found.shut, saturation(exact).shut, atol=0.2)
    assert units.sides_of(checkpoint)[0][1] == "forward"


@pytest.mark.parametrize("name", NAMES)
def test_an_excerpt_is_paragraphs_of_tokens(name: str) -> None:
    found = excerpt(name)
    assert 10_000 < sum(map(len, found)) < 20_000
    assert all(token and not token.isspace() and " " not in token for words in found for token in words)
    if os.environ.get("SEQMODELS_DATA"):
        assert [list(words) for words in found] == choose(name)


def test_a_unit_of_the_shipped_model_of_tales_follows_quotations() -> None:
    text = trace_passages(load(find("tales-gru")), excerpt("fairytales"))
    r = units.follows(text, [units.PROPERTIES["quotations"]])[:, 0]
    assert np.abs(r).argmax() == 44
    assert r[44] == pytest.approx(-0.85, abs=0.02)


def test_words_of_a_passage_are_shown_and_do_nothing() -> None:
    body = unit_texts.passages([unit_texts.Passage(["<b>", "&", "<eos>"], np.array([0.5, -0.5, 0.0]), 1)], gates.MEMORY)
    assert "&lt;b&gt;" in body
    assert "¶" in body
    assert "m = -0.5" in body


@pytest.mark.usefixtures("fresh_cache", "all_tiny_checkpoints")
class TestPage:
    """The page, on small random models."""

    def test_it_opens_with_a_unit_its_passages_and_the_list_of_all(self) -> None:
        app = opened(UNITS)
        assert "follows" in said(app)
        assert "sm-tinted" in html(app)
        table = app.dataframe[0].value
        assert list(np.abs(table["r"])) == sorted(np.abs(table["r"]), reverse=True)
        assert f"**Unit {table['Unit'][0]}**" in said(app)

    def test_a_link_names_the_unit_and_a_bad_one_is_told(self) -> None:
        assert "**Unit 3**" in said(opened(UNITS, unit="3"))
        assert "not here" in said(opened(UNITS, unit="99999"))
        assert "not here" in said(opened(UNITS, unit="<b>"))

    @pytest.mark.parametrize("cell", CELLS)
    def test_every_cell_has_units(self, cell: str) -> None:
        app = opened(UNITS, task="Parts of speech", model=CELLS[cell].title)
        assert "sm-tinted" in html(app)
        assert ("in this cell, at every word" in said(app)) == (cell in ("elman", "residual", "gated"))

    def test_what_is_not_in_the_passages_is_followed_by_no_unit(self) -> None:
        assert "does not follow *zyzzyva*" in said(opened(UNITS, that="words of yours", words="zyzzyva"))

    def test_words_of_ones_own_are_searched(self) -> None:
        app = opened(UNITS, that="words of yours", words="the THE *a*")
        assert "follows *the THE \\*a\\**" in said(app)
        sound(app.text_input[0].set_value("").run())

    def test_the_unit_opens_in_gates_and_others_like_it_are_named(self) -> None:
        app = opened(UNITS, task="Parts of speech", unit="2")
        assert said(app).count("r = ") >= len(CELLS)
        gates = followed(app, "This unit on its first passage: Gates")
        assert gates.session_state["unit"] == 2
