"""What a sentence costs: what its words cost, whatever stands beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import Sentence, load_sentences
from seqmodels.inference.encoding import as_tagger
from seqmodels.models import Tagger
from seqmodels.recurrence import State
from seqmodels.tasks import find_task
from seqmodels.tasks.batching import BUDGET, CONTEXT, LONGEST, batches, pieces
from seqmodels.tasks.tagging_objective import LONGEST_TRAINED, TaggingObjective
from seqmodels.tasks.tagging_probabilities import tag_probabilities
from seqmodels.vocab import TaggerBatch

SHORT = "Dogs bark at Bob in Rome .".split()
LONG = [word for number in range(2500) for word in f"Dogs bark at Bob {number} times in Rome".split()]  # 20,000 words
GIGABYTE = 2**20  # KiB


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 200))
def test_batches_hold_each_once_and_are_within_the_budget(lengths: list[int], budget: int) -> None:
    found = list(batches(lengths, budget))
    assert sorted(index for batch in found for index in batch) == [*range(len(lengths))]
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


@pytest.mark.parametrize("tokens", [1, LONGEST, LONGEST + 1, 5 * LONGEST, 20_000])
def test_pieces_hold_each_token_once_with_context_on_both_sides(tokens: int) -> None:
    whole = range(tokens)
    found = pieces(tokens)
    assert [token for piece in found for token in whole[piece.read][piece.kept]] == [*whole]
    assert all(piece.length <= LONGEST + 2 * CONTEXT for piece in found)
    assert all(piece.kept.start == CONTEXT for piece in found[1:])
    assert all(piece.length - piece.kept.stop == CONTEXT for piece in found[:-1])
    assert (len(found) == 1) == (tokens <= LONGEST)


def test_a_sentence_that_is_not_too_long_is_read_whole(tiny: dict[str, Checkpoint]) -> None:
    model, vocabulary = as_tagger(tiny["pos-lstm"])
    words = LONG[:LONGEST]
    whole = torch.softmax(model(vocabulary.encode([words])), dim=-1)[0]
    np.testing.assert_allclose(tag_probabilities(model, vocabulary, [words])[0], whole.numpy(), atol=1e-6)


@pytest.mark.parametrize("name", ["pos-gru", "pos-lstm", "ner-gru", "ner-lstm"])
def test_pieces_give_nearly_the_tags_of_the_whole(name: str) -> None:
    model, vocabulary = as_tagger(checkpoints.load(name))
    words = [word for sentence in load_sentences("famous", "train") for word in sentence.words][:6000]
    rules = model.rules(vocabulary.tags)
    whole = torch.softmax(model(vocabulary.encode([words])), dim=-1)[0].numpy()
    in_pieces, in_one = rules.best([tag_probabilities(model, vocabulary, [words])[0], whole])
    assert np.mean(np.array(in_pieces) != in_one) < 0.002


def test_the_network_reads_little_more_than_the_words(tiny: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch) -> None:
    model, vocabulary = as_tagger(tiny["ner-gru"])
    read: list[TaggerBatch] = []
    states = model.states

    def counted(batch: TaggerBatch, state: State | None = None) -> tuple[Tensor, State]:
        read.append(batch)
        return states(batch, state)

    monkeypatch.setattr(model, "states", counted)
    monkeypatch.setattr(model, "known", None)  # as on a graphics card: where words are known, nothing is padded
    sentences = [*[SHORT] * 32, LONG, *[SHORT] * 31]
    found = tag_probabilities(model, vocabulary, sentences)
    assert [len(one) for one in found] == [len(words) for words in sentences]
    assert sum(batch.words.numel() for batch in read) < 1.3 * sum(map(len, sentences))
    assert max(batch.words.numel() for batch in read) <= BUDGET


def test_in_training_too_a_long_sentence_costs_what_its_words_cost() -> None:
    task = find_task("pos")
    sentences = [Sentence(tuple(words), ("NOUN",) * len(words), ("X",) * len(words)) for words in ([SHORT] * 63 + [LONG])]
    vocabulary = task.vocabulary(sentences)
    model = task.build(task.demo.model, vocabulary)
    assert isinstance(model, Tagger)
    objective = task.objective(model, vocabulary, sentences, sentences[:1])
    assert isinstance(objective, TaggingObjective)
    assert sum(len(sentence.words) for sentence in objective.train) == 63 * len(SHORT) + len(LONG)
    lengths = [[len(objective.train[index].words) for index in batch] for batch in objective.batches()]
    assert len(lengths) == objective.steps
    assert max(map(max, lengths)) <= LONGEST_TRAINED
    assert np.isfinite(objective.loss(model, objective.batches()[0], {}).mean.item())


@pytest.mark.thorough
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")
@pytest.mark.parametrize("door", ["tag", "evaluate"])
def test_a_very_long_line_among_short_ones_needs_less_than_a_gigabyte(door: str, tmp_path) -> None:
    sentences = [*[SHORT] * 32, LONG, *[SHORT] * 31]  # read at once they would take six
    path = tmp_path / "long.txt"
    if door == "tag":
        path.write_text("\n\n".join(map(" ".join, sentences)))
        arguments = ["tag", "-"]
    else:
        path.write_text(
            "\n\n".join("\n".join(f"{word}\tO" if word != "Bob" else "Bob\tB-PER" for word in words) for words in sentences)
        )
        arguments = ["evaluate", "--corpus", str(path)]
    code = (
        "import re, sys; from seqmodels.cli import main;"
        f"assert main({[*arguments, '--task', 'ner', '--cell', 'gru', '--json']}) == 0;"
        # not getrusage: its maximum is also that of the process which this one was forked from
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)"
    )
    with path.open() as source:
        done = subprocess.run([sys.executable, "-c", code], stdin=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split()[-1]) < GIGABYTE
