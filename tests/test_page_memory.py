"""The Memory lab without a browser: its parts, its address, and what it says of results."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import streamlit as st

from pages.memory import distance
from pages.training import current
from seqmodels.checkpoints import load
from seqmodels.experiments import Outcome, Results, record
from seqmodels.experiments.memory import DISTANCES, memory_task
from seqmodels.experiments.record import Factor, write_results
from seqmodels.labs.times import half_life, keep_of
from seqmodels.runs import list_runs
from seqmodels.traces.agreement import FILLERS, SUBJECTS, agreement, prompts
from tests.paging import MEMORY_LAB, linked, opened, pictures, said, sound


def outcome(cell: str, length: int, score: float, *, seed: int = 1, chrono: bool = False) -> Outcome:
    factors: dict[str, Factor] = {"task": "latch", "cell": cell, "length": length, "chrono": chrono, "seed": seed}
    return Outcome(f"{cell} {length} {seed}", factors, {}, "accuracy", score, {"accuracy": score}, (), 10, 1.0)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Invented ones, in the place of those that come with the package."""
    outcomes = [outcome("elman", length, score, seed=seed) for length, score in ((10, 100.0), (100, 50.0)) for seed in (1, 2, 3)]
    outcomes += [outcome("gru", length, 99.0, seed=seed, chrono=True) for length in (10, 100) for seed in (1, 2, 3)]
    path = tmp_path / "memory.json"
    write_results(path, Results("memory", "A recipe.", "2026-01-01", {}, tuple(outcomes)))
    monkeypatch.setattr(record, "_RESULTS", tmp_path)
    st.cache_data.clear()
    st.cache_resource.clear()
    return path


def test_who_solves_a_task_and_who_knows_nothing_is_said(results: Path) -> None:
    page = opened(MEMORY_LAB)
    assert "Over 100 fillers **GRU** does best, 99.0 % right; Elman knows no more than an answer that reads nothing." in said(page)
    lines = [trace for trace in pictures(page)[0]["data"] if trace.get("mode") == "lines"]
    assert len(lines) == 3  # two cells, and the answer that reads nothing


def test_it_can_be_taken_away_with_all_numbers(results: Path) -> None:
    page = opened(MEMORY_LAB)
    assert not page.get("download_button"), "drawn before the menu is open"
    page.session_state["memory-take-away"] = True
    saves = [button.proto.label for button in sound(page.run()).get("download_button")]
    assert saves == ["All of it, as one page (HTML)", "Every training (CSV)", "Every epoch (CSV)"]


def test_where_no_cell_learns_that_is_said() -> None:
    found = {"elman": [outcome("elman", 30, 51.0)], "gru": [outcome("gru", 30, 49.0)]}
    assert "no cell does better" in distance.verdict(found, memory_task("latch"), {30: 50.0})


def test_where_adding_up_is_enough_the_tasks_are_named_at_which_it_fails() -> None:
    told = "Ungated sum has no switch and keeps all that it reads: enough here, and not for *Adding problem*, *Temporal order*"
    assert told in said(opened(MEMORY_LAB, memory="latch"))
    assert "has no switch" not in said(opened(MEMORY_LAB, memory="order")) + said(opened(MEMORY_LAB, memory="latch", cell="gru"))


def test_without_results_the_page_says_how_to_make_them(results: Path) -> None:
    results.unlink()
    assert "python -m seqmodels experiment memory" in said(opened(MEMORY_LAB))


@pytest.mark.parametrize("task", DISTANCES)
def test_each_task_has_its_idea_and_an_example(task: str) -> None:
    assert memory_task(task).idea in said(opened(MEMORY_LAB, memory=task))


def test_a_link_to_what_is_not_there_is_told_of() -> None:
    page = opened(MEMORY_LAB, memory="chess", length="99999", run="nothing", part="Cooking")
    assert said(page).count("This link asks for something") == 3
    assert "run 'nothing'" in said(page).replace("\\", "")
    assert "Pick at least one cell" in said(opened(MEMORY_LAB, cell=""))


def test_the_button_starts_a_run_of_each_cell_side_by_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS", str(tmp_path))
    started = []
    monkeypatch.setattr("seqmodels.runs.start", lambda run, key: started.append(run))
    page = sound(linked(MEMORY_LAB, memory="adding", cell=["elman", "gru"], length="50", chrono="true").run())
    page = sound(page.button(key="memory-go").click().run())
    assert [(run.settings["cell"], run.settings["length"], run.settings["chrono"]) for run in started] == [
        ("elman", 50, None),
        ("gru", 50, 50),
    ]
    assert len({run.group for run in list_runs()}) == 1
    assert page.query_params["run"] in (started[0].id, [started[0].id])
    monkeypatch.setattr(current, "MOMENT", math.inf)
    sound(page.button(key="memory-go").click().run())
    assert len(started) == len(list_runs()) == 2, "the second click of two starts nothing, and stops nothing"
    monkeypatch.setattr(current, "MOMENT", 0)
    sound(page.button(key="memory-go").click().run())
    assert len(started) == 4


def test_a_bias_of_one_keeps_for_two_steps() -> None:
    assert keep_of(1) == pytest.approx(0.7311, abs=1e-4)
    assert half_life(keep_of(1)) == pytest.approx(2.2, abs=0.05)
    assert half_life(0) == 0
    assert half_life(1) == float("inf")


def test_the_number_of_the_subject_is_read_off_the_distribution_and_the_gates() -> None:
    found = agreement(load("lm-elman"))
    assert found.words == tuple(len(prompt.split()) - len(SUBJECTS[1].split()) for prompt in prompts(SUBJECTS[1]))
    assert len(found.gap) == len(FILLERS) + 1
    assert found.kept[0] == 1
    assert max(found.kept[1:]) < 1e-9  # Elman keeps nothing along its gates
    assert all(0 <= share <= 1 for share in (*found.after_one, *found.after_many))


def test_a_gated_model_knows_the_number_longer_than_the_plain_one() -> None:
    gru, elman = agreement(load("lm-gru")), agreement(load("lm-elman"))
    assert gru.gap[-1] > 0.2 > elman.gap[-1] + 0.15
    page = opened(MEMORY_LAB, part="Language models")
    assert "after 26 words" in said(page)
    assert len(pictures(page)) == 1
