"""What a task can be trained on."""

from pathlib import Path
from typing import Any

import pytest

from seqmodels import corpora
from seqmodels.corpora import CorpusError, open_upload
from seqmodels.data import Dataset, load_dataset, sources
from seqmodels.tasks import TASKS, DataConfig, tasks_that_predict
from seqmodels.tasks.tagging import EntityTask
from tests.conftest import needs_corpora

MEMORY = tasks_that_predict("answer")
TAGGING = tasks_that_predict("tags")

SILVER = DataConfig(source="silver", sentences=12, dev_sentences=5)


@pytest.fixture
def silver(tiny_checkpoints: Path) -> Dataset:
    return load_dataset("pos", SILVER)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_says_what_it_can_be_trained_on(task: str) -> None:
    found = sources(task)
    assert [source.name for source in found] == list(TASKS[task].sources)
    assert all(source.title and source.note for source in found)
    assert any(source.here for source in found)


def test_silver_says_that_a_machine_made_it() -> None:
    (silver,) = (source for source in sources("pos") if source.name == "silver")
    assert "machine-made" in silver.note


@pytest.mark.parametrize("task", TAGGING)
def test_silver_sentences_carry_the_bundled_taggers_tags(tiny_checkpoints: Path, task: str) -> None:
    data = load_dataset(task, SILVER)
    assert (len(data.train), len(data.dev)) == (12, 5)
    assert data.names == ("sotu", f"tagged by {task}-gru")
    tags = set(TASKS[task].tags)  # type: ignore[attr-defined]
    for sentence in data.train + data.dev:
        assert len(sentence.words) == len(sentence.tags)
        assert tags.issuperset(sentence.tags)


def test_the_same_config_gives_the_same_data_and_the_same_hash(tiny_checkpoints: Path, silver: Dataset) -> None:
    assert load_dataset("pos", SILVER) == silver
    other = load_dataset("pos", DataConfig(source="silver", sentences=12, dev_sentences=5, seed=2))
    assert other.train != silver.train
    assert other.hash != silver.hash


def test_without_a_bundled_tagger_there_is_no_silver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    assert not next(source for source in sources("pos") if source.name == "silver").here
    with pytest.raises(ValueError, match="no checkpoint"):
        load_dataset("pos", SILVER)


@pytest.mark.parametrize("name", MEMORY)
def test_a_memory_task_has_sequences_of_the_length_asked_for(name: str) -> None:
    data = load_dataset(name, DataConfig(length=9, sentences=7, dev_sentences=3))
    assert (len(data.train), len(data.dev)) == (7, 3)
    steps = {"recall": 10, "latch": 10, "agreement": 11, "copy": 29}.get(name, 9)  # with what stands before and after
    assert len(data.train[0].inputs) == steps
    assert data.names == (f"{name}, 9 steps",)


@pytest.mark.parametrize("task", ["lm", "char"])
def test_a_subset_of_paragraphs_is_read_without_reading_all(task: str) -> None:
    data = load_dataset(task, DataConfig(sentences=3, dev_sentences=2))
    assert (len(data.train), len(data.dev)) == (3, 2)
    assert all(isinstance(token, str) for token in data.train[0])


@pytest.mark.thorough
@needs_corpora
@pytest.mark.parametrize(("task", "source"), [("pos", "ewt"), ("ner", "uner"), ("ner", "all")])
def test_corpora_have_their_own_dev_split(monkeypatch: pytest.MonkeyPatch, task: str, source: str) -> None:
    here = {status.name for status in corpora.status() if status.place != "absent"}
    monkeypatch.setattr(EntityTask, "more", tuple(part for part in EntityTask.more if part[0] in here))
    data = load_dataset(task, DataConfig(source=source))
    assert len(data.train) > len(data.dev) == 2001


@needs_corpora
def test_few_sentences_to_learn_from_are_still_checked_with_two_hundred() -> None:
    data = load_dataset("pos", DataConfig(sentences=30))
    assert (len(data.train), len(data.dev)) == (30, 200)


def test_a_source_that_the_task_has_not_names_those_it_has() -> None:
    with pytest.raises(ValueError, match="choose one of ewt, all, silver, file"):
        load_dataset("pos", DataConfig(source="sotu"))


@pytest.mark.parametrize("given", [True, False])
def test_a_file_and_its_source_go_together(given: bool) -> None:
    file = open_upload(b"The DET\n\nman NOUN\n", "own.txt")
    with pytest.raises(ValueError, match="both or neither"):
        load_dataset("pos", DataConfig(source="ewt" if given else "file"), file if given else None)


@pytest.mark.parametrize(
    "bad", [{"sentences": 0}, {"dev_sentences": -1}, {"length": 0}, {"dev_share": 0.0}, {"dev_share": 0.9}, {"seed": -1}]
)
def test_a_data_setting_out_of_range_is_named(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        DataConfig(**bad)


def test_a_damaged_file_of_ones_own_is_a_corpus_error() -> None:
    with pytest.raises(CorpusError, match=r"own\.txt, line 2"):
        load_dataset("pos", DataConfig(source="file"), open_upload(b"The DET\nman\n", "own.txt"))
