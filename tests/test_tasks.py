"""Tasks: what a model of each is made of, the character model, and the memory tasks."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from seqmodels import checkpoints
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint, CheckpointInfo
from seqmodels.corpora import ENTITY_TAGS, Sentence
from seqmodels.decoding import LEAST_TOKEN, SpanOdds, scheme
from seqmodels.inference import Sampling, continue_text, next_words, score_prompt, tag
from seqmodels.inference.encoding import as_language_model
from seqmodels.models import CharacterEncoder, LanguageModel, SequenceReader, Tagger
from seqmodels.tasks import TASKS, MemoryTask, TagTask, Task, find_task, tasks_that_predict
from seqmodels.tasks.base import ModelConfig
from seqmodels.tasks.language import LanguageObjective, LanguageTask
from seqmodels.tasks.tagging_probabilities import FEWEST_SPANS, span_odds
from seqmodels.text import EOS
from seqmodels.traces import trace
from seqmodels.training import Epoch, TrainConfig, fit
from seqmodels.vocab import CharacterVocab, TaggerBatch, TaggerVocab, Vocabulary, pad
from tests.conftest import SHIPPED
from tests.naming import NAMES

LANGUAGE = tasks_that_predict("next token")
MEMORY = tasks_that_predict("answer")

PARAGRAPHS = ["The people know it.", "They know the state of the union, and the people."] * 5


def made(task: str, path: Path, vocabulary: Vocabulary, **model: Any) -> Checkpoint:
    """A small model of the task, through a file."""
    config = replace(TASKS[task].model, hidden_size=6, **model)
    torch.manual_seed(1)
    network = find_task(task).build(config, vocabulary)
    info = CheckpointInfo(
        task=task,
        cell=config.cell,
        config=asdict(config),
        parameters=sum(value.numel() for value in network.parameters()),
        corpus=("own",),
        corpus_hash="0" * 64,
        recipe={},
        seed=1,
        epochs=1,
        scores={},
        temperature=1.0,
        versions=checkpoints.versions(),
    )
    checkpoints.save(path, network, vocabulary, info, dtype=torch.float32)
    loaded = checkpoints.load(path)
    for name, value in network.state_dict().items():
        assert torch.equal(value, loaded.model.state_dict()[name])
    return loaded


@pytest.fixture
def character_model(tmp_path: Path) -> Checkpoint:
    vocabulary = CharacterVocab.build([list(text) for text in PARAGRAPHS], minimum=1)
    return made("char", tmp_path / "own.safetensors", vocabulary)


def test_every_shipped_task_is_a_task() -> None:
    assert set(SHIPPED) < set(TASKS)


# ---- settings of a model


@pytest.mark.parametrize(
    "bad",
    [
        {"hidden_size": 0},
        {"hidden_size": 100_000},
        {"layers": 0},
        {"dropout": 1.0},
        {"word_size": 0},
        {"embedding_size": -1},
        {"initialization": "zeros"},
        {"gain": 0.0},
        {"gain": math.nan},
        {"forget_bias": math.inf},
    ],
)
def test_a_model_setting_out_of_range_is_named(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        ModelConfig(**{"cell": "lstm", "hidden_size": 8, **bad})


@pytest.mark.parametrize(
    ("bad", "advice"),
    [
        ({"cell": "gur"}, "choose one of elman"),
        ({"cell": "gru", "activation": "relu"}, "choose tanh"),
        ({"cell": "gru", "forget_bias": 1.0}, "lstm"),
    ],
)
def test_settings_that_do_not_go_together_say_what_does(bad: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        ModelConfig(**{"hidden_size": 8, **bad})


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_tagger_is_as_large_as_its_settings_say(tiny: dict[str, Checkpoint], cell: str, bidirectional: bool) -> None:
    vocabulary = tiny["pos-gru"].vocabulary
    config = ModelConfig(cell, 7, bidirectional=bidirectional, word_size=5, character_size=3, spelling_size=4)
    model = find_task("pos").build(config, vocabulary)
    assert isinstance(model, Tagger)
    assert model.recurrent.weights(0).input.shape[1] == 5 + 4
    assert model.head.in_features == (14 if bidirectional else 7)


def test_a_tagger_that_reads_forward_only_tags_and_is_traced(tiny: dict[str, Checkpoint], tmp_path: Path) -> None:
    loaded = made("pos", tmp_path / "own.safetensors", tiny["pos-gru"].vocabulary, bidirectional=False)
    assert [token.text for token in tag(loaded, "The old man.").tokens] == ["The", "old", "man", "."]
    assert [layer.direction for layer in trace(loaded, "The old man.").layers] == ["forward"]


def test_a_forward_tagger_does_not_know_what_comes_after(tiny: dict[str, Checkpoint]) -> None:
    vocabulary = tiny["pos-gru"].vocabulary
    model = find_task("pos").build(ModelConfig("gru", 7, bidirectional=False), vocabulary).eval()
    short, long = (model(vocabulary.encode([words]))[0, :2] for words in (["The", "man"], ["The", "man", "boats", "."]))
    torch.testing.assert_close(short, long)


@pytest.mark.parametrize("task", LANGUAGE)
@pytest.mark.parametrize("embedding_size", [None, 3])
def test_a_language_model_has_an_output_layer_of_its_own_with_an_embedding_of_its_own(
    task: str, embedding_size: int | None
) -> None:
    items: list[Any] = NAMES if find_task(task).condition else [list("abcabc") * 10]
    vocabulary = find_task(task).vocabulary(items)
    model = find_task(task).build(ModelConfig("gru", 6, embedding_size=embedding_size), vocabulary)
    assert isinstance(model, LanguageModel)
    assert (model.output_weight is model.embedding.weight) == (embedding_size is None)
    assert model.output_weight.shape[1] == 6
    assert model.logits(torch.zeros(1, 6)).shape == (1, len(vocabulary.targets))


@pytest.mark.parametrize("task", ["pos", "lm", "adding"])
def test_a_model_begins_as_its_settings_say(tiny: dict[str, Checkpoint], task: str) -> None:
    found = TASKS[task]
    vocabulary = found.vocabulary([]) if task == "adding" else tiny[f"{task}-gru"].vocabulary
    model = found.build(ModelConfig("lstm", 4, initialization="identity", gain=2.0, forget_bias=3.0), vocabulary)
    assert isinstance(model, Tagger | LanguageModel | SequenceReader)
    weights = model.recurrent.weights(0)
    assert torch.equal(weights.hidden[:4], 2 * torch.eye(4))
    assert weights.input_bias.tolist() == [0.0] * 4 + [3.0] * 4 + [0.0] * 8


# ---- characters


def test_characters_and_their_offsets_give_the_text_back() -> None:
    vocabulary = CharacterVocab.build([list(text) for text in PARAGRAPHS], minimum=1)
    text = "  The  state\n\nof\tit "
    read = vocabulary.read(text)
    assert [token.text for token in read] == [*"The state", EOS, *"of it "]
    assert all(text[token.start : token.end].split() == token.text.split() for token in read if token.text != EOS)
    assert vocabulary.join([token.text for token in read]) == "The state\n\nof it "


def test_a_sample_of_characters_joins_without_spaces(character_model: Checkpoint) -> None:
    drawn = list(continue_text(character_model, "The ", max_tokens=20, sampling=Sampling(seed=3)))
    assert all(len(token.text) == 1 or token.text == EOS for token in drawn)
    assert isinstance(character_model.vocabulary, CharacterVocab)
    extended = character_model.vocabulary.extend("The ", [token.text for token in drawn])
    assert extended == "The " + "".join(token.text.replace(EOS, "\n\n") for token in drawn)
    assert "<unk>" not in extended


def test_a_character_model_scores_and_traces_each_character(character_model: Checkpoint) -> None:
    score = score_prompt(character_model, "The union")
    assert "".join(token.text for token in score.tokens) == "The union"
    assert math.log2(score.perplexity) == pytest.approx(sum(token.surprisal for token in score.tokens) / 9)
    assert trace(character_model, "The union").tokens == (EOS, *"The union")
    assert len(next_words(character_model, "The").words) == len(character_model.targets)


def test_bits_per_character_are_the_binary_logarithm_of_the_perplexity(character_model: Checkpoint) -> None:
    items = [list(text) for text in PARAGRAPHS]
    scores = find_task("char").evaluate(character_model.model, character_model.vocabulary, items)
    assert scores.tokens == sum(len(text) + 1 for text in PARAGRAPHS)
    assert scores.metrics["bits_per_character"] == pytest.approx(math.log2(scores.metrics["perplexity"]))


def test_a_text_to_score_is_read_on_for_so_many_tokens(tiny: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch) -> None:
    task = find_task("lm")
    model, vocabulary = as_language_model(tiny["lm-gru"])
    assert isinstance(task, LanguageTask)
    paragraphs = [["the", "people", "know", "it", "."], ["the", "state", "of", "the", "union", "."]] * 4
    stream = vocabulary.stream(paragraphs)
    monkeypatch.setattr(LanguageTask, "context", 20)  # of 52 tokens: two parts side by side, each from an empty memory
    nats, tokens = task.surprise(model, vocabulary, paragraphs)
    before = torch.cat([torch.tensor([vocabulary.eos]), stream[:-1]])
    parts = [
        F.cross_entropy(model(before[part][None])[0][0], stream[part], reduction="sum").item()
        for part in (slice(26), slice(26, None))
    ]
    assert tokens == len(stream)
    assert nats == pytest.approx(sum(parts), rel=1e-5)


def test_a_window_may_be_read_from_an_empty_memory(tiny: dict[str, Checkpoint]) -> None:
    model, vocabulary = as_language_model(tiny["lm-lstm"])
    paragraphs = [["the", "people", "know", "it", "."]] * 60
    objective = find_task("lm").objective(model, vocabulary, paragraphs, paragraphs, TrainConfig(batch_size=2))
    assert isinstance(objective, LanguageObjective)
    begun = objective.loss(model, 0, {}).hidden_state
    empty = objective.loss(model, objective.window, {}).mean.item()
    for share in (0.0, 1.0):
        loss = replace(objective, restarts=share).loss(model, objective.window, begun).mean.item()
        assert (loss == empty) is (share == 1)


def test_a_character_model_learns_a_text_by_heart() -> None:
    task, items = find_task("char"), [list("abcdefgh" * 30)]
    torch.manual_seed(0)
    vocabulary = task.vocabulary(items)
    model = task.build(ModelConfig("gru", 16, embedding_size=8), vocabulary)
    objective = task.objective(model, vocabulary, items, items[:1], TrainConfig(batch_size=4))
    list(fit(model, objective, TrainConfig(epochs=40, learning_rate=0.02, patience=None)))
    assert task.evaluate(model, vocabulary, items[:1]).metrics["bits_per_character"] < 0.3


# ---- memory tasks


@pytest.mark.parametrize("name", MEMORY)
def test_sequences_follow_from_their_seed_and_splits_differ(name: str) -> None:
    task = TASKS[name]
    assert isinstance(task, MemoryTask)
    one, same, other, dev = (
        torch.stack([item.inputs for item in task.split(split, 12, 20, seed)])
        for split, seed in (("train", 1), ("train", 1), ("train", 2), ("dev", 1))
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, dev)


@pytest.mark.parametrize("length", [2, 3, 51])
def test_the_answer_of_the_adding_problem_is_the_sum_of_the_two_marked_numbers_one_in_each_half(length: int) -> None:
    task = TASKS["adding"]
    assert isinstance(task, MemoryTask)
    for item in task.split("train", length, 50):
        values, marks = item.inputs.unbind(1)
        assert len(values) == length
        assert marks[: length // 2].sum() == marks[length // 2 :].sum() == 1
        assert float(item.target) == pytest.approx(float(values[marks == 1].sum()))


def test_always_answering_one_errs_by_a_sixth_in_the_adding_problem() -> None:
    task = TASKS["adding"]
    assert isinstance(task, MemoryTask)
    targets = torch.stack([item.target for item in task.split("train", 10, 5000)])
    assert task.metrics(torch.ones(5000, 1), targets)["mse"] == pytest.approx(1 / 6, rel=0.05)


def test_the_symbol_to_recall_comes_first_and_nowhere_else() -> None:
    task = TASKS["recall"]
    assert isinstance(task, MemoryTask)
    for item in task.split("train", 30, 50):
        symbols = item.inputs.argmax(dim=1)
        assert len(symbols) == 31
        assert symbols[0] == item.target < 8
        assert (symbols[1:] >= 8).all()


@pytest.mark.parametrize("length", [0, 100_000])
def test_a_length_out_of_range_is_refused(length: int) -> None:
    task = TASKS["recall"]
    assert isinstance(task, MemoryTask)
    with pytest.raises(ValueError, match="length"):
        task.split("train", length)


@pytest.mark.parametrize("name", MEMORY)
def test_a_memory_task_reads_no_file(name: str) -> None:
    with pytest.raises(ValueError, match="makes its own"):
        TASKS[name].read(Path("x"))


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_learns_to_recall_over_a_short_distance(cell: str) -> None:
    task = TASKS["recall"]
    assert isinstance(task, MemoryTask)
    train, dev = task.split("train", 2, 600), task.split("dev", 2, 100)
    torch.manual_seed(0)
    vocabulary = task.vocabulary(train)
    model = task.build(ModelConfig(cell, 24), vocabulary)
    objective = task.objective(model, vocabulary, train, dev, TrainConfig(batch_size=32))
    reports = list(fit(model, objective, TrainConfig(epochs=12, learning_rate=0.02, patience=None)))
    best = [report.best_score for report in reports if isinstance(report, Epoch)][-1]
    assert best > 95


@pytest.mark.parametrize("name", MEMORY)
def test_a_memory_model_is_saved_and_loaded_and_says_that_it_reads_no_text(name: str, tmp_path: Path) -> None:
    task = TASKS[name]
    assert isinstance(task, MemoryTask)
    loaded = made(name, tmp_path / "own.safetensors", task.vocabulary([]))
    assert find_task(name).evaluate(loaded.model, loaded.vocabulary, task.split("dev", 5, 20)).sentences == 20
    assert [listed.problem for listed in checkpoints.list_checkpoints(tmp_path)] == [None]
    for use in (tag, trace, next_words, score_prompt):
        with pytest.raises(ValueError, match="a memory task, which reads no text"):
            use(loaded, "The old man.")


@pytest.mark.parametrize(("noise", "titles"), [(0.0, 0.0), (0.4, 0.0), (1.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.4, 0.2)])
def test_so_large_a_share_of_the_sentences_is_learned_from_in_another_case(
    noise: float, titles: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TagTask, "casing_noise", noise)
    monkeypatch.setattr(TagTask, "title_noise", titles)
    task = TagTask()
    items = [Sentence(("New", "iPhone", "is", "large"), ("PROPN", "PROPN", "AUX", "ADJ"))] * 400
    vocabulary = task.vocabulary(items)
    model = task.build(ModelConfig("gru", 2, word_size=2, character_size=2, spelling_size=2), vocabulary)
    objective = task.objective(model, vocabulary, items, items[:1], TrainConfig(batch_size=400))
    read: list[tuple[str, ...]] = []
    encode = TaggerVocab.encode

    def noted(self: TaggerVocab, sentences: Sequence[Sequence[str]]) -> TaggerBatch:
        read.extend(map(tuple, sentences))
        return encode(self, sentences)

    monkeypatch.setattr(TaggerVocab, "encode", noted)
    torch.manual_seed(2)
    objective.loss(model, list(range(400)), {})
    counts = Counter(read)
    others = [("new", "iphone", "is", "large"), ("NEW", "IPHONE", "IS", "LARGE"), ("New", "IPhone", "Is", "Large")]
    assert counts.keys() <= {items[0].words, *others}
    changed = noise + titles
    assert sum(counts[words] for words in others) == pytest.approx(400 * changed, abs=45 if 0 < changed < 1 else 0)
    assert counts[others[2]] == pytest.approx(400 * (titles + 0.12 * noise), abs=45 if 0 < changed < 1 else 25)
    if noise:
        assert counts[others[0]] > counts[others[1]] > 0
        assert counts[others[2]] > 0


@pytest.mark.parametrize("many", [1, 20])
@pytest.mark.parametrize("training", [True, False])
def test_a_word_is_spelled_the_same_whatever_words_are_read_beside_it(training: bool, many: int) -> None:
    torch.manual_seed(4)
    encoder = CharacterEncoder(20, 5, 7).train(training)
    words = [[2, *torch.randint(4, 20, (length,)).tolist(), 3] for length in (0, 1, 30, 4, 5, 7, 8, 10, 11, 1) * many]
    together = encoder(pad(words))
    apart = torch.cat([encoder(torch.tensor([word])) for word in words])
    torch.testing.assert_close(together, apart)


def test_a_loaded_model_that_is_trained_on_spells_by_its_new_weights(tiny_folder: Path) -> None:
    model = checkpoints.load(tiny_folder / "pos-gru.safetensors").model
    encoder, word = model.get_submodule("spelling"), torch.tensor([[2, 4, 5, 3]])
    before = encoder(word)
    assert encoder.kept is not None
    model.train()
    with torch.no_grad():
        encoder.get_parameter("convolution.weight").mul_(2)
    model.eval()
    assert not torch.allclose(encoder(word), before)
    torch.testing.assert_close(encoder(word), encoder.train()(word))


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_a_run_on_few_items_has_more_epochs_and_one_on_many_the_usual(task: Task) -> None:
    assert task.demo.training_for(None) == task.demo.training_for(10**6) == task.demo.training
    few = task.demo.training_for(100)
    assert few.epochs > 2 * task.demo.training.epochs
    assert (few.patience is None) == (task.demo.training.patience is None)


def test_a_baseline_is_the_best_score_of_an_answer_that_reads_nothing() -> None:
    adding, recall = TASKS["adding"], TASKS["recall"]
    assert adding.baseline(None, adding.load("train"), adding.load("dev")) == pytest.approx(1 / 6, abs=0.03)
    assert recall.baseline(None, recall.load("train"), recall.load("dev")) == pytest.approx(100 / 8, abs=4)
    train = [Sentence(("a", "b"), ("DET", "NOUN")), Sentence(("c",), ("NOUN",))]
    dev = [Sentence(("x", "y", "z"), ("NOUN", "NOUN", "DET"))]
    assert TASKS["pos"].baseline(None, train, dev) == pytest.approx(200 / 3)
    assert TASKS["ner"].baseline(None, [Sentence(("a",), ("O",))], [Sentence(("b",), ("B-PER",))]) == 0
    assert TASKS["pos"].beats(71, 200 / 3)
    assert not TASKS["ner"].beats(1.5, 0)
    assert not adding.beats(0.166, 1 / 6)


def test_a_character_model_that_reads_nothing_knows_how_often_each_comes() -> None:
    task = TASKS["char"]
    train = [list("aaab")] * 50
    bits = task.baseline(task.vocabulary(train), train, train)
    shares = (3 / 5, 1 / 5, 1 / 5)  # of a, of b, and of the end of a paragraph
    assert bits == pytest.approx(-sum(share * math.log2(share) for share in shares), abs=0.1)


def test_the_odds_of_entities_are_found_again() -> None:
    """Of entities that are right as often as their odds say, and tags that say nothing of it."""
    rules, truth = scheme(ENTITY_TAGS), SpanOdds(0.6, -0.4)
    chance = np.random.default_rng(5)
    person, nothing = ENTITY_TAGS.index("B-PER"), ENTITY_TAGS.index("O")
    sentences, shares = [], []
    for sure in chance.uniform(0.55, 0.999, size=6000):
        alone = np.zeros((1, len(ENTITY_TAGS)), dtype=np.float32)
        alone[0, [person, nothing]] = sure, 1 - sure
        shares.append(alone)
        sentences.append(Sentence(("Ada",), ("B-PER" if chance.random() < truth.probability([sure]) else "O",)))
    found = span_odds(rules, sentences, shares)
    assert found.scale == pytest.approx(truth.scale, abs=0.1)
    assert found.shift == pytest.approx(truth.shift, abs=0.15)
    assert span_odds(rules, sentences[: FEWEST_SPANS - 1], shares[: FEWEST_SPANS - 1]) == LEAST_TOKEN
