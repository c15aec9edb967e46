"""Names: begun from the memory of a language, drawn, switched half-way, saved and loaded."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from seqmodels import checkpoints
from seqmodels.cards import markdown
from seqmodels.cards.measuring import measure
from seqmodels.cells import CELLS
from seqmodels.checkpoints import CheckpointError
from seqmodels.cli import main
from seqmodels.corpora import CorpusError, Name
from seqmodels.data import Dataset
from seqmodels.inference import Sampling, continue_text, encode, next_words, score_prompt
from seqmodels.runs.probe import sample
from seqmodels.runs.settings import demo_settings
from seqmodels.runs.trainer import TrainingSetup
from seqmodels.tasks.names import NamesObjective, NamesTask
from seqmodels.text import EOS
from seqmodels.traces import (
    Switch,
    attribute,
    contributions,
    gap_probe,
    gradient_path,
    intervene,
    invent,
    law_error,
    retention,
    start_contributions,
    start_retention,
    trace,
    trace_passages,
    with_start,
)
from seqmodels.traces.switching import swapped
from seqmodels.training import Epoch, TrainConfig, fit
from seqmodels.vocab import NamesVocab
from tests.conftest import save_tiny
from tests.naming import LANGUAGES, NAMES, names_model, save_names

TEXT = "Ivanova"
EXACT = 1e-5  # of float32
TASK = NamesTask()


@pytest.fixture(params=CELLS)
def cell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# the initial memory


@pytest.mark.parametrize("layers", [1, 2])
def test_the_memory_before_the_first_letter_is_the_embedding_of_the_language(cell: str, layers: int, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell, layers=layers)
    row = model.model.initial_memory.weight[LANGUAGES.index("Russian")]  # type: ignore[union-attr,index]
    for layer in trace(model, TEXT).layers:
        np.testing.assert_array_equal(layer.start, row[layer.layer * 8 : layer.layer * 8 + 8])
        assert law_error(layer).max() < EXACT


@pytest.mark.parametrize("layers", [1, 2])
def test_contributions_with_that_of_the_initial_memory_sum_to_the_memory(cell: str, layers: int, tmp_path: Path) -> None:
    traced = trace(names_model(tmp_path, cell, layers=layers), TEXT)
    begun = with_start(traced)
    assert begun.tokens == ("Russian", *traced.tokens)
    for layer, longer in zip(traced.layers, begun.layers, strict=True):
        left = start_contributions(layer)
        assert law_error(longer).max() < EXACT
        for token in range(len(TEXT) + 1):
            wrote = contributions(layer, token)
            np.testing.assert_allclose(wrote.sum(axis=0) + left[token], layer.memory[token], atol=EXACT)
            np.testing.assert_allclose(contributions(longer, token + 1), [left[token], *wrote], atol=EXACT)
        np.testing.assert_allclose(start_retention(layer), retention(longer, 0)[1:], atol=EXACT)


def test_what_the_words_and_the_language_gave_sums_to_the_logit(cell: str, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell)
    given = attribute(model, with_start(trace(model, TEXT)), 4, "a")
    assert given.total.sum() + given.bias == pytest.approx(given.logit, abs=1e-4)


def test_a_trace_without_an_initial_memory_gets_no_column(tiny: dict[str, checkpoints.Checkpoint]) -> None:
    traced = trace(tiny["pos-gru"], "The old man.")
    assert with_start(traced).tokens == traced.tokens
    assert not start_contributions(traced.layers[0]).any()


@pytest.mark.parametrize("layers", [1, 2])
def test_every_way_to_read_begins_with_the_language(cell: str, layers: int, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell, layers=layers)
    traced = trace(model, TEXT)
    last = traced.layers[-1]
    logits = model.model.logits(torch.from_numpy(last.output))
    expected = torch.log_softmax(logits, dim=-1).numpy()
    np.testing.assert_allclose(next_words(model, TEXT).log_probabilities, expected[-1], atol=EXACT)
    np.testing.assert_allclose(next_words(model, "").log_probabilities, expected[0], atol=EXACT)
    ids = model.vocabulary.words.ids(TEXT)  # type: ignore[attr-defined]
    bits = [-expected[place, index] / math.log(2) for place, index in enumerate(ids)]
    np.testing.assert_allclose([token.surprisal for token in score_prompt(model, TEXT).tokens], bits, atol=1e-4)
    untouched = intervene(model, TEXT).trace
    for one, other in zip(traced.layers, untouched.layers, strict=True):
        np.testing.assert_allclose(one.memory, other.memory, atol=EXACT)
        np.testing.assert_array_equal(one.start, other.start)
    for layer in range(layers):
        stored = trace_passages(model, [list(TEXT), list("Ivan")], layer)
        np.testing.assert_allclose(stored.memory[: len(TEXT) + 1], traced.layers[layer].memory, atol=2e-3)  # in half precision


def test_the_gradient_and_the_gap_start_from_the_language_too(cell: str, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell)
    traced = trace(model, TEXT)
    path = gradient_path(model, traced, 3, layer=0, direction="forward")
    assert path.gradient[-1] == pytest.approx(1)
    if CELLS[cell].reads_output:  # else the memory is the only way, which the gates are
        assert np.isfinite(path.gradient).all()
    else:
        np.testing.assert_allclose(path.gradient, path.gates, atol=1e-6)
    probe = gap_probe(model, TEXT, 0, 4, filler="a", longest=3)
    np.testing.assert_allclose(probe.retention[0], retention(trace(model, TEXT[:4]).layers[0], 0)[4], atol=EXACT)


def test_languages_differ_in_the_initial_memory_alone(cell: str, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell)
    one, other = encode(model, TEXT), encode(model.given("Italian"), TEXT)
    assert torch.equal(one.inputs, other.inputs)
    assert not torch.equal(one.outputs[0], other.outputs[0])


# the objective


def test_the_loss_of_a_batch_is_that_of_its_names_one_by_one(cell: str, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell)
    names = NAMES[:6]
    nats = 0.0
    for name in names:
        begun = model.given(name.language)
        score = score_prompt(begun, name.text)
        end = next_words(begun, name.text)
        nats += sum(token.surprisal for token in score.tokens) * math.log(2) - end.log_probabilities[end.words.index(EOS)]
    found, letters = TASK.surprise(model.model, model.vocabulary, names)  # type: ignore[arg-type]
    assert letters == sum(len(name.text) + 1 for name in names)
    assert found == pytest.approx(nats, rel=1e-4)


def test_an_epoch_draws_each_language_by_a_power_of_its_number_of_names(tmp_path: Path) -> None:
    train = [Name(f"A{number}", "Large") for number in range(900)] + [Name(f"B{number}", "Small") for number in range(100)]
    vocabulary = NamesVocab.of((name.text for name in train), ("Large", "Small"))
    torch.manual_seed(3)
    objective = NamesObjective(TASK, vocabulary, train, [], 64, power=0.5)
    batches = objective.batches()
    drawn = [index for batch in batches for index in batch]
    assert len(drawn) == len(train)
    assert len(batches) == objective.steps
    assert sum(index >= 900 for index in drawn) == pytest.approx(250, abs=3)  # the root of 900 is three times that of 100
    counts = np.bincount(drawn, minlength=1000)
    assert set(counts[900:]) <= {2, 3}
    assert set(counts[:900]) <= {0, 1}


def test_a_model_learns_names_by_heart_and_which_language_has_which(cell: str) -> None:
    torch.manual_seed(0)
    vocabulary = TASK.vocabulary(NAMES)
    model = TASK.build(replace(TASK.model, cell=cell, hidden_size=32, embedding_size=16, dropout=0.0), vocabulary)
    objective = TASK.objective(model, vocabulary, NAMES, NAMES, TrainConfig(batch_size=9))
    reports = list(fit(model, objective, TrainConfig(epochs=80, learning_rate=0.02, patience=None)))
    best = [report.best_score for report in reports if isinstance(report, Epoch)][-1]
    assert best < 1.0  # which of the three names of its language it is, takes log2(3) bits for the name, a quarter bit a letter


def test_names_in_a_language_that_was_not_learned_from_are_not_scored() -> None:
    learned = [name for name in NAMES if name.language != "Japanese"]
    vocabulary = TASK.vocabulary(learned)
    torch.manual_seed(1)
    model = TASK.build(replace(TASK.model, hidden_size=8), vocabulary)
    scored = TASK.evaluate(model, vocabulary, NAMES)
    assert scored == TASK.evaluate(model, vocabulary, learned)
    assert scored.sentences == len(learned)
    first, second = (TASK.objective(model, vocabulary, learned, dev).score(model) for dev in (NAMES, learned))
    assert first == second
    japanese = [name for name in NAMES if name.language == "Japanese"]
    for use in (lambda: TASK.evaluate(model, vocabulary, japanese), lambda: TASK.objective(model, vocabulary, learned, japanese)):
        with pytest.raises(CorpusError, match="no name to check with is in a language of those to learn from"):
            use()


# drawing


@pytest.mark.parametrize("layers", [1, 2])
def test_a_name_ends_with_its_first_end(cell: str, layers: int, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell, layers=layers)
    drawn = [token.text for token in continue_text(model, "", max_tokens=200, sampling=Sampling(temperature=1.5, top_p=1))]
    assert EOS not in drawn[:-1]


def test_the_same_seed_invents_the_same_names_and_they_begin_with_the_prompt(tmp_path: Path) -> None:
    model = names_model(tmp_path, "gru")
    names = invent(model, 10, prompt="Iv", sampling=Sampling(seed=5))
    assert names == invent(model, 10, prompt="Iv", sampling=Sampling(seed=5))
    assert names != invent(model, 10, prompt="Iv", sampling=Sampling(seed=6))
    assert all(name.text.startswith("Iv") for name in names)
    assert len({name.text for name in names}) == 10
    assert len(invent(model, 10, sampling=Sampling(temperature=0))) == 1, "there is no other"


def test_names_that_were_learned_from_are_known(tmp_path: Path) -> None:
    vocabulary = names_model(tmp_path, "gru").vocabulary
    assert isinstance(vocabulary, NamesVocab)
    assert all(vocabulary.has_seen(name.text) for name in NAMES)
    assert vocabulary.has_seen("ivanov")
    assert not vocabulary.has_seen("Ivanovo")


@pytest.mark.parametrize("layers", [1, 2])
def test_swapped_for_itself_the_initial_memory_changes_nothing(cell: str, layers: int, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell, layers=layers)
    traced = trace(model, TEXT)
    for number, layer in enumerate(traced.layers):
        state = swapped(model, traced, model)
        np.testing.assert_allclose(state[-1][number, 0, 0], layer.memory[-1], atol=EXACT)
        np.testing.assert_allclose(state[0][number, 0, 0], layer.output[-1], atol=EXACT)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_swap_exchanges_what_is_left_of_one_initial_memory_for_as_much_of_the_other(
    cell: str, layers: int, tmp_path: Path
) -> None:
    model = names_model(tmp_path, cell, layers=layers)
    other = model.given("Italian")
    traced = trace(model, TEXT)
    state = swapped(model, traced, other)
    for number, layer in enumerate(traced.layers):
        kept = layer.mu.prod(axis=0)
        start = other.initial_state()
        assert start is not None
        wrote = contributions(layer, len(TEXT)).sum(axis=0)
        np.testing.assert_allclose(state[-1][number, 0, 0], wrote + kept * start[-1][number, 0, 0].numpy(), atol=EXACT)


@pytest.mark.parametrize("how", ["swap", "reread"])
def test_a_switch_stands_where_it_was_asked_for(cell: str, how: str, tmp_path: Path) -> None:
    model = names_model(tmp_path, cell)
    sampling = Sampling(temperature=1.5, top_p=1)
    plain = invent(model, 10, sampling=sampling)
    names = invent(model, 10, sampling=sampling, switch=Switch("Italian", 2, how))  # type: ignore[arg-type]
    for before, after in zip(plain, names, strict=True):
        assert after.text[:2] == before.text[:2]
        assert after.switched == (None if len(before.text) < 2 else 2)


def test_reread_a_name_goes_on_as_if_it_had_always_been_of_the_other_language(tmp_path: Path) -> None:
    model, sampling = names_model(tmp_path, "lstm"), Sampling(temperature=0)
    (name,) = invent(model, 1, prompt="Iva", sampling=sampling, switch=Switch("Italian", 3, "reread"))
    (other,) = invent(model.given("Italian"), 1, prompt="Iva", sampling=sampling)
    assert name.text == other.text


def test_in_a_cell_that_keeps_nothing_a_swap_changes_nothing(tmp_path: Path) -> None:
    model, sampling = names_model(tmp_path, "elman"), Sampling(temperature=0)
    (name,) = invent(model, 1, prompt="Iva", sampling=sampling, switch=Switch("Italian", 3, "swap"))
    (plain,) = invent(model, 1, prompt="Iva", sampling=sampling)
    assert name.text == plain.text


def test_while_it_is_trained_it_writes_a_name_in_each_language() -> None:
    settings = replace(demo_settings("names"), model=replace(TASK.model, hidden_size=8))
    setup = TrainingSetup.build(settings, Dataset(NAMES, {"dev": NAMES}, ("names",), "0" * 64))
    written = sample(setup, settings.probe)
    assert written is not None
    assert [line.partition(": ")[0] for line in written["text"].splitlines()] == list(LANGUAGES)
    assert all(line.partition(": ")[2].startswith(settings.probe) for line in written["text"].splitlines())


def test_a_card_has_the_figures_of_each_language(tmp_path: Path) -> None:
    model = checkpoints.load(save_names(tmp_path / "names-gru.safetensors", "gru"))
    card = measure(model, {"dev": NAMES, "test": NAMES[:7]})
    result = card.results["test"]
    assert result.banded_by == "language"
    assert [band.label for band in result.bands] == list(LANGUAGES)
    for band in result.bands:
        names = [name for name in NAMES[:7] if name.language == band.label]
        nats, letters = TASK.surprise(model.model, model.vocabulary, names)  # type: ignore[arg-type]
        assert band.tokens == letters
        assert band.nats == pytest.approx(nats, abs=0.01)
    page = markdown.of(card)
    assert "On test, by language:" in page
    assert 'continue_text(load("names-gru").given("Italian"), "")' in page


# errors


def test_without_a_language_or_with_an_unknown_one_the_choices_are_named(tmp_path: Path) -> None:
    model = checkpoints.load(save_names(tmp_path / "names-gru.safetensors", "gru"))
    for use in (trace, next_words, score_prompt):
        with pytest.raises(ValueError, match=r"names-gru begins with a language: choose one of Italian, Japanese, Russian"):
            use(model, TEXT)
    with pytest.raises(ValueError, match=r"names-gru knows no language 'Klingon': choose one of Italian, Japanese, Russian$"):
        model.given("Klingon")


def test_a_model_that_starts_from_zero_has_no_languages(tiny: dict[str, checkpoints.Checkpoint]) -> None:
    with pytest.raises(ValueError, match=r"lm-gru knows no condition 'Russian': it has none to choose from"):
        tiny["lm-gru"].given("Russian")
    with pytest.raises(ValueError, match="has learned no names"):
        invent(tiny["lm-gru"])


@pytest.mark.parametrize("bad", [{"after": 0}, {"how": "x"}])
def test_a_switch_that_cannot_be_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"after is 0|unknown way to switch 'x'"):
        Switch(**{"to": "Italian", "after": 3, **bad})  # type: ignore[arg-type]


def damaged(path: Path, **vocabulary: object) -> Path:
    """The file with other values in its vocabulary; None takes one out."""
    with safetensors.safe_open(path, framework="pt") as file:
        described = json.loads(file.metadata()["seqmodels"])
    described["vocabulary"] |= vocabulary
    described["vocabulary"] = {name: value for name, value in described["vocabulary"].items() if value is not None}
    safetensors.torch.save_file(safetensors.torch.load_file(path), path, {"seqmodels": json.dumps(described)})
    return path


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ({"conditions": ["Italian", "Russian"]}, "does not hold the model it describes.*initial_memory"),
        ({"conditions": [*LANGUAGES, "Klingon"]}, "does not hold the model it describes.*initial_memory"),
        ({"conditions": ["Italian", "Italian", "Russian"]}, "conditions: one of them stands there twice"),
        ({"conditions": []}, "conditions: there are none to begin a name with"),
        ({"conditions": None}, "conditions: there are none to begin a name with"),
        ({"conditions": [1, 2, 3]}, "conditions.0: 1 is no token"),
        ({"seen": None}, "seen: it is missing, or not in base64"),
        ({"seen": "?"}, "seen: it is missing, or not in base64"),
        ({"seen": 5}, "seen: it is missing, or not in base64"),
    ],
)
def test_a_file_whose_languages_are_not_those_of_its_embedding_is_refused(
    vocabulary: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = damaged(save_names(tmp_path / "names-gru.safetensors", "gru"), **vocabulary)
    with pytest.raises(CheckpointError, match=message):
        checkpoints.load(path)


def test_the_task_reads_no_file_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="reads no file of yours"):
        TASK.read(tmp_path / "x.txt")


# the command line


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    save_names(tmp_path / "names-gru.safetensors", "gru")
    return tmp_path


def test_generate_writes_a_name_of_a_language(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--task", "names", "--language", "Russian", "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["prompt"] == ""
    assert written["continuation"] == "".join(token["text"] for token in written["tokens"]).removesuffix(EOS)


@pytest.mark.parametrize("nothing", ["", " ", "\n\n"])
def test_an_empty_beginning_is_none(shelf: Path, nothing: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", "--task", "names", "--language", "Russian", "--json"]
    assert [main(arguments), main([*arguments, nothing])] == [0, 0]
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_a_model_of_no_names_takes_no_language(tmp_path: Path, shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tiny(tmp_path / "lm-gru.safetensors", "lm", "gru")
    assert main(["generate", "--language", "Russian", "The"]) == 2
    assert capsys.readouterr().err.strip() == "lm-gru begins with no language: leave --language out"


def test_the_command_line_lists_the_languages(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["generate"], ["trace", "--cell", "gru", TEXT]):
        assert main([*command, "--task", "names", "--language", "Klingon"]) == 2
        assert "knows no language 'Klingon': choose one of Italian, Japanese, Russian" in capsys.readouterr().err
    assert main(["generate", "--task", "names", "Iva"]) == 2
    assert "give --language, one of Italian, Japanese, Russian" in capsys.readouterr().err
    assert main(["generate", "--task", "names"]) == 2
    assert "give --language, one of Italian, Japanese, Russian" in capsys.readouterr().err


def test_the_ledger_lists_the_language_among_those_who_wrote(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["trace", "--task", "names", "--cell", "gru", "--language", "Russian", "--ledger", "--at", "3", TEXT]
    assert main(arguments) == 0
    assert "Russian" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    layer = json.loads(capsys.readouterr().out)["layers"][0]
    total = np.sum(layer["ledger"]["shares"], axis=0) + layer["ledger"]["start_share"]
    np.testing.assert_allclose(total, layer["memory"][3], atol=EXACT)
