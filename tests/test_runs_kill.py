"""A run that is killed at any moment goes on to the very same weights."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from seqmodels.runs import Run, Upload, create, read_history, session, status
from seqmodels.runs.settings import from_flat
from tests.conftest import thorough_but
from tests.running import CONLLU, KEY, finish, fork, kill, make

TAGGER = {
    "task": "pos", "cell": "lstm", "hidden_size": "8", "source": "file", "dropout": "0.3", "epochs": "12", "batch_size": "2",
    "optimizer": "adamw", "probe": "She sings .",
}  # fmt: skip
TEXT = {"task": "char", "cell": "gru", "hidden_size": "16", "source": "file", "dropout": "0.2", "epochs": "4", "batch_size": "4"}


@pytest.fixture(scope="module", autouse=True)
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQMODELS_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


def tagger() -> Run:
    return create(from_flat(TAGGER), KEY, upload=Upload("own.conllu", CONLLU.encode()))


def characters() -> Run:
    text = "The state of the union is strong, and the people of the United States know it.\n\n" * 30
    return create(from_flat(TEXT), KEY, upload=Upload("own.txt", text.encode()))


def memory() -> Run:
    return make(optimizer="sgd", dropout=0.2)


MAKERS = {"tagger": tagger, "characters": characters, "memory": memory}


def outcome(run: Run) -> tuple[object, ...]:
    """The weights to the last bit, the scores, and the steps that the charts show."""
    assert status(run).name == "finished", status(run).progress.message
    history = read_history(run)
    epochs = [(epoch["epoch"], epoch["score"]) for epoch in history.epochs]
    return history.marks[-1]["weights"], epochs, [(step["epoch"], step["step"]) for step in history.steps]


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody killed."""

    kind: str
    seconds: float
    outcome: tuple[object, ...]


@pytest.fixture(scope="module", params=MAKERS)
def undisturbed(request: pytest.FixtureRequest, runs_folder: None) -> Undisturbed:
    finish(MAKERS[request.param]())  # imports what the next one is timed without
    run, begun = MAKERS[request.param](), time.monotonic()
    finish(run)
    return Undisturbed(request.param, time.monotonic() - begun, outcome(run))


@pytest.mark.parametrize(
    ("moments", "save_every"),
    thorough_but([(2, 0.0), (10, 0.0), (10, 0.1)], (2, 0.0)),
    ids=["twice, saves at every step", "ten times, saves at every step", "ten times, saves now and then"],
)
def test_a_run_killed_at_random_moments_ends_with_the_same_weights(
    undisturbed: Undisturbed, moments: int, save_every: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # each save may be the one that the kill falls into
    monkeypatch.setattr(session, "SAVE_EVERY", save_every)
    draw = random.Random(f"{undisturbed.kind} {moments} {save_every}")
    run = MAKERS[undisturbed.kind]()
    for _ in range(moments):
        pid = fork(run)
        time.sleep(draw.uniform(0, undisturbed.seconds))
        kill(pid)
        assert status(run).name in ("interrupted", "finished")
        if status(run).name == "finished":
            assert outcome(run) == undisturbed.outcome
            run = MAKERS[undisturbed.kind]()
    if status(run).name != "finished":
        finish(run)
    assert outcome(run) == undisturbed.outcome
