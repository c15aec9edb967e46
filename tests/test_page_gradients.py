"""The Gradient lab, run without a browser: what it shows is what the labs compute, and each preset does what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.gradients import presets, verdicts
from seqmodels.cells import CELLS
from seqmodels.labs import wall
from seqmodels.labs.gradients import gradient_flow
from seqmodels.labs.networks import SCHEMES, RandomNetwork
from seqmodels.labs.spectrum import spectrum
from seqmodels.labs.training_step import Training, explode
from tests.paging import GRADIENTS, numbers, opened, pictures, said, sound

pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")
USUAL = RandomNetwork(length=100, forget_bias=5.0)


def taken(app: AppTest, preset: str, part: str = "through-time") -> AppTest:
    return sound(app.menu_button(key=f"presets-{part}").click(preset).run())


def network(preset: presets.Preset) -> RandomNetwork:
    knobs = preset.values(presets.USUAL)
    scheme = next(name for name, title in SCHEMES.items() if title == knobs["scheme"])
    sizes = knobs["length"], knobs["units"]
    return RandomNetwork(*sizes, scheme, knobs["gain"], knobs["activation"], knobs["forget"], knobs["input"], knobs["seed"])


def lines(app: AppTest) -> dict[str, np.ndarray]:
    """The first picture's lines by the names of the cells."""
    return {trace["name"]: numbers(trace["y"]) for trace in pictures(app)[0]["data"] if trace["mode"] == "lines"}


def test_it_opens_on_a_story_whose_lines_are_the_gradients() -> None:
    app = opened(GRADIENTS)
    assert "**Open gates carry:**" in said(app)
    drawn = lines(app)
    assert list(drawn) == ["Elman", "GRU", "LSTM"]
    for name in ("elman", "gru", "lstm"):
        assert drawn[CELLS[name].title] == pytest.approx(gradient_flow(name, USUAL).gradient, rel=1e-3)
    assert not app.query_params


def test_a_slider_moves_the_lines_and_is_in_the_address() -> None:
    app = opened(GRADIENTS)
    before = lines(app)
    sound(app.slider(key="gain").set_value(0.5).run())
    after = lines(app)
    assert after["Elman"][0] < before["Elman"][0]
    assert after["Elman"] == pytest.approx(gradient_flow("elman", replace(USUAL, gain=0.5)).gradient, rel=1e-3)
    assert app.query_params["gain"] == "0.5"
    assert "**Certain to vanish.**" in said(opened(GRADIENTS, gain="0.5"))


def test_a_damaged_link_shows_what_is_usual_and_says_so() -> None:
    app = opened(GRADIENTS, gain="1e9", units="7.5", cells="gur", scheme="<b>", seed="x", part="?")
    assert said(app).count("not here") == 6
    assert list(lines(app)) == ["Elman", "GRU", "LSTM"]


def test_with_no_cell_picked_the_page_asks_for_one() -> None:
    assert "Pick at least one cell" in said(opened(GRADIENTS, cells=""))


@pytest.mark.parametrize("preset", presets.THROUGH_TIME, ids=lambda preset: preset.title)
def test_a_preset_says_what_to_see_and_its_address_brings_it_back(preset: presets.Preset) -> None:
    app = taken(opened(GRADIENTS), preset.title)
    assert f"**{preset.title}:** {preset.sees}" in said(app)
    again = opened(GRADIENTS, **app.query_params)
    assert {name: values.tolist() for name, values in lines(again).items()} == {
        name: values.tolist() for name, values in lines(app).items()
    }


def test_the_presets_do_what_they_say() -> None:
    by_title = {preset.title: network(preset) for preset in presets.THROUGH_TIME}
    assert by_title["Open gates carry"] == USUAL

    def flow(title: str, cell: str = "elman"):
        return gradient_flow(cell, by_title[title])

    level = flow("Open gates carry", "lstm").gradient
    assert 0.5 < level[0] / level[-1] < 5
    assert max(flow("Open gates carry", name).gradient[0] for name in ("elman", "gru")) < 1e-15
    assert max(flow("Half-open gates do not", name).gradient[0] for name in ("elman", "gru", "lstm")) < 1e-15
    assert spectrum(by_title["Certain to vanish"]).side == -1
    assert flow("Possible, and it explodes").gradient[0] > 1e6
    exploding, vanishing = by_title["Possible, and it explodes"], by_title["Possible, yet it vanishes"]
    assert spectrum(exploding).side == spectrum(vanishing).side == 1
    assert (exploding.recurrent_matrix() == vanishing.recurrent_matrix()).all()
    assert flow("Possible, yet it vanishes").gradient[0] < 1e-3
    normal, other = flow("A normal U"), flow("A non-normal U, same radius")
    assert normal.factor == pytest.approx(0.95)
    assert normal.gradient.argmax() == len(normal.gradient) - 1
    assert other.gradient.max() > 5
    assert other.gradient[0] < 0.1
    assert spectrum(by_title["A sigmoid needs four times as much"]).side == -1
    assert 0.1 < flow("ReLU and the identity").gradient[0] < 1
    for name in ("residual", "gated"):
        assert flow("All seven cells", name).gradient[0] > 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scheme": "orthogonal", "gain": 0.9}, "Certain to vanish"),
        ({"scheme": "orthogonal", "gain": 1.0}, "It cannot explode"),
        ({"scheme": "orthogonal", "gain": 1.1}, "Exploding is possible, not certain"),
        ({"scheme": "non_normal", "gain": 0.9}, "may see it grow before"),
        ({"scheme": "orthogonal", "gain": 3.9, "activation": "sigmoid"}, "Certain to vanish"),
        ({"scheme": "orthogonal", "gain": 4.0, "activation": "sigmoid"}, "It cannot explode"),
    ],
)
def test_what_is_certain_and_what_is_possible_is_told_apart(change: dict, words: str) -> None:
    assert words in verdicts.beforehand(spectrum(replace(USUAL, **change)), 99)


def test_the_wall_starts_where_the_knobs_say_and_clipping_is_told() -> None:
    app = opened(GRADIENTS, part="The wall", w="4.9", b="-2.55")
    assert "**On the wall:**" in said(app)
    free = wall.descend(4.9, -2.55, rate=2.0, threshold=0.2, updates=30)
    assert free.norm[0] == pytest.approx(26, abs=0.1)
    figure = pictures(app)[0]
    assert numbers(figure["data"][1]["x"])[0] == pytest.approx(49)  # columns are tenths
    assert len(figure["frames"]) == 31
    assert figure["layout"]["meta"]["column"]["w"][49] == 490
    assert "update 1 meets a gradient of 26" in said(app)
    smooth = opened(GRADIENTS, part="The wall", w="3", b="0")
    assert "nothing is clipped" in said(smooth)


def test_from_beside_the_wall_the_third_step_jumps() -> None:
    assert "update 3 meets" in said(opened(GRADIENTS, part="The wall"))


@pytest.mark.parametrize("preset", presets.ONE_UPDATE, ids=lambda preset: preset.title)
def test_one_update_shows_where_it_lands(preset: presets.Preset) -> None:
    app = taken(opened(GRADIENTS, part="One update"), preset.title, "one-update")
    knobs = preset.values(presets.UPDATE)
    found = explode(Training(knobs["start"], knobs["strength"], knobs["pace"], knobs["limit"], knobs["draw"]))
    assert ("explodes:**" in said(app)) == found.explodes == (preset.title != "One that does not explode")
    landed = [numbers(trace["y"])[0] for trace in pictures(app)[0]["data"][2:]]
    assert landed == pytest.approx([landing.loss for landing in found.landings])
