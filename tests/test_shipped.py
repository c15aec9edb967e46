"""The checkpoints that ship: all here, all true to what they say of themselves."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqmodels import checkpoints
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.cli.scoretable import markdown
from seqmodels.environment import Environment
from seqmodels.inference import tag
from seqmodels.inference.encoding import as_tagger
from seqmodels.tasks import TASKS, ModelConfig, find_task
from seqmodels.tasks.tagging_probabilities import tag_probabilities
from seqmodels.traces import trace
from tests.conftest import needs_corpora
from tests.test_traces import TOLERANCE, law_error

FOLDER = Path(__file__).parent.parent / "checkpoints"
SHIPPED = [task.name for task in TASKS.values() if task.shipped]
NAMES = [f"{task}-{cell}" for task in SHIPPED for cell in CELLS]
TEXT = "The keys to the cabinet in the old house near Paris are on the table, said Angela Merkel.\n😀 dosn't mattter"
BARS = {
    "pos": ("accuracy", 95.0),
    "ner": ("f1", 68.0),
    "lm": ("perplexity", 70.0),
    "tales": ("perplexity", 41.0),
    "names": ("bits_per_character", 2.8),
}  # for the gated cells, on test
# of the texts one in so many is read, where all take half a minute and more: by a language model of words. Its perplexity there,
# and that on all, which its file carries, as they were when both were measured
SAMPLED = 20
ON_SAMPLE = {
    "lm-elman": (88.57, 82.66),
    "lm-residual": (89.23, 82.63),
    "lm-gated": (84.78, 76.37),
    "lm-gated_forget": (69.06, 65.38),
    "lm-gru": (68.84, 64.60),
    "lm-lstm": (72.85, 67.23),
    "lm-mingru": (82.28, 76.74),
    "tales-elman": (50.48, 47.10),
    "tales-residual": (52.73, 49.10),
    "tales-gated": (49.30, 44.07),
    "tales-gated_forget": (40.56, 37.83),
    "tales-gru": (40.57, 36.91),
    "tales-lstm": (42.61, 39.85),
    "tales-mingru": (49.27, 45.26),
}


@pytest.fixture(scope="module", params=NAMES)
def shipped(request: pytest.FixtureRequest) -> Checkpoint:
    loaded = checkpoints.load(FOLDER / f"{request.param}{checkpoints.SUFFIX}")
    return loaded.given(loaded.conditions[-1]) if loaded.conditions else loaded


def test_they_are_here_and_nothing_else_and_small_enough_to_commit() -> None:
    files = list(FOLDER.glob(f"*{checkpoints.SUFFIX}"))
    assert sorted(path.stem for path in files) == sorted(NAMES)
    assert sum(path.stat().st_size for path in files) < 120e6


def test_all_of_them_have_room_in_memory() -> None:
    """Else the server, which loads them all before its first visitor, would let those go that it has loaded first."""
    weights = sum(checkpoints.load(FOLDER / f"{name}{checkpoints.SUFFIX}").nbytes for name in NAMES)
    assert weights < Environment.model_fields["models_mb"].default * 2**20


def test_gates_obey_the_law(shipped: Checkpoint) -> None:
    for layer in trace(shipped, TEXT).layers:
        assert law_error(layer) <= TOLERANCE * max(1, np.abs(layer.memory).max())  # an ungated sum grows with the text


def test_gates_are_shares_between_0_and_1(shipped: Checkpoint) -> None:
    for layer in trace(shipped, TEXT).layers:
        for gate in (layer.mu, layer.lam):
            assert np.isfinite(gate).all()
            assert ((gate >= 0) & (gate <= 1)).all()


def test_cells_of_a_task_share_one_recipe_and_one_size_of_memory() -> None:
    for task in SHIPPED:
        infos = [checkpoints.read_info(FOLDER / f"{task}-{cell}{checkpoints.SUFFIX}") for cell in CELLS]
        assert len({repr(info.recipe) for info in infos}) == 1
        assert len({replace(ModelConfig(**info.config), cell="gru") for info in infos}) == 1
        assert len({info.corpus_hash for info in infos}) == 1


def test_gated_models_say_that_they_reach_the_bar() -> None:
    for task, (figure, bar) in BARS.items():
        for cell in ("gru", "lstm"):
            score = checkpoints.read_info(FOLDER / f"{task}-{cell}{checkpoints.SUFFIX}").scores["test"][figure]
            assert score >= bar if TASKS[task].higher_is_better else score <= bar


def test_the_table_of_scores_is_the_one_made_from_the_files() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == markdown(checkpoints.list_checkpoints(FOLDER))


@cache
def held_out(task: str) -> list[Any]:
    """The test split, read once for all models of a task."""
    return find_task(task).load("test")


def figures(found: Checkpoint, items: list[Any]) -> dict[str, float]:
    return find_task(found.info.task).evaluate(found.model, found.vocabulary, items).figures


@needs_corpora
def test_the_scores_it_carries_are_those_it_gets(shipped: Checkpoint) -> None:
    """To the rounding; of a language model of words on a sample, for which they are here."""
    name = f"{shipped.info.task}-{shipped.info.cell}"
    if name in ON_SAMPLE:
        sample = held_out(shipped.info.task)[::SAMPLED]
        found = figures(shipped, sample)["perplexity"], shipped.info.scores["test"]["perplexity"]
        assert found == pytest.approx(ON_SAMPLE[name], abs=0.05)
    else:
        same_to_the_rounding(shipped)


@needs_corpora
@pytest.mark.thorough
@pytest.mark.parametrize("name", ON_SAMPLE)
def test_the_perplexities_on_all_texts_are_right_to_the_rounding(name: str) -> None:
    same_to_the_rounding(checkpoints.load(FOLDER / f"{name}{checkpoints.SUFFIX}"))


def same_to_the_rounding(found: Checkpoint) -> None:
    measured = figures(found, held_out(found.info.task))
    for figure, value in found.info.scores["test"].items():
        assert measured[figure] == pytest.approx(value, abs=0.05)


@needs_corpora
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("pos", "ner"))])
def test_probabilities_are_calibrated_enough(name: str) -> None:
    """Expected calibration error over ten bins (Guo et al. 2017) on the test split: at most two points."""
    model, vocabulary = as_tagger(checkpoints.load(FOLDER / f"{name}{checkpoints.SUFFIX}"))
    test = held_out(name.split("-")[0])
    tags = vocabulary.tags
    alone = tag_probabilities(model, vocabulary, [sentence.words for sentence in test])
    found = np.concatenate(model.rules(tags).marginals(alone))
    right = found.argmax(axis=1) == np.array([tags.index(tag) for sentence in test for tag in sentence.tags])
    sure = found.max(axis=1)
    bins = np.minimum((sure * 10).astype(int), 9)
    error = sum(abs(right[bins == b].mean() - sure[bins == b].mean()) * (bins == b).mean() for b in range(10) if (bins == b).any())
    assert error <= 0.02


def test_a_plain_sentence_is_tagged_as_a_reader_would() -> None:
    tagging = tag(checkpoints.load(FOLDER / "pos-gru.safetensors"), "She lives in Berlin.")
    assert [token.tag for token in tagging.tokens] == ["PRON", "VERB", "ADP", "PROPN", "PUNCT"]
    entities = tag(checkpoints.load(FOLDER / "ner-gru.safetensors"), "John Smith lives in Berlin.").entities
    assert [(entity.text, entity.label) for entity in entities] == [("John Smith", "PER"), ("Berlin", "LOC")]
