"""The cards: their numbers against independent ones, their files, and those that ship."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from seqeval.metrics import classification_report
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from seqmodels import checkpoints, inference
from seqmodels.cards import (
    BINS,
    RIVALS,
    Card,
    CardError,
    TaskCard,
    card_path,
    cards_folder,
    is_current,
    markdown,
    read_card,
    read_cards,
    read_task_card,
    read_task_cards,
    sha256_of,
    task_card_path,
)
from seqmodels.cards.reading import TagReading, quotable
from seqmodels.cards.record import Calibration
from seqmodels.cards.scoring import MISSED, NO_ENTITY, OTHER_BOUNDS, answers, calibration, confusion, span_calibration, tallies
from seqmodels.corpora import ENTITY_TAGS, ENTITY_TYPES, UPOS
from seqmodels.decoding import LEAST_TOKEN, SpanOdds
from seqmodels.tasks import TASKS
from tests.carding import SENTENCES, make
from tests.conftest import SHIPPED, needs_corpora

ROOT = Path(__file__).parent.parent
HEADINGS = ("Model details", "Intended use", "Training data", "Training", "Evaluation", "Limits", "Licence", "How to use")


@pytest.fixture(scope="module")
def folder(nine_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small checkpoints a task with their cards. Copy it to change it."""
    return make(nine_folder, tmp_path_factory.mktemp("cards"))


def random_tags(names: tuple[str, ...], seed: int) -> list[list[str]]:
    chance = np.random.default_rng(seed)
    return [chance.choice(names, size=length).tolist() for length in chance.integers(1, 12, 60)]


def disturbed(gold: list[list[str]], names: tuple[str, ...]) -> list[list[str]]:
    chance = np.random.default_rng(7)
    return [[str(chance.choice(names)) if chance.random() < 0.3 else tag for tag in tags] for tags in gold]


# the numbers


def test_the_figures_by_type_are_those_of_seqeval() -> None:
    gold = random_tags(ENTITY_TAGS, 1)
    predicted = disturbed(gold, ENTITY_TAGS)
    report = classification_report(gold, predicted, output_dict=True, zero_division=0)
    found = {tally.label: tally for tally in tallies(ENTITY_TYPES, gold, predicted, of_spans=True)}
    assert set(found) == set(ENTITY_TYPES)
    for label, tally in found.items():
        ours = (tally.precision, tally.recall, tally.f1, tally.gold)
        theirs = [100 * report[label][name] for name in ("precision", "recall", "f1-score")]
        assert ours == pytest.approx((*theirs, report[label]["support"]))


def test_the_figures_by_tag_and_the_confusions_are_those_of_scikit_learn() -> None:
    gold = random_tags(UPOS, 2)
    predicted = disturbed(gold, UPOS)
    flat = [[tag for tags in rows for tag in tags] for rows in (gold, predicted)]
    labels = [label for label in UPOS if label in {*flat[0], *flat[1]}]
    theirs = precision_recall_fscore_support(*flat, labels=labels, zero_division=0)
    for number, tally in enumerate(tallies(UPOS, gold, predicted, of_spans=False)):
        assert tally.label == labels[number]
        ours = (tally.precision / 100, tally.recall / 100, tally.f1 / 100, tally.gold)
        assert ours == pytest.approx([part[number] for part in theirs])
    rows = zip(gold, predicted, strict=True)
    given = [answer for truth, guess in rows for answer in answers(truth, guess, np.ones(len(truth)), of_spans=False)]
    found = confusion(UPOS, given, of_spans=False)
    assert found.rows == found.columns == tuple(labels)
    assert np.array_equal(found.counts, confusion_matrix(*flat, labels=labels))


