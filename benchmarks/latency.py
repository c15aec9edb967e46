"""How long a 25-token sentence takes, text to tags, beside a spaCy pipeline of en_core_web_sm's size with random weights.

    python -m benchmarks.latency [--rounds 200] [--new]

One thread; models loaded; tokenizer included. In every round each candidate runs once, so that a busy moment of the machine falls
on all of them alike. Figures are medians in milliseconds; ratios are medians of the ratios within a round. It is the same sentence
in every round, of which a tagger knows the words then, as of a text that is worked at; or each time a new one, of the treebank.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import spacy
import torch
from rich.console import Console
from rich.table import Table
from spacy.language import Language

from seqmodels import checkpoints
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import load_sentences
from seqmodels.inference import tag
from seqmodels.traces import tag_and_trace

SENTENCE = (
    "John Smith who lives in Berlin said on Tuesday that the old man the boats when the White House in Washington does not answer ."
)
WARM_UP = 10
RIVAL = "spaCy tagger + ner"

Seconds = list[float]


def rival() -> Language:
    """A tagger that listens to a shared tok2vec, and an entity recognizer with one of its own, as in en_core_web_sm 3.8."""
    tagger = {
        "@architectures": "spacy.Tagger.v2",
        "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"},
    }
    ner = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": _tok2vec({"NORM": 5000, "PREFIX": 1000, "SUFFIX": 2500, "SHAPE": 2500}),
    }
    shared = {"NORM": 5000, "PREFIX": 1000, "SUFFIX": 2500, "SHAPE": 2500, "SPACY": 50, "IS_SPACE": 50}
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": _tok2vec(shared)})
    for name, model, labels in (("tagger", tagger, 50), ("ner", ner, 18)):
        pipe: Any = nlp.add_pipe(name, config={"model": model})
        for label in range(labels):
            pipe.add_label(f"L{label}")
    nlp.initialize()
    return nlp


def candidates() -> dict[str, Callable[[str], object]]:
    """What is measured, by name."""
    found: dict[str, Callable[[str], object]] = {RIVAL: rival()}
    for cell in CELLS:
        paths = [checkpoints.path_of(task, cell) for task in ("pos", "ner")]
        if not all(path.is_file() for path in paths):
            continue
        pos, ner = map(checkpoints.load, paths)
        found |= {
            f"{cell} pos": partial(tag, pos),
            f"{cell} ner": partial(tag, ner),
            f"{cell} pos + ner": partial(_tag_twice, pos, ner),
            f"{cell} pos with trace": partial(tag_and_trace, pos),
            f"{cell} ner with trace": partial(tag_and_trace, ner),
        }
    return found


def measure(calls: dict[str, Callable[[str], object]], texts: Sequence[str]) -> dict[str, Seconds]:
    """Seconds of each call in each round, which has a text, after a warm-up."""
    for call in calls.values():
        for _ in range(WARM_UP):
            call(SENTENCE)
    times: dict[str, Seconds] = {name: [] for name in calls}
    for text in texts:
        for name, call in calls.items():
            start = time.perf_counter()
            call(text)
            times[name].append(time.perf_counter() - start)
    return times


def ratio(times: Seconds, base: Seconds) -> float:
    """The median over rounds of one call's time by another's."""
    return statistics.median(ours / theirs for ours, theirs in zip(times, base, strict=True))


def table(times: dict[str, Seconds]) -> Table:
    """Medians, and what they are measured against: the rival for tags, the tags alone for a trace."""
    shown = Table(title=f"about {len(SENTENCE.split())} tokens, one thread, {len(times[RIVAL])} rounds")
    shown.add_column("text to")
    for heading in ("median ms", "x spaCy", "x tags alone"):
        shown.add_column(heading, justify="right")
    for name, seconds in times.items():
        alone = name.removesuffix(" with trace")
        shown.add_row(
            name,
            f"{1e3 * statistics.median(seconds):.2f}",
            "" if name == RIVAL else f"{ratio(seconds, times[RIVAL]):.2f}",
            "" if name == alone else f"{ratio(seconds, times[alone]):.2f}",
            end_section=name == RIVAL or name.endswith("ner with trace"),
        )
    return shown


def _tag_twice(pos: Checkpoint, ner: Checkpoint, text: str) -> None:
    tag(pos, text)
    tag(ner, text)


def _new_ones() -> list[str]:
    """Sentences of dev with about as many words."""
    words = (sentence.words for sentence in load_sentences("ewt", "dev"))
    return [" ".join(sentence) for sentence in words if abs(len(sentence) - len(SENTENCE.split())) <= 3]


def _tok2vec(rows: dict[str, int]) -> dict[str, Any]:
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 96,
            "attrs": list(rows),
            "rows": list(rows.values()),
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Text to tags in milliseconds, beside spaCy.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--new", action="store_true", help="another sentence in each round")
    arguments = parser.parse_args()
    texts = _new_ones() if arguments.new else [SENTENCE] * arguments.rounds
    calls = candidates()
    if arguments.new:  # each model once, or it would know the words
        calls = {name: call for name, call in calls.items() if name.endswith("+ ner")}
    torch.set_num_threads(1)
    Console().print(table(measure(calls, texts[: arguments.rounds])))


if __name__ == "__main__":
    main()
