"""Beside a score stands what gives it a meaning: how much of the text is unknown, how many entities there were."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint
from seqmodels.cli import main
from seqmodels.cli.show import figures
from seqmodels.corpora import TextFile, load_sentences
from seqmodels.data import load_dataset
from seqmodels.decoding import spans
from seqmodels.inference import score_prompt
from seqmodels.inference.encoding import as_tagger
from seqmodels.metrics import entity_scores
from seqmodels.runs import Notice, Upload, create, read_history, status, trainer, work
from seqmodels.runs.settings import from_flat
from seqmodels.tasks import DataConfig, find_task
from seqmodels.tasks.language import with_unknown
from seqmodels.tasks.tagging_probabilities import tag_probabilities
from seqmodels.text import normal
from seqmodels.vocab import LanguageVocab, TaggerVocab, tokens
from tests.conftest import needs_corpora, thorough_but
from tests.paging import LANGUAGE, TRAINING, opened, said
from tests.running import KEY, finish, interrupted

FILES = Path(__file__).with_name("fixtures") / "files"
LETTER = FILES / "short_letter.txt"


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, object], str]:
    assert main(["evaluate", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def test_a_huge_figure_is_given_by_its_power_of_ten() -> None:
    huge = {"perplexity": 1e300, "f1": 71.246, "gold_entities": 1234567, "unknown_share": 0.07041}
    assert figures(huge) == "perplexity 1e+300, f1 71.25, gold_entities 1,234,567, unknown_share 0.0704"


def test_a_perplexity_of_unknown_words_comes_with_their_share_and_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    found, told = evaluated(capsys, "--task", "lm", "--cell", "gru", "--corpus", str(FILES / "cyrillic.txt"))
    assert found["perplexity"] == pytest.approx(7.0, abs=0.01)
    assert found["unknown_share"] == 0.9  # all but the full stops
    assert told == "warning: 90% of the text is unknown to the model: the score says little of how well it reads such texts\n"


def test_beside_an_f1_stands_the_number_of_entities(capsys: pytest.CaptureFixture[str]) -> None:
    found, told = evaluated(capsys, "--task", "ner", "--cell", "gru", "--corpus", str(FILES / "short_types.txt"))
    assert (found["f1"], found["gold_entities"], found["unknown_share"]) == (100.0, 40, 0.0)
    assert not told


def test_a_shares_denominator_is_the_text_without_paragraph_ends(tiny: dict[str, Checkpoint]) -> None:
    loaded = tiny["lm-gru"]
    known = loaded.vocabulary.targets[-1]
    scores = loaded.task.evaluate(loaded.model, loaded.vocabulary, [[known, "zzzz"], [known, known]])
    assert (scores.tokens, scores.facts) == (6, {"unknown_share": 0.25})
    score = score_prompt(loaded, f"{known} zzzz\n\n{known} {known}")
    assert score.unknown_share == 0.25


def test_the_language_page_warns_beside_its_perplexity(tiny_checkpoints: Path) -> None:
    shown = said(opened(LANGUAGE, prompt="Сегодня утром комитет собрался"))
    assert "all unknown" in shown
    assert "100% of the text is unknown to the model" in shown
    assert "of the text is unknown" not in said(opened(LANGUAGE, prompt="the the"))


@pytest.fixture
def letter(own_folders: Path) -> Path:
    return LETTER


@pytest.mark.parametrize("task", ["lm", "char"])
def test_a_short_letter_makes_a_model_with_words(task: str, letter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")  # a run on a file of one's own is shown to its owner alone
    settings = from_flat({"task": task, "cell": "gru", "source": "file", "hidden_size": "8", "epochs": "2", "dev_share": "0.34"})
    run = create(settings, KEY, upload=Upload(letter.name, letter.read_bytes()))
    notices = [report.text for report in work(run.folder) if isinstance(report, Notice)]
    assert status(run).name == "finished", status(run).progress.message
    info = checkpoints.load(run.folder / "best.safetensors")
    assert len(info.vocabulary.targets) > 10
    share = info.info.scores["dev"]["unknown_share"]
    if task == "lm":
        assert share > 0.3
        assert any(f"{share:.0%} of the text is unknown" in notice for notice in notices)
    else:
        assert share < 0.3
        assert not any("unknown" in notice for notice in notices)
    assert [epoch["unknown_share"] for epoch in read_history(run).epochs] == pytest.approx([share, share], rel=1e-5)
    page = said(opened(TRAINING, run=run.id))
    assert ("of the text is unknown to the model" in page) == (task == "lm")


def test_a_run_that_goes_on_has_the_vocabulary_it_began_with(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = from_flat({"task": "lm", "cell": "gru", "source": "file", "hidden_size": "8", "epochs": "3", "dev_share": "0.34"})
    upload = Upload("own.txt", LETTER.read_bytes() + b"\n\n" + b"the garden and the river and the day\n\n" * 4)
    run = create(settings, KEY, upload=upload)
    with monkeypatch.context() as before:
        before.setattr(tokens, "LEAST_KNOWN", 0)  # as versions did that knew no smaller thresholds
        interrupted(run)
    began = checkpoints.load(run.folder / "best.safetensors").vocabulary.targets
    assert find_task("lm").vocabulary(load_dataset("lm", settings.data, upload_text(upload)).train).targets != began
    finish(run)
    assert status(run).name == "finished", status(run).progress.message
    assert checkpoints.load(run.folder / "best.safetensors").vocabulary.targets == began


def upload_text(upload: Upload) -> TextFile:
    return TextFile(upload.name, upload.content.decode())


def test_a_network_of_a_small_text_reads_unk_in_training() -> None:
    words = [f"w{number}" for number in range(30)] + ["often"] * 5
    vocabulary = LanguageVocab.build([words])
    stream = vocabulary.stream([words])
    read = with_unknown(stream, vocabulary.words.unk)
    assert not (stream == vocabulary.words.unk).any()
    assert int((read == vocabulary.words.unk).sum()) == 4  # every tenth of 30 words and the <eos>, all seen once
    assert torch.equal(read[read != vocabulary.words.unk], stream[read != vocabulary.words.unk])
    assert torch.equal(with_unknown(read, vocabulary.words.unk), read), "one that has some stays as it is"


@pytest.mark.thorough
@needs_corpora
@pytest.mark.parametrize(
    ("task", "config"),
    [
        ("pos", DataConfig()),
        ("ner", DataConfig(source="all")),
        ("pos", DataConfig(source="silver", sentences=500, dev_sentences=50)),
        ("lm", DataConfig(sentences=2000)),
        ("char", DataConfig(sentences=800)),
    ],
)
def test_of_real_corpora_the_usual_numbers_hold(task: str, config: DataConfig) -> None:
    found = find_task(task)
    train = load_dataset(task, config).train
    built = found.vocabulary(train)
    if isinstance(built, TaggerVocab):
        words = [word for sentence in train for word in sentence.words]
        counted = count([built.listed(word) for word in words], 2, built.words.tokens[:2])
        letters = count([letter for word in words for letter in normal(word)], 3, built.alphabet.tokens[:4])
        assert built.alphabet.tokens == letters
    else:
        counted = count([normal(word) for words in train for word in words], {"lm": 4, "char": 10}[task], built.targets[:2])
    assert built.to_json()["words"] == counted


def count(tokens: list[str], minimum: int, special: tuple[str, ...]) -> tuple[str, ...]:
    """Counted apart: those seen often enough, the most frequent first."""
    seen: dict[str, int] = {}
    for token in tokens:
        seen[token] = seen.get(token, 0) + 1
    kept = [token for token in seen if token and seen[token] >= minimum and token not in special]
    return (*special, *sorted(kept, key=lambda token: (-seen[token], token)))


@needs_corpora
@pytest.mark.parametrize("model", thorough_but(["ner-elman", "ner-gru", "ner-lstm", "demo"], "ner-gru"))
def test_f1_of_real_predictions_is_seqevals(model: str, tmp_path: Path) -> None:
    path = demo(tmp_path) if model == "demo" else checkpoints.find(model)
    tagger, vocabulary = as_tagger(checkpoints.load(path))
    items = load_sentences("uner", "dev")
    gold = [list(sentence.tags) for sentence in items]
    found = tag_probabilities(tagger, vocabulary, [sentence.words for sentence in items])
    # each token's own best, which breaks the rules of IOB2 here and there, and the best that keeps them
    loose = [[vocabulary.tags[tag] for tag in alone.argmax(axis=1)] for alone in found]
    strict = [[vocabulary.tags[tag] for tag in best] for best in tagger.rules(vocabulary.tags).best(found)]
    for guessed in (loose, strict):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            *theirs, _ = precision_recall_fscore_support(gold, guessed, average="micro")
        assert entity_scores(gold, guessed) == pytest.approx([100 * figure for figure in theirs], abs=1e-9)
    scores = find_task("ner").evaluate(tagger, vocabulary, items)
    assert scores.metrics["f1"] == pytest.approx(100 * theirs[2], abs=1e-9)
    assert scores.facts["gold_entities"] == sum(len(spans(tags)) for tags in gold)


def demo(folder: Path) -> Path:
    """A small tagger after one epoch over few sentences, with many mistakes."""
    settings = from_flat({"task": "ner", "cell": "gru", "hidden_size": "16", "epochs": "2", "learning_rate": "0.01"})
    data = load_dataset("ner", DataConfig(sentences=2000, dev_sentences=100))
    for _ in trainer.train(settings, data, folder / "demo.safetensors"):
        pass
    return folder / "demo.safetensors"