def test_an_entity_is_right_or_of_another_type_or_of_other_bounds_or_missed_or_none() -> None:
    gold = ["B-PER", "I-PER", "O", "B-LOC", "O", "B-ORG", "I-ORG", "O", "B-LOC", "O"]
    said = ["B-PER", "I-PER", "O", "B-ORG", "O", "B-ORG", "O", "B-PER", "O", "O"]
    sure = np.linspace(0.1, 1.0, 10)
    given = answers(gold, said, sure, of_spans=True)
    pairs = [(answer.gold, answer.predicted) for answer in given]
    expected = [("PER", "PER"), ("LOC", "ORG"), ("ORG", OTHER_BOUNDS), ("LOC", MISSED), (NO_ENTITY, "PER")]
    assert pairs == expected
    assert [answer.right for answer in given] == [True, False, False, False, False]
    assert given[0].probability == pytest.approx(0.1)  # that of its least certain word
    found = confusion(["PER", "ORG", "LOC"], given, of_spans=True)
    assert (found.rows, found.columns) == (("PER", "ORG", "LOC", NO_ENTITY), ("PER", "ORG", "LOC", OTHER_BOUNDS, MISSED))
    assert found.counts == ((1, 0, 0, 0, 0), (0, 0, 0, 1, 0), (0, 1, 0, 0, 1), (1, 0, 0, 0, 0))


def test_every_entity_to_find_is_in_one_row_of_the_confusions() -> None:
    gold = random_tags(ENTITY_TAGS, 3)
    predicted = disturbed(gold, ENTITY_TAGS)
    rows = zip(gold, predicted, strict=True)
    given = [answer for truth, guess in rows for answer in answers(truth, guess, np.ones(len(truth)), of_spans=True)]
    found = confusion(ENTITY_TYPES, given, of_spans=True)
    by_type = {tally.label: tally for tally in tallies(ENTITY_TYPES, gold, predicted, of_spans=True)}
    for label, counts in zip(found.rows, found.counts, strict=True):
        if label != NO_ENTITY:
            assert sum(counts) == by_type[label].gold
            assert counts[found.columns.index(label)] == by_type[label].right


