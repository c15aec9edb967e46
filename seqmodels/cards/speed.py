"""How fast a model reads or writes on one thread, beside a rival in the same run."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from statistics import median
from typing import Any

import spacy
import torch
from spacy.tokens import Doc
from spacy.training import Example

from seqmodels import inference
from seqmodels.cards.reading import tags_of
from seqmodels.cards.record import Speed
from seqmodels.checkpoints import Checkpoint

ROUNDS = 9
READ = 6_000  # words of a round
WRITTEN = 300
PROMPT = "The "

# the network of en_core_web_sm 3.8, by its published configuration
_SM = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 96,
        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE", "SPACY", "IS_SPACE"],
        "rows": [5000, 1000, 2500, 2500, 50, 50],
        "include_static_vectors": False,
    },
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": 96,
        "depth": 4,
        "window_size": 1,
        "maxout_pieces": 3,
    },
}
_PARSER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 64,
    "maxout_pieces": 2,
    "use_upper": True,
}


def measure(checkpoint: Checkpoint, sentences: Sequence[Sequence[str]] = ()) -> Speed:
    """The median of ROUNDS: of taggers on sentences of words to their tags, each round on others; of language models
    as they write.

    Counted is the time of the processor, so that what else the machine does matters little.
    """
    with _one_thread():
        if checkpoint.task.predicts == "tags":
            return _read(checkpoint, _portions(sentences))
        return _written(checkpoint)


def _read(checkpoint: Checkpoint, portions: list[list[list[str]]]) -> Speed:
    name, rival = _rival(checkpoint)
    blank = spacy.blank("en").vocab
    ours, ratios = [], []
    for sentences in islice(cycle(portions), ROUNDS):  # others than before, whose words are known
        count = sum(map(len, sentences))
        docs = [Doc(blank, words=words) for words in sentences]
        seconds = _took(partial(tags_of, checkpoint, sentences))
        ours.append(count / seconds)
        ratios.append(_took(lambda docs=docs: list(rival.pipe(docs, batch_size=128))) / seconds)  # type: ignore[misc]
    return Speed(_rounded(median(ours)), ROUNDS, "words read", machine(), name, _rounded(median(ratios)))


def _written(checkpoint: Checkpoint) -> Speed:
    unit = checkpoint.task.unit
    drawn = [count / seconds for count, seconds in (_write(checkpoint, seed) for seed in range(ROUNDS))]
    return Speed(_rounded(median(drawn)), ROUNDS, f"{unit}s written", machine())


def _write(checkpoint: Checkpoint, seed: int) -> tuple[int, float]:
    started, count = time.process_time(), 0
    for number in range(WRITTEN):  # names are short: one after the other, in one language after the other
        begun = (
            checkpoint.given(checkpoint.conditions[number % len(checkpoint.conditions)]) if checkpoint.conditions else checkpoint
        )
        sampling = inference.Sampling(seed=seed + ROUNDS * number, drafts=1)  # every word that is drawn stands
        count += len(list(inference.continue_text(begun, PROMPT, max_tokens=WRITTEN - count, sampling=sampling)))
        if count >= WRITTEN:
            break
    return count, time.process_time() - started


def _rival(checkpoint: Checkpoint) -> tuple[str, Any]:
    """spaCy's component for the same work at the size of its small English model. It is not trained, which takes no less time."""
    nlp = spacy.blank("en")
    labels = sorted({tag.rpartition("-")[2] for tag in checkpoint.targets} - {"O"})
    doc = nlp.make_doc("a small example")
    if any(tag.startswith("B-") for tag in checkpoint.targets):
        pipe: Any = nlp.add_pipe("ner", config={"model": {**_PARSER, "tok2vec": _SM}})
        example = Example.from_dict(doc, {"entities": []})
    else:
        pipe = nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": _SM}})
        example = Example.from_dict(doc, {"tags": labels[:1] * len(doc)})
    for label in labels:
        pipe.add_label(label)
    nlp.initialize(lambda: [example])
    return f"spaCy {spacy.__version__} {pipe.name} of en_core_web_sm's size", pipe


def machine() -> str:
    """What it was measured on, without names."""
    release = torch.__version__.partition("+")[0]
    return f"one thread ({platform.machine()}, {platform.system()}, PyTorch {release})"


def _took(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _portions(sentences: Sequence[Sequence[str]]) -> list[list[list[str]]]:
    """Sentences in portions of READ words, or one that is smaller if there are no more."""
    found: list[list[list[str]]] = [[]]
    count = 0
    for words in sentences:
        if found[-1] and count + len(words) > READ:
            found.append([])
            count = 0
        found[-1].append(list(words))
        count += len(words)
    return found[:-1] or found


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
