"""A model's probabilities are made true by one temperature, which everything that reads the model goes by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from docs import calibrate
from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint
from seqmodels.data import files_dataset
from seqmodels.inference import Sampling, continue_text, next_words, score_prompt
from seqmodels.inference.encoding import as_language_model
from seqmodels.models import LanguageModel
from seqmodels.runs import trainer
from seqmodels.runs.settings import from_flat
from seqmodels.tasks import ModelConfig, Task, find_task
from seqmodels.text import EOS
from seqmodels.traces import attribute, gap_probe, trace
from seqmodels.vocab import LanguageVocab
from tests.naming import NAMES
from tests.running import interrupted, make

PARAGRAPHS = [list("the old man saw a dog and the dog saw him"), list("he saw it too"), list("nobody else did")] * 20
TEXT = "The old man the boats in Berlin"


def saying_shares(task: Task, dev: list[object], factor: float) -> tuple[LanguageModel, LanguageVocab]:
    """A model whose logits are those of each character's share of the text, times a factor: that is what has to divide them."""
    vocabulary = task.vocabulary(dev)
    assert isinstance(vocabulary, LanguageVocab)
    model = task.build(ModelConfig("gru", 4, embedding_size=4), vocabulary)
    assert isinstance(model, LanguageModel)
    came = torch.cat([came for _, came in task.predictions(model, vocabulary, dev)])  # type: ignore[attr-defined]
    counts = came.bincount(minlength=len(vocabulary.words)).float()
    model.requires_grad_(False)
    model.output_weight.zero_()
    model.output_bias.copy_(factor * counts.clamp(min=1e-6).log())
    return model, vocabulary


@pytest.mark.parametrize(("name", "dev"), [("char", PARAGRAPHS), ("names", NAMES)], ids=["char", "names"])
@pytest.mark.parametrize("factor", [0.7, 1.0, 1.04, 3.0])
def test_a_language_model_that_is_too_sure_or_too_little_is_calibrated(name: str, dev: list[object], factor: float) -> None:
    task = find_task(name)
    model, vocabulary = saying_shares(task, dev, factor)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    task.calibrate(model, vocabulary, dev)
    assert model.temperature == pytest.approx(factor, rel=2e-3)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    found = model.temperature
    task.calibrate(model, vocabulary, dev)
    assert model.temperature == found


@pytest.mark.parametrize("name", ["lm-gru", "lm-lstm"])
def test_to_calibrate_lowers_the_loss_on_dev_as_far_as_a_temperature_can(tiny: dict[str, Checkpoint], name: str) -> None:
    """On a text that the model writes when it is bolder than it says."""
    sampling = Sampling(1.5, top_p=1.0, careful=False, drafts=1)
    task, drawn = find_task("lm"), continue_text(tiny[name], "", max_tokens=500, sampling=sampling)
    dev = [text.split() for text in " ".join(token.text for token in drawn).split(EOS)]
    model, vocabulary = as_language_model(checkpoints.load(tiny[name].path))

    def loss(temperature: float) -> float:
        model.temperature = temperature
        return task.dev_score(model, vocabulary, dev).loss  # type: ignore[attr-defined]

    task.calibrate(model, vocabulary, dev)
    found = model.temperature
    assert 1.2 < found < 1.9
    assert loss(found) <= min(map(loss, (1.0, 0.97 * found, 1.03 * found)))


@pytest.mark.parametrize("name", ["lm-gru", "lm-lstm", "pos-gru", "ner-lstm"])
def test_the_logits_of_a_calibrated_checkpoint_are_divided_by_its_temperature(
    tiny: dict[str, Checkpoint], name: str, tmp_path: Path
) -> None:
    plain = checkpoints.load(tiny[name].path)
    plain.model.temperature = 1.0
    info = replace(plain.info, temperature=1.7)
    checkpoints.save(path := tmp_path / f"{name}.safetensors", plain.model, plain.vocabulary, info)
    calibrated = checkpoints.load(path)
    outputs = torch.randn(3, plain.model.output_weight.shape[1], generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(calibrated.model.logits(outputs), plain.model.logits(outputs) / 1.7)

    ends = (1, 4) if name[:2] == "lm" else (1, 3)
    before, after = gap_probe(plain, TEXT, *ends), gap_probe(calibrated, TEXT, *ends)
    assert after.logit == pytest.approx(before.logit / 1.7, rel=1e-5)
    assert after.effect == pytest.approx(before.effect / 1.7, abs=1e-6)
    given, now = (attribute(one, trace(one, TEXT), 3) for one in (plain, calibrated))
    assert now.total == pytest.approx(given.total / 1.7, rel=1e-5)
    assert now.logit == pytest.approx(given.logit / 1.7, rel=1e-5)


def test_what_is_said_of_the_next_word_is_what_a_text_is_scored_by(tiny: dict[str, Checkpoint]) -> None:
    loaded = checkpoints.load(tiny["lm-gru"].path)
    for temperature in (1.0, 1.7):
        loaded.model.temperature = temperature
        scored = score_prompt(loaded, "The old man").tokens[-1]
        found = next_words(loaded, "The old")
        assert scored.surprisal == pytest.approx(-found.log_probabilities[found.words.index("man")] / 0.6931472, rel=1e-5)


def test_a_trained_language_model_is_calibrated_before_it_is_scored(tmp_path: Path) -> None:
    text, output = tmp_path / "text.txt", tmp_path / "own.safetensors"
    text.write_text("the old man saw a dog and the dog saw him\n\n" * 8)
    settings = from_flat({"task": "lm", "cell": "gru", "hidden_size": "8", "epochs": "2"})
    list(trainer.train(settings, dataset := files_dataset("lm", text, text), output))
    loaded = checkpoints.load(output)
    assert loaded.info.temperature != 1
    assert loaded.task.evaluate(loaded.model, loaded.vocabulary, dataset.dev).figures == loaded.info.scores["dev"]
    loaded.model.temperature = 1.0
    plain = loaded.task.evaluate(loaded.model, loaded.vocabulary, dataset.dev).figures
    assert loaded.info.scores["dev"]["perplexity"] < plain["perplexity"]


@pytest.mark.usefixtures("own_folders")
def test_a_file_is_rewritten_with_a_temperature_and_the_scores_it_then_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    path = interrupted(make()).folder / "best.safetensors"
    before = checkpoints.load(path)

    def sets(task: Task, model: LanguageModel, *_: object) -> object:
        model.temperature = 2.0
        return before.info.span_odds

    monkeypatch.setattr(type(before.task), "calibrate", sets)
    calibrate.main([str(path)])
    after, content = checkpoints.load(path), path.read_bytes()
    assert (after.info.temperature, after.model.temperature) == (2, 2)
    assert all(torch.equal(value, after.model.state_dict()[name]) for name, value in before.model.state_dict().items())
    assert after.task.evaluate(after.model, after.vocabulary, after.task.load("dev")).figures == after.info.scores["dev"]
    calibrate.main([str(path)])
    assert path.read_bytes() == content
