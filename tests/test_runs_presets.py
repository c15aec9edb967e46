"""The ready-made runs: each is made of settings that there are, and differs from its fellows by what its title says."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any
from urllib.parse import parse_qsl

import pytest

from seqmodels.data import SILVER_SENTENCES, load_dataset, sources
from seqmodels.runs.presets import PRESETS, Preset, find_preset, settings_of
from seqmodels.runs.settings import Flat, demo_settings, from_flat, to_flat, to_link
from seqmodels.runs.trainer import TrainingSetup
from seqmodels.tasks import TASKS, tasks_that_predict
from seqmodels.training import DivergedError, Epoch, Report, Step, fit

each = pytest.mark.parametrize("preset", PRESETS, ids=[preset.title for preset in PRESETS])


def flat(title: str) -> dict[str, Flat]:
    preset = next(preset for preset in PRESETS if preset.title == title)
    return {name: to_flat(settings) for name, settings in settings_of(preset).items()}


def differences(first: Flat, second: Flat) -> set[str]:
    return {name for name in first if first[name] != second[name]}


def trained(key: str, **changes: Any) -> Iterator[Report]:
    """The reports of a preset with one run, with these changes of its training."""
    preset = find_preset(key)
    assert preset
    (settings,) = settings_of(preset).values()
    setup = TrainingSetup.build(settings, load_dataset(settings.task, settings.data))
    return fit(setup.model, setup.objective, replace(settings.training, **changes))


@each
def test_every_run_of_a_preset_has_settings_that_a_link_can_hand_on(preset: Preset) -> None:
    for settings in settings_of(preset).values():
        assert from_flat(to_link(settings)) == settings


@each
def test_every_setting_of_a_preset_is_in_its_runs(preset: Preset) -> None:
    for name, settings in settings_of(preset).items():
        assert to_flat(settings) == to_flat(settings) | to_flat(
            from_flat({**to_link(settings), **dict(parse_qsl(preset.runs[name]))})
        )


@each
def test_a_preset_needs_no_data_from_elsewhere(preset: Preset) -> None:
    for settings in settings_of(preset).values():
        source = settings.data.source or TASKS[settings.task].sources[0]
        assert source in ("sotu", "silver", "generated")
        assert source in [one.name for one in sources(settings.task)]
        assert settings.task in tasks_that_predict("answer") or (settings.data.sentences or SILVER_SENTENCES) < SILVER_SENTENCES


@each
def test_a_preset_is_found_by_its_key(preset: Preset) -> None:
    assert find_preset(preset.key) is preset


@pytest.mark.parametrize("key", [None, "", "of an older version"])
def test_a_run_of_none_or_of_one_that_is_gone_has_no_preset(key: str | None) -> None:
    assert find_preset(key) is None


def test_the_run_that_explodes_and_the_clipped_one_differ_by_the_clipping_alone() -> None:
    (bare,), (clipped,) = flat("It explodes").values(), flat("The same, clipped").values()
    assert differences(bare, clipped) <= {"clip", "clip_threshold"}
    assert bare["clip"] is None
    assert clipped["clip"] == "norm"


def test_the_run_that_explodes_does_so_after_it_has_learned() -> None:
    reports: list[Report] = []
    with pytest.raises(DivergedError):
        reports.extend(trained("explodes"))
    norms = [report.norm for report in reports if isinstance(report, Step)]
    assert max(report.score for report in reports if isinstance(report, Epoch)) > 75
    assert max(norms) > 5 * median(norms)


def test_without_its_warm_up_it_explodes_at_once_as_a_hint_of_the_lesson_has_it() -> None:
    reports: list[Report] = []
    with pytest.raises(DivergedError):
        reports.extend(trained("explodes", warmup=0.0))
    assert len(reports) < 20


@pytest.mark.thorough
def test_the_clipped_run_learns_though_its_norm_often_passes_the_threshold() -> None:
    steps: list[Step] = []
    best = peak = 0.0
    for report in trained("clipped"):
        if isinstance(report, Step):
            steps.append(report)
            peak = max(peak, report.learning_rate)
        elif isinstance(report, Epoch):
            best = max(best, report.score)
            if best > 92 and steps[-1].learning_rate < peak:  # past its peak, the rate falls to 0
                break
    assert best > 92
    assert 0.1 < sum(step.clipped for step in steps) / len(steps) < 0.8
    assert max(step.norm for step in steps) > 2 * max(step.norm_after for step in steps)


def test_the_cells_race_with_the_same_settings_on_the_same_data() -> None:
    first, *others = flat("Elman, GRU and LSTM race").values()
    assert {first["cell"], *(other["cell"] for other in others)} == {"elman", "gru", "lstm"}
    assert all(differences(first, other) == {"cell"} for other in others)


def test_relu_with_identity_differs_from_tanh_by_these_two_alone() -> None:
    assert differences(*flat("ReLU with identity initialization").values()) == {"activation", "initialization"}


def test_adam_and_sgd_differ_by_the_optimizer_and_its_rate_alone() -> None:
    first, *others = flat("Adam against SGD").values()
    assert all(differences(first, other) <= {"optimizer", "learning_rate"} for other in others)


def test_a_run_that_overfits_has_few_sentences_no_dropout_and_patience() -> None:
    (found,) = flat("Overfit, then stop early").values()
    assert found["sentences"] < 500
    assert found["dropout"] == 0
    assert found["patience"] is not None


@pytest.mark.thorough
def test_the_run_that_overfits_gets_worse_on_others_while_it_learns_its_own_by_heart_and_stops() -> None:
    epochs = [report for report in trained("overfits") if isinstance(report, Epoch)]
    best, last = epochs[epochs[-1].best_epoch - 1], epochs[-1]
    assert best.dev_loss is not None
    assert last.dev_loss is not None
    assert last.dev_loss > 1.1 * best.dev_loss
    assert last.loss < 0.6 * best.loss
    assert "no better dev loss" in str(last.stopped)


@pytest.mark.parametrize("task", TASKS)
def test_the_settings_for_watching_are_the_tasks_own(task: str) -> None:
    settings, live = demo_settings(task), TASKS[task].demo
    assert (settings.model, settings.training) == (live.model, live.training)
    assert (settings.data.sentences, settings.data.dev_sentences) == (live.sentences, live.dev_sentences)
    assert bool(settings.probe) == (task not in tasks_that_predict("answer"))