def ece(probabilities: np.ndarray, right: np.ndarray, bins: int) -> float:
    """Expected calibration error over bins of equal mass, in points, as the definition reads."""
    order = np.argsort(probabilities, kind="stable")
    parts = [order[len(order) * at // bins : len(order) * (at + 1) // bins] for at in range(bins)]
    gaps = [len(part) * abs(probabilities[part].mean() - right[part].mean()) for part in parts]
    return 100 * sum(gaps) / len(probabilities)


def test_the_calibration_error_is_the_mean_gap_over_bins_of_as_many_answers() -> None:
    chance = np.random.default_rng(4)
    probabilities = chance.beta(5, 2, size=BINS * 40)
    right = chance.random(len(probabilities)) < probabilities**1.5
    found = calibration("words", probabilities, right)
    assert [one.count for one in found.bins] == [40] * BINS
    assert found.error == pytest.approx(ece(probabilities, right, BINS), abs=0.01)
    assert found.error > 5


def test_who_is_as_right_as_he_says_has_no_calibration_error_and_who_errs_though_sure_has_all_of_it() -> None:
    half = np.full(300, 0.5)
    assert calibration("words", half, np.arange(300) % 2 == 0).error == pytest.approx(0, abs=1e-9)
    assert calibration("words", np.ones(30), np.zeros(30, dtype=bool)).error == 100
    assert calibration("words", np.array([]), np.array([], dtype=bool)) == Calibration("words", ())
    assert Calibration("words", ()).error == 0


def test_how_sure_an_entity_is_follows_from_its_least_certain_word() -> None:
    gold, said = ["B-PER", "I-PER", "B-LOC"], ["B-PER", "I-PER", "O"]
    for odds, sure in ((LEAST_TOKEN, 0.4), (SpanOdds(0.5, 1.0), 1 / (1 + np.exp(-0.5 * np.log(0.4 / 0.6) - 1)))):
        [only] = span_calibration([(gold, said, np.array([0.9, 0.4, 0.8]))], odds).bins
        assert (only.count, only.right) == (1, 1)
        assert only.confidence == pytest.approx(sure, abs=1e-5)


def test_only_a_sentence_that_is_read_as_its_own_words_is_quoted() -> None:
    assert quotable("The old man the boats .".split()) == "The old man the boats."
    assert quotable("a b c".split()) is None, "too short"
    assert quotable(["one"] * 40) is None, "too long"
    assert quotable(["New York", "is", "a", "large", "city"]) is None, "the tokenizer parts its first word"


# the files


def test_a_command_measures_every_checkpoint_and_compares_those_of_a_task(folder: Path) -> None:
    cards = read_cards(folder)
    assert [card.name for card in cards] == ["lm-gru", "ner-gru", "pos-gru", "lm-lstm", "ner-lstm", "pos-lstm"], (
        "by cell, then name"
    )
    for card in cards:
        assert is_current(card.name, card.sha256, folder)
        task = TASKS[card.task]
        model = checkpoints.load(folder / f"{card.name}.safetensors")
        items = SENTENCES[card.task]
        again = task.evaluate(model.model, model.vocabulary, items).figures
        assert card.results["test"].scores == pytest.approx(again, abs=1e-3)
        assert card.speed.words > 0
    assert [card.task for card in read_task_cards(folder)] == ["pos", "ner", "lm"], "in the order of the tasks"


def test_what_is_written_is_read_again_and_shown(folder: Path, tmp_path: Path) -> None:
    from seqmodels.cards.record import write

    for path in cards_folder(folder).glob("*.json"):
        card = read_card(path)
        write(card, tmp_path)
        assert read_card(card_path(card.name, tmp_path)) == card
        page = path.with_suffix(".md").read_text(encoding="utf-8")
        assert page == markdown.of(card)
        for heading in (
            "Model details",
            "Intended use",
            "Training data",
            "Training",
            "Evaluation",
            "Limits",
            "Licence",
            "How to use",
        ):
            assert f"\n## {heading}\n" in page
        assert card.sha256[:12] in page
    for one in read_task_cards(folder):
        write(one, tmp_path)
        assert read_task_card(task_card_path(one.task, tmp_path)) == one


def test_the_pairs_count_where_two_models_say_different_things(folder: Path) -> None:
    card = read_task_card(task_card_path("pos", folder))
    items = SENTENCES["pos"]
    one, other = (TagReading.of(checkpoints.load(folder / f"pos-{cell}.safetensors"), items) for cell in ("gru", "lstm"))
    gold = [tag for sentence in items for tag in sentence.tags]
    triples = list(zip(gold, one.said, other.said, strict=True))
    [pair] = card.pairs
    assert (pair.first, pair.second, pair.words) == ("pos-gru", "pos-lstm", len(gold))
    assert pair.differ == sum(a != b for _, a, b in triples)
    assert pair.first_right == sum(a != b and a == truth for truth, a, b in triples)
    assert pair.second_right == sum(a != b and b == truth for truth, a, b in triples)


def agrees_with_the_pages(card: TaskCard, where: Path) -> None:
    """What a difference says is what a visitor gets who gives that text to these models."""
    loaded = {name: checkpoints.load(where / f"{name}.safetensors") for name in card.models}
    assert card.differences
    for found in card.differences:
        assert len({guess.said for guess in found.guesses.values()}) > 1
        for name, guess in found.guesses.items():
            if card.predicts == "tags":
                tokens = inference.tag(loaded[name], found.text).tokens
                [token] = [token for token in tokens if token.start == found.start]
                said, probability = token.tag, token.probability
                assert token.text == found.word
            else:
                expected = inference.next_words(loaded[name], found.text)
                said = expected.words[int(expected.log_probabilities.argmax())]
                probability = float(np.exp(expected.log_probabilities[expected.words.index(found.word)]))
            assert said == guess.said
            assert probability == pytest.approx(guess.probability, abs=2e-3)


@pytest.mark.parametrize("task", ["pos", "lm"])
def test_a_difference_is_there_when_the_text_is_read_alone(folder: Path, task: str) -> None:
    agrees_with_the_pages(read_task_card(task_card_path(task, folder)), folder)


def test_a_card_of_another_file_is_told_from_one_of_this(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    card = read_card(card_path("pos-gru", tmp_path / "copy"))
    shutil.copy(folder / "pos-lstm.safetensors", tmp_path / "copy" / "pos-gru.safetensors")
    assert not is_current("pos-gru", card.sha256, tmp_path / "copy")
    assert not is_current("pos-elman", card.sha256, tmp_path / "copy"), "there is none"


@pytest.mark.parametrize("content", ["", "{}", '{"name": 3}', "[1"])
def test_a_damaged_card_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pos-gru.json"
    path.write_text(content)
    with pytest.raises(CardError, match=r"the card pos-gru\.json cannot be read .* python -m seqmodels cards"):
        read_card(path)


def test_a_name_that_no_checkpoint_has_is_refused(folder: Path) -> None:
    from seqmodels.cards.measuring import make_cards

    with pytest.raises(ValueError, match="no checkpoint 'pos-lsmt'"):
        list(make_cards(folder, ["pos-lsmt"]))


def test_a_card_of_a_checkpoint_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    from seqmodels.cards.measuring import make_cards

    path = tmp_path / f"pos-gru{checkpoints.SUFFIX}"
    path.write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"pos-gru\.safetensors is damaged or cut short"):
        list(make_cards(tmp_path, ["pos-gru"]))


# those that ship


@pytest.fixture(scope="module")
def shipped() -> Iterator[dict[str, Card]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SEQMODELS_CHECKPOINTS", raising=False)
        yield {card.name: card for card in read_cards()}


def test_every_shipped_checkpoint_has_the_card_of_its_own_file(shipped: dict[str, Card]) -> None:
    names = {path.stem for path in (ROOT / "checkpoints").glob("*.safetensors")}
    assert shipped.keys() == names
    stale = [name for name, card in shipped.items() if card.sha256 != sha256_of(ROOT / "checkpoints" / f"{name}.safetensors")]
    assert not stale, "run python -m seqmodels cards"
    compared = [card.models for card in read_task_cards(ROOT / "checkpoints")]
    assert {name: sha256 for models in compared for name, sha256 in models.items()} == {
        name: card.sha256 for name, card in shipped.items()
    }


def test_the_shipped_cards_say_what_the_checkpoints_say(shipped: dict[str, Card]) -> None:
    for name, card in shipped.items():
        info = checkpoints.read_info(ROOT / "checkpoints" / f"{name}.safetensors")
        assert (card.seconds, card.parameters, card.config, card.recipe) == (
            info.seconds,
            info.parameters,
            info.config,
            info.recipe,
        )
        for split, scores in info.scores.items():
            for metric, score in scores.items():
                assert card.results[split].scores[metric] == pytest.approx(score, abs=0.05)


def test_the_shipped_pages_are_made_from_the_shipped_cards_and_small(shipped: dict[str, Card]) -> None:
    for name, card in shipped.items():
        assert (card_path(name, ROOT / "checkpoints").with_suffix(".md")).read_text(encoding="utf-8") == markdown.of(card)
    assert sum(path.stat().st_size for path in cards_folder(ROOT / "checkpoints").rglob("*") if path.is_file()) < 1e6


def test_the_shipped_probabilities_are_calibrated(shipped: dict[str, Card]) -> None:
    """Expected calibration error on test, over words: at most three points."""
    for card in shipped.values():
        [words] = [found for found in card.results["test"].calibrations if found.of != "entities"]
        assert words.error <= 3


@pytest.mark.parametrize("task", SHIPPED)
def test_the_shipped_differences_are_what_the_pages_show(task: str) -> None:
    agrees_with_the_pages(read_task_card(task_card_path(task, ROOT / "checkpoints")), ROOT / "checkpoints")


def test_the_rivals_are_those_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!seqmodels|system|---)(.*?) \| ([\d.]+) \| ([\d.]+)(?: \|)+$", readme, re.MULTILINE)
    assert rows
    told = {system: {"pos": float(accuracy), "ner": float(f1)} for system, accuracy, f1 in rows}
    assert told == {rival.system: dict(rival.figures) for rival in RIVALS}


@needs_corpora
def test_a_shipped_card_holds_what_is_measured_again(shipped: dict[str, Card]) -> None:
    card = shipped["ner-gru"]
    reading = TagReading.of(checkpoints.load("ner-gru"), TASKS["ner"].load("dev"))
    assert reading.result.tallies == card.results["dev"].tallies
    assert reading.result.confusion == card.results["dev"].confusion
    assert [error.count for error in reading.errors] == [error.count for error in card.errors]
