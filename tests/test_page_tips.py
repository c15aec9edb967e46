"""The page Five tips, without a browser, on invented results."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from seqmodels.experiments import Results, record
from seqmodels.experiments.verdicts import SLIPS
from seqmodels.experiments.verdicts import TIPS as FIVE
from seqmodels.runs.settings import from_flat, to_link
from tests.inventing import Factors, even, invent, write
from tests.paging import APP, TIPS, followed, numbers, opened, pictures, said

pytestmark = pytest.mark.usefixtures("fresh_cache")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(record, "_RESULTS", tmp_path)
    monkeypatch.setenv("SEQMODELS_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.fixture
def results(folder: Path) -> Results:
    return record.read_results(write(folder, invent()))


def test_without_results_the_page_says_how_to_make_them() -> None:
    app = opened(TIPS)
    assert "python -m seqmodels experiment tips" in said(app)
    assert not pictures(app)


def test_damaged_results_get_a_sentence(folder: Path) -> None:
    (folder / "tips.json").write_text("{")
    assert "cannot be read" in said(opened(TIPS))


@pytest.mark.parametrize("name", [*FIVE, *SLIPS])
def test_every_finding_is_reached_by_a_link_with_its_claim_and_every_seed(results: Results, name: str) -> None:
    app = opened(TIPS, tip=name) if name in FIVE else opened(TIPS, tip="slips", slip=name)
    finding = (FIVE | SLIPS)[name](results)
    assert finding.claim in said(app)
    assert finding.sentence in said(app)
    assert "not here" not in said(app)
    for panel, picture in zip(finding.panels, pictures(app), strict=False):
        (drawn,) = (trace for trace in picture["data"] if trace.get("name") == "trainings")
        assert list(numbers(drawn["x"])) == [value for arm in panel.arms for value in arm.values]
        assert all("seed" in text for text in drawn["customdata"])
        title = picture["layout"]["xaxis"]["title"]["text"]
        assert ("higher is better" if panel.axis.higher_is_better else "lower is better") in title
    if name in SLIPS:
        assert len(app.code) == 2


def test_a_training_opens_on_the_training_page_with_its_settings(results: Results) -> None:
    app = opened(TIPS, tip="clipping")
    (outcome,) = results.where(tip="clipping", cell="elman", activation="relu", clip="off", seed=2)
    help = next(one.proto.help for one in app.get("page_link") if one.proto.help.replace("\\", "") == outcome.name)
    followed(app, "seed 2", help)
    assert app.query_params["settings"] == urlencode(outcome.settings)
    values = app.session_state["training-values"]
    assert to_link(from_flat(values)).items() >= outcome.settings.items()
    assert app.selectbox(key="training-set-activation").value == "relu"


def test_trainings_that_broke_off_or_are_off_the_scale_are_marked(folder: Path) -> None:
    def score(factors: Factors) -> float:
        return 300.0 if factors.get("cell") == "residual" and factors["task"] == "char" else even(factors)

    write(folder, invent(score, broke=lambda factors: factors.get("clip") == "off"))
    app = opened(TIPS)
    assert "off the scale" in said(app)
    low, high = pictures(app)[0]["layout"]["xaxis"]["range"]
    assert 2.9 < low < high < 3.1
    assert "300, 300, 300" in str(pictures(app)[0]["data"])
    app = opened(TIPS, tip="clipping")
    assert "broke off" in said(app)
    (drawn,) = (trace for trace in pictures(app)[0]["data"] if trace.get("name") == "trainings")
    assert sum("It broke off" in text for text in drawn["customdata"]) == drawn["marker"]["symbol"].count("circle-x-open") == 9


def test_a_wrong_link_shows_the_first_tip_and_says_so(results: Results) -> None:
    app = opened(TIPS, tip="6", slip="<b>")
    assert "not here" in said(app)
    assert app.button_group(key="tip").value == "1 Gates"


def test_the_verdicts_need_no_torch() -> None:
    modules = "seqmodels.experiments.verdicts, seqmodels.experiments.tables, seqmodels.viz.tips"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=APP.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
