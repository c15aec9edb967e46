"""Tasks and a cell of somebody else's, registered here: trained, scored, saved, opened on every page, looked into, exported."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from torch import Tensor

from pages.explorer import VIEWS
from pages.training.form import PREFIX
from seqmodels import export
from seqmodels.cells import CELLS, Cell, Formulas, Gates
from seqmodels.checkpoints import load
from seqmodels.cli import main
from seqmodels.corpora import Sentence, Subset, keep_some
from seqmodels.inference import continue_text, tag
from seqmodels.runs import Command, command, create, read_history, status
from seqmodels.runs.publishing import publish
from seqmodels.runs.settings import demo_settings
from seqmodels.tasks import TASKS, DataConfig, DemoConfig, LanguageTask, ModelConfig, TagTask
from seqmodels.tasks.base import Splits
from seqmodels.traces import trace
from seqmodels.training import TrainConfig
from tests.paging import GATES, LANGUAGE, OVERVIEW, TAGGING, TRAINING, html, opened, pictures, said
from tests.running import KEY, finish

WORDS = "one two three four five six seven eight nine ten".split()
TRAINED = TrainConfig(epochs=6, learning_rate=0.02)
TEXT = "one two THREE four"


def sentences(split: str) -> list[list[str]]:
    """Words that count on from somewhere, some of them in capitals."""
    draw = random.Random(split)
    starts = [draw.randrange(len(WORDS)) for _ in range({"train": 120}.get(split, 30))]
    counted = [[WORDS[(start + step) % len(WORDS)] for step in range(6)] for start in starts]
    return [[word.upper() if draw.random() < 0.3 else word for word in words] for words in counted]


class Rounded(Cell):
    """One gate on the circle mu^2 + lam = 1, and a memory that is shown through tanh."""

    name = "rounded"
    title = "Rounded gates"
    formulas = Formulas("f", "1 − f²", "tanh(W x + U h + b)", memory="c", output="tanh(c)")
    where = "A curve above GRU's line."
    source = "a test"
    blocks = ("f", "n")
    forget_block = "f"
    memory_is_output = False

    def gates(self, x: Tensor, h: Tensor) -> Gates:
        f, n = (x + h).chunk(2, dim=-1)
        mu = f.sigmoid()
        return Gates(mu=mu, lam=1 - mu * mu, candidate=n.tanh())

    def read_out(self, memory: Tensor, gates: Gates) -> Tensor:
        return memory.tanh()


class Shouting(TagTask):
    """Whether a word is shouted: in capitals."""

    name = "shouting"
    title = page_title = "Shouted words"
    corpora = ()
    sources = ("generated",)
    tags = ("calm", "loud")
    vectors, casing_noise, title_noise = None, 0.0, 0.0  # vectors know no capitals, and with noise there would be none to learn
    probe = TEXT
    shipped = False
    model = ModelConfig("gru", 8, word_size=8, character_size=8, spelling_size=16)
    training = TRAINED
    demo = DemoConfig(model, TRAINED)

    def load(self, split: str, keep: Subset | None = None) -> list[Sentence]:
        tagged = [
            Sentence(tuple(words), tuple("loud" if word.isupper() else "calm" for word in words)) for words in sentences(split)
        ]
        return keep_some(tagged, keep)

    def generated(self, config: DataConfig) -> Splits:
        return self.load("train"), self.load("dev")


class Counting(LanguageTask):
    """The next number word."""

    name = "counting"
    title = page_title = "Counting on"
    corpora: ClassVar[tuple[str, ...]] = ()
    sources: ClassVar[tuple[str, ...]] = ("generated",)
    probe = "one two"
    shipped = False
    model = ModelConfig("gru", 16)
    training = TRAINED
    demo = DemoConfig(model, TRAINED)
    streams = 4

    def load(self, split: str, keep: Subset | None = None) -> list[list[str]]:
        return keep_some([[word.lower() for word in words] for words in sentences(split)], keep)

    def generated(self, config: DataConfig) -> Splits:
        return self.load("train"), self.load("dev")


@pytest.fixture(scope="module", autouse=True)
def models(tmp_path_factory: pytest.TempPathFactory, fresh_cache: None) -> Iterator[dict[str, Path]]:
    """A run of each task with the cell, to its end, and the model that is published of it."""
    folder = tmp_path_factory.mktemp("strangers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CELLS, Rounded.name, Rounded())
        for task in (Shouting(), Counting()):
            patch.setitem(TASKS, task.name, task)
        patch.setenv("SEQMODELS_RUNS", str(folder / "runs"))
        patch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(folder / "own"))
        made = {}
        for name in ("shouting", "counting"):
            run = create(demo_settings(name, {"cell": "rounded"}), KEY)
            finish(run)
            assert status(run).name == "finished", status(run).progress.message
            assert read_history(run).epochs
            made[name] = publish(run, KEY, f"my-{name}")
        yield made


def test_they_learn_what_they_are_about(models: dict[str, Path]) -> None:
    assert [token.tag for token in tag(load(models["shouting"]), TEXT).tokens] == ["calm", "calm", "loud", "calm"]
    drawn = [token.text for token in continue_text(load(models["counting"]), "one two three", max_tokens=2)]
    assert drawn == ["four", "five"]


def test_the_command_line_trains_scores_tags_and_traces_them(
    models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--task", "shouting", "--cell", "rounded"]
    assert main(["train", *arguments, "--output", str(tmp_path / "new.safetensors"), "--epochs", "2"]) == 0
    capsys.readouterr()
    for command_line, key in (
        (["tag", *arguments, TEXT], "tokens"),
        (["trace", *arguments, TEXT], "layers"),
        (["evaluate", *arguments], "accuracy"),
    ):
        assert main([*command_line, "--checkpoint", str(models["shouting"]), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[key]
    assert main(["generate", "--task", "counting", "--cell", "rounded", "--checkpoint", "my-counting", "one two"]) == 0
    assert "three" in capsys.readouterr().out


def test_their_tags_and_traces_are_exported(models: dict[str, Path]) -> None:
    checkpoint = load(models["shouting"])
    tagging, traced = tag(checkpoint, TEXT), trace(checkpoint, TEXT)
    assert "loud" in export.to_csv([tagging])
    assert "loud" in export.to_conllu(tagging)
    assert json.loads(export.to_json([tagging]))["task"] == "shouting"
    assert json.loads(export.trace_json(traced))["cell"] == "rounded"
    assert export.trace_npz(traced)


@pytest.mark.parametrize(
    ("page", "link", "shown"),
    [
        (OVERVIEW, {}, "Rounded gates"),
        (TAGGING, {"task": "Shouted words", "cells": "my-shouting", "text": TEXT}, "loud"),
        (LANGUAGE, {"cells": "my-counting", "prompt": "one two"}, "three"),
        (TRAINING, {"settings": "task=counting&cell=rounded"}, "Counting on"),
    ],
)
def test_they_walk_in_on_every_page(page: str, link: dict[str, str], shown: str) -> None:
    app = opened(page, **link)
    choices = [str(option) for box in app.selectbox for option in box.options]
    assert shown in html(app) + said(app) + " ".join(choices)


def test_a_link_of_settings_fills_the_form_with_them(models: dict[str, Path]) -> None:
    app = opened(TRAINING, settings="task=counting&cell=rounded&forget_bias=2")
    filled = {name: app.session_state[f"{PREFIX}{name}"] for name in ("task", "cell", "forget_bias")}
    assert filled == {"task": "counting", "cell": "rounded", "forget_bias": 2}


@pytest.mark.parametrize("task", ["shouting", "counting"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_them(view: str, task: str) -> None:
    app = opened(GATES, view=view, text=TEXT, task=task, cells=f"my-{task}")
    assert pictures(app) or len(html(app)) > 300


def test_a_run_of_theirs_is_commanded_like_any_other(models: dict[str, Path]) -> None:
    run = create(demo_settings("counting"), KEY)
    command(run, KEY, Command("discard"))
    assert not run.folder.exists()
