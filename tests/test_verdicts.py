"""The verdicts on the five tips and the costs of the slips, on invented results."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from seqmodels.experiments import read_results, results_path
from seqmodels.experiments.findings import AXES, Arm, Panel, better, verdict
from seqmodels.experiments.stopping import PATIENCE, Stop, stop
from seqmodels.experiments.tables import curve_rows, outcome_rows
from seqmodels.experiments.verdicts import SLIPS, TASKS, TIPS
from seqmodels.tasks import TASKS as ALL_TASKS
from tests.inventing import DEV, Factors, even, invent

RESULTS = invent()


def arm(*values: float, axis: str = "bits_per_character", problems: int = 0) -> Arm:
    outcomes = tuple(
        replace(RESULTS.outcomes[0], problem="it broke off" if number < problems else "") for number in range(len(values))
    )
    return Arm("some", axis, outcomes, values)


def test_which_way_is_better_is_what_the_tasks_say() -> None:
    for name, title in TASKS.items():
        task = ALL_TASKS[name]
        assert AXES[task.metric].higher_is_better == task.higher_is_better
        assert title == task.page_title


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((2.0, 2.1, 2.2), (2.3, 2.4, 2.5), 1),
        ((2.3, 2.4, 2.5), (2.0, 2.1, 2.2), -1),
        ((2.0, 2.1, 2.4), (2.3, 2.5, 2.6), 0),  # they overlap
        ((2.0, 2.0, 2.0), (2.0, 2.0, 2.0), 0),
        ((2.0,), (5.0,), 0),  # one seed has no spread
        ((2.0, 2.1, 2.2), (2.3, 90.0, 300.0), 1),  # one that is far off hides nothing
    ],
)
def test_a_difference_counts_if_it_is_larger_than_the_spread(
    one: tuple[float, ...], other: tuple[float, ...], expected: int
) -> None:
    assert better(arm(*one), arm(*other)) == expected
    assert better(arm(*other), arm(*one)) == -expected
    assert better(arm(*one, axis="accuracy"), arm(*other, axis="accuracy")) == -expected


def test_of_two_arms_the_one_that_breaks_off_is_the_worse_whatever_it_scores() -> None:
    assert better(arm(2.0, 2.0, 5.0), arm(1.0, 1.0, 1.0, problems=1)) == 1


def test_a_claim_is_supported_in_all_some_or_none_of_its_comparisons() -> None:
    assert [verdict(signs) for signs in ([1, 1], [1, 0], [0, 0], [0, -1])] == [
        "supported",
        "partly",
        "no difference",
        "not supported",
    ]


def test_what_is_far_worse_than_the_best_is_off_the_scale_but_nothing_where_higher_is_better() -> None:
    assert Panel("", (arm(2.0, 2.1), arm(2.5, 300.0))).scale() == (2.0, 2.5)
    assert Panel("", (arm(90.0, 91.0, axis="accuracy"), arm(3.0, axis="accuracy"))).scale() == (3.0, 91.0)


def test_without_a_difference_every_verdict_says_so() -> None:
    found = {name: find(RESULTS).verdict for name, find in TIPS.items()}
    assert found | {"gru": "", "stopping": ""} == dict.fromkeys(TIPS, "no difference") | {"gru": "", "stopping": ""}
    assert found["gru"] == "supported"  # as good, with fewer weights and in less time
    assert TIPS["gates"](RESULTS).sentence.count("no difference to be seen") == 2


def test_gated_cells_that_are_better_are_named_with_the_one_they_are_better_than() -> None:
    def score(factors: Factors) -> float:
        return even(factors) - (0.5 if factors.get("cell") in ("gru", "lstm") and factors["task"] == "char" else 0)

    found = TIPS["gates"](invent(score))
    assert found.verdict == "partly"
    assert "better than the best plain cell (Elman, 3.000): GRU and LSTM;" in found.sentence
    assert "better than the best plain cell (Elman, 90.00): none;" in found.sentence


def test_cells_that_fail_in_some_trainings_only_are_counted() -> None:
    found = TIPS["gates"](
        invent(lambda factors: 300.0 if (factors.get("cell"), factors["seed"]) == ("gated", 2) else even(factors))
    )
    assert "no difference to be seen: Gated sum, Forgetting sum" in found.sentence
    assert "so bad that they are off the scale: Gated sum 1 of 3 trainings." in found.sentence


def test_gru_is_not_preferred_where_it_scores_worse() -> None:
    found = TIPS["gru"](invent(lambda factors: even(factors) - 0.5 * (factors.get("cell") == "lstm" and factors["task"] == "char")))
    assert found.verdict == "partly"
    assert "**Characters:** GRU scores worse than LSTM (3.000 ± 0.010 against 2.500 ± 0.010); 25 % fewer weights" in found.sentence


def test_each_optimizer_is_compared_at_the_rate_that_is_best_on_dev() -> None:
    best = {0.01: 2.0, 1.0: 2.5}
    found = TIPS["optimizer"](invent(lambda factors: even(factors) - 3 + best.get(float(factors.get("learning_rate", 0)), 3.0)))
    assert found.verdict == "supported"
    assert [one.name for one in found.panels[0].arms if not one.faint] == ["Adam at 0.01", "SGD at 1"]
    assert not any("rate tried" in note for note in found.notes)
    edge = TIPS["optimizer"](invent(lambda factors: even(factors) - (factors.get("learning_rate") == 0.02)))
    assert any("Adam does best at the highest rate tried" in note for note in edge.notes)


def test_trainings_that_break_off_without_clipping_are_counted() -> None:
    def broke(factors: Factors) -> bool:
        return factors.get("clip") == "off" and factors.get("activation") == "relu"

    found = TIPS["clipping"](invent(broke=broke))
    assert found.verdict == "partly"
    assert "**Elman relu:** 3 of 3 broke off without clipping, 0 of 3 with it." in found.sentence
    assert "**GRU:** no difference to be seen" in found.sentence


def test_early_stopping_saves_the_epochs_after_the_best_and_its_patience() -> None:
    found = TIPS["stopping"](RESULTS)
    assert found.verdict == "supported"
    assert f"saves {30 - 3 - PATIENCE} of 30 epochs" in found.sentence
    assert "better than those of the last (4.000 ± 0.010 against 6.700" in found.sentence
    falling = TIPS["stopping"](invent(dev=[30.0 - step for step in range(30)]))
    assert falling.verdict == "no difference"
    assert "saves 0 of 30 epochs" in falling.sentence


def test_where_a_training_stops() -> None:
    assert stop(DEV) == Stop(3 + PATIENCE, 3)
    assert stop(DEV[:5]) == Stop(5, 3)
    # a loss that goes up and down, above its best: it is better than the one before at every second epoch, and never than the best
    wavering = [1.0] + [2.0, 1.5] * 10
    assert stop(wavering) == Stop(1 + PATIENCE, 1)
    assert stop(wavering, as_before=True) == Stop(len(wavering), 1)
    assert stop([2.0, 1.0, math.inf], 1) == Stop(3, 2)


def test_the_slip_of_patience_costs_epochs_only_where_the_loss_wavers() -> None:
    assert "Both rules stop at the same epoch in all 3 trainings" in SLIPS["patience"](RESULTS).sentence
    found = SLIPS["patience"](invent(dev=[1.0] + [2.0, 1.5] * 10))
    assert found.verdict == "costs"
    assert "in 3 of 3 trainings: on average 12.0 epochs later with the slip. The test score there: the same" in found.sentence


@pytest.mark.parametrize("cost", [2.0, -1.0])
def test_dropout_left_on_costs_what_it_costs(cost: float) -> None:
    found = SLIPS["dropout"](invent(dropout_costs=cost))
    assert found.verdict == ("costs" if cost > 0 else "costs nothing")
    assert f"by {AXES['lost'].shown(cost)} points of accuracy on average" in found.sentence


def test_doubles_flatter_where_names_never_seen_score_worse() -> None:
    assert "10 % of the test lines" in SLIPS["doubles"](RESULTS).sentence
    assert "is 0.500 bits a character better than that of names never seen" in SLIPS["doubles"](RESULTS).sentence
    assert SLIPS["doubles"](invent(unseen_costs=0.0)).verdict == "costs nothing"


@pytest.mark.parametrize("name", [*TIPS, *SLIPS])
def test_a_finding_without_its_trainings_says_what_is_missing(name: str) -> None:
    with pytest.raises(ValueError, match="seqmodels experiment tips"):
        (TIPS | SLIPS)[name](replace(RESULTS, outcomes=()))


def test_the_tables_hold_every_training_and_every_epoch() -> None:
    rows = outcome_rows(RESULTS)
    assert len(rows) == len(RESULTS.outcomes)
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert len(curve_rows(RESULTS)) == sum(len(one.curve) for one in RESULTS.outcomes)


@pytest.mark.skipif(not results_path("tips").exists(), reason="no results in this checkout")
@pytest.mark.parametrize("name", [*TIPS, *SLIPS])
def test_the_results_that_come_with_the_package_give_a_verdict(name: str) -> None:
    found = (TIPS | SLIPS)[name](read_results(results_path("tips")))
    assert found.sentence
    assert all(len(one.values) >= 3 for panel in found.panels for one in panel.arms)
