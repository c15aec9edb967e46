"""A thousand damaged runs: each is named, and costs nothing else."""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pages.training import advice, compare, current, curves, damaged
from seqmodels.runs import Run, Upload, context, create, export_csv, list_all, read_history, standings, status, store
from seqmodels.runs.settings import from_flat
from seqmodels.runs.trainer import DamagedStateError, load_state
from seqmodels.viz import training as viz
from tests.damaging_runs import damage
from tests.paging import TRAINING, came_back, opened, sound
from tests.running import KEY, finish, interrupted, make, tagging

COUNT = 1000
TEXT = "The state of the union is strong . The people know it .\n\n" * 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A runs folder with that many damaged runs, and what was done to each."""
    root = tmp_path_factory.mktemp("damaged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQMODELS_RUNS", str(root / "whole"))
        patch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(root / "own"))
        patch.setenv("SEQMODELS_SINGLE_USER", "1")
        written = from_flat({"task": "char", "hidden_size": "8", "source": "file", "epochs": "2", "probe": "The state"})
        whole = [tagging(), make(epochs=2), create(written, KEY, upload=Upload("own.txt", TEXT.encode())), tagging(epochs="3")]
        for run in whole[:-1]:
            finish(run)
        interrupted(whole[-1])
        draw = random.Random(14)
        done = {}
        for number in range(COUNT):
            copy = root / "runs" / f"{number:016x}"
            shutil.copytree(draw.choice(whole).folder, copy)
            done[copy.name] = damage(copy, draw)
        (root / "done.json").write_text(json.dumps(done))
        patch.setenv("SEQMODELS_RUNS", str(root / "runs"))
        yield root


def look_at(run: Run) -> bool:
    """Read all that the page reads of a run, and draw it where something is damaged, as JSON. Returns whether something is."""
    standing, known = status(run), read_history(run)
    if not (standing.problem or known.damaged or is_lost(run)):
        return False
    epochs = standing.progress.epochs or int(run.settings["epochs"])
    drawn = [panel.option for panel in (*curves.panels(run, known, "dark"), *curves.gate_panels(run, known, "dark"))]
    for option in (*drawn, viz.race({"a": known}, "dark"), *(viz.overlay({"a": known}, figure, "dark") for figure in viz.OVERLAYS)):
        json.dumps(option, allow_nan=False)
    curves.facts(run, standing, known)
    curves.where(standing, known, epochs)
    curves.marks(known)
    advice.on(run, standing, known)
    compare._row(run)
    standings({"a": known}, [], higher_is_better=True)
    for before, sample in zip([None, *known.samples], known.samples, strict=False):
        viz.when(sample)
        viz.writing(sample) if sample["text"] is not None else viz.chips(sample, before)
    export_csv(run)
    return True


@pytest.mark.thorough
def test_a_thousand_damaged_runs_are_read_and_drawn_without_an_error(folder: Path) -> None:
    done = json.loads((folder / "done.json").read_text())
    found = list_all()
    assert len(found) == COUNT
    drawn = 0
    for run in found:
        try:
            context.pending(run.folder)
            if run.problem is None and current.settings_problem(run) is None:
                drawn += look_at(run)
            if (run.folder / store.LAST).is_file():
                with suppress(DamagedStateError):
                    load_state(run.folder / store.LAST)
        except Exception as error:
            raise AssertionError(f"{run.id} ({done[run.id]}): {error!r}") from error
    assert drawn > COUNT // 4


def test_the_page_shows_what_it_can_of_them_and_offers_to_delete_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fresh_cache: None, tiny_checkpoints: None
) -> None:
    with caplog.at_level(logging.INFO, "pages"):
        page = opened(TRAINING)
        shown = [run for run in store.list_runs() if current.settings_problem(run) is None]
        for run in shown[:: len(shown) // 12]:
            came_back(page, TRAINING, run=run.id)
            damage_told = any("This run is damaged" in warning.value for warning in page.warning)
            assert damage_told == bool(status(run).problem or read_history(run).damaged or is_lost(run)), run.id
        for run in shown[:8]:
            store.rewrite(run, "the group", group="race")
        came_back(page, TRAINING, run=shown[0].id)
        page.session_state[current.TAB] = "All runs"
        sound(page.run())
        assert len(page.dataframe[0].value) == len(shown)
        gone = COUNT - len(shown)
        assert f"and {gone - damaged.MOST} more" in " ".join(one.value for one in page.caption)
        sound(page.button(key="damaged-delete-all").click().run())
        assert len(list_all()) == len(shown)
    assert not [record for record in caplog.records if record.exc_info]


def is_lost(run: Run) -> bool:
    return bool(status(run).progress.steps and not read_history(run).offset)
