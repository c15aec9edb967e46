"""A training as pictures: what is drawn is what the history says, in few points, and no figure that is no number breaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seqmodels.runs import History, clipped_share
from seqmodels.viz import training as viz
from seqmodels.viz.training.frame import MOST, mean, thin

PLACE = (0, "forward")


def step(at: int, steps: int = 10, **values: Any) -> dict[str, Any]:
    epoch, within = divmod(at, steps)
    usual = {
        "loss": 2.0,
        "norm": 1.5,
        "norm_after": 1.0,
        "highest_norm": 1.5,
        "learning_rate": 0.01,
        "count": 1,
        "clipped_count": 1,
    }
    return {"kind": "step", "time": float(at), "epoch": epoch + 1, "step": within + 1, "x": (at + 1) / steps, **usual, **values}


def epoch(number: int, **values: Any) -> dict[str, Any]:
    usual = {"loss": 2.0, "dev_loss": 1.8, "score": 80.0, "best_score": 80.0, "best_epoch": 1, "waited": 0, "stopped": None}
    return {"kind": "epoch", "time": 10.0 * number, "epoch": number, "x": float(number), **usual, **values}


def sample(number: int, tags: str = "DET NOUN", **values: Any) -> dict[str, Any]:
    gates = {
        "layer": 0,
        "direction": "forward",
        "mu_open": 0.25,
        "mu_shut": 0.5,
        "lam_open": 0.0,
        "lam_shut": 0.125,
        "half_life": 2.5,
    }
    words = zip(("the", "<dog>"), tags.split(), strict=True)
    return {"epoch": number, "x": float(number), "tags": [(word, tag, 0.9) for word, tag in words], "gates": [{**gates, **values}]}


def line(option: dict[str, Any], name: str) -> list[list[float | None]]:
    (found,) = (series["data"] for series in option["series"] if series["name"] == name)
    return found


def drawn_marks(option: dict[str, Any]) -> dict[str, float]:
    return {mark["label"]["formatter"]: mark["xAxis"] for mark in option["series"][0]["markLine"]["data"]}


def every_picture(history: History) -> list[dict[str, Any]]:
    clip = {"kind": "norm", "threshold": 1.0}
    alone = [
        viz.losses(history, "light"),
        viz.scores(history, "accuracy", "dark"),
        viz.norms(history, clip, "light"),
        viz.rates(history, 0.01, "light"),
        viz.saturation(history.samples, PLACE, "light"),
        viz.half_lives(history.samples, "light"),
    ]
    return alone + [viz.overlay({"a": history, "b": history}, figure, "dark") for figure in viz.OVERLAYS]


@pytest.mark.parametrize("count", [1, MOST, MOST + 1, 5000])
def test_a_line_has_few_points_and_each_stands_for_its_group(count: int) -> None:
    points = thin([step(at, loss=float(at)) for at in range(count)], mean("loss"))
    assert len(points) <= MOST
    assert len(points) == count if count <= MOST else len(points) > MOST // 2
    assert points[-1][0] == pytest.approx(count / 10, rel=1e-3)


def test_older_points_stay_where_they_are_while_a_line_grows() -> None:
    rows = [step(at, loss=float(at % 7)) for at in range(1600)]
    assert thin(rows, mean("loss"))[:299] == thin(rows[:1500], mean("loss"))[:299]


def test_the_extremes_of_the_norm_are_seen_however_much_is_thinned() -> None:
    steps = [step(at, highest_norm=500.0 if at == 777 else 1.5, lowest_norm=0.001 if at == 1234 else 1.2) for at in range(4000)]
    points = line(viz.norms(History(steps=steps), None, "light"), "before clipping")
    values = [value for _, value in points if value]
    assert (min(values), max(values)) == (0.001, 500)
    assert len(points) <= MOST
    assert [x for x, _ in points] == sorted(x for x, _ in points if x is not None)


def test_a_step_alone_is_one_point_of_the_norm_and_several_are_their_extremes() -> None:
    several: dict[str, Any] = {"lowest_norm": 0.3, "highest_norm": 9.0, "lowest_norm_after": 0.3, "highest_norm_after": 1.0}
    history = History(steps=[step(0, highest_norm=1.5, norm_after=1.0), step(1, norm=2.0, **several)])
    option = viz.norms(history, None, "light")
    assert [value for _, value in line(option, "before clipping")] == [1.5, 0.3, 9.0]
    assert [value for _, value in line(option, "after")] == [1.0, 0.3, 1.0]


def test_the_peak_of_the_learning_rate_stands_beside_what_the_schedule_makes_of_it() -> None:
    after = {"learning_rate": 0.002, "clip": None, "patience": None}
    changed = {"kind": "changed", "x": 0.5, "before": {**after, "learning_rate": 0.01}, "after": after}
    option = viz.rates(History(steps=[step(at, learning_rate=0.001 * at) for at in range(10)], marks=[changed]), 0.01, "light")
    assert line(option, "peak") == [[0, 0.01], [0.5, 0.01], [0.5, 0.002], [1.0, 0.002]]
    assert line(option, "at each step")[3] == [0.4, 0.003]


def test_losses_are_those_of_the_history() -> None:
    history = History(steps=[step(0, loss=3.0), step(1, loss=2.5)], epochs=[epoch(1, loss=2.75, dev_loss=2.25)])
    option = viz.losses(history, "light")
    assert line(option, "train, each step") == [[0.1, 3.0], [0.2, 2.5]]
    assert line(option, "train, epoch") == [[1.0, 2.75]]
    assert line(option, "dev") == [[1.0, 2.25]]


def test_what_is_no_number_is_a_gap() -> None:
    history = History(
        steps=[step(0), step(1, loss=None, norm=None, highest_norm=None, norm_after=None)], epochs=[epoch(1, dev_loss=None)]
    )
    assert line(viz.losses(history, "light"), "train, each step")[1][1] is None
    assert line(viz.norms(history, None, "light"), "before clipping")[1][1] is None
    assert line(viz.losses(history, "light"), "dev") == [[1.0, None]]


@pytest.mark.parametrize(
    "history",
    [
        History(),
        History(steps=[step(0)]),
        History(steps=[step(0, loss=None, highest_norm=None, norm_after=None)]),
        History(steps=[step(0), step(1, loss=1e38, highest_norm=1e30, norm_after=0.0)]),
        History(steps=[step(0)], epochs=[epoch(1, dev_loss=None, best_epoch=0)], samples=[sample(1, half_life=None)]),
        History(marks=[{"kind": "failed", "time": 0.0, "x": 0.0, "message": "too bad"}]),
    ],
    ids=["nothing", "a step", "no number", "exploded", "no dev loss", "failed at once"],
)
def test_every_picture_can_be_sent_whatever_happened(history: History) -> None:
    for option in every_picture(history):
        json.dumps(option, allow_nan=False)


def test_a_picture_of_a_long_run_is_small() -> None:
    history = History(
        steps=[step(at, loss=1 / (at + 3)) for at in range(10_000)], epochs=[epoch(number + 1) for number in range(1000)]
    )
    assert max(len(json.dumps(option)) for option in every_picture(history)) < 40_000


def test_the_threshold_follows_its_changes_and_ends_where_the_run_stands() -> None:
    def clipped(threshold: float | None) -> dict[str, Any]:
        clip = None if threshold is None else {"kind": "norm", "threshold": threshold}
        return {"learning_rate": 0.01, "clip": clip, "patience": None}

    marks = [
        {"kind": "changed", "x": 0.5, "before": clipped(1.0), "after": clipped(0.25)},
        {"kind": "changed", "x": 0.8, "before": clipped(0.25), "after": clipped(None)},
    ]
    history = History(steps=[step(at) for at in range(10)], marks=marks)
    option = viz.norms(history, {"kind": "norm", "threshold": 1.0}, "light")
    assert line(option, "threshold") == [[0, 1.0], [0.5, 1.0], [0.5, 0.25], [0.8, 0.25], [0.8, None], [1.0, None]]


def test_a_threshold_on_single_numbers_is_no_line_among_norms() -> None:
    option = viz.norms(History(steps=[step(0)]), {"kind": "value", "threshold": 1.0}, "light")
    assert all(value is None for _, value in line(option, "threshold"))


def test_the_share_of_clipped_steps_counts_the_steps_that_were_not_told() -> None:
    assert clipped_share([step(0, count=3, clipped_count=3), step(1, count=1, clipped_count=0)]) == 0.75
    assert clipped_share([]) is None


def test_the_best_epoch_and_the_marks_stand_in_every_curve_of_a_run() -> None:
    before = {"learning_rate": 0.01, "clip": None, "patience": None}
    after = {"learning_rate": 0.002, "clip": {"kind": "norm", "threshold": 0.5}, "patience": 3}
    history = History(
        steps=[step(at) for at in range(20)],
        epochs=[epoch(1), epoch(2, best_epoch=1)],
        marks=[
            {"kind": "paused", "x": 0.5},
            {"kind": "resumed", "x": 0.5},
            {"kind": "changed", "x": 1.4, "before": before, "after": after},
            {"kind": "stopped", "x": 2.0, "message": "stopped by hand: the best weights are kept"},
        ],
    )
    assert [mark.text for mark in viz.marks(history)] == [
        "paused",
        "learning rate 0.01 → 0.002; clipping off → norm at 0.5; patience off → 3",
        "stopped by hand: the best weights are kept",
    ]
    for option in (viz.losses(history, "light"), viz.norms(history, None, "dark"), viz.rates(history, 0.01, "dark")):
        assert drawn_marks(option) == {"1": 0.5, "2": 1.4, "3": 2.0, "best": 1}


def test_marks_too_close_to_be_told_apart_share_a_line() -> None:
    history = History(steps=[step(at) for at in range(100)], marks=[{"kind": "paused", "x": 5.0}, {"kind": "resumed", "x": 5.1}])
    assert drawn_marks(viz.losses(history, "light")) == {"1, 2": 5.0}


def test_the_best_epoch_and_an_end_at_the_same_place_share_a_line() -> None:
    history = History(epochs=[epoch(1)], marks=[{"kind": "finished", "x": 1.0, "message": "all epochs done"}])
    assert drawn_marks(viz.losses(history, "light")) == {"1, best": 1.0}


def test_an_exploded_loss_is_drawn_on_a_logarithmic_scale_and_an_ordinary_one_is_not() -> None:
    ordinary, exploded = History(steps=[step(0), step(1, loss=4.0)]), History(steps=[step(0), step(1, loss=1e6)])
    assert viz.losses(ordinary, "light")["yAxis"]["type"] == "value"
    assert viz.losses(exploded, "light")["yAxis"]["type"] == "log"
    assert viz.overlay({"a": ordinary, "b": exploded}, "Train loss", "light")["yAxis"]["type"] == "log"


def test_a_loss_that_only_falls_stays_on_a_linear_scale_however_far() -> None:
    falling = [step(at, loss=3.0 / (at + 1)) for at in range(1000)]
    assert viz.losses(History(steps=falling), "light")["yAxis"]["type"] == "value"


def test_a_spike_leaves_the_picture_at_the_top_so_that_the_rest_keeps_its_room() -> None:
    falling = [step(at, loss=3.0 / (at + 1)) for at in range(10)]
    axis = viz.losses(History(steps=[step(0, loss=1e16), *falling]), "light")["yAxis"]
    assert axis["max"] == 100  # a power of ten at least 300 times the least loss, 0.3


def test_the_scale_of_a_loss_changes_once_at_most_however_its_points_are_thinned() -> None:
    spiked = [step(at, loss=200.0 if at == 3 else 2.0 + at / 1000) for at in range(1000)]
    seen = [viz.losses(History(steps=spiked[:count]), "light")["yAxis"]["type"] for count in range(1, 1000, 7)]
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"value", "log"}


def test_a_share_of_right_answers_is_drawn_on_a_linear_scale_however_low_it_began() -> None:
    history = History(epochs=[epoch(1, score=0.01), epoch(2, score=80.0)])
    assert viz.scores(history, "f1", "light")["yAxis"]["type"] == "value"


def test_gates_are_drawn_in_per_cent_for_the_layer_that_is_asked_for() -> None:
    option = viz.saturation([sample(1), sample(2, mu_open=0.75)], PLACE, "light")
    assert line(option, "keep μ open") == [[1, 25.0], [2, 75.0]]
    assert viz.saturation([sample(1)], (3, "backward"), "light")["series"][0]["data"] == []
    assert line(viz.half_lives([sample(1, half_life=None), sample(2)], "light"), "layer 1, forward") == [[1, None], [2, 2.5]]


def test_an_overlay_has_a_line_for_each_run() -> None:
    histories = {"a": History(epochs=[epoch(1, score=70.0)]), "b": History(epochs=[epoch(1, score=None)]), "c": History()}
    option = viz.overlay(histories, "Score", "light")
    assert {series["name"]: series["data"] for series in option["series"]} == {"a": [[1.0, 70.0]], "b": [[1.0, None]], "c": []}


def test_changed_tags_are_framed_and_words_are_escaped() -> None:
    before, now = sample(1, "DET VERB"), sample(2, "DET NOUN")
    shown = viz.chips(now, before)
    assert shown.count('class="sm-new"') == viz.changed_tags(now, before) == 1
    assert "<s>VERB</s>" in shown
    assert "&lt;dog&gt;" in shown
    assert "<dog>" not in shown
    assert 'class="sm-new"' not in viz.chips(now)


def test_a_written_text_is_escaped_and_what_was_given_is_told_apart() -> None:
    shown = viz.writing({"text": "We <b>\nsay", "prompt": "We "})
    assert "<i>We </i>&lt;b&gt;\nsay" in shown
    assert "<i></i>" in viz.writing({"text": "say", "prompt": ""})


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (80, "1 min 20 s"), (7260, "2 h 1 min")])
def test_a_duration_reads_as_one_says_it(seconds: float, said: str) -> None:
    assert viz.duration(seconds) == said


def test_a_score_has_its_unit() -> None:
    assert viz.score("accuracy", 91.234) == "91.2 %"
    assert viz.score("perplexity", 143.21) == "143"
    assert viz.score("f1", None) == "–"


def test_no_two_names_are_alike_in_a_legend() -> None:
    assert viz.named(["GRU", "GRU", "x" * 40, "GRU"]) == ["GRU", "GRU (2)", f"{'x' * 27}…", "GRU (3)"]
